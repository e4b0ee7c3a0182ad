// The rate reading of a circuit: fixed points, clamps, gradients, and its agreement with the spikes.
#include "sim/rate_network.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/replica.hpp"
#include "sim/statistics.hpp"

using namespace ydot;

namespace {

template <class Real>
using Matrix = typename RateNetwork<Real>::Matrix;
template <class Real>
using Drive = typename RateNetwork<Real>::Drive;

std::unique_ptr<Circuit> build(const std::string& text, const std::vector<std::string>& settings = {}) {
    return app::build_circuit(app::parse_description(text, "test.toml", settings));
}

const std::string layers = R"(
[populations.input]
model = "image_source"
size = 30
[populations.hidden]
model = "poisson"
size = 20
phi = "logistic"
bias = -0.3
[populations.top]
model = "poisson"
size = 6
phi = "softplus"
bias = 0.2
[projections.up]
from = "input"
to = "hidden"
connector = "fixed_probability"
probability = 1.0
weight = {distribution = "normal", std = 2.0, fan_in = true}
[projections.read]
from = "hidden"
to = "top"
connector = "fixed_probability"
probability = 1.0
weight = {distribution = "normal", std = 2.0, fan_in = true}
)";
const std::string feedback = R"(
[projections.back]
from = "top"
to = "hidden"
weight = {distribution = "normal", std = 0.3, fan_in = true}
[projections.inside]
from = "hidden"
to = "hidden"
connector = "fixed_probability"
probability = 0.1
weight = {distribution = "normal", std = 0.5}
)";
enum : std::size_t { input, hidden, top };
enum : std::size_t { up, read_out, back, inside };

/// Densities on either side of the quarter at which a matrix is stored dense.
const std::vector<std::string> dense, sparse{"projections.up.probability=0.1", "projections.read.probability=0.15"};

/// A column of numbers in (0, 1), different for different keys.
template <class Real>
Matrix<Real> numbers(Eigen::Index count, std::uint32_t key) {
    Draws draws(7, stream_of("rate_network", Purpose::image), key);
    Matrix<Real> x(count, 1);
    for (Real& v : x.reshaped()) v = static_cast<Real>(draws.uniform());
    return x;
}

/// bias + W y + W' y' + ..., synapse by synapse, of one population.
template <class Real>
Matrix<Real> input_of(const Circuit& circuit, std::size_t population, const std::vector<Matrix<Real>>& activity) {
    const auto& to = circuit.population(population);
    Matrix<Real> u = Matrix<Real>::Constant(to.size(), activity[population].cols(), static_cast<Real>(to.bias()));
    for (const auto& projection : circuit.projections()) {
        if (projection.to != population) continue;
        for (const auto& block : projection.blocks)
            block.for_each([&](std::uint32_t source, std::uint32_t target, auto, float w) {
                u.row(block.first_target() + target) += static_cast<Real>(w) * activity[projection.from].row(source);
            });
    }
    return u;
}
template <class Real>
Matrix<Real> logistic(const Matrix<Real>& u) {
    return (1 / (1 + (-u.array()).exp())).matrix();
}
template <class Real>
Matrix<Real> softplus(const Matrix<Real>& u) {
    return (1 + u.array().exp()).log().matrix();
}
template <class Real>
Real difference(const Matrix<Real>& a, const Matrix<Real>& b) {
    return (a - b).cwiseAbs().maxCoeff();
}

/// Of sums of up to 40 terms of order 1; float: and of functions that are good to a few units in the last place.
template <class Real>
constexpr Real rounding = std::is_same_v<Real, float> ? Real(1e-5) : Real(1e-14);
/// Below that.
template <class Real>
constexpr Real tolerance = std::is_same_v<Real, float> ? Real(2e-6) : Real(4e-15);

/// A layered network with an image, a loop if `loop`.
template <class Real>
struct Subject {
    std::unique_ptr<Circuit> circuit;
    RateNetwork<Real> network;
    Drive<Real> drive;
    explicit Subject(bool loop, const std::vector<std::string>& settings = {})
        : circuit(build(loop ? layers + feedback : layers, settings)), network(*circuit), drive(network.no_drive()) {
        drive.stimulus[input] = numbers<Real>(30, 1);
    }
    auto settle() const { return network.settle(drive, tolerance<Real>); }
};

}  // namespace

TEMPLATE_TEST_CASE("A layered network settles where y = phi(W x + b)", "[analytic]", float, double) {
    for (const auto& settings : {dense, sparse}) {
        const Subject<TestType> s(false, settings);
        const auto state = s.settle();
        CHECK(state.settled);
        CHECK(state.sweeps <= 3);  // one to get there, one to see it, one more if the way there was rounded
        CHECK(difference<TestType>(state.activity[input], s.drive.stimulus[input]) < rounding<TestType>);
        CHECK(difference<TestType>(state.activity[hidden], logistic<TestType>(input_of<TestType>(*s.circuit, hidden, state.activity))) <
              rounding<TestType>);
        CHECK(difference<TestType>(state.activity[top], softplus<TestType>(input_of<TestType>(*s.circuit, top, state.activity))) <
              rounding<TestType>);
        CHECK(difference<TestType>(state.activity[hidden], Matrix<TestType>::Constant(20, 1, TestType(0.5))) > TestType(0.1));
    }
}

TEMPLATE_TEST_CASE("A population of many shards reads the weights of all of them", "[analytic]", float, double) {
    const auto circuit = build(layers, {"populations.hidden.size=5000", "projections.read.probability=0.002"});
    REQUIRE(circuit->projections()[up].blocks.size() == 2);
    RateNetwork<TestType> network(*circuit);
    auto drive = network.no_drive();
    drive.stimulus[input] = numbers<TestType>(30, 1);
    const auto state = network.settle(drive, tolerance<TestType>);
    CHECK(difference<TestType>(state.activity[hidden], logistic<TestType>(input_of<TestType>(*circuit, hidden, state.activity))) <
          rounding<TestType>);

    std::vector<TestType> change(circuit->projections()[up].synapses(), 0);
    change.back() = 10;  // onto the last unit of the second shard
    network.change_weights(up, change);
    const auto changed = network.settle(drive, tolerance<TestType>);
    CHECK((changed.potential[hidden].topRows(4999) == state.potential[hidden].topRows(4999)));
    CHECK(changed.potential[hidden](4999, 0) - state.potential[hidden](4999, 0) ==
          Approx(10 * drive.stimulus[input](29, 0)).epsilon(rounding<TestType>));
}

TEMPLATE_TEST_CASE("The fixed point of a loop satisfies its own equation", "[analytic]", float, double) {
    const Subject<TestType> s(true);
    const auto state = s.settle();
    REQUIRE(state.settled);
    CHECK(state.sweeps > 3);
    for (const std::size_t p : {hidden, top}) {
        const auto u = input_of<TestType>(*s.circuit, p, state.activity);
        CHECK(difference<TestType>(state.potential[p], u) < rounding<TestType>);
        CHECK(difference<TestType>(state.activity[p], p == hidden ? logistic<TestType>(u) : softplus<TestType>(u)) < rounding<TestType>);
    }
}

namespace {

/// Two units that drive each other, with weights `there` and `back`.
std::string pair_of(const std::string& phi, double there, double back_again) {
    return R"(
[populations.a]
model = "poisson"
phi = ")" + phi +
           R"("
bias = 1.0
[populations.b]
model = "poisson"
phi = ")" + phi +
           R"("
[projections.there]
from = "a"
to = "b"
weight = )" +
           std::to_string(there) +
           R"(
[projections.back]
from = "b"
to = "a"
weight = )" +
           std::to_string(back_again);
}
template <class Real>
auto settled_pair(const std::string& phi, double there, double back_again, std::size_t most_sweeps = 1000) {
    const auto circuit = build(pair_of(phi, there, back_again));
    const RateNetwork<Real> network(*circuit);
    return network.settle(network.no_drive(), tolerance<Real>, most_sweeps);
}

}  // namespace

TEMPLATE_TEST_CASE("A loop that swings settles all the same", "[analytic]", float, double) {
    // Slope of the loop at the fixed point a = 1 - 16 b, b = phi(16 a - 2): below -1, so that plain sweeps would go to and fro for ever.
    const auto circuit = build(pair_of("logistic", 16, -16), {"populations.b.bias=-2.0", "populations.a.bias=4.0"});
    const RateNetwork<TestType> network(*circuit);
    const auto state = network.settle(network.no_drive(), 8 * tolerance<TestType>);  // of potentials up to 16
    REQUIRE(state.settled);
    const TestType a = state.activity[0](0, 0), b = state.activity[1](0, 0);
    CHECK(256 * a * (1 - a) * b * (1 - b) > 1);
    // Where the logistic functions have a slope of up to 1/4 and weights are 16.
    CHECK(a == Approx(1 / (1 + std::exp(16 * b - 4))).epsilon(100 * rounding<TestType>));
    CHECK(b == Approx(1 / (1 + std::exp(2 - 16 * a))).epsilon(100 * rounding<TestType>));
}

TEMPLATE_TEST_CASE("A loop without a fixed point, or given too little time, does not count as settled", "[contract]", float, double) {
    CHECK_FALSE(settled_pair<TestType>("relu", 2, 2).settled);  // grows for ever
    CHECK_FALSE(settled_pair<TestType>("relu", 0.9, 0.9, 5).settled);
    const auto state = settled_pair<TestType>("relu", 0.5, 0.5);
    CHECK(state.settled);
    CHECK(state.activity[0](0, 0) == Approx(1 / 0.75).epsilon(rounding<TestType>));  // 1 / (1 - gain)
}

TEST_CASE("A loop that leaves the range of numbers does not count as settled", "[contract]") {
    CHECK_FALSE(settled_pair<double>("exponential", 1, 1).settled);  // infinite minus infinite is nothing to compare
}

TEMPLATE_TEST_CASE("A nudge moves the activity toward the target", "[analytic]", float, double) {
    Subject<TestType> s(true);
    const auto free = s.settle();
    s.drive.stimulus[top] = numbers<TestType>(6, 2);
    CHECK((s.settle().activity[top] == free.activity[top]));  // a target without a nudge is not looked at
    s.drive.nudge[top] = TestType(0.25);
    const auto nudged = s.settle();
    REQUIRE(nudged.settled);
    const auto phi = softplus<TestType>(input_of<TestType>(*s.circuit, top, nudged.activity));
    const Matrix<TestType> moved = TestType(0.75) * phi + TestType(0.25) * s.drive.stimulus[top];
    CHECK(difference<TestType>(nudged.activity[top], moved) < rounding<TestType>);
    CHECK(difference<TestType>(nudged.activity[hidden], free.activity[hidden]) > 100 * rounding<TestType>);  // by way of the feedback
    s.drive.nudge[top] = 1;
    CHECK(difference<TestType>(s.settle().activity[top], s.drive.stimulus[top]) < rounding<TestType>);
}

TEMPLATE_TEST_CASE("A projection that does not conduct might as well not be there", "[analytic]", float, double) {
    Subject<TestType> loop(true);
    loop.drive.conducts = {true, true, false, false};
    const Subject<TestType> layered(false);
    const auto cut = loop.settle(), alone = layered.settle();
    for (const std::size_t p : {hidden, top}) CHECK((cut.activity[p] == alone.activity[p]));
    loop.drive.conducts[up] = false;
    CHECK(difference<TestType>(loop.settle().potential[hidden], Matrix<TestType>::Constant(20, 1, TestType(-0.3f))) < rounding<TestType>);
}

namespace {

/// A loss of a small loop that is nudged, with one projection that does not conduct in the way back.
template <class Real>
struct Task {
    static constexpr Real rate = Real(0.3);
    std::unique_ptr<Circuit> circuit;
    RateNetwork<Real> network;
    Drive<Real> drive;
    Matrix<Real> target;
    std::size_t steps;  ///< of unrolled time; 0: settled
    Task(std::size_t unrolled, const std::vector<std::string>& settings)
        : circuit(build(layers + feedback, small(settings))), network(*circuit), drive(network.no_drive()), target(3, 2), steps(unrolled) {
        drive.stimulus[input].resize(4, 2);
        drive.stimulus[input] << numbers<Real>(4, 1), numbers<Real>(4, 2);
        target << numbers<Real>(3, 3), numbers<Real>(3, 4);
        drive.stimulus[top] = target;
        drive.nudge[top] = Real(0.2);
    }
    static std::vector<std::string> small(std::vector<std::string> settings) {
        settings.insert(settings.end(), {"populations.input.size=4", "populations.hidden.size=5", "populations.top.size=3",
                                         "projections.inside.probability=0.2"});
        return settings;
    }
    Real loss() const {
        const auto state = steps ? network.unroll(drive, steps, rate).back() : network.settle(drive, tolerance<Real>);
        return network.loss(Loss::squared, state.activity[top], target);
    }
    std::vector<Real> gradient(std::size_t projection) const {
        const auto slope = [&](const auto& state) { return network.loss_slope(Loss::squared, state.activity[top], target); };
        if (steps) {
            const auto states = network.unroll(drive, steps, rate);
            return network.weight_gradient(projection, network.adjoint(drive, states, rate, top, slope(states.back())), states, rate);
        }
        const auto state = network.settle(drive, tolerance<Real>);
        return network.weight_gradient(projection, network.adjoint(drive, state, top, slope(state), tolerance<Real>), state);
    }
    Real difference_quotient(std::size_t projection, std::size_t synapse, Real h) {
        std::vector<Real> change(circuit->projections()[projection].synapses(), 0);
        change[synapse] = h;
        network.change_weights(projection, change);
        const Real above = loss();
        change[synapse] = -2 * h;
        network.change_weights(projection, change);
        const Real below = loss();
        change[synapse] = h;
        network.change_weights(projection, change);
        return (above - below) / (2 * h);
    }
};

/// Largest deviation from central differences over the largest slope, of all projections.
template <class Real>
Real gradient_error(std::size_t unrolled, const std::vector<std::string>& settings, const std::vector<bool>& conducts) {
    const Real h = std::is_same_v<Real, float> ? Real(2e-2) : Real(1e-5);
    Task<Real> task(unrolled, settings);
    task.drive.conducts = conducts;
    Real largest = 0, worst = 0;
    for (std::size_t p = 0; p < task.circuit->projections().size(); ++p) {
        const auto gradient = task.gradient(p);
        if (!conducts.empty() && !conducts[p]) continue;
        for (std::size_t k = 0; k < gradient.size(); ++k) {
            const Real slope = task.difference_quotient(p, k, h);
            largest = std::max(largest, std::abs(slope));
            worst = std::max(worst, std::abs(gradient[k] - slope));
        }
    }
    return worst / largest;
}

}  // namespace

TEMPLATE_TEST_CASE("Gradients of settled and unrolled networks are central differences", "[analytic]", float, double) {
    // Second order: h^2 / 6 times a third derivative of order 1, and the rounding of the loss over h. Double, h = 1e-5: 1e-10 and 1e-16 /
    // 1e-5, relative to slopes of up to 0.1. Float, h = 0.02: 1e-4 and 1e-7 / 0.02, over the same.
    constexpr TestType bound = std::is_same_v<TestType, float> ? TestType(1e-2) : TestType(1e-8);
    const std::vector<std::string> half{"projections.up.probability=0.5", "projections.read.probability=0.5"};
    for (const std::size_t steps : {0, 12})
        for (const auto& settings : {dense, half, std::vector<std::string>{"populations.top.phi=softmax"}})
            for (const auto& conducts : {std::vector<bool>{}, {true, true, false, true}}) {
                CAPTURE(steps, settings, conducts);
                CHECK(gradient_error<TestType>(steps, settings, conducts) < bound);
            }
}

TEST_CASE("A gradient that is a percent off is not mistaken for a difference", "[analytic]") {
    Task<double> task(0, {});
    const auto gradient = task.gradient(up);
    double largest = 0;
    for (std::size_t k = 0; k < gradient.size(); ++k) largest = std::max(largest, std::abs(task.difference_quotient(up, k, 1e-5)));
    task.drive.nudge[top] = 0.19;
    const auto other = task.gradient(up);
    double worst = 0;
    for (std::size_t k = 0; k < gradient.size(); ++k) worst = std::max(worst, std::abs(other[k] - gradient[k]));
    CHECK(worst / largest > 1e-3);
}

TEMPLATE_TEST_CASE("A batch of presentations is the sum of single ones", "[contract]", float, double) {
    Subject<TestType> batch(true, {"populations.top.phi=softmax"});  // which normalises each presentation by itself
    constexpr std::size_t count = 3;
    batch.drive.stimulus[input].resize(30, count);
    Matrix<TestType> target(6, count);
    for (std::uint32_t k = 0; k < count; ++k) {
        batch.drive.stimulus[input].col(k) = numbers<TestType>(30, 10 + k);
        target.col(k) = numbers<TestType>(6, 20 + k);
    }
    const auto gradient_of = [&](const auto& subject, const auto& state, const auto& aim) {
        const auto slope = subject.network.loss_slope(Loss::cross_entropy, state.activity[top], aim);
        return subject.network.weight_gradient(up, subject.network.adjoint(subject.drive, state, top, slope, tolerance<TestType>), state);
    };
    const auto together = batch.settle();
    const auto gradient = gradient_of(batch, together, target);
    std::vector<TestType> sum(gradient.size(), 0);
    for (Eigen::Index k = 0; k < static_cast<Eigen::Index>(count); ++k) {
        Subject<TestType> one(true, {"populations.top.phi=softmax"});
        one.drive.stimulus[input] = batch.drive.stimulus[input].col(k);
        const auto alone = one.settle();
        CHECK(difference<TestType>(alone.activity[top], together.activity[top].col(k)) < rounding<TestType>);
        const auto part = gradient_of(one, alone, Matrix<TestType>(target.col(k)));
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
    }
    for (std::size_t i = 0; i < sum.size(); ++i) CHECK(std::abs(sum[i] - gradient[i]) < 10 * rounding<TestType>);  // entries up to 10
}

TEST_CASE("Changed weights are those of the network, not of the circuit", "[contract]") {
    for (const auto& settings : {dense, sparse}) {
        Subject<double> s(false, settings);
        const auto before = s.settle();
        std::vector<float> of_circuit;
        for (const auto& block : s.circuit->projections()[up].blocks)
            block.for_each([&](auto, auto, auto, float w) { of_circuit.push_back(w); });
        std::vector<double> change(s.circuit->projections()[up].synapses());
        for (std::size_t k = 0; k < change.size(); ++k) change[k] = 0.01 * static_cast<double>(k % 7);
        s.network.change_weights(up, change);
        Matrix<double> more = Matrix<double>::Zero(20, 1);  // of potential
        std::size_t k = 0;
        s.circuit->projections()[up].blocks[0].for_each([&](std::uint32_t source, std::uint32_t target, auto, float w) {
            CHECK(w == of_circuit[k]);
            more(target, 0) += change[k++] * s.drive.stimulus[input](source, 0);
        });
        CHECK(difference<double>(s.settle().potential[hidden], before.potential[hidden] + more) < rounding<double>);
    }
}

TEST_CASE("A population without a rate reading is refused by name", "[contract]") {
    for (const std::string model : {"lif", "modulated_source", "piecewise_source"}) {
        const auto circuit = build("[populations.steady]\nmodel = \"poisson_source\"\n[populations.odd]\nmodel = \"" + model + "\"\n");
        CHECK_THROWS_WITH(RateNetwork<double>(*circuit), Catch::Contains("populations.odd.model") && Catch::Contains("no rate reading"));
        CHECK_THROWS_WITH(RateNetwork<float>(*circuit), Catch::Contains("populations.odd.model"));
    }
}

TEMPLATE_TEST_CASE("Sources show their stimulus, or their one rate", "[contract]", float, double) {
    const auto circuit = build(R"(
[populations.image]
model = "image_source"
size = 3
rate_Hz = 80.0
[populations.noise]
model = "poisson_source"
size = 2
rate_Hz = 40.0
)");
    const RateNetwork<TestType> network(*circuit);
    auto drive = network.no_drive();
    const auto dark = network.settle(drive, 0);
    CHECK((dark.activity[0] == Matrix<TestType>::Zero(3, 1)));
    CHECK((dark.activity[1] == Matrix<TestType>::Constant(2, 1, 1)));  // activity 1 is the full rate
    drive.stimulus[0].resize(3, 2);
    drive.stimulus[0] << 0, 1, TestType(0.25), TestType(0.5), 1, 0;
    const auto shown = network.settle(drive, 0);
    CHECK((shown.activity[0] == drive.stimulus[0]));
    CHECK((shown.activity[1] == Matrix<TestType>::Constant(2, 2, 1)));
}

namespace {

/// Linear units, so that the mean of the spiking network is exactly that of the rates; biases and weights keep u away from 0.
const std::string linear_loop = R"(
[populations.input]
model = "image_source"
size = 8
rate_Hz = 1000.0
propagator = "continuous"
[populations.hidden]
model = "poisson"
size = 8
phi = "linear"
bias = 0.5
grid_probability = "counts"
lambda_max_Hz = 1000.0
tau_syn_ms = 20.0
[populations.top]
model = "poisson"
size = 4
phi = "linear"
bias = 0.5
grid_probability = "counts"
lambda_max_Hz = 500.0
tau_syn_ms = 10.0
[projections.up]
from = "input"
to = "hidden"
weight = {distribution = "uniform", low = -0.05, high = 0.15}
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "uniform", low = -0.05, high = 0.15}
delay_ms = 3.0
[projections.back]
from = "top"
to = "hidden"
weight = {distribution = "uniform", low = -0.05, high = 0.15}
delay_ms = {distribution = "uniform", low = 1.0, high = 5.0}
)";

}  // namespace

TEST_CASE("Spiking linear units are on average where the rates settle", "[statistical]") {
    const auto circuit = build(linear_loop);
    const RateNetwork<double> network(*circuit);
    auto drive = network.no_drive();
    drive.stimulus[input] = numbers<double>(8, 1);
    const auto settled = network.settle(drive, tolerance<double>);
    REQUIRE(settled.settled);

    constexpr std::uint32_t trials = 60;
    std::vector<std::vector<std::vector<double>>> seen(2, std::vector<std::vector<double>>(8));  // by population and unit
    Replica replica(*circuit);
    const Eigen::VectorXf image = drive.stimulus[input].cast<float>();
    replica.set_stimulus(input, {image.data(), 8});
    for (std::uint32_t trial = 0; trial < trials; ++trial) {
        replica.reset(trial);
        replica.run(400);  // 20 of the longer time constant, at a gain of the loop below 1/2
        for (const std::size_t p : {hidden, top}) replica.clear_activity(p);
        replica.run(400);
        for (const std::size_t p : {hidden, top}) {
            const auto activity = replica.mean_activity(p);
            for (std::size_t i = 0; i < activity.size(); ++i) seen[p - 1][i].push_back(activity[i]);
        }
    }
    for (const std::size_t p : {hidden, top})
        for (std::size_t i = 0; i < circuit->population(p).size(); ++i) {
            const auto measured = moments_of(seen[p - 1][i]);
            CAPTURE(p, i, measured.mean, measured.error());
            CHECK(std::abs(measured.mean - settled.activity[p](static_cast<Eigen::Index>(i), 0)) <
                  t_limit(trials, 1e-6 / 12) * measured.error());
            CHECK(measured.error() < 0.01);  // small enough to see a wrong weight
        }
}
