#include "neurons/piecewise_source.hpp"

#include <catch2/catch.hpp>

#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using neurons::PiecewiseSource;

namespace {
const PiecewiseSource::Params course{{100, 200, 200, 400}, {20, 60, 10, 90}};
}

TEST_CASE("The rate is linear between the points, constant outside, and jumps where two points share a time", "[analytic]") {
    const auto rate = [](double t_ms) { return PiecewiseSource::rate_Hz(course, t_ms, 0); };
    CHECK(rate(0) == 20);
    CHECK(rate(150) == Approx(40));
    CHECK(rate(199.999) == Approx(60).epsilon(1e-4));
    CHECK(rate(200) == 10);
    CHECK(rate(300) == Approx(50));
    CHECK(rate(400) == 90);
    CHECK(rate(1e6) == 90);
    CHECK(PiecewiseSource::highest_rate_Hz(course, 0) == 90);
}

TEST_CASE("A piecewise source fires at its rate", "[statistical]") {
    // 50 ms bins over 500 ms, 2000 units: counts are sums of independent Bernoulli steps (grid) or Poisson; chi-square with 10 degrees of
    // freedom.
    constexpr std::uint32_t units = 2000;
    for (const bool continuous : {false, true}) {
        const auto circuit = circuit_of(1, 8, population_of<PiecewiseSource>("source", units, course, 1, continuous));
        const auto trains = spike_times(*circuit, 500)[0];
        std::vector<double> counts(10), expected(10), variance(10);
        for (const auto& train : trains)
            for (const double t : train) ++counts[static_cast<std::size_t>((continuous ? t : t - 0.5) / 50)];
        for (int k = 0; k < 500; ++k)
            for (int part = 0; part < 10; ++part) {
                const double lambda = PiecewiseSource::rate_Hz(course, continuous ? k + (part + 0.5) / 10 : k + 0.5, 0) * 1e-3,
                             p = continuous ? lambda : -std::expm1(-lambda);
                expected[static_cast<std::size_t>(k / 50)] += units * p / 10;
                variance[static_cast<std::size_t>(k / 50)] += units * p * (continuous ? 1 : 1 - p) / 10;
            }
        double chi_square = 0;
        for (std::size_t b = 0; b < 10; ++b) chi_square += (counts[b] - expected[b]) * (counts[b] - expected[b]) / variance[b];
        INFO((continuous ? "continuous" : "grid") << ", chi-square " << chi_square);
        CHECK(plausible_chi_square(chi_square, 10));
    }
}

TEST_CASE("A piecewise source refuses points that make no course", "[contract]") {
    const auto refuses = [](std::vector<double> times_ms, std::vector<double> rates_Hz) {
        CHECK_THROWS_AS(PiecewiseSource::check({times_ms, rates_Hz}, 1, "populations.p"), Error);
    };
    refuses({}, {});
    refuses({0, 1}, {5});
    refuses({1, 0}, {5, 5});
    CHECK_NOTHROW(PiecewiseSource::check(course, 1, "populations.p"));
}
