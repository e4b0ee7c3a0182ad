// Matrix products, and backpropagation in rate mode, against the multiply-adds that the cores can do.
#include <fmt/format.h>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "bench/benchmark.hpp"
#include "sim/matrix_product.hpp"
#include "sim/random.hpp"
#include "sim/rate_trainer.hpp"

namespace ydot::bench {
namespace {

constexpr std::size_t pixels = 784, labels = 10, minibatch = 100;

double product_GFLOP_per_s(Eigen::Index targets, Eigen::Index sources, int rounds) {
    const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(targets, sources), activity = Eigen::MatrixXf::Random(sources, minibatch);
    Eigen::MatrixXf out = Eigen::MatrixXf::Zero(targets, minibatch);
    const double seconds = fastest(rounds, [&] { add_product(1, weights, activity, out); });
    return 2e-9 * static_cast<double>(targets * sources) * minibatch / seconds;
}

std::string description_of(std::size_t units) {
    std::string text = fmt::format("[run]\nmode = \"rate\"\n[populations.input]\nmodel = \"image_source\"\nsize = {}\n", pixels);
    for (const std::string name : {"lower", "upper"})
        text += fmt::format("[populations.{}]\nmodel = \"poisson\"\nsize = {}\nphi = \"relu\"\n", name, units);
    text += fmt::format("[populations.top]\nmodel = \"poisson\"\nsize = {}\nphi = \"softmax\"\n", labels);
    const auto learned = [&](const std::string& name, const std::string& from, const std::string& to) {
        text += fmt::format(
            "[projections.{}]\nfrom = \"{}\"\nto = \"{}\"\nweight = {{distribution = \"normal\", std = 1.4, fan_in = true}}\n"
            "plasticity = {{rule = \"derivative\", gate = \"pre\", learning_rate = 1e-3, momentum = 0.9}}\n",
            name, from, to);
    };
    learned("up_1", "input", "lower");
    learned("up_2", "lower", "upper");
    learned("up_3", "upper", "top");
    text += "[projections.down_2]\nfrom = \"upper\"\nto = \"lower\"\nconnector = \"transpose\"\nof = \"up_2\"\n";
    text += "[projections.down_3]\nfrom = \"top\"\nto = \"upper\"\nconnector = \"transpose\"\nof = \"up_3\"\n";
    text += "[schedule]\ninput = \"input\"\nreadout = \"top\"\n";
    text += "[[schedule.phases]]\nname = \"predict\"\nduration_ms = 1.0\nreadout = true\n";
    text += "[[schedule.phases]]\nname = \"teach\"\nduration_ms = 1.0\nclamps = [\"top\"]\nlearns = [\"*\"]\n";
    return text;
}

/// Images a second of a network pixels-units-units-labels that learns by backpropagation.
double images_per_s(std::size_t units, int rounds) {
    const auto description = app::parse_description(description_of(units), "rate_learning");
    const auto circuit = app::build_circuit(description);
    RateTrainer trainer(*circuit, app::build_schedule(description, *circuit, pixels, labels), app::rate_specs(description));
    Draws draws(1, 7);
    std::vector<std::vector<std::uint8_t>> images(minibatch, std::vector<std::uint8_t>(pixels));
    std::vector<Presentation> batch;
    for (auto& image : images) {
        for (auto& pixel : image) pixel = static_cast<std::uint8_t>(draws.below(256));
        batch.push_back({image, static_cast<std::uint8_t>(draws.below(labels)), static_cast<std::uint32_t>(batch.size())});
    }
    constexpr int minibatches = 10;
    const double seconds = fastest(rounds, [&] {
        for (int k = 0; k < minibatches; ++k) trainer.learn(batch, 1);
    });
    return minibatch * minibatches / seconds;
}

}  // namespace

std::vector<Figure> rate_learning(const Options& options) {
    std::vector<Figure> figures;
    const int rounds = options.quick ? 3 : 20;
    const auto& limit = options.limits.GFLOP_per_s;
    for (const auto& [targets, sources] : {std::pair<Eigen::Index, Eigen::Index>{500, 784}, {500, 500}, {2000, 2000}}) {
        const double reached = product_GFLOP_per_s(targets, sources, rounds);
        figures.push_back({fmt::format("product {} x {} x {}, one thread", targets, sources, minibatch), "GFLOP/s", reached,
                           "multiply-adds of one core", reached / limit[0]});
    }
    for (const std::size_t units : {500, 2000}) {
        if (options.quick && units > 500) continue;
        const double images = images_per_s(units, rounds);
        const auto n = static_cast<double>(units);
        // a product each of up_1 and of what it learns; of the upper two also the way back
        const double flop = 2 * (2 * pixels * n + 3 * n * n + 3 * labels * n);
        figures.push_back({fmt::format("{}-{}-{}-{}, backpropagation", pixels, units, units, labels), "images/s", images,
                           fmt::format("multiply-adds of {} thread{}", options.threads, options.threads == 1 ? "" : "s"),
                           1e-9 * flop * images / limit[1]});
    }
    return figures;
}

}  // namespace ydot::bench
