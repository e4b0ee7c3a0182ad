#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Every target receives the same number of synapses from sources chosen at random.
///   in-degree = indegree exactly; without multapses the sources of a target are a uniform subset (Floyd's algorithm), with them
///   independent draws
struct FixedIndegree {
    static constexpr std::string_view name = "fixed_indegree";
    static constexpr std::string_view summary = "each target from a fixed number of random sources";
    static constexpr std::string_view reference = "Brunel 2000, J Comput Neurosci 8:183; Bentley & Floyd 1987, Commun ACM 30:754";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::uint32_t indegree = 10;
        bool multapses = false, autapses = true;
        static constexpr std::tuple fields{
            Field{"indegree", &Params::indegree, "synapses that each target receives", Range{0, 4e9}},
            Field{"multapses", &Params::multapses, "whether a source may be drawn more than once for one target"},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        EdgeList inputs;  // (target, source); the sources of a target in the order of the draws
        std::vector<bool> taken(request.sources);
        for (std::uint32_t t = 0; t < request.targets; ++t) {
            const Partners partners{request.sources, t, request.same_population && !params.autapses};
            check(params, partners.count(), request);
            const auto add = [&](std::uint32_t rank) { inputs.add(t, partners[rank]); };
            if (params.multapses) visit_any(draws_of(request, t), params.indegree, partners.count(), add);
            else visit_subset(draws_of(request, t), params.indegree, partners.count(), taken, add);
        }
        return reversed(inputs, request.sources);
    }

private:
    static void check(const Params& params, std::uint32_t available, const ConnectRequest& request) {
        const std::uint32_t needed = params.multapses ? (params.indegree > 0 ? 1 : 0) : params.indegree;
        if (available < needed)
            refuse(request, "indegree " + std::to_string(params.indegree) + " needs at least " + std::to_string(needed) +
                                (needed == 1 ? " possible source, there are " : " possible sources, there are ") +
                                std::to_string(available));
    }
};

}  // namespace ydot::networks
