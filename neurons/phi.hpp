#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>

#include "sim/parameters.hpp"
#include "sim/vector_math.hpp"

namespace ydot::neurons {

/// Activity y = phi(u) of a Poisson unit. `softmax` normalises over a population or a pool of it (divisive inhibition): y_i = exp(u_i) / sum_j exp(u_j).
enum class Phi { logistic, hard_sigmoid, relu, softplus, exponential, linear, softmax };

/// linear: as relu, for an intensity cannot be negative; the name says that the unit is meant to stay where u > 0.
inline float phi_of(Phi phi, float u) noexcept {
    switch (phi) {
        case Phi::logistic: return 1 / (1 + fast_exp(-u));
        case Phi::hard_sigmoid: return std::min(std::max(u, 0.0f), 1.0f);
        case Phi::relu:
        case Phi::linear: return std::max(u, 0.0f);
        case Phi::softplus: return fast_softplus(u);
        case Phi::exponential:
        case Phi::softmax: return fast_exp(u);
    }
    return 0;
}

/// In place, potentials -> activities. The switch is outside the loops so that each loop vectorises.
inline void apply_phi(Phi phi, std::span<float> u) noexcept {
    const auto each = [u](auto f) {
        for (float& x : u) x = f(x);
    };
    switch (phi) {
        case Phi::logistic: return each([](float x) { return phi_of(Phi::logistic, x); });
        case Phi::hard_sigmoid: return each([](float x) { return phi_of(Phi::hard_sigmoid, x); });
        case Phi::relu:
        case Phi::linear: return each([](float x) { return phi_of(Phi::relu, x); });
        case Phi::softplus: return each([](float x) { return phi_of(Phi::softplus, x); });
        case Phi::exponential: return each([](float x) { return phi_of(Phi::exponential, x); });
        case Phi::softmax: {
            const float largest = *std::max_element(u.begin(), u.end());
            each([largest](float x) { return fast_exp(x - largest); });
            const float sum = std::accumulate(u.begin(), u.end(), 0.0f);
            each([sum](float x) { return x / sum; });
        }
    }
}

/// The same in double precision, exact to rounding: the rate reading. A softmax normalises over all of `u`.
inline void apply_phi(Phi phi, std::span<double> u) noexcept {
    const double largest = phi == Phi::softmax ? *std::max_element(u.begin(), u.end()) : 0;
    for (double& x : u) switch (phi) {
            case Phi::logistic: x = 1 / (1 + std::exp(-x)); break;
            case Phi::hard_sigmoid: x = std::clamp(x, 0.0, 1.0); break;
            case Phi::relu:
            case Phi::linear: x = std::max(x, 0.0); break;
            case Phi::softplus: x = std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); break;
            case Phi::exponential:
            case Phi::softmax: x = std::exp(x - largest); break;
        }
    if (phi != Phi::softmax) return;
    const double sum = std::accumulate(u.begin(), u.end(), 0.0);
    for (double& x : u) x /= sum;
}

/// In place, v -> J^T v with the Jacobian J = d phi / d u at potentials u and activities y = phi(u).
template <class Real>
void pull_back_phi(Phi phi, std::span<const Real> u, std::span<const Real> y, std::span<Real> v) noexcept {
    const Real mean = phi == Phi::softmax ? std::inner_product(y.begin(), y.end(), v.begin(), Real{}) : Real{};
    for (std::size_t i = 0; i < v.size(); ++i) switch (phi) {
            case Phi::logistic: v[i] *= y[i] * (1 - y[i]); break;
            case Phi::hard_sigmoid: v[i] *= u[i] > 0 && u[i] < 1 ? 1 : 0; break;
            case Phi::relu:
            case Phi::linear: v[i] *= u[i] > 0 ? 1 : 0; break;
            case Phi::softplus: v[i] *= 1 / (1 + std::exp(-u[i])); break;
            case Phi::exponential: v[i] *= y[i]; break;
            case Phi::softmax: v[i] = y[i] * (v[i] - mean); break;
        }
}

/// In place, potentials u -> slopes d phi / d u, given the activities y = phi(u) (softmax: the diagonal, y (1 - y)).
inline void apply_phi_slope(Phi phi, std::span<float> u, std::span<const float> y) noexcept {
    const auto each = [u, y](auto f) {
        for (std::size_t i = 0; i < u.size(); ++i) u[i] = f(u[i], y[i]);
    };
    switch (phi) {
        case Phi::logistic:
        case Phi::softmax: return each([](float, float a) { return a * (1 - a); });
        case Phi::hard_sigmoid: return each([](float x, float) { return x > 0 && x < 1 ? 1.0f : 0.0f; });
        case Phi::relu:
        case Phi::linear: return each([](float x, float) { return x > 0 ? 1.0f : 0.0f; });
        case Phi::softplus: return each([](float x, float) { return 1 / (1 + fast_exp(-x)); });
        case Phi::exponential: return each([](float, float a) { return a; });
    }
}

}  // namespace ydot::neurons

template <>
struct ydot::EnumNames<ydot::neurons::Phi> {
    static constexpr std::array<std::string_view, 7> names{"logistic",    "hard_sigmoid", "relu",   "softplus",
                                                           "exponential", "linear",       "softmax"};
};
