#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/spike_statistics.hpp"

namespace ydot::app {

struct CompareOptions {
    std::optional<double> start_ms, stop_ms;  ///< of spike files; see compare()
    double alpha = 1e-3;
};

/// One sample of a distribution.
struct Sample {
    std::size_t count = 0;
    double mean = 0;  ///< NaN when there is none
};

/// One quantity of one population, in both results.
struct Comparison {
    std::string quantity;  ///< rate_Hz, cv or correlation
    Sample a, b;
    double ks = 0;     ///< largest difference of the distribution functions; NaN when a sample is empty
    double limit = 0;  ///< exceeded with probability alpha at most when both are of one distribution and units are independent
};

struct PopulationComparison {
    std::string name;
    std::vector<Comparison> quantities;
};

struct ComparedResult {
    std::string path;
    double start_ms = 0, stop_ms = 0;    ///< the part of the recording that counts
    std::vector<std::string> only_here;  ///< populations that the other one does not have
};

struct CompareResult {
    ComparedResult a, b;
    std::vector<PopulationComparison> populations;  ///< that both have, in the order of `a`
    /// Over everything compared.
    double largest_ks() const;
};

/// Compares the distributions of rate, CV and correlation, population by population.
///
/// A path names a results directory, whose activity.h5 is read, or a spike file (data/spike_file.hpp), from which the statistics are taken.
/// A spike file does not say how long the recording was nor how many units there are. Without start and stop in `options` the recording is
/// that of the other result if this is a directory, else it is from 0 to the last spike of both files. A population has as many units
/// as in the other result, or as many as its largest id asks for.
/// @throws Error(bad_input) when a result cannot be read, statistics are not of the same bins, or no population is in both
CompareResult compare(const std::filesystem::path& a, const std::filesystem::path& b, const CompareOptions& options = {});

/// One quantity of one population over all pairs of several results.
struct QuantitySpread {
    std::string quantity;
    double lowest_mean = 0, mean = 0, highest_mean = 0;  ///< over the results: the lowest of their means, the mean of them, the highest
    double median_ks = 0, largest_ks = 0;                ///< over the pairs; NaN without a distance
    std::size_t pairs = 0, above_limit = 0;
};

struct PopulationSpread {
    std::string name;
    std::vector<QuantitySpread> quantities;
};

struct SpreadResult {
    std::vector<PopulationSpread> populations;  ///< that all have
    bool missing = false;                       ///< some population is not in all results
    double largest_ks() const;
};

/// Compares every pair of two or more results, as compare() does.
SpreadResult compare_all(const std::vector<std::string>& paths, const CompareOptions& options = {});

}  // namespace ydot::app
