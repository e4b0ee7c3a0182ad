#pragma once
#include "verify/check.hpp"

namespace ydot::verify {

// The parts of check V3, which is the dearest of all: a test runs one of them with fewer trials.

/// How the angle to the gradient falls with the number of trials, at 1000 Hz.
/// @param pairs  of trials, a multiple of 32
CheckResult noise_of_trials(const Context& context, std::size_t pairs);

/// Where it ends at one rate. @param groups  of 500 trials; without the causal correction, which is only shown: 0 leaves it out
CheckResult floor_of_trials(const Context& context, double rate_Hz, std::size_t groups, std::size_t groups_uncorrected);

}  // namespace ydot::verify
