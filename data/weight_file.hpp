#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ydot::data {

/// The synapses of one projection: synapse i leads from unit `source[i]` to unit `target[i]`, both counted from 0 within
/// their populations.
struct ProjectionWeights {
    std::string name, from, to;                 ///< of the projection and its two populations
    std::vector<std::uint32_t> source, target;  ///< #synapses
    std::vector<float> weight;                  ///< #synapses, in the unit of the target's model
    std::vector<float> delay_ms;                ///< #synapses, or 1 value that holds for all
    std::uint32_t sources = 0, targets = 0;     ///< sizes of the two populations
    bool operator==(const ProjectionWeights&) const = default;
};

/// Writes weights.h5:
///   /projections/<name>                   attributes from, to (text), sources, targets (uint32)
///   /projections/<name>/source, target    uint32, #synapses
///   /projections/<name>/weight            float32, #synapses
///   /projections/<name>/delay_ms          float32, #synapses, or length 1 when all delays are equal
/// Datasets of #synapses are compressed (shuffle, deflate level 1). The file is complete or not there: it is renamed into place.
/// @throws Error(bad_input) for arrays whose lengths differ, an index outside its population, a name with '/' or a name that
///         comes twice; Error(run_failure) when the disk is full
void write_weights(const std::string& path, std::span<const ProjectionWeights> projections);

/// All projections, in the order they were written.
/// @throws Error(bad_input) naming the file and what is wrong with it
std::vector<ProjectionWeights> read_weights(const std::string& path);

}  // namespace ydot::data
