// Learning in the rate reading: against exact gradients, closed forms and finite differences.
#include "sim/rate_trainer.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "app/training.hpp"
#include "sim/alignment.hpp"
#include "sim/rate_network.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

/// 12 pixels, 9 hidden units, 4 classes; the way back as asked for.
std::string network(const std::string& feedback, const std::string& phi = "logistic") {
    return R"(
[run]
mode = "rate"
[populations.input]
model = "image_source"
size = 12
[populations.hidden]
model = "poisson"
size = 9
bias = 0.1
phi = ")" + phi +
           R"("
[populations.top]
model = "poisson"
size = 4
phi = "softmax"
[projections.up]
from = "input"
to = "hidden"
connector = "fixed_probability"
probability = 0.7
weight = {distribution = "normal", std = 2.0, fan_in = true}
plasticity = {rule = "derivative", gate = "pre", learning_rate = 0.05}
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 2.0, fan_in = true}
plasticity = {rule = "derivative", gate = "pre", learning_rate = 0.05}
[projections.back]
from = "top"
to = "hidden"
of = "read"
)" + feedback +
           R"(
[schedule]
input = "input"
readout = "top"
[[schedule.phases]]
name = "predict"
duration_ms = 1
readout = true
[[schedule.phases]]
name = "teach"
duration_ms = 1
learns = ["*"]
clamps = ["top"]
)";
}
enum : std::size_t { up, read_out, back };
const std::string transpose = "connector = \"transpose\"\n";

struct Images {
    std::vector<std::vector<std::uint8_t>> pixels;
    std::vector<Presentation> shown;
    explicit Images(std::size_t count, std::size_t size = 12, std::uint8_t classes = 4) {
        Draws draws(11, stream_of("images", Purpose::image));
        for (std::size_t k = 0; k < count; ++k) {
            auto& image = pixels.emplace_back(size);
            for (auto& pixel : image) pixel = static_cast<std::uint8_t>(draws.below(256));
        }
        for (std::size_t k = 0; k < count; ++k)
            shown.push_back({pixels[k], static_cast<std::uint8_t>(draws.below(classes)), static_cast<std::uint32_t>(k)});
    }
    Eigen::MatrixXd matrix() const {
        Eigen::MatrixXd m(pixels[0].size(), pixels.size());
        for (std::size_t k = 0; k < pixels.size(); ++k)
            for (std::size_t i = 0; i < pixels[k].size(); ++i)
                m(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k)) = pixels[k][i] / 255.0;
        return m;
    }
    Eigen::MatrixXd targets(Eigen::Index classes) const {
        Eigen::MatrixXd t = Eigen::MatrixXd::Zero(classes, static_cast<Eigen::Index>(shown.size()));
        for (std::size_t k = 0; k < shown.size(); ++k) t(shown[k].label, static_cast<Eigen::Index>(k)) = 1;
        return t;
    }
};

struct Rates {
    Description description;
    std::unique_ptr<Circuit> circuit;
    std::unique_ptr<RateTrainer> trainer;
    explicit Rates(const std::string& text, const std::vector<std::string>& settings = {}, std::size_t pixels = 12, std::size_t classes = 4)
        : description(app::parse_description(text, "test.toml", settings)), circuit(app::build_circuit(description)) {
        trainer = std::make_unique<RateTrainer>(*circuit, app::build_schedule(description, *circuit, pixels, classes),
                                                app::rate_specs(description));
    }
    /// Weights as a matrix, targets x sources.
    Eigen::MatrixXd matrix(std::size_t projection) const {
        const auto& p = circuit->projections()[projection];
        Eigen::MatrixXd w = Eigen::MatrixXd::Zero(circuit->population(p.to).size(), circuit->population(p.from).size());
        for (const auto& block : p.blocks)
            block.for_each(
                [&](std::uint32_t s, std::uint32_t t, auto, float x) { w(t + block.first_target(), s) = static_cast<double>(x); });
        return w;
    }
    /// A list in the order of synapses as a matrix.
    Eigen::MatrixXd spread(std::size_t projection, const std::vector<double>& list) const {
        Eigen::MatrixXd m = Eigen::MatrixXd::Zero(matrix(projection).rows(), matrix(projection).cols());
        std::size_t k = 0;
        for (const auto& block : circuit->projections()[projection].blocks)
            block.for_each([&](std::uint32_t s, std::uint32_t t, auto, float) { m(t + block.first_target(), s) = list[k++]; });
        return m;
    }
};

double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
    double off = 0, size = 0;
    REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
        off += (a[k] - b[k]) * (a[k] - b[k]);
        size += b[k] * b[k];
    }
    return std::sqrt(off / size);
}
double relative_error(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return (a - b).norm() / b.norm(); }

Eigen::MatrixXd logistic(const Eigen::MatrixXd& u) { return (1 / (1 + (-u.array()).exp())).matrix(); }

// Sums of a few hundred products in single precision.
constexpr double rounding = 2e-6;

}  // namespace

TEST_CASE("With the transposed weights as feedback the change is minus the exact gradient", "[analytic]") {
    const Images images(20);
    for (const std::string phi : {"logistic", "relu", "softplus", "hard_sigmoid"}) {
        INFO(phi);
        Rates e(network(transpose, phi));
        const auto changes = e.trainer->measure(images.shown);
        const RateNetwork<double> exact(*e.circuit);
        auto drive = exact.no_drive();
        drive.stimulus[0] = images.matrix();
        drive.conducts = {true, true, false};
        const auto state = exact.settle(drive, 1e-14);
        const auto adjoint =
            exact.adjoint(drive, state, 2, exact.loss_slope(Loss::cross_entropy, state.activity[2], images.targets(4)), 1e-14);
        for (const auto p : {up, read_out}) {
            auto gradient = exact.weight_gradient(p, adjoint, state);
            for (double& g : gradient) g = -g;
            CHECK(relative_error(changes[p], gradient) < rounding);
        }
    }
}

TEST_CASE("Fixed random feedback sends the error through its own weights", "[analytic]") {
    const Images images(20);
    Rates e(network("connector = \"random_feedback\"\nweight = {distribution = \"normal\", std = 1.0}\n"));
    const auto changes = e.trainer->measure(images.shown);
    const Eigen::MatrixXd x = images.matrix(), h = ::logistic((e.matrix(up) * x).array() + 0.1);
    Eigen::MatrixXd y = (e.matrix(read_out) * h).array().exp();
    y = (y * y.colwise().sum().cwiseInverse().asDiagonal()).eval();
    const Eigen::MatrixXd top = images.targets(4) - y, hidden = (h.array() * (1 - h.array()) * (e.matrix(back) * top).array()).matrix();
    CHECK(relative_error(e.spread(read_out, changes[read_out]), top * h.transpose()) < rounding);
    const Eigen::MatrixXd present = (e.matrix(up).array() != 0).cast<double>();
    CHECK(relative_error(e.spread(up, changes[up]), (hidden * x.transpose()).cwiseProduct(present)) < rounding);
}

TEST_CASE("Feedback that learns by the reversed rule comes to mirror the forward weights", "[analytic]") {
    const Images images(32);
    const auto start = network(
        "connector = \"random_feedback\"\nweight = {distribution = \"normal\", std = 1.0}\n"
        "plasticity = {rule = \"recirculation\", gate = \"post\", learning_rate = 0.05, decay = 0.002}\n");
    Rates e(start, {"projections.read.plasticity.decay=0.002"});
    const auto angle = [&] {
        const Eigen::MatrixXd w = e.matrix(read_out).transpose(), b = e.matrix(back);
        return std::acos(w.cwiseProduct(b).sum() / w.norm() / b.norm());
    };
    const double before = angle();
    const auto changes = e.trainer->measure(images.shown);
    CHECK(relative_error(e.spread(back, changes[back]), e.spread(read_out, changes[read_out]).transpose()) < rounding);
    for (int k = 0; k < 60; ++k) e.trainer->learn(images.shown, 1);
    e.trainer->restore(e.trainer->state());
    CHECK(before > 1);
    CHECK(angle() < 0.15 * before);  // both lose (1 - 0.002)^(32 * 60) = 98 % of what they were and gain alike
}

TEST_CASE("A source may stand behind the units that it drives", "[contract]") {
    const Images images(20);
    const std::string source = "[populations.bias]\nmodel = \"poisson_source\"\n",
                      synapses =
                          "[projections.threshold]\nfrom = \"bias\"\nto = \"hidden\"\nweight = 0.5\n"
                          "plasticity = {rule = \"derivative\", gate = \"pre\"}\n";
    Rates before(source + network(transpose) + synapses), behind(network(transpose) + source + synapses);
    CHECK(before.trainer->measure(images.shown)[3] == behind.trainer->measure(images.shown)[3]);
    CHECK(before.trainer->measure(images.shown)[up] == behind.trainer->measure(images.shown)[up]);
}

TEST_CASE("Sign-concordant feedback has the signs of the forward weights and the magnitudes asked for", "[analytic]") {
    const Images images(8);
    const auto with = [](const std::string& magnitudes) {
        return network("connector = \"sign_concordant\"\nmagnitude = 0.5\nmagnitudes = \"" + magnitudes + "\"\n");
    };
    for (const std::string magnitudes : {"equal", "fixed", "redrawn"}) {
        INFO(magnitudes);
        Rates e(with(magnitudes));
        const Eigen::MatrixXd before = e.matrix(back);
        CHECK((before.array() * e.matrix(read_out).transpose().array() >= 0).all());
        CHECK((before.cwiseAbs().maxCoeff() < (magnitudes == "equal" ? 0.5001 : 1.0)));
        for (int k = 0; k < 20; ++k) e.trainer->learn(images.shown, 1);
        e.trainer->restore(e.trainer->state());
        const Eigen::MatrixXd after = e.matrix(back);
        CHECK((after.array() * e.matrix(read_out).transpose().array() >= 0).all());
        const bool same_sizes = after.cwiseAbs() == before.cwiseAbs();
        CHECK(same_sizes == (magnitudes != "redrawn"));
    }
}

TEST_CASE("Errors go through batch normalisation exactly", "[analytic]") {
    const Images images(10);
    const std::vector<std::string> normalised{"populations.hidden.rate.normalisation=batch"};
    Rates e(network(transpose), normalised);
    const auto changes = e.trainer->measure(images.shown);
    const Eigen::MatrixXd x = images.matrix(), t = images.targets(4), read = e.matrix(read_out);
    const auto loss = [&](const Eigen::MatrixXd& w) {
        Eigen::MatrixXd u = w * x;
        u.colwise() -= u.rowwise().mean().eval();
        const Eigen::VectorXd inverse = (u.array().square().rowwise().mean() + 1e-5).rsqrt();
        u = inverse.asDiagonal() * u;
        const Eigen::MatrixXd v = read * ::logistic(u.array() + 0.1);
        const Eigen::RowVectorXd sums = v.array().exp().colwise().sum().log();
        return -(t.array() * (v.rowwise() - sums).array()).sum();
    };
    const Eigen::MatrixXd change = e.spread(up, changes[up]);
    Eigen::MatrixXd w = e.matrix(up), slope = Eigen::MatrixXd::Zero(w.rows(), w.cols());
    for (Eigen::Index k = 0; k < w.size(); ++k) {
        const double at = w.data()[k], step = 1e-5;
        if (at == 0) continue;  // no synapse
        w.data()[k] = at + step;
        const double above = loss(w);
        w.data()[k] = at - step;
        slope.data()[k] = (loss(w) - above) / (2 * step);
        w.data()[k] = at;
    }
    CHECK(relative_error(change, slope) < 2e-5);
}

TEST_CASE("Batch manhattan moves every weight by the learning rate, momentum adds up", "[analytic]") {
    const Images images(20);
    Rates e(network(transpose), {"projections.up.plasticity.manhattan=true", "projections.read.plasticity.momentum=0.5"});
    const auto before = e.matrix(up), read_before = e.matrix(read_out);
    const auto first = e.spread(read_out, e.trainer->measure(images.shown)[read_out]);
    e.trainer->learn(images.shown, 1);
    const auto second = e.spread(read_out, e.trainer->measure(images.shown)[read_out]);
    e.trainer->learn(images.shown, 1);
    e.trainer->restore(e.trainer->state());
    const Eigen::ArrayXXd steps = (e.matrix(up) - before).array().abs() / 0.05;
    for (const double s : steps.reshaped()) CHECK((s < 1e-4 || std::abs(s - 1) < 1e-4 || std::abs(s - 2) < 1e-4));
    CHECK(steps.maxCoeff() > 1.9);
    CHECK(relative_error(e.matrix(read_out) - read_before, 0.05 * (1.5 * first + second)) < 1e-5);
}

TEST_CASE("Dropout and noise have the mean of what they replace and the variance that was asked for", "[statistical]") {
    RateSpec spec;
    const auto description = app::parse_description("[populations.p]\nmodel = \"image_source\"\nsize = 2000\n", "test.toml");
    const auto circuit = app::build_circuit(description);
    const auto moments = [&](const RateSpec& of, float y) {
        RateLayer layer(circuit->population(0), of, 3);
        std::vector<std::uint32_t> trials(50);
        for (std::size_t k = 0; k < trials.size(); ++k) trials[k] = static_cast<std::uint32_t>(k);
        layer.show(RateMatrix::Constant(2000, 50, y), {trials, true, true, 0});
        const double mean = layer.sent().cast<double>().mean();
        return std::pair{mean, (layer.sent().cast<double>().array() - mean).square().mean()};
    };
    // 100,000 numbers: six standard errors of the mean are 0.019 deviations; of the variance at most 6 sqrt((kurtosis - 1) / n)
    const auto check = [&](const RateSpec& of, float y, double variance, double kurtosis) {
        const auto [mean, spread] = moments(of, y);
        CHECK(std::abs(mean - static_cast<double>(y)) < 0.019 * std::sqrt(variance));
        CHECK(std::abs(spread / variance - 1) < 6 * std::sqrt((kurtosis - 1) / 1e5));
    };
    check({.noise = RateNoise::poisson, .spikes = 3}, 0.7f, 0.7 / 3, 3 + 1 / 2.1);
    check({.noise = RateNoise::gaussian, .spikes = 3}, 0.7f, 0.7 / 3, 3);
    check({.noise = RateNoise::bernoulli}, 0.3f, 0.21, 1 / 0.21 - 3);
    check({.dropout = 0.25}, 0.8f, 0.64 / 3, 1 / (0.25 * 0.75) - 3);
    spec.noise = RateNoise::poisson;
    RateLayer quiet(circuit->population(0), spec, 3);
    const std::uint32_t trial = 0;
    quiet.show(RateMatrix::Constant(2000, 1, 0.5f), {std::span(&trial, 1), false, false, 0});
    CHECK((quiet.sent().array() == 0.5f).all());  // never in a test
}

TEST_CASE("The gain multiplies what is sent, after normalisation", "[contract]") {
    const auto description = app::parse_description("[populations.p]\nmodel = \"image_source\"\nsize = 50\n", "test.toml");
    const auto circuit = app::build_circuit(description);
    const std::vector<std::uint32_t> trials{0, 1, 2};
    RateLayer louder(circuit->population(0), {.gain = 3}, 3),
        both(circuit->population(0), {.normalisation = Normalisation::length, .gain = 3}, 3);
    for (auto* layer : {&louder, &both}) layer->show(RateMatrix::Constant(50, 3, 0.2f), {trials, false, false, 0});
    CHECK((louder.sent().array() - 0.6f).abs().maxCoeff() < 1e-6f);
    CHECK((both.sent().array() - 3).abs().maxCoeff() < 1e-5f);
    CHECK((louder.activity().array() == 0.2f).all());
}

namespace {

const std::string drifting = R"(
[populations.side]
model = "poisson"
size = 300
[projections.box]
from = "hidden"
to = "side"
weight = {distribution = "normal", mean = 0.2, std = 1.5}
drift = 0.1
)";

}  // namespace

TEST_CASE("Weights that drift keep their mean and spread and forget where they were", "[statistical]") {
    const Images images(2);
    Rates e(network(transpose) + drifting, {"populations.hidden.size=200"});
    const auto moments = [](const Eigen::MatrixXd& w) { return std::pair{w.mean(), std::sqrt((w.array() - w.mean()).square().mean())}; };
    const Eigen::MatrixXd before = e.matrix(3);
    const auto [mean, std] = moments(before);
    const int minibatches = 50;
    for (int k = 0; k < minibatches; ++k) e.trainer->learn(images.shown, 1);
    e.trainer->update_circuit();
    const Eigen::MatrixXd after = e.matrix(3);
    const auto [mean_after, std_after] = moments(after);
    // 60,000 weights, a stationary random walk: six standard errors
    CHECK(std::abs(mean_after - mean) < 6 * std / std::sqrt(6e4));
    CHECK(std::abs(std_after / std - 1) < 6 / std::sqrt(2 * 6e4));
    const double kept = ((before.array() - mean) * (after.array() - mean_after)).mean() / std / std_after;
    CHECK(std::abs(kept - std::pow(1 - 0.1 * 0.1, minibatches / 2.0)) < 6 / std::sqrt(6e4));
    const auto state = e.trainer->state();
    e.trainer->learn(images.shown, 1);
    CHECK((e.trainer->state() != state));
    e.trainer->restore(state);
    CHECK(e.matrix(3) == after);
}

TEST_CASE("A drift has the same bits for any number of threads, and of others' presence", "[contract]") {
    const Images images(2);
    const auto run = [&](const std::string& more) {
        Rates e(more + network(transpose) + drifting, {"populations.hidden.size=200"});
        for (int k = 0; k < 5; ++k) e.trainer->learn(images.shown, 1);
        e.trainer->update_circuit();
        return e.matrix(3);
    };
    const Eigen::MatrixXd one = with_threads(1, [&] { return run(""); });
    CHECK(with_threads(3, [&] { return run(""); }) == one);
    CHECK(run("[populations.other]\nmodel = \"poisson\"\nsize = 3\n") == one);
}

TEST_CASE("A drift is for fixed weights in rate mode", "[contract]") {
    CHECK_THROWS_WITH(Rates(network(transpose), {"projections.up.drift=0.1"}),
                      Catch::Contains("projections.up.drift: is for synapses that do not learn"));
    CHECK_THROWS_WITH(Rates(network(transpose), {"projections.back.drift=0.1"}),
                      Catch::Contains("projections.back.drift") && Catch::Contains("cannot drift"));
    CHECK_THROWS_WITH(Rates(network(transpose) + drifting, {"projections.box.drift=1.5"}),
                      Catch::Contains("projections.box.drift: must be >= 0 and <= 1, got 1.5"));
    const std::vector<std::string> spikes{"run.mode=spiking"};
    CHECK_THROWS_WITH(app::build_circuit(app::parse_description(network(transpose) + drifting, "test.toml", spikes)),
                      Catch::Contains("projections.box.drift: needs run.mode = \"rate\""));
}

TEST_CASE("Annealing falls by half a cosine, or along a line over the second half", "[analytic]") {
    for (const double done : {0.0, 0.3, 0.5, 0.75, 1.0}) {
        CHECK(app::annealing_factor(Annealing::none, done) == 1);
        CHECK(app::annealing_factor(Annealing::cosine, done) == Approx(0.5 + 0.5 * std::cos(3.14159265358979 * done)));
        CHECK(app::annealing_factor(Annealing::linear_after_half, done) == Approx(done < 0.5 ? 1 : 2 - 2 * done).margin(1e-15));
    }
}

TEST_CASE("A minibatch in the rate reading has the same bits for any number of threads", "[contract]") {
    const Images images(40);
    const auto run = [&] {
        Rates e(network(transpose, "relu"), {"populations.hidden.size=300", "populations.hidden.rate.normalisation=batch",
                                             "populations.hidden.rate.noise=poisson", "populations.input.rate.dropout=0.2"});
        for (int k = 0; k < 5; ++k) e.trainer->learn(images.shown, 1);
        return e.trainer->state();
    };
    const auto one = with_threads(1, run);
    CHECK((with_threads(2, run) == one));
    CHECK((with_threads(5, run) == one));
}

TEST_CASE("What weak feedback cannot read is refused by name", "[contract]") {
    CHECK_THROWS_WITH(Rates(network(transpose), {"populations.hidden.rate.normalisation=length"}),
                      Catch::Contains("populations.hidden.rate.normalisation: by length needs a schedule whose phases have `updates`"));
    CHECK_THROWS_WITH(Rates(network(transpose), {"projections.up.plasticity.rule=hebbian"}),
                      Catch::Contains("projections.up.plasticity.rule: has no rate reading here"));
    CHECK_THROWS_WITH(Rates(network(transpose), {"projections.up.plasticity.rule=stdp_multiplicative"}), Catch::Contains("additive"));
    CHECK_THROWS_WITH(Rates(network(transpose) + "[projections.side]\nfrom = \"hidden\"\nto = \"hidden\"\n"),
                      Catch::Contains("projections.side: connects a population with itself"));
}

TEST_CASE("What is known well enough changes nothing", "[contract]") {
    const Images images(10);
    Rates e(network(transpose), {"schedule.phases.predict.stop_above=0.0"});
    const auto before = e.trainer->state();
    for (const auto& answer : e.trainer->learn(images.shown, 1)) CHECK_FALSE(answer.learned);
    CHECK((e.trainer->state() == before));
}

namespace {

const std::string machine = R"(
[run]
mode = "rate"
[populations.visible]
model = "poisson"
size = 12
phi = "logistic"
[populations.hidden]
model = "poisson"
size = 9
phi = "logistic"
[projections.up]
from = "visible"
to = "hidden"
weight = {distribution = "normal", std = 1.0}
plasticity = {rule = "hebbian", learning_rate = 0.01}
[projections.down]
from = "hidden"
to = "visible"
connector = "transpose"
of = "up"
[schedule]
input = "visible"
[[schedule.phases]]
name = "data"
updates = ["hidden"]
learns = ["*"]
[[schedule.phases]]
name = "reconstruction"
updates = ["visible", "hidden"]
unlearns = ["*"]
)";

}  // namespace

TEST_CASE("Contrastive divergence learns the difference of two correlations", "[analytic]") {
    const Images images(20);
    Rates e(machine);
    const Eigen::MatrixXd w = e.matrix(0), v0 = images.matrix(), h0 = logistic(w * v0), v1 = logistic(w.transpose() * h0),
                          h1 = logistic(w * v1);
    const auto changes = e.trainer->measure(images.shown);
    CHECK(relative_error(e.spread(0, changes[0]), h0 * v0.transpose() - h1 * v1.transpose()) < 1e-5);
    const auto answers = e.trainer->test(images.shown);
    for (std::size_t k = 0; k < answers.size(); ++k)
        CHECK(answers[k].reconstruction_error == Approx((v1 - v0).col(static_cast<Eigen::Index>(k)).squaredNorm()).epsilon(1e-5));
}

TEST_CASE("A chain goes on for as many steps as asked for, and from minibatch to minibatch where it persists", "[analytic]") {
    const std::string text = [] {  // the reconstruction begins where the chain ends
        auto s = machine;
        return s.insert(s.rfind("[[schedule.phases]]"), "[[schedule.phases]]\nname = \"chain\"\nupdates = [\"visible\", \"hidden\"]\n");
    }();
    const Images images(20);
    for (const int repeats : {0, 1, 3})
        for (const bool persists : {false, true}) {
            INFO("repeats " << repeats << ", persists " << persists);
            Rates e(text, {"schedule.phases.chain.repeats=" + std::to_string(repeats),
                           std::string("schedule.phases.chain.persists=") + (persists ? "true" : "false")});
            const Eigen::MatrixXd w = e.matrix(0), v0 = images.matrix(), h0 = logistic(w * v0);
            Eigen::MatrixXd chain = h0;
            for (const std::size_t count : {20, 20, 7, 20}) {  // images of the minibatch
                const auto n = static_cast<Eigen::Index>(count);
                Eigen::MatrixXd from = h0.leftCols(n);
                if (persists && repeats > 0) from = chain.leftCols(n);
                for (int step = 0; step < repeats; ++step) from = logistic(w * logistic(w.transpose() * from));
                chain.leftCols(n) = from;
                const Eigen::MatrixXd v1 = logistic(w.transpose() * from), h1 = logistic(w * v1);
                const auto changes = e.trainer->measure(std::span(images.shown).first(count));
                CHECK(relative_error(e.spread(0, changes[0]), h0.leftCols(n) * v0.leftCols(n).transpose() - h1 * v1.transpose()) < 1e-5);
            }
            const auto answer = e.trainer->test(images.shown)[0];  // tests begin with the image
            Eigen::VectorXd v = v0.col(0), h = h0.col(0);
            for (int step = 0; step <= repeats; ++step) v = logistic(w.transpose() * h), h = logistic(w * v);
            CHECK(answer.reconstruction_error == Approx((v - v0.col(0)).squaredNorm()).epsilon(1e-5));
        }
}

TEST_CASE("Sampled hidden units of a Boltzmann machine are zeros and ones with the right probability", "[statistical]") {
    const Images image(1);
    std::vector<Presentation> many(20000, image.shown[0]);
    for (std::size_t k = 0; k < many.size(); ++k) many[k].trial = static_cast<std::uint32_t>(k);
    Rates e(machine, {"populations.hidden.rate.noise=bernoulli", "schedule.phases.data.samples=true",
                      "schedule.phases.reconstruction.updates=[\"visible\"]", "schedule.phases.data.learns=[]"});
    // unlearned: probabilities of the hidden units times visible units that saw samples; its mean is exact by enumeration of 2^9 states
    const auto changes = e.trainer->measure(many);
    const Eigen::MatrixXd w = e.matrix(0), p = logistic(w * image.matrix());
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(12), square = Eigen::VectorXd::Zero(12);
    for (unsigned state = 0; state < 512; ++state) {
        Eigen::VectorXd h(9);
        double probability = 1;
        for (Eigen::Index i = 0; i < 9; ++i) {
            h(i) = state >> i & 1;
            probability *= h(i) > 0 ? p(i) : 1 - p(i);
        }
        const Eigen::VectorXd v = logistic(w.transpose() * h);
        mean += probability * v;
        square += probability * v.cwiseProduct(v);
    }
    const Eigen::MatrixXd change = -e.spread(0, changes[0]) / 20000;
    for (Eigen::Index i = 0; i < 9; ++i)
        for (Eigen::Index k = 0; k < 12; ++k)
            CHECK(std::abs(change(i, k) - p(i) * mean(k)) <=
                  6 * p(i) * std::sqrt((square(k) - mean(k) * mean(k)) / 20000) + 1e-5);  // six standard errors, and rounding
}

TEST_CASE("Recirculation multiplies what was sent with what was lost", "[analytic]") {
    const Images images(20);
    Rates e(R"(
[run]
mode = "rate"
[populations.visible]
model = "poisson"
size = 12
[populations.hidden]
model = "poisson"
size = 9
[projections.up]
from = "visible"
to = "hidden"
weight = {distribution = "normal", std = 1.0}
plasticity = {rule = "recirculation", gate = "pre"}
[projections.down]
from = "hidden"
to = "visible"
weight = {distribution = "normal", std = 1.0}
plasticity = {rule = "recirculation", gate = "pre"}
[schedule]
input = "visible"
[[schedule.phases]]
name = "up"
updates = ["hidden"]
[[schedule.phases]]
name = "down"
updates = ["visible"]
keeps = 0.75
learns = ["down"]
[[schedule.phases]]
name = "up again"
updates = ["hidden"]
keeps = 0.75
learns = ["up"]
)");
    const Eigen::MatrixXd w = e.matrix(0), b = e.matrix(1), v0 = images.matrix(), h1 = logistic(w * v0),
                          v2 = 0.75 * v0 + 0.25 * logistic(b * h1), h3 = 0.75 * h1 + 0.25 * logistic(w * v2);
    const auto changes = e.trainer->measure(images.shown);
    CHECK(relative_error(e.spread(1, changes[1]), (v0 - v2) * h1.transpose()) < 1e-5);
    CHECK(relative_error(e.spread(0, changes[0]), (h1 - h3) * v2.transpose()) < 1e-5);
}

TEST_CASE("Two top-down passes tend to the gradient as the feedback becomes weak", "[analytic]") {
    const Images images(20);
    auto text = network(transpose);
    text = text.substr(0, text.find("[[schedule.phases]]"));
    const std::string pass = "updates = [\"hidden\"]\nkeeps = 0.75\nkeeps_of = \"up\"\n";
    text +=
        "[[schedule.phases]]\nname = \"up\"\nupdates = [\"hidden\", \"top\"]\nconducts = [\"up\", \"read\"]\nreadout = true\n"
        "[[schedule.phases]]\nname = \"pass 1\"\n" +
        pass + "[[schedule.phases]]\nname = \"pass 2\"\nclamps = [\"top\"]\nlearns = [\"*\"]\n" + pass;
    Rates exact(network(transpose));
    const auto wanted = exact.trainer->measure(images.shown);
    double last = 90;
    for (const double gain : {1.0, 0.1, 0.01}) {  // the angle is linear in the gain: hidden units respond where the top has brought them
        Rates e(text, {"projections.back.gain=" + std::to_string(gain)});
        const auto changes = e.trainer->measure(images.shown);
        const double angle = angle_degrees(changes[up], wanted[up]);
        CHECK(angle < last / 3);
        last = angle;
        CHECK(angle_degrees(changes[read_out], wanted[read_out]) < 20 * gain + 0.1);
    }
    CHECK(last < 0.5);
}

namespace {

std::string judged(const std::string& target, const std::string& verb, const std::string& objective) {
    return R"(
[run]
mode = "rate"
[populations.input]
model = "image_source"
size = 12
[populations.label]
model = "image_source"
size = 4
[populations.hidden]
model = "poisson"
size = 9
phi = "relu"
[projections.up]
from = "input"
to = "hidden"
weight = {distribution = "normal", std = 0.5}
plasticity = {rule = "goodness", threshold = 0.8, sharpness = 0.2, objective = ")" +
           objective + R"("}
[projections.named]
from = "label"
to = "hidden"
weight = {distribution = "normal", std = 0.5}
plasticity = {rule = "goodness", threshold = 0.8, sharpness = 0.2, objective = ")" +
           objective + R"("}
[schedule]
input = "input"
label = "label"
[[schedule.phases]]
name = "look"
updates = ["hidden"]
clamps = ["label"]
target = ")" +
           target + "\"\n" + verb + " = [\"*\"]\n";
}

/// The phase of what judged() makes, by another name.
std::string phase_of(const std::string& text, const std::string& name) {
    auto phase = text.substr(text.rfind("[[schedule.phases]]"));
    return phase.replace(phase.find("look"), 4, name);
}

}  // namespace

TEST_CASE("Forward-Forward climbs the probability of positive and descends that of negative data", "[analytic]") {
    const Images images(20);
    for (const std::string objective : {"high", "low"})
        for (const bool positive : {true, false}) {
            INFO(objective << ' ' << positive);
            Rates e(judged("label", positive ? "learns" : "unlearns", objective));
            const Eigen::MatrixXd x = images.matrix(), t = images.targets(4), named = e.matrix(1);
            const auto log_probability = [&](const Eigen::MatrixXd& w) {
                const Eigen::MatrixXd h = (w * x + named * t).cwiseMax(0);
                const Eigen::ArrayXd certainty =
                    (objective == "high" ? 0.2 : -0.2) * (h.colwise().squaredNorm().transpose().array() - 0.8 * 9);
                return -(1 + ((positive ? -1 : 1) * certainty).exp()).log().sum();
            };
            const Eigen::MatrixXd change = e.spread(0, e.trainer->measure(images.shown)[0]);
            Eigen::MatrixXd w = e.matrix(0), slope = w;
            for (Eigen::Index k = 0; k < w.size(); ++k) {
                const double at = w.data()[k], step = 1e-6;
                w.data()[k] = at + step;
                const double above = log_probability(w);
                w.data()[k] = at - step;
                slope.data()[k] = (above - log_probability(w)) / (2 * step);
                w.data()[k] = at;
            }
            CHECK(relative_error(change, slope / (2 * 0.2)) < 1e-4);  // the rule leaves out the 2 of y^2 and the sharpness
        }
}

TEST_CASE("What is learned from an image adds up over the phases that show it", "[analytic]") {
    const Images images(20);
    const auto text = judged("label", "learns", "high"), once_more = phase_of(judged("wrong", "learns", "high"), "doubt");
    Rates positive(text), negative(judged("wrong", "learns", "high")), both(text + once_more),
        thrice(text + once_more, {"schedule.phases.doubt.repeats=3"});
    const auto first = positive.trainer->measure(images.shown), second = negative.trainer->measure(images.shown),
               sum = both.trainer->measure(images.shown), weighted = thrice.trainer->measure(images.shown);
    for (std::size_t p = 0; p < 2; ++p) {
        const auto a = positive.spread(p, first[p]), b = positive.spread(p, second[p]);
        CHECK(a.norm() > 1e-3);
        CHECK((a - b).norm() > 1e-3 * a.norm());
        CHECK(relative_error(positive.spread(p, sum[p]), a + b) < 1e-5);
        CHECK(relative_error(positive.spread(p, weighted[p]), a + 3 * b) < 1e-5);  // nothing moves the layer between the repeats
    }
}

TEST_CASE("Pixels are left out while a sequence learns, the same ones in all of its phases, and never in a test", "[statistical]") {
    const Images images(1);
    const auto text = judged("label", "learns", "high"), twice = text + phase_of(text, "look again");
    Rates whole(twice), holed(twice, {"populations.input.rate.dropout=0.4"}),
        unnoisy(twice, {"populations.input.rate.dropout=0.4", "schedule.phases.look.samples=false"});
    const Eigen::MatrixXd all = whole.spread(0, whole.trainer->measure(images.shown)[0]);
    CHECK((all.colwise().norm().array() > 0).count() == 12);
    CHECK(relative_error(unnoisy.spread(0, unnoisy.trainer->measure(images.shown)[0]), all) < 1e-6);
    int kept = 0;
    const int images_shown = 200;
    for (int k = 0; k < images_shown; ++k) {
        auto image = images.shown;
        image[0].trial = static_cast<std::uint32_t>(k);
        kept += static_cast<int>((holed.spread(0, holed.trainer->measure(image)[0]).colwise().norm().array() > 0).count());
    }
    const double n = 12.0 * images_shown;
    CHECK(std::abs(kept / n - 0.6) < 5 * std::sqrt(0.24 / n));
}

TEST_CASE("Peer normalisation draws units to the running mean activity of their population", "[analytic]") {
    const Images first(20), second(30, 12, 3);
    const auto text = judged("label", "learns", "high");
    const std::vector<std::string> still{"projections.up.plasticity.learning_rate=0.0", "projections.named.plasticity.learning_rate=0.0"};
    auto drawn = still;
    for (const std::string p : {"up", "named"}) drawn.push_back("projections." + p + ".plasticity.peer_normalisation=0.3");
    Rates without(text, still), with(text, drawn);
    const auto activity = [&](const Images& images) -> Eigen::VectorXd {
        return (with.matrix(0) * images.matrix() + with.matrix(1) * images.targets(4)).cwiseMax(0).rowwise().mean();
    };
    const auto difference = [&]() -> Eigen::MatrixXd {
        return with.spread(0, with.trainer->measure(first.shown)[0]) - without.spread(0, without.trainer->measure(first.shown)[0]);
    };
    CHECK(difference().norm() == 0);  // nobody has been active yet
    with.trainer->learn(first.shown, 1);
    with.trainer->learn(second.shown, 1);
    const Eigen::VectorXd usual = 0.9 * activity(first) + 0.1 * activity(second);
    const Eigen::MatrixXd wanted = 0.3 * (usual.mean() - usual.array()).matrix() * first.matrix().rowwise().sum().transpose();
    CHECK(relative_error(difference(), wanted) < 1e-5);
    CHECK(relative_error(difference(), wanted) < 1e-5);  // measuring is not remembered
    Rates unlearning(judged("label", "unlearns", "high"), drawn), plain(judged("label", "unlearns", "high"), still);
    unlearning.trainer->learn(first.shown, 1);
    CHECK((unlearning.trainer->measure(first.shown) == plain.trainer->measure(first.shown)));
}

TEST_CASE("No label reaches the answer of a sequence", "[contract]") {
    Images images(30);
    auto text = judged("label", "learns", "high");
    text = text.substr(0, text.find("[schedule]")) + R"(
[populations.top]
model = "poisson"
size = 4
phi = "softmax"
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 1.0}
plasticity = {rule = "derivative", gate = "pre"}
[schedule]
input = "input"
label = "label"
readout = "top"
[[schedule.phases]]
name = "neutral"
updates = ["hidden", "top"]
readout = true
[[schedule.phases]]
name = "positive"
updates = ["hidden"]
clamps = ["label"]
learns = ["up", "named"]
[[schedule.phases]]
name = "negative"
updates = ["hidden"]
clamps = ["label"]
target = "hard"
unlearns = ["up", "named"]
)";
    for (const std::string by : {"readout", "goodness", "short_list"}) {
        INFO(by);
        Rates e(text, {"schedule.answer=" + by});
        e.trainer->learn(images.shown, 1);
        const auto answers = e.trainer->test(images.shown);
        auto other = images.shown;
        for (auto& p : other) p.label = static_cast<std::uint8_t>((p.label + 1) % 4);
        const auto again = e.trainer->test(other);
        for (std::size_t k = 0; k < answers.size(); ++k) CHECK(answers[k].answer == again[k].answer);
    }
    Rates all(text, {"schedule.answer=goodness"}), few(text, {"schedule.answer=short_list"});
    const auto by_all = all.trainer->test(images.shown), by_few = few.trainer->test(images.shown);
    const Eigen::MatrixXd neutral = Eigen::MatrixXd::Constant(4, 30, 0.25),
                          liked = all.matrix(2) * (all.matrix(0) * images.matrix() + all.matrix(1) * neutral).cwiseMax(0);
    for (Eigen::Index k = 0; k < 30; ++k) {  // of four labels, only the one that the softmax likes least is not on the list
        Eigen::Index least = 0;
        liked.col(k).minCoeff(&least);
        const auto i = static_cast<std::size_t>(k);
        CHECK(by_few[i].answer != least);
        if (by_all[i].answer != least) CHECK(by_few[i].answer == by_all[i].answer);
    }
    CHECK_THROWS_WITH(Rates(text, {"schedule.phases.neutral.clamps=[\"label\"]"}), Catch::Contains("would leak the label"));
}

TEST_CASE("What unlearns without updates is refused", "[contract]") {
    CHECK_THROWS_WITH(Rates(network(transpose), {"schedule.phases.teach.unlearns=[\"read\"]", "schedule.phases.teach.learns=[\"up\"]"}),
                      Catch::Contains("schedule.phases.teach.unlearns") && Catch::Contains("needs a schedule whose phases have `updates`"));
}

TEST_CASE("Stages learn one after another, by the rule they name", "[contract]") {
    const Images images(10);
    Rates e(network(transpose) +
            "[[schedule.stages]]\nname = \"first\"\nphases = [\"predict\"]\n"
            "[[schedule.stages]]\nname = \"second\"\nphases = [\"predict\", \"teach\"]\nrule = \"derivative\"\n"
            "learning_factor = 0.5\n");
    const auto before = e.trainer->state();
    e.trainer->learn(images.shown, 1);
    CHECK((e.trainer->state() == before));  // nothing learns in the first
    e.trainer->begin_stage(1);
    const auto change = e.spread(read_out, e.trainer->measure(images.shown)[read_out]), w = e.matrix(read_out);
    e.trainer->learn(images.shown, 1);
    e.trainer->restore(e.trainer->state());
    CHECK(relative_error(e.matrix(read_out) - w, 0.5 * 0.05 * change) < 1e-4);
}
