#pragma once
#include "app/toml_tree.hpp"

namespace ydot::app::detail {

/// Puts [plasticity.NAME] into the projections that say plasticity = "NAME", or plasticity = {like = "NAME", ...} where their own keys win
/// (with another rule, the parameters of the shared rule are left out). No [plasticity] is left.
void share_plasticity(tree::Node& root);

}  // namespace ydot::app::detail
