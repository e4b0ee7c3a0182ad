#pragma once
#include <memory>

#include "sim/circuit.hpp"
#include "sim/description.hpp"
#include "sim/trainer.hpp"

namespace ydot::app {

/// Description -> circuit: models looked up, connections drawn, weights drawn. Throws Error for anything that is not allowed.
std::unique_ptr<Circuit> build_circuit(const Description& description);

/// Description -> schedule: names become indices, times become steps.
/// @param image_size  pixels of an image and @param classes labels, which the input and readout populations must be able to hold
Schedule build_schedule(const Description& description, const Circuit& circuit, std::size_t image_size, std::size_t classes);

/// [populations.NAME.rate] of every population, in their order.
std::vector<RateSpec> rate_specs(const Description& description);

/// A time as a number of steps. @throws Error for a time that is not a multiple of dt (validate() has told where)
Step to_steps(double time_ms, double dt_ms);
/// The units that a list, or a range [first, last], names, ascending; empty when both are: all.
std::vector<std::uint32_t> chosen_units(const std::vector<double>& units, const std::vector<double>& range, std::int64_t size);

}  // namespace ydot::app
