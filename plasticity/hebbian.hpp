#pragma once
#include "plasticity/derivative.hpp"

namespace ydot::plasticity {

/// Coincidence: the symmetric window K(s) = exp(-|s| / tau). For independent trains of constant rate
///   E[dw/dt] = 2 amplitude tau pre post.
/// What is learned in one phase and unlearned in another changes by the difference of two correlations, as in contrastive divergence.
struct Hebbian {
    static constexpr std::string_view name = "hebbian", summary = "symmetric STDP: pre times post",
                                      reference = "Hebb (1949), The Organization of Behavior; Hinton (2002), Neural Comput. 14:1771-1800";
    static constexpr bool additive = true;
    using Params = Derivative::Params;
    static PairWindow window(const Params& p) { return {p.amplitude, -p.amplitude, p.tau_ms, p.tau_ms, p.pairing}; }
    template <class F>
    static F on_pre(const Params& p, F /*w*/, F y) {
        return static_cast<float>(p.amplitude) * y;
    }
    template <class F>
    static F on_post(const Params& p, F /*w*/, F x) {
        return static_cast<float>(p.amplitude) * x;
    }
};

}  // namespace ydot::plasticity
