#pragma once
#include <boost/random/binomial_distribution.hpp>

#include "networks/sampling.hpp"

namespace ydot::networks {

/// A fixed number of synapses between random sources and targets.
///   with multapses     source and target of each synapse independent and uniform: out-degrees ~ Multinomial(number, 1/sources), drawn
///                      one after another as conditional binomials
///   without multapses  a uniform subset of all pairs: a Bernoulli graph from or to which random pairs are taken or added until `number`
///                      are left; so out-degrees are multivariate hypergeometric, and the targets of a source a uniform subset
/// NEST's rule of this name knows multapses only; circuits taken from there (the cortical microcircuit) need multapses = true.
struct FixedTotalNumber {
    static constexpr std::string_view name = "fixed_total_number";
    static constexpr std::string_view summary = "a fixed number of synapses between random sources and targets";
    static constexpr std::string_view reference = "Potjans & Diesmann 2014, Cereb Cortex 24:785; Davis 1993, Comput Stat Data Anal 16:205";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::int64_t number = 0;
        bool multapses = false, autapses = true;
        static constexpr std::tuple fields{
            Field{"number", &Params::number, "synapses of the projection", Range{0, 1e12}},
            Field{"multapses", &Params::multapses, "whether a pair may be drawn more than once"},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };
    static double expected_synapses(const Params& params, const ConnectRequest& /*request*/) { return static_cast<double>(params.number); }

    static TargetsOf stream(const Params& params, const ConnectRequest& request) {
        const std::uint32_t partners = Partners{request.targets, 0, request.same_population && !params.autapses}.count();
        check(params, request, partners);
        auto degrees = params.multapses ? multinomial(params, request) : hypergeometric(params, request, partners);
        return [params, request, degrees = std::move(degrees)](std::uint32_t source, std::vector<std::uint32_t>& out) {
            const Partners of{request.targets, source, request.same_population && !params.autapses};
            if (!params.multapses)
                return visit_subset(draws_of(request, source), degrees[source], of.count(),
                                    [&](std::uint32_t rank) { out.push_back(of[rank]); });
            const auto words = words_of(request.seed, stream_of(request.name, Purpose::connect), source, degrees[source]);
            for (std::uint32_t k = 0; k < degrees[source]; ++k) out.push_back(of[scaled(words[k], of.count())]);
        };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources, static_cast<std::size_t>(params.number));
    }

private:
    using Binomial = boost::random::binomial_distribution<std::int64_t>;

    static void check(const Params& params, const ConnectRequest& request, std::uint32_t partners) {
        const double pairs = static_cast<double>(request.sources) * partners;
        if (!params.multapses && static_cast<double>(params.number) > pairs)
            refuse(request, "number " + std::to_string(params.number) + " without multapses needs as many pairs, there are " +
                                std::to_string(std::uint64_t{request.sources} * partners));
        if (params.number > 0 && (pairs == 0 || static_cast<double>(params.number) > 4e9 * request.sources))
            refuse(request, "number " + std::to_string(params.number) + " needs a pair to connect, and at most 4e9 synapses a source");
    }
    /// Draws of the out-degrees; those of the targets have trial 0.
    static Draws degree_draws(const ConnectRequest& request) { return {request.seed, stream_of(request.name, Purpose::connect), 0, 1}; }

    static std::vector<std::uint32_t> multinomial(const Params& params, const ConnectRequest& request) {
        Draws draws = degree_draws(request);
        std::vector<std::uint32_t> degrees;
        std::int64_t left = params.number;
        for (std::uint32_t s = 0; s < request.sources; ++s) {
            const double share = 1.0 / (request.sources - s);
            const auto degree = s + 1 == request.sources ? left : Binomial(left, share)(draws);
            degrees.push_back(static_cast<std::uint32_t>(degree));
            left -= degree;
        }
        return degrees;
    }

    /// Of the Bernoulli graph, corrected pair by pair. A pair to be taken away belongs to a source with probability proportional to the
    /// synapses it has, a pair to be added to the pairs it has not: by rejection against the largest such number.
    static std::vector<std::uint32_t> hypergeometric(const Params& params, const ConnectRequest& request, std::uint32_t partners) {
        Draws draws = degree_draws(request);
        std::vector<std::uint32_t> degrees(request.sources);
        const double probability =
            params.number > 0 ? static_cast<double>(params.number) / (static_cast<double>(request.sources) * partners) : 0;
        std::int64_t missing = params.number;
        for (auto& degree : degrees) missing -= degree = static_cast<std::uint32_t>(Binomial(partners, probability)(draws));
        const auto [fewest, most] = std::minmax_element(degrees.begin(), degrees.end());
        const std::uint32_t bound = missing > 0 ? partners - *fewest : *most;
        while (missing != 0) {
            auto& degree = degrees[draws.below(request.sources)];
            if (draws.below(bound) >= (missing > 0 ? partners - degree : degree)) continue;
            degree += missing > 0 ? 1u : ~0u;
            missing += missing > 0 ? -1 : 1;
        }
        return degrees;
    }
};

}  // namespace ydot::networks
