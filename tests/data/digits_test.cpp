#include "data/digits.hpp"

#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "data/images.hpp"

using namespace ydot::data;

namespace {

constexpr std::size_t pixels_per_image = digit_side * digit_side;
using Image = std::array<std::uint8_t, pixels_per_image>;
using Means = std::array<std::array<double, pixels_per_image>, 10>;

ImageSet draw_on(std::size_t threads, std::size_t count) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
    return draw_digits(count, 11, "train");
}

std::string bytes_of(std::span<const std::uint8_t> image) { return {image.begin(), image.end()}; }

Means class_means(const ImageSet& set) {
    Means means{};
    std::array<double, 10> count{};
    for (std::size_t n = 0; n < set.count(); ++n) {
        const auto image = set.image(n);
        count[set.labels[n]] += 1;
        for (std::size_t i = 0; i < image.size(); ++i) means[set.labels[n]][i] += image[i];
    }
    for (std::size_t c = 0; c < 10; ++c)
        for (double& mean : means[c]) mean /= count[c];
    return means;
}

std::size_t nearest(const Means& means, std::span<const std::uint8_t> image) {
    std::array<double, 10> distance{};
    for (std::size_t c = 0; c < 10; ++c)
        for (std::size_t i = 0; i < image.size(); ++i) distance[c] += (image[i] - means[c][i]) * (image[i] - means[c][i]);
    return static_cast<std::size_t>(std::ranges::min_element(distance) - distance.begin());
}

/// Ink (sum of grey levels / 255) and its centre, in pixels.
struct Ink {
    double mass = 0, x = 0, y = 0;
    explicit Ink(std::span<const std::uint8_t> image) {
        for (std::size_t i = 0; i < image.size(); ++i) {
            const double ink = image[i] / 255.0;
            mass += ink;
            x += ink * (static_cast<double>(i % digit_side) + 0.5);
            y += ink * (static_cast<double>(i / digit_side) + 0.5);
        }
        x /= mass;
        y /= mass;
    }
};

int darkest_at_edge(std::span<const std::uint8_t> image) {
    int darkest = 0;
    for (std::size_t i = 0; i < digit_side; ++i)
        for (const std::size_t place : {i, pixels_per_image - 1 - i, i * digit_side, (i + 1) * digit_side - 1})
            darkest = std::max<int>(darkest, image[place]);
    return darkest;
}

}  // namespace

TEST_CASE("a digit is a pure function of seed, stream and number", "[data][digits]") {
    const ImageSet set = draw_digits(300, 5, "test");
    REQUIRE(set.count() == 300);
    for (const std::uint32_t n : {299u, 0u, 17u, 170u}) {  // out of order
        Image image;
        CHECK(draw_digit(image, 5, "test", n) == set.labels[n]);
        CHECK(std::ranges::equal(image, set.image(n)));
    }
}

TEST_CASE("digits are the same bytes on one thread and on several, and a longer set begins with the shorter one", "[data][digits]") {
    const ImageSet one = draw_on(1, 1000);
    CHECK(draw_on(4, 1000) == one);
    CHECK(draw_on(4, 1500).slice(0, 1000) == one);
}

TEST_CASE("another seed or stream gives other images and another order of labels", "[data][digits]") {
    const ImageSet reference = draw_digits(200, 1, "train");
    for (const ImageSet& other :
         {draw_digits(200, 2, "train"), draw_digits(200, 1, "test"), draw_digits(200, std::uint64_t{1} << 32 | 1, "train")}) {
        CHECK(other.labels != reference.labels);
        // Two independent shuffles of ten agree in one place of ten: 20 of 200 expected, standard deviation 4.5 (permutations: variance 1 a
        // ten).
        int equal = 0;
        for (std::size_t n = 0; n < 200; ++n) equal += other.labels[n] == reference.labels[n];
        CHECK(std::abs(equal - 20) < 6 * 4.5);
        for (std::size_t n = 0; n < 200; ++n) CHECK_FALSE(std::ranges::equal(other.image(n), reference.image(n)));
    }
}

TEST_CASE("training, validation and test images are disjoint", "[data][digits]") {
    const Split split = drawn_digits(2000, 1000, 1000, 3);
    CHECK(split.source == "drawn digits, seed 3");
    std::set<std::string> seen;
    for (const ImageSet* set : {&split.train, &split.validation, &split.test})
        for (std::size_t n = 0; n < set->count(); ++n) CHECK(seen.insert(bytes_of(set->image(n))).second);
    CHECK(seen.size() == 4000);
}

TEST_CASE("the size of one set does not change another", "[data][digits]") {
    const Split small = drawn_digits(50, 0, 30, 9), large = drawn_digits(100, 20, 30, 9);
    CHECK(small.test == large.test);
    CHECK(small.train == large.train.slice(0, 50));
    CHECK(small.validation.count() == 0);
}

TEST_CASE("every ten digits hold each class once", "[data][digits]") {
    const ImageSet set = draw_digits(1000, 4, "train");
    for (std::size_t ten = 0; ten < 100; ++ten) {
        const auto labels = std::span(set.labels).subspan(10 * ten, 10);
        CHECK(std::set<int>(labels.begin(), labels.end()).size() == 10);
    }
}

TEST_CASE("the digits of a seed are the ones they always were", "[data][digits][golden]") {
    // Labels are integers: exact. The ink is a sum of 784,000 rounded floats: fused multiply-add shifts single grey levels by 1, far below
    // 1e-4 of the whole; a change of any template or spread shifts it by more. A change on purpose is worth a line in the changelog:
    // results move.
    const ImageSet set = draw_digits(1000, 1, "train");
    CHECK(std::vector<int>(set.labels.begin(), set.labels.begin() + 20) ==
          std::vector<int>{6, 5, 8, 9, 0, 1, 4, 3, 7, 2, 1, 5, 9, 6, 7, 2, 4, 0, 3, 8});
    const double ink = std::accumulate(set.pixels.begin(), set.pixels.end(), 0.0) / 255;
    CHECK(ink == Approx(106271.5).epsilon(1e-4));
}

TEST_CASE("digits have the ink of handwriting: in a box of about 20 pixels, centred, black to white", "[data][digits][statistical]") {
    const ImageSet set = draw_digits(5000, 6, "train");
    double mean = 0;
    for (std::size_t n = 0; n < set.count(); ++n) {
        const auto image = set.image(n);
        const Ink ink(image);
        mean += ink.mass / 5000;
        // Pixels of ink: the thinnest 1 is 17 x 1.3, the fattest 8 fills three quarters of a box of 20 x 20.
        CHECK(ink.mass > 15);
        CHECK(ink.mass < 300);
        // The middle is set by stroke length, not by ink, 0.45 px of scatter is added on purpose, and long arms are kept on the paper.
        CHECK(std::abs(ink.x - 14) < 3.5);
        CHECK(std::abs(ink.y - 14) < 3.5);
        CHECK(*std::ranges::max_element(image) > 200);
        CHECK(darkest_at_edge(image) < 200);  // no stroke is cut off, though a soft edge may reach the border
    }
    // MNIST has a mean grey level of 33.3, i.e. 102 pixels of ink an image; within 10 % of it here.
    CHECK(mean == Approx(102).epsilon(0.1));
}

TEST_CASE("digits of a class differ, yet resemble one another more than those of other classes", "[data][digits][statistical]") {
    // The mean image of the nearest class is right for 82 % of MNIST. Chance is 10 %; above 95 % the classes would be blobs and learning
    // trivial. 3000 test images of accuracy p = 0.8: standard error 0.7 %, so 70 and 88 % are more than ten of them away.
    const Means means = class_means(draw_digits(5000, 7, "train"));
    const ImageSet test = draw_digits(3000, 7, "test");
    int right = 0;
    for (std::size_t n = 0; n < test.count(); ++n) right += nearest(means, test.image(n)) == test.labels[n];
    CHECK(right > 0.70 * 3000);
    CHECK(right < 0.88 * 3000);
}
