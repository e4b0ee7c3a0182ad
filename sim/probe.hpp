#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/circuit.hpp"

namespace ydot {

/// What is read from a replica while it runs. A frame of step n is taken as step n begins: it has the state at the end of step n - 1, the
/// time n dt; that of step 0 is the state at the start. A current from outside is that of the step that ends then (step 0: none).
struct Probe {
    static constexpr std::size_t current = static_cast<std::size_t>(-1);  ///< as a variable: the current from outside
    std::size_t population = 0;
    std::size_t variable = 0;  ///< of Population::state_names()
    std::optional<std::size_t>
        projection{};  ///< in place of a variable: weights of the synapses onto the units, in the order of synapses_onto()
    std::vector<std::uint32_t> units{};   ///< ascending, at least one
    Step first = 0, every = 1, last = 0;  ///< frames of first, first + every, ... below last

    /// How many frames there are before step n.
    Step frames_before(Step n) const noexcept {
        const Step end = std::min(n, last);
        return end <= first ? 0 : (end - first + every - 1) / every;
    }
    bool due(Step n) const noexcept { return n >= first && n < last && (n - first) % every == 0; }
};

/// Sees the frames of a replica after every window, those of a probe in their order.
class FrameObserver {
public:
    virtual ~FrameObserver() = default;
    /// @param values  one for each unit, or synapse, of the probe
    virtual void frame(std::size_t probe, std::span<const float> values) = 0;
};

/// A synapse of a projection onto a recorded unit.
struct RecordedSynapse {
    std::uint32_t source, target;
    std::uint64_t index;  ///< in the order of Projection::blocks and SynapseBlock::for_each: that of weights.h5
    const float* weight;
};
/// The synapses of a projection onto `units` (ascending), by target, those of one target by `index`.
std::vector<RecordedSynapse> synapses_onto(const Projection&, std::span<const std::uint32_t> units);

}  // namespace ydot
