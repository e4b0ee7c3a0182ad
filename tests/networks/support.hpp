#pragma once
#include <boost/math/distributions/chi_squared.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "networks/edges.hpp"
#include "networks/fixed_probability.hpp"
#include "sim/statistics.hpp"

namespace ydot::networks {

inline ConnectRequest request_of(std::string name, std::uint32_t sources, std::uint32_t targets) {
    return {.name = std::move(name), .sources = sources, .targets = targets, .seed = 7};
}
inline ConnectRequest recurrent(std::string name, std::uint32_t units) {
    ConnectRequest request = request_of(std::move(name), units, units);
    request.same_population = true;
    return request;
}
inline ConnectRequest answer_to(const EdgeList& forward, std::string name, std::uint32_t sources, std::uint32_t targets) {
    ConnectRequest request = request_of(std::move(name), sources, targets);
    request.forward = &forward;
    return request;
}
inline EdgeList random_edges(std::string name, std::uint32_t sources, std::uint32_t targets, double probability) {
    FixedProbability::Params params;
    params.probability = probability;
    return FixedProbability::connect(params, request_of(std::move(name), sources, targets));
}
inline bool holds(const EdgeList& edges, std::uint32_t source, std::uint32_t target) {
    for (std::size_t k = 0; k < edges.size(); ++k)
        if (edges.source[k] == source && edges.target[k] == target) return true;
    return false;
}
inline std::vector<std::uint32_t> sources_of(const EdgeList& edges, std::uint32_t target) {
    std::vector<std::uint32_t> result;
    for (std::size_t k = 0; k < edges.size(); ++k)
        if (edges.target[k] == target) result.push_back(edges.source[k]);
    return result;
}
inline std::vector<std::uint32_t> targets_of(const EdgeList& edges, std::uint32_t source) {
    std::vector<std::uint32_t> result;
    for (std::size_t k = 0; k < edges.size(); ++k)
        if (edges.source[k] == source) result.push_back(edges.target[k]);
    return result;
}

/// Sum of (count - mean)^2 / variance: chi-square with #counts degrees of freedom for independent binomial counts. Their excess kurtosis,
/// (1 - 6 p q) / (N p q), is below 0.02 wherever this is used and widens the statistic by less than half a percent.
inline double dispersion(const std::vector<std::uint32_t>& counts, double mean, double variance) {
    double sum = 0;
    for (const double count : counts) sum += (count - mean) * (count - mean) / variance;
    return sum;
}
/// Two-sided test at alpha = 5e-7: half of the 1e-6 that is allowed, to leave room for the approximation above.
inline bool plausible_chi_square(double statistic, double degrees_of_freedom) {
    const boost::math::chi_squared_distribution<> chi_square(degrees_of_freedom);
    return cdf(chi_square, statistic) > 2.5e-7 && cdf(complement(chi_square, statistic)) > 2.5e-7;
}

/// Two-level test: the p-values of many seeds must be uniform (Kolmogorov-Smirnov, alpha = 1e-6). It sees what a single seed hides: a
/// statistic that is too good, or a deviation too small for one network.
/// @param p_value  (seed) -> p-value of one network
template <class PValue>
bool uniform_over_seeds(int seeds, PValue p_value) {
    std::vector<double> p;
    for (int seed = 1; seed <= seeds; ++seed) p.push_back(p_value(static_cast<std::uint64_t>(seed)));
    return ks_distance(std::move(p), [](double x) { return x; }) < ks_limit(1e-6);
}

}  // namespace ydot::networks
