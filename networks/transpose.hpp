#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Symmetric feedback: the reverse of every forward synapse, with its weight.
///   E = {(s, t) : (t, s) in forward},  B_ts = gain * W_st at every moment of learning
struct Transpose {
    static constexpr std::string_view name = "transpose";
    static constexpr std::string_view summary = "the reverse of every forward synapse, with its weight";
    static constexpr std::string_view reference = "Rumelhart, Hinton & Williams 1986, Nature 323:533; Grossberg 1987, Cogn Sci 11:23";
    static constexpr WeightTie tie = WeightTie::transpose;

    struct Params {
        std::string of{};
        double gain = 1;
        static constexpr std::tuple fields{Field{"of", &Params::of, "name of the forward projection"},
                                           Field{"gain", &Params::gain, "feedback weight over forward weight"}};
    };
    static double factor(const Params& params) { return params.gain; }

    static EdgeList connect(const Params&, const ConnectRequest& request) { return reversed_forward(request); }
};

}  // namespace ydot::networks
