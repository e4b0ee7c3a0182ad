#include <cmath>

#include "sim/rate_network.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

using Network = RateNetwork<double>;
using Matrix = Network::Matrix;
constexpr double tolerance = 1e-15;  // of the settled potentials
constexpr Eigen::Index presentations = 3;

constexpr std::string_view layers = R"(
[populations.input]
model = "image_source"
size = 6
[populations.hidden]
model = "poisson"
size = 5
phi = "logistic"
[populations.top]
model = "poisson"
size = 4
phi = "softmax"
bias = 0.2
[projections.up]
from = "input"
to = "hidden"
weight = {distribution = "normal", std = 2.0, fan_in = true}
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 2.0, fan_in = true}
)";
/// Feedback that is not the transpose, and sparse connections inside the hidden layer: every kind of loop.
constexpr std::string_view loops = R"(
[projections.back]
from = "top"
to = "hidden"
weight = {distribution = "normal", std = 1.0, fan_in = true}
[projections.inside]
from = "hidden"
to = "hidden"
connector = "fixed_probability"
probability = 0.2
weight = {distribution = "normal", std = 0.5}
)";

struct Case {
    std::string name, toml;
    std::vector<std::string> settings;
    Loss loss;
    std::size_t steps = 0;  ///< of unrolled time; 0: settled
};

std::vector<Case> cases() {
    const std::string feedforward(layers), recurrent = feedforward + std::string(loops);
    return {{"layered, logistic and softmax, cross-entropy", feedforward, {}, Loss::cross_entropy},
            {"layered, softplus and logistic, binary cross-entropy",
             feedforward,
             {"populations.hidden.phi=softplus", "populations.top.phi=logistic"},
             Loss::binary_cross_entropy},
            {"layered, hard sigmoid and exponential, squared error",
             feedforward,
             {"populations.hidden.phi=hard_sigmoid", "populations.hidden.bias=0.5", "projections.up.weight.std=0.1",
              "populations.top.phi=exponential"},
             Loss::squared},
            {"settled loop, cross-entropy", recurrent, {}, Loss::cross_entropy},
            {"settled loop, squared error", recurrent, {"populations.top.phi=softplus"}, Loss::squared},
            {"loop unrolled over 12 steps, cross-entropy", recurrent, {}, Loss::cross_entropy, 12}};
}

/// Inputs and targets in (0, 1).
struct Task {
    Network::Drive drive;
    Matrix target;
    Task(const Network& network, std::uint64_t seed) : drive(network.no_drive()), target(4, presentations) {
        Draws draws(seed, stream_of("verify.gradient", Purpose::image));
        drive.stimulus[0].resize(6, presentations);
        for (auto* matrix : {&drive.stimulus[0], &target})
            for (double& x : matrix->reshaped()) x = draws.uniform(0.05, 0.95);
        target.array().rowwise() /= target.colwise().sum().array().eval();
    }
};

constexpr double rate = 0.4;  // dt / tau of unrolled time

double loss_of(const Network& network, const Task& task, const Case& c) {
    const auto state = c.steps ? network.unroll(task.drive, c.steps, rate).back() : network.settle(task.drive, tolerance);
    return network.loss(c.loss, state.activity[2], task.target);
}

std::vector<double> gradient_of(const Network& network, const Task& task, const Case& c, std::size_t projection) {
    if (c.steps) {
        const auto states = network.unroll(task.drive, c.steps, rate);
        const auto slope = network.loss_slope(c.loss, states.back().activity[2], task.target);
        return network.weight_gradient(projection, network.adjoint(task.drive, states, rate, 2, slope), states, rate);
    }
    const auto state = network.settle(task.drive, tolerance);
    return network.weight_gradient(
        projection, network.adjoint(task.drive, state, 2, network.loss_slope(c.loss, state.activity[2], task.target), tolerance), state);
}

/// Fourth-order central differences, (8 (L(h) - L(-h)) - (L(2h) - L(-2h))) / 12 h.
std::vector<double> differences_of(Network& network, const Task& task, const Case& c, std::size_t projection, std::size_t synapses) {
    constexpr double h = 1e-3;
    std::vector<double> slopes, change(synapses, 0.0);
    for (std::size_t k = 0; k < synapses; ++k) {
        const auto loss_at = [&](double moved) {
            change[k] = moved;
            network.change_weights(projection, change);
            const double loss = loss_of(network, task, c);
            change[k] = -moved;
            network.change_weights(projection, change);
            change[k] = 0;
            return loss;
        };
        slopes.push_back((8 * (loss_at(h) - loss_at(-h)) - (loss_at(2 * h) - loss_at(-2 * h))) / (12 * h));
    }
    return slopes;
}

/// Largest deviation over the largest entry, over all projections.
double deviation(const Context& context, const Case& c) {
    const auto circuit = context.build(c.toml, c.settings), intact = context.intact().build(c.toml, c.settings);
    const Network network(*circuit);
    Network moved(*intact);
    const Task task(network, context.seed);
    double largest = 0, worst = 0;
    for (std::size_t p = 0; p < circuit->projections().size(); ++p) {
        const auto gradient = gradient_of(network, task, c, p), differences = differences_of(moved, task, c, p, gradient.size());
        for (std::size_t k = 0; k < gradient.size(); ++k) {
            largest = std::max(largest, std::abs(differences[k]));
            worst = std::max(worst, std::abs(gradient[k] - differences[k]));
        }
    }
    return worst / largest;
}

CheckResult run(const Context& context) {
    CheckResult result;
    for (const auto& c : cases())
        result.measurements.push_back(at_most(c.name, "1", deviation(context, c), 1e-9,
                                              "central differences of fourth order, h = 1e-3: truncation h^4 = 1e-12 times fifth "
                                              "derivatives of order 1 to 100, rounding 1e-16 / h = 1e-13"));
    return result;
}

}  // namespace

const Check gradient{
    "gradient", "V1", "The exact gradient is the slope of the loss",
    R"(The rate reading of a circuit, $u_q = b_q + \sum_p W_{qp}\, y_p$, $y = \phi(u)$, is settled or unrolled in time; the gradient of a
loss $L$ comes from the adjoint equations

$$\lambda_p = J_p^\top \Big(\frac{\partial L}{\partial y_p} + \sum_q W_{qp}^\top \lambda_q\Big), \qquad
\frac{\partial L}{\partial W_{qp}} = \lambda_q\, y_p^\top$$

(Almeida 1987; Pineda 1987; unrolled: Werbos 1990). Every entry is compared with the central difference of the loss, in double precision:
the largest deviation over the largest entry.)",
    run};

}  // namespace ydot::verify
