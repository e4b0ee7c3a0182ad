#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace ydot::test {

/// A standard normal number lies beyond +-5 with probability 5.7e-7: every two-sided test of the suite that counts standard errors uses it.
inline constexpr double five_sigma = 5;
/// sqrt(n) times the Kolmogorov-Smirnov distance exceeds 2.7 with probability 2 exp(-2 2.7^2) = 9.3e-7 (limit of many samples; smaller for few).
inline constexpr double ks_limit = 2.7;

struct Moments {
    double mean = 0, variance = 0;
    std::size_t count = 0;
    double error() const { return std::sqrt(variance / static_cast<double>(count)); }  ///< standard error of the mean
};

inline Moments moments_of(const std::vector<double>& x) {
    Moments m;
    m.count = x.size();
    m.mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
    for (const double v : x) m.variance += (v - m.mean) * (v - m.mean);
    m.variance /= static_cast<double>(x.size() - 1);
    return m;
}

/// sqrt(n) times the largest distance between the empirical distribution of `x` and the distribution function `cdf`.
template <class Cdf>
double ks_distance(std::vector<double> x, Cdf&& cdf) {
    std::sort(x.begin(), x.end());
    double largest = 0;
    const auto n = static_cast<double>(x.size());
    for (std::size_t k = 0; k < x.size(); ++k) {
        const double f = cdf(x[k]);
        largest = std::max({largest, f - static_cast<double>(k) / n, (static_cast<double>(k) + 1) / n - f});
    }
    return largest * std::sqrt(n);
}

/// Two-sided test of a chi-square statistic at alpha = 1e-6, by the cube-root approximation of Wilson & Hilferty (1931): good to a few
/// percent of alpha for 5 degrees of freedom and more.
inline bool plausible_chi_square(double statistic, double degrees) {
    const double spread = 2 / (9 * degrees), z = (std::cbrt(statistic / degrees) - (1 - spread)) / std::sqrt(spread);
    return std::abs(z) < five_sigma;
}

}  // namespace ydot::test
