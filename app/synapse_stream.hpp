#pragma once
#include "networks/edges.hpp"
#include "sim/quantiles.hpp"
#include "sim/static_synapses.hpp"

namespace ydot::app {

/// The synapses of a static projection of a description, drawn source by source on demand. Numbers of a synapse are keyed by projection,
/// source and the place among the synapses of the source.
class DescribedSynapses final : public SynapseStream {
public:
    /// @param scale  input per unit of weight
    DescribedSynapses(const ProjectionSpec& spec, const RunSpec& run, networks::TargetsOf targets, double scale);

    void targets(std::uint32_t source, std::vector<std::uint32_t>& out) const override { targets_(source, out); }
    void draw(std::uint32_t source, std::vector<DrawnSynapse>& out) const override;
    float largest_weight() const override { return std::max(std::abs(weight_.lowest()), std::abs(weight_.highest())); }
    std::uint16_t longest_delay() const override { return to_delay(delay_.highest()); }
    std::uint16_t shortest_delay() const override { return to_delay(delay_.lowest()); }

private:
    std::uint16_t to_delay(float steps) const noexcept {
        return static_cast<std::uint16_t>(std::min(std::max(steps + 0.5f, 1.0f), 65535.0f));
    }
    networks::TargetsOf targets_;
    std::uint64_t seed_;
    std::uint32_t weight_stream_, delay_stream_;
    Quantiles weight_, delay_;  ///< delay in steps
};

}  // namespace ydot::app
