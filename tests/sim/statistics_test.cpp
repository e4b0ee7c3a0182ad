#include "sim/statistics.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace ydot;

TEST_CASE("moments are the mean, the unbiased variance and the standard error of the mean", "[statistics][analytic]") {
    const std::vector<double> x{2, 4, 4, 4, 5, 5, 7, 9};  // sum of squared deviations from 5: 32
    const auto m = moments_of(x);
    CHECK(m.count == 8);
    CHECK(m.mean == Approx(5));
    CHECK(m.variance == Approx(32.0 / 7));
    CHECK(m.error() == Approx(std::sqrt(32.0 / 7 / 8)));
}

TEST_CASE("a single repetition has no spread", "[statistics]") {
    const auto m = moments_of(std::vector<double>{3});
    CHECK(m.mean == 3);
    CHECK(std::isnan(m.variance));
}

TEST_CASE("the Kolmogorov-Smirnov distance looks on both sides of every step", "[statistics][analytic]") {
    const auto uniform = [](double x) { return x; };
    CHECK(ks_distance({0.5}, uniform) == Approx(0.5));
    CHECK(ks_distance({0.75, 0.25}, uniform) == Approx(0.25 * std::sqrt(2)));    // in any order
    CHECK(ks_distance({0.1, 0.2, 0.3}, uniform) == Approx(0.7 * std::sqrt(3)));  // above: 1 - 0.3
    CHECK(ks_distance({0.7, 0.8, 0.9}, uniform) == Approx(0.7 * std::sqrt(3)));  // below: 0.7 - 0
}

TEST_CASE("the limit of the Kolmogorov-Smirnov distance is that of Massart", "[statistics][analytic]") {
    for (const double alpha : {0.05, 1e-3, 1e-6}) CHECK(2 * std::exp(-2 * std::pow(ks_limit(alpha), 2)) == Approx(alpha));
    CHECK(ks_limit(0.05) == Approx(1.3581).epsilon(1e-4));  // the asymptotic table
}

TEST_CASE("the distance of two samples is the largest difference of their distribution functions", "[statistics][analytic]") {
    CHECK(ks_two_samples({1, 2, 3}, {1, 2, 3}) == 0);
    CHECK(ks_two_samples({3, 1, 2}, {4, 6, 5, 7}) == 1);
    CHECK(ks_two_samples({1, 2, 3, 4}, {3, 4, 5, 6}) == Approx(0.5));
    CHECK(ks_two_samples({0, 0, 0, 1}, {0, 1, 1, 1}) == Approx(0.5));  // ties count as one step
    CHECK(std::isnan(ks_two_samples({}, {1})));
}

TEST_CASE("the limit of two samples is that of one with the harmonic number of values", "[statistics][analytic]") {
    CHECK(ks_two_sample_limit(100, 100, 0.05) == Approx(ks_limit(0.05) * std::sqrt(0.02)));
    CHECK(ks_two_sample_limit(10, 1000000, 1e-3) == Approx(ks_limit(1e-3) / std::sqrt(10)).epsilon(1e-4));
}

// Tables give three decimals.
TEST_CASE("limits of t are those of the tables", "[statistics][golden]") {
    const struct {
        std::size_t degrees;
        double alpha, limit;
    } table[] = {{1, 0.05, 12.706}, {2, 0.05, 4.303}, {5, 0.05, 2.571}, {10, 0.01, 3.169}, {30, 0.001, 3.646}, {120, 0.05, 1.980}};
    for (const auto& row : table) CHECK(t_limit(row.degrees + 1, row.alpha) == Approx(row.limit).margin(5e-4));
    CHECK(t_limit(100'000'000, 1e-6) == Approx(4.8916).margin(1e-3));  // that of the normal distribution
    CHECK(t_limit(16, 1e-6) > t_limit(64, 1e-6));
    CHECK(std::isinf(t_limit(1, 1e-6)));
}

// Upper limits of the tables have three decimals: the p-value is good to 5e-4 times the density there, a few 1e-5.
TEST_CASE("p-values of chi-square are two-sided and those of the tables", "[statistics][golden]") {
    CHECK(chi_square_p(5.024, 1) == Approx(0.05).margin(5e-5));
    CHECK(chi_square_p(20.483, 10) == Approx(0.05).margin(5e-5));
    CHECK(chi_square_p(3.247, 10) == Approx(0.05).margin(5e-5));  // too small is as suspect as too large
    CHECK(chi_square_p(129.561, 100) == Approx(0.05).margin(5e-5));
    CHECK(chi_square_p(2 * std::log(2), 2) == Approx(1));  // at the median
    CHECK(chi_square_p(0, 2) == 0);
}

TEST_CASE("the slope is that of least squares", "[statistics][analytic]") {
    const std::vector<double> x{1, 2, 3, 4}, line{3, 1, -1, -3}, scattered{6, 5, 7, 10};
    CHECK(slope_of(x, line) == Approx(-2));
    CHECK(slope_of(x, scattered) == Approx(1.4));
}
