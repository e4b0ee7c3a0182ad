// Restricted Boltzmann machines: against sums over all states.
#include "sim/boltzmann.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/random.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

BoltzmannMachine machine(Eigen::Index visible, Eigen::Index hidden, double std) {
    Draws draws(3, stream_of("machine", Purpose::weight));
    BoltzmannMachine m{Eigen::MatrixXf(hidden, visible), Eigen::VectorXf(visible), Eigen::VectorXf(hidden)};
    for (auto& w : m.weights.reshaped()) w = static_cast<float>(std * draws.normal());
    for (auto* bias : {&m.visible_bias, &m.hidden_bias})
        for (auto& b : *bias) b = static_cast<float>(draws.normal());
    return m;
}

/// By column, all states of so many binary units.
Eigen::MatrixXf states(Eigen::Index units) {
    Eigen::MatrixXf all(units, Eigen::Index{1} << units);
    for (Eigen::Index k = 0; k < all.cols(); ++k)
        for (Eigen::Index i = 0; i < units; ++i) all(i, k) = static_cast<float>(k >> i & 1);
    return all;
}

}  // namespace

TEST_CASE("Probabilities of a Boltzmann machine are sums over all its states", "[analytic]") {
    const auto m = machine(7, 5, 1.0);
    const Eigen::MatrixXf v = states(7), h = states(5);
    const Eigen::MatrixXd energies = (h.transpose() * m.weights * v + (h.transpose() * m.hidden_bias).replicate(1, v.cols()) +
                                      (v.transpose() * m.visible_bias).transpose().replicate(h.cols(), 1))
                                         .cast<double>();
    const Eigen::VectorXd log_p = log_unnormalised(m, v);
    for (Eigen::Index k = 0; k < v.cols(); ++k) CHECK(log_p(k) == Approx(std::log(energies.col(k).array().exp().sum())).epsilon(1e-5));
    CHECK(log_partition(m) == Approx(std::log(energies.array().exp().sum())).epsilon(1e-6));
    CHECK_THROWS(log_partition(machine(2, 26, 1.0)));
}

TEST_CASE("Annealed importance sampling finds the partition function", "[statistical]") {
    for (const double std : {0.3, 1.5}) {
        const auto m = machine(12, 9, std);
        const double exact = log_partition(m);
        for (const float base : {0.0f, 0.7f}) {  // where annealing starts changes the noise, not the mean
            const auto found = estimate_log_partition(m, Eigen::VectorXf::Constant(12, base), 1000, 400, 5);
            INFO("std " << std << ": " << exact << ", found " << found.value << " +- " << found.error);
            CHECK(std::abs(found.value - exact) <= 5 * found.error);
            CHECK(found.error < 0.05);
        }
    }
}

TEST_CASE("One temperature is importance sampling, whose variance is known", "[statistical]") {
    // weights are p*(v) / base(v) with v from the base: their variance by the sum over all v
    const auto m = machine(8, 4, 0.5);
    const Eigen::VectorXf base = Eigen::VectorXf::Constant(8, 0.3f);
    const Eigen::MatrixXf v = states(8);
    const Eigen::ArrayXd log_base = (v.transpose() * base).array().cast<double>() - 8 * std::log1p(std::exp(0.3)),
                         log_weight = log_unnormalised(m, v).array() - log_base;
    const double z = (log_base + log_weight).exp().sum(), square = (log_base + 2 * log_weight).exp().sum();
    constexpr std::size_t chains = 20000;
    const auto found = estimate_log_partition(m, base, 1, chains, 7);
    const double error = std::sqrt((square / (z * z) - 1) / chains);
    CHECK(std::abs(found.value - std::log(z)) <= 5 * error);
    CHECK(found.error == Approx(error).epsilon(0.2));
}

TEST_CASE("The estimate is the same for any number of threads", "[contract]") {
    const auto m = machine(70, 65, 0.1);
    const auto with = [&](int threads) {
        return with_threads(threads, [&] { return estimate_log_partition(m, Eigen::VectorXf::Zero(70), 20, 50, 1).value; });
    };
    const double one = with(1);
    CHECK(with(2) == one);
    CHECK(with(5) == one);
}
