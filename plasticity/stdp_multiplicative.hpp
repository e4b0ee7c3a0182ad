#pragma once
#include "sim/plasticity.hpp"

namespace ydot::plasticity {

/// Pair STDP whose changes scale with the distance to the bounds:
///   post spike: w += lambda (1 - w / w_full)^mu_plus w_full x,   pre spike: w -= lambda alpha (w / w_full)^mu_minus w_full y.
/// mu = 1 is the multiplicative rule, 0 the additive one with bounds 0 and w_full, in between lies the rule of Guetig et al. (2003).
/// With mu_plus = 0 and mu_minus = 1 it is the rule of van Rossum, Bi & Turrigiano (2000).
struct StdpMultiplicative {
    static constexpr std::string_view
        name = "stdp_multiplicative",
        summary = "pair STDP, changes proportional to the distance to the bounds",
        reference =
            "van Rossum, Bi & Turrigiano (2000), J. Neurosci. 20:8812-8821; Rubin, Lee & Sompolinsky (2001), PRL 86:364; Guetig et "
            "al. (2003), J. Neurosci. 23:3697";
    struct Params {
        double lambda = 0.01, alpha = 1.05, mu_plus = 1, mu_minus = 1, w_full = 1, tau_plus_ms = 20, tau_minus_ms = 20;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{
            Field{"lambda", &Params::lambda, "step: share of w_full by a pair, at the far bound", not_negative},
            Field{"alpha", &Params::alpha, "depression over potentiation", not_negative},
            Field{"mu_plus", &Params::mu_plus, "exponent of potentiation", unit_interval},
            Field{"mu_minus", &Params::mu_minus, "exponent of depression", unit_interval},
            Field{"w_full", &Params::w_full, "largest weight", positive},
            Field{"tau_plus_ms", &Params::tau_plus_ms, "decay of the pre trace", positive},
            Field{"tau_minus_ms", &Params::tau_minus_ms, "decay of the post trace", positive},
            Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    struct Coeffs {
        float plus, minus, mu_plus, mu_minus, per_full;
    };
    static Coeffs prepare(const Params& p) {
        return {static_cast<float>(p.lambda * p.w_full), static_cast<float>(p.lambda * p.alpha * p.w_full), static_cast<float>(p.mu_plus),
                static_cast<float>(p.mu_minus), static_cast<float>(1 / p.w_full)};
    }
    static PairWindow window(const Params& p) { return {0, 0, p.tau_plus_ms, p.tau_minus_ms, p.pairing}; }
    static Bounds domain(const Params& p) { return {0, static_cast<float>(p.w_full)}; }
    template <class F>
    static F on_pre(const Coeffs& c, F w, F y) {
        return -c.minus * scaled(w * c.per_full, c.mu_minus) * y;
    }
    template <class F>
    static F on_post(const Coeffs& c, F w, F x) {
        return c.plus * scaled(1.0f - w * c.per_full, c.mu_plus) * x;
    }

private:
    template <class F>
    static F scaled(F share, float mu) {
        if (mu == 1) return share;
        if (mu == 0) return F{} + 1.0f;
        return power(share, mu);
    }
};

}  // namespace ydot::plasticity
