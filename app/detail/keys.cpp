#include "app/detail/keys.hpp"

#include <algorithm>

#include "sim/description.hpp"

namespace ydot::app::detail {

const Names& top_keys() {
    static const Names keys{"plots",   "run",      "data",   "populations", "projections", "plasticity",
                            "stimuli", "schedule", "record", "metrics",     "circuit",     "when"};
    return keys;
}

void require_propagator(const std::string& path, const std::string& name, const Source& source) {
    const auto& names = EnumNames<Propagator>::names;
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
    refuse_value(path, {"propagator", {}, std::string{}, {}, {names.begin(), names.end()}}, {name, source});
}

}  // namespace ydot::app::detail
