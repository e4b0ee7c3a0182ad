#pragma once
#include <string>

#include "verify/check.hpp"

namespace ydot::verify {

/// What `ydot verify FILE.toml` does: trains the network of a description and compares, at every point of the learning curve, what its plasticity
/// does with the exact gradient, projection by projection.
extern const Check circuit;

/// @param name  of the description, for measurements and pictures; quick contexts measure before learning only
/// @throws Error for a description without a schedule or without a rate reading
CheckResult verify_circuit(Description description, const std::string& name, const Context& context);

}  // namespace ydot::verify
