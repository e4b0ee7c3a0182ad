#include "networks/from_list.hpp"

#include <catch2/catch.hpp>

#include "tests/networks/support.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

ConnectRequest request_with(const ListedEdges* listed = nullptr) {
    ConnectRequest request = request_of("p", 4, 5);
    request.from = "exc";
    request.to = "inh";
    request.source = {"net.toml", 12, 1};
    request.listed = listed;
    return request;
}

}  // namespace

TEST_CASE("from_list takes the pairs of its arrays, sorted, with their weights and delays", "[exact]") {
    const EdgeList edges = FromList::connect(
        {.sources = {3, 0, 3, 0}, .targets = {4, 2, 1, 2}, .weights = {10, 20, 30, 40}, .delays_ms = {1, 2, 3, 4}}, request_with());
    CHECK(edges == EdgeList{{0, 0, 3, 3}, {2, 2, 1, 4}, {20, 40, 30, 10}, {2, 4, 3, 1}});
    CHECK(FromList::connect({.sources = {1}, .targets = {0}}, request_with()) == EdgeList{{1}, {0}});
    CHECK(FromList::connect({}, request_with()).size() == 0);
}

TEST_CASE("from_list takes the edges of a file", "[exact]") {
    const ListedEdges listed{{{3, 0}, {4, 2}, {10, 20}, {}}, "edges.csv", {2, 3}};
    CHECK(FromList::connect({.file = "edges.csv"}, request_with(&listed)) == EdgeList{{0, 3}, {2, 4}, {20, 10}, {}});
}

TEST_CASE("from_list refuses arrays that say nothing or too much", "[exact]") {
    const auto refused = [](const FromList::Params& params, const std::string& message) {
        CHECK_THROWS_WITH(FromList::connect(params, request_with()), "net.toml:12:1: projections.p." + message);
    };
    refused({.sources = {0, 1}, .targets = {0}}, "targets: must have as many elements as sources, 2, got 1");
    refused({.sources = {0}, .targets = {0}, .weights = {1, 2}}, "weights: must have as many elements as sources, 1, got 2");
    refused({.sources = {0, 4}, .targets = {0, 0}}, "sources: element 1 (from 0) must be an integer >= 0 and < 4, got 4");
    refused({.sources = {0}, .targets = {1.5}}, "targets: element 0 (from 0) must be an integer >= 0 and < 5, got 1.5");
    refused({.sources = {0}, .targets = {0}, .delays_ms = {0}}, "delays_ms: element 0 (from 0) must be > 0, got 0");
    refused({.sources = {0}, .targets = {0}, .file = "a.csv"},
            "file: takes the place of sources, targets, weights and delays_ms; both are given");
}

TEST_CASE("from_list refuses a row of a file with its line", "[exact]") {
    ListedEdges listed{{{0, 4}, {0, 0}, {}, {}}, "edges.csv", {2, 7}};
    CHECK_THROWS_WITH(FromList::connect({.file = "edges.csv"}, request_with(&listed)),
                      "edges.csv:7: source: must be < 4, the units of exc, got 4");
    listed = {{{0, 1}, {0, 5}, {}, {}}, "weights.h5", {}};
    CHECK_THROWS_WITH(FromList::connect({.file = "weights.h5"}, request_with(&listed)),
                      "weights.h5, synapse 1: target: must be < 5, the units of inh, got 5");
    listed = {{{0}, {0}, {}, {-1}}, "edges.csv", {2}};
    CHECK_THROWS_WITH(FromList::connect({.file = "edges.csv"}, request_with(&listed)), "edges.csv:2: delay_ms: must be > 0, got -1");
}
