#include "networks/fixed_probability.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <catch2/catch.hpp>

#include "networks/graph.hpp"
#include "tests/networks/support.hpp"

using namespace ydot::networks;

namespace {

/// Pearson's statistic of `counts` against a binomial, in cells of expectation >= 10; gives the number of cells too.
std::pair<double, int> binomial_fit(const std::vector<std::uint32_t>& counts, std::uint32_t trials, double probability) {
    const boost::math::binomial_distribution<> law(trials, probability);
    double statistic = 0, expected = 0, seen = 0, rest = static_cast<double>(counts.size());
    int cells = 0;
    for (std::uint32_t k = 0; k <= trials; ++k) {
        expected += static_cast<double>(counts.size()) * pdf(law, k);
        seen += static_cast<double>(std::count(counts.begin(), counts.end(), k));
        const bool last = k == trials;
        if (!last && (expected < 10 || rest - expected < 10)) continue;
        statistic += (seen - expected) * (seen - expected) / expected;
        rest -= expected;
        expected = seen = 0;
        ++cells;
    }
    return {statistic, cells};
}

}  // namespace

TEST_CASE("fixed_probability gives binomial in- and out-degrees", "[statistical]") {
    const double p = GENERATE(0.02, 0.3, 0.9);
    const std::uint32_t sources = 3000, targets = 2500;
    const EdgeList edges = random_edges("p", sources, targets, p);
    const auto out = out_degrees(edges, sources), in = in_degrees(edges, targets);
    CHECK(plausible_chi_square(dispersion(out, targets * p, targets * p * (1 - p)), sources));
    CHECK(plausible_chi_square(dispersion(in, sources * p, sources * p * (1 - p)), targets));
    const auto [out_fit, out_cells] = binomial_fit(out, targets, p);
    CHECK(plausible_chi_square(out_fit, out_cells - 1));
    const auto [in_fit, in_cells] = binomial_fit(in, sources, p);
    CHECK(plausible_chi_square(in_fit, in_cells - 1));
}

TEST_CASE("fixed_probability connects neighbouring targets independently", "[statistical]") {
    const std::uint32_t n = 2000;
    const double p = 0.1, pairs = double{n} * (n - 1);
    const EdgeList edges = random_edges("p", n, n, p);
    double both = 0;
    for (std::size_t k = 1; k < edges.size(); ++k)
        both += edges.source[k] == edges.source[k - 1] && edges.target[k] == edges.target[k - 1] + 1;
    // Indicators of (t, t+1) and (t+1, t+2) share a target: covariance p^3 - p^4. Five standard errors: alpha = 6e-7.
    const double variance = pairs * (p * p * (1 - p * p) + 2 * (p * p * p - p * p * p * p));
    CHECK(std::abs(both - pairs * p * p) < 5 * std::sqrt(variance));
}

TEST_CASE("fixed_probability of 0 and 1 connects nothing and everything", "[exact]") {
    CHECK(random_edges("p", 20, 30, 0).size() == 0);
    CHECK(random_edges("p", 20, 30, 1).size() == 600);
    CHECK(random_edges("p", 20, 30, 1e-300).size() == 0);
}

TEST_CASE("fixed_probability without autapses connects no unit to itself and everything else alike", "[statistical]") {
    FixedProbability::Params params{.probability = 0.3, .autapses = false};
    const EdgeList edges = FixedProbability::connect(params, recurrent("p", 1500));
    for (std::size_t k = 0; k < edges.size(); ++k) REQUIRE(edges.source[k] != edges.target[k]);
    CHECK(plausible_chi_square(dispersion(in_degrees(edges, 1500), 1499 * 0.3, 1499 * 0.3 * 0.7), 1500));
}

TEST_CASE("the synapses of a unit do not change when the population grows", "[exact]") {
    const EdgeList few = random_edges("p", 10, 50, 0.3), many = random_edges("p", 30, 50, 0.3);
    for (std::uint32_t s = 0; s < 10; ++s) CHECK(targets_of(few, s) == targets_of(many, s));
}
