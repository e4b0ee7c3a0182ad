#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Feedback that shares only the sign of the forward weights (uniform sign-concordant feedback, uSF).
///   E = {(s, t) : (t, s) in forward},  B_ts = magnitude * sign(W_st)
struct SignConcordant {
    static constexpr std::string_view name = "sign_concordant";
    static constexpr std::string_view summary = "the reverse of every forward synapse, with its sign and one magnitude";
    static constexpr std::string_view reference = "Liao, Leibo & Poggio 2016, AAAI 30:1837, arXiv:1510.05067";
    static constexpr WeightTie tie = WeightTie::sign;

    struct Params {
        std::string of{};
        double magnitude = 1;
        static constexpr std::tuple fields{Field{"of", &Params::of, "name of the forward projection"},
                                           Field{"magnitude", &Params::magnitude, "of every feedback weight", not_negative}};
    };
    static double factor(const Params& params) { return params.magnitude; }

    static EdgeList connect(const Params&, const ConnectRequest& request) { return reversed_forward(request); }
};

}  // namespace ydot::networks
