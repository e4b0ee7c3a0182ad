// Schedules of spikes beyond the two top-down passes: unlearning, stages, an input that the network drives, goodness, labels of several
// units.
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "tests/support/script.hpp"
#include "tests/support/stripes.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

enum : std::size_t { up, read_out, sparse, back };

/// Changes by projection, summed over the first presentations of the stripes.
std::vector<std::vector<double>> changes(const std::string& text, const std::vector<std::string>& overrides, std::size_t images = 4) {
    const Stripes stripes(16);
    Experiment e(text, overrides);
    return e.trainer.measure(stripes.presentations(0, images));
}

/// Visible units that an image holds, and hidden ones that make something of it.
const std::string loop = R"(
[populations.visible]
model = "poisson"
size = 16
phi = "hard_sigmoid"
lambda_max_Hz = 500.0
grid_probability = "counts"
tau_syn_ms = 5.0
bias = 0.25
[populations.hidden]
model = "poisson"
size = 20
phi = "hard_sigmoid"
lambda_max_Hz = 500.0
grid_probability = "counts"
tau_syn_ms = 5.0
[projections.up]
from = "visible"
to = "hidden"
weight = {distribution = "normal", std = 1.0, fan_in = true}
plasticity = {rule = "derivative", tau_ms = 20.0, gate = "pre", learning_rate = 1e-3}
[projections.down]
from = "hidden"
to = "visible"
weight = 0.0
plasticity = {rule = "derivative", tau_ms = 20.0, gate = "pre", learning_rate = 1e-3}
[schedule]
input = "visible"
[[schedule.phases]]
name = "up"
duration_ms = 40
clamps = ["visible"]
unlearns = ["*"]
[[schedule.phases]]
name = "down"
duration_ms = 40
clamps = ["visible"]
nudge = 0.75
unlearns = ["*"]
[[schedule.phases]]
name = "reconstruction"
duration_ms = 20
paired = false
)";

/// Hidden units that judge images beside labels.
std::string judged(const std::string& rule) {
    return R"(
[populations.input]
model = "image_source"
size = 16
rate_Hz = 300.0
[populations.label]
model = "image_source"
size = 2
rate_Hz = 500.0
[populations.hidden]
model = "poisson"
size = 30
phi = "hard_sigmoid"
lambda_max_Hz = 500.0
grid_probability = "counts"
bias = 0.2
tau_syn_ms = 5.0
[populations.top]
model = "poisson"
size = 2
phi = "softmax"
[projections.up]
from = "input"
to = "hidden"
weight = {distribution = "normal", std = 1.0, fan_in = true}
plasticity = {gate = "pre", learning_rate = 1e-3, )" +
           rule + R"(}
[projections.named]
from = "label"
to = "hidden"
weight = {distribution = "normal", std = 0.5}
plasticity = {gate = "pre", learning_rate = 1e-3, )" +
           rule + R"(}
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 0.5}
[schedule]
input = "input"
label = "label"
readout = "top"
[[schedule.phases]]
name = "neutral"
duration_ms = 30
clamps = ["label"]
target = "neutral"
readout = true
paired = false
[[schedule.phases]]
name = "positive"
duration_ms = 40
clamps = ["label"]
learns = ["*"]
)";
}
const std::string negative = R"(
[[schedule.phases]]
name = "negative"
duration_ms = 40
clamps = ["label"]
target = "hard"
unlearns = ["*"]
)";

}  // namespace

TEST_CASE("To unlearn is to learn with the window turned round", "[analytic]") {
    const std::vector<std::string> turned{"schedule.phases.first.learns=[\"read\"]", "schedule.phases.first.unlearns=[\"up\"]",
                                          "schedule.phases.second.learns=[\"read\"]", "schedule.phases.second.unlearns=[\"up\"]"};
    const auto there =
        changes(stripes_network(), {"schedule.phases.first.learns=[\"up\", \"read\"]", "schedule.phases.second.learns=[\"up\", \"read\"]"});
    const auto back_again = changes(stripes_network(), turned);
    CHECK((there[read_out] == back_again[read_out]));
    REQUIRE(there[up].size() == back_again[up].size());
    double size = 0;
    for (std::size_t k = 0; k < there[up].size(); ++k) {
        size += std::abs(there[up][k]);
        CHECK(back_again[up][k] == -there[up][k]);
    }
    CHECK(size > 0);
    // the causal correction turns with it
    const std::vector<std::string> corrected{"projections.up.plasticity.causal_correction=analytic"};
    auto straight = corrected, reversed = turned;
    reversed.push_back(corrected[0]);
    straight.insert(straight.end(), {"schedule.phases.first.learns=[\"up\"]", "schedule.phases.second.learns=[\"up\"]"});
    const auto a = changes(stripes_network(), straight), b = changes(stripes_network(), reversed);
    CHECK((a[up] != there[up]));
    for (std::size_t k = 0; k < a[up].size(); ++k) CHECK(b[up][k] == Approx(-a[up][k]).margin(0x1p-12));
    CHECK_THROWS_WITH(changes(stripes_network(), {"schedule.phases.first.unlearns=[\"up\"]", "projections.up.plasticity.gate=later"}),
                      Catch::Contains("projections.up.plasticity") && Catch::Contains("needs gate = \"pre\""));
}

TEST_CASE("A stage of spikes changes what it names and nothing else", "[contract]") {
    const Stripes stripes(16);
    Experiment e(
        stripes_network("[[schedule.stages]]\nname = \"look\"\nphases = [\"settle\", \"predict\"]\n"
                        "[[schedule.stages]]\nname = \"learn\"\nphases = [\"settle\", \"predict\", \"first\", \"second\", \"rest\"]\n"),
        {"schedule.phases.first.learns=[\"read\"]", "schedule.phases.second.learns=[\"read\"]", "schedule.phases.predict.stop_above=inf"});
    const auto before = e.weights();
    for (const auto& answer : e.trainer.learn(stripes.presentations(0, 8), 1)) {
        CHECK(answer.steps == 35);
        CHECK_FALSE(answer.learned);
    }
    CHECK((e.weights() == before));  // the decay of `up` rests too
    e.trainer.begin_stage(1);
    for (const auto& answer : e.trainer.learn(stripes.presentations(0, 8), 1)) CHECK(answer.steps == 95);
    const auto after = e.weights();
    CHECK((after[up] == before[up]));
    CHECK((after[read_out] != before[read_out]));
}

TEST_CASE("Visible neurons are held to the image and then make their own", "[analytic]") {
    const Stripes stripes(8);
    Experiment e(loop);
    const auto shown = stripes.presentations(0, 8);
    // no weights down: what is left is the bias, a quarter
    const auto answers = e.trainer.test(shown);
    for (std::size_t k = 0; k < shown.size(); ++k) {
        double error = 0;
        for (const auto pixel : shown[k].image) error += std::pow(0.25 - pixel / 255.0, 2);
        CHECK(answers[k].steps == 100);
        CHECK(answers[k].reconstruction_error == Approx(error).epsilon(1e-5));
    }
    // reversed STDP at the way down moves visible units from the bias toward the image
    const auto change = e.trainer.measure(stripes.presentations(0, 200))[1];
    double bright = 0;
    std::vector<double> mean(16);
    for (std::size_t k = 0; k < 200; ++k)
        for (std::size_t i = 0; i < 16; ++i) mean[i] += stripes.images[k % 8][i] / 255.0 / 200;
    std::size_t synapse = 0;
    for (const auto& block : e.circuit->projections()[1].blocks)
        block.for_each([&](auto, std::uint32_t target, auto, float) {
            const double one = change[synapse++];
            if (mean[block.first_target() + target] > 0.35) bright += one;
        });
    CHECK(bright > 0);
    // a learning presentation ends with the last phase that matters
    CHECK(e.trainer.learn(shown, 1)[0].steps == 80);
}

TEST_CASE("The third factor of a layer scales what its synapses see", "[analytic]") {
    const auto plain = changes(judged("rule = \"hebbian\", tau_ms = 20.0"), {}, 1);
    const double threshold = 0.3, sharpness = 0.4;
    const std::string rule = "rule = \"goodness\", tau_ms = 20.0, threshold = 0.3, sharpness = 0.4";
    const auto positive = changes(judged(rule), {}, 1);
    // goodness from the spikes of the phase: n (n - 1) estimates the square of a mean count
    const Stripes stripes(16);
    Experiment e(judged(rule));
    SpikeLog log;
    e.trainer.show(stripes.presentations(0, 1)[0], true, &log);
    std::vector<double> count(30);
    for (const auto& [population, time_ms, unit] : log.seen)
        if (population == 2 && time_ms > 30) ++count[unit];
    double goodness = 0;
    for (const double n : count) goodness += n * (n - 1) / (20.0 * 20.0);  // 500 Hz for 40 ms
    const double factor = 1 / (1 + std::exp(sharpness * (goodness - threshold * 30)));
    REQUIRE(factor > 0.01);
    REQUIRE(factor < 0.99);
    double size = 0;
    for (const std::size_t p : {std::size_t{0}, std::size_t{1}})
        for (std::size_t k = 0; k < plain[p].size(); ++k) {
            size += std::abs(plain[p][k]);
            CHECK(positive[p][k] == Approx(factor * plain[p][k]).margin(0.01));  // of pairs; each presentation is rounded
        }
    CHECK(size > 10);
}

TEST_CASE("Peer normalisation draws the busy units down and the idle ones up, in spikes", "[analytic]") {
    const std::string rule = "rule = \"goodness\", tau_ms = 20.0, threshold = 0.3, sharpness = 0.4";
    const Stripes stripes(16);
    const auto batch = stripes.presentations(0, 8), next = stripes.presentations(8, 1, 100);
    const auto in_phase = [](double time_ms) { return time_ms > 30 && time_ms <= 70; };
    Experiment with(judged(rule + ", peer_normalisation = 0.5")), without(judged(rule)), watched(judged(rule));
    CHECK((with.trainer.measure(next) == without.trainer.measure(next)));  // nothing is usual yet
    with.trainer.learn(batch, 1);
    without.trainer.learn(batch, 1);
    std::vector<double> usual(30);
    for (const auto& image : batch) {
        SpikeLog log;
        watched.trainer.show(image, true, &log);
        for (const auto& [population, time_ms, unit] : log.seen)
            if (population == 2 && in_phase(time_ms)) usual[unit] += 1 / (0.5 * 40 * 8);  // of 500 Hz for 40 ms, 8 times
    }
    const double peers = std::accumulate(usual.begin(), usual.end(), 0.0) / 30;
    SpikeLog log;
    with.trainer.show(next[0], true, &log);
    std::vector<double> arrivals(16);
    for (const auto& [population, time_ms, unit] : log.seen)
        if (population == 0 && in_phase(time_ms + 1)) ++arrivals[unit];  // a delay of 1 ms
    const auto pulled = with.trainer.measure(next)[0], free = without.trainer.measure(next)[0];
    std::size_t synapse = 0;
    double most = 0;
    for (const auto& block : with.circuit->projections()[0].blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, float) {
            const double pull = 0.5 * 0.5 * 40 * (peers - usual[block.first_target() + target]);  // 500 Hz in a window of 2 times 20 ms
            CHECK(pulled[synapse] - free[synapse] == Approx(pull * arrivals[source]).margin(0.01));
            most = std::max(most, std::abs(pull * arrivals[source]));
            ++synapse;
        });
    CHECK(most > 1);
}

TEST_CASE("Forward-Forward with spikes and peers has the same bits for any number of threads", "[contract]") {
    const Stripes stripes(16);
    const auto learned = [&] {
        Experiment e(judged("rule = \"goodness\", tau_ms = 20.0, threshold = 0.3, sharpness = 0.4, peer_normalisation = 0.5") + negative);
        for (std::uint32_t k = 0; k < 4; ++k) e.trainer.learn(stripes.presentations(0, 16, 16 * k), 1);
        return e.trainer.state();
    };
    const auto one = with_threads(1, learned);
    for (const int threads : {2, 5}) CHECK((with_threads(threads, learned) == one));
}

TEST_CASE("Forward-Forward with spikes: no label reaches the answer", "[contract]") {
    const Stripes stripes(24);
    const std::string rule = "rule = \"goodness\", tau_ms = 20.0, threshold = 0.3, sharpness = 0.1";
    for (const std::string by : {"readout", "goodness", "goodness alone"}) {
        INFO(by);
        std::vector<std::string> settings{"schedule.answer=goodness"};
        if (by == "readout") settings[0] = "schedule.answer=readout";
        if (by == "goodness alone")
            settings.insert(settings.end(),
                            {"schedule.readout=", "schedule.phases.neutral.readout=false", "schedule.phases.negative.target=wrong"});
        Experiment e(judged(rule) + negative, settings);
        e.trainer.learn(stripes.presentations(0, 8), 1);
        auto shown = stripes.presentations(0, 24, 300);
        std::vector<int> answers;
        for (const auto& a : e.trainer.test(shown)) answers.push_back(a.answer);
        for (auto& p : shown) p.label = static_cast<std::uint8_t>(1 - p.label);
        std::vector<int> again;
        for (const auto& a : e.trainer.test(shown)) again.push_back(a.answer);
        CHECK(answers == again);
    }
}

TEST_CASE("Several units stand for a label", "[analytic]") {
    const LabelCode code{3, 2, 0.5f};
    std::vector<float> column(6);
    code.write(1, column);
    CHECK(column == std::vector<float>{0, 0.5f, 0, 0, 0.5f, 0});
    CHECK(code.activity(column, 1) == 1);
    CHECK(code.activity(column, 2) == 0);
    CHECK(code.answer(std::vector<float>{0.3f, 0.2f, 0.1f, 0, 0.2f, 0.1f}) == 1);

    const Stripes stripes(16);
    Experiment pools(stripes_network(), {"populations.top.size=6", "populations.top.pool_size=2", "schedule.units_per_label=3"});
    SpikeLog log;
    auto shown = stripes.presentations(0, 1)[0];
    pools.trainer.show(shown, true, &log);
    std::vector<std::size_t> count(6);
    for (const auto& [population, time_ms, unit] : log.seen)
        if (population == 2 && time_ms > 60) ++count[unit];
    for (std::size_t unit = 0; unit < 6; ++unit)  // clamped: every unit of the label fires, 500 Hz for 35 ms, the others do not
        if (unit % 2 == shown.label) CHECK(count[unit] > 5);
        else CHECK(count[unit] == 0);
    CHECK_THROWS_WITH(Experiment(stripes_network(), {"schedule.units_per_label=2"}),
                      Catch::Contains("populations.top.size") && Catch::Contains("times schedule.units_per_label, 4, got 2"));
}
