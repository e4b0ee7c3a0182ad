#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Every source makes the same number of synapses with targets chosen at random.
///   out-degree = outdegree exactly; without multapses the targets of a source are a uniform subset (Floyd's algorithm), with them
///   independent draws
struct FixedOutdegree {
    static constexpr std::string_view name = "fixed_outdegree";
    static constexpr std::string_view summary = "each source to a fixed number of random targets";
    static constexpr std::string_view reference = "Senk et al. 2022, PLoS Comput Biol 18:e1010086; Bentley & Floyd 1987, Commun ACM 30:754";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::uint32_t outdegree = 10;
        bool multapses = false, autapses = true;
        static constexpr std::tuple fields{
            Field{"outdegree", &Params::outdegree, "synapses that each source makes", Range{0, 4e9}},
            Field{"multapses", &Params::multapses, "whether a target may be drawn more than once for one source"},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };
    static double expected_synapses(const Params& params, const ConnectRequest& request) {
        return double{1} * params.outdegree * request.sources;
    }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        const bool without_self = request.same_population && !params.autapses;
        require_partners(request, "outdegree", params.outdegree, params.multapses, "target",
                         Partners{request.targets, 0, without_self}.count());
        return [=](std::uint32_t s, auto& out) {
            const Partners partners{request.targets, s, without_self};
            const auto add = [&](std::uint32_t rank) { out.push_back(partners[rank]); };
            if (params.multapses) visit_any(draws_of(request, s), params.outdegree, partners.count(), add);
            else visit_subset(draws_of(request, s), params.outdegree, partners.count(), add);
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources, std::size_t{request.sources} * params.outdegree);
    }
};

}  // namespace ydot::networks
