#pragma once
#include <span>
#include <string>

#include "app/toml_tree.hpp"

namespace ydot::app::detail {

/// Changes the tree of a description as its table [when.MODE] says for the mode it is read in, then as each "key.path=value" says, one
/// after another; read_description() says what is allowed. No [when] is left.
void apply_overrides(tree::Node& root, std::span<const std::string> overrides);

}  // namespace ydot::app::detail
