#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "sim/description.hpp"

namespace ydot::networks {

// How circuits write down their populations and projections.

inline PopulationSpec population(std::string_view name, std::string_view model, std::int64_t size,
                                 std::initializer_list<std::pair<const char*, Value>> parameters) {
    PopulationSpec spec;
    spec.name = name;
    spec.model = model;
    spec.size = size;
    for (const auto& [key, value] : parameters) spec.parameters[key] = {value, {}};
    return spec;
}

/// "FROM_to_TO" with one weight and one delay.
inline ProjectionSpec projection(const std::string& from, const std::string& to, std::string_view connector,
                                 std::initializer_list<std::pair<const char*, Value>> connection, double weight, double delay_ms) {
    ProjectionSpec spec;
    spec.name = from + "_to_" + to;
    spec.from = from;
    spec.to = to;
    spec.connector = connector;
    for (const auto& [key, value] : connection) spec.connection[key] = {value, {}};
    spec.weight.mean = weight;
    spec.delay_ms.mean = delay_ms;
    return spec;
}

}  // namespace ydot::networks
