#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/description.hpp"
#include "sim/lanes.hpp"
#include "sim/spikes.hpp"
#include "sim/synapses.hpp"
#include "sim/vector_math.hpp"

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

/// Time constants of a second trace of each side, which only spikes of its own side read, each just before it counts itself; 0: none.
struct OwnTraces {
    double tau_pre_ms = 0, tau_post_ms = 0;
};

/// Learning by a third factor: the changes by spikes feed an eligibility trace c of each synapse, and the weight follows
///   dw/dt = c (m - baseline),  dc/dt = -c / tau_c,  m(t) = 1 / tau_m sum_{spikes of a population} exp(-(t - t_spike) / tau_m)
/// with times and rates in ms and 1 / ms.
struct Eligibility {
    double tau_c_ms = 0, tau_m_ms = 1, baseline = 0;
    std::string population{};  ///< whose spikes are the third factor
};

/// A third factor that all synapses onto a population share in an image: with its goodness g = sum of y^2 over n units and
/// p = logistic(sharpness (g - threshold n)), the changes are scaled by 1 - p where a phase learns and by -p where it unlearns; a negative
/// sharpness turns both signs round. Where a phase learns, post activity times that factor is joined by
///   peer_normalisation (mean of m over the population - m),  m the running mean activity of a unit over earlier minibatches,
/// in spikes: a change by each arrival alone, as many pairs would make at that activity.
struct LayerFactor {
    double threshold = 0, sharpness = 0, peer_normalisation = 0;
    bool operator==(const LayerFactor&) const = default;
};

/// The latest spikes of the targets of a shard, by age: [age][target], age 0 the newest. Steps count from a base that moves now and then.
struct SpikesByAge {
    static constexpr std::int32_t never = -(1 << 30);
    std::size_t width = 0, ages = 0;   ///< entries of an age, ages
    std::vector<std::int32_t> step{};  ///< `never`: no such spike
    std::vector<float> level{};        ///< exp(-(t - base) / tau_plus)
    std::vector<float> own{};          ///< the second post trace before the spike; empty without one
    std::vector<float> lift{},
        flow{};  ///< exp((t - base) / tau_c) and the integral of exp(-(t - base) / tau_c) (m - baseline) up to t; or empty
};

/// What the spikes of a row's targets do from the row's last visit up to now.
struct CatchUp {
    std::int32_t from = 0;            ///< spikes of this step and later are new
    std::int32_t arrived = 0;         ///< step of the last arrival
    float at_arrival = 0, later = 0;  ///< pre trace of a spike of that step, and of a later one, over its level
    float* eligibility = nullptr;     ///< c of the synapses of the row
    float lift = 0, keep = 0;         ///< exp((t - base) / tau_c) at the last visit, exp(-(t - base) / tau_c) now
    float flow_before = 0, flow_now = 0;
};

/// An arrival.
struct PreSpike {
    const float* level;            ///< by target: post trace over `factor`
    float factor, own;             ///< `own`: the second pre trace before the spike
    float* eligibility = nullptr;  ///< as above
};

/// A plasticity rule with its parameters, as the engine sees it.
class PairRule {
public:
    virtual ~PairRule() = default;
    virtual PairWindow window() const noexcept = 0;
    /// The change by a pair does not depend on the weight: the window says all, and presentations can be learned as a whole.
    virtual bool additive() const noexcept = 0;
    virtual OwnTraces own_traces() const noexcept = 0;
    /// Null: changes take effect at once.
    virtual const Eligibility* eligibility() const noexcept = 0;
    /// Null: without.
    virtual const LayerFactor* layer_factor() const noexcept = 0;
    /// Weights for which the rule is defined.
    virtual Bounds domain() const noexcept = 0;

    /// A spike of the row's source arrives.
    virtual void on_pre(const SynapseBlock::Row& row, const PreSpike&, float learning_rate, Bounds) const noexcept = 0;
    /// Spikes of the targets, each in its turn, then `input` += scale * weight where there is an input.
    virtual void catch_up(const SynapseBlock::Row& row, const SpikesByAge&, const CatchUp&, float learning_rate, Bounds, float scale,
                          float* input) const noexcept = 0;
    /// A target fires: the change of one synapse with pre trace x; `own` is the second post trace before the spike.
    virtual float on_post(float w, float x, float own) const noexcept = 0;
};

namespace detail {
template <class R>
struct CoeffsOf {
    using Type = typename R::Params;
    static Type make(const typename R::Params& params) { return params; }
};
template <class R>
requires requires(const typename R::Params& params) { R::prepare(params); }
struct CoeffsOf<R> {
    using Type = decltype(R::prepare(std::declval<const typename R::Params&>()));
    static Type make(const typename R::Params& params) { return R::prepare(params); }
};
}  // namespace detail

/// What the step of a rule computes with: `prepare(params)` where the rule has it, else its parameters.
template <class R>
using CoeffsOf = typename detail::CoeffsOf<R>::Type;

/// The change by a spike of each side, for float, double or Lanes; `own` is the second trace of that side, for rules that have one.
template <class R, class F>
F change_by_pre(const CoeffsOf<R>& c, F w, F y, F own) noexcept {
    if constexpr (requires { R::on_pre(c, w, y, own); }) return R::on_pre(c, w, y, own);
    else return R::on_pre(c, w, y);
}
template <class R, class F>
F change_by_post(const CoeffsOf<R>& c, F w, F x, F own) noexcept {
    if constexpr (requires { R::on_post(c, w, x, own); }) return R::on_post(c, w, x, own);
    else return R::on_post(c, w, x);
}

/// What a rule provides:
///   window(params)                       time constants of the traces, pairing; amplitudes when additive
///   on_pre(coeffs, w, y), on_post(coeffs, w, x)   the change by a spike, given the other side's trace; templates over the number type
/// and where it needs them
///   additive = true                      the change does not depend on the weight and is proportional to the trace
///   prepare(params)                      coefficients
///   own_traces(params)                   second traces, the last argument of on_pre and on_post
///   eligibility(params)                  a third factor
///   layer_factor(params)                 a third factor of the whole target population
///   domain(params)                       weights that make sense, beside w_min and w_max
template <class R>
concept RuleModel = requires(const typename R::Params& params, const CoeffsOf<R>& coeffs, float f) {
    { R::name } -> std::convertible_to<std::string_view>;
    { R::window(params) } -> std::same_as<PairWindow>;
    { change_by_pre<R>(coeffs, f, f, f) } -> std::same_as<float>;
    { change_by_post<R>(coeffs, f, f, f) } -> std::same_as<float>;
};

template <RuleModel R>
class RuleOf final : public PairRule {
public:
    explicit RuleOf(const typename R::Params& params) : params_(params), coeffs_(detail::CoeffsOf<R>::make(params)) {
        if constexpr (rewarded) eligibility_ = R::eligibility(params);
        if constexpr (layered) layer_factor_ = R::layer_factor(params);
    }
    static constexpr bool rewarded = requires(const typename R::Params& params) { R::eligibility(params); };
    static constexpr bool layered = requires(const typename R::Params& params) { R::layer_factor(params); };
    static constexpr bool has_own = requires(const typename R::Params& params) { R::own_traces(params); };

    PairWindow window() const noexcept override { return R::window(params_); }
    bool additive() const noexcept override {
        if constexpr (requires { R::additive; }) return R::additive;
        else return false;
    }
    OwnTraces own_traces() const noexcept override {
        if constexpr (has_own) return R::own_traces(params_);
        else return {};
    }
    const Eligibility* eligibility() const noexcept override { return rewarded ? &eligibility_ : nullptr; }
    const LayerFactor* layer_factor() const noexcept override { return layered ? &layer_factor_ : nullptr; }
    Bounds domain() const noexcept override {
        if constexpr (requires { R::domain(params_); }) return R::domain(params_);
        else return {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
    }

    void on_pre(const SynapseBlock::Row& row, const PreSpike& spike, float learning_rate, Bounds bounds) const noexcept override {
        const auto coeffs = coeffs_;
        const Lanes low = Lanes{} + bounds.low, high = Lanes{} + bounds.high, own = Lanes{} + spike.own;
        for (std::size_t k = 0; k < row.weight.size(); k += 16) {
            const unsigned n = static_cast<unsigned>(std::min<std::size_t>(16, row.weight.size() - k));
            const TargetLanes at(row.target, k, n);
            const Lanes w = load_lanes(row.weight.data() + k, n),
                        change = learning_rate * change_by_pre<R, Lanes>(coeffs, w, at(spike.level) * spike.factor, own);
            if constexpr (rewarded) store_lanes(spike.eligibility + k, load_lanes(spike.eligibility + k, n) + change, n);
            else store_lanes(row.weight.data() + k, present(row, k, least(greatest(w + change, low), high)), n);
        }
    }

    void catch_up(const SynapseBlock::Row& row, const SpikesByAge& spikes, const CatchUp& since, float learning_rate, Bounds bounds,
                  float scale, float* input) const noexcept override {
        const auto coeffs = coeffs_;
        const Lanes low = Lanes{} + bounds.low, high = Lanes{} + bounds.high, at_arrival = Lanes{} + since.at_arrival,
                    later = Lanes{} + since.later;
        const std::size_t width = spikes.width;
        for (std::size_t k = 0; k < row.weight.size(); k += 16) {
            const unsigned n = static_cast<unsigned>(std::min<std::size_t>(16, row.weight.size() - k));
            const TargetLanes at(row.target, k, n);
            Lanes w = load_lanes(row.weight.data() + k, n), own{};
            [[maybe_unused]] Lanes c{}, flow = Lanes{} + since.flow_before;
            if constexpr (rewarded) c = since.lift * load_lanes(since.eligibility + k, n);
            std::size_t age = 0;
            while (age < spikes.ages && any(at(spikes.step.data() + age * width) >= since.from)) ++age;
            while (age-- > 0) {
                const std::size_t first = age * width;
                const IntLanes step = at(spikes.step.data() + first), is_new = step >= since.from;
                const Lanes x = at(spikes.level.data() + first) * (step == since.arrived ? at_arrival : later);
                if constexpr (has_own)
                    if (!spikes.own.empty()) own = at(spikes.own.data() + first);
                const Lanes change = learning_rate * change_by_post<R, Lanes>(coeffs, w, x, own);
                if constexpr (rewarded) {
                    const Lanes then = at(spikes.flow.data() + first);
                    w = is_new ? least(greatest(w + c * (then - flow), low), high) : w;
                    c = is_new ? c + change * at(spikes.lift.data() + first) : c;
                    flow = is_new ? then : flow;
                } else w = is_new ? least(greatest(w + change, low), high) : w;
            }
            if constexpr (rewarded) {
                w = least(greatest(w + c * (since.flow_now - flow), low), high);
                store_lanes(since.eligibility + k, c * since.keep, n);
            }
            w = present(row, k, w);
            store_lanes(row.weight.data() + k, w, n);
            if (input) add_to(input, row, k, n, scale * w);
        }
    }

    float on_post(float w, float x, float own) const noexcept override { return change_by_post<R>(coeffs_, w, x, own); }

private:
    static Lanes present(const SynapseBlock::Row& row, std::size_t k, Lanes w) noexcept {
        return row.mask ? w * load_lanes(row.mask + k) : w;
    }
    static void add_to(float* input, const SynapseBlock::Row& row, std::size_t k, unsigned n, Lanes amount) noexcept {
        if (!row.target) return store_lanes(input + k, load_lanes(input + k) + amount);
        float each[16];
        store_lanes(each, amount);
        const std::uint16_t* const target = row.target + k;
        if (n == 16)
            for (int i = 0; i < 16; ++i) input[target[i]] += each[i];
        else
            for (unsigned i = 0; i < n; ++i) input[target[i]] += each[i];
    }
    typename R::Params params_;
    CoeffsOf<R> coeffs_;
    LayerFactor layer_factor_;
    Eligibility eligibility_;
};

/// The plasticity of one projection, frozen.
struct Plasticity {
    std::shared_ptr<const PairRule> rule;
    double learning_rate = 1, decay = 0, momentum = 0;
    bool manhattan = false;  ///< of a minibatch only the sign of the change counts
    Gate gate = Gate::later;
    /// Expected pair potentiation of an arrival per unit of weight and of slope, see causal_factor_of(); 0: no correction.
    double causal_factor = 0;
    std::vector<Bounds> of_source;  ///< limits by source (Dale's law)
    /// Population whose spikes are the third factor. A spike counts as many steps later as the shortest delay of the projection.
    std::optional<std::size_t> third_factor{};
};

/// The factor of the causal term (law L3; Kempter, Gerstner & van Hemmen 1999, Phys. Rev. E 59:4498): an arriving spike raises the
/// potential by scale w h(k) after k steps and with it the expected post spikes by slope times that, which the window then potentiates:
///   E[dw] = w slope scale [ (a_plus - a_minus) / 2 h(0) + sum_{k > 0} a_plus exp(-k dt / tau_plus) h(k) ].
/// @param response  h, potential caused by an input of 1
double causal_factor_of(const PairWindow& window, std::span<const double> response, double scale, double dt_ms) noexcept;

/// The causal correction of an arrival at a row. @param slope  by target
void subtract_drift(const Plasticity& plasticity, const SynapseBlock::Row& row, const float* slope) noexcept;

/// Online learning of one block: every change takes effect at once, for whoever reads a weight. Times are in steps.
class OnlineLearner {
public:
    virtual ~OnlineLearner() = default;
    /// Back to time 0, without traces; the weights stay.
    virtual void reset() = 0;

    /// Grid: adds the weights of arriving spikes to the input of step n, before the learning of this step.
    /// @param efficacy  factors of the spikes; null: 1
    virtual void deliver(Step n, std::size_t delay_index, std::span<const std::uint32_t> sources, const float* efficacy, float scale,
                         float* input) = 0;
    /// Grid: all that happens in step n. Each arrival and each spike sees the other side's trace, in which a spike of the same step counts
    /// half, and the second trace of its own side as it was before the step.
    /// @param arrivals  arrivals[d]: sources whose spikes arrive with delay index d
    /// @param fired     targets, counted from the start of the shard
    /// @param slope     d(expected spikes of a step)/du of the targets; null without causal correction
    /// @param rewards   spikes of the third factor
    virtual void step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired,
                      const float* slope, std::size_t rewards = 0) = 0;
    /// Continuous time: one arrival, one spike; times must not decrease.
    virtual void arrive(double time, std::uint32_t source, std::size_t delay_index, const float* slope) = 0;
    virtual void fire(double time, std::uint32_t target) = 0;

    /// @param continuous  whether the targets fire in continuous time
    static std::unique_ptr<OnlineLearner> make(const Plasticity&, SynapseBlock&, double dt_ms, bool continuous);
};

/// Makes every change when its spike comes: in continuous time, and where weights decay by themselves. A post spike visits all its
/// synapses.
class EagerLearner final : public OnlineLearner {
public:
    EagerLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms);

    void reset() override;
    void deliver(Step n, std::size_t delay_index, std::span<const std::uint32_t> sources, const float* efficacy, float scale,
                 float* input) override;
    void step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired, const float* slope,
              std::size_t rewards = 0) override;
    void arrive(double time, std::uint32_t source, std::size_t delay_index, const float* slope) override;
    void fire(double time, std::uint32_t target) override;

private:
    void decay_to(double time);
    void change_by_pre(std::uint32_t source, std::size_t delay_index, const float* slope);
    void change_by_post(std::uint32_t target);
    /// The first half of a spike's contribution to its trace, and the second.
    void count_half(float& trace) const noexcept { trace = nearest_ ? 0.5f * (trace + 1) : trace + 0.5f; }
    void count_rest(float& trace) const noexcept { trace = nearest_ ? 1 : trace + 0.5f; }
    void count(float& trace) const noexcept { trace = nearest_ ? 1 : trace + 1; }

    const Plasticity& plasticity_;
    SynapseBlock& block_;
    PairWindow window_;
    OwnTraces own_;
    bool nearest_;
    double dt_ms_, time_ = 0;
    std::vector<std::vector<float>> pre_trace_, pre_own_;  // by delay index and source
    std::vector<float> post_trace_, post_own_;
};

}  // namespace ydot
