#pragma once
#include <cmath>

#include "sim/statistics.hpp"

namespace ydot::test {

/// A standard normal number lies beyond +-5 with probability 5.7e-7: every two-sided test of the suite that counts standard errors uses it.
inline constexpr double five_sigma = 5;
/// ydot::ks_distance exceeds 2.7 with probability 2 exp(-2 2.7^2) = 9.3e-7 at most.
inline constexpr double ks_bound = 2.7;

/// Two-sided test of a chi-square statistic at alpha = 1e-6, by the cube-root approximation of Wilson & Hilferty (1931): good to a few
/// percent of alpha for 5 degrees of freedom and more.
inline bool plausible_chi_square(double statistic, double degrees) {
    const double spread = 2 / (9 * degrees), z = (std::cbrt(statistic / degrees) - (1 - spread)) / std::sqrt(spread);
    return std::abs(z) < five_sigma;
}

}  // namespace ydot::test
