// The mean field of a presentation: its changes are sums over pairs of expected spikes, and what spikes do on average.
#include "sim/mean_field.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/statistics.hpp"
#include "tests/support/pairs.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

/// Rates that are known without a simulation, for no weight is other than 0: the image is constant, `still` has its bias, and the readout
/// `top` moves with the clamp. So pre, post and both move; every learning synapse has a window that is not balanced.
const std::string unconnected = R"(
[run]
dt_ms = 0.5
[populations.image]
model = "image_source"
size = 2
rate_Hz = 400.0
propagator = "continuous"
[populations.top]
model = "poisson"
size = 2
phi = "linear"
bias = 0.3
grid_probability = "counts"
lambda_max_Hz = 500.0
[populations.still]
model = "poisson"
size = 3
phi = "linear"
bias = 0.5
grid_probability = "counts"
lambda_max_Hz = 300.0
[projections.post_moves]
from = "image"
to = "top"
weight = 0.0
delay_ms = 2.0
[projections.post_moves.plasticity]
rule = "stdp"
[projections.pre_moves]
from = "top"
to = "still"
weight = 0.0
delay_ms = {distribution = "uniform", low = 0.5, high = 6.0}
[projections.pre_moves.plasticity]
rule = "stdp"
[projections.both_move]
from = "top"
to = "top"
weight = 0.0
[projections.both_move.plasticity]
rule = "stdp"
[schedule]
input = "image"
readout = "top"
[[schedule.phases]]
name = "settle"
duration_ms = 10.0
paired = false
[[schedule.phases]]
name = "predict"
duration_ms = 15.0
readout = true
[[schedule.phases]]
name = "first"
duration_ms = 20.0
learns = ["*"]
[[schedule.phases]]
name = "second"
duration_ms = 20.0
learns = ["*"]
clamps = ["top"]
nudge = 0.7
[[schedule.phases]]
name = "rest"
duration_ms = 10.0
clamps = ["top"]
[[schedule.phases]]
name = "unpaired"
duration_ms = 5.0
paired = false
learns = ["*"]
[[schedule.phases]]
name = "some"
duration_ms = 10.0
learns = ["post_moves", "both_move"]
conducts = ["pre_moves", "both_move"]
)";
enum : std::size_t { post_moves, pre_moves, both_move };

constexpr std::uint8_t image[] = {255, 102};
constexpr std::uint8_t label = 1;

std::vector<std::string> with_gate(std::string_view gate) {
    std::vector<std::string> settings;
    for (const std::string name : {"post_moves", "pre_moves", "both_move"}) {
        settings.push_back("projections." + name + ".plasticity.gate=" + std::string(gate));
        for (const char* key : {"a_plus=0.78", "a_minus=0.27", "tau_plus_ms=17.0", "tau_minus_ms=34.0"})
            settings.push_back("projections." + name + ".plasticity." + key);
    }
    return settings;
}
const std::vector<std::pair<std::string, Gate>> all_gates{
    {"pre", Gate::pre}, {"post", Gate::post}, {"later", Gate::later}, {"both", Gate::both}};

struct Subject {
    Description description;
    std::unique_ptr<Circuit> circuit;
    Schedule schedule;
    Subject(const std::string& text, const std::vector<std::string>& settings)
        : description(app::parse_description(text, "test.toml", settings)),
          circuit(app::build_circuit(description)),
          schedule(app::build_schedule(description, *circuit, 2, 2)) {}
    std::vector<std::vector<double>> changes() const { return MeanField(*circuit, schedule).changes({image, label, 0}); }
};

/// Expected spikes of every step, from the description alone.
std::vector<double> expected_spikes(const Subject& s, std::size_t population, std::uint32_t unit) {
    std::vector<double> spikes;
    for (const auto& phase : s.schedule.phases)
        for (Step n = 0; n < phase.steps; ++n) {
            const double nudge = phase.clamps.empty() ? 0.0 : static_cast<double>(phase.nudge);
            const double y = population == 0 ? image[unit] / 255.0 : population == 2 ? 0.5 : (1 - nudge) * 0.3 + nudge * (unit == label);
            spikes.push_back(y * s.circuit->population(population).full_rate_Hz() * 1e-3 * s.circuit->dt_ms());
        }
    return spikes;
}

/// What counts in each step, for one projection.
struct Steps {
    std::vector<std::uint8_t> open, paired, conducts;
    Steps(const Schedule& schedule, std::size_t projection) {
        for (const auto& phase : schedule.phases)
            for (Step n = 0; n < phase.steps; ++n) {
                open.push_back(phase.learns[projection]);
                paired.push_back(phase.paired);
                conducts.push_back(phase.conducts[projection]);
            }
    }
};

/// The definition: the window of every pair of an arrival and a post spike, times how many there are expected to be.
/// `size` is the sum without signs.
double pairs_of(const std::vector<double>& pre, const std::vector<double>& post, std::size_t delay, const Steps& steps, Gate gate,
                double& size) {
    double sum = 0;
    for (std::size_t emitted = 0; emitted + delay < pre.size(); ++emitted)
        for (std::size_t m = 0; m < post.size(); ++m) {
            const std::size_t n = emitted + delay;
            const bool counts = steps.conducts[n] && steps.paired[n] && steps.paired[m];
            if (!counts || !gate_lets(steps.open, gate, static_cast<Step>(n), static_cast<Step>(m))) continue;
            const double s_ms = 0.5 * (static_cast<double>(m) - static_cast<double>(n));
            const double plus = 0.78 * std::exp(-s_ms / 17), minus = -0.27 * std::exp(s_ms / 34);
            const double change = pre[emitted] * post[m] * (s_ms > 0 ? plus : s_ms < 0 ? minus : 0.5 * (plus + minus));
            sum += change;
            size += std::abs(change);
        }
    return sum;
}

}  // namespace

TEST_CASE("The mean field changes a synapse by the sum over pairs of expected spikes", "[analytic]") {
    for (const auto& [name, gate] : all_gates) {
        const Subject s(unconnected, with_gate(name));
        const auto changes = s.changes();
        for (std::size_t k = 0; k < changes.size(); ++k) {
            const auto& projection = s.circuit->projections()[k];
            const Steps steps(s.schedule, k);
            std::size_t synapse = 0;
            REQUIRE(changes[k].size() == projection.synapses());
            projection.blocks[0].for_each([&](std::uint32_t source, std::uint32_t target, std::uint16_t delay, float) {
                double size = 0;
                const double pairs = pairs_of(expected_spikes(s, projection.from, source), expected_spikes(s, projection.to, target), delay,
                                              steps, gate, size);
                CAPTURE(name, k, source, target, delay);
                // Float traces and sums over 180 steps: some hundred roundings of 6e-8, most of which cancel.
                CHECK(std::abs(changes[k][synapse++] - pairs) < 1e-5 * size);
            });
        }
    }
}

TEST_CASE("The mean field has gates, and gates matter", "[analytic]") {
    std::vector<double> of_gate;
    for (const auto& [name, gate] : all_gates) of_gate.push_back(Subject(unconnected, with_gate(name)).changes()[post_moves][0]);
    for (std::size_t a = 0; a < of_gate.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) CHECK(std::abs(of_gate[a] - of_gate[b]) > 0.01 * std::abs(of_gate[a]));
    CHECK(Subject(unconnected, {"projections.both_move.plasticity.learning_rate=0.1"}).changes()[both_move].size() == 4);
}

TEST_CASE("A delay longer than the presentation leaves the mean field without changes", "[analytic]") {
    const auto changes = Subject(unconnected, {"projections.post_moves.delay_ms=200.0"}).changes();
    CHECK(changes[post_moves] == std::vector<double>(4, 0.0));
    CHECK(changes[pre_moves] != std::vector<double>(6, 0.0));
}

namespace {

constexpr std::uint32_t groups = 40, trials_of_group = 160;

/// Mean change of each synapse over groups of trials, by projection, synapse and group.
std::vector<std::vector<std::vector<double>>> measured_changes(Subject& s) {
    Trainer trainer(*s.circuit, s.schedule);
    std::vector<std::vector<std::vector<double>>> all(s.circuit->projections().size());
    for (std::uint32_t g = 0; g < groups; ++g) {
        std::vector<Presentation> shown;
        for (std::uint32_t k = 0; k < trials_of_group; ++k) shown.push_back({image, label, g * trials_of_group + k});
        const auto sums = trainer.measure(shown);
        for (std::size_t p = 0; p < sums.size(); ++p) {
            all[p].resize(sums[p].size());
            for (std::size_t k = 0; k < sums[p].size(); ++k) all[p][k].push_back(sums[p][k] / trials_of_group);
        }
    }
    return all;
}

/// Compares the synapses that `counts` chooses by (projection, source, target), each with an equal share of 1e-6.
template <class F>
void check_agreement(Subject& s, F&& counts) {
    const auto expected = s.changes();
    const auto measured = measured_changes(s);
    double all = 0;
    for (const auto& projection : expected) all += static_cast<double>(projection.size());
    for (std::size_t p = 0; p < expected.size(); ++p) {
        if (expected[p].empty()) continue;
        std::size_t k = 0;
        s.circuit->projections()[p].blocks[0].for_each([&](std::uint32_t source, std::uint32_t target, auto, float) {
            const auto m = moments_of(measured[p][k]);
            const double is = expected[p][k++];
            if (!counts(p, source, target)) return;
            CAPTURE(p, source, target, m.mean, m.error(), is);
            CHECK(std::abs(m.mean - is) < t_limit(groups, 1e-6 / all) * m.error());
        });
    }
}

}  // namespace

TEST_CASE("Measured changes agree with the mean field for every gate", "[statistical]") {
    for (const auto& [name, gate] : all_gates) {
        Subject s(unconnected, with_gate(name));
        INFO("gate on " << name);
        // A unit and itself are one train, not two independent ones.
        check_agreement(s, [](std::size_t p, std::uint32_t source, std::uint32_t target) { return p != both_move || source != target; });
    }
}

namespace {

/// A feedforward layer of linear units. It learns in the middle of a long presentation, so that every arrival has all of its effect, and
/// potentials stay a dozen standard deviations above 0.
const std::string feedforward = R"(
[populations.image]
model = "image_source"
size = 2
rate_Hz = 500.0
propagator = "continuous"
[populations.top]
model = "poisson"
size = 2
phi = "linear"
bias = 0.5
grid_probability = "counts"
lambda_max_Hz = 300.0
tau_syn_ms = 5.0
[projections.up]
from = "image"
to = "top"
weight = 0.25
delay_ms = 2.0
[projections.up.plasticity]
rule = "derivative"
tau_ms = 10.0
gate = "pre"
causal_correction = "analytic"
[schedule]
input = "image"
readout = "top"
[[schedule.phases]]
name = "settle"
duration_ms = 20.0
[[schedule.phases]]
name = "learn"
duration_ms = 60.0
readout = true
learns = ["up"]
[[schedule.phases]]
name = "effects"
duration_ms = 200.0
)";

}  // namespace

TEST_CASE("With the analytic correction a linear layer agrees with the mean field, without it not", "[statistical]") {
    Subject corrected(feedforward, {});
    check_agreement(corrected, [](auto...) { return true; });

    Subject raw(feedforward, {"projections.up.plasticity.causal_correction=none"});
    const auto expected = raw.changes();
    const auto measured = measured_changes(raw);
    for (std::size_t k = 0; k < expected[0].size(); ++k) {
        const auto m = moments_of(measured[0][k]);
        CHECK(m.mean - expected[0][k] > t_limit(groups, 1e-6) * m.error());  // law L3, weights are positive
    }
}

TEST_CASE("The mean field refuses what it cannot read", "[contract]") {
    const auto refused = [](const std::string& text, const std::vector<std::string>& settings, const std::string& message) {
        const Subject s(text, settings);
        CHECK_THROWS_WITH(MeanField(*s.circuit, s.schedule), Catch::Contains(message));
    };
    refused(unconnected, {"projections.post_moves.plasticity.pairing=nearest"}, "projections.post_moves");
    refused(unconnected, {"projections.both_move.delay_site=dendritic"}, "projections.both_move");
    refused(unconnected + "[populations.odd]\nmodel = \"modulated_source\"\n", {}, "populations.odd.model");
    refused(unconnected + "[populations.odd]\nmodel = \"lif\"\n", {}, "populations.odd.model");
}
