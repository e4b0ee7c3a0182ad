#pragma once
#include "sim/plasticity.hpp"

namespace ydot::plasticity {

/// Additive pair rule with any exponential window:
///   post spike: w += a_plus x,  pre spike: w -= a_minus y,
///   dx/dt = -x / tau_plus, +1 at a pre spike,  dy/dt = -y / tau_minus, +1 at a post spike.
/// For slow rates and a_plus tau_plus = a_minus tau_minus it is a derivative filter (Xie & Seung 2000):
///   E[dw/dt] = a_plus tau_plus [ tau_minus pre d(post)/dt - tau_plus d(pre)/dt post ] + causal term.
/// Bi & Poo (1998) measured a_plus 0.78, tau_plus 17 ms, a_minus 0.27, tau_minus 34 ms.
struct Stdp {
    static constexpr std::string_view
        name = "stdp",
        summary = "additive pair STDP with any exponential window",
        reference = "Song, Miller & Abbott (2000), Nat. Neurosci. 3:919-926; Bi & Poo (1998), J. Neurosci. 18:10464-10472";
    static constexpr bool additive = true;
    struct Params {
        double a_plus = 0.01, a_minus = 0.01, tau_plus_ms = 20, tau_minus_ms = 20;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{
            Field{"a_plus", &Params::a_plus, "change by a pair, pre just before post"},
            Field{"a_minus", &Params::a_minus, "change, with its sign turned, by a pair, post just before pre"},
            Field{"tau_plus_ms", &Params::tau_plus_ms, "decay of the pre trace", positive},
            Field{"tau_minus_ms", &Params::tau_minus_ms, "decay of the post trace", positive},
            Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    static PairWindow window(const Params& p) { return {p.a_plus, p.a_minus, p.tau_plus_ms, p.tau_minus_ms, p.pairing}; }
    template <class F>
    static F on_pre(const Params& p, F /*w*/, F y) {
        return -static_cast<float>(p.a_minus) * y;
    }
    template <class F>
    static F on_post(const Params& p, F /*w*/, F x) {
        return static_cast<float>(p.a_plus) * x;
    }
};

}  // namespace ydot::plasticity
