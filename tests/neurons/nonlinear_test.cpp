// AdEx, Izhikevich and Hodgkin-Huxley units: the fixed schemes against adaptive integration (Boost.Odeint).
#include <catch2/catch.hpp>

#include "neurons/list.hpp"
#include "tests/support/network.hpp"
#include "tests/support/reference.hpp"

using namespace ydot;
using namespace ydot::test;
using namespace ydot::neurons;

namespace {

template <class P>
P adaptive(P params) {
    params.integrator = decltype(params.integrator){EnumNames<decltype(params.integrator)>::names.size() - 1};
    return params;
}

/// Order of convergence from dt and dt/2, well above what single precision leaves.
template <class Error>
double order_of(Error&& error, double dt_ms) {
    return std::log2(error(dt_ms) / error(dt_ms / 2));
}

/// Spikes per second after the first `skip`.
double rate_Hz(const std::vector<double>& times_ms, std::size_t skip) {
    if (times_ms.size() < skip + 2) return 0;
    return 1e3 * static_cast<double>(times_ms.size() - 1 - skip) / (times_ms.back() - times_ms[skip]);
}

/// f-I curve against the adaptive one on a grid of 0.01 ms.
template <class M, class Current>
void check_rates(Current current, std::initializer_list<double> values, double dt_ms, double largest_deviation) {
    for (const double value : values) {
        typename M::Params params{};
        params.*current = value;
        const double ours = rate_Hz(spikes_of<M>(params, dt_ms, 600), 2), exact = rate_Hz(spikes_of<M>(adaptive(params), 0.01, 600), 2);
        INFO(M::name << " at " << value << ", dt " << dt_ms << ": " << ours << " Hz, adaptive " << exact << " Hz");
        CHECK(ours == Approx(exact).epsilon(largest_deviation).margin(1e-9));
    }
}

}  // namespace

TEST_CASE("Adaptive steps agree with the reference to the rounding of the state", "[analytic]") {
    // The state is rounded to single precision at every point of the grid: v at 64 to 128 mV (4e-6) over the steps that it remembers.
    CHECK(traces_of<Adex>(adaptive(Adex::Params{.i_e_pA = 300}), 0.1, 50).largest_error() < 5e-4);
    CHECK(traces_of<Izhikevich>(adaptive(Izhikevich::Params{.i_e = 2}), 0.1, 50).largest_error() < 5e-4);
    CHECK(traces_of<HhTraub>(adaptive(HhTraub::Params{.i_e_pA = 10}), 0.1, 50).largest_error() < 5e-4);
    CHECK(traces_of<HhSquid>(adaptive(HhSquid::Params{.i_e_pA = 1000}), 0.1, 10).largest_error() < 5e-3);  // a spike multiplies it
}

TEST_CASE("The fixed schemes are second order in dt below threshold, the published one first order", "[analytic]") {
    const auto kick = [](std::size_t ex, std::size_t in) {
        return [=](UnitShard& shard) {
            shard.column(ex)[0] = 5;
            shard.column(in)[0] = 10;
        };
    };
    const auto adex = [&](double dt_ms) { return traces_of<Adex>({.i_e_pA = 600}, dt_ms, 50, kick(2, 3)).largest_error(); };
    const auto izhikevich = [](double dt_ms) { return traces_of<Izhikevich>({.i_e = 2}, dt_ms, 50).largest_error(); };
    const auto published = [](double dt_ms) {
        return traces_of<Izhikevich>({.i_e = 2, .integrator = IzhikevichIntegrator::published}, dt_ms, 50).largest_error();
    };
    const auto squid = [&](double dt_ms) { return traces_of<HhSquid>({.i_e_pA = 150}, dt_ms, 50, kick(4, 5)).largest_error(); };
    const auto spike = [&](double dt_ms) { return traces_of<HhSquid>({.i_e_pA = 1000}, dt_ms, 8, kick(4, 5)).largest_error(); };
    // the next order adds about dt over the shortest time constant of the trace: a tenth at most
    CHECK(order_of(adex, 0.8) == Approx(2).margin(0.3));
    CHECK(order_of(izhikevich, 0.4) == Approx(2).margin(0.2));
    CHECK(order_of(published, 0.1) == Approx(1).margin(0.1));
    CHECK(order_of(squid, 0.2) == Approx(2).margin(0.2));
    CHECK(order_of(spike, 0.05) == Approx(2).margin(0.2));
    CHECK(adex(0.1) < 1e-4);  // mV; docs/neurons.md has the figures
    CHECK(izhikevich(0.1) < 5e-4);
    CHECK(squid(0.1) < 2e-2);
}

TEST_CASE("Rates of the fixed schemes follow the adaptive ones", "[analytic]") {
    // On the grid an interval is lengthened by up to dt (spikes are seen at the end of a step, and reset there), 0.1 ms of 10 to 50 ms; the
    // error of the scheme comes on top, 1 % of an interval at 0.1 ms for Hodgkin-Huxley units and a tenth of that at 0.025 ms.
    check_rates<Adex>(&Adex::Params::i_e_pA, {600, 800, 1200, 2000}, 0.1, 0.01);
    check_rates<Izhikevich>(&Izhikevich::Params::i_e, {4.5, 6, 10, 20}, 0.1, 0.015);
    check_rates<HhTraub>(&HhTraub::Params::i_e_pA, {100, 200, 500, 1000}, 0.1, 0.025);
    check_rates<HhTraub>(&HhTraub::Params::i_e_pA, {200, 1000}, 0.02, 0.003);
    check_rates<HhSquid>(&HhSquid::Params::i_e_pA, {700, 1000, 2000}, 0.1, 0.015);
    check_rates<HhSquid>(&HhSquid::Params::i_e_pA, {700, 2000}, 0.02, 0.002);
}

TEST_CASE("Hodgkin-Huxley units rest where their currents cancel", "[analytic]") {
    for (const auto integrator : {Integrator::fixed, Integrator::adaptive}) {
        HhSquid::Params squid{};
        squid.integrator = integrator;
        const auto trace = traces_of<HhSquid>(squid, 0.1, 200).model;
        CHECK(trace.front() == Approx(-65).margin(0.01));  // e_l was chosen by Hodgkin & Huxley to make it so
        for (const double v : trace)
            REQUIRE(v == Approx(trace.front()).margin(2e-3).epsilon(0));  // roundings of the gates, 6e-8 of 1 nA each
        HhTraub::Params traub{};
        traub.integrator = integrator;
        const auto other = traces_of<HhTraub>(traub, 0.1, 200).model;
        CHECK(other.front() == Approx(-64.7).margin(0.5));
        for (const double v : other) REQUIRE(v == Approx(other.front()).margin(2e-3).epsilon(0));
    }
}

TEST_CASE("The squid axon fires where it should", "[analytic]") {
    // Steps of current in uA/cm^2 at 6.3 degrees: one spike from 2.3 on (Cooley & Dodge 1966; Koch 1999), a train from 6.2 on, 68 Hz at 10.
    const auto spikes = [](double uA_per_cm2) { return spikes_of<HhSquid>({.i_e_pA = 100 * uA_per_cm2}, 0.02, 1000); };
    CHECK(spikes(2.0).empty());
    CHECK(spikes(2.6).size() == 1);
    CHECK(spikes(6.0).size() < 10);
    CHECK(spikes(6.6).size() > 40);
    CHECK(static_cast<double>(spikes(10).size()) == Approx(68).margin(1));
}

TEST_CASE("An AdEx unit adapts and stays finite whatever the slope factor", "[contract]") {
    const auto times = spikes_of<Adex>({.i_e_pA = 900}, 0.1, 500);
    REQUIRE(times.size() > 5);
    CHECK(times[1] - times[0] < times[5] - times[4]);
    for (const auto integrator : {Integrator::fixed, Integrator::adaptive})
        for (const double delta_t_mV : {0.05, 0.5, 10.0})
            for (const double dt_ms : {0.1, 1.0}) {
                Adex::Params params{.delta_t_mV = delta_t_mV, .i_e_pA = 2000, .integrator = integrator};
                const UnitPopulation<Adex> population("unit", 1, params, dt_ms, false);
                UnitShard shard(0, 1, population.variables(), population.ports());
                population.reset(shard, {});
                std::size_t count = 0;
                for (Step n = 0; n < 300; ++n) {
                    SpikeList out;
                    population.step(shard, {}, n, out);
                    count += out.unit.size();
                    for (std::size_t k = 0; k < population.variables(); ++k) REQUIRE(std::isfinite(shard.column(k)[0]));
                }
                INFO("delta_t " << delta_t_mV << " dt " << dt_ms);
                CHECK(count > 0);
            }
}

TEST_CASE("The published scheme of Izhikevich is his program", "[golden]") {
    // The loop of the paper at dt = 1 ms for one regular spiking unit, i of step n the weight that arrives in it. Single precision differs
    // in the rounding, which every upswing multiplies, so it is spikes of 200 ms that are compared.
    double v = -70, u = 0.2 * v;
    std::vector<double> expected;
    const UnitPopulation<Izhikevich> population("unit", 1, {.integrator = IzhikevichIntegrator::published}, 1, false);
    UnitShard shard(0, 1, population.variables());
    population.reset(shard, {});
    std::vector<double> ours;
    for (Step n = 0; n < 200; ++n) {
        const double i = n < 5 ? 0 : 8 + static_cast<double>(n % 7);
        for (int half = 0; half < 2; ++half) v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + i);
        u += 0.02 * (0.2 * v - u);
        if (v >= 30) expected.push_back(static_cast<double>(n)), v = -65, u += 8;
        shard.input[0] = static_cast<float>(i);
        SpikeList out;
        population.step(shard, {}, n, out);
        if (!out.unit.empty()) ours.push_back(static_cast<double>(n));
    }
    CHECK(expected.size() > 2);
    CHECK(ours == expected);
}

TEST_CASE("The Hodgkin-Huxley units refuse a fixed step that cannot describe a spike", "[contract]") {
    CHECK_NOTHROW(HhTraub::check({}, 0.1, "populations.p"));
    CHECK_THROWS_AS(HhTraub::check({}, 0.2, "populations.p"), Error);
    CHECK_NOTHROW(HhTraub::check({.integrator = Integrator::adaptive}, 1, "populations.p"));
}
