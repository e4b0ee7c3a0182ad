// What STDP computes, beside the checks of `ydot verify` (tests/verify/stdp_test.cpp): windows, drift of unbalanced ones, the causal
// correction (law L3).
#include <catch2/catch.hpp>

#include "neurons/list.hpp"
#include "plasticity/list.hpp"
#include "sim/batch_learning.hpp"
#include "sim/lazy_learning.hpp"
#include "tests/support/drift.hpp"
#include "tests/support/network.hpp"
#include "tests/support/pairs.hpp"
#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;
using namespace ydot::plasticity;

namespace {

constexpr double bi_poo_window(double s_ms) {
    return s_ms > 0 ? 0.78 * std::exp(-s_ms / 17) : s_ms < 0 ? -0.27 * std::exp(s_ms / 34) : 0.5 * (0.78 - 0.27);
}
constexpr Stdp::Params bi_poo{0.78, 0.27, 17, 34, Pairing::all};

template <RuleModel R>
Plasticity plasticity_with(const typename R::Params& params, std::uint32_t sources, Gate gate = Gate::later) {
    Plasticity p = plasticity_of({}, sources);
    p.rule = std::make_shared<RuleOf<R>>(params);
    p.gate = gate;
    return p;
}

/// Means over repetitions have t-distributed errors: with 39 degrees of freedom and more |t| > 6.5 has probability below 1.1e-7, so that
/// nine comparisons in one test stay below 1e-6.
constexpr int repetitions = 40;
constexpr double t_bound = 6.5;

/// Spikes of `units` units over rate.size() steps of dt: independent, rate[n] Hz in step n (rates of Bernoulli steps, exact at any dt).
SpikeHistory history_of(std::uint32_t units, const std::vector<double>& rate_Hz, double dt_ms, Draws& draws) {
    SpikeHistory history(rate_Hz.size());
    for (std::size_t n = 0; n < rate_Hz.size(); ++n)
        for (std::uint32_t i = 0; i < units; ++i)
            if (draws.uniform() < rate_Hz[n] * dt_ms * 1e-3) history.at(static_cast<Step>(n)).unit.push_back(i);
    return history;
}

/// Mean change of a synapse over presentations with these rates: measured, its standard error, and the sum over the pairs of steps.
struct Change {
    double measured, error, expected;
};
Change change_of(const Plasticity& plasticity, const std::vector<double>& pre_Hz, const std::vector<double>& post_Hz, const GateTrace& gate,
                 double dt_ms, std::uint32_t key) {
    constexpr std::uint32_t units = 64;
    SynapseBlock block(every_pair(
                           units, units, [](auto, auto) { return 0; }, [](auto, auto) { return 1; }),
                       units, 0, units);
    const BatchLearner learner(plasticity, DelaySite::axonal, dt_ms);
    BatchLearner::Scratch scratch;
    std::vector<double> means;
    for (int k = 0; k < repetitions; ++k) {
        Draws draws(31, stream_of("laws", Purpose::fire), static_cast<std::uint32_t>(k), key);
        const auto pre = history_of(units, pre_Hz, dt_ms, draws), post = history_of(units, post_Hz, dt_ms, draws);
        ChangeSum changes;
        learner.accumulate(block, pre, post, gate, {}, scratch, changes);
        std::fill(block.weights().begin(), block.weights().end(), 0.0f);
        ChangeSum* const all[] = {&changes};
        std::vector<float> velocity;
        learner.apply(block, 0, units, all, velocity, 1, 1);
        double sum = 0;
        block.for_each([&sum](auto, auto, auto, float w) { sum += static_cast<double>(w); });
        means.push_back(sum / (units * units));
    }
    const auto w = plasticity.rule->window();
    double expected = 0;
    const auto steps = static_cast<Step>(pre_Hz.size());
    for (Step n = 1; n < steps; ++n)  // arrival of a spike of n - 1
        for (Step m = 0; m < steps; ++m) {
            if (!gate_lets(gate.open, plasticity.gate, n, m)) continue;
            const double s = static_cast<double>(m - n) * dt_ms;
            const double k = s > 0   ? w.a_plus * std::exp(-s / w.tau_plus_ms)
                             : s < 0 ? -w.a_minus * std::exp(s / w.tau_minus_ms)
                                     : 0.5 * (w.a_plus - w.a_minus);
            expected += k * pre_Hz[static_cast<std::size_t>(n) - 1] * post_Hz[static_cast<std::size_t>(m)] * dt_ms * dt_ms * 1e-6;
        }
    const auto m = moments_of(means);
    return {m.mean, m.error(), expected};
}
void check(const Change& c) {
    INFO("measured " << c.measured << " +- " << c.error << ", expected " << c.expected);
    CHECK(std::abs(c.measured - c.expected) < t_bound * c.error);
}

GateTrace gate_of(std::size_t steps, std::size_t from, std::size_t to) {
    GateTrace gate{std::vector<std::uint8_t>(steps, 0), std::vector<std::uint8_t>(steps, 1)};
    std::fill(gate.open.begin() + static_cast<std::ptrdiff_t>(from), gate.open.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{1});
    return gate;
}
GateTrace open_gate(std::size_t steps) { return gate_of(steps, 0, steps); }

}  // namespace

TEST_CASE("Every rule has the window that it states", "[analytic]") {
    const auto pair = [](const std::shared_ptr<const PairRule>& rule, Step lag) {
        auto plasticity = plasticity_of({}, 1);
        plasticity.rule = rule;
        SynapseBlock block(one_synapse(0, 1), 1, 0, 1);
        LazyLearner learner(plasticity, block, 1);
        const std::uint32_t unit = 0;
        for (Step n = 0; n < 200; ++n) {
            const std::span<const std::uint32_t> none, one(&unit, 1), arrivals[] = {n == 100 ? one : none};
            learner.step(n, arrivals, n == 100 + lag ? one : none, nullptr);
        }
        return static_cast<double>(block.weights()[0]);
    };
    for (const Step lag : {-30, -3, -1, 1, 2, 25}) {
        const double s = static_cast<double>(lag);
        CHECK(pair(std::make_shared<RuleOf<Stdp>>(bi_poo), lag) == Approx(bi_poo_window(s)).epsilon(1e-5));
        const double antisymmetric = 0.4 * (s > 0 ? 1 : -1) * std::exp(-std::abs(s) / 25);
        CHECK(pair(std::make_shared<RuleOf<Derivative>>(Derivative::Params{0.4, 25, Pairing::all}), lag) ==
              Approx(antisymmetric).epsilon(1e-5));
        CHECK(pair(std::make_shared<RuleOf<Recirculation>>(Recirculation::Params{0.4, 25, Pairing::all}), lag) ==
              Approx(-antisymmetric).epsilon(1e-5));
    }
}

namespace {

/// A population of independent units driven by a few Poisson sources; drift of the weights per arrival, in units of the learning rate.
struct CausalRun {
    double weight = 0.02, bias = 0.1, lambda_max_Hz = 200, dt_ms = 1, tau_ms = 20, tau_syn_ms = 10;
    GridProbability probability = GridProbability::linear;
    bool corrected = false;
    double seconds = 40;
    static constexpr double pre_Hz = 50, rate = 1e-6;
    static constexpr std::uint32_t sources = 20, units = 200;

    Moments drift() const {
        const auto circuit = circuit_of(dt_ms, 77, population_of<neurons::PoissonSource>("pre", sources, {.rate_Hz = pre_Hz}, dt_ms, false),
                                        population_of<neurons::Poisson>("post", units,
                                                                        {.phi = neurons::Phi::linear,
                                                                         .grid_probability = probability,
                                                                         .lambda_max_Hz = lambda_max_Hz,
                                                                         .tau_syn_ms = tau_syn_ms,
                                                                         .bias = bias},
                                                                        dt_ms, false));
        auto& line = circuit->connect("line", 0, 1,
                                      every_pair(
                                          sources, units, [&](auto, auto) { return weight; }, [](auto, auto) { return 1; }),
                                      DelaySite::axonal);
        line.plasticity = plasticity_with<Derivative>({1, tau_ms, Pairing::all}, sources);
        line.plasticity->learning_rate = rate;
        if (corrected)
            line.plasticity->causal_factor = causal_factor_of(
                line.plasticity->rule->window(), circuit->population(1).impulse_response(1000), static_cast<double>(line.scale), dt_ms);
        const double segment_s = seconds / repetitions, arrivals_Hz = -std::expm1(-pre_Hz * dt_ms * 1e-3) / dt_ms * 1e3;
        return drift_of(*circuit, {500, static_cast<Step>(segment_s * 1e3 / dt_ms), repetitions, arrivals_Hz * segment_s});
    }
    /// A w (lambda_max / lambda_max of the sender) tau / (tau + tau_syn): Kempter et al. (1999), exponential filter.
    double law() const { return weight * lambda_max_Hz / pre_Hz * tau_ms / (tau_ms + tau_syn_ms); }
    double law_on_grid() const {
        const auto unit =
            population_of<neurons::Poisson>("post", 1, {.lambda_max_Hz = lambda_max_Hz, .tau_syn_ms = tau_syn_ms}, dt_ms, false);
        return weight * lambda_max_Hz * dt_ms * 1e-3 *
               causal_factor_of({1, 1, tau_ms, tau_ms, Pairing::all}, unit->impulse_response(static_cast<std::size_t>(400 / dt_ms)),
                                1e3 / pre_Hz, dt_ms);
    }
};

}  // namespace

TEST_CASE("The causal factor tends to the law of continuous time", "[analytic]") {
    // the step of the arrival counts nothing for an antisymmetric window: short of the law by at most a step over tau_syn, first order in
    // dt
    for (const double dt_ms : {1.0, 0.1, 0.01})
        for (const double tau_syn_ms : {3.0, 10.0, 50.0}) {
            const CausalRun run{.dt_ms = dt_ms, .tau_syn_ms = tau_syn_ms};
            CHECK(run.law_on_grid() < run.law());
            CHECK(run.law_on_grid() > (1 - 1.2 * dt_ms * (1 / tau_syn_ms + 1 / run.tau_ms)) * run.law());
        }
}

TEST_CASE("The analytic correction removes the causal drift where a step often holds a spike", "[statistical]") {
    // mean potential 0.5 of 1000 Hz in steps of 1 ms: the probability 1 - exp(-x) is flatter than x
    const CausalRun run{.weight = 0.01, .bias = 0.3, .lambda_max_Hz = 1000, .probability = GridProbability::exponential, .corrected = true};
    const auto drift = run.drift();
    INFO("left " << drift.mean << " +- " << drift.error() << " of " << run.law());
    CHECK(std::abs(drift.mean) < t_bound * drift.error() + 0.03 * run.law());  // first order in the fluctuations of the potential
}

TEST_CASE("The analytic correction of a presentation leaves no drift behind", "[statistical]") {
    // 400 steps of a stationary network, gate on pre spikes in 100 of them; means over 200 presentations.
    const CausalRun run{};
    constexpr std::uint32_t sources = CausalRun::sources, units = CausalRun::units;
    constexpr Step steps = 400;
    const auto circuit = circuit_of(
        1, 78, population_of<neurons::PoissonSource>("pre", sources, {.rate_Hz = run.pre_Hz}, 1, false),
        population_of<neurons::Poisson>(
            "post", units,
            {.phi = neurons::Phi::linear, .grid_probability = GridProbability::linear, .lambda_max_Hz = 200, .tau_syn_ms = 10, .bias = 0.1},
            1, false));
    auto& line = circuit->connect("line", 0, 1,
                                  every_pair(
                                      sources, units, [](auto, auto) { return 0.02; }, [](auto, auto) { return 1; }),
                                  DelaySite::axonal);
    auto plasticity = plasticity_with<Derivative>({1, 20, Pairing::all}, sources, Gate::pre);
    plasticity.causal_factor =
        causal_factor_of({1, 1, 20, 20, Pairing::all}, circuit->population(1).impulse_response(1000), static_cast<double>(line.scale), 1);
    const BatchLearner learner(plasticity, DelaySite::axonal, 1);
    Replica replica(*circuit, steps);
    replica.keep_slopes(1, true);
    const auto gate = gate_of(steps, 200, 300);
    BatchLearner::Scratch scratch;
    std::vector<double> raw, corrected;
    for (std::uint32_t trial = 0; trial < 200; ++trial) {
        replica.reset(trial);
        replica.run(steps);
        const auto change = [&](std::span<const float> slopes) {
            ChangeSum changes;
            auto block = line.blocks[0];
            learner.accumulate(block, replica.history(0), replica.history(1), gate, slopes, scratch, changes);
            std::vector<float> velocity;
            ChangeSum* const all[] = {&changes};
            learner.apply(block, 0, sources, all, velocity, 1, 1);
            double sum = 0;
            block.for_each([&](auto, auto, auto, float w) { sum += static_cast<double>(w) - 0.02; });
            return sum / (sources * units);
        };
        raw.push_back(change({}));
        corrected.push_back(change(replica.slopes(1, 0)));
    }
    const double expected = run.law_on_grid() * CausalRun::pre_Hz * 0.1;  // 5 arrivals in the gate
    const auto before = moments_of(raw), after = moments_of(corrected);
    INFO("drift " << before.mean << " +- " << before.error() << ", law " << expected << ", corrected " << after.mean << " +- "
                  << after.error());
    CHECK(std::abs(before.mean - expected) < t_bound * before.error() + 0.03 * expected);  // rate of Bernoulli steps: 2.5 % below 50 Hz
    CHECK(std::abs(after.mean) < t_bound * after.error());
}

TEST_CASE("Recirculation is the derivative rule turned round", "[contract]") {
    Draws draws(5, 5);
    const auto pre = history_of(20, std::vector<double>(300, 60), 1, draws), post = history_of(20, std::vector<double>(300, 60), 1, draws);
    const auto learn = [&](const Plasticity& plasticity) {
        SynapseBlock block(every_pair(
                               20, 20, [](auto, auto) { return 0; }, [](auto, auto) { return 2; }),
                           20, 0, 20);
        const BatchLearner learner(plasticity, DelaySite::axonal, 1);
        BatchLearner::Scratch scratch;
        ChangeSum changes;
        learner.accumulate(block, pre, post, open_gate(300), {}, scratch, changes);
        std::vector<float> velocity;
        ChangeSum* const all[] = {&changes};
        learner.apply(block, 0, 20, all, velocity, 1, 1);
        return std::vector<float>(block.weights().begin(), block.weights().end());
    };
    const auto forward = learn(plasticity_with<Derivative>({0.7, 30, Pairing::all}, 20));
    auto backward = learn(plasticity_with<Recirculation>({0.7, 30, Pairing::all}, 20));
    for (auto& w : backward) w = -w;
    CHECK(forward == backward);
}

TEST_CASE("A feedback synapse learns by recirculation what its forward partner learns by the derivative", "[contract]") {
    // forward: lower i to upper j, axonal delay d, gate on i. feedback: j to i, dendritic delay d, gate on i. Both see t_j - t_i - d; the
    // gate of the forward synapse is read when the spike of i has arrived, d later.
    constexpr std::uint32_t lower = 15, upper = 11;
    constexpr std::size_t steps = 400;
    for (const std::uint16_t delay : {1, 3}) {
        Draws draws(6, 5, delay);
        std::vector<double> rate(steps, 60);  // silent at the ends, so that no pair is cut
        std::fill(rate.begin(), rate.begin() + 10, 0.0);
        std::fill(rate.end() - 10, rate.end(), 0.0);
        const auto below = history_of(lower, rate, 1, draws), above = history_of(upper, rate, 1, draws);
        const auto learn = [&](const Plasticity& plasticity, std::uint32_t from, std::uint32_t to, const SpikeHistory& pre,
                               const SpikeHistory& post, DelaySite site, const GateTrace& gate) {
            SynapseBlock block(every_pair(
                                   from, to, [](auto, auto) { return 0; }, [&](auto, auto) { return delay; }),
                               from, 0, to);
            const BatchLearner learner(plasticity, site, 1);
            BatchLearner::Scratch scratch;
            ChangeSum changes;
            learner.accumulate(block, pre, post, gate, {}, scratch, changes);
            std::vector<float> velocity;
            ChangeSum* const all[] = {&changes};
            learner.apply(block, 0, from, all, velocity, 1, 1);
            return block;
        };
        const auto forward = learn(plasticity_with<Derivative>({1, 20, Pairing::all}, lower, Gate::pre), lower, upper, below, above,
                                   DelaySite::axonal, gate_of(steps, 150 + delay, 250 + delay));
        const auto feedback = learn(plasticity_with<Recirculation>({1, 20, Pairing::all}, upper, Gate::post), upper, lower, above, below,
                                    DelaySite::dendritic, gate_of(steps, 150, 250));
        double largest = 0, worst = 0;
        forward.for_each([&](std::uint32_t i, std::uint32_t j, auto, float w) {
            largest = std::max(largest, static_cast<double>(std::abs(w)));
            worst = std::max(worst, std::abs(static_cast<double>(w - feedback.row(j, 0).weight[i])));
        });
        CHECK(largest > 0.5);
        CHECK(worst < 1e-4 + 1.1 * static_cast<double>(ChangeSum::unit));  // both are rounded to the unit, and float traces
    }
}

TEST_CASE("Weights of an unbalanced window drift by its area", "[statistical]") {
    // E[dw/dt] = pre post (A+ tau+ - A- tau-): Bi & Poo: 0.78 x 17 - 0.27 x 34 = 4.08 ms
    const auto plasticity = plasticity_with<Stdp>(bi_poo, 64);
    const std::vector<double> flat(600, 30);
    const auto c = change_of(plasticity, flat, flat, open_gate(600), 1, 900);
    check(c);
    CHECK(c.expected == Approx(30 * 30 * 4.08e-3 * 0.6).epsilon(0.2));  // pairs across the ends are cut: tau / T
}
