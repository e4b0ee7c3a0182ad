#include "sim/alignment.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "sim/random.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

constexpr double degree = std::numbers::pi / 180;

/// Standard normal numbers, all different for different keys.
std::vector<double> normal_numbers(std::size_t count, std::uint32_t key) {
    Draws draws(5, stream_of("alignment", Purpose::weight), key);
    std::vector<double> x;
    for (std::size_t k = 0; k < count; ++k) x.push_back(draws.normal());
    return x;
}

constexpr std::size_t synapses = 50;
/// A direction of length 1; below, a change of length 1 at an angle to it.
std::vector<double> unit_vector(std::size_t k) {
    std::vector<double> x(synapses, 0.0);
    x[k] = 1;
    return x;
}
const std::vector<double> direction = unit_vector(0);
std::vector<double> expectation(double angle) {
    std::vector<double> x(synapses, 0.0);
    x[0] = std::cos(angle * degree);
    x[1] = std::sin(angle * degree);
    return x;
}
/// Measurements of the change with Gaussian noise, 0.5 a synapse: 3.5 in all, at a signal of 1.
std::vector<std::vector<double>> measurements(double angle, std::size_t count, std::uint32_t experiment) {
    std::vector<std::vector<double>> changes;
    for (std::size_t k = 0; k < count; ++k) {
        changes.push_back(expectation(angle));
        const auto noise = normal_numbers(synapses, experiment * 1000 + static_cast<std::uint32_t>(k));
        for (std::size_t i = 0; i < synapses; ++i) changes.back()[i] += 0.5 * noise[i];
    }
    return changes;
}
std::vector<double> mean_of(const std::vector<std::vector<double>>& changes) {
    std::vector<double> mean(synapses, 0.0);
    for (const auto& change : changes)
        for (std::size_t i = 0; i < synapses; ++i) mean[i] += change[i] / static_cast<double>(changes.size());
    return mean;
}

}  // namespace

TEST_CASE("Angles are exact from tiny to opposite", "[analytic]") {
    const std::vector<double> east{3, 0}, north{0, 2}, west{-5, 0}, north_east{1, 1};
    CHECK(angle_degrees(east, east) == 0);
    CHECK(angle_degrees(east, north_east) == Approx(45).epsilon(1e-15));
    CHECK(angle_degrees(east, north) == Approx(90).epsilon(1e-15));
    CHECK(angle_degrees(east, west) == Approx(180).epsilon(1e-15));
    // The arc cosine would give 0 here, for 1 - 5e-19 rounds to 1.
    CHECK(angle_degrees(east, std::vector<double>{1, 1e-9}) / degree == Approx(1e-9 / degree / degree).epsilon(1e-15));
}

TEST_CASE("A tiny angle is right in many dimensions", "[analytic]") {
    const auto a = normal_numbers(300, 1);
    auto across = normal_numbers(300, 2), b = a;
    double squared = 0, product = 0, length = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        squared += a[k] * a[k];
        product += a[k] * across[k];
    }
    for (std::size_t k = 0; k < a.size(); ++k) {
        across[k] -= product / squared * a[k];
        length += across[k] * across[k];
    }
    for (std::size_t k = 0; k < a.size(); ++k) b[k] = 7 * (a[k] + 1e-9 * std::sqrt(squared / length) * across[k]);
    // Every entry is rounded by 1e-16 of itself, which moves the direction by 1e-16 rad: 1e-7 of the angle.
    CHECK(angle_degrees(a, b) * degree == Approx(1e-9).epsilon(1e-6));
}

TEST_CASE("An alignment gives the ratio of lengths and the share of right signs", "[analytic]") {
    const std::vector<double> right{1, -2, 0, 2, 4}, change{2, -4, 9, -4, 0};
    const auto alignment = alignment_of(change, right);
    CHECK(alignment.norm_ratio == Approx(std::sqrt(117.0) / 5).epsilon(1e-15));
    CHECK(alignment.sign_agreement == 0.5);  // of four synapses with a direction two are right, one is wrong and one does not move
    CHECK(alignment.angle_degrees == Approx(std::acos(2 / (5 * std::sqrt(117.0))) / degree).epsilon(1e-14));
    CHECK(alignment_of(right, right).sign_agreement == 1);
    CHECK(alignment_of(std::vector<double>{-1, 1}, std::vector<double>{1, -1}).sign_agreement == 0);
}

TEST_CASE("The noise-free angle is unbiased within its jackknife error, the plain angle is not", "[statistical]") {
    constexpr std::uint32_t experiments = 200;
    constexpr std::size_t count = 40;
    std::vector<double> estimate, squared_error, plain;
    for (std::uint32_t e = 0; e < experiments; ++e) {
        const auto changes = measurements(60, count, e);
        const auto angle = noise_free_angle_degrees(changes, direction);
        REQUIRE(angle.count == count);
        estimate.push_back(angle.mean);
        squared_error.push_back(angle.error() * angle.error());
        plain.push_back(angle_degrees(mean_of(changes), direction));
    }
    const auto all = moments_of(estimate), naive = moments_of(plain);
    CHECK(std::abs(all.mean - 60) < five_sigma * all.error());
    CHECK(naive.mean - 60 > 10 * naive.error());
    // Noise of the mean: 3.5 / sqrt(40) = 0.56 of the signal; cos = cos 60 / sqrt(1 + 0.31), to the order of the spread of the noise.
    CHECK(naive.mean == Approx(std::acos(std::cos(60 * degree) / std::sqrt(1 + 0.25 * synapses / count)) / degree).margin(1));
    // The variance of 200 normal numbers has a relative error of sqrt(2 / 199) = 0.1; the jackknife is conservative by terms of 1/count.
    CHECK(moments_of(squared_error).mean / all.variance == Approx(1).margin(five_sigma * 0.1));
}

TEST_CASE("The noise-free angle of measurements without noise is their angle", "[analytic]") {
    const std::vector<std::vector<double>> changes(3, expectation(30));
    const auto three = noise_free_angle_degrees(changes, direction);
    CHECK(three.mean == Approx(30).epsilon(1e-12));  // arc cosine of a rounded product
    CHECK(three.error() < 1e-10);
    const auto two = noise_free_angle_degrees(std::span(changes).first(2), direction);
    CHECK(two.mean == Approx(30).epsilon(1e-12));
    CHECK(std::isnan(two.error()));  // nothing to estimate an error from
}

TEST_CASE("The noise-free angle of a right change is 0 within an error that is not 0", "[statistical]") {
    constexpr std::uint32_t experiments = 200;
    std::vector<double> estimate;
    for (std::uint32_t e = 0; e < experiments; ++e) {
        const auto angle = noise_free_angle_degrees(measurements(0, 40, e), direction);
        CHECK(angle.error() > 0);
        CHECK(std::abs(angle.mean) < t_limit(40, 1e-6 / experiments) * angle.error());
        estimate.push_back(angle.mean);
    }
    const auto all = moments_of(estimate);
    CHECK(std::abs(all.mean) < five_sigma * all.error());
}

TEST_CASE("A change that is lost in noise has no angle", "[analytic]") {
    const std::vector<std::vector<double>> opposite{{1, 2}, {-1, -2}}, four{{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    CHECK(std::isnan(noise_free_angle_degrees(opposite, std::vector<double>{1, 0}).mean));
    CHECK(std::isnan(noise_free_angle_degrees(four, std::vector<double>{1, 1}).mean));
}
