#include "networks/local_receptive_field.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "networks/graph.hpp"
#include "tests/networks/support.hpp"

using namespace ydot::networks;
using Units = std::vector<std::uint32_t>;

TEST_CASE("a unit in the middle sees the square around its place", "[exact]") {
    const EdgeList edges = LocalReceptiveField::connect({.field = 3}, request_of("p", 25, 25));
    CHECK(sources_of(edges, 12) == Units{6, 7, 8, 11, 12, 13, 16, 17, 18});
}

TEST_CASE("the square is clipped at the border", "[exact]") {
    const EdgeList edges = LocalReceptiveField::connect({.field = 3}, request_of("p", 25, 25));
    CHECK(sources_of(edges, 0) == Units{0, 1, 5, 6});
    CHECK(sources_of(edges, 14) == Units{8, 9, 13, 14, 18, 19});
    CHECK(edges.size() == 13 * 13);  // (3 n - 2)^2 for n = 5
}

TEST_CASE("a periodic square goes on at the opposite side", "[exact]") {
    const EdgeList edges = LocalReceptiveField::connect({.field = 3, .periodic = true}, request_of("p", 25, 25));
    CHECK(sources_of(edges, 0) == Units{0, 1, 4, 5, 6, 9, 20, 21, 24});
    CHECK(in_degrees(edges, 25) == Units(25, 9));
    CHECK(out_degrees(edges, 25) == Units(25, 9));
}

TEST_CASE("a periodic sheet looks the same from every place", "[exact]") {
    const std::uint32_t n = 6;
    const EdgeList edges = LocalReceptiveField::connect({.field = 4, .periodic = true}, request_of("p", n * n, n * n));
    const Units corner = sources_of(edges, 0);
    for (std::uint32_t t = 0; t < n * n; ++t)
        for (const auto s : corner) REQUIRE(holds(edges, (s / n + t / n) % n * n + (s % n + t % n) % n, t));
}

TEST_CASE("sheets of different size are stretched over one another", "[exact]") {
    // 8 x 8 sources, 4 x 4 targets, field 2: the targets tile the sources.
    const EdgeList edges = LocalReceptiveField::connect({.field = 2}, request_of("p", 64, 16));
    CHECK(sources_of(edges, 0) == Units{0, 1, 8, 9});
    CHECK(sources_of(edges, 15) == Units{54, 55, 62, 63});
    CHECK(out_degrees(edges, 64) == Units(64, 1));
}

TEST_CASE("every source seen lies within half a field of the place of its target", "[exact]") {
    const std::uint32_t field = GENERATE(1u, 4u, 7u);
    const EdgeList edges =
        LocalReceptiveField::connect({.field = field, .source_width = 12, .target_width = 5}, request_of("p", 12 * 9, 5 * 7));
    for (std::size_t k = 0; k < edges.size(); ++k) {
        // Centres of the units in units of source columns and rows; rounding to whole sources adds at most half of one.
        const double dx = (edges.source[k] % 12 + 0.5) - (edges.target[k] % 5 + 0.5) * 12 / 5;
        const double dy = (edges.source[k] / 12 + 0.5) - (edges.target[k] / 5 + 0.5) * 9 / 7;
        REQUIRE(std::abs(dx) <= field / 2.0);
        REQUIRE(std::abs(dy) <= field / 2.0);
    }
}

TEST_CASE("a place holds a unit of every map, and each target sees all of them", "[exact]") {
    // CIFAR-10 as in Hinton 2022: 32 x 32 x 3 seen through 11 x 11 fields, 363 inputs away from the border.
    const EdgeList edges = LocalReceptiveField::connect({.field = 11, .source_maps = 3, .target_maps = 2}, request_of("p", 3072, 2048));
    const auto in = in_degrees(edges, 2048);
    CHECK(in[16 * 32 + 16] == 363);
    CHECK(in[0] == 3 * 36);
    CHECK(sources_of(edges, 5) == sources_of(edges, 1024 + 5));
}

TEST_CASE("a receptive field can leave out the unit itself", "[exact]") {
    const EdgeList edges = LocalReceptiveField::connect({.field = 3, .autapses = false}, recurrent("p", 25));
    CHECK(sources_of(edges, 12) == Units{6, 7, 8, 11, 13, 16, 17, 18});
}

TEST_CASE("units that do not fill a sheet are refused", "[exact]") {
    CHECK_THROWS_WITH(LocalReceptiveField::connect({}, request_of("ff", 10, 25)),
                      "projections.ff: 10 source units in 1 map do not fill a sheet of width 3: set source_width and source_maps");
    CHECK_THROWS_WITH(LocalReceptiveField::connect({.target_width = 30}, request_of("ff", 25, 25)),
                      "projections.ff: 25 target units in 1 map do not fill a sheet of width 30: set target_width and target_maps");
    CHECK_THROWS_WITH(LocalReceptiveField::connect({.field = 6, .periodic = true}, request_of("ff", 25, 25)),
                      "projections.ff: a periodic field of side 6 does not fit on a sheet of 5 x 5");
}
