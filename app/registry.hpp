#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/current.hpp"
#include "sim/description.hpp"
#include "sim/plasticity.hpp"
#include "sim/population.hpp"

namespace ydot::app {

/// Everything that a description can name, from the lists of the rooms: neurons, sources, stimuli, rules, connectors; then the structures
/// of the description itself (run, schedule, phase, ...). What `ydot models` shows.
std::vector<ModelInfo> all_models();

/// @throws Error for an unknown model, unknown or bad parameters, a model that cannot run in continuous time
std::unique_ptr<const Population> make_population(const PopulationSpec& spec, const RunSpec& run);
/// What the description says of `phi`; empty for models without it, or where it is left out.
std::string phi_of(const PopulationSpec& spec);
bool is_continuous(const PopulationSpec& spec, const RunSpec& run);
/// @throws Error for an unknown model, unknown or bad parameters
std::unique_ptr<const Current> make_current(const StimulusSpec& spec, const RunSpec& run);
/// Says why a population of this model takes no current, and which models do.
[[noreturn]] void refuse_current(const StimulusSpec& spec, const std::string& model, bool continuous);
/// @throws Error for an unknown rule or bad parameters; `path` is that of the plasticity table
std::shared_ptr<const PairRule> make_rule(const PlasticitySpec& spec, const std::string& path, const Source& source);

/// Writes the defaults of all models, connectors and rules into the description, so that it is complete.
void fill_defaults(Description& description);

}  // namespace ydot::app
