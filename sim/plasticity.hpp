#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sim/description.hpp"
#include "sim/spikes.hpp"
#include "sim/synapses.hpp"

namespace ydot {

/// All-to-all, or nearest neighbour: a spike pairs with the last spike of the other side only.
enum class Pairing { all, nearest };
template <>
struct EnumNames<Pairing> {
    static constexpr std::array<std::string_view, 2> names{"all", "nearest"};
};

/// Pair window of an additive rule: a pair with s = t_post - t_pre changes the weight by
///   a_plus exp(-s / tau_plus) for s > 0,  -a_minus exp(s / tau_minus) for s < 0,  half of both for s = 0.
struct PairWindow {
    double a_plus = 0, a_minus = 0, tau_plus_ms = 1, tau_minus_ms = 1;
    Pairing pairing = Pairing::all;
};

/// Limits of a change: w <- clamp(w + learning_rate dw).
struct Bounds {
    float low, high;
};

/// A plasticity rule with its parameters, as the engine sees it.
class PairRule {
public:
    virtual ~PairRule() = default;
    virtual PairWindow window() const noexcept = 0;
    /// The change by a pair does not depend on the weight: the window says all, and presentations can be learned as a whole.
    virtual bool additive() const noexcept = 0;
    /// A spike of `row`'s source arrives: `y` are the post traces of the targets.
    virtual void on_pre(const SynapseBlock::Row& row, const float* y, float learning_rate, Bounds) const noexcept = 0;
    /// `target` fires: x[delay index][source] are the pre traces.
    virtual void on_post(SynapseBlock&, std::uint32_t target, std::span<const std::vector<float>> x, float learning_rate,
                         std::span<const Bounds> of_source) const noexcept = 0;
};

/// What a rule provides: the window (time constants, pairing), the change per pair, per unit of the other side's trace, and
/// `static constexpr bool additive = true` if that change does not depend on the weight.
template <class R>
concept RuleModel = requires(const typename R::Params& params, float w, float trace) {
    { R::name } -> std::convertible_to<std::string_view>;
    { R::window(params) } -> std::same_as<PairWindow>;
    { R::on_pre(params, w, trace) } -> std::convertible_to<float>;
    { R::on_post(params, w, trace) } -> std::convertible_to<float>;
};

template <RuleModel R>
class RuleOf final : public PairRule {
public:
    explicit RuleOf(const typename R::Params& params) : params_(params) {}
    PairWindow window() const noexcept override { return R::window(params_); }
    bool additive() const noexcept override {
        if constexpr (requires { R::additive; }) return R::additive;
        else return false;
    }

    void on_pre(const SynapseBlock::Row& row, const float* y, float learning_rate, Bounds bounds) const noexcept override {
        const auto params = params_;
        for (std::size_t k = 0; k < row.weight.size(); ++k) {
            const std::size_t j = row.target ? row.target[k] : k;
            const float changed = row.weight[k] + learning_rate * static_cast<float>(R::on_pre(params, row.weight[k], y[j]));
            row.weight[k] = std::min(std::max(changed, bounds.low), bounds.high) * (row.mask ? row.mask[k] : 1.0f);
        }
    }
    void on_post(SynapseBlock& block, std::uint32_t target, std::span<const std::vector<float>> x, float learning_rate,
                 std::span<const Bounds> of_source) const noexcept override {
        block.for_incoming(target, [&](float& w, std::uint32_t source, std::size_t d) {
            const float changed = w + learning_rate * static_cast<float>(R::on_post(params_, w, x[d][source]));
            w = std::min(std::max(changed, of_source[source].low), of_source[source].high);
        });
    }

private:
    typename R::Params params_;
};

/// The plasticity of one projection, frozen.
struct Plasticity {
    std::shared_ptr<const PairRule> rule;
    double learning_rate = 1, decay = 0, momentum = 0;
    Gate gate = Gate::later;
    /// Expected pair potentiation of an arrival per unit of weight and of slope, see causal_factor_of(); 0: no correction.
    double causal_factor = 0;
    std::vector<Bounds> of_source;  ///< limits by source (Dale's law)
};

/// The factor of the causal term (law L3; Kempter, Gerstner & van Hemmen 1999, Phys. Rev. E 59:4498): an arriving spike raises the
/// potential by scale w h(k) after k steps and with it the expected post spikes by slope times that, which the window then potentiates:
///   E[dw] = w slope scale [ (a_plus - a_minus) / 2 h(0) + sum_{k > 0} a_plus exp(-k dt / tau_plus) h(k) ].
/// @param response  h, potential caused by an input of 1
double causal_factor_of(const PairWindow& window, std::span<const double> response, double scale, double dt_ms) noexcept;

/// Online learning of one block: every change takes effect at once. Traces live here, weights in the block. Times are in steps.
class OnlineLearner {
public:
    OnlineLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms);

    /// Back to time 0, without traces; the weights stay.
    void reset() noexcept;
    /// Grid: all that happens in step n. Each arrival and each spike sees the other side's trace, in which a spike of the same step counts
    /// half.
    /// @param arrivals  arrivals[d]: sources whose spikes arrive with delay index d
    /// @param fired     targets, counted from the start of the shard
    /// @param slope     d(expected spikes of a step)/du of the targets; null without causal correction
    void step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired, const float* slope);
    /// Continuous time: one arrival, one spike; times must not decrease.
    void arrive(double time, std::uint32_t source, std::size_t delay_index, const float* slope);
    void fire(double time, std::uint32_t target);

private:
    void decay_to(double time);
    void change_by_pre(std::uint32_t source, std::size_t delay_index, const float* slope);
    void change_by_post(std::uint32_t target);
    /// The first half of a spike's contribution to its trace, and the second.
    void count_half(float& trace) const noexcept { trace = nearest_ ? 0.5f * (trace + 1) : trace + 0.5f; }
    void count_rest(float& trace) const noexcept { trace = nearest_ ? 1 : trace + 0.5f; }

    const Plasticity& plasticity_;
    SynapseBlock& block_;
    PairWindow window_;
    bool nearest_;
    double dt_ms_, time_ = 0;
    std::vector<std::vector<float>> pre_trace_;  // by delay index and source
    std::vector<float> post_trace_;
};

}  // namespace ydot
