#pragma once
#include <string>

#include "sim/spike_statistics.hpp"

namespace ydot::data {

/// Writes activity.h5, the distributions behind the activity of summary.json:
///   /                            attributes start_ms, stop_ms, bin_ms, window_ms, correlation_bin_ms (float64),
///                                sampled_units, correlated_units, least_intervals (uint32)
///   /activity/<population>/rate_Hz       float64, #units
///   /activity/<population>/cv, fano      float64, #units; NaN where there is none
///   /activity/<population>/correlation   float64, #pairs
///   /activity/<population>/bins_with     uint64, [k]: bins with k spikes of the population
///   /activity/<population>/sample_bins_with   the same of the units drawn
/// The same activity makes the same bytes. The file is complete or not there: it is renamed into place.
/// @throws Error(run_failure) when the disk is full
void write_activity(const std::string& path, const Activity& activity);

/// @throws Error(bad_input) naming the file and what is wrong with it
Activity read_activity(const std::string& path);

}  // namespace ydot::data
