#include <catch2/catch.hpp>
#include <complex>
#include <numbers>

#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;
using neurons::Lif;
using neurons::NoiseCurrent;
using neurons::SineCurrent;
using neurons::StepCurrent;

namespace {

template <class C>
void stimulate(Circuit& circuit, const std::string& name, const typename C::Params& params, std::vector<std::uint32_t> units = {}) {
    C::check(params, circuit.dt_ms(), name);
    circuit.add_stimulus({name, 0, std::move(units), std::make_unique<CurrentOf<C>>(params, circuit.dt_ms())});
}

struct Log final : FrameObserver {
    std::vector<std::vector<std::vector<double>>> frames;  ///< by probe
    void frame(std::size_t probe, std::span<const float> values) override {
        frames.resize(std::max(frames.size(), probe + 1));
        frames[probe].emplace_back(values.begin(), values.end());
    }
};

std::vector<std::uint32_t> first_units(std::uint32_t n) {
    std::vector<std::uint32_t> units(n);
    for (std::uint32_t i = 0; i < n; ++i) units[i] = i;
    return units;
}

/// Frames of every step: frame k at time k dt.
std::vector<std::vector<double>> traces(Circuit& circuit, Step steps, std::size_t variable, std::uint32_t units, std::uint32_t trial = 0) {
    Log log;
    Replica replica(circuit);
    replica.set_parallel(true);
    replica.set_probes({{.variable = variable, .units = first_units(units), .last = steps}}, &log);
    replica.reset(trial);
    replica.run(steps);
    return log.frames.at(0);
}

std::unique_ptr<Circuit> lif_circuit(double dt_ms, const Lif::Params& params = {}, std::uint32_t units = 1, std::uint64_t seed = 1) {
    return circuit_of(dt_ms, seed, population_of<Lif>("lif", units, params, dt_ms, false));
}

constexpr std::size_t v = 0, no_variable = Probe::current;

}  // namespace

TEST_CASE("The potential under a step current is the closed form at every step", "[analytic]") {
    const Lif::Params unit{.tau_m_ms = 15, .c_m_pF = 200, .v_rest_mV = -65, .v_th_mV = 1000, .i_e_pA = 30};
    const StepCurrent::Params current{{5, 20.5, 60}, {100, -250, 40}};
    for (const double dt_ms : {0.1, 0.5}) {
        const auto circuit = lif_circuit(dt_ms, unit);
        stimulate<StepCurrent>(*circuit, "step", current);
        const auto trace = traces(*circuit, static_cast<Step>(100 / dt_ms), v, 1);
        double worst = 0;
        for (std::size_t k = 0; k < trace.size(); ++k) {
            const double t = static_cast<double>(k) * dt_ms, r = unit.tau_m_ms / unit.c_m_pF;
            double exact = unit.v_rest_mV + r * unit.i_e_pA * -std::expm1(-t / unit.tau_m_ms), before = 0;
            for (std::size_t s = 0; s < current.times_ms.size(); ++s) {
                if (t > current.times_ms[s])
                    exact += r * (current.amplitudes_pA[s] - before) * -std::expm1(-(t - current.times_ms[s]) / unit.tau_m_ms);
                before = current.amplitudes_pA[s];
            }
            worst = std::max(worst, std::abs(trace[k][0] - exact));
        }
        CHECK(trace.size() == static_cast<std::size_t>(100 / dt_ms));
        CHECK(worst < 2e-4);  // mV; v above rest is up to 20 mV, a step rounds it by 1e-6, and errors last for 15 ms: 150 steps at 0.1 ms
    }
}

TEST_CASE("A step of current acts from its time on, and not before", "[contract]") {
    const auto circuit = lif_circuit(0.1);
    stimulate<StepCurrent>(*circuit, "step", {{1.0}, {100}});
    const auto trace = traces(*circuit, 20, v, 1), pA = traces(*circuit, 20, no_variable, 1);
    CHECK(trace[10][0] == -70);  // at 1.0 ms
    CHECK(trace[11][0] > -70);
    CHECK(pA[10][0] == 0);  // that of the step that ended then
    CHECK(pA[11][0] == 100);
}

TEST_CASE("A current does not move a silent unit, and reaches only the units it names", "[contract]") {
    const auto circuit = lif_circuit(0.1, {.t_ref_ms = 5}, 5000);
    stimulate<StepCurrent>(*circuit, "step", {{0}, {1e5}}, {1, 4999});
    const auto trace = traces(*circuit, 40, v, 5000);
    for (const auto& frame : trace)
        for (std::size_t i = 0; i < frame.size(); ++i)
            if (i != 1 && i != 4999) REQUIRE(frame[i] == -70);
    Log log;
    SpikeTimesLog spikes(*circuit);
    Replica replica(*circuit);
    replica.set_observer(&spikes);
    replica.run(60);
    CHECK(count_of(spikes.times[0]) == 4);  // both at 0.1 ms (40 mV in a step) and 51 steps later
    CHECK(spikes.times[0][4999] == std::vector<double>{0.1, 5.2});
    CHECK(spikes.times[0][0].empty());
}

TEST_CASE("Several currents add up, whatever their order", "[contract]") {
    const auto both = lif_circuit(0.1), one = lif_circuit(0.1);
    stimulate<StepCurrent>(*both, "a", {{0, 1}, {100, 0}});
    stimulate<StepCurrent>(*both, "b", {{0.5}, {50}});
    stimulate<StepCurrent>(*one, "c", {{0, 0.5, 1}, {100, 150, 50}});
    CHECK(traces(*both, 50, v, 1) == traces(*one, 50, v, 1));
}

TEST_CASE("The subthreshold response to a sine current has the amplitude and phase of the transfer function", "[analytic]") {
    const Lif::Params unit{.tau_m_ms = 10, .c_m_pF = 250, .v_th_mV = 1000};
    const double dt_ms = 0.1, phase = 0.7, offset_pA = 50, amplitude_pA = 200;
    for (const double frequency_Hz : {2.0, 10.0, 50.0, 200.0}) {
        const auto circuit = lif_circuit(dt_ms, unit);
        stimulate<SineCurrent>(*circuit, "sine",
                               {.amplitude_pA = amplitude_pA, .frequency_Hz = frequency_Hz, .phase_rad = phase, .offset_pA = offset_pA});
        const auto trace = traces(*circuit, 20000, v, 1);
        // Whole periods of the last second; the transient has died out (exp(-100)).
        std::complex<double> fourier = 0;
        double mean = 0;
        const double omega = 2 * std::numbers::pi * frequency_Hz * 1e-3;
        for (std::size_t k = 10000; k < 20000; ++k) {
            const double x = trace[k][0] - unit.v_rest_mV;
            mean += x / 10000;
            fourier += 2 * x * std::polar(1.0, -omega * dt_ms * static_cast<double>(k)) / 10000.0;
        }
        const std::complex<double> expected = amplitude_pA * unit.tau_m_ms / unit.c_m_pF * std::polar(1.0, phase - std::numbers::pi / 2) /
                                              std::complex<double>(1, omega * unit.tau_m_ms);
        // A current that is constant in a step has its sine's mean there: the response errs by (omega dt)^2 / 12 of its size at the most,
        // beside float rounding as for the step current.
        INFO(frequency_Hz << " Hz: amplitude " << std::abs(fourier) << " for " << std::abs(expected) << ", phase " << std::arg(fourier)
                          << " for " << std::arg(expected));
        const double bound = std::pow(omega * dt_ms, 2) / 6 + 1e-4 / std::abs(expected);
        CHECK(std::abs(std::abs(fourier) / std::abs(expected) - 1) < bound);
        CHECK(std::abs(std::arg(fourier / expected)) < bound);
        CHECK(std::abs(mean - offset_pA * unit.tau_m_ms / unit.c_m_pF) < 1e-4);
    }
}

TEST_CASE("A sine or noise current is off before its start and from its stop on", "[contract]") {
    const auto circuit = lif_circuit(0.1, {}, 2);
    stimulate<SineCurrent>(*circuit, "sine", {.amplitude_pA = 0, .offset_pA = 7, .start_ms = 1, .stop_ms = 2});
    stimulate<NoiseCurrent>(*circuit, "noise", {.mean_pA = 100, .std_pA = 1, .step_ms = 0.7, .start_ms = 3, .stop_ms = 4});
    const auto pA = traces(*circuit, 60, no_variable, 2);
    for (std::size_t k = 1; k < pA.size(); ++k) {
        INFO("step " << k - 1);
        const bool sine = k - 1 >= 10 && k - 1 < 20, noise = k - 1 >= 30 && k - 1 < 40;
        CHECK((pA[k][0] == 7) == sine);
        CHECK((pA[k][0] > 90) == noise);
        CHECK((pA[k][0] == 0) == (!sine && !noise));
        if (k > 31 && noise) CHECK((pA[k][0] == pA[k - 1][0]) == (k - 1 != 37));  // drawn anew after 0.7 ms
        if (noise) CHECK(pA[k][0] != pA[k][1]);
    }
}

TEST_CASE("The variance of the potential under noise current is the closed form", "[statistical]") {
    const double dt_ms = 0.1;
    for (const double step_ms : {0.1, 1.0, 20.0}) {
        const Lif::Params unit{.tau_m_ms = 10, .c_m_pF = 250, .v_th_mV = 1000};
        const NoiseCurrent::Params noise{.mean_pA = 100, .std_pA = 300, .step_ms = step_ms};
        constexpr std::uint32_t units = 20000;
        const auto circuit = lif_circuit(dt_ms, unit, units, 11);
        stimulate<NoiseCurrent>(*circuit, "noise", noise);
        const auto steps = static_cast<Step>(200 / dt_ms);
        Log log;
        Replica replica(*circuit);
        replica.set_probes({{.variable = v, .units = first_units(units), .first = steps, .last = steps + 1}}, &log);
        replica.run(steps + 1);
        const auto& at_end = log.frames.at(0).at(0);
        double mean = 0, square = 0, neighbours = 0;
        for (const double x : at_end) mean += x / units;
        for (std::size_t i = 0; i < units; ++i) {
            square += std::pow(at_end[i] - mean, 2) / (units - 1);
            if (i > 0) neighbours += (at_end[i] - mean) * (at_end[i - 1] - mean) / (units - 1);
        }
        const double r = unit.tau_m_ms / unit.c_m_pF, keep = std::exp(-step_ms / unit.tau_m_ms);
        const double variance = std::pow(noise.std_pA * r, 2) * (1 - keep) / (1 + keep);
        INFO("step " << step_ms << " ms: variance " << square << " for " << variance << ", mean " << mean);
        // Units are independent and v is Gaussian: the standard error of the variance is sqrt(2 / n) of it. Two-sided, alpha = 5.7e-7 each.
        CHECK(std::abs(square / variance - 1) < five_sigma * std::sqrt(2.0 / (units - 1)));
        CHECK(std::abs(mean - (unit.v_rest_mV + noise.mean_pA * r)) < five_sigma * std::sqrt(variance / units));
        CHECK(std::abs(neighbours / variance) < five_sigma / std::sqrt(units));  // independent over units
    }
}

TEST_CASE("Noise is keyed by seed, stimulus, trial, unit and interval", "[contract]") {
    const auto run = [](std::uint64_t seed, const std::string& name, std::uint32_t trial, std::vector<std::uint32_t> units = {}) {
        const auto circuit = lif_circuit(0.1, {}, 100, seed);
        stimulate<NoiseCurrent>(*circuit, name, {.step_ms = 0.5}, std::move(units));
        return traces(*circuit, 40, no_variable, 100, trial);
    };
    const auto first = run(1, "noise", 0), part = run(1, "noise", 0, {3, 64});
    CHECK(first == run(1, "noise", 0));
    CHECK(first != run(2, "noise", 0));
    CHECK(first != run(1, "other", 0));
    CHECK(first != run(1, "noise", 1));
    for (std::size_t k = 1; k < 40; ++k) {
        CHECK(part[k][3] == first[k][3]);  // whether other units are reached changes nothing
        CHECK(part[k][64] == first[k][64]);
        CHECK(part[k][4] == 0);
    }
}

TEST_CASE("Currents and frames have the same bits for any number of threads", "[contract]") {
    const auto run = [](int threads) {
        return with_threads(threads, [] {
            const auto circuit = lif_circuit(0.1, {}, 9000);
            stimulate<NoiseCurrent>(*circuit, "noise", {.mean_pA = 350, .std_pA = 400, .step_ms = 0.3});
            stimulate<SineCurrent>(*circuit, "sine", {});
            return traces(*circuit, 300, v, 9000);
        });
    };
    const auto one = run(1);
    CHECK((run(2) == one));
    CHECK((run(5) == one));
}

TEST_CASE("A replica that is reset has the currents of a new one", "[contract]") {
    const auto circuit = lif_circuit(0.1, {}, 10);
    stimulate<NoiseCurrent>(*circuit, "noise", {.step_ms = 5});
    stimulate<StepCurrent>(*circuit, "step", {{1}, {100}});
    Log log;
    Replica replica(*circuit);
    replica.set_probes({{.variable = no_variable, .units = first_units(10), .last = 30}}, &log);
    replica.run(13);
    log.frames.clear();
    replica.reset(0);
    replica.run(30);
    CHECK(log.frames.at(0) == traces(*circuit, 30, no_variable, 10));
}

TEST_CASE("Recorded potentials are absolute, also where units differ", "[contract]") {
    std::vector<Lif::Params> each;
    for (int i = 0; i < 5000; ++i) each.push_back({.v_rest_mV = -60.0 - i % 7, .v_0_above_rest_mV = 0.5});
    std::vector<Member> members;
    members.push_back(std::make_unique<UnitPopulation<Lif>>("lif", 5000, Lif::Params{}, 0.1, false, each));
    Circuit circuit(0.1, 1, std::move(members));
    const auto trace = traces(circuit, 2, v, 5000);
    for (std::size_t i = 0; i < 5000; ++i) {
        REQUIRE(trace[0][i] == -59.5 - static_cast<double>(i % 7));
        REQUIRE(std::abs(trace[1][i] - (-60.0 - static_cast<double>(i % 7) + 0.5 * std::exp(-0.01))) < 1e-5);
    }
}

TEST_CASE("A variable of state is recorded as it is, from units of several shards and at an interval", "[contract]") {
    const auto circuit = lif_circuit(0.1, {.t_ref_ms = 2}, 9000);
    stimulate<StepCurrent>(*circuit, "kick", {{0, 0.1}, {1e5, 0}}, {4095, 4096, 8999});
    Log log;
    Replica replica(*circuit);
    replica.set_probes(
        {{.variable = 2, .units = {0, 4095, 4096, 8999}, .first = 1, .every = 5, .last = 18}, {.units = {8999}, .first = 0, .last = 2}},
        &log);
    replica.run(7);
    replica.run(20);
    REQUIRE(log.frames.at(0).size() == 4);  // of steps 1, 6, 11, 16
    for (std::size_t k = 0; k < 4; ++k) CHECK(log.frames[0][k] == std::vector<double>{0, 20.0 - 5.0 * k, 20.0 - 5.0 * k, 20.0 - 5.0 * k});
    CHECK(log.frames.at(1) == std::vector<std::vector<double>>{{-70}, {-70}});  // fires in step 0 and is reset
}

TEST_CASE("Bad parameters of a current are refused", "[contract]") {
    CHECK_THROWS_WITH(StepCurrent::check({{}, {}}, 0.1, "s"), Catch::Contains("of one length, at least 1"));
    CHECK_THROWS_WITH(StepCurrent::check({{0, 1}, {1}}, 0.1, "s"), Catch::Contains("got 2 and 1"));
    CHECK_THROWS_WITH(StepCurrent::check({{1, 1}, {1, 2}}, 0.1, "s"), Catch::Contains("must ascend"));
    CHECK_THROWS_WITH(StepCurrent::check({{0.15}, {1}}, 0.1, "s"), Catch::Contains("must be a multiple of run.dt_ms = 0.1, got 0.15"));
    CHECK_THROWS_WITH(NoiseCurrent::check({.step_ms = 0.25}, 0.1, "s"), Catch::Contains("must be a multiple of run.dt_ms"));
    CHECK_THROWS_WITH(SineCurrent::check({.start_ms = 3, .stop_ms = 2}, 0.1, "s"), Catch::Contains("must be > start_ms = 3"));
}
