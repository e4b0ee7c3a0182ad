#include "sim/quantiles.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace ydot {
namespace {

constexpr std::size_t intervals = 65536;

/// The standard normal distribution cut to [low, high].
class Normal {
public:
    Normal(double low, double high) : low_(low), high_(high), from_(cdf(low)), to_(cdf(high)) {}
    double quantile(double p) const {
        const double q = from_ + p * (to_ - from_);
        if (q <= 0 || q >= 1) return q <= 0 ? low_ : high_;
        return std::clamp(boost::math::quantile(boost::math::normal(), q), low_, high_);
    }
    /// Mean between two values.
    double mean(double a, double b) const { return (density(a) - density(b)) / (cdf(b) - cdf(a)); }

private:
    static double cdf(double z) { return std::isinf(z) ? (z > 0 ? 1 : 0) : 0.5 * std::erfc(-z / std::sqrt(2.0)); }
    static double density(double z) { return std::isinf(z) ? 0 : std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }
    double low_, high_, from_, to_;
};

}  // namespace

NormalSpec normal_behind(const DistributionSpec& spec) {
    if (spec.distribution != Distribution::lognormal) return {spec.mean, spec.std};
    const double variance = std::log1p(spec.std * spec.std / (spec.mean * spec.mean));
    return {std::log(spec.mean) - variance / 2, std::sqrt(variance)};
}

Quantiles::Quantiles(const DistributionSpec& spec, double scale) {
    edge_.reserve(intervals + 1);
    const auto add = [&](double x) { edge_.push_back(static_cast<float>(scale * x)); };
    const bool uniform = spec.distribution == Distribution::uniform;
    if (!uniform && (spec.distribution == Distribution::constant || spec.std == 0)) {
        edge_.assign(intervals + 1, static_cast<float>(scale * spec.mean));
        return;
    }
    if (uniform) {
        for (std::size_t k = 0; k <= intervals; ++k) add(spec.low + (spec.high - spec.low) * static_cast<double>(k) / intervals);
        return;
    }
    const bool log = spec.distribution == Distribution::lognormal;
    const auto behind = normal_behind(spec);
    const auto z_of = [&](double x) {
        return ((log ? (x > 0 ? std::log(x) : -std::numeric_limits<double>::infinity()) : x) - behind.mean) / behind.std;
    };
    const Normal normal(z_of(spec.low), z_of(spec.high));
    std::vector<double> z;
    for (std::size_t k = 0; k <= intervals; ++k) z.push_back(normal.quantile(static_cast<double>(k) / intervals));
    // also where the bound is finite: it may lie far out in the tail
    z.front() = std::max(z.front(), 2 * normal.mean(z.front(), z[1]) - z[1]);
    z.back() = std::min(z.back(), 2 * normal.mean(z[intervals - 1], z.back()) - z[intervals - 1]);
    for (const double x : z) add(log ? std::exp(behind.mean + behind.std * x) : behind.mean + behind.std * x);
}

}  // namespace ydot
