// Trainer::measure: the changes that learning would make.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/support/script.hpp"
#include "tests/support/stripes.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

using Changes = std::vector<std::vector<double>>;

/// Weights by projection and synapse, in the order of measured changes.
std::vector<std::vector<float>> by_projection(const Circuit& circuit) {
    std::vector<std::vector<float>> all;
    for (const auto& projection : circuit.projections()) all.push_back(weights_of(projection));
    return all;
}
Changes sum_of(const Changes& a, const Changes& b) {
    Changes sum = a;
    for (std::size_t p = 0; p < sum.size(); ++p)
        for (std::size_t k = 0; k < sum[p].size(); ++k) sum[p][k] += b[p][k];
    return sum;
}
double largest_difference(const Changes& a, const Changes& b) {
    double largest = 0;
    for (std::size_t p = 0; p < a.size(); ++p) {
        REQUIRE(a[p].size() == b[p].size());
        for (std::size_t k = 0; k < a[p].size(); ++k) largest = std::max(largest, std::abs(a[p][k] - b[p][k]));
    }
    return largest;
}

/// The changes themselves: nothing between them and the weights.
const std::vector<std::string> plain{
    "projections.up.plasticity.learning_rate=1.0",     "projections.up.plasticity.momentum=0.0", "projections.up.plasticity.decay=0.0",
    "projections.read.plasticity.learning_rate=1.0",   "projections.read.plasticity.w_min=-1e6", "projections.read.plasticity.w_max=1e6",
    "projections.sparse.plasticity.learning_rate=1.0", "schedule.phases.predict.stop_above=1e6"};

}  // namespace

TEST_CASE("Measuring changes no weight and nothing that is learned afterwards", "[contract]") {
    const Stripes stripes(20);
    Experiment measured(stripes_network()), other(stripes_network());
    const auto before = measured.weights();
    measured.trainer.measure(stripes.presentations(0, 20, 300));
    CHECK(measured.weights() == before);
    for (auto* e : {&measured, &other}) e->trainer.learn(stripes.presentations(0, 8), 1);
    CHECK(measured.weights() == other.weights());
    CHECK(measured.weights() != before);
}

TEST_CASE("What is measured is what learning applies", "[contract]") {
    const Stripes stripes(20);
    Experiment e(stripes_network(), plain);
    const auto before = by_projection(*e.circuit);
    const auto changes = e.trainer.measure(stripes.presentations(0, 8));
    const auto answers = e.trainer.learn(stripes.presentations(0, 8), 1);
    CHECK(std::all_of(answers.begin(), answers.end(), [](const auto& a) { return a.learned; }));
    const auto after = by_projection(*e.circuit);
    for (std::size_t p = 0; p < changes.size(); ++p) {
        if (!e.circuit->projections()[p].plasticity) {
            CHECK(changes[p].empty());
            continue;
        }
        REQUIRE(changes[p].size() == before[p].size());
        double worst = 0, largest = 0;
        for (std::size_t k = 0; k < changes[p].size(); ++k) {
            const double change = static_cast<double>(after[p][k]) - static_cast<double>(before[p][k]);
            worst = std::max(worst, std::abs(change - changes[p][k]));
            largest = std::max({largest, std::abs(changes[p][k]), std::abs(static_cast<double>(after[p][k]))});
        }
        CHECK(worst < 3e-7 * largest);  // float: the change, its product with the rate, and the weight are each rounded
        CHECK(largest > 0.1);
    }
}

TEST_CASE("What stops learning does not stop measuring", "[contract]") {
    const Stripes stripes(20);
    Experiment stops(stripes_network(), {"schedule.phases.predict.stop_above=0.0"}), goes(stripes_network());
    CHECK(largest_difference(stops.trainer.measure(stripes.presentations(0, 4)), goes.trainer.measure(stripes.presentations(0, 4))) == 0);
    CHECK_FALSE(stops.trainer.learn(stripes.presentations(0, 4), 1)[0].learned);
}

TEST_CASE("Measured changes of presentations add up", "[contract]") {
    const Stripes stripes(20);
    Experiment e(stripes_network());
    const auto together = e.trainer.measure(stripes.presentations(0, 130));
    Changes sum = e.trainer.measure(stripes.presentations(0, 1));
    for (std::size_t k = 1; k < 130; ++k) sum = sum_of(sum, e.trainer.measure(stripes.presentations(k, 1)));
    double largest = 0;
    for (const auto& projection : together)
        for (const double x : projection) largest = std::max(largest, std::abs(x));
    CHECK(largest_difference(together, sum) < 1e-13 * largest);  // integers times an amplitude: rounded at each sum of doubles
    for (const auto& projection : e.trainer.measure({}))         // of nothing: no change
        CHECK(std::all_of(projection.begin(), projection.end(), [](double x) { return x == 0; }));
}

namespace {

/// Potentiation alone, at high rates.
const std::string potentiation = R"(
[populations.input]
model = "image_source"
rate_Hz = 500.0
propagator = "continuous"
[populations.top]
model = "poisson"
phi = "linear"
bias = 1.0
grid_probability = "counts"
lambda_max_Hz = 500.0
[projections.up]
from = "input"
to = "top"
weight = 0.0
[projections.up.plasticity]
rule = "stdp"
a_plus = 1.0
a_minus = 0.0
tau_plus_ms = 20.0
[schedule]
input = "input"
readout = "top"
[[schedule.phases]]
name = "all"
duration_ms = 400.0
readout = true
learns = ["up"]
)";

}  // namespace

TEST_CASE("A batch with more pairs than an integer holds is measured right", "[contract]") {
    const auto description = app::parse_description(potentiation, "test.toml", {});
    const auto circuit = app::build_circuit(description);
    Trainer trainer(*circuit, app::build_schedule(description, *circuit, 1, 1));
    const std::uint8_t white = 255;
    std::vector<Presentation> shown;
    for (std::uint32_t k = 0; k < 640; ++k) shown.push_back({{&white, 1}, 0, k});
    double sum = 0;
    for (const auto& one : shown) sum += trainer.measure({&one, 1})[0][0];
    CHECK(sum > 2 * 524288.0);                                // what a ChangeSum holds
    CHECK(sum / 640 == Approx(200 * 0.5 * 20).epsilon(0.1));  // arrivals times the partners in the window, less what the end cuts off
    CHECK(trainer.measure(shown)[0][0] == Approx(sum).epsilon(1e-13));  // multiples of 2^-12 below 2^52
}

TEST_CASE("A minibatch with more pairs than an integer holds is refused, and says what to do", "[contract]") {
    const auto description = app::parse_description(potentiation, "test.toml", {});
    const auto circuit = app::build_circuit(description);
    Trainer trainer(*circuit, app::build_schedule(description, *circuit, 1, 1));
    const std::uint8_t white = 255;
    std::vector<Presentation> shown;
    for (std::uint32_t k = 0; k < 640; ++k) shown.push_back({{&white, 1}, 0, k});
    CHECK_NOTHROW(trainer.learn(std::span(shown).first(16), 1));
    CHECK_THROWS_WITH(trainer.learn(shown, 1), Catch::Contains("projections.up.plasticity") && Catch::Contains("smaller minibatches"));
}
