#pragma once
#include <algorithm>

#include "networks/sampling.hpp"

namespace ydot::networks {

/// Feedback between units that are not connected forward, so that no pair of units is connected both ways.
///   P((s, t) in E) = probability if (t, s) not in forward, else 0
/// The share of all pairs is probability * (1 - share of the forward projection).
struct Disjoint {
    static constexpr std::string_view name = "disjoint";
    static constexpr std::string_view summary = "only pairs that the forward projection leaves unconnected, each with one probability";
    static constexpr std::string_view reference = "Hinton 2016, Can the brain do back-propagation?, talk, Stanford (EE380)";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::string of{};
        double probability = 0.25;
        bool autapses = true;
        static constexpr std::tuple fields{
            Field{"of", &Params::of, "name of the forward projection"},
            Field{"probability", &Params::probability, "of a connection, for each pair that is not connected forward", unit_interval},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        const EdgeList taken = reversed_forward(request);
        const auto offsets = offsets_of(taken.source, request.sources);
        std::uint64_t free_pairs = 0;
        EdgeList edges;
        for (std::uint32_t s = 0; s < request.sources; ++s) {
            std::vector<std::uint32_t> blocked(taken.target.data() + offsets[s], taken.target.data() + offsets[s + std::size_t{1}]);
            if (request.same_population && !params.autapses) blocked.insert(std::lower_bound(blocked.begin(), blocked.end(), s), s);
            blocked.erase(std::unique(blocked.begin(), blocked.end()), blocked.end());
            free_pairs += request.targets - blocked.size();
            add_share_of_rest(s, blocked, params.probability, request, edges);
        }
        if (free_pairs == 0) refuse(request, "disjoint finds no pair to connect: \"" + params.of + "\" already connects every one");
        return edges;
    }

private:
    /// Connects source s with a share of the targets that are not in `blocked` (ascending).
    static void add_share_of_rest(std::uint32_t s, const std::vector<std::uint32_t>& blocked, double probability,
                                  const ConnectRequest& request, EdgeList& edges) {
        const auto count = request.targets - static_cast<std::uint32_t>(blocked.size());
        std::uint32_t below = 0;  // blocked targets below the current one: the target of rank r is r + below
        visit_share(draws_of(request, s), probability, count, [&](std::uint32_t rank) {
            while (below < blocked.size() && blocked[below] <= rank + below) ++below;
            edges.add(s, rank + below);
        });
    }
};

}  // namespace ydot::networks
