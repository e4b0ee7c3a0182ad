#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Each pair is connected independently with one probability (a directed Erdos-Renyi graph).
///   P((s, t) in E) = probability;  in-degree ~ Binomial(sources, probability), out-degree ~ Binomial(targets, probability)
struct FixedProbability {
    static constexpr std::string_view name = "fixed_probability";
    static constexpr std::string_view summary = "each pair independently with one probability";
    static constexpr std::string_view reference = "Gilbert 1959, Ann Math Stat 30:1141; Batagelj & Brandes 2005, Phys Rev E 71:036113";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        double probability = 0.1;
        bool autapses = true;
        static constexpr std::tuple fields{
            Field{"probability", &Params::probability, "of a connection, for each pair", unit_interval},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };
    static double expected_synapses(const Params& params, const ConnectRequest& request) {
        return params.probability * request.sources * request.targets;
    }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        return [params, request](std::uint32_t s, auto& out) {
            const Partners partners{request.targets, s, request.same_population && !params.autapses};
            visit_share(draws_of(request, s), params.probability, partners.count(),
                        [&](std::uint32_t rank) { out.push_back(partners[rank]); });
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources);
    }
};

}  // namespace ydot::networks
