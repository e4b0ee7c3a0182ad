#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/trainer.hpp"
#include "verify/list.hpp"
#include "verify/stdp.hpp"

namespace ydot::verify {
namespace {

constexpr PairWindow window{1, 1, 20, 20};
constexpr double dt_ms = 0.5, pre_Hz = 50, post_max_Hz = 100, post_before = 0.6,
                 nudge = 0.8;  // post activity: 0.6, then 0.92 of the unit of the label, 0.12 of the others
constexpr std::size_t pre_units = 64, post_units = 64, presentations_at_once = 16;
constexpr double phase_ms = 160;  // eight time constants

struct Convention {
    std::string name;
    double gain;  ///< of a change of the post rate inside the gate, in units of A tau^2 pre dpost
};
const std::vector<Convention> conventions{{"pre", 2}, {"later", 1}, {"both", 1}, {"post", 0}};

/// A schedule as for learning: settle and answer; learn while the network predicts, then while the target moves it; and the time that
/// pairs of the last pre spikes need. The weights stay so close to 0 that the post units fire on their own.
std::string network(bool moves) {
    std::string text = fmt::format(R"(
[run]
dt_ms = {}
[populations.pre]
model = "image_source"
size = {}
rate_Hz = {}
[populations.post]
model = "poisson"
size = {}
phi = "linear"
grid_probability = "linear"
lambda_max_Hz = {}
bias = {}
)",
                                   dt_ms, pre_units, pre_Hz, post_units, post_max_Hz, post_before);
    for (const auto& c : conventions)
        text += fmt::format(
            "[projections.{0}]\nfrom = \"pre\"\nto = \"post\"\nweight = 0.0\ndelay_ms = {1}\n[projections.{0}.plasticity]\ngate = "
            "\"{0}\"\nlearning_rate = 1e-12\n{2}",
            c.name, dt_ms, toml_of(window));
    text += "[schedule]\ninput = \"pre\"\nreadout = \"post\"\n";
    const auto phase = [&](const char* name, const char* more) {
        text += fmt::format("[[schedule.phases]]\nname = \"{}\"\nduration_ms = {}\n{}", name, phase_ms, more);
    };
    const auto clamp = moves ? fmt::format("clamps = [\"post\"]\nnudge = {}\n", nudge) : std::string{};
    phase("settle", "readout = true\n");
    phase("predict", "learns = [\"*\"]\n");
    phase("teach", ("learns = [\"*\"]\n" + clamp).c_str());
    phase("after", clamp.c_str());
    return text;
}

/// Activity of the post units once they are moved: the label (unit 0) and the others.
constexpr double moved(bool label) { return post_before + nudge * ((label ? 1 : 0) - post_before); }
double expected_spikes(double activity) { return activity * post_max_Hz * dt_ms * 1e-3; }  // of a step; linear probability: exact
/// The unit of the gain for a change of activity.
double unit_of(double change) {
    return window.a_plus * window.tau_plus_ms * window.tau_minus_ms / dt_ms / dt_ms * spike_probability(pre_Hz, dt_ms) *
           expected_spikes(change);
}

/// Gain by the weights of one projection: least squares over the units, each in proportion to its own change. Without a change the mean,
/// in units of what the others would change by.
class GainMeter {
public:
    explicit GainMeter(bool moves) : moves_(moves) {}
    double unit(std::size_t j) const { return unit_of(moved(j == 0) - post_before); }
    double gain(const std::vector<double>& change_by_unit) const {
        double sum = 0, norm = 0;
        for (std::size_t j = 0; j < change_by_unit.size(); ++j) {
            sum += change_by_unit[j] * (moves_ ? unit(j) : 1);
            norm += moves_ ? unit(j) * unit(j) : -unit(1);
        }
        return sum / norm;
    }

private:
    bool moves_;
};

/// Mean change of the synapses onto each post unit, the sum over the pairs that the gate lets count; exact on the grid.
double expected_change(const std::string& convention, bool moves, bool label) {
    const auto phase = static_cast<Step>(phase_ms / dt_ms), steps = 4 * phase;
    const auto open = [&](Step n) { return n >= phase && n < 3 * phase; };
    const auto lets = [&](Step pre, Step post) {
        if (convention == "pre") return open(pre);
        if (convention == "post") return open(post);
        if (convention == "later") return open(std::max(pre, post));
        return open(pre) && open(post);
    };
    std::vector<double> pair;  // by |post - pre|; the window is antisymmetric
    for (Step s = 0; s < steps; ++s) pair.push_back(change_by_pair(window, static_cast<double>(s) * dt_ms));
    double sum = 0;
    for (Step m = 0; m < steps; ++m) {
        double kernel = 0;
        for (Step n = 1; n < steps; ++n)  // a spike of step 0 arrives in step 1
            if (lets(n, m)) kernel += m > n ? pair[static_cast<std::size_t>(m - n)] : m < n ? -pair[static_cast<std::size_t>(n - m)] : 0;
        sum += kernel * expected_spikes(moves && m >= 2 * phase ? moved(label) : post_before);
    }
    return sum * spike_probability(pre_Hz, dt_ms);
}
double expected_gain(const std::string& convention, bool moves) {
    std::vector<double> by_unit(post_units, expected_change(convention, moves, false));
    by_unit[0] = expected_change(convention, moves, true);
    return GainMeter(moves).gain(by_unit);
}

std::size_t repetitions(const Context& context) { return context.quick ? 100 : 400; }
/// Of a gain of 1: what rates that are 5 % too high on both sides make of it.
double must_see(const Context& context) { return context.quick ? 0.1 : 0.05; }

/// Mean change since the weights were last read, by projection and post unit.
class ChangeReader {
public:
    explicit ChangeReader(const Circuit& circuit) : circuit_(circuit), before_(read()) {}
    std::vector<std::vector<double>> changes() {
        auto now = read(), change = now;
        for (std::size_t p = 0; p < now.size(); ++p)
            for (std::size_t j = 0; j < post_units; ++j) change[p][j] -= before_[p][j];
        before_ = std::move(now);
        return change;
    }

private:
    std::vector<std::vector<double>> read() const {
        std::vector<std::vector<double>> means;
        for (const auto& projection : circuit_.projections()) {
            const double rate = projection.plasticity->learning_rate;
            auto& mean = means.emplace_back(post_units, 0.0);
            projection.blocks[0].for_each(
                [&](auto, std::uint32_t j, auto, float w) { mean[j] += static_cast<double>(w) / rate / pre_units; });
        }
        return means;
    }
    const Circuit& circuit_;
    std::vector<std::vector<double>> before_;
};

/// Gains by convention: each minibatch of the trainer is a repetition.
std::vector<Moments> measure(const Context& context, bool moves) {
    const auto description = app::parse_description(network(moves), "gates.toml");
    const auto circuit = context.build(description);
    Trainer trainer(*circuit, app::build_schedule(description, *circuit, pre_units, post_units));
    ChangeReader reader(*circuit);
    const std::vector<std::uint8_t> image(pre_units, 255);
    std::vector<std::vector<double>> gains(conventions.size());
    std::uint32_t trial = moves ? 0 : 1u << 31;
    for (std::size_t k = 0; k < repetitions(context); ++k) {
        std::vector<Presentation> batch;
        for (std::size_t b = 0; b < presentations_at_once; ++b) batch.push_back({image, 0, trial++});
        trainer.learn(batch, 1);
        const auto changes = reader.changes();
        for (std::size_t c = 0; c < conventions.size(); ++c) gains[c].push_back(GainMeter(moves).gain(changes[c]) / presentations_at_once);
    }
    std::vector<Moments> moments;
    for (const auto& g : gains) moments.push_back(moments_of(g));
    return moments;
}

void compare(const Context& context, bool moves, const std::vector<Moments>& measured, CheckResult& result) {
    for (std::size_t c = 0; c < conventions.size(); ++c) {
        const auto& [name, gain] = conventions[c];
        const double expected = expected_gain(name, moves);
        const auto what = moves ? fmt::format("gate on {}: gain", name) : fmt::format("gate on {}, nothing changes: drift", name);
        result.measurements.push_back(agrees(what, "A tau^2 pre dpost", measured[c], expected, 2 * conventions.size(), must_see(context),
                                             fmt::format("sampling error of {} minibatches of {}; a deviation of {:g} cannot be overlooked",
                                                         measured[c].count, presentations_at_once, must_see(context))));
        result.measurements.push_back(at_most(what + ", on the grid against continuous time", "A tau^2 pre dpost",
                                              std::abs(expected - (moves ? gain : 0)), 2 * dt_ms / window.tau_plus_ms,
                                              "first order in dt: the steps at the edges of the gate, pre spikes arrive a step late"));
    }
}

Figure draw(const std::vector<Moments>& moving, const std::vector<Moments>& resting) {
    std::vector<double> x, law, none(conventions.size(), 0.0);
    std::string names;
    for (std::size_t c = 0; c < conventions.size(); ++c) {
        x.push_back(static_cast<double>(c + 1));
        law.push_back(conventions[c].gain);
        names += fmt::format("{}{} {}", c ? ", " : "", c + 1, conventions[c].name);
    }
    return {"gates",
            "Gain of a change of the post rate by the spike of a pair that has to fall into the gate (" + names +
                "), and the drift when nothing changes: measured by a training schedule, with one standard error, and law.",
            {{"convention of the gate",
              "gain (A tau^2 pre dpost)",
              false,
              false,
              {points("post rate changes", x, moving),
               {"law", x, law, {}, true},
               points("nothing changes", x, resting),
               {"law, nothing changes", x, none, {}, true}}}}};
}

CheckResult run(const Context& context) {
    CheckResult result;
    const auto moving = measure(context, true), resting = measure(context, false);
    compare(context, true, moving, result);
    compare(context, false, resting, result);
    result.figures.push_back(draw(moving, resting));
    return result;
}

}  // namespace

const Check gates{"gates", "L2b", "The gain of a gated change is 2, 1, 1 or 0 by the spike that the gate acts on",
                  R"(
A training schedule opens plasticity around the moment at which the target moves the post rate. Which spike of a pair has to fall into
the open phases sets the gain of $\Delta w = \mathrm{gain}\cdot A\tau^2\,\mathrm{pre}\,\Delta\mathrm{post}$ for the antisymmetric window:

| the gate acts on | gain |
|---|---|
| the pre spike | 2 |
| the later spike of the pair | 1 |
| both spikes | 1 |
| the post spike | 0 |

The four differ in the pairs across the edges of the gate. With the pre spike in the gate, potentiation by post spikes behind its end and
depression by those before its beginning count too, at two different post rates: another $A\tau^2\,\mathrm{pre}\,\Delta\mathrm{post}$.
With the later spike, or both, these cancel or do not count. With the post spike, each post spike meets pre spikes at one rate on both
sides, and its pairs cancel. When nothing changes the mean change is 0 under each.

Measured as users train: presentations with the phases settle, predict, teach and after, learning in the second and third, the target
clamped in the last two with a nudge of 0.8, minibatches of 16. All expected values are sums over pairs of steps, exact on the grid;
weights start at 0 and the learning rate is $10^{-12}$, so that the spikes of one side do not move the other.
)",
                  run};

}  // namespace ydot::verify
