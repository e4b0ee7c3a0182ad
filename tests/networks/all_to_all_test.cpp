#include "networks/all_to_all.hpp"

#include <catch2/catch.hpp>

#include "networks/one_to_one.hpp"
#include "tests/networks/support.hpp"

using namespace ydot::networks;

TEST_CASE("all_to_all connects every pair once", "[exact]") {
    CHECK(AllToAll::connect({}, request_of("p", 2, 3)) == EdgeList{{0, 0, 0, 1, 1, 1}, {0, 1, 2, 0, 1, 2}});
}

TEST_CASE("all_to_all leaves out autapses only within a population", "[exact]") {
    AllToAll::Params params;
    params.autapses = false;
    CHECK(AllToAll::connect(params, recurrent("p", 2)) == EdgeList{{0, 1}, {1, 0}});
    CHECK(AllToAll::connect(params, request_of("p", 2, 2)).size() == 4);
}

TEST_CASE("one_to_one connects equal numbers and refuses populations of different size", "[exact]") {
    CHECK(OneToOne::connect({}, request_of("p", 3, 3)) == EdgeList{{0, 1, 2}, {0, 1, 2}});
    ConnectRequest request = request_of("copy", 3, 4);
    request.source = {"net.toml", 12, 1};
    CHECK_THROWS_WITH(OneToOne::connect({}, request),
                      "net.toml:12:1: projections.copy: one_to_one needs populations of one size, got 3 sources and 4 targets");
}
