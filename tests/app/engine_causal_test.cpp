// Where the causal correction of a description may and may not be used; that it works is a check of `ydot verify`
// (tests/verify/stdp_test.cpp).
#include <catch2/catch.hpp>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "tests/support/drift.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

/// Drift of the mean weight per arrival, in units of the learning rate, over 40 segments of 1 s at constant rates.
Moments drift_with(const std::vector<std::string>& overrides) {
    const auto description = app::parse_description(R"(
[populations.pre]
model = "poisson_source"
size = 20
rate_Hz = 50.0
[populations.post]
model = "poisson"
size = 200
phi = "linear"
grid_probability = "linear"
bias = 0.1
[projections.line]
from = "pre"
to = "post"
weight = 0.02
delay_ms = 8.0
[projections.line.plasticity]
rule = "derivative"
learning_rate = 1e-6
)",
                                                    "test.toml", overrides);
    return drift_of(*app::build_circuit(description), {500, 1000, 40, 50});
}
constexpr double law = 0.02 * 200 / 50 * 20 / 30;  // of an axonal delay

}  // namespace

// 40 segments: |t| > 6.5 with 39 degrees of freedom has probability 1.1e-7.

TEST_CASE("A dendritic delay parts cause and effect", "[statistical]") {
    // pre spike at the synapse at once, its effect after the delay, the post spike back at the synapse after another: exp(-16 / 20) of the
    // axonal drift
    const auto raw = drift_with({"projections.line.delay_site=dendritic"});
    INFO("drift " << raw.mean << " +- " << raw.error());
    CHECK(std::abs(raw.mean - law * std::exp(-16 / 20.0)) < 6.5 * raw.error() + 0.1 * law);  // first order in dt / tau_syn
}

TEST_CASE("The causal correction is refused where it would be wrong", "[contract]") {
    CHECK_THROWS_AS(drift_with({"projections.line.plasticity.causal_correction=analytic", "projections.line.delay_site=dendritic"}), Error);
}
