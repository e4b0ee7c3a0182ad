#pragma once
#include "plasticity/stdp.hpp"

namespace ydot::plasticity {

/// Pair STDP that waits for a reward: the changes of the pair rule feed an eligibility trace c, and
///   dw/dt = c (m - baseline),   dc/dt = -c / tau_c + (changes by pairs),
///   m(t) = 1 / tau_m sum exp(-(t - t_k) / tau_m) over the spikes t_k of the population `reward`, of all its units, in 1 / ms.
/// NEST's stdp_dopamine_synapse with its volume transmitter, whose b, tau_n are baseline, tau_m here.
struct RewardStdp {
    static constexpr std::string_view
        name = "reward_stdp",
        summary = "pair STDP with an eligibility trace and a third factor",
        reference =
            "Izhikevich (2007), Cereb. Cortex 17:2443-2452; Florian (2007), Neural Comput. 19:1468-1502; Potjans, Morrison & "
            "Diesmann (2010), Front. Comput. Neurosci. 4:141";
    struct Params {
        double a_plus = 1, a_minus = 1.5, tau_plus_ms = 20, tau_minus_ms = 20, tau_c_ms = 1000, tau_m_ms = 200, baseline = 0;
        std::string reward{};
        Pairing pairing = Pairing::all;
        static constexpr std::tuple fields{
            Field{"a_plus", &Params::a_plus, "eligibility by a pair, pre just before post"},
            Field{"a_minus", &Params::a_minus, "eligibility, with its sign turned, by a pair, post just before pre"},
            Field{"tau_plus_ms", &Params::tau_plus_ms, "decay of the pre trace", positive},
            Field{"tau_minus_ms", &Params::tau_minus_ms, "decay of the post trace", positive},
            Field{"tau_c_ms", &Params::tau_c_ms, "decay of the eligibility", positive},
            Field{"tau_m_ms", &Params::tau_m_ms, "decay of the third factor", positive},
            Field{"baseline", &Params::baseline, "third factor at which nothing changes, in 1 / ms"},
            Field{"reward", &Params::reward, "population whose spikes are the third factor"},
            Field{"pairing", &Params::pairing, "all pairs, or nearest neighbours"}};
    };
    static Stdp::Params pair(const Params& p) { return {p.a_plus, p.a_minus, p.tau_plus_ms, p.tau_minus_ms, p.pairing}; }
    static PairWindow window(const Params& p) { return Stdp::window(pair(p)); }
    static Eligibility eligibility(const Params& p) { return {p.tau_c_ms, p.tau_m_ms, p.baseline, p.reward}; }
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
