#include <catch2/catch.hpp>
#include <numbers>

#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using namespace ydot::neurons;

namespace {

struct Kind {
    std::string name;
    Member (*make)(std::uint32_t units, double dt_ms, bool continuous);
    double rate_Hz;
};
/// Everything that fires at a constant rate.
const std::vector<Kind> kinds{
    {"poisson",
     [](std::uint32_t n, double dt, bool c) {
         return population_of<Poisson>("p", n, {.phi = Phi::hard_sigmoid, .lambda_max_Hz = 100, .bias = 0.6}, dt, c);
     },
     60},
    {"softmax",
     [](std::uint32_t n, double dt, bool c) {
         return population_of<Poisson>("p", n, {.phi = Phi::softmax, .lambda_max_Hz = 60.0 * n}, dt, c);
     },
     60},
    {"poisson_source", [](std::uint32_t n, double dt, bool c) { return population_of<PoissonSource>("p", n, {.rate_Hz = 60}, dt, c); }, 60},
    {"image_source", [](std::uint32_t n, double dt, bool c) { return population_of<ImageSource>("p", n, {.rate_Hz = 120}, dt, c); }, 60},
    {"modulated_source",
     [](std::uint32_t n, double dt, bool c) { return population_of<ModulatedSource>("p", n, {.rate_Hz = 60, .depth = 0}, dt, c); }, 60},
};
constexpr double dt_ms = 0.5;

/// Trains of 70 units (more than a group of 64 random words) over 20 s; images show 1/2. Softmax in continuous time thins at the full rate
/// of the population: fewer units.
std::vector<std::vector<double>> trains_of(const Kind& kind, bool continuous, double seconds = 20) {
    const std::uint32_t units = kind.name == "softmax" ? 6 : 70;
    const auto circuit = circuit_of(dt_ms, 21, kind.make(units, dt_ms, continuous));
    Replica replica(*circuit);
    replica.set_stimulus(0, std::vector<float>(units, 0.5f));
    replica.reset(0);
    SpikeTimesLog log(*circuit);
    replica.set_observer(&log);
    replica.run(static_cast<Step>(seconds * 1e3 / dt_ms));
    return log.times[0];
}

}  // namespace

TEST_CASE("Intervals between spikes are exponential", "[statistical]") {
    Draws draws(2, 2);
    for (const auto& kind : kinds)
        for (const bool continuous : {false, true}) {
            // on the grid geometric: an interval of k steps is spread evenly over the probability of that step, which makes it uniform
            const double p = -std::expm1(-kind.rate_Hz * dt_ms * 1e-3);
            std::vector<double> uniform;
            for (const auto& train : trains_of(kind, continuous))
                for (std::size_t k = 1; k < train.size(); ++k) {
                    const double interval = train[k] - train[k - 1], steps = std::round(interval / dt_ms);
                    uniform.push_back(continuous ? -std::expm1(-interval * kind.rate_Hz * 1e-3)
                                                 : 1 - std::pow(1 - p, steps - 1) * (1 - p * draws.uniform()));
                }
            INFO(kind.name << (continuous ? ", continuous, " : ", grid, ") << uniform.size() << " intervals");
            REQUIRE(uniform.size() > 5000);
            CHECK(ks_distance(uniform, [](double x) { return x; }) < ks_bound);
        }
}

TEST_CASE("Counts of a step are Poisson when asked to be", "[statistical]") {
    // 1.5 spikes a step: chi-square of the counts 0 to 6 and more over 100 units x 500 steps, 7 degrees of freedom.
    const auto circuit = circuit_of(
        1, 4,
        population_of<Poisson>("unit", 100,
                               {.phi = Phi::hard_sigmoid, .grid_probability = GridProbability::counts, .lambda_max_Hz = 1500, .bias = 2}, 1,
                               false));
    constexpr Step steps = 500;
    Replica replica(*circuit, steps);
    replica.run(steps);
    std::vector<double> histogram(8);
    for (Step n = 0; n < steps; ++n) {
        std::vector<int> count(100);
        for (const auto unit : replica.history(0).at(n).unit) ++count[unit];
        for (const int c : count) ++histogram[static_cast<std::size_t>(std::min(c, 7))];
    }
    double chi_square = 0, probability = std::exp(-1.5), left = 1;
    for (int c = 0; c < 8; ++c) {
        const double mean = 100 * steps * (c == 7 ? left : probability), d = histogram[static_cast<std::size_t>(c)] - mean;
        chi_square += d * d / mean;
        left -= probability;
        probability *= 1.5 / (c + 1);
    }
    CHECK(plausible_chi_square(chi_square, 7));
}

TEST_CASE("An image can be shown with less noise than that of a Poisson process", "[statistical]") {
    // One chance a step: brightness is the probability of a spike, and a full pixel fires in every step.
    constexpr double grey = 0.3;
    constexpr std::uint32_t units = 100;
    constexpr Step steps = 1000;
    const auto circuit = circuit_of(
        1, 9, population_of<ImageSource>("image", units, {.rate_Hz = 1000, .grid_probability = SourceProbability::linear}, 1, false));
    Replica replica(*circuit, steps);
    std::vector<float> image(units, static_cast<float>(grey));
    std::fill(image.begin() + units / 2, image.end(), 1.0f);
    replica.set_stimulus(0, image);
    replica.reset(0);
    replica.run(steps);
    double spikes = 0, full = 0, squares = 0;
    for (Step n = 0; n < steps; ++n) {
        double in_step = 0;
        for (const auto unit : replica.history(0).at(n).unit) (unit < units / 2 ? in_step : full) += 1;
        spikes += in_step;
        squares += (in_step - units / 2 * grey) * (in_step - units / 2 * grey);
    }
    CHECK(full == units / 2.0 * static_cast<double>(steps));
    const double chances = units / 2.0 * static_cast<double>(steps), variance = grey * (1 - grey);
    CHECK(std::abs(spikes - chances * grey) < 4 * std::sqrt(chances * variance));
    // The count of a step is binomial; its squared deviation, nearly Gaussian, has a standard deviation of sqrt(2) times the variance.
    const double expected = units / 2.0 * variance;
    CHECK(std::abs(squares / static_cast<double>(steps) - expected) < 4 * expected * std::sqrt(2 / static_cast<double>(steps)));
    CHECK_THROWS_WITH(ImageSource::check({.rate_Hz = 1500, .grid_probability = SourceProbability::linear}, 1, "populations.input"),
                      Catch::Contains("populations.input.rate_Hz") && Catch::Contains("<= 1000"));
}

TEST_CASE("Counts have the variance of a Poisson process and units are independent", "[statistical]") {
    // Counts in windows of 100 ms, mean m, variance v (grid: of a binomial). The mean of n squared deviations from the known mean, over v,
    // has a standard deviation of sqrt((2 + 1 / v) / n). The count of all units together has variance units x v only if they are
    // independent.
    for (const auto& kind : kinds)
        for (const bool continuous : {false, true}) {
            const auto trains = trains_of(kind, continuous);
            const double steps = 100 / dt_ms, p = -std::expm1(-kind.rate_Hz * dt_ms * 1e-3),
                         m = continuous ? kind.rate_Hz * 0.1 : steps * p, v = continuous ? m : m * (1 - p);
            const auto units = static_cast<double>(trains.size());
            constexpr std::size_t windows = 200;
            std::vector<double> together(windows);
            double single = 0, neighbours = 0;
            std::vector<double> before(windows, m);
            for (const auto& train : trains) {
                std::vector<double> counts(windows);
                for (const double t : train)
                    ++counts[std::min(windows - 1, static_cast<std::size_t>((t - (continuous ? 0 : dt_ms / 2)) / 100))];
                for (std::size_t w = 0; w < windows; ++w) {
                    single += (counts[w] - m) * (counts[w] - m) / v;
                    neighbours += (counts[w] - m) * (before[w] - m) / v;
                    together[w] += counts[w];
                }
                before = counts;
            }
            const double n = units * windows;
            double joint = 0;
            for (const double c : together) joint += (c - units * m) * (c - units * m) / (units * v);
            INFO(kind.name << (continuous ? ", continuous" : ", grid"));
            // the softmax units share nothing but a constant sum of rates: independent as well
            CHECK(std::abs(single / n - 1) < five_sigma * std::sqrt((2 + 1 / v) / n));
            CHECK(std::abs(joint / windows - 1) < five_sigma * std::sqrt((2 + 1 / (units * v)) / windows));
            CHECK(std::abs(neighbours / n) < five_sigma / std::sqrt(n));
        }
}

TEST_CASE("A modulated source follows its sinusoid", "[statistical]") {
    // 25 bins of 4 ms over the cycle, all cycles and units together: chi-square with 25 degrees of freedom (the rate is known).
    const ModulatedSource::Params params{.rate_Hz = 80, .depth = 0.9, .frequency_Hz = 10, .phase = 0.7};
    for (const bool continuous : {false, true}) {
        const auto circuit = circuit_of(1, 4, population_of<ModulatedSource>("source", 50, params, 1, continuous));
        const auto trains = spike_times(*circuit, 10000)[0];
        std::vector<double> counts(25), expected(25), variance(25);
        for (const auto& train : trains)
            for (const double t : train) ++counts[static_cast<std::size_t>(std::fmod(continuous ? t : t - 0.5, 100) / 4)];
        for (int k = 0; k < 100; ++k)
            for (int part = 0; part < 10; ++part) {
                const double lambda = ModulatedSource::rate_Hz(params, continuous ? k + (part + 0.5) / 10 : k + 0.5, 0) * 1e-3,
                             p = continuous ? lambda : -std::expm1(-lambda);
                expected[static_cast<std::size_t>(k / 4)] += p * 50 * 100 / 10;
                variance[static_cast<std::size_t>(k / 4)] += (continuous ? p : p * (1 - p)) * 50 * 100 / 10;
            }
        double chi_square = 0;
        for (std::size_t b = 0; b < 25; ++b) chi_square += (counts[b] - expected[b]) * (counts[b] - expected[b]) / variance[b];
        INFO("chi-square " << chi_square);
        CHECK(plausible_chi_square(chi_square, 25));
    }
}

TEST_CASE("An image source fires in proportion to its pixels", "[statistical]") {
    constexpr std::uint32_t pixels = 100;
    std::vector<float> image;
    for (std::uint32_t i = 0; i < pixels; ++i) image.push_back(i % 3 == 0 ? 0.0f : static_cast<float>(i) / pixels);
    for (const bool continuous : {false, true}) {
        const auto circuit = circuit_of(1, 4, population_of<ImageSource>("image", pixels, {.rate_Hz = 100}, 1, continuous));
        Replica replica(*circuit);
        replica.set_stimulus(0, image);
        replica.reset(0);
        SpikeTimesLog log(*circuit);
        replica.set_observer(&log);
        replica.run(20000);
        double chi_square = 0, degrees = 0;
        for (std::uint32_t i = 0; i < pixels; ++i) {
            if (image[i] == 0) {
                CHECK(log.times[0][i].empty());
                continue;
            }
            const double lambda = 0.1 * static_cast<double>(image[i]), p = continuous ? lambda : -std::expm1(-lambda), mean = 20000 * p,
                         variance = mean * (continuous ? 1 : 1 - p);
            const double d = static_cast<double>(log.times[0][i].size()) - mean;
            chi_square += d * d / variance;
            ++degrees;
        }
        CHECK(plausible_chi_square(chi_square, degrees));
    }
}

TEST_CASE("Replayed spike trains come back exactly", "[contract]") {
    const std::vector<std::pair<double, std::uint32_t>> spikes{{0.3, 2}, {0.1, 0},  {12.7, 1}, {12.7, 0},
                                                               {5, 1},   {99.9, 2}, {0, 1},    {4.95, 0}};
    for (const double dt : {0.1, 1.0}) {
        const auto circuit = circuit_of(dt, 1, std::make_unique<const ReplayPopulation>("trains", 3, spikes, dt, false));
        const auto times = spike_times(*circuit, 100)[0];
        std::vector<std::vector<double>> expected(3);
        // the end of the step that holds it
        for (const auto& [t, unit] : spikes) expected[unit].push_back(std::max(1.0, std::ceil(t / dt - 1e-9)) * dt);
        for (std::size_t i = 0; i < 3; ++i) {
            std::sort(expected[i].begin(), expected[i].end());
            REQUIRE(times[i].size() == expected[i].size());
            for (std::size_t k = 0; k < times[i].size(); ++k) CHECK(times[i][k] == Approx(expected[i][k]).epsilon(1e-12));
        }
    }
    const auto circuit = circuit_of(1, 1, std::make_unique<const ReplayPopulation>("trains", 3, spikes, 1, true));
    const auto times = spike_times(*circuit, 100)[0];
    std::vector<std::vector<double>> expected(3);
    for (const auto& [t, unit] : spikes) expected[unit].push_back(t);
    for (std::size_t i = 0; i < 3; ++i) {
        std::sort(expected[i].begin(), expected[i].end());
        REQUIRE(times[i].size() == expected[i].size());
        // a float within the step
        for (std::size_t k = 0; k < times[i].size(); ++k) CHECK(times[i][k] == Approx(expected[i][k]).margin(1e-7));
    }
}

TEST_CASE("Adding a population does not change the spikes of another", "[contract]") {
    for (const bool continuous : {false, true}) {
        const auto source = [&] { return population_of<PoissonSource>("source", 100, {.rate_Hz = 50}, 1, continuous); };
        const auto units = [&] { return population_of<Poisson>("unit", 30, {.lambda_max_Hz = 100}, 1, continuous); };
        const auto a = spike_times(*circuit_of(1, 9, source(), units()), 500);
        const auto b = spike_times(*circuit_of(1, 9, population_of<PoissonSource>("new", 70, {}, 1, continuous), source(),
                                               population_of<Poisson>("newer", 10, {}, 1, continuous), units()),
                                   500);
        CHECK((a[0] == b[1]));
        CHECK((a[1] == b[3]));
        CHECK((a[0] != spike_times(*circuit_of(1, 10, source()), 500)[0]));
        auto circuit = circuit_of(1, 9, source());
        CHECK((spike_times(*circuit, 500, 0)[0] == a[0]));
        CHECK((spike_times(*circuit, 500, 1)[0] != a[0]));
    }
}

TEST_CASE("Spikes of a step are in ascending order of units", "[contract]") {
    const auto circuit = circuit_of(1, 9, population_of<PoissonSource>("source", 5000, {.rate_Hz = 50}, 1, false),
                                    population_of<Poisson>("unit", 5000, {.lambda_max_Hz = 100}, 1, false));
    Replica replica(*circuit, 20);
    replica.run(20);
    for (const std::size_t p : {0u, 1u})
        for (Step n = 0; n < 20; ++n) {
            const auto& unit = replica.history(p).at(n).unit;
            CHECK(std::is_sorted(unit.begin(), unit.end()));
            CHECK(std::adjacent_find(unit.begin(), unit.end()) == unit.end());
            CHECK(unit.back() < 5000);
        }
}
