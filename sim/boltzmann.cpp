#include "sim/boltzmann.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "sim/parallel.hpp"
#include "sim/random.hpp"

namespace ydot {
namespace {

constexpr std::size_t chains_at_a_time = 20;  // whatever the number of threads: products of other shapes round otherwise

/// log(1 + exp(x)) without overflow.
template <class Array>
auto softplus(const Array& x) {
    return x.max(0) + (-x.abs()).exp().log1p();
}

Eigen::ArrayXXf logistic(const Eigen::ArrayXXf& x) { return 1 / (1 + (-x).exp()); }

double log_sum_exp(const Eigen::ArrayXd& x) {
    const double largest = x.maxCoeff();
    return largest + std::log((x - largest).exp().sum());
}

/// Zeros and ones with these probabilities; column k belongs to chain first_chain + k.
void draw(const Eigen::ArrayXXf& probability, std::uint64_t seed, std::string_view units, std::uint32_t when, std::uint32_t first_chain,
          Eigen::MatrixXf& states) {
    states.resize(probability.rows(), probability.cols());
    std::vector<std::uint32_t> words((static_cast<std::size_t>(probability.rows()) + 63) / 64 * 64);
    for (Eigen::Index k = 0; k < probability.cols(); ++k) {
        fill_random_words(words, seed, 0, when, first_chain + static_cast<std::uint32_t>(k), stream_of(units, Purpose::anneal));
        for (Eigen::Index i = 0; i < probability.rows(); ++i)
            states(i, k) = to_unit_float(words[static_cast<std::size_t>(i)]) < probability(i, k) ? 1.0f : 0.0f;
    }
}

}  // namespace

Eigen::VectorXd log_unnormalised(const BoltzmannMachine& machine, const Eigen::MatrixXf& visible) {
    const Eigen::ArrayXXf inputs = (machine.weights * visible).colwise() + machine.hidden_bias;
    return (visible.transpose() * machine.visible_bias).cast<double>() +
           softplus(inputs.cast<double>()).colwise().sum().transpose().matrix();
}

double log_partition(const BoltzmannMachine& machine) {
    const auto hidden = machine.weights.rows();
    if (hidden > 25) throw std::invalid_argument("log_partition: more than 25 hidden units");
    Eigen::ArrayXd logs(Eigen::Index{1} << hidden);
    Eigen::VectorXd h(hidden);
    for (Eigen::Index state = 0; state < logs.size(); ++state) {
        for (Eigen::Index j = 0; j < hidden; ++j) h(j) = static_cast<double>(state >> j & 1);
        const Eigen::ArrayXd inputs = machine.visible_bias.cast<double>() + machine.weights.transpose().cast<double>() * h;
        logs(state) = machine.hidden_bias.cast<double>().dot(h) + softplus(inputs).sum();
    }
    return log_sum_exp(logs);
}

LogPartition estimate_log_partition(const BoltzmannMachine& machine, const Eigen::VectorXf& base, std::size_t temperatures,
                                    std::size_t chains, std::uint64_t seed) {
    const Eigen::VectorXf towards = machine.visible_bias - base;
    Eigen::ArrayXd log_weights = Eigen::ArrayXd::Zero(static_cast<Eigen::Index>(chains));
    parallel_for((chains + chains_at_a_time - 1) / chains_at_a_time, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t group = begin; group < end; ++group) {
            const auto first = group * chains_at_a_time, count = std::min(chains_at_a_time, chains - first);
            const auto columns = static_cast<Eigen::Index>(count);
            auto weights = log_weights.segment(static_cast<Eigen::Index>(first), columns);
            const auto draw_units = [&](const Eigen::ArrayXXf& p, std::string_view units, std::size_t step, Eigen::MatrixXf& states) {
                draw(p, seed, units, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(first), states);
            };
            Eigen::MatrixXf v, h;
            draw_units(logistic(base.array().replicate(1, columns)), "visible", 0, v);
            for (std::size_t step = 1; step <= temperatures; ++step) {
                const auto beta_of = [&](std::size_t k) {
                    return static_cast<float>(static_cast<double>(k) / static_cast<double>(temperatures));
                };
                const float beta = beta_of(step), before = beta_of(step - 1);
                const Eigen::ArrayXXf inputs = (machine.weights * v).colwise() + machine.hidden_bias;
                weights +=
                    static_cast<double>(beta - before) * (v.transpose() * towards).array().cast<double>() +
                    (softplus((beta * inputs).eval()) - softplus((before * inputs).eval())).colwise().sum().transpose().cast<double>();
                if (step == temperatures) break;
                draw_units(logistic(beta * inputs), "hidden", step, h);
                const Eigen::ArrayXXf down = (beta * ((machine.weights.transpose() * h).colwise() + towards)).colwise() + base;
                draw_units(logistic(down), "visible", step, v);
            }
        }
    });
    const double base_log_partition =
                     softplus(base.array().cast<double>()).sum() + static_cast<double>(machine.weights.rows()) * std::numbers::ln2,
                 log_mean = log_sum_exp(log_weights) - std::log(static_cast<double>(chains));
    const Eigen::ArrayXd relative = (log_weights - log_mean).exp();
    const double variance = (relative - 1).square().sum() / static_cast<double>(chains - 1);
    return {base_log_partition + log_mean, std::sqrt(variance / static_cast<double>(chains))};
}

}  // namespace ydot
