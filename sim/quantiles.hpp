#pragma once
#include <cstdint>
#include <vector>

#include "sim/description.hpp"

namespace ydot {

/// The normal distribution behind a normal or lognormal one: of the number, or of its logarithm.
struct NormalSpec {
    double mean, std;
};
NormalSpec normal_behind(const DistributionSpec& spec);

/// Draws from a distribution by its quantiles: one random word, one table look-up. The upper half of the word chooses one of 65,536
/// intervals of equal probability, the lower half a place in it; the outermost ones are placed so that the mean of their tail is right. For
/// the synapses of large networks, which need numbers by the hundred million.
class Quantiles {
public:
    /// @param spec   bounds truncate (a draw outside would be repeated)
    /// @param scale  of every draw
    explicit Quantiles(const DistributionSpec& spec, double scale = 1);
    float operator()(std::uint32_t word) const noexcept {
        const float low = edge_[word >> 16], high = edge_[(word >> 16) + 1];
        return low + (high - low) * (static_cast<float>(word & 0xFFFF) * 0x1p-16f);
    }
    float lowest() const noexcept { return edge_.front(); }
    float highest() const noexcept { return edge_.back(); }

private:
    std::vector<float> edge_;
};

}  // namespace ydot
