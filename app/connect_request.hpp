#pragma once
#include "networks/edges.hpp"
#include "sim/circuit.hpp"
#include "sim/description.hpp"

namespace ydot::app {

/// What a connector is told of a projection, but for other projections and files.
inline networks::ConnectRequest request_for(const ProjectionSpec& spec, const Circuit& circuit) {
    return {.name = spec.name,
            .sources = circuit.population(circuit.find_population(spec.from)).size(),
            .targets = circuit.population(circuit.find_population(spec.to)).size(),
            .same_population = spec.from == spec.to,
            .seed = circuit.seed(),
            .source = spec.source,
            .from = spec.from,
            .to = spec.to};
}

}  // namespace ydot::app
