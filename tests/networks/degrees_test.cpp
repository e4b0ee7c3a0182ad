#include <boost/math/distributions/hypergeometric.hpp>
#include <catch2/catch.hpp>

#include "networks/fixed_indegree.hpp"
#include "networks/fixed_outdegree.hpp"
#include "networks/fixed_total_number.hpp"
#include "networks/graph.hpp"
#include "tests/networks/support.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

constexpr int seeds = 300;

/// The degrees of exchangeable units have a covariance matrix with one eigenvalue `variance` on the space where their sum is fixed.
struct Law {
    double mean, variance, degrees_of_freedom;
};
double p_of(const std::vector<std::uint32_t>& degrees, const Law& law) {
    return chi_square_p(dispersion(degrees, law.mean, law.variance), law.degrees_of_freedom);
}

/// Out- or in-degrees of a connector over many seeds against their law.
template <class Connector>
bool follow(const typename Connector::Params& params, ConnectRequest request, bool outgoing, const Law& law) {
    return uniform_over_seeds(seeds, [&](std::uint64_t seed) {
        request.seed = seed;
        const EdgeList edges = Connector::connect(params, request);
        return p_of(outgoing ? out_degrees(edges, request.sources) : in_degrees(edges, request.targets), law);
    });
}
template <class Connector>
void check(const typename Connector::Params& params, const ConnectRequest& request, const Law& out, const Law& in) {
    CHECK(follow<Connector>(params, request, true, out));
    CHECK(follow<Connector>(params, request, false, in));
}

constexpr std::uint32_t sources = 120, targets = 150;
ConnectRequest apart() { return request_of("p", sources, targets); }
ConnectRequest within() { return recurrent("p", targets); }

/// Each of n units draws k of `partners`, which are all units or all others: degrees at the other end, where `drawing` units draw.
Law drawn_by(double drawing, double n, double k, bool multapses, bool without_self) {
    const double partners = n - (without_self ? 1 : 0), p = k / partners, mean = drawing * k / n;
    if (multapses) return {mean, without_self ? k * (1 - 1 / (partners * partners)) : mean, n - 1};
    return {mean, (without_self ? n : drawing * n / (n - 1)) * p * (1 - p), n - 1};
}
/// `number` of so many pairs, shared by n units.
Law share_of(double number, double pairs, double n, bool multapses) {
    return {number / n, number / n * (multapses ? 1 : (pairs - number) / (pairs - 1)), n - 1};
}

/// Degrees that are the same for all units leave nothing to test but equality.
bool all_equal(const std::vector<std::uint32_t>& degrees, std::uint32_t degree) {
    return degrees == std::vector<std::uint32_t>(degrees.size(), degree);
}

/// How often each pair is connected, summed over seeds.
template <class Connector>
std::vector<std::uint32_t> pair_counts(const typename Connector::Params& params, ConnectRequest request, int networks) {
    std::vector<std::uint32_t> counts(std::size_t{request.sources} * request.targets);
    for (int seed = 1; seed <= networks; ++seed) {
        request.seed = static_cast<std::uint64_t>(seed);
        const EdgeList edges = Connector::connect(params, request);
        for (std::size_t k = 0; k < edges.size(); ++k) ++counts[edges.source[k] * std::size_t{request.targets} + edges.target[k]];
    }
    return counts;
}

}  // namespace

TEST_CASE("fixed_probability: both degrees are binomial over seeds", "[statistical]") {
    const double p = GENERATE(0.1, 0.6);
    check<FixedProbability>({.probability = p}, apart(), {targets * p, targets * p * (1 - p), sources},
                            {sources * p, sources * p * (1 - p), targets});
    const double others = targets - 1, variance = others * p * (1 - p);
    check<FixedProbability>({.probability = p, .autapses = false}, within(), {others * p, variance, targets},
                            {others * p, variance, targets});
}

TEST_CASE("fixed_indegree: in-degrees are constant, out-degrees multinomial or sums of hypergeometric indicators", "[statistical]") {
    const bool multapses = GENERATE(false, true), autapses = GENERATE(false, true);
    const FixedIndegree::Params params{.indegree = 30, .multapses = multapses, .autapses = autapses};
    CHECK(follow<FixedIndegree>(params, apart(), true, drawn_by(targets, sources, 30, multapses, false)));
    CHECK(follow<FixedIndegree>(params, within(), true, drawn_by(targets, targets, 30, multapses, !autapses)));
    CHECK(all_equal(in_degrees(FixedIndegree::connect(params, within()), targets), 30));
}

TEST_CASE("fixed_outdegree: out-degrees are constant, in-degrees multinomial or sums of hypergeometric indicators", "[statistical]") {
    const bool multapses = GENERATE(false, true), autapses = GENERATE(false, true);
    const FixedOutdegree::Params params{.outdegree = 30, .multapses = multapses, .autapses = autapses};
    CHECK(follow<FixedOutdegree>(params, apart(), false, drawn_by(sources, targets, 30, multapses, false)));
    CHECK(follow<FixedOutdegree>(params, within(), false, drawn_by(targets, targets, 30, multapses, !autapses)));
    CHECK(all_equal(out_degrees(FixedOutdegree::connect(params, within()), targets), 30));
}

TEST_CASE("fixed_total_number: both degrees are multinomial, or hypergeometric without multapses", "[statistical]") {
    const bool multapses = GENERATE(false, true), autapses = GENERATE(false, true);
    const auto number = GENERATE(2000, 14000);
    const FixedTotalNumber::Params params{.number = number, .multapses = multapses, .autapses = autapses};
    const double pairs = double{sources} * targets, recurrent_pairs = double{targets} * (targets - (autapses ? 0 : 1));
    check<FixedTotalNumber>(params, apart(), share_of(number, pairs, sources, multapses), share_of(number, pairs, targets, multapses));
    const Law law = share_of(number, recurrent_pairs, targets, multapses);
    check<FixedTotalNumber>(params, within(), law, law);
}

TEST_CASE("fixed_total_number makes exactly its number of synapses", "[exact]") {
    const bool multapses = GENERATE(false, true);
    for (const std::int64_t number : {0, 1, 17, 599, 600}) {
        const EdgeList edges = FixedTotalNumber::connect({.number = number, .multapses = multapses}, request_of("p", 20, 30));
        CHECK(edges.size() == static_cast<std::size_t>(number));
    }
    CHECK(FixedTotalNumber::connect({.number = 90, .autapses = false}, recurrent("p", 10)).size() == 90);
    CHECK(FixedTotalNumber::connect({.number = 5000, .multapses = true}, request_of("p", 2, 3)).size() == 5000);
}

TEST_CASE("fixed_total_number: every pair is as likely as any other", "[statistical]") {
    constexpr int networks = 4000;
    const bool multapses = GENERATE(false, true);
    for (const int number : {4, 30, 85}) {  // far below, at and above the number of sources; nearly all of 9 x 10 pairs
        const auto counts = pair_counts<FixedTotalNumber>({.number = number, .multapses = multapses}, request_of("p", 9, 10), networks);
        const Law law = share_of(double{networks} * number, double{networks} * 90, 90, true);
        const double exclusion = multapses ? 1 : (90.0 - number) / 89;  // covariance of the pairs of one network
        CHECK(plausible_chi_square(dispersion(counts, law.mean, law.variance * exclusion), law.degrees_of_freedom));
    }
}

TEST_CASE("fixed_total_number without multapses: the out-degree of a source is hypergeometric", "[statistical]") {
    constexpr int networks = 20000;
    const auto number = GENERATE(12, 60);  // of 9 x 10 pairs: few enough for the correction of the Bernoulli graph to show
    const boost::math::hypergeometric_distribution<> law(10, static_cast<unsigned>(number), 90);
    std::vector<double> seen(11);
    ConnectRequest request = request_of("p", 9, 10);
    for (int seed = 1; seed <= networks; ++seed) {
        request.seed = static_cast<std::uint64_t>(seed);
        ++seen[out_degrees(FixedTotalNumber::connect({.number = number}, request), 9)[4]];
    }
    double statistic = 0, cells = 0;
    for (unsigned k = 0; k <= 10; ++k)
        if (const double expected = networks * pdf(law, k); expected >= 10)  // the rest has below 0.2 % of the networks
            statistic += (seen[k] - expected) * (seen[k] - expected) / expected, cells += 1;
    CHECK(plausible_chi_square(statistic, cells - 1));
}

TEST_CASE("fixed_outdegree: every target of a source is as likely as any other", "[statistical]") {
    constexpr int networks = 4000;
    const bool multapses = GENERATE(false, true);
    for (const std::uint32_t degree : {1u, 4u, 9u}) {
        const auto counts = pair_counts<FixedOutdegree>({.outdegree = degree, .multapses = multapses}, request_of("p", 8, 10), networks);
        const double mean = networks * degree / 10.0,
                     variance = multapses ? mean : networks * (degree / 10.0) * (1 - degree / 10.0) * 10 / 9;
        CHECK(plausible_chi_square(dispersion(counts, mean, variance), 8 * 9));
    }
}

TEST_CASE("fixed_outdegree and fixed_total_number refuse what cannot be", "[exact]") {
    CHECK_THROWS_WITH(FixedOutdegree::connect({.outdegree = 10, .autapses = false}, recurrent("exc", 10)),
                      "projections.exc: outdegree 10 needs at least 10 possible targets, there are 9");
    CHECK_THROWS_WITH(FixedTotalNumber::connect({.number = 91, .autapses = false}, recurrent("exc", 10)),
                      "projections.exc: number 91 without multapses needs as many pairs, there are 90");
    CHECK_THROWS_WITH(FixedTotalNumber::connect({.number = 1, .multapses = true, .autapses = false}, recurrent("exc", 1)),
                      "projections.exc: number 1 needs a pair to connect, and at most 4e9 synapses a source");
}
