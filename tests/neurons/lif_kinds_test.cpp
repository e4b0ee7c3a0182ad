// The other leaky integrate-and-fire units; tests/neurons/lif_test.cpp has the first one.
#include <catch2/catch.hpp>

#include "neurons/list.hpp"
#include "neurons/siegert.hpp"
#include "sim/circuit.hpp"
#include "tests/support/network.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using namespace ydot::neurons;

namespace {

/// Potential above rest, t after an alpha current of peak 1 pA began.
double alpha_response_mV(const LifAlpha::Params& p, double t_ms) {
    const double tm = p.tau_m_ms, ts = p.tau_syn_ms, rate = 1 / tm - 1 / ts, peak = std::exp(1.0) / ts / p.c_m_pF;
    const double z = rate * t_ms;
    if (std::abs(z) < 1e-3) return peak * std::exp(-t_ms / tm) * t_ms * t_ms * (0.5 + z / 3 + z * z / 8);
    return peak * (t_ms * std::exp(-t_ms / ts) / rate - (std::exp(-t_ms / ts) - std::exp(-t_ms / tm)) / (rate * rate));
}

/// Potential above rest after each step, an input to one receptor in step 0.
template <class M>
std::vector<double> response_of(const typename M::Params& params, double dt_ms, std::size_t port, float input, std::size_t steps) {
    const UnitPopulation<M> unit("unit", 1, params, dt_ms, false);
    UnitShard shard(0, 1, unit.variables(), unit.ports());
    unit.reset(shard, {});
    std::vector<double> above_rest_mV;
    shard.input[port * shard.padded] = input;
    for (std::size_t n = 0; n < steps; ++n) {
        SpikeList out;
        unit.step(shard, {}, static_cast<Step>(n), out);
        above_rest_mV.push_back(static_cast<double>(shard.column(0)[0]));
        shard.input[port * shard.padded] = 0;
    }
    return above_rest_mV;
}

struct Worst {
    double error = 0, largest = 0;
    void add(double figure, double exact) {
        error = std::max(error, std::abs(figure - exact));
        largest = std::max(largest, std::abs(exact));
    }
};

/// From reset under a constant current, a step that holds the crossing of the closed form; then t_ref.
template <class M>
void check_rate_at_constant_current(double c_m_pF, double tau_m_ms) {
    for (const double dt_ms : {0.1, 1.0})
        for (const double t_ref_ms : {0.0, 3.0})
            for (const double above_threshold : {0.9, 1.05, 1.5, 4.0}) {
                typename M::Params params{};
                params.c_m_pF = c_m_pF, params.tau_m_ms = tau_m_ms, params.t_ref_ms = t_ref_ms;
                const double threshold_mV = params.v_th_mV - params.v_rest_mV, asymptote_mV = above_threshold * threshold_mV,
                             reset_mV = params.v_reset_mV - params.v_rest_mV;
                params.i_e_pA = asymptote_mV * c_m_pF / tau_m_ms;
                const auto times = spikes_of<M>(params, dt_ms, 600);
                INFO(M::name << " dt " << dt_ms << " t_ref " << t_ref_ms << " current over threshold " << above_threshold);
                if (above_threshold < 1) {
                    CHECK(times.empty());
                    continue;
                }
                REQUIRE(times.size() > 2);
                const double steps = std::ceil(tau_m_ms * std::log((asymptote_mV - reset_mV) / (asymptote_mV - threshold_mV)) / dt_ms);
                for (std::size_t k = 1; k < times.size(); ++k)
                    REQUIRE(times[k] - times[k - 1] == Approx(steps * dt_ms + t_ref_ms).epsilon(1e-9));
            }
}

}  // namespace

TEST_CASE("An alpha current moves the potential by the closed form at any dt, also where tau_syn is tau_m", "[analytic]") {
    for (const double tau_syn_ms : {0.5, 2.0, 9.99, 10.0, 10.00001, 40.0})
        for (const double dt_ms : {0.1, 1.0, 5.0}) {
            const LifAlpha::Params params{.tau_m_ms = 10, .tau_syn_ms = tau_syn_ms};
            const auto response = response_of<LifAlpha>(params, dt_ms, 0, 1, static_cast<std::size_t>(80 / dt_ms));
            Worst worst;
            for (std::size_t k = 0; k < response.size(); ++k)
                worst.add(response[k], alpha_response_mV(params, static_cast<double>(k) * dt_ms));
            INFO("tau_syn " << tau_syn_ms << " dt " << dt_ms);
            CHECK(worst.error < 3e-5 * worst.largest);  // 800 steps, each rounds three coefficients and products: 800 x 3e-8
        }
}

TEST_CASE("The peak of the alpha current is the weight", "[analytic]") {
    const UnitPopulation<LifAlpha> unit("unit", 1, {.tau_syn_ms = 2}, 0.1, false);
    UnitShard shard(0, 1, unit.variables());
    unit.reset(shard, {});
    shard.input[0] = 37;
    float largest = 0;
    for (Step n = 0; n < 100; ++n) {
        SpikeList out;
        unit.step(shard, {}, n, out);
        shard.input[0] = 0;
        largest = std::max(largest, shard.column(1)[0]);
    }
    CHECK(static_cast<double>(largest) == Approx(37).epsilon(1e-5));  // the peak, after tau_syn, lies on the grid
}

TEST_CASE("Excitatory and inhibitory currents decay with time constants of their own", "[analytic]") {
    for (const double dt_ms : {0.1, 1.0}) {
        const LifCurr::Params params;
        for (const std::size_t port : {0u, 1u}) {
            const double tau_ms = port == 0 ? params.tau_ex_ms : params.tau_in_ms, weight = port == 0 ? 16.2 : -90, tm = params.tau_m_ms;
            const auto response =
                response_of<LifCurr>(params, dt_ms, port, static_cast<float>(weight), static_cast<std::size_t>(60 / dt_ms));
            Worst worst;
            for (std::size_t k = 0; k < response.size(); ++k) {
                const double t = static_cast<double>(k) * dt_ms;
                worst.add(response[k], weight * tm * tau_ms / (tm - tau_ms) / params.c_m_pF * (std::exp(-t / tm) - std::exp(-t / tau_ms)));
            }
            CHECK(worst.error < 2e-5 * worst.largest);  // as lif: 600 steps of 3e-8
        }
    }
}

TEST_CASE("An arrival jumps the potential of lif_delta in its step and is lost while it is refractory", "[contract]") {
    const LifDelta::Params params{.tau_m_ms = 20, .t_ref_ms = 2, .v_rest_mV = -70, .v_th_mV = -50, .v_reset_mV = -60};
    const auto decays = response_of<LifDelta>(params, 0.5, 0, 7, 100);
    for (std::size_t k = 0; k < decays.size(); ++k)
        CHECK(decays[k] == Approx(7 * std::exp(-static_cast<double>(k) * 0.5 / 20)).epsilon(100 * 1.2e-7));

    const UnitPopulation<LifDelta> unit("unit", 1, params, 1, false);
    UnitShard shard(0, 1, unit.variables());
    unit.reset(shard, {});
    std::vector<Step> spikes;
    for (Step n = 0; n < 6; ++n) {
        shard.input[0] = n == 0 ? 25.0f : n == 2 || n == 3 ? 9.0f : 0.0f;
        SpikeList out;
        unit.step(shard, {}, n, out);
        if (!out.unit.empty()) spikes.push_back(n);
        if (n <= 2) CHECK(shard.column(0)[0] == 10);  // reset, 10 mV above rest; the arrival of step 2 is lost
    }
    // silent in steps 1 and 2; the arrival of step 3 counts: 10 exp(-1/20) + 9 = 18.5 mV, below the threshold of 20
    CHECK(spikes == std::vector<Step>{0});
    CHECK(static_cast<double>(shard.column(0)[0]) == Approx((10 * std::exp(-0.05) + 9) * std::exp(-0.1)).epsilon(1e-6));
}

TEST_CASE("Constant conductances relax the potential with the total conductance", "[analytic]") {
    // tau_ex and tau_in of 10^9 ms: the conductances keep their values. The scheme is exact then.
    for (const double dt_ms : {0.1, 1.0, 10.0}) {
        const LifCond::Params params{.v_th_mV = 1e3, .i_e_pA = 40, .tau_ex_ms = 1e9, .tau_in_ms = 1e9};
        const double g_ex = 7, g_in = 30, leak = params.c_m_pF / params.tau_m_ms, all = leak + g_ex + g_in,
                     end_mV = (leak * params.v_rest_mV + g_ex * params.e_ex_mV + g_in * params.e_in_mV + params.i_e_pA) / all;
        const auto traces = traces_of<LifCond>(params, dt_ms, 40, [&](UnitShard& shard) {
            shard.column(1)[0] = static_cast<float>(g_ex);
            shard.column(2)[0] = static_cast<float>(g_in);
        });
        for (std::size_t k = 0; k < traces.model.size(); ++k) {
            const double exact = end_mV + (params.v_rest_mV - end_mV) * std::exp(-static_cast<double>(k) * dt_ms * all / params.c_m_pF);
            // a rounding of v (below 32 mV: 1e-6) in each of the steps that the membrane remembers, c / all / dt <= 43
            CHECK(traces.model[k] == Approx(exact).margin(4.3e-5).epsilon(0));
        }
    }
}

TEST_CASE("The mean of a conductance over a step is exact, alpha or exponential", "[analytic]") {
    // A weight of 1 nS leaves an area of tau (exponential) or e tau (alpha, peak 1).
    const auto area = [](auto conductance, double dt_ms) {
        typename decltype(conductance)::State s;
        double sum = static_cast<double>(conductance.step(s, 1)) * dt_ms;
        for (int n = 0; n < 4000; ++n) sum += static_cast<double>(conductance.step(s, 0)) * dt_ms;
        return sum;
    };
    for (const double dt_ms : {0.1, 1.0, 7.0}) {
        CHECK(area(ExponentialConductance::make(5, dt_ms), dt_ms) == Approx(5).epsilon(1e-5));
        CHECK(area(AlphaConductance::make(5, dt_ms), dt_ms) == Approx(5 * std::exp(1.0)).epsilon(1e-5));
    }
}

TEST_CASE("Leaky units with conductances are second order in dt", "[analytic]") {
    const auto order = [](auto error) { return std::log2(error(0.8) / error(0.4)); };
    const auto of = [](auto model, std::size_t ex, std::size_t in, float scale) {
        using M = decltype(model);
        return [=](double dt_ms) {
            return traces_of<M>({.v_th_mV = 1e3, .i_e_pA = 50}, dt_ms, 40,
                                [=](UnitShard& shard) {
                                    shard.column(ex)[0] = 30 * scale;
                                    shard.column(in)[0] = 100 * scale;
                                })
                .largest_error();
        };
    };
    const auto exponential = of(LifCond{}, 1, 2, 1);
    const auto alpha = of(LifCondAlpha{}, 2, 4, 0.4f);
    CHECK(order(exponential) == Approx(2).margin(0.15));  // of the next order: dt / tau_ex = 0.16
    CHECK(order(alpha) == Approx(2).margin(0.15));
    CHECK(exponential(0.1) < 1e-3);  // mV; docs/neurons.md has the figure
    CHECK(alpha(0.1) < 1e-3);
}

TEST_CASE("The rate of every leaky unit at constant current is the closed form", "[analytic]") {
    check_rate_at_constant_current<LifDelta>(250, 20);
    check_rate_at_constant_current<LifAlpha>(250, 10);
    check_rate_at_constant_current<LifCurr>(200, 20);
    check_rate_at_constant_current<LifCond>(200, 20);
    check_rate_at_constant_current<LifCondAlpha>(200, 20);
}

TEST_CASE("Poisson jumps of the potential make the rate of Siegert's formula", "[statistical]") {
    // Jumps of J = 0.1 mV at 50 kHz and a constant current. The formula is for white noise seen all the time. What a grid changes is known:
    //   mean and variance   those of a walk that jumps at the end of every step and decays by exp(-dt / tau) between
    //   threshold           looked at once a step, where the walk overshoots: it acts as one higher by 0.5826 s, s = J sqrt(nu dt) the
    //   standard
    //                       deviation of a step (Broadie, Glasserman & Kou 1997)
    // What is left: dt / tau of the rate, times (threshold - mu) / sigma of about 2: 1 %; and the skewness of the jumps, which changes the
    // density at the threshold, x standard deviations off, by skewness / 6 (x^3 - 3 x) (Edgeworth), up to 2 %.
    constexpr double jump_mV = 0.1, rate_Hz = 50e3, dt_ms = 0.1, tau_ms = 20, seconds = 10;
    constexpr std::uint32_t units = 200;
    const double in_step = rate_Hz * 1e-3 * dt_ms, keep = std::exp(-dt_ms / tau_ms), step_mV = jump_mV * std::sqrt(in_step),
                 deviation_mV = step_mV / std::sqrt(1 - keep * keep),
                 skewness = std::pow(jump_mV / deviation_mV, 3) * in_step / (1 - keep * keep * keep);
    for (const double mu_mV : {15.0, 18.0, 22.0}) {
        LifDelta::Params params{.tau_m_ms = tau_ms, .t_ref_ms = 2, .v_rest_mV = -70, .v_th_mV = -50, .v_reset_mV = -60};
        params.i_e_pA = (mu_mV - jump_mV * in_step / (1 - keep)) * params.c_m_pF / tau_ms;
        params.v_0_above_rest_mV = 10;
        const auto circuit = circuit_of(dt_ms, 11, population_of<LifDelta>("units", units, params, dt_ms, false));
        circuit->set_background(0, BackgroundInput::make("units", rate_Hz, jump_mV, dt_ms));
        double counted = 0;
        const auto trains = spike_times(*circuit, seconds * 1e3 + 200)[0];
        for (const auto& train : trains)
            for (const double t : train) counted += t > 200;
        const double threshold_mV = 20 + 0.5826 * step_mV, x = (threshold_mV - mu_mV) / deviation_mV,
                     expected = siegert_rate_Hz({tau_ms, 2, threshold_mV, 10}, {mu_mV, std::sqrt(2.0) * deviation_mV}) * seconds * units,
                     left = 0.01 + std::abs(skewness / 6 * (x * x * x - 3 * x));
        INFO("mu " << mu_mV << " mV, " << counted / seconds / units << " Hz, Siegert " << expected / seconds / units << " Hz, left "
                   << left);
        CHECK(std::abs(counted - expected) < five_sigma * std::sqrt(expected) + left * expected);  // CV of the intervals below 1
    }
}
