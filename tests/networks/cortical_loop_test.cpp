#include "networks/cortical_loop.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "networks/graph.hpp"
#include "networks/list.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

/// The edges of every projection, by name, made through the list as the application does.
std::map<std::string, EdgeList> connect_all(const Description& description) {
    std::map<std::string, EdgeList> edges;
    for (const auto& projection : description.projections) {
        const std::string path = "projections." + projection.name;
        const auto& connector = find_connector(projection.connector, path + ".connector");
        ConnectRequest request{.name = projection.name};
        request.sources = static_cast<std::uint32_t>(description.population(projection.from)->size);
        request.targets = static_cast<std::uint32_t>(description.population(projection.to)->size);
        if (connector.feedback) request.forward = &edges.at(connector.feedback(projection.connection, path).of);
        edges[projection.name] = connector.connect(projection.connection, path, request);
    }
    return edges;
}

UnitGraph whole_graph(const Description& description, const std::map<std::string, EdgeList>& edges) {
    std::map<std::string, std::uint32_t> first;
    std::uint32_t units = 0;
    for (const auto& population : description.populations) {
        first[population.name] = units;
        units += static_cast<std::uint32_t>(population.size);
    }
    std::vector<PlacedEdges> placed;
    for (const auto& projection : description.projections)
        placed.push_back({&edges.at(projection.name), first[projection.from], first[projection.to]});
    return unit_graph(placed, units);
}

}  // namespace

TEST_CASE("the cortical loop has the stated layers, models and projections", "[exact]") {
    const Description loop = cortical_loop({.layers = {64, 30, 20, 10}});
    REQUIRE(loop.populations.size() == 4);
    CHECK(loop.population("input")->model == "image_source");
    CHECK(loop.population("hidden2")->size == 20);
    CHECK(loop.population("hidden2")->model == "poisson");
    CHECK(loop.population("hidden2")->parameters.at("phi").value == Value{"hard_sigmoid"});
    CHECK(loop.population("top")->parameters.at("phi").value == Value{"softmax"});
    std::vector<std::string> names;
    for (const auto& projection : loop.projections) names.push_back(projection.name);
    CHECK(names ==
          std::vector<std::string>{"input_to_hidden1", "hidden1_to_hidden2", "hidden2_to_top", "hidden2_to_hidden1", "top_to_hidden2"});
    CHECK(loop.projection("top_to_hidden2")->connector == "disjoint");
    CHECK(loop.projection("top_to_hidden2")->connection.at("of").value == Value{"hidden2_to_top"});
    CHECK(loop.projection("hidden2_to_top")->weight == DistributionSpec{.distribution = Distribution::normal, .std = 1, .fan_in = true});
    CHECK(cortical_loop({}) == cortical_loop({}));
}

TEST_CASE("every layer above the input is in the loop", "[exact]") {
    const auto graph = population_graph(cortical_loop({.layers = {64, 30, 20, 10}}));
    CHECK(recurrent_loops(graph) == std::vector<std::vector<std::string>>{{"hidden1", "hidden2", "top"}});
    CHECK(shortest_loop(graph, "input") == 0);
    CHECK(shortest_loop(graph, "hidden1") == 2);
}

TEST_CASE("with disjoint feedback no unit reaches itself over two synapses, with symmetric feedback it does", "[exact]") {
    const auto kind =
        GENERATE(FeedbackKind::disjoint, FeedbackKind::random_feedback, FeedbackKind::transpose, FeedbackKind::sign_concordant);
    const bool disjoint = kind == FeedbackKind::disjoint;
    const Description loop = cortical_loop({.layers = {64, 60, 40, 20}, .feedback = kind});
    const auto edges = connect_all(loop);
    CHECK((reciprocity(edges.at("hidden2_to_top"), edges.at("top_to_hidden2"), 20) == 0) == disjoint);
    CHECK((reciprocity(edges.at("hidden1_to_hidden2"), edges.at("hidden2_to_hidden1"), 40) == 0) == disjoint);
    const auto graph = whole_graph(loop, edges);
    // A way back goes as often up as down: its length is even, and 2 needs a pair connected both ways.
    CHECK(shortest_loop(graph, 64) == (disjoint ? 4 : 2));
    CHECK(shortest_loop(graph, 0) == 0);
}

TEST_CASE("a probability of 1 connects neighbouring layers all to all", "[exact]") {
    const Description loop = cortical_loop({.layers = {8, 6, 4}, .forward_probability = 1, .feedback = FeedbackKind::transpose});
    CHECK(loop.projection("hidden1_to_top")->connector == "all_to_all");
    CHECK(connect_all(loop).at("top_to_hidden1").size() == 24);
}

TEST_CASE("a cortical loop that cannot be built is refused", "[exact]") {
    CHECK_THROWS_WITH(cortical_loop({.layers = {784, 10}}), "cortical_loop.layers: needs an input, a hidden layer and a top, got 2 sizes");
    CHECK_THROWS_WITH(cortical_loop({.layers = {784, 0, 10}}), "cortical_loop.layers: must be >= 1, got 0");
    CHECK_THROWS_WITH(cortical_loop({.feedback_probability = 1.5}), "cortical_loop.feedback_probability: must be >= 0 and <= 1, got 1.5");
    CHECK_THROWS_WITH(cortical_loop({.tau_syn_ms = 0}), "cortical_loop.tau_syn_ms: must be > 0, got 0");
    CHECK_THROWS_WITH(
        cortical_loop({.forward_probability = 1}),
        "cortical_loop.forward_probability: must be < 1 with disjoint feedback, which needs pairs that are not connected forward");
}
