#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "sim/replica.hpp"
#include "verify/list.hpp"
#include "verify/stdp.hpp"

namespace ydot::verify {
namespace {

constexpr double dt_ms = 1, low_Hz = 10, high_Hz = 70, still_Hz = 70;
constexpr std::size_t units = 128;
constexpr Step sample_steps = 20;

/// How a rate goes from low to high: points (time since the start of the ramp, rate), joined by straight lines.
struct Ramp {
    std::string name;
    PairWindow window;
    std::vector<double> times_ms, rates_Hz;
    double settle_ms() const { return 8 * std::max(window.tau_plus_ms, window.tau_minus_ms); }  // exp(-8) = 3e-4 is left
    double end_ms() const { return 2 * settle_ms() + times_ms.back(); }
    bool antisymmetric() const { return window.a_plus == window.a_minus && window.tau_plus_ms == window.tau_minus_ms; }
};
constexpr PairWindow derivative{1, 1, 20, 20}, slow_depression{1, 0.5, 17, 34};
const std::vector<Ramp> ramps_shown{{"linear", derivative, {0, 100}, {low_Hz, high_Hz}},
                                    {"sudden", derivative, {0, 0, 100}, {low_Hz, high_Hz, high_Hz}},
                                    {"overshoot", derivative, {0, 30, 100}, {low_Hz, 90, high_Hz}},
                                    {"linear, tau- = 2 tau+", slow_depression, {0, 100}, {low_Hz, high_Hz}}};

/// The four projections: which side moves.
struct Side {
    std::string name;
    bool pre, post;
};
const std::array<Side, 4> sides{{{"post", false, true}, {"pre", true, false}, {"both", true, true}, {"neither", false, false}}};

double rate_at(const Ramp& ramp, double t_ms) {
    const auto& times = ramp.times_ms;
    const auto next = static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), t_ms) - times.begin());
    if (next == 0) return low_Hz;
    if (next == times.size()) return high_Hz;
    return std::lerp(ramp.rates_Hz[next - 1], ramp.rates_Hz[next], (t_ms - times[next - 1]) / (times[next] - times[next - 1]));
}

std::string network(const Ramp& ramp) {
    auto times_ms = ramp.times_ms;
    for (double& t : times_ms) t += ramp.settle_ms();
    std::string text = fmt::format("[run]\ndt_ms = {}\n", dt_ms);
    for (const auto* name : {"pre", "post"}) {
        text += fmt::format("[populations.{}_still]\nmodel = \"poisson_source\"\nsize = {}\nrate_Hz = {}\n", name, units, still_Hz);
        text += fmt::format("[populations.{}_ramp]\nmodel = \"piecewise_source\"\nsize = {}\ntimes_ms = {}\nrates_Hz = {}\n", name, units,
                            toml_of(times_ms), toml_of(ramp.rates_Hz));
    }
    for (const auto& side : sides)
        text += fmt::format(
            "[projections.{0}]\nfrom = \"pre_{1}\"\nto = \"post_{2}\"\nweight = 0.0\ndelay_ms = {3}\n[projections.{0}.plasticity]\n{4}",
            side.name, side.pre ? "ramp" : "still", side.post ? "ramp" : "still", dt_ms, toml_of(ramp.window));
    return text;
}

/// Change by a ramp of the post rate, the unit of all figures. Rates are those of steps that hold one spike at most.
double unit_of(const Ramp& ramp) {
    const auto rate = [](double Hz) { return spike_probability(Hz, dt_ms) / dt_ms; };
    return ramp.window.a_plus * ramp.window.tau_plus_ms * ramp.window.tau_minus_ms * rate(still_Hz) * (rate(high_Hz) - rate(low_Hz));
}

constexpr std::size_t presentations = 4;  // of one repetition: on one circuit, whose weights go on from where they are

/// Steps at which the change is read, counted from the end of the settling; the last is the end.
std::vector<Step> samples_of(const Ramp& ramp) {
    const auto last = static_cast<Step>((ramp.end_ms() - ramp.settle_ms()) / dt_ms);
    std::vector<Step> samples;
    for (Step n = sample_steps; n < last; n += sample_steps) samples.push_back(n);
    samples.push_back(last);
    return samples;
}

std::array<double, sides.size()> mean_weights(const Circuit& circuit) {
    std::array<double, sides.size()> means;
    std::transform(sides.begin(), sides.end(), means.begin(), [&](const Side& side) { return mean_weight(circuit, side.name); });
    return means;
}

/// Adds the changes of one presentation, by sample and side.
void present(Circuit& circuit, const Ramp& ramp, std::uint32_t trial, std::vector<double>& changes) {
    Replica replica(circuit);
    replica.reset(trial);
    replica.learn_online();
    const auto settled = static_cast<Step>(ramp.settle_ms() / dt_ms);
    replica.run(settled);
    const auto start = mean_weights(circuit);
    auto change = changes.begin();
    for (const Step n : samples_of(ramp)) {
        replica.run(settled + n - replica.now());
        const auto now = mean_weights(circuit);
        for (std::size_t s = 0; s < sides.size(); ++s) *change++ += (now[s] - start[s]) / unit_of(ramp) / presentations;
    }
}
std::vector<double> measure(const Context& context, const Ramp& ramp, std::uint32_t first_trial) {
    const auto circuit = context.build(network(ramp));
    std::vector<double> changes(samples_of(ramp).size() * sides.size());
    for (std::uint32_t k = 0; k < presentations; ++k) present(*circuit, ramp, first_trial + k, changes);
    return changes;
}

std::vector<double> spikes_of(const Ramp& ramp, bool moves) {
    std::vector<double> spikes;
    for (double t_ms = dt_ms / 2; t_ms < ramp.end_ms(); t_ms += dt_ms)
        spikes.push_back(spike_probability(moves ? rate_at(ramp, t_ms - ramp.settle_ms()) : still_Hz, dt_ms));
    return spikes;
}

/// Expected change since the settling, at the end of every step.
std::vector<double> expect(const Ramp& ramp, const Side& side) {
    auto changes = expected_changes(ramp.window, dt_ms, delayed(spikes_of(ramp, side.pre), 1), spikes_of(ramp, side.post));
    changes.erase(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(ramp.settle_ms() / dt_ms));
    std::partial_sum(changes.begin(), changes.end(), changes.begin());
    for (double& change : changes) change /= unit_of(ramp);
    return changes;
}

/// The law in continuous time: A+ tau+ tau- pre (change of post), less A+ tau+^2 post (change of pre).
double law_of(const Ramp& ramp, const Side& side) {
    if (side.pre == side.post) return 0;
    return side.post ? 1 : -ramp.window.tau_plus_ms / ramp.window.tau_minus_ms;
}
/// When both rates move, only an antisymmetric window has a law that does not depend on the shape of the ramp.
bool has_law(const Ramp& ramp, const Side& side) { return ramp.antisymmetric() || !(side.pre && side.post); }

/// The slower window needs a longer presentation, in which more spikes share the noise.
std::size_t repetitions(const Context& context, const Ramp& ramp) { return (context.quick ? 1 : 4) * (ramp.antisymmetric() ? 140 : 70); }
/// Share of the change by a ramp of the post rate: what rates that are 5 % too high on both sides make of it.
double must_see(const Context& context) { return context.quick ? 0.1 : 0.05; }

struct Course {
    std::vector<double> t_ms;                                 ///< since the start of the ramp
    std::array<std::vector<Moments>, sides.size()> measured;  ///< by side, at t_ms
    std::array<std::vector<double>, sides.size()> expected;   ///< by side, in every step
};
Course measure_all(const Context& context, std::size_t index) {
    const auto& ramp = ramps_shown[index];
    const std::size_t count = repetitions(context, ramp), first = index << 16;
    const auto moments =
        moments_over(count, [&](std::size_t k) { return measure(context, ramp, static_cast<std::uint32_t>(first + k * presentations)); });
    Course course;
    for (const Step n : samples_of(ramp)) course.t_ms.push_back(static_cast<double>(n) * dt_ms);
    for (std::size_t m = 0; m < moments.size(); ++m) course.measured[m % sides.size()].push_back(moments[m]);
    for (std::size_t s = 0; s < sides.size(); ++s) course.expected[s] = expect(ramp, sides[s]);
    return course;
}

/// Pre spikes arrive a step late. That moves nothing while one side rests; when both move, the change moves by at most
/// dt A tau (range of the rate) (total variation of the rate).
double grid_error(const Ramp& ramp) {
    double low = low_Hz, high = high_Hz, variation = 0;
    for (std::size_t k = 0; k < ramp.rates_Hz.size(); ++k) {
        low = std::min(low, ramp.rates_Hz[k]);
        high = std::max(high, ramp.rates_Hz[k]);
        variation += k ? std::abs(ramp.rates_Hz[k] - ramp.rates_Hz[k - 1]) : 0;
    }
    return dt_ms / std::min(ramp.window.tau_plus_ms, ramp.window.tau_minus_ms) * (high - low) * variation / (still_Hz * (high_Hz - low_Hz));
}

void compare(const Context& context, const Ramp& ramp, const Course& course, CheckResult& result) {
    double worst = 0;
    for (std::size_t s = 0; s < sides.size(); ++s) {
        const double expected = course.expected[s].back();
        result.measurements.push_back(
            agrees(fmt::format("{} ramp, {} moves", ramp.name, sides[s].name), "A+ tau+ tau- pre dpost", course.measured[s].back(),
                   expected, sides.size() * ramps_shown.size(), must_see(context),
                   fmt::format("sampling error of {} repetitions; a deviation of {:g} % of the change by a post ramp cannot be overlooked",
                               course.measured[s].back().count, 100 * must_see(context))));
        if (has_law(ramp, sides[s])) worst = std::max(worst, std::abs(expected - law_of(ramp, sides[s])));
    }
    result.measurements.push_back(at_most(ramp.name + " ramp: law on the grid against continuous time", "A+ tau+ tau- pre dpost", worst,
                                          grid_error(ramp),
                                          "first order in dt: pre spikes arrive a step late, which matters where both rates move"));
}

std::vector<double> every_step(std::size_t steps) { return evenly(dt_ms, dt_ms * static_cast<double>(steps), steps); }

Figure draw(const std::vector<Course>& courses) {
    Panel rates{"time (ms)", "rate that moves (Hz)", false, false, {}}, shapes{"time (ms)", "mean change, post moves", false, false, {}},
        moved{"time (ms)", "mean change, linear ramp", false, false, {}};
    for (std::size_t r = 0; r < ramps_shown.size(); ++r) {
        const auto& ramp = ramps_shown[r];
        if (!ramp.antisymmetric()) continue;
        rates.series.push_back(line(ramp.name, evenly(-50, 200, 251), [&](double t) { return rate_at(ramp, t); }));
        shapes.series.push_back(points(ramp.name + ", from spikes", courses[r].t_ms, courses[r].measured[0]));
        shapes.series.push_back({ramp.name + ", law", every_step(courses[r].expected[0].size()), courses[r].expected[0], {}, true});
    }
    for (std::size_t s = 0; s < sides.size(); ++s) {
        moved.series.push_back(points(sides[s].name + ", from spikes", courses[0].t_ms, courses[0].measured[s]));
        moved.series.push_back({sides[s].name + ", law", every_step(courses[0].expected[s].size()), courses[0].expected[s], {}, true});
    }
    return {"ramps",
            "Mean weight change over a ramp of the post rate, the pre rate, both or neither, in units of A+ tau+ tau- pre (change of "
            "post): from spikes (points, one standard error) and by the law (lines).",
            {rates, shapes, moved}};
}

CheckResult run(const Context& context) {
    CheckResult result;
    std::vector<Course> courses;
    for (std::size_t r = 0; r < ramps_shown.size(); ++r) {
        courses.push_back(measure_all(context, r));
        compare(context, ramps_shown[r], courses[r], result);
    }
    result.figures.push_back(draw(courses));
    return result;
}

}  // namespace

const Check ramps{"ramps", "L2",
                  "A ramp of the post rate changes a weight by its height, whatever its shape; one of the pre rate by minus its height",
                  R"(
For a balanced window, $A_+\tau_+ = A_-\tau_-$, and traces in a steady state before and after, the mean change over a ramp of the post
rate by $\Delta\mathrm{post}$ is

$$ \Delta w = A_+ \tau_+ \tau_-\, \mathrm{pre}\, \Delta\mathrm{post}, $$

whatever its shape. When the pre rate moves and the post rate rests it is $-A_+\tau_+^2\, \mathrm{post}\, \Delta\mathrm{pre}$; for an
antisymmetric window both cancel when both rates move alike. So STDP computes pre times the rate of change of post only as far as the pre
rate is held, gated or corrected for.

Rates go from 10 to 70 Hz in 100 ms, evenly, at once, or by way of 90 Hz, against 70 Hz on the other side. Every figure is in units of
$A_+\tau_+\tau_-\,\mathrm{pre}\,\Delta\mathrm{post}$. The expected values are sums over the steps of the grid, exact for it; their
distance from the law is of first order in the step and has a row of its own.

G. Hinton (2007), How to do backpropagation in a brain. X. Xie and H. S. Seung (2000), NIPS 12.
)",
                  run};

}  // namespace ydot::verify
