#pragma once
#include "sim/plasticity.hpp"

namespace ydot::plasticity {

/// Plasticity of inhibition that steers post rates to a target:
///   pre spike: w += eta (y - alpha),   post spike: w += eta x,   alpha = 2 rho0 tau,
///   dx/dt = -x / tau, +1 at a pre spike, dy/dt = -y / tau, +1 at a post spike.
/// Mean drift of uncorrelated trains: 2 eta tau pre (post - rho0). A weight that is a negative number inhibits more as it falls: there eta
/// is negative, too.
struct HomeostaticInhibition {
    static constexpr std::string_view name = "homeostatic_inhibition", summary = "inhibition that steers post rates to a target",
                                      reference = "Vogels, Sprekeler, Zenke, Clopath & Gerstner (2011), Science 334:1569-1573";
    struct Params {
        double eta = 0.001, rho0_Hz = 5, tau_ms = 20;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{
            Field{"eta", &Params::eta, "change by a pair; negative where inhibitory weights are negative numbers"},
            Field{"rho0_Hz", &Params::rho0_Hz, "target rate of the post units", not_negative},
            Field{"tau_ms", &Params::tau_ms, "decay of both traces", positive},
            Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    struct Coeffs {
        float eta, alpha;
    };
    static Coeffs prepare(const Params& p) { return {static_cast<float>(p.eta), static_cast<float>(2 * p.rho0_Hz * p.tau_ms * 1e-3)}; }
    static PairWindow window(const Params& p) { return {0, 0, p.tau_ms, p.tau_ms, p.pairing}; }
    template <class F>
    static F on_pre(const Coeffs& c, F /*w*/, F y) {
        return c.eta * (y - c.alpha);
    }
    template <class F>
    static F on_post(const Coeffs& c, F /*w*/, F x) {
        return c.eta * x;
    }
};

}  // namespace ydot::plasticity
