#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace ydot {

/// Time inside the engine: an integer number of steps of dt since the start of the run or of the presentation.
using Step = std::int64_t;

/// The spikes of one population in one step. A unit with two spikes in a step is there twice (on the grid: by sixteen units, those
/// that fire, then those of them that fire twice, and so on). `offset` is the time within the step, in [0, 1) steps,
/// for spikes in continuous time (then in order of time within a shard) and empty for spikes on the grid.
struct SpikeList {
    std::vector<std::uint32_t> unit;
    std::vector<float> offset;
    void clear() noexcept {
        unit.clear();
        offset.clear();
    }
    float offset_of(std::size_t k) const noexcept { return offset.empty() ? 0.0f : offset[k]; }
    void append(const SpikeList& other) {
        unit.insert(unit.end(), other.unit.begin(), other.unit.end());
        offset.insert(offset.end(), other.offset.begin(), other.offset.end());
    }
};

/// The last `capacity` steps of a population's spikes: what is still on its way, and what a presentation has to remember.
class SpikeHistory {
public:
    explicit SpikeHistory(std::size_t capacity = 1) : slots_(capacity) {}
    SpikeList& at(Step n) noexcept { return slots_[slot(n)]; }
    const SpikeList& at(Step n) const noexcept { return slots_[slot(n)]; }
    std::size_t capacity() const noexcept { return slots_.size(); }
    void clear() noexcept {
        for (auto& slot : slots_) slot.clear();
    }

private:
    std::size_t slot(Step n) const noexcept { return static_cast<std::size_t>(n) % slots_.size(); }
    std::vector<SpikeList> slots_;
};

}  // namespace ydot
