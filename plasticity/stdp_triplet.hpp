#pragma once
#include "sim/plasticity.hpp"

namespace ydot::plasticity {

/// Triplet STDP, with two traces of each side:
///   pre spike:  w -= o1 (a2_minus + a3_minus r2),   post spike: w += r1 (a2_plus + a3_plus o2),
///   r1, r2 (o1, o2) decay with tau_plus and tau_x (tau_minus and tau_y) and count pre (post) spikes; r2 and o2 are read just before they
///   count the spike themselves.
/// The defaults are the full all-to-all model of visual cortex (Pfister & Gerstner 2006, table 3); a2_plus = a3_minus = 0, a2_minus =
/// 7.1e-3, a3_plus = 6.5e-3, tau_y = 114 ms is the minimal one.
struct StdpTriplet {
    static constexpr std::string_view name = "stdp_triplet", summary = "pairs and triplets of spikes",
                                      reference = "Pfister & Gerstner (2006), J. Neurosci. 26:9673-9682";
    struct Params {
        double a2_plus = 5e-10, a3_plus = 6.2e-3, a2_minus = 7e-3, a3_minus = 2.3e-4, tau_plus_ms = 16.8, tau_minus_ms = 33.7,
               tau_x_ms = 101, tau_y_ms = 125;
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{
            Field{"a2_plus", &Params::a2_plus, "change by a pair, pre before post", not_negative},
            Field{"a3_plus", &Params::a3_plus, "change by a triplet post, pre, post", not_negative},
            Field{"a2_minus", &Params::a2_minus, "change, with its sign turned, by a pair, post before pre", not_negative},
            Field{"a3_minus", &Params::a3_minus, "change, with its sign turned, by a triplet pre, post, pre", not_negative},
            Field{"tau_plus_ms", &Params::tau_plus_ms, "decay of the fast pre trace", positive},
            Field{"tau_minus_ms", &Params::tau_minus_ms, "decay of the fast post trace", positive},
            Field{"tau_x_ms", &Params::tau_x_ms, "decay of the slow pre trace", positive},
            Field{"tau_y_ms", &Params::tau_y_ms, "decay of the slow post trace", positive},
            Field{"pairing", &Params::pairing, "all spikes, or nearest neighbours"}};
    };
    static PairWindow window(const Params& p) { return {0, 0, p.tau_plus_ms, p.tau_minus_ms, p.pairing}; }
    static OwnTraces own_traces(const Params& p) { return {p.tau_x_ms, p.tau_y_ms}; }
    template <class F>
    static F on_pre(const Params& p, F /*w*/, F o1, F r2) {
        return -o1 * (static_cast<float>(p.a2_minus) + static_cast<float>(p.a3_minus) * r2);
    }
    template <class F>
    static F on_post(const Params& p, F /*w*/, F r1, F o2) {
        return r1 * (static_cast<float>(p.a2_plus) + static_cast<float>(p.a3_plus) * o2);
    }
};

}  // namespace ydot::plasticity
