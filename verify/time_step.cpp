#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "sim/replica.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

constexpr double unit_roundoff = 0x1p-24;  // of float

// ---- the order of a deterministic error -------------------------------------------------------------------------------------------

/// An error against the time step, its leading term (of which the order is read), and how far the error may be from that term, as a share
/// of it: the next term, and rounding.
struct Convergence {
    std::string name;
    double order;
    std::vector<double> dt_ms, error, leading, next;
    void add(double dt, double its_error, double its_leading, double its_next) {
        dt_ms.push_back(dt);
        error.push_back(its_error);
        leading.push_back(its_leading);
        next.push_back(its_next);
    }
};

std::vector<double> logarithms(std::vector<double> x) {
    for (double& v : x) v = std::log(v);
    return x;
}

/// Slope of log error against log dt. An error within a share `next` of its leading term moves its logarithm by log(1 - next) at most.
Measurement order_of(const Convergence& c) {
    const auto x = logarithms(c.dt_ms);
    const double centre = moments_of(x).mean, largest = -std::log1p(-*std::max_element(c.next.begin(), c.next.end()));
    double sum = 0, squares = 0;
    for (const double v : x) sum += std::abs(v - centre), squares += (v - centre) * (v - centre);
    return equals(c.name + ": order in dt", "", slope_of(x, logarithms(c.error)), c.order, largest * sum / squares,
                  "what the term of the next order, and rounding, can do to the slope of the logarithms");
}
Measurement size_of(const Convergence& c) {
    return equals(c.name + ": error at dt = " + toml_of(c.dt_ms.back()).substr(0, 7) + " ms over its leading term", "",
                  c.error.back() / c.leading.back(), 1, c.next.back(), "term of the next order, and rounding");
}

// ---- filter and causal factor -----------------------------------------------------------------------------------------------------

constexpr double tau_syn_ms = 10, tau_plus_ms = 20;
constexpr std::array<double, 5> fine_steps_ms{0.5, 0.25, 0.125, 0.0625, 0.03125}, coarse_steps_ms{8, 4, 2, 1, 0.5};
constexpr const char* causal_text = R"(
[populations.pre]
model = "poisson_source"
rate_Hz = 100.0
[populations.post]
model = "poisson"
tau_syn_ms = 10.0
[projections.line]
from = "pre"
to = "post"
delay_ms = 8.0
[projections.line.plasticity]
rule = "derivative"
amplitude = 1.0
tau_ms = 20.0
causal_correction = "analytic"
)";
std::unique_ptr<Circuit> causal_circuit(const Context& context, double dt_ms, const std::string& filter) {
    return context.build(causal_text, {setting("run.dt_ms", dt_ms), "populations.post.filter=" + filter});
}

/// Sum of |h(k dt) - eps(k dt)| over the sum of eps, h the potential that an input of 1 ms causes on the grid.
double filter_error(const Population& unit, double dt_ms, bool alpha) {
    const auto response = unit.impulse_response(static_cast<std::size_t>(20 * tau_syn_ms / dt_ms));
    double difference = 0, sum = 0;
    for (std::size_t k = 0; k < response.size(); ++k) {
        const double t = static_cast<double>(k) * dt_ms, exact = std::exp(-t / tau_syn_ms) / tau_syn_ms * (alpha ? t / tau_syn_ms : 1);
        difference += std::abs(response[k] - exact);
        sum += exact;
    }
    return difference / sum;
}
/// Relative rounding error of a response of that age: four roundings a step, and the normalisation by 1 - exp(-dt / tau), which loses
/// tau / dt roundings for each exponential.
double rounding(double age_ms, double dt_ms, int exponentials) {
    return unit_roundoff * (4 * (age_ms / dt_ms + 2) + exponentials * tau_syn_ms / dt_ms);
}

/// Exponential: h / eps = (1 - exp(-x)) / x = 1 - x / 2 + R, 0 <= R <= x^2 / 6, x = dt / tau.
Convergence exponential_filter(const Context& context) {
    Convergence c{"exponential filter", 1, {}, {}, {}, {}};
    for (const double dt_ms : fine_steps_ms) {
        const double x = dt_ms / tau_syn_ms,
                     error = filter_error(causal_circuit(context, dt_ms, "exponential")->population(1), dt_ms, false);
        c.add(dt_ms, error, x / 2, x / 3 + rounding(tau_syn_ms, dt_ms, 1) / (x / 2));
    }
    return c;
}
/// Alpha: h / eps = (2 sinh(x / 2) / x)^2 = 1 + x^2 / 12 + R, 0 <= R <= x^4 / 300 for x <= 1: even in x, hence of second order.
Convergence alpha_filter(const Context& context) {
    Convergence c{"alpha filter", 2, {}, {}, {}, {}};
    for (const double dt_ms : coarse_steps_ms) {
        const double x = dt_ms / tau_syn_ms, error = filter_error(causal_circuit(context, dt_ms, "alpha")->population(1), dt_ms, true);
        c.add(dt_ms, error, x * x / 12, x * x / 25 + rounding(2 * tau_syn_ms, dt_ms, 2) / (x * x / 12));
    }
    return c;
}

/// Expected potentiation by the spikes that an arrival causes, for unit weight and slope per ms, over that of continuous time,
///   F = integral of exp(-s / tau_plus) eps(s) ds = tau_plus / (tau_plus + tau_syn).
/// Grid: (1 - exp(-x)) / (exp(z) - 1), x = dt / tau_syn, z = x + dt / tau_plus; over F it is 1 - S / 2 + R, S = x + z, 0 <= R <= S^2 / 6.
struct Causal {
    double ratio, sum, rounding;
};
Causal causal_ratio(const Context& context, double dt_ms) {
    const auto circuit = causal_circuit(context, dt_ms, "exponential");
    const double exact = tau_plus_ms / (tau_plus_ms + tau_syn_ms), scale_ms = 1e3 / 100, age_ms = exact * tau_syn_ms;
    const double x = dt_ms / tau_syn_ms, z = x + dt_ms / tau_plus_ms;
    return {circuit->projections()[0].plasticity->causal_factor / scale_ms * dt_ms / exact, x + z, rounding(age_ms, dt_ms, 1)};
}
Convergence causal_factor(const Context& context) {
    Convergence c{"causal factor", 1, {}, {}, {}, {}};
    for (const double dt_ms : fine_steps_ms) {
        const auto causal = causal_ratio(context, dt_ms);
        c.add(dt_ms, std::abs(causal.ratio - 1), causal.sum / 2, causal.sum / 3 + causal.rounding / (causal.sum / 2));
    }
    return c;
}
/// Richardson's extrapolation removes the first order.
Measurement causal_limit(const Context& context) {
    const double fine = fine_steps_ms[2], coarse = fine_steps_ms[1], exact = tau_plus_ms / (tau_plus_ms + tau_syn_ms);
    const auto a = causal_ratio(context, fine), b = causal_ratio(context, coarse);
    return equals("causal factor: extrapolated to dt = 0", "", exact * (2 * a.ratio - b.ratio), exact,
                  exact * (b.sum * b.sum / 6 + 2 * a.rounding + b.rounding), "term of the second order, and rounding");
}

// ---- the window of STDP -----------------------------------------------------------------------------------------------------------

constexpr double pair_delay_ms = 4, pair_lag_ms = 16;
constexpr std::size_t phases = 16, pairs = 2 * phases * phases;
constexpr std::array<double, 5> pair_steps_ms{2, 1, 0.5, 0.25, 0.125};
constexpr const char* pair_text = R"(
[populations.pre]
model = "spike_trains"
size = 512
[populations.post]
model = "spike_trains"
size = 512
[projections.line]
from = "pre"
to = "post"
connector = "one_to_one"
weight = 0.0
delay_ms = 4.0
[projections.line.plasticity]
rule = "derivative"
amplitude = 1.0
tau_ms = 20.0
)";

double window(double lag_ms) { return std::copysign(std::exp(-std::abs(lag_ms) / tau_plus_ms), lag_ms); }

/// One pre and one post spike for each synapse. Both stand at evenly spread phases of a step of dt, every phase of one with every phase of
/// the other; in half of the pairs the pre spike arrives first. On the grid all lags of a half are the same.
struct Pair {
    double pre_ms, post_ms, lag_ms, grid_lag_ms;
};
Pair pair_of(std::size_t k, double dt_ms) {
    const auto phase = [&](std::size_t i) { return (static_cast<double>(i % phases) + 0.5) / static_cast<double>(phases) * dt_ms; };
    const double sign = k < phases * phases ? 1 : -1, pre_ms = 40 + phase(k),
                 post_ms = 40 + pair_delay_ms + sign * pair_lag_ms + phase(k / phases);
    return {pre_ms, post_ms, post_ms - pre_ms - pair_delay_ms, sign * pair_lag_ms};
}

/// The weights after all pairs; they start at 0.
std::vector<double> changes(const Context& context, double dt_ms, bool continuous) {
    std::vector<double> pre, post, unit;
    for (std::size_t k = 0; k < pairs; ++k) {
        pre.push_back(pair_of(k, dt_ms).pre_ms);
        post.push_back(pair_of(k, dt_ms).post_ms);
        unit.push_back(static_cast<double>(k));
    }
    const auto circuit =
        context.build(pair_text, {setting("run.dt_ms", dt_ms), std::string("run.propagator=") + (continuous ? "continuous" : "grid"),
                                  "populations.pre.times_ms=" + toml_of(pre), "populations.pre.units=" + toml_of(unit),
                                  "populations.post.times_ms=" + toml_of(post), "populations.post.units=" + toml_of(unit)});
    Replica replica(*circuit);
    replica.learn_online();
    replica.run(static_cast<Step>(80 / dt_ms));
    std::vector<double> weights(pairs);
    for (const auto& block : circuit->projections()[0].blocks)
        block.for_each([&](std::uint32_t source, auto, auto, float w) { weights[source] = static_cast<double>(w); });
    return weights;
}

/// Traces decay once a step (grid), or once for every spike of any unit (continuous time); the half spikes of the grid add two roundings.
double trace_rounding(double steps) { return unit_roundoff * (2 * steps + 4); }

Measurement window_on_the_grid(const Context& context) {
    double worst = 0;
    for (const double dt_ms : pair_steps_ms) {
        const auto weights = changes(context, dt_ms, false);
        for (std::size_t k = 0; k < pairs; ++k) worst = std::max(worst, std::abs(weights[k] - window(pair_of(k, dt_ms).grid_lag_ms)));
    }
    return at_most("STDP pairs on the grid: largest difference from the window at the lag in whole steps", "", worst,
                   trace_rounding(pair_lag_ms / pair_steps_ms.back()), "two roundings of a trace a step");
}
Measurement window_in_continuous_time(const Context& context) {
    const double dt_ms = pair_steps_ms.front();
    const auto weights = changes(context, dt_ms, true);
    double worst = 0;
    for (std::size_t k = 0; k < pairs; ++k) worst = std::max(worst, std::abs(weights[k] - window(pair_of(k, dt_ms).lag_ms)));
    return at_most("STDP pairs in continuous time: largest difference from the window at the real lag", "", worst,
                   trace_rounding(2 * pairs) + 2 * unit_roundoff * dt_ms / tau_plus_ms,
                   "two roundings of a trace for each spike of the run; spike times are float within a step");
}

/// Mean |change on the grid - window at the real lag|. Whole steps miss the lag by dt delta, delta the difference of two phases, and the
/// change by window |exp(dt delta / tau) - 1|, of mean window x mean |sinh(dt delta / tau)|: first order, and the next is smaller by (dt /
/// tau)^2 / 6 at most.
Convergence pair_window(const Context& context) {
    Convergence c{"STDP pairs", 1, {}, {}, {}, {}};
    const double n = static_cast<double>(phases), mean_delta = (1 - 1 / (n * n)) / 3;
    for (const double dt_ms : pair_steps_ms) {
        const auto weights = changes(context, dt_ms, false);
        double sum = 0;
        for (std::size_t k = 0; k < pairs; ++k) sum += std::abs(weights[k] - window(pair_of(k, dt_ms).lag_ms));
        const double x = dt_ms / tau_plus_ms, leading = window(pair_lag_ms) * x * mean_delta;
        c.add(dt_ms, sum / static_cast<double>(pairs), leading, x * x / 5 + trace_rounding(pair_lag_ms / dt_ms) / leading);
    }
    return c;
}

// ---- rates ------------------------------------------------------------------------------------------------------------------------

constexpr std::size_t repetitions = 60, rate_comparisons = 12;
constexpr std::array<double, 5> rate_steps_ms{4, 2, 1, 0.5, 0.25};
constexpr double warmup_ms = 150;  // 15 time constants of the filter

/// A population of independent units named "units", with its expected rate.
struct Rate {
    std::string name, text;
    double unit_ms;  ///< simulated in a repetition of the quick check: units times time
    double (*on_the_grid)(double dt_ms);
    double continuous_Hz;
};

double free_rate_Hz(double dt_ms) { return -std::expm1(-0.2 * dt_ms) / dt_ms * 1e3; }

constexpr double input_Hz = 200, input_weight = 1, driven_full_rate_Hz = 50;
/// E[exp(u)] of a sum of independent inputs: a step of the source holds a spike with probability p = 1 - exp(-rate dt), which k steps later
/// has raised u by h(k).
double driven_rate_Hz(double dt_ms) {
    const double p = -std::expm1(-input_Hz * 1e-3 * dt_ms), keep = std::exp(-dt_ms / tau_syn_ms);
    double logarithm = 0;
    for (double h = input_weight * 1e3 / input_Hz * (1 - keep) / dt_ms; h > 1e-12; h *= keep) logarithm += std::log1p(p * std::expm1(h));
    return driven_full_rate_Hz * std::exp(logarithm);
}
/// Campbell's theorem: E[exp(u)] = exp(rate integral of (exp(w eps(s)) - 1) ds), here rate tau sum of c^m / (m m!), c the jump of u.
double driven_limit_Hz() {
    const double jump = input_weight * 1e3 / input_Hz / tau_syn_ms;
    double sum = 0, power = 1;
    for (int m = 1; m < 40; ++m) sum += (power *= jump / m) / m;
    return driven_full_rate_Hz * std::exp(input_Hz * 1e-3 * tau_syn_ms * sum);
}

std::array<Rate, 2> rates() {
    return {{{"unit without input, at most one spike a step", R"(
[populations.units]
model = "poisson"
phi = "hard_sigmoid"
bias = 1.0
lambda_max_Hz = 200.0
grid_probability = "exponential"
)",
              30000, free_rate_Hz, 200},
             {"driven nonlinear unit", R"(
[populations.input]
model = "poisson_source"
rate_Hz = 200.0
[projections.line]
from = "input"
to = "units"
connector = "one_to_one"
weight = 1.0
delay_ms = 4.0
[populations.units]
model = "poisson"
phi = "exponential"
bias = 0.0
filter = "exponential"
tau_syn_ms = 10.0
lambda_max_Hz = 50.0
grid_probability = "counts"
)",
              90000, driven_rate_Hz, driven_limit_Hz()}}};
}

class SpikeCount final : public SpikeObserver {
public:
    explicit SpikeCount(std::size_t population) : population_(population) {}
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t>) override {
        if (population == population_) spikes_ += static_cast<double>(times_ms.size());
    }
    double spikes() const { return spikes_; }

private:
    std::size_t population_;
    double spikes_ = 0;
};

double rate_once_Hz(Circuit& circuit, double duration_ms, std::uint32_t trial) {
    Replica replica(circuit);
    replica.reset(trial);
    replica.run(static_cast<Step>(std::lround(warmup_ms / circuit.dt_ms())));
    SpikeCount count(circuit.find_population("units"));
    replica.set_observer(&count);
    replica.run(static_cast<Step>(std::lround(duration_ms / circuit.dt_ms())));
    return count.spikes() / (static_cast<double>(circuit.population(circuit.find_population("units")).size()) * duration_ms) * 1e3;
}
/// In continuous time an arrival stops all units of a population, so few units for long cost less than many for a short time.
Moments rate_of(const Context& context, const Rate& rate, double dt_ms, bool continuous, std::uint32_t first_trial) {
    const int units = continuous ? 8 : 256;
    std::vector<std::string> settings{setting("run.dt_ms", dt_ms), std::string("run.propagator=") + (continuous ? "continuous" : "grid"),
                                      "populations.units.size=" + std::to_string(units)};
    if (rate.text.find("populations.input") != std::string::npos) settings.push_back("populations.input.size=" + std::to_string(units));
    const auto circuit = context.build(rate.text, settings);
    const double steps = std::round(rate.unit_ms / units / dt_ms) * (context.quick ? 1 : 10);
    return moments_of(repeat(
        repetitions, [&](std::size_t k) { return rate_once_Hz(*circuit, steps * dt_ms, first_trial + static_cast<std::uint32_t>(k)); }));
}

/// Measured bias |rate / limit - 1| with its error bars, and the exact one.
struct RateFigure {
    Series measured, exact;
};
RateFigure measure_rates(const Context& context, CheckResult& result, const Rate& rate, std::uint32_t first_trial) {
    const double must_see_Hz = (context.quick ? 0.03 : 0.01) * rate.continuous_Hz;
    RateFigure figure{{rate.name + ", measured", {}, {}, {}}, {rate.name + ", expected", {}, {}, {}, true}};
    for (const double dt_ms : rate_steps_ms) {
        const double expected = rate.on_the_grid(dt_ms);
        const auto measured = rate_of(context, rate, dt_ms, false, first_trial);
        first_trial += repetitions;
        result.measurements.push_back(agrees(rate.name + ": rate at dt = " + toml_of(dt_ms).substr(0, 4) + " ms", "Hz", measured, expected,
                                             rate_comparisons, must_see_Hz,
                                             "sampling error of independent repetitions; the rate on the grid is known at any dt"));
        figure.measured.x.push_back(dt_ms);
        figure.measured.y.push_back(std::abs(measured.mean / rate.continuous_Hz - 1));
        figure.measured.error.push_back(measured.error() / rate.continuous_Hz);
        figure.exact.x.push_back(dt_ms);
        figure.exact.y.push_back(std::abs(expected / rate.continuous_Hz - 1));
    }
    result.measurements.push_back(agrees(rate.name + ": rate in continuous time", "Hz", rate_of(context, rate, 4, true, first_trial),
                                         rate.continuous_Hz, rate_comparisons, must_see_Hz,
                                         "sampling error of independent repetitions; the limit of the rates on the grid"));
    return figure;
}

// ---- the check --------------------------------------------------------------------------------------------------------------------

Series first_order_line(double dt_low_ms, double dt_high_ms, double level) {
    return {"slope 1", {dt_low_ms, dt_high_ms}, {level, level * dt_high_ms / dt_low_ms}, {}, true};
}

CheckResult run(const Context& context) {
    CheckResult result;
    Panel exact{"dt (ms)", "relative error", true, true, {}}, sampled{"dt (ms)", "relative error of the rate", true, true, {}};
    for (const auto& c : {exponential_filter(context), causal_factor(context), pair_window(context), alpha_filter(context)}) {
        result.measurements.push_back(order_of(c));
        result.measurements.push_back(size_of(c));
        exact.series.push_back({c.name, c.dt_ms, c.error, {}});
    }
    result.measurements.push_back(causal_limit(context));
    result.measurements.push_back(window_on_the_grid(context));
    result.measurements.push_back(window_in_continuous_time(context));
    exact.series.push_back(first_order_line(0.03125, 8, 0.01));
    std::uint32_t trial = 0;
    for (const auto& rate : rates()) {
        const auto figure = measure_rates(context, result, rate, trial);
        trial += (rate_steps_ms.size() + 1) * repetitions;
        sampled.series.push_back(figure.measured);
        sampled.series.push_back(figure.exact);
    }
    sampled.series.push_back(first_order_line(0.25, 4, 0.02));
    result.figures.push_back({"time_step",
                              "Left: errors without noise against the time step; the alpha filter is of second order. Right: bias of the "
                              "rate, measured and expected.",
                              {exact, sampled}});
    return result;
}

}  // namespace

const Check time_step{"time_step", "V5", "results on the grid tend to those in continuous time as dt goes to 0, to first order", R"(
Where the grid departs from continuous time, and the size of it for small $x = dt/\tau$:

- **Filter.** The sampled exponential is scaled so that its sum times $dt$ is 1, so it is $(1 - e^{-x})/x = 1 - x/2 + \ldots$ times the
  exponential it stands for: first order. The alpha filter gets $(2 \sinh(x/2)/x)^2 = 1 + x^2/12 + \ldots$, even in $x$: second order.
- **Causal factor** (law L3), the sum over the window times the response in place of the integral $\tau_+/(\tau_+ + \tau)$: first order,
  relative error $-S/2 + R$ with $S = dt\,(2/\tau + 1/\tau_+)$ and $0 \le R \le S^2/6$; extrapolation to $dt = 0$ (Richardson) leaves the
  second order.
- **STDP.** A pair counts at its lag in whole steps. Single pairs miss their real lag by up to a step: first order, mean error
  $K(s)\,dt/(3\tau_+)$ over all phases. On the grid the change is the window at the whole lag, in continuous time the window at the real
  lag, both to rounding.
- **Firing.** At most one spike a step has the mean $1 - e^{-\lambda dt}$ instead of $\lambda dt$: the rate falls short by $\lambda dt/2$
  to first order. The driven unit fires at $\lambda_0 e^{u}$, with $u$ the filtered spikes of a source of rate $r$. By Campbell's theorem
  its rate is $\lambda_0 \exp(r \int (e^{w \epsilon(s)} - 1)\, ds)$ in continuous time; on the grid it is
  $\lambda_0 \prod_k (1 + p\,(e^{w \epsilon_k} - 1))$, $p = 1 - e^{-r dt}$. So the expected rate is known at every $dt$ and the comparison
  has no systematic error left.

Errors without noise must have their order: the slope of $\log$ error against $\log dt$ may differ from it by what the term of the next
order can do, for which the remainders above are bounds. Rates must agree with their expectation at each $dt$ within the sampling error.
)",
                      run};

}  // namespace ydot::verify
