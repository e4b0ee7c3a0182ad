#pragma once
#include <string>

#include "verify/check.hpp"

namespace ydot::verify {

/// What `ydot verify FILE.toml` does: trains the network of a description and compares, at every point of the learning curve, what its
/// plasticity does with the exact gradient, projection by projection.
extern const Check circuit;

/// Finds everything that can be wrong with the description and its data, before anything runs.
/// @throws Error for a bad description, one without a schedule, one without a rate reading
void check_description(Description description);

/// @param name  of the description, for pictures; quick contexts measure before learning only
/// @throws Error as check_description()
CheckResult verify_circuit(Description description, const std::string& name, const Context& context);

}  // namespace ydot::verify
