#pragma once
#include <span>

#include "verify/check.hpp"

namespace ydot::verify {

// What STDP computes.
extern const Check pairing, bode, ramps, gates, causal;
// What the network computes.
extern const Check gradient, nudge, trials, contrastive_divergence;
// Whether the simulator computes it.
extern const Check poisson, time_step, exact_integration, brunel;

/// Every check, in the order of the report.
std::span<const Check* const> checks();
/// By name ("bode") or law ("L1"). @throws Error with the nearest name when there is none
const Check& find_check(const std::string& name);

}  // namespace ydot::verify
