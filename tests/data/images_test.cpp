#include "data/images.hpp"

#include <catch2/catch.hpp>

#include "sim/error.hpp"

using namespace ydot;

TEST_CASE("An image moves as a whole, and background comes in", "[contract]") {
    const std::vector<std::uint8_t> image{1, 2, 3, 4, 5, 6};  // two rows of three
    const auto moved = [&](int x, int y) {
        std::vector<std::uint8_t> out(6, 99);
        data::shift_image(image, 3, x, y, out);
        return out;
    };
    CHECK((moved(0, 0) == image));
    CHECK((moved(1, 0) == std::vector<std::uint8_t>{0, 1, 2, 0, 4, 5}));
    CHECK((moved(-2, 0) == std::vector<std::uint8_t>{3, 0, 0, 6, 0, 0}));
    CHECK((moved(0, 1) == std::vector<std::uint8_t>{0, 0, 0, 1, 2, 3}));
    CHECK((moved(1, -1) == std::vector<std::uint8_t>{0, 4, 5, 0, 0, 0}));
    CHECK((moved(5, 0) == std::vector<std::uint8_t>(6, 0)));
}

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
