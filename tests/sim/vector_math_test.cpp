#include "sim/vector_math.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace ydot;

namespace {

/// f(x) over [low, high] in `n` steps, and around powers of two on both sides of 0.
template <class F>
void sweep(double low, double high, F&& f) {
    constexpr int n = 400000;
    for (int k = 0; k <= n; ++k) f(static_cast<float>(low + (high - low) * k / n));
    for (int e = -126; e < 7; ++e)
        for (const double m : {1.0, 1.1, 1.37, 1.7, 1.999})
            for (const double sign : {1.0, -1.0})
                if (const double x = sign * std::ldexp(m, e); x >= low && x <= high) f(static_cast<float>(x));
}

}  // namespace

TEST_CASE("fast_exp has the stated relative error", "[analytic]") {
    double worst = 0;
    sweep(-80, 80,
          [&](float x) { worst = std::max(worst, std::abs(static_cast<double>(fast_exp(x)) / std::exp(static_cast<double>(x)) - 1)); });
    CHECK(worst < 4e-7);
    CHECK(fast_exp(0) == 1);
    CHECK(fast_exp(1000) == fast_exp(80));
    CHECK(fast_exp(-1000) == fast_exp(-80));
}

TEST_CASE("fast_expm1 has the stated relative error", "[analytic]") {
    double worst = 0;
    float at = 0;
    sweep(-80, 80, [&](float x) {
        if (x == 0) return;
        const double error = std::abs(static_cast<double>(fast_expm1(x)) / std::expm1(static_cast<double>(x)) - 1);
        if (error > worst) worst = error, at = x;
    });
    INFO("worst at " << at);
    CHECK(worst < 7e-7);
    CHECK(fast_expm1(0) == 0);
}

TEST_CASE("fast_softplus has the stated absolute error", "[analytic]") {
    double worst = 0, relative = 0;
    sweep(-40, 40, [&](float x) {
        const double exact = std::max(static_cast<double>(x), 0.0) + std::log1p(std::exp(-std::abs(static_cast<double>(x))));
        const double error = std::abs(static_cast<double>(fast_softplus(x)) - exact);
        // above 8 a float of that size is itself off by more than 1e-6 / 2: the bound is read as one of the values below, relative above
        if (std::abs(x) <= 8) worst = std::max(worst, error);
        relative = std::max(relative, error / exact);
    });
    CHECK(worst < 1e-6);
    CHECK(relative < 1e-6);
    CHECK(fast_softplus(60) == 60);
}

TEST_CASE("Thresholds have the stated probability", "[analytic]") {
    const auto probability = [](std::uint32_t threshold) { return static_cast<double>(threshold) / 4294967296.0; };
    CHECK(probability_threshold(0) == 0);
    CHECK(firing_threshold(0) == 0);
    for (float p = 1e-6f; p < 0.999f; p *= 1.01f) {
        // 2^-24, and a whole word
        CHECK(probability(probability_threshold(p)) == Approx(static_cast<double>(p)).epsilon(1.0 / (1 << 24)).margin(2.4e-10));
        // and the error of fast_expm1
        CHECK(probability(firing_threshold(p)) == Approx(-std::expm1(-static_cast<double>(p))).epsilon(5e-7).margin(2.4e-10));
    }
    for (const float certain : {1.0f, 1.5f, 1e30f}) {
        CHECK(probability(probability_threshold(certain)) >= 1 - 1.0 / (1 << 23));
        CHECK(probability(firing_threshold(100 * certain)) >= 1 - 1.0 / (1 << 23));
    }
}

TEST_CASE("fast_exprel has the stated relative error", "[analytic]") {
    double worst = 0;
    sweep(-80, 80, [&](float x) {
        const double exact = x == 0 ? 1 : std::expm1(static_cast<double>(x)) / static_cast<double>(x);
        worst = std::max(worst, std::abs(static_cast<double>(fast_exprel(x)) / exact - 1));
    });
    CHECK(worst < 8e-7);
    CHECK(fast_exprel(0) == 1);
    CHECK(static_cast<double>(fast_exprel(-1000)) == Approx(1e-3));
    CHECK(std::isfinite(fast_exprel(1e38f)));
}

TEST_CASE("power has the stated relative error, and Lanes and floats the same bits", "[analytic]") {
    double worst = 0, near_one = 0;
    bool same = true;
    for (const float y : {0.1f, 0.4f, 1.0f, 2.5f, -0.7f})
        for (float x = 1e-9f; x < 1e9f; x *= 1.0137f) {
            const double exact = std::pow(static_cast<double>(x), static_cast<double>(y));
            if (exact < 1e-30 || exact > 1e30) continue;
            const double error = std::abs(static_cast<double>(power(x, y)) / exact - 1);
            worst = std::max(worst, error);
            if (exact > 1e-6 && exact < 1e6) near_one = std::max(near_one, error);
            const Lanes lanes = power(Lanes{} + x, y);
            same &= lanes[0] == power(x, y) && lanes[15] == lanes[0];
        }
    CHECK(worst < 6e-6);
    CHECK(near_one < 2e-6);
    CHECK(same);
    CHECK(power(0.0f, 0.4f) == 0);
    CHECK(power(1.0f, 0.4f) == 1);
}
