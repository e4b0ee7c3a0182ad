#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Every source is connected to every target: the dense layer of artificial networks.
///   E = {(s, t) : 0 <= s < sources, 0 <= t < targets}, without s = t if autapses are off
struct AllToAll {
    static constexpr std::string_view name = "all_to_all";
    static constexpr std::string_view summary = "every source to every target";
    static constexpr std::string_view reference = "Rumelhart, Hinton & Williams 1986, Nature 323:533";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        bool autapses = true;
        static constexpr std::tuple fields{
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };
    static double expected_synapses(const Params& /*params*/, const ConnectRequest& request) {
        return double{1} * request.sources * request.targets;
    }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        return [targets = request.targets, without_self = request.same_population && !params.autapses](std::uint32_t s, auto& out) {
            for (std::uint32_t t = 0; t < targets; ++t)
                if (!without_self || s != t) out.push_back(t);
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources, std::size_t{request.sources} * request.targets);
    }
};

}  // namespace ydot::networks
