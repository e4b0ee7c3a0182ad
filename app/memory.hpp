#pragma once
#include <cstddef>
#include <set>
#include <string>

#include "sim/circuit.hpp"
#include "sim/description.hpp"

namespace ydot::app {

/// What a network will take at its largest, while it is built, from the numbers of synapses that its connectors promise. Connectors that
/// cannot say count as nothing.
struct MemoryNeed {
    double neurons = 0, synapses = 0, bytes = 0;
};
/// @param circuit   its populations; nothing is connected yet
/// @param streamed  projections that are drawn straight into their place
MemoryNeed memory_needed(const Description& description, const Circuit& circuit, const std::set<std::string>& streamed);

/// Memory that can be had without swapping: what the kernel calls available, less where a control group or a limit of the process allows
/// less.
std::size_t available_memory_bytes();

/// @throws Error when the need is larger than what is available
void require_memory(const MemoryNeed& need, std::size_t available_bytes);

}  // namespace ydot::app
