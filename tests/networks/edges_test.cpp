#include "networks/edges.hpp"

#include <catch2/catch.hpp>

#include "tests/networks/support.hpp"

using namespace ydot::networks;

TEST_CASE("turning edges round twice gives the edges back", "[exact]") {
    const EdgeList edges = random_edges("e", 40, 30, 0.2);
    const EdgeList back = reversed(edges, 30);
    CHECK(back.size() == edges.size());
    CHECK(reversed(back, 40) == edges);
}

TEST_CASE("turning edges round keeps multapses and sorts by the new source", "[exact]") {
    const EdgeList edges{{0, 0, 1, 2}, {1, 1, 0, 1}};
    CHECK(reversed(edges, 2) == EdgeList{{0, 1, 1, 1}, {1, 0, 0, 2}});
}

TEST_CASE("the reverse order finds the forward synapse of every feedback synapse", "[exact]") {
    const EdgeList edges = random_edges("e", 40, 30, 0.2);
    const EdgeList back = reversed(edges, 30);
    const auto order = reverse_order(edges, 30);
    REQUIRE(order.size() == back.size());
    for (std::size_t k = 0; k < back.size(); ++k) {
        REQUIRE(edges.source[order[k]] == back.target[k]);
        REQUIRE(edges.target[order[k]] == back.source[k]);
    }
}

TEST_CASE("offsets delimit the edges of each source, also of those without any", "[exact]") {
    CHECK(offsets_of({0, 0, 2, 2, 2}, 4) == std::vector<std::size_t>{0, 2, 2, 5, 5});
}
