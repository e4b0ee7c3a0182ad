#include "neurons/lif.hpp"

#include <catch2/catch.hpp>

#include "tests/support/network.hpp"

using namespace ydot;
using namespace ydot::test;
using neurons::Lif;

namespace {

/// Potential above rest, t after a jump of the current by 1 pA.
double response_mV(const Lif::Params& p, double t_ms) {
    const double tm = p.tau_m_ms, ts = p.tau_syn_ms;
    if (std::abs(tm - ts) < 1e-9 * tm) return t_ms / p.c_m_pF * std::exp(-t_ms / tm);
    return tm * ts / (tm - ts) / p.c_m_pF * (std::exp(-t_ms / tm) - std::exp(-t_ms / ts));
}

const std::vector<Lif::Params> kinds{{},
                                     {.tau_m_ms = 20, .tau_syn_ms = 0.5},
                                     {.tau_m_ms = 10, .tau_syn_ms = 10},
                                     {.tau_m_ms = 10, .tau_syn_ms = 10.00001},
                                     {.tau_m_ms = 5, .tau_syn_ms = 50}};

}  // namespace

TEST_CASE("The potential of an integrate-and-fire unit is the closed form at any dt", "[analytic]") {
    for (const auto& params : kinds)
        for (const double dt_ms : {0.1, 0.5, 1.0}) {
            const auto unit = population_of<Lif>("lif", 1, params, dt_ms, false);
            const auto response = unit->impulse_response(static_cast<std::size_t>(60 / dt_ms));
            double largest = 0, worst = 0;
            for (std::size_t k = 0; k < response.size(); ++k) {
                const double exact = response_mV(params, static_cast<double>(k) * dt_ms);
                largest = std::max(largest, exact);
                worst = std::max(worst, std::abs(response[k] - exact));
            }
            INFO("tau_m " << params.tau_m_ms << " tau_syn " << params.tau_syn_ms << " dt " << dt_ms);
            CHECK(worst < 2e-5 * largest);  // up to 600 steps, each rounds a coefficient and two products: 600 x 3e-8
        }
}

TEST_CASE("Many inputs add up to the sum of closed forms", "[analytic]") {
    for (const auto& params : kinds)
        for (const double dt_ms : {0.1, 1.0}) {
            const auto unit = population_of<Lif>("lif", 1, params, dt_ms, false);
            UnitShard shard(0, 1, unit->variables());
            unit->reset(shard, {});
            Draws draws(1, 2);
            std::vector<std::pair<Step, double>> inputs;
            double worst = 0, largest = 0;
            for (Step n = 0; n < 400; ++n) {
                const double input_pA = draws.uniform() < 0.1 ? draws.uniform(-20, 20) : 0;
                shard.input[0] = static_cast<float>(input_pA);
                SpikeList out;
                unit->step(shard, {}, n, out);
                REQUIRE(out.unit.empty());
                double exact = 0;
                for (const auto& [at, pA] : inputs) exact += pA * response_mV(params, static_cast<double>(n - at) * dt_ms);
                inputs.emplace_back(n, input_pA);
                worst = std::max(worst, std::abs(static_cast<double>(shard.column(0)[0]) - exact));
                largest = std::max(largest, std::abs(exact));
            }
            CHECK(worst < 5e-5 * largest);  // as above; inputs of both signs cancel in the sum, not in the rounding
        }
}

TEST_CASE("The rate of an integrate-and-fire unit at constant current is the closed form", "[analytic]") {
    for (const double dt_ms : {0.1, 1.0})
        for (const double t_ref_ms : {0.0, 2.0, 5.0})
            for (const double current_pA : {300.0, 376.0, 400.0, 600.0, 1500.0}) {
                Lif::Params params{.t_ref_ms = t_ref_ms, .i_e_pA = current_pA};
                const auto circuit = circuit_of(dt_ms, 1, population_of<Lif>("lif", 1, params, dt_ms, false));
                const auto train = spike_times(*circuit, 1000)[0][0];
                const double asymptote_mV = current_pA * params.tau_m_ms / params.c_m_pF, threshold_mV = params.v_th_mV - params.v_rest_mV;
                INFO("current " << current_pA << " dt " << dt_ms << " t_ref " << t_ref_ms);
                if (asymptote_mV <= threshold_mV) {
                    CHECK(train.empty());
                    continue;
                }
                REQUIRE(train.size() > 2);
                // from reset the threshold is reached within the step that holds the crossing; the closed form rounds up to a whole step
                const double crossing_ms = params.tau_m_ms * std::log(asymptote_mV / (asymptote_mV - threshold_mV));
                const double steps = std::ceil(crossing_ms / dt_ms);
                CHECK(train[0] == Approx(steps * dt_ms));
                for (std::size_t k = 1; k < train.size(); ++k)
                    REQUIRE(train[k] - train[k - 1] == Approx(steps * dt_ms + t_ref_ms).epsilon(1e-9));
            }
}

TEST_CASE("An integrate-and-fire unit holds its potential while refractory and its current goes on", "[contract]") {
    const Lif::Params params{.tau_syn_ms = 5, .t_ref_ms = 3};
    const auto unit = population_of<Lif>("lif", 1, params, 1, false);
    UnitShard shard(0, 1, unit->variables());
    unit->reset(shard, {});
    shard.input[0] = 20000;
    std::vector<Step> spikes;
    for (Step n = 0; n < 8; ++n) {
        SpikeList out;
        unit->step(shard, {}, n, out);
        shard.input[0] = 0;
        if (!out.unit.empty()) spikes.push_back(n);
        if (n >= 1 && n <= 4) CHECK(shard.column(0)[0] == 0);  // reset is rest here
        CHECK(static_cast<double>(shard.column(1)[0]) == Approx(20000 * std::exp(-static_cast<double>(n) / 5)).epsilon(1e-5));
    }
    CHECK(spikes == std::vector<Step>{1, 5});  // the jump of step 0 moves v in step 1; silent in 2, 3, 4
}
