#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace ydot {

/// Mean and spread of independent repetitions.
struct Moments {
    double mean = 0, variance = 0;  ///< variance: of one repetition, unbiased
    std::size_t count = 0;
    double error() const noexcept;  ///< standard error of the mean
};
Moments moments_of(std::span<const double> x);

/// sqrt(n) times the Kolmogorov-Smirnov distance between the empirical distribution of `x` and a continuous distribution function.
double ks_distance(std::vector<double> x, const std::function<double(double)>& distribution);
/// What ks_distance() exceeds with probability alpha at most, for any number of samples (Massart 1990, Ann. Probab. 18:1269-1283).
double ks_limit(double alpha);
/// Largest difference between the empirical distribution functions of two samples, in [0, 1]; NaN when one is empty.
double ks_two_samples(std::vector<double> x, std::vector<double> y);
/// What ks_two_samples() exceeds with probability alpha at most for independent draws from one distribution: ks_limit() sqrt(1/n + 1/m).
/// Smirnov's asymptotic law; a strict bound for n = m >= 458 (Wei & Dudley 2012, Stat. Probab. Lett. 82:636-644). Ties make it
/// conservative.
double ks_two_sample_limit(std::size_t n, std::size_t m, double alpha);

/// Two-sided limit of |mean - expectation| in standard errors, for normal repetitions: exceeded with probability alpha.
/// Infinite for a single repetition, which says nothing of its error.
double t_limit(std::size_t repetitions, double alpha);

/// Two-sided p-value of a chi-square statistic: twice the smaller tail.
double chi_square_p(double statistic, double degrees);

/// Slope of the straight line through (x, y), least squares.
double slope_of(std::span<const double> x, std::span<const double> y);

}  // namespace ydot
