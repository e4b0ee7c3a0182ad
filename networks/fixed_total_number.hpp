#pragma once
#include <algorithm>
#include <boost/random/binomial_distribution.hpp>

#include "networks/sampling.hpp"

namespace ydot::networks {

/// A fixed number of synapses, the source and the target of each drawn uniformly and independently.
///   out-degrees ~ Multinomial(number, 1/sources), drawn one after another as conditional binomials; multapses are allowed
struct FixedTotalNumber {
    static constexpr std::string_view name = "fixed_total_number";
    static constexpr std::string_view summary = "a fixed number of synapses between random sources and targets";
    static constexpr std::string_view reference = "Potjans & Diesmann 2014, Cereb Cortex 24:785; Davis 1993, Comput Stat Data Anal 16:205";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::int64_t number = 0;
        bool autapses = true;
        static constexpr std::tuple fields{
            Field{"number", &Params::number, "synapses of the projection", Range{0, 1e12}},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };

    /// Synapses of each source.
    static std::vector<std::uint32_t> outdegrees(const Params& params, const ConnectRequest& request) {
        Draws draws(request.seed, stream_of(request.name, Purpose::connect), 0, 1);
        std::vector<std::uint32_t> degrees;
        auto left = static_cast<std::int64_t>(params.number);
        for (std::uint32_t s = 0; s < request.sources; ++s) {
            const double share = 1.0 / (request.sources - s);
            const auto degree = s + 1 == request.sources ? left : boost::random::binomial_distribution<std::int64_t>(left, share)(draws);
            degrees.push_back(static_cast<std::uint32_t>(degree));
            left -= degree;
        }
        return degrees;
    }
    /// Targets of one source, in the order of the draws.
    static void targets(const Params& params, const ConnectRequest& request, std::uint32_t source, std::uint32_t outdegree, std::vector<std::uint32_t>& out) {
        const Partners partners{request.targets, source, request.same_population && !params.autapses};
        const auto words = words_of(request.seed, stream_of(request.name, Purpose::connect), source, outdegree);
        for (std::uint32_t k = 0; k < outdegree; ++k) out.push_back(partners[static_cast<std::uint32_t>((std::uint64_t{words[k]} * partners.count()) >> 32)]);
    }

    /// Targets of any source on demand, without a list of edges.
    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        return [params, request, degrees = outdegrees(params, request)](std::uint32_t source, std::vector<std::uint32_t>& out) {
            targets(params, request, source, degrees[source], out);
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        EdgeList edges;
        const auto degrees = outdegrees(params, request);
        std::vector<std::uint32_t> drawn;
        for (std::uint32_t s = 0; s < request.sources; ++s) {
            drawn.clear();
            targets(params, request, s, degrees[s], drawn);
            std::sort(drawn.begin(), drawn.end());
            for (const auto target : drawn) edges.add(s, target);
        }
        return edges;
    }
};

}  // namespace ydot::networks
