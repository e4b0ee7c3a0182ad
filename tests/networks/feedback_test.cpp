#include <catch2/catch.hpp>
#include <cmath>

#include "networks/all_to_all.hpp"
#include "networks/disjoint.hpp"
#include "networks/fixed_indegree.hpp"
#include "networks/graph.hpp"
#include "networks/random_feedback.hpp"
#include "networks/sign_concordant.hpp"
#include "networks/transpose.hpp"
#include "tests/networks/support.hpp"

using namespace ydot::networks;

TEST_CASE("transpose and sign_concordant answer every forward synapse and no other", "[exact]") {
    const EdgeList forward = random_edges("ff", 60, 40, 0.2);
    const ConnectRequest request = answer_to(forward, "fb", 40, 60);
    const EdgeList back = Transpose::connect({}, request);
    CHECK(back == reversed(forward, 40));
    CHECK(SignConcordant::connect({}, request) == back);
    CHECK(reciprocity(forward, back, 40) == 1);
    CHECK(reciprocity(back, forward, 60) == 1);
}

TEST_CASE("transpose answers each of several synapses between two units", "[exact]") {
    const EdgeList forward = FixedIndegree::connect({.indegree = 50, .multapses = true}, request_of("ff", 8, 6));
    CHECK(Transpose::connect({}, answer_to(forward, "fb", 6, 8)).size() == 300);
}

TEST_CASE("random_feedback answers the stated share of the forward synapses", "[statistical]") {
    const EdgeList forward = random_edges("ff", 600, 400, 0.5);
    const ConnectRequest request = answer_to(forward, "fb", 400, 600);
    CHECK(RandomFeedback::connect({}, request) == reversed(forward, 400));
    CHECK(RandomFeedback::connect({.probability = 0}, request).size() == 0);
    const EdgeList half = RandomFeedback::connect({.probability = 0.5}, request);
    CHECK(reciprocity(half, forward, 600) == 1);
    const double n = static_cast<double>(forward.size());
    CHECK(std::abs(static_cast<double>(half.size()) - n / 2) < 5 * std::sqrt(n / 4));  // five standard errors: alpha = 6e-7
}

TEST_CASE("disjoint feedback connects no pair of units both ways", "[exact]") {
    const double p = GENERATE(0.1, 0.25, 1.0);
    const EdgeList forward = random_edges("ff", 300, 200, 0.25);
    const EdgeList back = Disjoint::connect({.probability = p}, answer_to(forward, "fb", 200, 300));
    CHECK(reciprocity(forward, back, 200) == 0);
    CHECK(reciprocity(back, forward, 300) == 0);
    CHECK(std::is_sorted(back.source.begin(), back.source.end()));
}

TEST_CASE("disjoint feedback with probability 1 is the complement of the forward projection", "[exact]") {
    const EdgeList forward = random_edges("ff", 30, 20, 0.4);
    const EdgeList back = Disjoint::connect({.probability = 1}, answer_to(forward, "fb", 20, 30));
    CHECK(back.size() + forward.size() == 600);
    for (std::uint32_t s = 0; s < 20; ++s)
        for (std::uint32_t t = 0; t < 30; ++t) REQUIRE(holds(back, s, t) != holds(forward, t, s));
}

TEST_CASE("disjoint feedback draws every free pair alike", "[statistical]") {
    const std::uint32_t sources = 1000, targets = 1200;
    const double p = 1.0 / 3;
    const EdgeList forward = random_edges("ff", targets, sources, 0.25);
    const EdgeList back = Disjoint::connect({.probability = p}, answer_to(forward, "fb", sources, targets));
    // Given the forward projection, the in-degree of t is Binomial(free pairs of t, p), independently.
    const auto taken = out_degrees(forward, targets), in = in_degrees(back, targets);
    double statistic = 0;
    for (std::uint32_t t = 0; t < targets; ++t) {
        const double free_pairs = sources - taken[t], excess = in[t] - free_pairs * p;
        statistic += excess * excess / (free_pairs * p * (1 - p));
    }
    CHECK(plausible_chi_square(statistic, targets));
}

TEST_CASE("disjoint feedback within a population can leave out autapses", "[exact]") {
    const EdgeList forward = FixedProbability::connect({.probability = 0.3}, recurrent("ff", 40));
    ConnectRequest request = recurrent("fb", 40);
    request.forward = &forward;
    const EdgeList back = Disjoint::connect({.probability = 1, .autapses = false}, request);
    for (std::uint32_t s = 0; s < 40; ++s)
        for (std::uint32_t t = 0; t < 40; ++t) REQUIRE(holds(back, s, t) == (s != t && !holds(forward, t, s)));
}

TEST_CASE("disjoint feedback answers forward multapses", "[exact]") {
    const EdgeList forward = FixedIndegree::connect({.indegree = 20, .multapses = true}, request_of("ff", 12, 10));
    const EdgeList back = Disjoint::connect({.probability = 1}, answer_to(forward, "fb", 10, 12));
    for (std::uint32_t s = 0; s < 10; ++s)
        for (std::uint32_t t = 0; t < 12; ++t) REQUIRE(holds(back, s, t) != holds(forward, t, s));
}

TEST_CASE("disjoint feedback to a dense forward projection is refused", "[exact]") {
    const EdgeList forward = AllToAll::connect({}, request_of("ff", 5, 4));
    CHECK_THROWS_WITH(Disjoint::connect({.of = "ff"}, answer_to(forward, "fb", 4, 5)),
                      "projections.fb: disjoint finds no pair to connect: \"ff\" already connects every one");
}

TEST_CASE("a feedback connector without a forward projection is refused", "[exact]") {
    const auto request = request_of("fb", 4, 5);
    const std::string message = "projections.fb: this connector answers to a forward projection: set of to its name";
    CHECK_THROWS_WITH(Transpose::connect({}, request), message);
    CHECK_THROWS_WITH(SignConcordant::connect({}, request), message);
    CHECK_THROWS_WITH(RandomFeedback::connect({}, request), message);
    CHECK_THROWS_WITH(Disjoint::connect({}, request), message);
}
