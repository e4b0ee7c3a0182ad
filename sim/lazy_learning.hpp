#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/plasticity.hpp"

namespace ydot {

/// Online learning on the grid that makes changes when a weight is needed: a weight is read when its source fires, so what post spikes do
/// to the synapses of a source waits for its next arrival, where they lie side by side, instead of a visit at random places at each post
/// spike. At an arrival in step n, synapse by synapse:
///   catch up   the spikes of the target in [last visit, n), oldest first, with the pre trace of the last arrival, decayed in closed form
///   deliver    the weight, as it is before the learning of step n
///   learn      the change by the arrival, with the post trace (once step n has fired)
/// Changes are those of EagerLearner in the same order, so weights agree to rounding; no bit depends on who reads weights when (but for
/// rules with an eligibility trace, whose integral is cut at each reading). Time runs from a base that moves every 60 of the shortest time
/// constant, or when a target has fired often, so that exp(+-(t - base) / tau) are floats; then sources that were silent for so long are
/// caught up, and post spikes that all have seen are forgotten. Levels that wait for a row move by powers of two, which round nothing.
class LazyLearner final : public OnlineLearner, private SynapseBlock::Debt {
public:
    LazyLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms);
    LazyLearner(const LazyLearner&) = delete;
    LazyLearner& operator=(const LazyLearner&) = delete;
    ~LazyLearner() override;

    void reset() override;
    void deliver(Step n, std::size_t delay_index, std::span<const std::uint32_t> sources, const float* efficacy, float scale,
                 float* input) override;
    void step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired, const float* slope,
              std::size_t rewards = 0) override;
    void arrive(double, std::uint32_t, std::size_t, const float*) override {}
    void fire(double, std::uint32_t) override {}

private:
    /// A row: the synapses of one source with one delay. Steps from the base.
    struct Row {
        std::int32_t visited = 0;                   ///< spikes of the targets before this step are in the weights
        std::int32_t arrived = SpikesByAge::never;  ///< the last arrival
        float trace = 0, trace_then = 0;            ///< pre trace behind the last arrival, and as a spike of that step sees it
        float own = 0;                              ///< second pre trace, behind the last arrival
        float flow = 0;                             ///< flow_ at the last visit
    };
    void settle() noexcept override;
    void move_base(Step n);
    void move_base_when_due(Step n) {
        if (n - base_ >= period_ || (crowded_ && n > base_)) move_base(n);
    }
    /// Catches up with all spikes before step `to` and delivers where there is an input.
    void visit(std::uint32_t source, std::size_t delay_index, std::int32_t to, float scale, float* input);
    void arrive_at(Row& row, std::int32_t now);
    void remember(std::uint32_t target, std::int32_t now);
    void flow_on(std::int32_t now, std::size_t rewards);
    std::int32_t from_base(Step n) const noexcept { return static_cast<std::int32_t>(n - base_); }
    /// The level of a spike, exp(-t / tau_plus) up to a power of two that belongs to the base, and what it is to be multiplied with. Both
    /// are products of a number that does not depend on the base and a power of two.
    double level_of(std::int32_t t) const noexcept;
    double per_level(std::int32_t t) const noexcept;
    double decay(double steps, double tau_ms) const noexcept { return std::exp(-steps * dt_ms_ / tau_ms); }
    Row& row_of(std::uint32_t source, std::size_t d) noexcept { return rows_[source * block_.delays().size() + d]; }

    const Plasticity& plasticity_;
    const PairRule& rule_;
    SynapseBlock& block_;
    PairWindow window_;
    OwnTraces own_;
    const Eligibility* eligibility_;
    bool nearest_;
    double dt_ms_;
    float rate_;
    static constexpr std::size_t crowd = 32;  ///< spikes of a target since the base that make it move: long lists are slow to shift
    bool crowded_ = false;
    std::int32_t period_;                         ///< steps between moves of the base, at most
    double halvings_;                             ///< of a level by a step
    double lifted_ = 0;                           ///< the power of two of this base
    Step base_ = 0, next_ = 0, last_fired_ = -1;  ///< steps before next_ are learned
    std::vector<Row> rows_;
    SpikesByAge spikes_;
    std::vector<float> post_, post_own_;  ///< traces times exp((t - base) / tau), by target
    std::vector<float> c_;                ///< eligibility at the last visit, by synapse
    double third_ = 0, flow_ = 0;         ///< m in 1 / ms; integral of exp(-(t - base) / tau_c) (m - baseline) from the base
};

}  // namespace ydot
