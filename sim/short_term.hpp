#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

namespace ydot {

/// Short-term plasticity of all synapses of a projection. Between spikes of its source the utilisation u relaxes to 0 and the available
/// resources x to 1; a spike is transmitted with the efficacy u x:
///   du/dt = -u / tau_facil, at a spike u += U (1 - u);   dx/dt = (1 - x) / tau_rec, then x -= u x
/// Tsodyks & Markram (1997), PNAS 94:719-723; Tsodyks, Uziel & Markram (2000), J. Neurosci. 20:RC50, with the resources that are active
/// counted as recovering (their time constant is that of the current, short against tau_rec). tau_facil = 0: u = U; tau_rec = 0: x = 1.
struct ShortTerm {
    double U = 1, tau_rec_ms = 0, tau_facil_ms = 0;
};

/// The state of the sources of a projection. Since all synapses of a source have the same parameters, its efficacy is a factor of the
/// spike.
class ShortTermState {
public:
    ShortTermState(const ShortTerm& params, std::uint32_t sources, double dt_ms) : params_(params), dt_ms_(dt_ms), sources_(sources) {}
    void reset() noexcept { sources_.assign(sources_.size(), {}); }

    /// The efficacy of a spike. @param time  in steps, not before the last spike of this source
    float spike(std::uint32_t source, double time) noexcept {
        auto& s = sources_[source];
        const double elapsed_ms = (time - s.time) * dt_ms_;
        s.time = time;
        s.u *= left(elapsed_ms, params_.tau_facil_ms);
        s.u += params_.U * (1 - s.u);
        s.x = 1 - (1 - s.x) * left(elapsed_ms, params_.tau_rec_ms);
        const double efficacy = s.u * s.x;
        s.x -= efficacy;
        return static_cast<float>(efficacy);
    }

private:
    struct Source {
        double time = 0, u = 0, x = 1;
    };
    static double left(double elapsed_ms, double tau_ms) noexcept { return tau_ms > 0 ? std::exp(-elapsed_ms / tau_ms) : 0; }

    ShortTerm params_;
    double dt_ms_;
    std::vector<Source> sources_;
};

}  // namespace ydot
