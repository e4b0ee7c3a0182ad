#include "app/detail/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/description.hpp"

namespace ydot::app::detail {

bool contains(const Names& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

const Names& top_keys() {
    static const Names keys{"plots", "run", "data", "populations", "projections", "stimuli", "schedule", "record", "metrics", "circuit"};
    return keys;
}

void refuse(const std::string& path, std::string reason, const Source& source) { throw Error(path, std::move(reason), source.text()); }

void refuse_name(const std::string& path, std::string_view what, std::string_view name, const Names& known, const Source& source) {
    const std::string complaint = fmt::format("there is no {} \"{}\"", what, name);
    refuse(path, known.empty() ? complaint + "; there are none at all" : with_suggestion(complaint, name, known, "Known:"), source);
}

void require_propagator(const std::string& path, const std::string& name, const Source& source) {
    const auto& names = EnumNames<Propagator>::names;
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
    refuse_value(path, {"propagator", {}, std::string{}, {}, {names.begin(), names.end()}}, {name, source});
}

}  // namespace ydot::app::detail
