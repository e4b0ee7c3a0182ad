#include "sim/spike_statistics.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/random.hpp"
#include "sim/statistics.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;

namespace {

struct Spike {
    double time_ms;
    std::uint64_t unit;
};

/// Of one population, whose spikes are handed over in pieces, as a replica does.
PopulationActivity activity_of(std::vector<Spike> spikes, std::uint32_t units, double stop_ms, const ActivityOptions& options = {}) {
    std::stable_sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) { return a.time_ms < b.time_ms; });
    SpikeStatistics statistics({{"p", units}}, options);
    constexpr std::size_t piece = 7;
    for (std::size_t k = 0; k < spikes.size(); k += piece) {
        std::vector<double> times_ms;
        std::vector<std::uint64_t> ids;
        for (std::size_t i = k; i < std::min(k + piece, spikes.size()); ++i) {
            times_ms.push_back(spikes[i].time_ms);
            ids.push_back(spikes[i].unit);
        }
        statistics.spikes(0, times_ms, ids);
    }
    return statistics.finish(stop_ms).populations.front();
}

void add_train(std::vector<Spike>& spikes, std::initializer_list<std::uint64_t> units, double rate_Hz, double stop_ms, Draws& draws) {
    for (double t = draws.exponential() / rate_Hz * 1e3; t <= stop_ms; t += draws.exponential() / rate_Hz * 1e3)
        for (const auto unit : units) spikes.push_back({t, unit});
}

/// Whether independent repetitions have this mean: |t| exceeds the limit with probability 1e-6.
bool has_mean(const std::vector<double>& repetitions, double expectation) {
    const auto m = moments_of(repetitions);
    CAPTURE(m.mean, m.error(), expectation);
    INFO("mean of " << m.count << ": " << m.mean << " +- " << m.error() << ", expected " << expectation);
    const bool agrees = std::abs(m.mean - expectation) <= t_limit(m.count, 1e-6) * m.error();
    CHECK(agrees);
    return agrees;
}

}  // namespace

TEST_CASE("a clock has CV 0, Fano factor 0 and its rate", "[activity][analytic]") {
    std::vector<Spike> spikes;
    for (int k = 1; k <= 100; ++k) spikes.push_back({k * 10.0, 1});  // one in (0, 10], (10, 20], ...: ten in every window
    const auto a = activity_of(spikes, 2, 1000);
    CHECK(a.rate_Hz == std::vector<double>{0, 100});
    CHECK(std::isnan(a.cv[0]));
    CHECK(a.cv[1] == 0);  // sums of whole numbers
    CHECK(std::isnan(a.fano[0]));
    CHECK(a.fano[1] == 0);
    CHECK(a.correlation.empty());  // the other unit never fires
}

TEST_CASE("a unit needs ten intervals for a CV", "[activity]") {
    std::vector<Spike> spikes;
    for (int k = 1; k <= 10; ++k) spikes.push_back({k * 5.0, 0});
    CHECK(std::isnan(activity_of(spikes, 1, 100).cv[0]));
    spikes.push_back({55, 0});
    CHECK(activity_of(spikes, 1, 100).cv[0] == 0);
}

TEST_CASE("intervals of one and three have CV 1/2", "[activity][analytic]") {
    std::vector<Spike> spikes;
    double t = 1;
    for (int k = 0; k <= 40; ++k, t += k % 2 ? 1 : 3) spikes.push_back({t, 0});
    CHECK(activity_of(spikes, 1, 200).cv[0] == Approx(0.5).epsilon(1e-12));  // rounding of a few sums
}

TEST_CASE("bins are open below and closed above, and only whole ones count", "[activity][analytic]") {
    // Bins of 3 ms from 10: (10, 13] has two spikes, (13, 16] one, (16, 19] none; (19, 22] ends behind the recording.
    const std::vector<Spike> spikes{{10, 0}, {10.1, 0}, {13, 1}, {13.1, 1}, {20, 0}, {20, 1}};
    ActivityOptions options;
    options.start_ms = 10;
    const auto a = activity_of(spikes, 2, 21, options);
    CHECK(a.bins_with == std::vector<std::uint64_t>{1, 1, 1});
    CHECK(a.rate_Hz[0] == Approx(2 / 0.011));  // the spike at 10 is of the warm-up; an incomplete bin counts for the rate
    CHECK(a.rate_Hz[1] == Approx(3 / 0.011));
    CHECK(a.synchrony() == Approx(2.0 / 3));  // counts 2, 1, 0: variance 2/3, mean 1
}

TEST_CASE("edges of bins survive the rounding of multiples of 0.1", "[activity]") {
    std::vector<Spike> spikes;
    for (int n = 0; n < 30000; ++n) spikes.push_back({(n + 1.0) * 0.1, 0});
    const auto a = activity_of(spikes, 1, 3000);
    CHECK(a.bins_with.size() == 31);
    CHECK(a.bins_with[30] == 1000);  // every bin has thirty steps
    CHECK(a.fano[0] == 0);
}

TEST_CASE("the Fano factor is the variance of the counts in whole windows over their mean", "[activity][analytic]") {
    // Windows of 100 ms: 3, 0, 1 spikes: mean 4/3, variance 7/3. The window from 300 is not whole.
    const std::vector<Spike> spikes{{10, 0}, {20, 0}, {100, 0}, {300, 0}, {310, 0}};
    CHECK(activity_of(spikes, 1, 390).fano[0] == Approx(7.0 / 4));
    CHECK(std::isnan(activity_of(spikes, 1, 199).fano[0]));  // a single window
}

TEST_CASE("the correlation is that of Pearson", "[activity][analytic]") {
    // Counts in the bins of 2 ms: 2 0 1 0 1 of unit 0, 1 0 1 1 0 of unit 1.
    const std::vector<Spike> spikes{{1, 0}, {2, 0}, {2, 1}, {5, 0}, {6, 1}, {8, 1}, {9, 0}};
    const double covariance = 5 * (2.0 * 1 + 1 * 1) - 4 * 3, variance_0 = 5 * (4.0 + 1 + 1) - 16, variance_1 = 5 * 3.0 - 9;  // times 25
    const auto a = activity_of(spikes, 2, 10);
    REQUIRE(a.correlation.size() == 1);
    CHECK(a.correlation[0] == Approx(covariance / std::sqrt(variance_0 * variance_1)));
}

TEST_CASE("units that fire together have correlation 1 and a synchrony that grows with their number", "[activity][analytic]") {
    Draws draws(1, 0);
    std::vector<Spike> spikes;
    add_train(spikes, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 20, 10000, draws);
    const auto together = activity_of(spikes, 10, 10000);
    REQUIRE(together.correlation.size() == 45);
    for (const double r : together.correlation) CHECK(r == Approx(1));
    std::vector<Spike> single;
    std::copy_if(spikes.begin(), spikes.end(), std::back_inserter(single), [](const Spike& s) { return s.unit == 0; });
    CHECK(together.synchrony() == Approx(10 * activity_of(single, 1, 10000).synchrony()));  // ten times the counts: 100 times the variance
}

TEST_CASE("independent Poisson units have CV 1, Fano factor 1, synchrony 1 and correlation 0", "[activity][statistical]") {
    constexpr double stop_ms = 50000;
    std::vector<double> cv, fano, synchrony, correlation;
    for (std::uint32_t repetition = 0; repetition < 16; ++repetition) {
        Draws draws(2, 0, repetition);
        std::vector<Spike> spikes;
        for (std::uint64_t unit = 0; unit < 10; ++unit) add_train(spikes, {unit}, 40, stop_ms, draws);
        const auto a = activity_of(spikes, 10, stop_ms);
        REQUIRE(a.correlation.size() == 45);
        cv.push_back(finite_mean(a.cv));
        fano.push_back(finite_mean(a.fano));
        synchrony.push_back(a.synchrony());
        correlation.push_back(finite_mean(a.correlation));
    }
    // The CV of n intervals is too small by about 1/n, here 5e-4, against a standard error of 1/sqrt(2000 10 16) = 1.8e-3 of the mean.
    CHECK(has_mean(cv, 1));
    CHECK(has_mean(fano, 1));
    CHECK(has_mean(synchrony, 1));
    CHECK(has_mean(correlation, 0));
    CHECK(moments_of(cv).error() < 4e-3);  // the tests above could see a deviation of a few percent
    CHECK(moments_of(fano).error() < 1e-2);
    CHECK(moments_of(synchrony).error() < 1e-2);
    CHECK(moments_of(correlation).error() < 1e-3);
}

TEST_CASE("a common source makes the correlation common rate / whole rate and synchrony follows", "[activity][statistical]") {
    constexpr double stop_ms = 50000, common_Hz = 10, own_Hz = 30, units = 6;
    std::vector<double> correlation, synchrony;
    for (std::uint32_t repetition = 0; repetition < 16; ++repetition) {
        Draws draws(3, 0, repetition);
        std::vector<Spike> spikes;
        add_train(spikes, {0, 1, 2, 3, 4, 5}, common_Hz, stop_ms, draws);
        for (std::uint64_t unit = 0; unit < 6; ++unit) add_train(spikes, {unit}, own_Hz, stop_ms, draws);
        const auto a = activity_of(spikes, 6, stop_ms);
        correlation.push_back(finite_mean(a.correlation));
        synchrony.push_back(a.synchrony());
    }
    CHECK(has_mean(correlation, common_Hz / (common_Hz + own_Hz)));
    // Counts of the population: n^2 common + n own as variance, n (common + own) as mean.
    CHECK(has_mean(synchrony, (units * common_Hz + own_Hz) / (common_Hz + own_Hz)));
    CHECK(moments_of(correlation).error() < 5e-3);
}

TEST_CASE("pairs are of a hundred units drawn by the name of the population", "[activity]") {
    Draws draws(4, 0);
    std::vector<Spike> spikes;
    for (std::uint64_t unit = 0; unit < 300; ++unit) add_train(spikes, {unit}, 20, 1000, draws);
    const auto a = activity_of(spikes, 300, 1000);
    CHECK(a.correlation.size() == 100 * 99 / 2);
    CHECK(a.correlation == activity_of(spikes, 300, 1000).correlation);
    std::vector<Spike> first;
    std::copy_if(spikes.begin(), spikes.end(), std::back_inserter(first), [](const Spike& s) { return s.unit < 100; });
    const auto among_first = activity_of(first, 300, 1000).correlation.size();
    CHECK(among_first < 100 * 99 / 2);  // not the first hundred
    CHECK(among_first > 0);
}

TEST_CASE("the histogram of a sample is that of the units drawn", "[activity][analytic]") {
    // Everyone fires once in every third bin: the counts are 0, 0, n, of variance 2/9 n^2 and mean n/3, whatever units are drawn.
    std::vector<Spike> spikes;
    for (int k = 0; k < 100; ++k)
        for (std::uint64_t unit = 0; unit < 50; ++unit) spikes.push_back({9.0 * k + 8, unit});
    ActivityOptions options;
    options.sampled_units = 20;
    options.correlated_units = 5;
    const auto a = activity_of(spikes, 50, 900, options);
    CHECK(a.sample_bins_with.size() == 21);
    CHECK(a.sample_bins_with[0] == 200);
    CHECK(a.sample_bins_with[20] == 100);
    CHECK(a.synchrony() == Approx(2.0 / 3 * 50));
    CHECK(a.sample_synchrony() == Approx(2.0 / 3 * 20));
    CHECK(a.correlation.size() == 10);
    options.sampled_units = 1000;
    CHECK(activity_of(spikes, 50, 900, options).sample_bins_with == a.bins_with);
}

TEST_CASE("without spikes there is a rate and nothing else", "[activity]") {
    const auto a = activity_of({}, 3, 100);
    CHECK(a.rate_Hz == std::vector<double>(3, 0));
    CHECK(std::isnan(finite_mean(a.cv)));
    CHECK(std::isnan(finite_mean(a.fano)));
    CHECK(std::isnan(finite_mean(a.correlation)));
    CHECK(std::isnan(a.synchrony()));
    CHECK(a.bins_with == std::vector<std::uint64_t>{33});
}
