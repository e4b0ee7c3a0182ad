// The number of threads changes no bit of any result.
#include <catch2/catch.hpp>

#include "tests/support/script.hpp"
#include "tests/support/stripes.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

struct Trained {
    std::vector<std::vector<float>> weights;
    std::vector<std::tuple<int, bool, double, Step>> answers;
    std::vector<std::uint64_t> spikes;
    bool operator==(const Trained&) const = default;
};

Trained train(const std::vector<std::string>& overrides) {
    const Stripes stripes(60);
    Experiment e(stripes_network(), overrides);
    Trained result;
    const auto keep = [&](const std::vector<Answer>& answers) {
        for (const auto& a : answers) result.answers.emplace_back(a.answer, a.learned, a.target_activity, a.steps);
    };
    for (std::size_t batch = 0; batch < 5; ++batch)
        keep(e.trainer.learn(stripes.presentations(12 * batch, 12), 1 - 0.1 * static_cast<double>(batch)));
    keep(e.trainer.test(stripes.presentations(0, 30, 1000)));
    result.weights = e.weights();
    result.spikes = e.trainer.take_activity().spikes;
    return result;
}

}  // namespace

TEST_CASE("A trained network has the same bits for any number of threads", "[contract]") {
    for (const std::vector<std::string>& overrides :
         {std::vector<std::string>{},
          {"projections.read.plasticity.pairing=nearest"},
          {"projections.read.delay_site=dendritic", "projections.read.delay_ms=3.0", "projections.read.plasticity.causal_correction=none"},
          {"populations.hidden.size=150", "populations.hidden.grid_probability=counts", "populations.hidden.lambda_max_Hz=1500.0"}}) {
        const auto one = with_threads(1, [&] { return train(overrides); });
        CHECK((with_threads(2, [&] { return train(overrides); }) == one));
        CHECK((with_threads(5, [&] { return train(overrides); }) == one));
        CHECK((one.weights[0] != Experiment(stripes_network(), overrides).weights()[0]));  // something was learned
        for (const auto& block : one.weights)
            for (const float w : block) REQUIRE(std::isfinite(w));
    }
}

TEST_CASE("An online-learning network of several shards has the same bits for any number of threads", "[contract]") {
    const std::string text = R"(
[populations.input]
model = "poisson_source"
size = 200
rate_Hz = 40.0
[populations.exc]
model = "poisson"
size = 9000
phi = "hard_sigmoid"
lambda_max_Hz = 100.0
bias = 0.1
[populations.lif]
model = "lif"
size = 5000
i_e_pA = 360.0
[projections.in]
from = "input"
to = "exc"
connector = "fixed_probability"
probability = 0.05
weight = 0.05
delay_ms = 2.0
[projections.in.plasticity]
rule = "stdp"
learning_rate = 0.1
causal_correction = "analytic"
[projections.across]
from = "exc"
to = "lif"
connector = "fixed_probability"
probability = 0.005
weight = {distribution = "normal", mean = 60.0, std = 20.0}
delay_ms = {distribution = "uniform", low = 2.0, high = 6.0}
[projections.across.plasticity]
rule = "stdp"
a_plus = 2.0
a_minus = 1.0
w_min = 0.0
dale = true
[projections.back]
from = "lif"
to = "exc"
connector = "fixed_probability"
probability = 0.004
weight = -0.02
delay_ms = 3.0
delay_site = "dendritic"
[projections.back.plasticity]
rule = "recirculation"
amplitude = 0.01
decay = 0.5
)";
    const auto run = [&](bool parallel) {
        const auto description = app::parse_description(text, "test.toml");
        const auto circuit = app::build_circuit(description);
        REQUIRE(circuit->shards_of(1).size() == 3);
        SpikeLog log;
        Replica replica(*circuit);
        replica.set_parallel(parallel);
        replica.set_observer(&log);
        replica.learn_online();
        replica.run(60);
        std::vector<std::vector<float>> weights;
        for (const auto& p : circuit->projections())
            for (const auto& b : p.blocks) weights.emplace_back(b.weights().begin(), b.weights().end());
        return std::pair{log.seen, weights};
    };
    const auto serial = run(false);
    CHECK(serial.first.size() > 10000);
    for (const int threads : {1, 2, 5}) {
        const auto parallel = with_threads(threads, [&] { return run(true); });
        CHECK((parallel.first == serial.first));
        CHECK((parallel.second == serial.second));
    }
}

TEST_CASE("A continuous-time network of several shards has the same bits for any number of threads", "[contract]") {
    const std::string text = R"(
[run]
propagator = "continuous"
[populations.input]
model = "poisson_source"
size = 20
rate_Hz = 20.0
[populations.exc]
model = "poisson"
size = 5000
phi = "hard_sigmoid"
lambda_max_Hz = 50.0
bias = 0.05
[projections.in]
from = "input"
to = "exc"
connector = "fixed_probability"
probability = 0.1
weight = 0.2
delay_ms = 2.0
[projections.in.plasticity]
rule = "stdp"
learning_rate = 0.1
)";
    const auto run = [&](bool parallel) {
        const auto circuit = app::build_circuit(app::parse_description(text, "test.toml"));
        SpikeLog log;
        Replica replica(*circuit);
        replica.set_parallel(parallel);
        replica.set_observer(&log);
        replica.learn_online();
        replica.run(40);
        return std::tuple{log.seen, weights_of(circuit->projections()[0])};
    };
    const auto serial = run(false);
    CHECK(std::get<0>(serial).size() > 500);
    for (const int threads : {1, 2, 5}) CHECK((with_threads(threads, [&] { return run(true); }) == serial));
}
