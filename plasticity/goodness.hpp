#pragma once
#include "plasticity/hebbian.hpp"

namespace ydot::plasticity {

enum class Objective { high, low };

/// Forward-Forward: coincidence times one third factor for the whole target population. Its goodness is g = sum over its units of y^2; a
/// phase that learns shows positive data, one that unlearns negative data, and
///   p = logistic(sharpness (g - threshold n))   is the probability that the n units give to "positive",
///   dw = amplitude pre post (1 - p) on positive, - amplitude pre post p on negative data:
/// the gradient of log p, or of log (1 - p), up to a factor of 2 when post is linear above its threshold. With objective "low" good is
/// what excites little (predictive coding): the signs turn round.
/// With peer normalisation every phase that learns also brings the units to be equally active, which keeps them from dying and from being
/// on for all images:  dw += amplitude peer_normalisation pre (mean of m over the population - m), m a unit's running mean activity.
struct Goodness {
    static constexpr std::string_view name = "goodness",
                                      summary = "coincidence times how surprising the activity of the layer is (Forward-Forward)",
                                      reference = "Hinton (2022), The forward-forward algorithm, arXiv:2212.13345";
    static constexpr bool additive = true;
    struct Params {
        double amplitude = 1, tau_ms = 20, threshold = 1, sharpness = 1, peer_normalisation = 0;
        Pairing pairing = Pairing::all;
        Objective objective = Objective::high;
        static constexpr std::tuple fields{
            Field{"amplitude", &Params::amplitude, "change by a pair of small interval"},
            Field{"tau_ms", &Params::tau_ms, "decay of both traces", positive},
            Field{"threshold", &Params::threshold, "goodness a unit at which positive and negative are equally likely"},
            Field{"sharpness", &Params::sharpness, "of the logistic, in terms of the goodness of the population", positive},
            Field{"peer_normalisation", &Params::peer_normalisation,
                  "strength with which the mean activity of each unit is drawn to that of its population", not_negative},
            Field{"objective", &Params::objective, "whether positive data should excite much or little"},
            Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    static Hebbian::Params pair(const Params& p) { return {p.amplitude, p.tau_ms, p.pairing}; }
    static PairWindow window(const Params& p) { return Hebbian::window(pair(p)); }
    static LayerFactor layer_factor(const Params& p) {
        return {p.threshold, p.objective == Objective::high ? p.sharpness : -p.sharpness, p.peer_normalisation};
    }
    template <class F>
    static F on_pre(const Params& p, F w, F y) {
        return Hebbian::on_pre(pair(p), w, y);
    }
    template <class F>
    static F on_post(const Params& p, F w, F x) {
        return Hebbian::on_post(pair(p), w, x);
    }
};

}  // namespace ydot::plasticity

template <>
struct ydot::EnumNames<ydot::plasticity::Objective> {
    static constexpr std::array<std::string_view, 2> names{"high", "low"};
};
