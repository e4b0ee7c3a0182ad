#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/random.hpp"
#include "sim/spike_times.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

constexpr std::size_t units = 64, repetitions = 100;
constexpr double dt_ms = 1, window_ms = 20, tau_syn_ms = 5, delay_ms = 2, weight = 0.9, input_full_rate_Hz = 25 * 1.8, lambda_max_Hz = 200;

/// A model with a way of firing.
struct Kind {
    const char *name, *text;
    bool continuous;
    GridProbability probability;
    double bias;  ///< of the logistic; a unit without input has 0 and fires at 100 Hz
    bool driven;
};
constexpr std::array<Kind, 6> undriven{{
    {"poisson, grid, exponential", "model = 'poisson'\nlambda_max_Hz = 200.0\ngrid_probability = 'exponential'", false,
     GridProbability::exponential, 0, false},
    {"poisson, grid, linear", "model = 'poisson'\nlambda_max_Hz = 200.0\ngrid_probability = 'linear'", false, GridProbability::linear, 0,
     false},
    {"poisson, grid, counts", "model = 'poisson'\nlambda_max_Hz = 200.0\ngrid_probability = 'counts'", false, GridProbability::counts, 0,
     false},
    {"poisson, continuous", "model = 'poisson'\nlambda_max_Hz = 200.0", true, GridProbability::counts, 0, false},
    {"poisson_source, grid", "model = 'poisson_source'\nrate_Hz = 100.0", false, GridProbability::exponential, 0, false},
    {"poisson_source, continuous", "model = 'poisson_source'\nrate_Hz = 100.0", true, GridProbability::counts, 0, false},
}};
constexpr std::array<Kind, 4> driven{{
    {"driven, grid, exponential", "grid_probability = 'exponential'", false, GridProbability::exponential, -3, true},
    {"driven, grid, linear", "grid_probability = 'linear'", false, GridProbability::linear, -3, true},
    {"driven, grid, counts", "grid_probability = 'counts'", false, GridProbability::counts, -3, true},
    {"driven, continuous", "", true, GridProbability::counts, -3, true},
}};
constexpr std::size_t comparisons = 6 * (undriven.size() + driven.size());

std::string undriven_text(const Kind& kind) { return std::string("[populations.units]\nsize = 64\n") + kind.text; }
std::string driven_text(const Kind& kind) {
    return std::string(R"(
[populations.input]
model = "modulated_source"
size = 4
rate_Hz = 25.0
depth = 0.8
frequency_Hz = 4.0
[projections.line]
from = "input"
to = "units"
weight = 0.9
delay_ms = 2.0
[populations.units]
model = "poisson"
size = 64
phi = "logistic"
filter = "exponential"
lambda_max_Hz = 200.0
tau_syn_ms = 5.0
bias = -3.0
)") + kind.text;
}
std::unique_ptr<Circuit> circuit_of(const Context& context, const Kind& kind, const std::string& text) {
    return context.build(text, {"run.dt_ms=1.0", std::string("run.propagator=") + (kind.continuous ? "continuous" : "grid")});
}

// ---- what the law says of a unit, given the spikes of its input -------------------------------------------------------------------

/// Rescaled time of a spike, and of the moment from which the next interval counts.
struct Rescaled {
    double at, next_from;
};

/// Expectations of one unit from time 0, and its rescaled time: the integral of its hazard.
class Law {
public:
    virtual ~Law() = default;
    virtual double mean_until(double t_ms) const = 0;
    virtual double variance_until(double t_ms) const = 0;
    virtual double drive_at(double t_ms) const = 0;
    virtual double expected_score() const = 0;  ///< of the drive summed over spikes
    virtual double end() const = 0;             ///< in rescaled time
    virtual Rescaled rescaled(double t_ms, Draws&) const = 0;
};

double intensity_per_ms(const Kind& kind, double drive) { return lambda_max_Hz * 1e-3 / (1 + std::exp(-kind.bias - drive)); }

/// Independent draws in steps. A spike of a step says only that there was (at least) one in it; its place in the step is drawn from the law
/// (randomised probability integral transform; Haslinger, Pipa & Brown 2010), which makes the rescaled times exactly exponential.
class GridLaw final : public Law {
public:
    GridLaw(const Kind& kind, const std::vector<double>& arrivals_ms, double duration_ms)
        : counts_(kind.probability == GridProbability::counts) {
        const auto steps = static_cast<std::size_t>(std::lround(duration_ms / dt_ms));
        std::vector<double> arrivals(steps);
        for (const double t : arrivals_ms)
            if (t < duration_ms) ++arrivals[step_of(t)];
        // the filter is sampled so that the sum of its response times dt is 1
        const double keep = std::exp(-dt_ms / tau_syn_ms), jump = weight * 1e3 / input_full_rate_Hz * (1 - keep) / dt_ms;
        double drive = 0;
        for (std::size_t n = 0; n < steps; ++n) {
            drive = keep * drive + jump * arrivals[n];
            add(kind.probability, intensity_per_ms(kind, drive) * dt_ms, drive);
        }
    }
    double mean_until(double t_ms) const override { return mean_[step_of(t_ms + 0.5 * dt_ms)]; }
    double variance_until(double t_ms) const override { return variance_[step_of(t_ms + 0.5 * dt_ms)]; }
    double drive_at(double t_ms) const override { return drive_[step_of(t_ms)]; }
    double expected_score() const override { return score_; }
    double end() const override { return hazard_.back(); }
    Rescaled rescaled(double t_ms, Draws& draws) const override {
        const std::size_t n = step_of(t_ms);
        const double within = hazard_[n + 1] - hazard_[n], v = draws.uniform();
        if (counts_) return {hazard_[n] + v * within, hazard_[n] + v * within};
        return {hazard_[n] - std::log1p(v * std::expm1(-within)), hazard_[n + 1]};
    }

private:
    static std::size_t step_of(double t_ms) { return static_cast<std::size_t>(t_ms / dt_ms); }
    void add(GridProbability probability, double expected, double drive) {
        const double p = probability == GridProbability::exponential ? -std::expm1(-expected) : expected;
        hazard_.push_back(hazard_.back() + (probability == GridProbability::linear ? -std::log1p(-p) : expected));
        mean_.push_back(mean_.back() + p);
        variance_.push_back(variance_.back() + (counts_ ? p : p * (1 - p)));
        drive_.push_back(drive);
        score_ += drive * p;
    }
    bool counts_;
    double score_ = 0;
    std::vector<double> hazard_{0}, mean_{0}, variance_{0}, drive_;
};

/// A Poisson process of intensity lambda(drive), drive a sum of exponentials; integrals over pieces of at most 1 ms between arrivals
/// (Gauss-Legendre, five nodes: error below 1e-10).
class TimeLaw final : public Law {
public:
    TimeLaw(const Kind& kind, const std::vector<double>& arrivals_ms, double duration_ms) : kind_(kind) {
        std::vector<std::pair<double, bool>> edges;
        for (double t = 1; t <= duration_ms; ++t) edges.emplace_back(t, false);
        for (const double t : arrivals_ms)
            if (t < duration_ms) edges.emplace_back(t, true);
        std::sort(edges.begin(), edges.end());
        for (const auto& [t, arrives] : edges) {
            const double h = t - at_.back();
            integral_.push_back(integral_.back() + integral_over(drive_.back(), h, false));
            score_ += integral_over(drive_.back(), h, true);
            drive_.push_back(drive_.back() * std::exp(-h / tau_syn_ms) + (arrives ? weight * 1e3 / input_full_rate_Hz / tau_syn_ms : 0));
            at_.push_back(t);
        }
    }
    double mean_until(double t_ms) const override {
        const std::size_t k = piece_of(t_ms);
        return integral_[k] + integral_over(drive_[k], t_ms - at_[k], false);
    }
    double variance_until(double t_ms) const override { return mean_until(t_ms); }
    double drive_at(double t_ms) const override {
        const std::size_t k = piece_of(t_ms);
        return drive_[k] * std::exp(-(t_ms - at_[k]) / tau_syn_ms);
    }
    double expected_score() const override { return score_; }
    double end() const override { return integral_.back(); }
    Rescaled rescaled(double t_ms, Draws&) const override {
        const double at = mean_until(t_ms);
        return {at, at};
    }

private:
    std::size_t piece_of(double t_ms) const {
        return static_cast<std::size_t>(std::upper_bound(at_.begin(), at_.end(), t_ms) - at_.begin()) - 1;
    }
    double integral_over(double drive, double h_ms, bool times_drive) const {
        constexpr std::array<double, 5> node{-0.9061798459386640, -0.5384693101056831, 0, 0.5384693101056831, 0.9061798459386640},
            share{0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
        double sum = 0;
        for (std::size_t k = 0; k < node.size(); ++k) {
            const double now = drive * std::exp(-0.5 * h_ms * (1 + node[k]) / tau_syn_ms);
            sum += share[k] * intensity_per_ms(kind_, now) * (times_drive ? now : 1);
        }
        return 0.5 * h_ms * sum;
    }
    const Kind& kind_;
    double score_ = 0;
    std::vector<double> at_{0}, drive_{0}, integral_{0};
};

std::unique_ptr<const Law> law_of(const Kind& kind, const std::vector<double>& arrivals_ms, double duration_ms) {
    if (kind.continuous) return std::make_unique<TimeLaw>(kind, arrivals_ms, duration_ms);
    return std::make_unique<GridLaw>(kind, arrivals_ms, duration_ms);
}

// ---- one repetition ---------------------------------------------------------------------------------------------------------------

struct Sample {
    std::vector<double> waits;  ///< intervals in rescaled time, of all units one after the other
    double rest = 0;            ///< from the last spike to the end
    double expected = 0;        ///< spikes
    double spikes_ratio = 0, score_ratio = 0, fano = 0, variance_ratio = 0, correlation = 0, square = 0;
};

void rescale(Sample& sample, const Law& law, const std::vector<double>& train, Draws& draws) {
    std::vector<Rescaled> spikes;
    for (const double t : train) spikes.push_back(law.rescaled(t, draws));
    std::sort(spikes.begin(), spikes.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    double from = -sample.rest;  // the time of one unit goes on where that of the last ended
    for (const auto& spike : spikes) {
        sample.waits.push_back(spike.at - from);
        from = spike.next_from;
    }
    sample.rest = law.end() - from;
}

/// Counts in windows minus their expectations, over the standard deviation of the law: rows are units.
std::vector<std::vector<double>> standardised(const std::vector<std::vector<double>>& trains, const std::vector<double>& mean,
                                              const std::vector<double>& variance) {
    std::vector<std::vector<double>> z(trains.size(), std::vector<double>(mean.size()));
    for (std::size_t i = 0; i < trains.size(); ++i) {
        for (const double t : trains[i]) ++z[i][static_cast<std::size_t>(t / window_ms)];
        for (std::size_t w = 0; w < mean.size(); ++w) z[i][w] = (z[i][w] - mean[w]) / std::sqrt(variance[w]);
    }
    return z;
}

/// Over all pairs of units: mean of the correlation, and of its square times the number of windows; 0 and 1 exactly for independent units.
void correlate(Sample& sample, const std::vector<std::vector<double>>& z) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < z.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            double r = 0;
            for (std::size_t w = 0; w < z[i].size(); ++w) r += z[i][w] * z[j][w];
            sum += r;
            squares += r * r;
        }
    const double pairs = 0.5 * static_cast<double>(z.size() * (z.size() - 1)), windows = static_cast<double>(z[0].size());
    sample.correlation = sum / pairs / windows;
    sample.square = squares / pairs / windows;
}

void count(Sample& sample, const Law& law, const std::vector<std::vector<double>>& trains, double duration_ms) {
    std::vector<double> mean, variance;
    for (double t = window_ms; t <= duration_ms; t += window_ms) {
        mean.push_back(law.mean_until(t) - law.mean_until(t - window_ms));
        variance.push_back(law.variance_until(t) - law.variance_until(t - window_ms));
    }
    const auto z = standardised(trains, mean, variance);
    double squares = 0, expected_squares = 0, means = 0;
    for (std::size_t w = 0; w < mean.size(); ++w) {
        for (const auto& row : z) squares += row[w] * row[w] * variance[w];
        expected_squares += variance[w] * static_cast<double>(z.size());
        means += mean[w] * static_cast<double>(z.size());
    }
    sample.fano = squares / means;
    sample.variance_ratio = squares / expected_squares;
    correlate(sample, z);
}

/// Spikes on the grid are reported at the end of their step; here in its middle.
SpikeTimes run_once(Circuit& circuit, const Kind& kind, double duration_ms, std::uint32_t trial) {
    auto times = spike_times(circuit, duration_ms, trial);
    if (!kind.continuous)
        for (auto& population : times)
            for (auto& train : population)
                for (double& t : train) t -= 0.5 * dt_ms;
    return times;
}

/// What the input sends, as the check asked for it: nothing else should reach a unit.
std::vector<double> arrivals_in(const Kind& kind, const Circuit& circuit, const SpikeTimes& times) {
    std::vector<double> arrivals;
    if (!kind.driven) return arrivals;
    for (const auto& train : times[circuit.find_population("input")])
        for (const double t : train) arrivals.push_back(t + delay_ms);
    return arrivals;
}

Sample observe(const Context& context, Circuit& circuit, const Kind& kind, double duration_ms, std::uint32_t trial) {
    const auto times = run_once(circuit, kind, duration_ms, trial);
    const auto& trains = times[circuit.find_population("units")];
    const auto law = law_of(kind, arrivals_in(kind, circuit, times), duration_ms);
    Draws draws(context.seed, stream_of("verify.poisson", Purpose::fire), 0, trial);
    Sample sample;
    double spikes = 0, score = 0;
    for (const auto& train : trains) {
        rescale(sample, *law, train, draws);
        spikes += static_cast<double>(train.size());
        for (const double t : train) score += law->drive_at(t);
    }
    sample.expected = law->mean_until(duration_ms) * units;
    sample.spikes_ratio = spikes / sample.expected;
    sample.score_ratio = score / (law->expected_score() * units);
    count(sample, *law, trains, duration_ms);
    return sample;
}

// ---- all repetitions of a kind ----------------------------------------------------------------------------------------------------

std::vector<Sample> observe_all(const Context& context, const Kind& kind, const std::string& text, double duration_ms, std::size_t index) {
    const auto circuit = circuit_of(context, kind, text);
    return repeat(repetitions, [&](std::size_t k) {
        return observe(context, *circuit, kind, duration_ms, static_cast<std::uint32_t>(index * repetitions + k));
    });
}

/// The probability integral transform of the first n intervals. n is fixed by the expectation, eight standard deviations below it: a sample
/// of all intervals that end before the end of the run would have too few long ones.
std::vector<double> uniforms_of(const std::vector<Sample>& samples) {
    std::vector<double> uniforms;
    double rest = 0, expected = 0;
    for (const auto& sample : samples) {
        for (std::size_t k = 0; k < sample.waits.size(); ++k) uniforms.push_back(-std::expm1(-sample.waits[k] - (k == 0 ? rest : 0)));
        rest = sample.rest + (sample.waits.empty() ? rest : 0);
        expected += sample.expected;
    }
    uniforms.resize(std::min(uniforms.size(), static_cast<std::size_t>(expected - 8 * std::sqrt(expected))));
    return uniforms;
}

Moments moments_over(const std::vector<Sample>& samples, double Sample::*member) {
    std::vector<double> x;
    for (const auto& sample : samples) x.push_back(sample.*member);
    return moments_of(x);
}

/// Correlation of successive intervals, in as many blocks as there are repetitions.
Moments serial_correlation(const std::vector<double>& u) {
    const std::size_t block = u.size() / repetitions;
    std::vector<double> x;
    for (std::size_t b = 0; b < repetitions; ++b) {
        double sum = 0;
        for (std::size_t k = b * block; k + 1 < (b + 1) * block; ++k) sum += 12 * (u[k] - 0.5) * (u[k + 1] - 0.5);
        x.push_back(sum / static_cast<double>(block - 1));
    }
    return moments_of(x);
}

Measurement uniform(std::string what, const std::vector<double>& u, double must_see) {
    const double root = std::sqrt(static_cast<double>(u.size())), bound = ks_limit(alpha / comparisons) / root,
                 resolution = bound + ks_limit(alpha) / root;
    const double distance = ks_distance(u, [](double x) { return x; }) / root;
    return {std::move(what),
            "",
            distance,
            0,
            Measurement::Bound::at_most,
            bound,
            0,
            resolution,
            "Kolmogorov-Smirnov distance from the uniform law of 1 - exp(-rescaled interval): exceeded with the probability of the check "
            "at most, for any number of "
            "intervals (Massart 1990); Bonferroni over the comparisons of the check",
            distance <= bound && resolution <= must_see};
}

/// Smallest deviations that must not be overlooked.
struct MustSee {
    double distance, spikes, score, variance, correlation, square, serial;
};

void measure(CheckResult& result, const Kind& kind, const std::vector<Sample>& samples, const std::vector<double>& u, const MustSee& see) {
    const std::string name = kind.name;
    const auto mean_of = [&](double Sample::*member) { return moments_over(samples, member); };
    const char* sampling = "sampling error of independent repetitions; the expectation is exact";
    result.measurements.push_back(uniform(name + ": distance of the intervals from the law", u, see.distance));
    result.measurements.push_back(
        agrees(name + ": spikes over their expectation", "", mean_of(&Sample::spikes_ratio), 1, comparisons, see.spikes, sampling));
    result.measurements.push_back(
        agrees(name + ": correlation of successive intervals", "", serial_correlation(u), 0, comparisons, see.serial, sampling));
    result.measurements.push_back(agrees(name + ": mean correlation of the counts of two units", "", mean_of(&Sample::correlation), 0,
                                         comparisons, see.correlation, sampling));
    result.measurements.push_back(agrees(
        name + ": squared correlation of two units times number of windows", "", mean_of(&Sample::square), 1, comparisons, see.square,
        "sampling error of independent repetitions; the square of a correlation over W windows is 1/W for independent units"));
}

/// Variance over mean of the counts that the law gives without input: 1 for a Poisson process, 1 - p for one draw a step.
double law_fano(const Kind& kind) {
    const double expected = intensity_per_ms(kind, 0) * dt_ms;
    if (kind.probability == GridProbability::counts) return 1;
    return kind.probability == GridProbability::linear ? 1 - expected : std::exp(-expected);
}

/// Enough intervals for a picture.
std::vector<double> sorted_part(const std::vector<double>& u) {
    std::vector<double> part(u.begin(), u.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(u.size(), 50000)));
    std::sort(part.begin(), part.end());
    return part;
}
Series survivors(const char* name, const std::vector<double>& all) {
    const auto u = sorted_part(all);
    Series series{name, {}, {}, {}};
    for (double x = 0; x < 8; x += 0.25) {
        const auto below = std::lower_bound(u.begin(), u.end(), -std::expm1(-x)) - u.begin();
        series.x.push_back(x);
        series.y.push_back(1 - static_cast<double>(below) / static_cast<double>(u.size()));
    }
    return series;
}
Series deviations(const char* name, std::vector<double> u) {
    std::sort(u.begin(), u.end());  // all: the bound is for their number
    Series series{name, {}, {}, {}, true};
    for (double x = 0.02; x < 1; x += 0.02) {
        const auto below = std::lower_bound(u.begin(), u.end(), x) - u.begin();
        series.x.push_back(x);
        series.y.push_back(static_cast<double>(below) / static_cast<double>(u.size()) - x);
    }
    return series;
}
void add_band(Panel& panel, const CheckResult& result) {
    double bound = 0;
    for (const auto& m : result.measurements)
        if (m.kind == Measurement::Bound::at_most) bound = std::max(bound, m.bound);
    panel.series.push_back({"bound", {0, 1}, {bound, bound}, {}, true});
    panel.series.push_back({"", {0, 1}, {-bound, -bound}, {}, true});
}

CheckResult run(const Context& context) {
    const MustSee see =
        context.quick ? MustSee{0.012, 0.024, 0.028, 0.05, 0.006, 0.13, 0.025} : MustSee{0.006, 0.0115, 0.013, 0.025, 0.003, 0.08, 0.0125};
    const double undriven_ms = context.quick ? 1000 : 5000, driven_ms = context.quick ? 1500 : 6000;
    CheckResult result;
    Panel intervals{"interval times intensity", "share of longer intervals", false, true, {}},
        rescaling{"1 - exp(-rescaled interval)", "distribution minus uniform", false, false, {}};
    std::size_t index = 0;
    for (const auto& kind : undriven) {
        const auto samples = observe_all(context, kind, undriven_text(kind), undriven_ms, index++);
        const auto u = uniforms_of(samples);
        measure(result, kind, samples, u, see);
        result.measurements.push_back(agrees(
            std::string(kind.name) + ": Fano factor", "", moments_over(samples, &Sample::fano), law_fano(kind), comparisons, see.variance,
            "sampling error of independent repetitions; 1 for a Poisson process, 1 - p where a step has at most one spike"));
        intervals.series.push_back(survivors(kind.name, u));
    }
    for (const auto& kind : driven) {
        const auto samples = observe_all(context, kind, driven_text(kind), driven_ms, index++);
        const auto u = uniforms_of(samples);
        measure(result, kind, samples, u, see);
        result.measurements.push_back(
            agrees(std::string(kind.name) + ": input drive summed over spikes, over its expectation", "",
                   moments_over(samples, &Sample::score_ratio), 1, comparisons, see.score,
                   "sampling error of independent repetitions; sensitive to the time of an arrival, which the intervals are not"));
        rescaling.series.push_back(deviations(kind.name, u));
    }
    Series law{"exponential", {0, 8}, {1, std::exp(-8.0)}, {}, true};
    intervals.series.push_back(law);
    add_band(rescaling, result);
    result.figures.push_back(
        {"poisson",
         "Left: intervals of units without input are exponential. Right: rescaled intervals of driven units are uniform within the bound.",
         {intervals, rescaling}});
    return result;
}

}  // namespace

const Check poisson{"poisson", "V4", "spikes are Poisson: intervals, Fano factor, independence, time rescaling", R"(
Given its input, a unit fires as a Poisson process of intensity $\lambda(t)$, independently of all others. Four consequences are measured,
for every way of firing:

- **Intervals.** In rescaled time $\Lambda(t) = \int_0^t \lambda$ intervals are exponential of mean 1, so $1 - e^{-\Delta\Lambda}$ is
  uniform (Brown et al. 2002, Neural Comput. 14:325-346). Units without input have constant $\lambda$; driven units get
  $\lambda(t) = \lambda_{max} \phi(b + w \sum_k \epsilon(t - t_k - d))$ from the spikes of their own, modulated, input. On the grid the
  survival probabilities $1 - p_n$ of the steps take the place of $e^{-\lambda dt}$, and the place of a spike in its step is drawn from
  the law (Haslinger, Pipa & Brown 2010, Neural Comput. 22:2477-2506); this is exact at any $dt$. The bound of the largest distance of the
  distributions holds for any number of intervals, $P(\sqrt{n} D > x) \le 2 e^{-2 x^2}$ (Massart 1990). Successive intervals are not
  correlated.
- **Mean.** The number of spikes is $\Lambda$; and the input drive, summed over the spikes of a unit, is $\int drive\, \lambda\, dt$: the
  score of the weight, which shows a wrong time constant or delay.
- **Fano factor.** The variance of the counts in windows of 20 ms over their mean is 1 for a Poisson process (`counts`, continuous time).
  A step with at most one spike has a Bernoulli variance: $1 - \lambda dt$ (`linear`), $e^{-\lambda dt}$ (`exponential`). Variances are
  taken about the expectation, so the estimate has no bias.
- **Independence.** Counts are standardised with the moments of the law, given the input that units share. Over all pairs of units the
  mean correlation is 0 and its mean square is 1 over the number of windows.
)",
                    run};

}  // namespace ydot::verify
