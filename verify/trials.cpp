#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>
#include <memory>
#include <numeric>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/alignment.hpp"
#include "sim/mean_field.hpp"
#include "verify/list.hpp"
#include "verify/trials.hpp"
#include "verify/two_pass.hpp"

namespace ydot::verify {
namespace {

constexpr std::uint64_t network_seed =
    1;  // angles belong to a network and a pattern: these stay, the seed of the context chooses the spikes
constexpr std::size_t trials_per_group = 500;

using Changes = std::vector<std::vector<double>>;  ///< by group or by projection, and synapse

Context of_network(const Context& context) { return {network_seed, context.quick, context.fault}; }
std::vector<std::string> at_rate(double rate_Hz) {
    return {fmt::format("populations.input.rate_Hz={:.1f}", rate_Hz), fmt::format("populations.hidden.lambda_max_Hz={:.1f}", rate_Hz),
            fmt::format("populations.top.lambda_max_Hz={:.1f}", rate_Hz)};
}
std::vector<std::string> uncorrected(std::vector<std::string> settings) {
    for (const char* name : {"up", "read"}) settings.push_back(fmt::format("projections.{}.plasticity.causal_correction=none", name));
    return settings;
}

/// A circuit of the check with its schedule, and the mean field of both.
struct Subject {
    std::unique_ptr<Circuit> circuit;
    Trainer trainer;
    Subject(const Context& context, const std::vector<std::string>& settings)
        : circuit(of_network(context).build(two_pass_circuit, settings)),
          trainer(*circuit, app::build_schedule(app::parse_description(two_pass_circuit, "check.toml", settings), *circuit, 20, 10)) {}

    /// Mean changes of each group of trials, by projection.
    std::vector<Changes> measure(const Pattern& pattern, std::uint32_t first_trial, std::size_t groups, std::size_t trials) {
        std::vector<Changes> by_projection(2);
        for (std::size_t g = 0; g < groups; ++g) {
            std::vector<Presentation> shown;
            for (std::size_t k = 0; k < trials; ++k) shown.push_back(pattern.presentation(first_trial++));
            const auto sums = trainer.measure(shown);
            for (const auto& layer : layers) {
                by_projection[layer.projection].push_back(sums[layer.projection]);
                for (double& x : by_projection[layer.projection].back()) x /= static_cast<double>(trials);
            }
        }
        return by_projection;
    }
};

Moments angles(const Changes& groups, std::span<const double> direction) {
    std::vector<double> degrees;
    for (const auto& change : groups) degrees.push_back(angle_degrees(change, direction));
    return moments_of(degrees);
}

/// Sum over synapses of the variance between groups.
double noise_of(const Changes& groups) {
    double sum = 0;
    for (std::size_t k = 0; k < groups[0].size(); ++k) {
        std::vector<double> x;
        for (const auto& change : groups) x.push_back(change[k]);
        sum += moments_of(x).variance;
    }
    return sum;
}
double squared_length(const Changes& groups) {
    double pairs = 0;
    for (std::size_t a = 0; a < groups.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) pairs += std::inner_product(groups[a].begin(), groups[a].end(), groups[b].begin(), 0.0);
    return pairs / (0.5 * static_cast<double>(groups.size() * (groups.size() - 1)));
}

/// Means of 1, 2, 4, ... neighbouring groups.
Changes merged(const Changes& groups, std::size_t count) {
    Changes means;
    for (std::size_t first = 0; first + count <= groups.size(); first += count) {
        means.push_back(groups[first]);
        for (std::size_t g = first + 1; g < first + count; ++g)
            for (std::size_t k = 0; k < means.back().size(); ++k) means.back()[k] += groups[g][k];
        for (double& x : means.back()) x /= static_cast<double>(count);
    }
    return means;
}

/// The angle against the number of trials: points, and the curve that noise falling as 1/n gives from the floor.
void add_curve(Panel& panel, const std::string& name, const Changes& small, std::size_t trials, std::span<const double> direction) {
    Series points{name, {}, {}, {}, false}, curve{name + ": 1/sqrt(n), then the floor", {}, {}, {}, true};
    const double floor = std::cos(noise_free_angle_degrees(small, direction).mean * std::numbers::pi / 180),
                 noise = noise_of(small) / squared_length(small);
    for (std::size_t count = 1; count <= small.size(); count *= 2) {
        const auto measured = angles(merged(small, count), direction);
        points.x.push_back(static_cast<double>(count * trials));
        points.y.push_back(measured.mean);
        points.error.push_back(measured.count > 1 ? measured.error() : 0);
        curve.x.push_back(points.x.back());
        curve.y.push_back(std::acos(floor / std::sqrt(1 + noise / static_cast<double>(count))) * 180 / std::numbers::pi);
    }
    panel.series.push_back(std::move(points));
    panel.series.push_back(std::move(curve));
}

/// Noise falls as 1/n: means of 4 times as many trials have a quarter of the variance. Each block of groups is an independent estimate.
Measurement noise_law(const std::string& name, const Changes& small) {
    constexpr std::size_t block = 32, more = 4;
    std::vector<double> ratio;
    for (std::size_t first = 0; first + block <= small.size(); first += block) {
        const Changes part(small.begin() + static_cast<std::ptrdiff_t>(first), small.begin() + static_cast<std::ptrdiff_t>(first + block));
        ratio.push_back(more * noise_of(merged(part, more)) / noise_of(part));
    }
    return agrees(name + ": 4 x noise power of 4 times as many trials", "1", moments_of(ratio), 1, 8, 0.5,
                  "trials are independent: noise power falls as 1/n, the angle as 1/sqrt(n)");
}

/// What is known of one layer at one rate, and what was measured.
struct Floor {
    std::string name;  ///< rate and layer
    std::vector<double> descent, feedforward, settled, field;
    const Changes &measured, &uncorrected;
};

Measurement angle_shown(const std::string& what, const Moments& angle, const std::string& reason) {
    auto m = shown(what, "degrees", angle.mean, reason);
    m.standard_error = angle.error();
    return m;
}

void check_floor(const Floor& f, bool fast, bool quick, std::vector<Measurement>& to) {
    const auto at_floor = noise_free_angle_degrees(f.measured, f.descent);
    if (fast) {
        to.push_back(surely_at_most(f.name + ": angle to the gradient after 500 trials", "degrees", angles(f.measured, f.descent), 10, 8,
                                    "asked for; mean over groups of 500 trials, t-distributed"));
        to.push_back(surely_at_most(f.name + ": angle at the floor", "degrees", at_floor, quick ? 10 : 4.5, 8,
                                    "asked for (quick: 10, too few trials for 4.5); noise-free estimate, error by jackknife over groups"));
    } else {
        to.push_back(surely_at_most(f.name + ": angle at the floor, causal correction", "degrees", at_floor, 10, 8,
                                    "asked for; the analytic causal correction costs no trials"));
    }
    to.push_back(
        shown(f.name + ": settled two-pass change to the gradient", "degrees", angle_degrees(f.settled, f.descent), "finite nudge of 1"));
    to.push_back(shown(f.name + ": mean field to the settled two-pass change", "degrees", angle_degrees(f.field, f.settled),
                       "finite filters, and pre that moves between the passes"));
    to.push_back(angle_shown(f.name + ": floor to the mean field", noise_free_angle_degrees(f.measured, f.field),
                             "what is left of law L3, and noise on a curved phi"));
    if (!f.uncorrected.empty())
        to.push_back(angle_shown(f.name + ": floor without causal correction", noise_free_angle_degrees(f.uncorrected, f.descent),
                                 "law L3: a pre spike raises the post rate"));
    to.push_back(angle_shown(f.name + ": floor to the gradient without feedback", noise_free_angle_degrees(f.measured, f.feedforward),
                             "plain backpropagation is another network's gradient: the loop is cut"));
}

/// Every seed shows trials of its own.
std::uint32_t first_trial_of(const Context& context) { return static_cast<std::uint32_t>(context.seed * 0x9E3779B9u); }

void append(CheckResult part, CheckResult& to) {
    std::move(part.measurements.begin(), part.measurements.end(), std::back_inserter(to.measurements));
    std::move(part.figures.begin(), part.figures.end(), std::back_inserter(to.figures));
}

CheckResult run(const Context& context) {
    const auto groups = [&](std::size_t all, std::size_t quick) { return context.quick ? quick : all; };
    CheckResult result;
    append(noise_of_trials(context, groups(4096, 1024)), result);
    append(floor_of_trials(context, 1000, groups(80, 20), groups(40, 3)), result);
    append(floor_of_trials(context, 200, groups(160, 40), groups(80, 3)), result);
    return result;
}

}  // namespace

CheckResult floor_of_trials(const Context& context, double rate_Hz, std::size_t groups, std::size_t groups_uncorrected) {
    const bool fast = rate_Hz > 500;
    const Pattern pattern(network_seed);
    const auto first_trial = first_trial_of(context) + (fast ? 0 : 0x1000000u);
    Subject corrected(context, at_rate(rate_Hz));
    const auto intact = of_network(context.intact()).build(two_pass_circuit, at_rate(rate_Hz));
    const TwoPass law(*intact, pattern);
    const auto expected = MeanField(*intact, corrected.trainer.schedule()).changes(pattern.presentation(0));

    const auto start = std::chrono::steady_clock::now();
    const auto measured = corrected.measure(pattern, first_trial, groups, trials_per_group);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto raw =
        Subject(context, uncorrected(at_rate(rate_Hz))).measure(pattern, first_trial + 0x800000u, groups_uncorrected, trials_per_group);

    const std::string at = fmt::format("{:.0f} Hz, ", rate_Hz);
    CheckResult result;
    for (const auto& [projection, name] : layers)
        check_floor({at + name, law.descent(projection), law.feedforward_descent(projection), law.change(projection, 1),
                     expected[projection], measured[projection], raw[projection]},
                    fast, context.quick, result.measurements);
    result.measurements.push_back(shown(at + "time for 500 trials", "s", seconds / static_cast<double>(groups),
                                        "on this machine, all threads; the one figure here that is not the same at every run"));
    return result;
}

CheckResult noise_of_trials(const Context& context, std::size_t pairs) {
    const Pattern pattern(network_seed);
    Subject subject(context, at_rate(1000));
    const auto intact = of_network(context.intact()).build(two_pass_circuit, at_rate(1000));
    const TwoPass law(*intact, pattern);
    constexpr std::size_t pair = 2;
    const auto measured = subject.measure(pattern, first_trial_of(context) + 0x2000000u, pairs, pair);
    Figure figure{
        "angle_against_trials",
        "Angle between the mean spiking update and the exact gradient of the settled loop at 1000 Hz against the number of trials.",
        {}};
    CheckResult result;
    for (const auto& [projection, name] : layers) {
        result.measurements.push_back(noise_law(name, measured[projection]));
        figure.panels.push_back({"trials", "angle (degrees)", true, true, {}});
        add_curve(figure.panels.back(), name, measured[projection], pair, law.descent(projection));
    }
    result.figures.push_back(std::move(figure));
    return result;
}

const Check trials{
    "trials", "V3", "Spiking updates tend to the exact gradient as trials are averaged",
    R"(A 20-15-10 loop of Poisson units with symmetric feedback, gain 0.25, learns one pattern in two passes by STDP (derivative
window, 100 ms, gate on the pre spike within 120 ms of the step of the target). Its mean change over $n$ trials is compared with the exact
gradient at the settled state of the loop. The error has a part that falls as $1/\sqrt n$, the Poisson noise, and a floor. The floor is
taken apart by two rate readings: the settled two-pass change (finite nudge), and the mean field, the same step loop with expected spikes
(finite filters; pre that moves). What spikes add to that is the causal drift of law L3, a pre spike that raises the post rate, and noise
on a curved $\phi$.

At 200 Hz the drift dominates. `causal_correction = "analytic"` subtracts from each arrival its expected effect,
$w\,\phi'(u)\,\lambda_\text{max}\,A_+ \int e^{-s/\tau_+}\varepsilon(s)\,ds$, with the slope at the moment of the arrival; it needs only
what the synapse can know and no control trials.)",
    run};

}  // namespace ydot::verify
