#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sim/parameters.hpp"

// What reading, overriding and checking a description share: the keys of its tables, and how a fault is worded.

namespace ydot::app::detail {

using Names = std::vector<std::string>;

bool contains(const Names& names, std::string_view name);

/// The keys of a description outside of its tables.
const Names& top_keys();

/// The keys of a table that a struct lists, and more.
template <class Struct>
Names own_keys(const Names& more = {}) {
    Names keys = field_keys<Struct>();
    keys.insert(keys.end(), more.begin(), more.end());
    return keys;
}

[[noreturn]] void refuse(const std::string& path, std::string reason, const Source& source);
[[noreturn]] void refuse_name(const std::string& path, std::string_view what, std::string_view name, const Names& known,
                              const Source& source);
/// Refuses a propagator of a population that is none; empty stands for that of the run.
void require_propagator(const std::string& path, const std::string& name, const Source& source);

}  // namespace ydot::app::detail
