#include <fmt/format.h>

#include <cmath>

#include "sim/replica.hpp"
#include "verify/list.hpp"
#include "verify/stdp.hpp"

namespace ydot::verify {
namespace {

constexpr PairWindow window{1, 1, 20, 20};
constexpr double dt_ms = 0.5, pre_Hz = 40, post_max_Hz = 1000, settle_ms = 300, measured_ms = 4000;
constexpr double learning_rate = 4e-6;  // small against the weights, yet hundreds of units in the last place by an arrival
constexpr std::size_t sources = 8, units = 150;
constexpr double largest_weight = 0.02;

struct Case {
    double weight, tau_syn_ms;
    bool corrected;
    /// Keeps the potential, bias + sources x weight on average, above 0: it falls below in less than one of 10^5 steps.
    double bias() const { return weight > 0 ? 0.1 : 0.75; }
};

std::string network(const Case& c) {
    return fmt::format(R"(
[run]
dt_ms = {}
[populations.pre]
model = "poisson_source"
size = {}
rate_Hz = {}
[populations.post]
model = "poisson"
size = {}
phi = "linear"
grid_probability = "linear"
lambda_max_Hz = {}
tau_syn_ms = {}
bias = {}
[projections.line]
from = "pre"
to = "post"
weight = {}
delay_ms = 2.0
[projections.line.plasticity]
{}
learning_rate = {}
causal_correction = "{}"
)",
                       dt_ms, sources, pre_Hz, units, post_max_Hz, c.tau_syn_ms, c.bias(), c.weight, toml_of(window), learning_rate,
                       c.corrected ? "analytic" : "none");
}

/// Expected pair potentiation of the spikes that an arrival causes. The exponential filter of the grid has sum 1 / dt; in the step of the
/// arrival itself both halves of an antisymmetric window cancel.
double caused(const Case& c) {
    const double keep = std::exp(-dt_ms / c.tau_syn_ms),
                 per_step = (1 - keep) / dt_ms * c.weight * 1e3 / pre_Hz * post_max_Hz * dt_ms * 1e-3;
    double sum = 0, response = per_step;
    for (int k = 0; k * dt_ms < 40 * window.tau_plus_ms; ++k, response *= keep) sum += response * change_by_pair(window, k * dt_ms);
    return sum;
}
/// The law in continuous time, by a pre spike.
double law(const Case& c) {
    return window.a_plus * c.weight * post_max_Hz / pre_Hz * window.tau_plus_ms / (window.tau_plus_ms + c.tau_syn_ms);
}

/// Drift by an arrival. A step that holds one spike at most is less likely to hold one more: its own spike stands out from the mean by 1 -
/// p. The weight grows with its drift, which is in proportion to it.
double expect(const Case& c) {
    const double p = spike_probability(pre_Hz, dt_ms), drift = (c.corrected ? -p : 1 - p) * caused(c);
    const double growth_per_ms = learning_rate * drift / c.weight * p / dt_ms;
    return drift * std::exp(growth_per_ms * settle_ms) * std::expm1(growth_per_ms * measured_ms) / (growth_per_ms * measured_ms);
}

/// Drift of the mean weight by an arrival, over the learning rate.
std::vector<double> measure(const Context& context, const Case& c, std::uint32_t trial) {
    const auto circuit = context.build(network(c));
    Replica replica(*circuit);
    replica.reset(trial);
    replica.learn_online();
    replica.run(static_cast<Step>(settle_ms / dt_ms));
    const double before = mean_weight(*circuit, "line");
    replica.run(static_cast<Step>(measured_ms / dt_ms));
    return {(mean_weight(*circuit, "line") - before) / learning_rate / (spike_probability(pre_Hz, dt_ms) * measured_ms / dt_ms)};
}

std::vector<double> weights(const Context& context) {
    return context.quick ? std::vector{-largest_weight, largest_weight}
                         : std::vector{-largest_weight, -largest_weight / 2, largest_weight / 2, largest_weight};
}
constexpr double filters_ms[] = {5, 15};

struct Outcome {
    Case what;
    Moments drift;
};
std::size_t repetitions(const Context& context) { return context.quick ? 48 : 192; }
/// Share of the drift at the largest weight.
double must_see(const Context& context) { return context.quick ? 0.25 : 0.12; }

std::vector<Outcome> measure_all(const Context& context) {
    std::vector<Outcome> outcomes;
    for (const double tau_syn_ms : filters_ms)
        for (const bool corrected : {false, true})
            for (const double weight : weights(context)) {
                const Case c{weight, tau_syn_ms, corrected};
                const std::size_t first = outcomes.size() * repetitions(context);
                outcomes.push_back({c, moments_over(repetitions(context), [&](std::size_t k) {
                                        return measure(context, c, static_cast<std::uint32_t>(first + k));
                                    })[0]});
            }
    return outcomes;
}

void compare(const Context& context, const std::vector<Outcome>& outcomes, CheckResult& result) {
    for (const auto& [c, drift] : outcomes)
        result.measurements.push_back(
            agrees(fmt::format("tau_syn {:g} ms, w = {:+g}, {}: drift by a pre spike", c.tau_syn_ms, c.weight,
                               c.corrected ? "corrected" : "as it is"),
                   "A", drift, expect(c), outcomes.size(), must_see(context) * law({largest_weight, c.tau_syn_ms, false}),
                   fmt::format("sampling error of {} repetitions; {:g} % of the drift at w = {:g} cannot be overlooked", drift.count,
                               100 * must_see(context), largest_weight)));
    for (const double tau_syn_ms : filters_ms) {
        const Case raw{largest_weight, tau_syn_ms, false}, corrected{largest_weight, tau_syn_ms, true};
        const double p = pre_Hz * dt_ms * 1e-3, grid = dt_ms / window.tau_plus_ms + dt_ms / tau_syn_ms;
        result.measurements.push_back(
            at_most(fmt::format("tau_syn {:g} ms: distance of the law on the grid from continuous time", tau_syn_ms), "of the law",
                    std::abs(expect(raw) / law(raw) - 1), grid + p,
                    "first order in dt: dt / tau+ + dt / tau_syn, and pre dt, for steps hold one spike at most"));
        result.measurements.push_back(at_most(fmt::format("tau_syn {:g} ms: what the correction should leave", tau_syn_ms), "of the law",
                                              std::abs(expect(corrected) / law(raw)), p,
                                              "first order in dt: pre dt, for steps hold one spike at most"));
    }
}

Panel draw(const std::vector<Outcome>& outcomes, double tau_syn_ms) {
    Panel panel{fmt::format("weight (tau_syn = {:g} ms)", tau_syn_ms), "drift by a pre spike (A)", false, false, {}};
    for (const bool corrected : {false, true}) {
        std::vector<double> x;
        std::vector<Moments> y;
        for (const auto& [c, drift] : outcomes) {
            if (c.tau_syn_ms != tau_syn_ms || c.corrected != corrected) continue;
            x.push_back(c.weight);
            y.push_back(drift);
        }
        panel.series.push_back(points(corrected ? "corrected" : "as it is", x, y));
    }
    panel.series.push_back(line("law", evenly(-1.1 * largest_weight, 1.1 * largest_weight, 3), [&](double w) {
        return law({w, tau_syn_ms, false});
    }));
    panel.series.push_back(line("no drift", evenly(-1.1 * largest_weight, 1.1 * largest_weight, 2), [](double) { return 0.0; }));
    return panel;
}

CheckResult run(const Context& context) {
    const auto outcomes = measure_all(context);
    CheckResult result;
    compare(context, outcomes, result);
    Figure figure{"causal",
                  "Drift of a weight at constant rates, by a pre spike, against the weight: from spikes (points, one standard error), with "
                  "and without the analytic correction, and by the law (line).",
                  {}};
    for (const double tau_syn_ms : filters_ms) figure.panels.push_back(draw(outcomes, tau_syn_ms));
    result.figures.push_back(std::move(figure));
    return result;
}

}  // namespace

const Check causal{"causal", "L3",
                   "A pre spike that raises the post rate adds a drift with the sign of the weight, and the analytic correction removes it",
                   R"(
STDP is a derivative filter of spike trains that are independent given their rates. But a pre spike moves the post rate itself, and pairs
of cause and effect are all pre-before-post:

$$ \left\langle \frac{dw}{dt} \right\rangle_\mathrm{causal}
 = \mathrm{pre}\; A_+ \int_0^\infty e^{-s/\tau_+}\, w\, \frac{d\lambda}{du}\, \frac{\varepsilon(s)}{\lambda_\mathrm{max,pre}}\, ds
 \;=\; A_+\, w\, \lambda_\mathrm{max,post}\, \frac{\tau_+}{\tau_+ + \tau_\mathrm{syn}} $$

for a linear unit and an exponential filter with the time constant $\tau_\mathrm{syn}$ (with the pre units at their full rate): a drift
at constant rates, toward larger weights of either sign. `causal_correction = "analytic"` subtracts it at every pre spike.

Eight sources at 40 Hz drive 150 linear Poisson neurons at constant rates; the mean drift is given by pre spike, in units of $A_+$. The
expected values are exact on the grid. A step holds one pre spike at most, so its spike stands out from the mean by $1 -
\mathrm{pre}\,dt$ only, and a correction by $1$ leaves $-\mathrm{pre}\,dt$ of the law, here 2 %: rows of their own.

R. Kempter, W. Gerstner and J. L. van Hemmen (1999), Phys. Rev. E 59:4498-4514.
)",
                   run};

}  // namespace ydot::verify
