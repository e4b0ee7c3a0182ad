#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sim/plasticity.hpp"
#include "verify/check.hpp"

namespace ydot::verify {

// What the checks of plasticity share: the law on the grid, from what a check asked for, and the weights that came out.

/// Change of the weight by one pair with s = t_post - t_pre at the synapse; a pair of one step counts half of each side.
double change_by_pair(const PairWindow& window, double s_ms);

/// Probability that a Poisson source of this rate fires in a step.
double spike_probability(double rate_Hz, double dt_ms);

/// Expected change of the weight in every step of online learning, exact on the grid, for trains that are independent given their rates.
/// @param arrivals, posts  expected spikes of every step, as the synapse sees them
std::vector<double> expected_changes(const PairWindow& window, double dt_ms, std::span<const double> arrivals,
                                     std::span<const double> posts);

/// The same numbers `steps` later; zeros come in from the left.
std::vector<double> delayed(std::vector<double> x, std::size_t steps);

/// Mean weight of the projection of this name.
double mean_weight(const Circuit& circuit, std::string_view projection);

/// f(k) for k = 0 ... count - 1, in parallel; the moments of each of its figures over the repetitions, whatever the number of threads.
std::vector<Moments> moments_over(std::size_t count, const std::function<std::vector<double>(std::size_t)>& f);

/// Lines of a plasticity table: the rule "stdp" with this window.
std::string toml_of(const PairWindow& window);

/// The same factor on mean and error.
Moments scaled(Moments m, double factor);

/// Measured points with error bars of one standard error.
Series points(std::string name, std::vector<double> x, std::span<const Moments> y);
/// A line through (x, f(x)).
Series line(std::string name, std::vector<double> x, const std::function<double(double)>& f);

/// `count` numbers from `low` to `high`, evenly spaced.
std::vector<double> evenly(double low, double high, std::size_t count);

}  // namespace ydot::verify
