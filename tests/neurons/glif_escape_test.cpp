#include "neurons/glif_escape.hpp"

#include <catch2/catch.hpp>

#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using neurons::GlifEscape;

namespace {
constexpr double dt_ms = 0.5;

/// Intervals, mapped to what must be uniform: an interval of k steps with spike probabilities p_1 ... p_k is spread evenly over the
/// probability of its last step. probability(previous spikes of the unit, step) is p.
template <class Probability>
std::vector<double> rescaled(const GlifEscape::Params& params, std::uint32_t units, double duration_ms, Probability&& probability_after) {
    const auto circuit = circuit_of(dt_ms, 5, population_of<GlifEscape>("units", units, params, dt_ms, false));
    Draws draws(3, 3);
    std::vector<double> uniform;
    const auto trains = spike_times(*circuit, duration_ms)[0];
    for (const auto& train : trains) {
        std::vector<long> spikes;  // number of the step that each falls in
        for (const double t : train) spikes.push_back(std::lround(t / dt_ms) - 1);
        for (std::size_t k = 1; k < spikes.size(); ++k) {
            double survival = 1, p = 0;
            const auto probability = probability_after(std::span(spikes).first(k));
            for (long n = spikes[k - 1] + 1; n <= spikes[k]; ++n) {
                survival *= 1 - p;
                p = probability(n);
            }
            uniform.push_back(1 - survival * (1 - p * draws.uniform()));
        }
    }
    return uniform;
}
double identity(double x) { return x; }
}  // namespace

TEST_CASE("At a constant potential a unit with escape noise fires with the hazard of the closed form", "[statistical]") {
    // v_reset is where the current holds v: the hazard is constant, rho_0 exp((v - v_th) / delta_v), after the refractory time.
    for (const double distance_mV : {-3.0, 0.0, 1.5}) {
        GlifEscape::Params params{.t_ref_ms = 4, .delta_v_mV = 2};
        params.v_reset_mV = params.v_th_mV + distance_mV;
        params.v_0_above_rest_mV = params.v_reset_mV - params.v_rest_mV;
        params.i_e_pA = params.v_0_above_rest_mV * params.c_m_pF / params.tau_m_ms;
        const double p = -std::expm1(-params.rho_0_Hz * std::exp(distance_mV / params.delta_v_mV) * dt_ms * 1e-3);
        const auto uniform = rescaled(params, 100, 10000, [&](std::span<const long> spikes) {
            return [p, last = spikes.back()](long n) { return n <= last + 8 ? 0 : p; };  // 4 ms of silence
        });
        INFO("v - v_th " << distance_mV << ", " << uniform.size() << " intervals");
        REQUIRE(uniform.size() > 5000);
        CHECK(ks_distance(uniform, identity) < ks_bound);
    }
}

TEST_CASE("After a spike the hazard follows the closed form of the potential, the threshold and the adaptation current", "[statistical]") {
    // dv/dt = -v / tau_m + (i_e - w) / c_m from v_reset at the end of the refractory time; w and theta decay from jumps at every spike.
    const GlifEscape::Params params{.t_ref_ms = 2,
                                    .v_reset_mV = -65,
                                    .i_e_pA = 420,
                                    .delta_v_mV = 1.5,
                                    .theta_jump_mV = 2,
                                    .tau_theta_ms = 30,
                                    .b_pA = 60,
                                    .tau_w_ms = 80};
    const double tm = params.tau_m_ms, tw = params.tau_w_ms, c = params.c_m_pF;
    const auto uniform = rescaled(params, 200, 4000, [&](std::span<const long> spikes) {
        double w = 0, theta = 0;  // at the end of the refractory time, after the last spike
        const long free_from = spikes.back() + 4;
        for (const long s : spikes) {
            const double age_ms = static_cast<double>(free_from - s) * dt_ms;
            w += params.b_pA * std::exp(-age_ms / tw);
            theta += params.theta_jump_mV * std::exp(-age_ms / params.tau_theta_ms);
        }
        return [&params, w, theta, free_from, tm, tw, c](long n) {
            if (n <= free_from) return 0.0;
            const double t = static_cast<double>(n - free_from) * dt_ms, keep = std::exp(-t / tm), rest = params.v_rest_mV;
            const double v = rest + (params.v_reset_mV - rest) * keep + params.i_e_pA * tm / c * (1 - keep) -
                             w / c * tm * tw / (tm - tw) * (keep - std::exp(-t / tw));
            const double over = v - params.v_th_mV - theta * std::exp(-t / params.tau_theta_ms);
            return -std::expm1(-params.rho_0_Hz * std::exp(over / params.delta_v_mV) * dt_ms * 1e-3);
        };
    });
    INFO(uniform.size() << " intervals");
    REQUIRE(uniform.size() > 5000);
    CHECK(ks_distance(uniform, identity) < ks_bound);
}

TEST_CASE("Weights onto a unit with escape noise are currents", "[contract]") {
    const auto unit = population_of<GlifEscape>("unit", 1, {.tau_m_ms = 10, .tau_syn_ms = 2}, 0.1, false);
    CHECK(!unit->reads_activity());
    CHECK(!unit->has_rate());
    UnitShard shard(0, 1, unit->variables());
    unit->reset(shard, {});
    shard.input[0] = 100;
    for (Step n = 0; n < 50; ++n) {
        SpikeList out;
        unit->step(shard, {}, n, out);
        shard.input[0] = 0;
        const double t = 0.1 * static_cast<double>(n);
        CHECK(static_cast<double>(shard.column(0)[0]) == Approx(100 * 2.5 / 250 * (std::exp(-t / 10) - std::exp(-t / 2))).margin(1e-6));
    }
}

TEST_CASE("Units with escape noise may differ from one another", "[contract]") {
    // A unit with parameters of its own does what it does in a population that has them in common.
    std::vector<GlifEscape::Params> each;
    for (int k = 0; k < 10; ++k)
        each.push_back({.t_ref_ms = 1.0 + k, .i_e_pA = 350 + 10.0 * k, .rho_0_Hz = 20 + 10.0 * k, .b_pA = 5.0 * k});
    const auto mixed = spike_times(
        *circuit_of(dt_ms, 1, std::make_unique<const UnitPopulation<GlifEscape>>("u", 10, each[0], dt_ms, false, each)), 500)[0];
    for (std::size_t k = 0; k < each.size(); ++k) {
        const auto alike = spike_times(*circuit_of(dt_ms, 1, population_of<GlifEscape>("u", 10, each[k], dt_ms, false)), 500)[0];
        CHECK(!mixed[k].empty());
        CHECK(mixed[k] == alike[k]);
    }
}
