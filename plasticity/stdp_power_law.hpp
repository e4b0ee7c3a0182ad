#pragma once
#include "sim/plasticity.hpp"

namespace ydot::plasticity {

/// Pair STDP with power-law potentiation and proportional depression:
///   post spike: w += lambda w0^(1 - mu) w^mu x,   pre spike: w -= lambda alpha w y.
/// Under uncorrelated Poisson trains of rates r and r' the mean drift, r r' [lambda w0^(1 - mu) w^mu tau_plus - lambda alpha w tau_minus],
/// vanishes at w = w0 (tau_plus / (alpha tau_minus))^(1 / (1 - mu)), which is stable. NEST's stdp_pl_synapse_hom has w0 = 1 (in its unit of
/// weight, pA); its lambda is lambda w0^(1 - mu) here, its alpha alpha w0^(mu - 1).
struct StdpPowerLaw {
    static constexpr std::string_view name = "stdp_power_law", summary = "pair STDP, potentiation by a power of the weight",
                                      reference = "Morrison, Aertsen & Diesmann (2007), Neural Comput. 19:1437-1467";
    struct Params {
        double lambda = 0.1, alpha = 0.057, mu = 0.4, w0 = 1, tau_plus_ms = 15, tau_minus_ms = 30;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{Field{"lambda", &Params::lambda, "step", not_negative},
                                           Field{"alpha", &Params::alpha, "depression over potentiation, at weight w0", not_negative},
                                           Field{"mu", &Params::mu, "exponent of potentiation", unit_interval},
                                           Field{"w0", &Params::w0, "reference weight", positive},
                                           Field{"tau_plus_ms", &Params::tau_plus_ms, "decay of the pre trace", positive},
                                           Field{"tau_minus_ms", &Params::tau_minus_ms, "decay of the post trace", positive},
                                           Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    struct Coeffs {
        float plus, minus, mu;
    };
    static Coeffs prepare(const Params& p) {
        return {static_cast<float>(p.lambda * std::pow(p.w0, 1 - p.mu)), static_cast<float>(p.lambda * p.alpha), static_cast<float>(p.mu)};
    }
    static PairWindow window(const Params& p) { return {0, 0, p.tau_plus_ms, p.tau_minus_ms, p.pairing}; }
    static Bounds domain(const Params&) { return {0, std::numeric_limits<float>::infinity()}; }
    template <class F>
    static F on_pre(const Coeffs& c, F w, F y) {
        return -c.minus * w * y;
    }
    template <class F>
    static F on_post(const Coeffs& c, F w, F x) {
        return c.plus * power(w, c.mu) * x;
    }
};

}  // namespace ydot::plasticity
