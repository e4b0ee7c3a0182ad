#include "networks/fixed_indegree.hpp"

#include <catch2/catch.hpp>

#include "networks/graph.hpp"
#include "tests/networks/support.hpp"

using namespace ydot::networks;

TEST_CASE("fixed_indegree gives every target exactly its number of different sources", "[exact]") {
    const auto indegree = GENERATE(0u, 1u, 7u, 39u, 40u);
    const EdgeList edges = FixedIndegree::connect({.indegree = indegree}, request_of("p", 40, 25));
    CHECK(in_degrees(edges, 25) == std::vector<std::uint32_t>(25, indegree));
    for (std::size_t k = 1; k < edges.size(); ++k)
        REQUIRE(std::pair{edges.source[k - 1], edges.target[k - 1]} < std::pair{edges.source[k], edges.target[k]});
}

TEST_CASE("fixed_indegree draws every source alike", "[statistical]") {
    const std::uint32_t sources = 800, targets = 3000, indegree = 80;
    SECTION("without multapses the out-degrees are sums of hypergeometric indicators") {
        const auto out = out_degrees(FixedIndegree::connect({.indegree = indegree}, request_of("p", sources, targets)), sources);
        // One target takes source s with p = K / N; var = p q, covariance of two sources = -p q / (N - 1). The covariance matrix of the
        // out-degrees is T p q N / (N - 1) times a projection of rank N - 1.
        const double n = sources, p = indegree / n;
        CHECK(plausible_chi_square(dispersion(out, targets * p, targets * p * (1 - p) * n / (n - 1)), n - 1));
    }
    SECTION("with multapses they are multinomial") {
        const auto out =
            out_degrees(FixedIndegree::connect({.indegree = indegree, .multapses = true}, request_of("p", sources, targets)), sources);
        const double mean = double{targets} * indegree / sources;
        CHECK(plausible_chi_square(dispersion(out, mean, mean), sources - 1));
    }
}

TEST_CASE("fixed_indegree with multapses can exceed the number of sources", "[exact]") {
    const EdgeList edges = FixedIndegree::connect({.indegree = 100, .multapses = true}, request_of("p", 3, 5));
    CHECK(in_degrees(edges, 5) == std::vector<std::uint32_t>(5, 100));
    CHECK(std::is_sorted(edges.source.begin(), edges.source.end()));
}

TEST_CASE("fixed_indegree without autapses still reaches all other units", "[exact]") {
    const EdgeList edges = FixedIndegree::connect({.indegree = 9, .autapses = false}, recurrent("p", 10));
    CHECK(edges.size() == 90);
    for (std::size_t k = 0; k < edges.size(); ++k) REQUIRE(edges.source[k] != edges.target[k]);
}

TEST_CASE("fixed_indegree refuses more sources than there are", "[exact]") {
    CHECK_THROWS_WITH(FixedIndegree::connect({.indegree = 10, .autapses = false}, recurrent("exc", 10)),
                      "projections.exc: indegree 10 needs at least 10 possible sources, there are 9");
    CHECK_THROWS_WITH(FixedIndegree::connect({.indegree = 2, .multapses = true, .autapses = false}, recurrent("exc", 1)),
                      "projections.exc: indegree 2 needs at least 1 possible source, there are 0");
}
