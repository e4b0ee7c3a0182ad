#pragma once
#include <span>
#include <vector>

#include "sim/circuit.hpp"
#include "sim/rate_layer.hpp"

namespace ydot {

/// A projection in the rate reading: a matrix W, targets x sources, of which only the synapses that exist learn.
class RateLink {
public:
    /// @throws Error for a plastic projection with several synapses between the same two units
    explicit RateLink(const Circuit& circuit, std::size_t projection);

    std::size_t from() const noexcept { return projection_->from; }
    std::size_t to() const noexcept { return projection_->to; }
    const Projection& projection() const noexcept { return *projection_; }
    bool plastic() const noexcept { return projection_->plasticity.has_value(); }

    /// out += W y for the targets [first, first + count). @param forward  the link whose weights this one follows, if it follows
    void add_input(const RateMatrix& y, Eigen::Index first, Eigen::Index count, RateMatrix& out, const RateLink* forward) const;

    /// A part of a change: factor x post x pre^T, summed over images.
    struct Product {
        const RateMatrix* post;
        const RateMatrix* pre;
        float factor;
    };
    /// w <- (1 - decay factor)^images w + learning_rate factor v,  v <- momentum v + sum of products (or its sign, `manhattan`), then
    /// limits.
    void learn(std::span<const Product> products, double factor, std::size_t images);
    /// The same in parts: sums products up, until learn_sum() makes the change.
    void add(std::span<const Product> products);
    void learn_sum(double factor, std::size_t images);
    /// The sum so far, which is taken away, synapse by synapse in the order of SynapseBlock::for_each.
    std::vector<double> take_sum();

    /// Takes over the signs of `forward`, for links that follow them. @param refresh  counts the minibatches, for redrawn magnitudes
    void follow_signs(const RateLink& forward, std::uint64_t seed, std::uint32_t refresh);

    /// One step of the random walk of weights that drift by d a minibatch, which keeps their mean and their variance:
    ///   w <- mean + sqrt(1 - d^2) (w - mean) + d std x,   x standard normal; mean and std of the weights as they were drawn.
    void drift(std::uint64_t seed, std::uint32_t minibatch);
    bool drifts() const noexcept { return projection_->drift > 0; }
    bool changes() const noexcept { return plastic() || drifts(); }

    const RateMatrix& weights() const noexcept { return weight_; }
    void forget_velocity() noexcept { velocity_.resize(0, 0); }
    bool has_sum() const noexcept { return has_sum_; }
    void set_weights(std::span<const float> weights);
    /// Writes the weights into the circuit.
    void store(Circuit& circuit) const;

private:
    void start_velocity();
    // of these sources:
    void add_products(std::span<const Product> products, Eigen::Index first, Eigen::Index count);
    void change_weights(double factor, std::size_t images, Eigen::Index first, Eigen::Index count);

    const Projection* projection_;
    std::size_t index_;
    RateMatrix weight_, velocity_, sum_;
    RateMatrix mask_;           ///< 1 where there is a synapse; empty: everywhere
    RateMatrix magnitudes_;     ///< of weights that follow signs
    float mean_ = 0, std_ = 0;  ///< of the weights as drawn, where they drift
    bool has_sum_ = false;
};

/// The link whose weights this one follows; null where it follows none. @param links  of all projections, in their order
inline const RateLink* followed_by(const RateLink& link, std::span<const RateLink> links) noexcept {
    return link.projection().follows == Follows::nothing ? nullptr : &links[link.projection().forward];
}

}  // namespace ydot
