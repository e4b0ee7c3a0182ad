#pragma once
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Leaky integrate-and-fire unit whose potential jumps with each spike that arrives:
///   dv/dt = -(v - v_rest) / tau_m + i_e / c_m,   v += w at an arrival,   spike and v = v_reset, held for t_ref, at v >= v_th.
/// Weights are jumps of v in mV. The equation is integrated exactly on the grid; an arrival of step n moves v at the end of the step,
/// before the threshold is looked at. Arrivals in the refractory time are lost, as with iaf_psc_delta of NEST.
struct LifDelta : LeakyMembrane {
    static constexpr std::string_view name = "lif_delta",
                                      summary = "leaky integrate-and-fire, arrivals jump the potential, exact integration",
                                      reference = "Brunel (2000), J. Comput. Neurosci. 8:183-208";
    struct Params {
        double tau_m_ms = 20, c_m_pF = 250, t_ref_ms = 2, v_rest_mV = -70, v_th_mV = -50, v_reset_mV = -60, i_e_pA = 0;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        static constexpr auto fields = leaky_fields<Params>();
    };
    struct State {
        float v_mV = 0, refractory = 0;  // v above rest; steps still silent
        static constexpr std::array<std::string_view, 2> names{"v_mV", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.refractory); }
    };
    using Coeffs = LeakyCoeffs;
    static Coeffs prepare(const Params& p, double dt_ms) { return LeakyCoeffs::make(p, dt_ms); }

    static float integrate(State& s, const Coeffs& c, float input_mV) noexcept {
        const float v = c.keep_v * s.v_mV + c.v_of_constant + input_mV;
        s.v_mV = silent(s) ? c.reset : v;
        return s.v_mV;
    }
};

}  // namespace ydot::neurons
