#pragma once
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/plasticity.hpp"
#include "sim/random.hpp"

namespace ydot::test {

/// The additive pair rule with the window itself as parameters.
struct WindowRule {
    static constexpr std::string_view name = "window";
    static constexpr bool additive = true;
    using Params = PairWindow;
    static PairWindow window(const Params& p) { return p; }
    template <class F>
    static F on_pre(const Params& p, F, F y) {
        return -static_cast<float>(p.a_minus) * y;
    }
    template <class F>
    static F on_post(const Params& p, F, F x) {
        return static_cast<float>(p.a_plus) * x;
    }
};

inline constexpr float unbounded = std::numeric_limits<float>::infinity();

inline Plasticity plasticity_of(const PairWindow& window, std::uint32_t sources, double learning_rate = 1,
                                Bounds bounds = {-unbounded, unbounded}) {
    Plasticity p;
    p.rule = std::make_shared<RuleOf<WindowRule>>(window);
    p.learning_rate = learning_rate;
    p.of_source.assign(sources, bounds);
    return p;
}

/// Steps at which a unit fires, ascending: Bernoulli with probability `p` in each step of [from, to).
inline std::vector<Step> random_train(Draws& draws, double p, Step from, Step to) {
    std::vector<Step> train;
    for (Step n = from; n < to; ++n)
        if (draws.uniform() < p) train.push_back(n);
    return train;
}

/// Whether a pair counts: `pre` and `post` are the steps of the pair at the synapse.
inline bool gate_lets(const std::vector<std::uint8_t>& open, Gate gate, Step pre, Step post) {
    if (open.empty()) return true;
    const auto at = [&](Step n) { return open[static_cast<std::size_t>(n)] != 0; };
    switch (gate) {
        case Gate::pre: return at(pre);
        case Gate::post: return at(post);
        case Gate::later: return at(std::max(pre, post));
        case Gate::both: return at(pre) && at(post);
    }
    return false;
}

/// The definition, pair by pair: sum of the window over all pairs of arrivals and post spikes. Nearest neighbour: a post spike pairs with
/// the last arrival, an arrival with the last post spike; one of the same step is half there, and half is still the one before.
inline double pair_sum(const PairWindow& w, double dt_ms, const std::vector<Step>& pre, const std::vector<Step>& post,
                       const std::vector<std::uint8_t>& open = {}, Gate gate = Gate::later) {
    const auto potentiation = [&](Step s) { return w.a_plus * std::exp(-static_cast<double>(s) * dt_ms / w.tau_plus_ms); };
    const auto depression = [&](Step s) { return -w.a_minus * std::exp(-static_cast<double>(s) * dt_ms / w.tau_minus_ms); };
    double sum = 0;
    const auto side = [&](const std::vector<Step>& later, const std::vector<Step>& earlier, bool post_is_later, auto&& change) {
        for (const Step t : later) {
            double left = 1;  // nearest neighbour: what is not yet paired of this spike
            for (auto it = earlier.rbegin(); it != earlier.rend() && left > 0; ++it) {
                if (*it > t) continue;
                const double share = *it == t ? 0.5 : left;
                const bool counts = post_is_later ? gate_lets(open, gate, *it, t) : gate_lets(open, gate, t, *it);
                if (counts) sum += share * change(t - *it);
                if (w.pairing == Pairing::nearest) left -= share;
            }
        }
    };
    side(post, pre, true, potentiation);
    side(pre, post, false, depression);
    return sum;
}

}  // namespace ydot::test
