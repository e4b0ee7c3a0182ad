#pragma once
#include <filesystem>
#include <string>

#include "sim/error.hpp"

namespace ydot::data::detail {

/// @throws Error when there is no file at `path`
inline void require_file(const std::string& path) {
    if (!std::filesystem::is_regular_file(path)) throw Error(path, "there is no such file", {});
}

}  // namespace ydot::data::detail
