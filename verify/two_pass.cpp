#include "verify/two_pass.hpp"

#include "sim/error.hpp"

namespace ydot::verify {
namespace {
constexpr double tolerance = 1e-15;  // of the settled potentials
}

const std::string_view two_pass_circuit = R"(
[run]
dt_ms = 1.0
[populations.input]
model = "image_source"
size = 20
rate_Hz = 1000.0
propagator = "continuous"
[populations.hidden]
model = "poisson"
size = 15
phi = "logistic"
grid_probability = "counts"
lambda_max_Hz = 1000.0
tau_syn_ms = 10.0
[populations.top]
model = "poisson"
size = 10
phi = "softmax"
grid_probability = "counts"
lambda_max_Hz = 1000.0
tau_syn_ms = 10.0
[projections.up]
from = "input"
to = "hidden"
weight = {distribution = "normal", std = 2.0, fan_in = true}
[projections.up.plasticity]
rule = "derivative"
tau_ms = 100.0
gate = "pre"
causal_correction = "analytic"
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 2.0, fan_in = true}
[projections.read.plasticity]
rule = "derivative"
tau_ms = 100.0
gate = "pre"
causal_correction = "analytic"
[projections.back]
from = "top"
to = "hidden"
connector = "transpose"
of = "read"
gain = 0.25
[schedule]
input = "input"
readout = "top"
[[schedule.phases]]
name = "settle"
duration_ms = 60.0
paired = false
[[schedule.phases]]
name = "pass 1"
duration_ms = 300.0
readout = true
[[schedule.phases]]
name = "pass 1, learning"
duration_ms = 120.0
learns = ["*"]
[[schedule.phases]]
name = "pass 2, learning"
duration_ms = 120.0
learns = ["*"]
clamps = ["top"]
nudge = 1.0
[[schedule.phases]]
name = "pass 2"
duration_ms = 300.0
clamps = ["top"]
nudge = 1.0
)";

Pattern::Pattern(std::uint64_t seed) {
    Draws draws(seed, stream_of("verify.two_pass", Purpose::image));
    for (int i = 0; i < 20; ++i) image.push_back(static_cast<std::uint8_t>(draws.below(256)));
    label = static_cast<std::uint8_t>(draws.below(10));
}

TwoPass::TwoPass(const Circuit& circuit, const Pattern& pattern) : network_(circuit), drive_(network_.no_drive()) {
    drive_.stimulus[input].resize(static_cast<Eigen::Index>(pattern.image.size()), 1);
    for (std::size_t i = 0; i < pattern.image.size(); ++i)
        drive_.stimulus[input](static_cast<Eigen::Index>(i), 0) = stimulus_of<double>(pattern.image[i]);
    drive_.stimulus[top] = Eigen::VectorXd::Unit(circuit.population(top).size(), pattern.label);
}

RateNetwork<double>::State TwoPass::settle(const Network::Drive& drive) const {
    auto state = network_.settle(drive, tolerance);
    if (!state.settled) throw Error("verify", "the loop does not settle", {}, Error::Kind::run_failure);
    return state;
}

std::vector<double> TwoPass::descent(std::size_t projection, const Network::Drive& drive) const {
    const auto state = settle(drive);
    const auto slope = network_.loss_slope(Loss::cross_entropy, state.activity[top], drive.stimulus[top]);
    auto gradient = network_.weight_gradient(projection, network_.adjoint(drive, state, top, slope, tolerance), state);
    for (double& g : gradient) g = -g;
    return gradient;
}

std::vector<double> TwoPass::feedforward_descent(std::size_t projection) const {
    auto drive = drive_;
    drive.conducts = {true, true, false};
    return descent(projection, drive);
}

std::vector<double> TwoPass::change(std::size_t projection, double nudge) const {
    auto nudged = drive_;
    nudged.nudge[top] = nudge;
    auto first = settle(drive_);
    const auto second = settle(nudged);
    std::vector<Network::Matrix> change;
    for (std::size_t p = 0; p < first.activity.size(); ++p) {
        change.emplace_back(second.activity[p] - first.activity[p]);
        first.activity[p] += 0.5 * change[p];
    }
    return network_.weight_gradient(projection, change, first);
}

}  // namespace ydot::verify
