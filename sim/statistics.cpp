#include "sim/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace ydot {

double Moments::error() const noexcept { return std::sqrt(variance / static_cast<double>(count)); }

Moments moments_of(std::span<const double> x) {
    Moments m;
    m.count = x.size();
    m.mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
    for (const double v : x) m.variance += (v - m.mean) * (v - m.mean);
    m.variance = x.size() > 1 ? m.variance / static_cast<double>(x.size() - 1) : std::numeric_limits<double>::quiet_NaN();
    return m;
}

double ks_distance(std::vector<double> x, const std::function<double(double)>& distribution) {
    std::sort(x.begin(), x.end());
    double largest = 0;
    const auto n = static_cast<double>(x.size());
    for (std::size_t k = 0; k < x.size(); ++k) {
        const double f = distribution(x[k]);
        largest = std::max({largest, f - static_cast<double>(k) / n, (static_cast<double>(k) + 1) / n - f});
    }
    return largest * std::sqrt(n);
}

double ks_limit(double alpha) { return std::sqrt(-0.5 * std::log(alpha / 2)); }

double ks_two_samples(std::vector<double> x, std::vector<double> y) {
    if (x.empty() || y.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    const auto n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
    double largest = 0;
    for (std::size_t i = 0, j = 0; i < x.size() && j < y.size();) {
        const double at = std::min(x[i], y[j]);  // both functions are compared behind all their steps at this value
        while (i < x.size() && x[i] <= at) ++i;
        while (j < y.size() && y[j] <= at) ++j;
        largest = std::max(largest, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
    }
    return largest;
}

double ks_two_sample_limit(std::size_t n, std::size_t m, double alpha) {
    return ks_limit(alpha) * std::sqrt(1 / static_cast<double>(n) + 1 / static_cast<double>(m));
}

double t_limit(std::size_t repetitions, double alpha) {
    if (repetitions < 2) return std::numeric_limits<double>::infinity();
    const boost::math::students_t t(static_cast<double>(repetitions) - 1);
    return boost::math::quantile(boost::math::complement(t, alpha / 2));
}

double chi_square_p(double statistic, double degrees) {
    const boost::math::chi_squared distribution(degrees);
    return 2 * std::min(boost::math::cdf(distribution, statistic), boost::math::cdf(boost::math::complement(distribution, statistic)));
}

double slope_of(std::span<const double> x, std::span<const double> y) {
    const auto mx = moments_of(x), my = moments_of(y);
    double covariance = 0;
    for (std::size_t k = 0; k < x.size(); ++k) covariance += (x[k] - mx.mean) * (y[k] - my.mean);
    return covariance / (mx.variance * static_cast<double>(x.size() - 1));
}

}  // namespace ydot
