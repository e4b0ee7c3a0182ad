#include "sim/quantiles.hpp"

#include <boost/math/distributions/lognormal.hpp>
#include <boost/math/distributions/normal.hpp>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/random.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
std::vector<double> draws_of(const DistributionSpec& spec, std::size_t count, double scale = 1) {
    const Quantiles quantiles(spec, scale);
    std::vector<std::uint32_t> words(count);
    fill_random_words(words, 5, 0, 0, 0, 9);
    std::vector<double> x;
    for (const auto word : words) x.push_back(static_cast<double>(quantiles(word)));
    return x;
}
/// The law of a draw given that it lies between the bounds.
template <class Law>
auto truncated(const Law& law, double low, double high) {
    const double a = low == -inf ? 0 : cdf(law, low), b = high == inf ? 1 : cdf(law, high);
    return [=](double x) { return (std::clamp(cdf(law, x), a, b) - a) / (b - a); };
}
constexpr std::size_t many = 100'032;  // a multiple of 64

}  // namespace

TEST_CASE("Draws by quantiles follow the distribution", "[statistical]") {
    using boost::math::lognormal, boost::math::normal;
    CHECK(ks_distance(draws_of({Distribution::normal, 3, 2, -inf, inf, false}, many), truncated(normal(3, 2), -inf, inf)) < ks_bound);
    CHECK(ks_distance(draws_of({Distribution::normal, 1.5, 0.75, 0.1, inf, false}, many), truncated(normal(1.5, 0.75), 0.1, inf)) <
          ks_bound);
    CHECK(ks_distance(draws_of({Distribution::normal, -4, 2, -inf, -1, false}, many, 1), truncated(normal(-4, 2), -inf, -1)) < ks_bound);
    CHECK(ks_distance(draws_of({Distribution::uniform, 0, 0, 2, 5, false}, many), [](double x) { return (x - 2) / 3; }) < ks_bound);
    const double variance = std::log1p(0.25);  // mean 2, standard deviation 1
    const lognormal law(std::log(2.0) - variance / 2, std::sqrt(variance));
    CHECK(ks_distance(draws_of({Distribution::lognormal, 2, 1, -inf, inf, false}, many), [&](double x) { return cdf(law, x); }) < ks_bound);
    CHECK(ks_distance(draws_of({Distribution::lognormal, 2, 1, 1, 3, false}, many), truncated(law, 1, 3)) < ks_bound);
}

TEST_CASE("Mean and standard deviation are those that were asked for, tails included", "[statistical]") {
    for (const auto shape : {Distribution::normal, Distribution::lognormal}) {
        const auto m = moments_of(draws_of({shape, 87.8, 8.78, -inf, inf, false}, many));
        CHECK(std::abs(m.mean - 87.8) < five_sigma * m.error());
        CHECK(std::abs(std::sqrt(m.variance) / 8.78 - 1) < five_sigma / std::sqrt(2.0 * many) * 1.5);  // 1.5: a lognormal's fourth moment
    }
}

TEST_CASE("A bound far out in the tail is never drawn", "[analytic]") {
    const Quantiles quantiles({Distribution::normal, 1.5, 0.75, -1e6, 1e9, false});
    CHECK(quantiles.highest() < 1.5 + 5 * 0.75);  // the mean of the last 1/65536 lies 4.4 standard deviations out
    CHECK(quantiles.lowest() > 1.5 - 5 * 0.75);
}

TEST_CASE("No draw leaves the bounds, and a constant is one", "[contract]") {
    for (const double x : draws_of({Distribution::normal, 0, 1, -0.5, 0.25, false}, 6400)) REQUIRE((x >= -0.5 && x <= 0.25));
    for (const double x : draws_of({Distribution::constant, 3, 0, -inf, inf, false}, 64, 0.5)) REQUIRE(x == 1.5);
    for (const double x : draws_of({Distribution::normal, 3, 0, -inf, inf, false}, 64)) REQUIRE(x == 3);
    const Quantiles quantiles({Distribution::uniform, 0, 0, -1, 2, false}, 2);
    CHECK(quantiles.lowest() == -2);
    CHECK(quantiles.highest() == 4);
    CHECK(quantiles(0) == -2);
    CHECK(quantiles(0xFFFFFFFFu) <= 4);
}
