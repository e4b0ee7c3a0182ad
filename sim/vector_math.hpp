#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "sim/lanes.hpp"

namespace ydot {

// Branch-free single-precision functions for loops that must vectorise (libm calls do not without -ffast-math, which we never use, and no
// call does: GCC stops inlining in large translation units unless told to). Each states its error; tests/sim/vector_math_test.cpp measures
// it against double precision.

/// exp(x) - 1 with relative error below 7e-7 for |x| < 80; no cancellation near 0. Arguments are clamped to [-80, 80].
[[gnu::always_inline]] inline float fast_expm1(float x) noexcept {
    x = std::min(std::max(x, -80.0f), 80.0f);
    const float k = static_cast<float>(static_cast<std::int32_t>(x * 1.44269504f + (x >= 0 ? 0.5f : -0.5f)));
    const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;  // ln 2 in two parts (Cody & Waite 1980)
    const float poly = r * (1 + r * (0.5f + r * (1.6666667e-1f + r * (4.1666667e-2f + r * (8.3333333e-3f + r * 1.3888889e-3f)))));
    const float scale = std::bit_cast<float>((static_cast<std::int32_t>(k) + 127) << 23);
    return scale * poly + (scale - 1);
}

/// exp(x), relative error below 4e-7, arguments clamped to [-80, 80].
[[gnu::always_inline]] inline float fast_exp(float x) noexcept {
    x = std::min(std::max(x, -80.0f), 80.0f);
    const float k = static_cast<float>(static_cast<std::int32_t>(x * 1.44269504f + (x >= 0 ? 0.5f : -0.5f)));
    const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    const float poly = 1 + r * (1 + r * (0.5f + r * (1.6666667e-1f + r * (4.1666667e-2f + r * (8.3333333e-3f + r * 1.3888889e-3f)))));
    return poly * std::bit_cast<float>((static_cast<std::int32_t>(k) + 127) << 23);
}

/// (exp(x) - 1) / x, and 1 at 0: the mean of exp(x t) over 0 < t < 1, by which linear equations move in a step. Relative error below 8e-7
/// for |x| < 80; below -80 it is -1 / x, above 80 the exponential is that of 80.
[[gnu::always_inline]] inline float fast_exprel(float x) noexcept {
    const float y = fast_expm1(x);
    return (y == 0 ? 1.0f : y) / (y == 0 ? 1.0f : x);
}

/// log(1 + exp(x)) without overflow; absolute error below 1e-6 (x below -15 returns exp(x), above 15 returns x).
[[gnu::always_inline]] inline float fast_softplus(float x) noexcept {
    const float e = fast_exp(-std::max(x, -x));  // in (0, 1]
    // log1p(e) by the artanh series in s = e / (2 + e), s <= 1/3
    const float s = e / (2 + e), s2 = s * s;
    const float log1p = 2 * s * (1 + s2 * (1.0f / 3 + s2 * (0.2f + s2 * (1.0f / 7 + s2 * (1.0f / 9 + s2 * (1.0f / 11))))));
    return std::max(x, 0.0f) + log1p;
}

/// Probability p in [0, 1] (more counts as 1) as a threshold for a 32-bit random word: word < threshold has probability p to within 2^-24
/// relative.
[[gnu::always_inline]] inline std::uint32_t probability_threshold(float p) noexcept {
    return static_cast<std::uint32_t>(std::min(p * 4294967296.0f, 4294967040.0f));
}

/// Probability 1 - exp(-x) of at least one event, x >= 0 expected events, as a threshold, see probability_threshold().
[[gnu::always_inline]] inline std::uint32_t firing_threshold(float expected) noexcept {
    return probability_threshold(-fast_expm1(-expected));
}

/// x^y for x >= 0 and |y| <= 4 with relative error below 2e-6 for results between 1e-6 and 1e6, 6e-6 between 1e-30 and 1e30; 0 for x below
/// the smallest normal number. For float, Lanes (the same bits) and double (the C library).
template <class F>
inline F power(F x, float y) noexcept;
template <>
inline double power(double x, float y) noexcept {
    return std::pow(x, static_cast<double>(y));
}
namespace detail {
inline float rounded(float x) noexcept { return static_cast<float>(static_cast<std::int32_t>(x + (x >= 0 ? 0.5f : -0.5f))); }
inline Lanes rounded(Lanes x) noexcept {
    return __builtin_convertvector(__builtin_convertvector(x + (x >= 0.0f ? Lanes{} + 0.5f : Lanes{} - 0.5f), IntLanes), Lanes);
}
inline std::int32_t whole(float x) noexcept { return static_cast<std::int32_t>(x); }
inline IntLanes whole(Lanes x) noexcept { return __builtin_convertvector(x, IntLanes); }
inline float real(std::int32_t x) noexcept { return static_cast<float>(x); }
inline Lanes real(IntLanes x) noexcept { return __builtin_convertvector(x, Lanes); }

template <class F, class I>
inline F power_of(F x, float y) noexcept {
    const I bits = std::bit_cast<I>(x), exponent = (bits - 0x3F3504F3) >> 23;  // x = 2^exponent m, m in [sqrt(1/2), sqrt(2))
    const F m = std::bit_cast<F>(bits - (exponent << 23));
    const F s = (m - 1.0f) / (m + 1.0f), s2 = s * s;  // ln m by the artanh series, |s| < 0.172
    const F log2_m = 2.88539008f * s * (1.0f + s2 * (1.0f / 3 + s2 * (0.2f + s2 * (1.0f / 7 + s2 * (1.0f / 9)))));
    F t = y * (real(exponent) + log2_m);
    t = t < -126.0f ? F{} - 126.0f : t;
    t = t > 126.0f ? F{} + 126.0f : t;
    const F k = rounded(t), r = (t - k) * 0.693147181f;
    const F exp_r = 1.0f + r * (1.0f + r * (0.5f + r * (1.6666667e-1f + r * (4.1666667e-2f + r * (8.3333333e-3f + r * 1.3888889e-3f)))));
    const F result = exp_r * std::bit_cast<F>((whole(k) + 127) << 23);
    return x < 1.17549435e-38f ? F{} : result;
}
}  // namespace detail
template <>
inline float power(float x, float y) noexcept {
    return detail::power_of<float, std::int32_t>(x, y);
}
template <>
inline Lanes power(Lanes x, float y) noexcept {
    return detail::power_of<Lanes, IntLanes>(x, y);
}

}  // namespace ydot
