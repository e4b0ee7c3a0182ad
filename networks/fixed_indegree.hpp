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
    static double expected_synapses(const Params& params, const ConnectRequest& request) {
        return double{1} * params.indegree * request.targets;
    }

    /// The targets of every source, ascending: four bytes a synapse. The sources of each target are drawn twice, to count and to place
    /// them.
    static Outgoing outgoing(const Params& params, const ConnectRequest& request) {
        const bool without_self = request.same_population && !params.autapses;
        require_partners(request, "indegree", params.indegree, params.multapses, "source",
                         Partners{request.sources, 0, without_self}.count());
        return Outgoing::of(request.sources, request.targets, [&](std::uint32_t t, auto visit) {
            const Partners partners{request.sources, t, without_self};
            const auto add = [&](std::uint32_t rank) { visit(partners[rank]); };
            if (params.multapses) visit_any(draws_of(request, t), params.indegree, partners.count(), add);
            else visit_subset(draws_of(request, t), params.indegree, partners.count(), add);
        });
    }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        return [index = std::make_shared<const Outgoing>(outgoing(params, request))](std::uint32_t s, auto& out) {
            const auto targets = index->of_source(s);
            out.insert(out.end(), targets.begin(), targets.end());
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) { return outgoing(params, request).edges(); }
};

}  // namespace ydot::networks
