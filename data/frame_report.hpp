#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ydot::data {

/// What the columns of a report belong to: columns index_pointers[k] to index_pointers[k + 1] are of node node_ids[k].
struct FrameMapping {
    std::vector<std::uint64_t> node_ids;        ///< N, ascending
    std::vector<std::uint64_t> index_pointers;  ///< N + 1
    std::vector<std::uint32_t> element_ids;     ///< #columns: 0 for a variable of the node, the number of the synapse for a weight
    std::vector<std::uint64_t> source_ids;      ///< of weights: the pre-synaptic node of every column; else empty, and not written
};

/// Writes a SONATA frame report while a simulation runs. Memory is bounded: frames wait until they fill `buffered_bytes`.
///   /                                      attributes magic = 0x0A7A (uint32), version = {0, 1} (uint32)
///   /report/<population>/data              float32, #frames x #columns; attribute units (UTF-8, variable length)
///   /report/<population>/mapping/node_ids        uint64, from 0; attribute sorted = 1 (uint8)
///   /report/<population>/mapping/index_pointers  uint64
///   /report/<population>/mapping/element_ids     uint32
///   /report/<population>/mapping/time            float64, {start, stop, step}, frame k at start + k step < stop; attribute units = "ms"
/// It can be read by others after every flush, also while it is being written; `stop` then follows the frames that are there.
/// Reference: SONATA developer guide, https://github.com/AllenInstitute/sonata (frame-oriented node element reports).
class FrameWriter {
public:
    static constexpr std::size_t buffered_bytes = std::size_t{1} << 20;

    /// Creates the file, or replaces an older one. @throws Error(run_failure)
    FrameWriter(std::string path, const std::string& population, const std::string& units, const FrameMapping& mapping, double start_ms,
                double step_ms);
    FrameWriter(FrameWriter&&) noexcept;
    FrameWriter& operator=(FrameWriter&&) noexcept;
    ~FrameWriter();

    /// @param values  #columns
    /// @throws Error(bad_input) for another number of values, a closed file; Error(run_failure) when the disk is full: later calls throw
    /// the same
    void append(std::span<const float> values);
    /// Hands everything appended so far to the operating system. @throws Error(run_failure)
    void flush();
    /// Flushes and closes. A second close does nothing. @throws Error(run_failure)
    void close();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ydot::data
