#include "neurons/poisson.hpp"

#include <catch2/catch.hpp>

#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using neurons::Filter;
using neurons::Phi;
using neurons::Poisson;

namespace {

double phi_exact(Phi phi, double u, double units) {
    switch (phi) {
        case Phi::logistic: return 1 / (1 + std::exp(-u));
        case Phi::hard_sigmoid: return std::clamp(u, 0.0, 1.0);
        case Phi::relu:
        case Phi::linear: return std::max(u, 0.0);
        case Phi::softplus: return std::log1p(std::exp(u));
        case Phi::exponential: return std::exp(u);
        case Phi::softmax: return 1 / units;
    }
    return 0;
}
constexpr Phi every_phi[] = {Phi::logistic, Phi::hard_sigmoid, Phi::relu, Phi::softplus, Phi::exponential, Phi::linear, Phi::softmax};
constexpr Filter every_filter[] = {Filter::exponential, Filter::alpha, Filter::double_exponential};

}  // namespace

TEST_CASE("A Poisson unit fires at lambda_max phi(bias)", "[statistical]") {
    // Independent spikes: the count of mean m has a standard deviation of at most sqrt(m).
    for (const auto phi : every_phi)
        for (const double bias : {-0.7, 0.3, 1.4}) {
            Poisson::Params params{.phi = phi, .lambda_max_Hz = 100, .bias = bias};
            for (const int kind : {0, 1, 2, 3}) {  // grid exponential, grid linear, continuous, grid counts
                params.grid_probability = kind == 1   ? GridProbability::linear
                                          : kind == 3 ? GridProbability::counts
                                                      : GridProbability::exponential;
                const std::uint32_t size = phi == Phi::softmax ? 4 : 50;
                const auto circuit = circuit_of(1, 3, population_of<Poisson>("unit", size, params, 1, kind == 2));
                const double seconds = phi == Phi::softmax ? 20 : 2, lambda = 100 * phi_exact(phi, bias, size), a_step = lambda * 1e-3;
                const double expected = (kind == 0 ? -std::expm1(-a_step) : a_step) * seconds * 1e3 * size;
                const auto count = static_cast<double>(count_of(spike_times(*circuit, seconds * 1e3)[0]));
                INFO("phi " << static_cast<int>(phi) << " bias " << bias << " kind " << kind);
                CHECK(std::abs(count - expected) <= five_sigma * std::sqrt(expected));
            }
        }
}

TEST_CASE("Synaptic filters have area 1", "[analytic]") {
    for (const auto filter : every_filter)
        for (const double dt_ms : {0.1, 1.0, 2.5}) {
            const Poisson::Params params{
                .filter = filter, .tau_syn_ms = 8, .tau_rise_ms = filter == Filter::double_exponential ? 3.0 : 2.0};
            const auto response =
                population_of<Poisson>("unit", 1, params, dt_ms, false)->impulse_response(static_cast<std::size_t>(400 / dt_ms));
            double area = 0;
            for (const double h : response) area += h * dt_ms;
            // the float factor of a step is exact to 3e-8, 1 - factor (0.0125 at 0.1 ms) to 3e-6, roundings of the sum
            CHECK(area == Approx(1).epsilon(2e-4));
        }
}

TEST_CASE("Filters have their shapes on the grid of a fine step", "[analytic]") {
    const double dt = 0.01, tau = 8, rise = 3;
    for (const auto filter : every_filter) {
        const Poisson::Params params{.filter = filter, .tau_syn_ms = tau, .tau_rise_ms = rise};
        const auto response = population_of<Poisson>("unit", 1, params, dt, false)->impulse_response(3000);
        for (std::size_t k = 50; k < response.size(); k += 100) {
            const double t = static_cast<double>(k) * dt;
            const double exact = filter == Filter::exponential ? std::exp(-t / tau) / tau
                                 : filter == Filter::alpha     ? t * std::exp(-t / tau) / (tau * tau)
                                                               : (std::exp(-t / tau) - std::exp(-t / rise)) / (tau - rise);
            CHECK(response[k] == Approx(exact).epsilon(2 * dt / rise));  // first order in dt: sampled, not averaged, over a step
        }
    }
}

TEST_CASE("Equal time constants of rise and decay make the alpha filter", "[analytic]") {
    const Poisson::Params alpha{.filter = Filter::alpha, .tau_syn_ms = 7},
        twice{.filter = Filter::double_exponential, .tau_syn_ms = 7, .tau_rise_ms = 7},
        nearly{.filter = Filter::double_exponential, .tau_syn_ms = 7, .tau_rise_ms = 7.0001};
    const auto a = population_of<Poisson>("a", 1, alpha, 1, false)->impulse_response(60),
               b = population_of<Poisson>("b", 1, twice, 1, false)->impulse_response(60),
               c = population_of<Poisson>("c", 1, nearly, 1, false)->impulse_response(60);
    for (std::size_t k = 0; k < 60; ++k) {
        CHECK(b[k] == Approx(a[k]));
        CHECK(c[k] == Approx(a[k]).epsilon(1e-4).margin(1e-9));
    }
}

TEST_CASE("The mean potential is the rate reading, bias plus weights times activities", "[statistical]") {
    // 40 senders at activity 0.4 of 200 Hz for T = 10 s; the mean of u over T is w (spikes of the senders) / (200 Hz T) up to the ends of
    // T: standard deviation w sqrt(40 x 80 Hz x T) / (200 Hz x T) = w 0.0894, and tau / T of one sender's share, w 1e-3, from the ends.
    for (const auto filter : every_filter)
        for (const bool continuous : {false, true})
            for (const double weight : {0.05, -0.02}) {
                const Poisson::Params sender{
                    .phi = Phi::hard_sigmoid, .grid_probability = GridProbability::linear, .lambda_max_Hz = 200, .bias = 0.4};
                const Poisson::Params receiver{
                    .phi = Phi::linear, .filter = filter, .lambda_max_Hz = 1, .tau_syn_ms = 10, .tau_rise_ms = 3, .bias = 2};
                const auto circuit = circuit_of(1, 5, population_of<Poisson>("senders", 40, sender, 1, continuous),
                                                population_of<Poisson>("receiver", 1, receiver, 1, continuous));
                circuit->connect("line", 0, 1,
                                 every_pair(
                                     40, 1, [&](auto, auto) { return weight; }, [](auto, auto) { return 2; }),
                                 DelaySite::axonal);
                Replica replica(*circuit);
                replica.run(200);
                replica.clear_activity(1);
                replica.run(10000);
                const double mean = replica.mean_activity(1)[0];
                INFO("filter " << static_cast<int>(filter) << " continuous " << continuous);
                CHECK(std::abs(mean - (2 + 40 * 0.4 * weight)) < (five_sigma * 0.0894 + 40 * 1e-3) * std::abs(weight));
            }
}

TEST_CASE("A clamp moves activity exactly its way toward the target", "[contract]") {
    for (const auto phi : every_phi)
        for (const bool continuous : {false, true}) {
            const std::uint32_t size = 5;
            const auto circuit = circuit_of(1, 5, population_of<Poisson>("unit", size, {.phi = phi, .bias = 0.3}, 1, continuous));
            Replica replica(*circuit);
            const std::vector<float> target{0, 1, 0.25f, 0.5f, 1};
            replica.set_stimulus(0, target);
            for (const float nudge : {0.0f, 0.25f, 1.0f}) {
                replica.set_nudge(0, nudge);
                replica.clear_activity(0);
                replica.run(10);
                const auto y = replica.mean_activity(0);
                for (std::size_t i = 0; i < size; ++i) {
                    const double free = phi_exact(phi, 0.3, size);
                    // fast_exp: 4e-7
                    CHECK(y[i] == Approx(free + static_cast<double>(nudge) * (static_cast<double>(target[i]) - free)).margin(1e-6));
                }
            }
        }
}

TEST_CASE("A clamped unit fires at the rate of the target", "[statistical]") {
    for (const bool continuous : {false, true}) {
        const auto circuit = circuit_of(
            1, 5,
            population_of<Poisson>("unit", 3, {.phi = Phi::softmax, .grid_probability = GridProbability::linear, .lambda_max_Hz = 500}, 1,
                                   continuous));
        Replica replica(*circuit);
        replica.set_stimulus(0, std::vector<float>{0, 1, 0});
        replica.set_nudge(0, 1);
        SpikeTimesLog log(*circuit);
        replica.set_observer(&log);
        replica.run(10000);
        CHECK(log.times[0][0].empty());
        CHECK(log.times[0][2].empty());
        CHECK(std::abs(static_cast<double>(log.times[0][1].size()) - 5000) < five_sigma * std::sqrt(5000));
    }
}

TEST_CASE("Refractory units keep their distance and fire at the rate of the renewal process", "[statistical]") {
    // Interval = dead time + waiting time of mean m and, up to the grid, standard deviation m:
    // the count over T has variance T m^2 / (dead + m)^3.
    for (const bool continuous : {false, true}) {
        const double dead_ms = 4, lambda = 250, p = -std::expm1(-lambda * 1e-3);
        const auto circuit = circuit_of(
            1, 5,
            population_of<Poisson>("unit", 100, {.phi = Phi::hard_sigmoid, .lambda_max_Hz = lambda, .bias = 2, .refractory_ms = dead_ms}, 1,
                                   continuous));
        const auto trains = spike_times(*circuit, 4000)[0];
        double shortest = 1e9;
        for (const auto& train : trains)
            for (std::size_t k = 1; k < train.size(); ++k) shortest = std::min(shortest, train[k] - train[k - 1]);
        CHECK(shortest >= dead_ms - 1e-3);  // spike times are kept as floats within a step
        CHECK(shortest < dead_ms + 1.01);
        const double wait_ms = continuous ? 1e3 / lambda : 1 / p, total_ms = 100 * 4000,
                     expected = total_ms / (dead_ms + wait_ms) + 100 * (continuous ? dead_ms / (dead_ms + wait_ms) : 0.3);
        const double deviation = std::sqrt(total_ms * wait_ms * wait_ms / std::pow(dead_ms + wait_ms, 3));
        // each unit starts ready, which adds at most one spike a unit to the stationary count
        CHECK(std::abs(static_cast<double>(count_of(trains)) - expected) < five_sigma * deviation + 100);
    }
}

TEST_CASE("The spikes of a driven unit are Poisson in rescaled time", "[statistical]") {
    // Brown et al. (2002): the integral of the intensity between spikes is exponential of mean 1. Intensity by exact flow on 0.01 ms; the
    // units see the same input, so that their rescaled times follow one another as one process.
    constexpr double fine = 0.01, duration_ms = 3000, lambda_max = 150, bias = -1, weight = 2.5, tau = 10, rise = 3;
    constexpr std::uint32_t units = 40;
    Draws draws(8, 1);
    std::vector<std::pair<double, std::uint32_t>> input;
    for (double t = 0; (t += 25 * draws.exponential()) < duration_ms - 2;) input.emplace_back(std::round(t / fine) * fine, 0);
    for (const auto filter : every_filter) {
        const auto circuit =
            circuit_of(1, 5, std::make_unique<const ReplayPopulation>("input", 1, input, 1, true),
                       population_of<Poisson>(
                           "unit", units,
                           {.filter = filter, .lambda_max_Hz = lambda_max, .tau_syn_ms = tau, .tau_rise_ms = rise, .bias = bias}, 1, true));
        // a replayed spike stands for 1 ms of activity 1: scale 1, so the potential jumps by weight x eps
        circuit->connect("line", 0, 1,
                         every_pair(
                             1, units, [&](auto, auto) { return weight * 10; }, [](auto, auto) { return 2; }),
                         DelaySite::axonal);
        const auto trains = spike_times(*circuit, duration_ms)[1];

        const double tau_1 = filter == Filter::alpha ? tau : rise;
        std::vector<double> integral{0};
        double stage = 0, drive = 0;
        std::size_t next = 0;
        for (std::size_t k = 0; static_cast<double>(k) * fine < duration_ms; ++k) {
            while (next < input.size() && std::llround((input[next].first + 2) / fine) <= static_cast<long long>(k)) {
                (filter == Filter::exponential ? drive : stage) += weight * 10 / (filter == Filter::exponential ? tau : tau_1);
                ++next;
            }
            const auto intensity = [&] { return lambda_max * 1e-3 / (1 + std::exp(-bias - drive)); };
            const double before = intensity(), keep = std::exp(-fine / tau), stage_keep = std::exp(-fine / tau_1);
            const double feed = tau == tau_1 ? fine / tau * keep : (keep - stage_keep) * tau_1 / (tau - tau_1);
            drive = keep * drive + (filter == Filter::exponential ? 0 : feed * stage);
            stage *= stage_keep;
            integral.push_back(integral.back() + 0.5 * fine * (before + intensity()));
        }
        std::vector<double> intervals;
        double last = 0;
        for (std::uint32_t i = 0; i < units; ++i) {
            for (const double t : trains[i]) {
                const double x = t / fine, k = std::floor(x);
                const double at = i * integral.back() + integral[static_cast<std::size_t>(k)] +
                                  (x - k) * (integral[static_cast<std::size_t>(k) + 1] - integral[static_cast<std::size_t>(k)]);
                intervals.push_back(at - last);
                last = at;
            }
        }
        REQUIRE(intervals.size() > 2000);
        INFO("filter " << static_cast<int>(filter) << ", " << intervals.size() << " intervals");
        CHECK(ks_distance(intervals, [](double x) { return -std::expm1(-x); }) < ks_bound);
        CHECK(std::abs(static_cast<double>(intervals.size()) - units * integral.back()) < five_sigma * std::sqrt(units * integral.back()));
    }
}

TEST_CASE("A grid and continuous time give the same rates in a small recurrent network", "[statistical]") {
    // Rates by unit and by population over 40 segments of 0.5 s; errors from the scatter of the segments, so that correlations count. 36
    // comparisons, t with 78 degrees of freedom: |t| > 6.5 has probability 36 x 7e-9 = 3e-7.
    constexpr std::uint32_t hidden = 24, top = 6;
    constexpr int segments = 40;
    using Rates = std::vector<std::vector<double>>;  // by unit, by segment; then the two populations
    const auto rates_of = [&](double dt_ms, bool continuous, GridProbability probability) {
        const auto steps = [&](double ms) { return static_cast<int>(std::lround(ms / dt_ms)); };
        const auto circuit = circuit_of(
            dt_ms, 5, population_of<neurons::PoissonSource>("input", 16, {.rate_Hz = 100}, dt_ms, continuous),
            population_of<Poisson>("hidden", hidden,
                                   {.phi = Phi::hard_sigmoid, .grid_probability = probability, .lambda_max_Hz = 200, .bias = 0.2}, dt_ms,
                                   continuous),
            population_of<Poisson>("top", top,
                                   {.phi = Phi::softmax, .filter = Filter::alpha, .grid_probability = probability, .lambda_max_Hz = 200},
                                   dt_ms, continuous));
        Draws draws(17, 3);
        const auto weight = [&](double std_of) { return [&draws, std_of](auto, auto) { return std_of * draws.normal(); }; };
        circuit->connect("in", 0, 1, every_pair(16, hidden, weight(0.08), [&](auto, auto) { return steps(1); }), DelaySite::axonal);
        circuit->connect("rec", 1, 1, every_pair(hidden, hidden, weight(0.1), [&](auto, auto) { return steps(3); }), DelaySite::axonal);
        circuit->connect("up", 1, 2, every_pair(hidden, top, weight(0.4), [&](auto, auto) { return steps(1); }), DelaySite::axonal);
        circuit->connect("down", 2, 1, every_pair(top, hidden, weight(0.4), [&](auto, auto) { return steps(2); }), DelaySite::axonal);
        const auto trains = spike_times(*circuit, 500.0 * (segments + 1));
        Rates rates;
        for (const std::size_t p : {1u, 2u}) {
            std::vector<double> all(segments);
            for (const auto& train : trains[p]) {
                std::vector<double> mine(segments);
                for (const double t : train)
                    if (t > 500) ++mine[static_cast<std::size_t>(std::min(segments - 1.0, (t - 500) / 500))];
                for (int s = 0; s < segments; ++s) all[static_cast<std::size_t>(s)] += mine[static_cast<std::size_t>(s)];
                rates.push_back(mine);
            }
            rates.push_back(all);
        }
        return rates;
    };
    const auto exact = rates_of(1, true, GridProbability::exponential);
    for (const auto& grid : {rates_of(0.1, false, GridProbability::exponential), rates_of(0.25, false, GridProbability::linear)})
        for (std::size_t k = 0; k < exact.size(); ++k) {
            const auto a = moments_of(exact[k]), b = moments_of(grid[k]);
            INFO("row " << k << ": continuous " << 2 * a.mean << " Hz, grid " << 2 * b.mean << " Hz");
            CHECK(std::abs(a.mean - b.mean) < 6.5 * std::hypot(a.error(), b.error()));
            CHECK(a.mean > 0);
        }
}

TEST_CASE("Softmax units share one total rate and follow their inputs", "[statistical]") {
    // Two units, one driven: mean activity of the driven one over T against phi of its own potential would need u; the sum is exactly 1.
    const auto circuit = circuit_of(1, 5, population_of<neurons::PoissonSource>("input", 5, {.rate_Hz = 200}, 1, false),
                                    population_of<Poisson>("top", 3, {.phi = Phi::softmax}, 1, false));
    circuit->connect("in", 0, 1,
                     every_pair(
                         5, 3, [](auto, auto j) { return 0.2 * j; }, [](auto, auto) { return 1; }),
                     DelaySite::axonal);
    Replica replica(*circuit);
    replica.run(100);
    replica.clear_activity(1);
    replica.run(3000);
    const auto y = replica.mean_activity(1);
    CHECK(y[0] + y[1] + y[2] == Approx(1).epsilon(1e-6));
    CHECK(y[0] < y[1]);
    CHECK(y[1] < y[2]);
}

TEST_CASE("The slope is the derivative of phi", "[analytic]") {
    for (const auto phi : every_phi) {
        if (phi == Phi::softmax) continue;
        for (double u = -2.013; u < 2; u += 0.1) {
            const double h = 1e-5, numeric = (phi_exact(phi, u + h, 1) - phi_exact(phi, u - h, 1)) / (2 * h);
            const auto y = neurons::phi_of(phi, static_cast<float>(u));
            std::array<float, 1> slope{static_cast<float>(u)};
            neurons::apply_phi_slope(phi, slope, {&y, 1});
            CHECK(static_cast<double>(slope[0]) == Approx(numeric).epsilon(1e-5).margin(1e-6));  // float arithmetic
            CHECK(static_cast<double>(y) == Approx(phi_exact(phi, u, 1)).epsilon(1e-6));
        }
    }
}
