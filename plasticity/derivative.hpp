#pragma once
#include "plasticity/stdp.hpp"

namespace ydot::plasticity {

/// STDP as a derivative filter: the antisymmetric window K(s) = sign(s) exp(-|s| / tau), s = t_post - t_pre. At constant pre rate
///   E[dw] = amplitude tau^2 pre (change of post),
/// so a synapse learns from presynaptic activity times the rate of change of postsynaptic activity. The gain of a gated change is 2 when
/// the pre spike must fall into the gate, 1 for the later or both, 0 for the post spike.
struct Derivative {
    static constexpr std::string_view name = "derivative", summary = "antisymmetric STDP: pre times rate of change of post",
                                      reference = "Hinton (2007); Xie & Seung (2000), NIPS 12; Bengio et al. (2015), arXiv:1509.05936";
    static constexpr bool additive = true;
    struct Params {
        double amplitude = 1, tau_ms = 20;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{Field{"amplitude", &Params::amplitude, "change by a pair of small interval"},
                                           Field{"tau_ms", &Params::tau_ms, "decay of both traces", positive},
                                           Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    static Stdp::Params pair(const Params& p) { return {p.amplitude, p.amplitude, p.tau_ms, p.tau_ms, p.pairing}; }
    static PairWindow window(const Params& p) { return Stdp::window(pair(p)); }
    template <class F>
    static F on_pre(const Params& p, F w, F y) {
        return Stdp::on_pre(pair(p), w, y);
    }
    template <class F>
    static F on_post(const Params& p, F w, F x) {
        return Stdp::on_post(pair(p), w, x);
    }
};

}  // namespace ydot::plasticity
