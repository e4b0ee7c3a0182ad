#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Feedback that shares only the sign of the forward weights.
///   E = {(s, t) : (t, s) in forward},  B_ts = m_ts sign(W_st),  m = magnitude (uSF), or uniform in [0, 2 magnitude), drawn once (frSF) or
///   anew for every minibatch (brSF)
struct SignConcordant {
    static constexpr std::string_view name = "sign_concordant";
    static constexpr std::string_view summary = "the reverse of every forward synapse, with its sign and a magnitude of its own";
    static constexpr std::string_view reference = "Liao, Leibo & Poggio 2016, AAAI 30:1837, arXiv:1510.05067";
    static constexpr WeightTie tie = WeightTie::sign;

    struct Params {
        std::string of{};
        double magnitude = 1;
        Magnitudes magnitudes = Magnitudes::equal;
        static constexpr std::tuple fields{
            Field{"of", &Params::of, "name of the forward projection"},
            Field{"magnitude", &Params::magnitude, "of the feedback weights, their mean", not_negative},
            Field{"magnitudes", &Params::magnitudes,
                  "all equal, or uniform from 0 to twice the mean: drawn once, or anew for every minibatch"}};
    };
    static double factor(const Params& params) { return params.magnitude; }

    static EdgeList connect(const Params&, const ConnectRequest& request) { return reversed_forward(request); }
};

}  // namespace ydot::networks
