#include "sim/probe.hpp"

#include <algorithm>

namespace ydot {

std::vector<RecordedSynapse> synapses_onto(const Projection& projection, std::span<const std::uint32_t> units) {
    std::vector<RecordedSynapse> synapses;
    std::uint64_t index = 0;
    for (const auto& block : projection.blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, const float& weight) {
            const std::uint32_t unit = block.first_target() + target;
            if (std::binary_search(units.begin(), units.end(), unit)) synapses.push_back({source, unit, index, &weight});
            ++index;
        });
    std::stable_sort(synapses.begin(), synapses.end(), [](const auto& a, const auto& b) { return a.target < b.target; });
    return synapses;
}

}  // namespace ydot
