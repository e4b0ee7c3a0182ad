#include "data/images.hpp"

#include <catch2/catch.hpp>

#include "sim/error.hpp"

using namespace ydot;

TEST_CASE("Patterns of one active pixel are the unit vectors, each its own class", "[contract]") {
    const auto set = data::one_hot(5);
    REQUIRE(set.count() == 5);
    REQUIRE(set.image_size() == 5);
    for (std::size_t k = 0; k < 5; ++k) {
        CHECK(set.labels[k] == k);
        for (std::size_t i = 0; i < 5; ++i) CHECK(set.image(k)[i] == (i == k ? 255 : 0));
    }
    CHECK(data::one_hot(256).labels.back() == 255);
    CHECK_THROWS_WITH(data::one_hot(257), Catch::Contains("at most 256 pixels, got 257"));
}
