#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ydot::data {

/// A list of synapses: synapse i leads from unit `source[i]` to unit `target[i]`, both counted from 0 within their populations.
struct EdgeTable {
    std::vector<std::uint32_t> source, target;  ///< #synapses
    std::vector<double> weight, delay_ms;       ///< #synapses, or empty where the file has no such column
    std::vector<std::size_t> line;              ///< #synapses: where each stands in the file
    bool operator==(const EdgeTable&) const = default;
};

/// Reads comma-separated values: a header that names the columns source, target and, if wanted, weight and delay_ms, in any order; then
/// one row a synapse. Blank lines are skipped.
/// @throws Error naming the file, the line, the column, the value and what is allowed
EdgeTable read_edges(const std::string& path);

}  // namespace ydot::data
