#include "networks/graph.hpp"

#include <catch2/catch.hpp>

#include "networks/one_to_one.hpp"
#include "tests/networks/support.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

using Names = std::vector<std::string>;

Description network(const Names& populations, const std::vector<std::pair<std::string, std::string>>& projections) {
    Description description;
    for (const auto& name : populations) description.populations.emplace_back().name = name;
    for (const auto& [from, to] : projections) {
        auto& projection = description.projections.emplace_back();
        projection.name = from + "_to_" + to;
        projection.from = from;
        projection.to = to;
    }
    return description;
}

}  // namespace

TEST_CASE("a chain of populations has no loop", "[exact]") {
    const auto graph = population_graph(network({"a", "b", "c"}, {{"a", "b"}, {"b", "c"}, {"a", "c"}}));
    CHECK(recurrent_loops(graph).empty());
    CHECK(shortest_loop(graph, "a") == 0);
}

TEST_CASE("loops are the strongly connected groups in the order of the description", "[exact]") {
    const auto graph =
        population_graph(network({"in", "a", "b", "x", "c", "self"},
                                 {{"in", "a"}, {"a", "b"}, {"b", "c"}, {"c", "a"}, {"c", "x"}, {"self", "self"}, {"x", "self"}}));
    CHECK(recurrent_loops(graph) == std::vector<Names>{{"a", "b", "c"}, {"self"}});
    CHECK(shortest_loop(graph, "b") == 3);
    CHECK(shortest_loop(graph, "self") == 1);
    CHECK(shortest_loop(graph, "x") == 0);
}

TEST_CASE("the shortest of several loops counts, also from the far end of a longer one", "[exact]") {
    const auto graph = population_graph(
        network({"a", "b", "c", "d", "e", "f"}, {{"a", "b"}, {"b", "c"}, {"c", "d"}, {"d", "e"}, {"e", "f"}, {"f", "a"}, {"c", "a"}}));
    CHECK(shortest_loop(graph, "a") == 3);
    CHECK(shortest_loop(graph, "e") == 6);
}

TEST_CASE("a projection to a population that does not exist is refused", "[exact]") {
    auto description = network({"hidden", "top"}, {{"hidden", "topp"}});
    description.projections[0].source = {"net.toml", 9, 1};
    CHECK_THROWS_WITH(population_graph(description),
                      "net.toml:9:1: projections.hidden_to_topp.to: unknown population \"topp\"; did you mean top?");
    CHECK_THROWS_WITH(shortest_loop(population_graph(network({"a"}, {})), "other"), "unknown population \"other\"");
}

TEST_CASE("loops of units can be longer than those of their populations", "[exact]") {
    // a_k -> b_k and b_k -> a_(k+1): a loop of two populations, but of ten synapses for each unit of five.
    const EdgeList up = OneToOne::connect({}, request_of("up", 5, 5)), down{{0, 1, 2, 3, 4}, {1, 2, 3, 4, 0}};
    const auto graph = unit_graph({{&up, 0, 5}, {&down, 5, 0}}, 10);
    CHECK(num_edges(graph) == 10);
    for (std::uint32_t unit = 0; unit < 10; ++unit) CHECK(shortest_loop(graph, unit) == 10);
}

TEST_CASE("a unit graph finds self-loops, loops of two, and none", "[exact]") {
    const EdgeList edges{{0, 1, 2, 3}, {0, 2, 1, 1}};
    const auto graph = unit_graph({{&edges}}, 4);
    CHECK(shortest_loop(graph, 0) == 1);
    CHECK(shortest_loop(graph, 1) == 2);
    CHECK(shortest_loop(graph, 3) == 0);
}

TEST_CASE("reciprocity is the share of forward synapses that are answered", "[exact]") {
    const EdgeList forward{{0, 0, 1, 2}, {0, 1, 1, 0}};
    CHECK(reciprocity(forward, EdgeList{{0, 1, 1}, {0, 0, 2}}, 2) == 0.5);  // (0, 0) and (0, 1) are answered
    CHECK(reciprocity(forward, reversed(forward, 2), 2) == 1);
    CHECK(reciprocity(forward, EdgeList{}, 2) == 0);
    CHECK(reciprocity(EdgeList{}, forward, 2) == 0);
    CHECK(reciprocity(EdgeList{{0, 0}, {0, 0}}, EdgeList{{0}, {0}}, 1) == 1);  // both synapses of a multapse
}

TEST_CASE("degrees count the synapses of every unit", "[exact]") {
    const EdgeList edges{{0, 0, 2}, {1, 1, 0}};
    CHECK(in_degrees(edges, 3) == std::vector<std::uint32_t>{1, 2, 0});
    CHECK(out_degrees(edges, 3) == std::vector<std::uint32_t>{2, 0, 1});
    const auto statistics = degree_statistics(in_degrees(edges, 3));
    CHECK(statistics.min == 0);
    CHECK(statistics.max == 2);
    CHECK(statistics.mean == Approx(1));            // rounding only
    CHECK(statistics.variance == Approx(2.0 / 3));  // rounding only
    CHECK(degree_statistics({}).mean == 0);
}
