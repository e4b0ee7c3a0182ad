#pragma once
#include <string>

#include "app/toml_tree.hpp"

// What reading, overriding and checking a description share.

namespace ydot::app::detail {

using namespace tree;

/// The keys of a description outside of its tables.
const Names& top_keys();
/// Refuses a propagator of a population that is none; empty stands for that of the run.
void require_propagator(const std::string& path, const std::string& name, const Source& source);

}  // namespace ydot::app::detail
