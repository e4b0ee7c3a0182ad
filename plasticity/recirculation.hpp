#pragma once
#include "plasticity/derivative.hpp"

namespace ydot::plasticity {

/// Reversed derivative STDP, K -> -K: pre times minus the rate of change of post, or, when the post rate rests while the pre rate moves,
/// post times the rate of change of pre: what a feedback synapse needs to learn what its forward partner learns, and the rule of
/// recirculation.
struct Recirculation {
    static constexpr std::string_view name = "recirculation", summary = "reversed antisymmetric STDP",
                                      reference =
                                          "Hinton & McClelland (1988), NIPS 0:358-366; Burbank (2015), PLoS Comput. Biol. 11:e1004566";
    static constexpr bool additive = true;
    using Params = Derivative::Params;
    static Derivative::Params reversed(Params p) {
        p.amplitude = -p.amplitude;
        return p;
    }
    static PairWindow window(const Params& p) { return Derivative::window(reversed(p)); }
    template <class F>
    static F on_pre(const Params& p, F w, F y) {
        return Derivative::on_pre(reversed(p), w, y);
    }
    template <class F>
    static F on_post(const Params& p, F w, F x) {
        return Derivative::on_post(reversed(p), w, x);
    }
};

}  // namespace ydot::plasticity
