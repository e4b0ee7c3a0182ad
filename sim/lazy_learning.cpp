#include "sim/lazy_learning.hpp"

#include <algorithm>
#include <numbers>

namespace ydot {
namespace {

std::int32_t period_of(const PairWindow& window, const OwnTraces& own, const Eligibility* eligibility, double dt_ms) {
    double shortest_ms = std::min(window.tau_plus_ms, window.tau_minus_ms);
    // the flow of a third factor is a difference of integrals that swell by e in tau_c: four of these cost it six bits
    for (const double tau_ms : {own.tau_pre_ms, own.tau_post_ms, eligibility ? eligibility->tau_c_ms / 15 : 0.0})
        if (tau_ms > 0) shortest_ms = std::min(shortest_ms, tau_ms);
    return static_cast<std::int32_t>(std::clamp(60 * shortest_ms / dt_ms, 1.0, 0x1p24));
}

void multiply(std::vector<float>& all, double factor) {
    for (float& x : all) x *= static_cast<float>(factor);
}

}  // namespace

LazyLearner::LazyLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms)
    : plasticity_(plasticity),
      rule_(*plasticity.rule),
      block_(block),
      window_(rule_.window()),
      own_(rule_.own_traces()),
      eligibility_(rule_.eligibility()),
      nearest_(window_.pairing == Pairing::nearest),
      dt_ms_(dt_ms),
      rate_(static_cast<float>(plasticity.learning_rate)),
      period_(period_of(window_, own_, eligibility_, dt_ms)),
      halvings_(dt_ms / (window_.tau_plus_ms * std::numbers::ln2)) {
    block_.owe(this);
    reset();
}

LazyLearner::~LazyLearner() {
    if (block_.debt() == this) block_.owe(nullptr);
}

void LazyLearner::reset() {
    settle();
    base_ = next_ = 0;
    crowded_ = false;
    last_fired_ = -1;
    third_ = flow_ = lifted_ = 0;
    rows_.assign(block_.sources() * block_.delays().size(), {});
    const std::size_t width = block_.stride() + TargetLanes::padding;
    spikes_ = {.width = width};
    post_.assign(width, 0);
    post_own_.assign(width, 0);
    if (eligibility_) c_.assign(block_.cells(), 0);
}

namespace {

double times_power_of_two(double x, double exponent) noexcept {
    return std::ldexp(x, static_cast<int>(std::clamp(exponent, -4000.0, 4000.0)));
}

}  // namespace

double LazyLearner::level_of(std::int32_t t) const noexcept {
    const double halved = halvings_ * static_cast<double>(base_ + t), whole = std::floor(halved);
    return times_power_of_two(std::exp2(whole - halved), lifted_ - whole);
}

double LazyLearner::per_level(std::int32_t t) const noexcept {
    const double halved = halvings_ * static_cast<double>(base_ + t), whole = std::floor(halved);
    return times_power_of_two(std::exp2(halved - whole), whole - lifted_);
}

void LazyLearner::settle() noexcept {
    if (rows_.empty()) return;
    const auto to = from_base(next_);
    for (std::uint32_t source = 0; source < block_.sources(); ++source)
        for (std::size_t d = 0; d < block_.delays().size(); ++d) visit(source, d, to, 0, nullptr);
}

/// A row with an eligibility trace changes all the time, another by spikes only.
void LazyLearner::visit(std::uint32_t source, std::size_t d, std::int32_t to, float scale, float* input) {
    auto& state = row_of(source, d);
    const auto row = block_.unsettled_row(source, d);
    const bool behind = to > state.visited && (eligibility_ || last_fired_ - base_ >= state.visited);
    if (behind || input) {
        const double level = per_level(state.arrived);
        CatchUp since{.from = behind ? state.visited : to,
                      .arrived = state.arrived,
                      .at_arrival = static_cast<float>(static_cast<double>(state.trace_then) * level),
                      .later = static_cast<float>(static_cast<double>(state.trace) * level)};
        if (eligibility_) {
            since.eligibility = c_.data() + block_.index_of(row);
            since.lift = static_cast<float>(1 / decay(state.visited, eligibility_->tau_c_ms));
            since.keep = static_cast<float>(decay(to, eligibility_->tau_c_ms));
            since.flow_before = state.flow;
            since.flow_now = static_cast<float>(flow_);
        }
        rule_.catch_up(row, spikes_, since, rate_, plasticity_.of_source[source], scale, input);
    }
    state.visited = to;
    state.flow = static_cast<float>(flow_);
}

/// Rows that were not visited since the last move catch up, so that nobody needs the post spikes before it.
void LazyLearner::move_base(Step n) {
    const auto by = from_base(n);
    for (std::uint32_t source = 0; source < block_.sources(); ++source)
        for (std::size_t d = 0; d < block_.delays().size(); ++d)
            if (row_of(source, d).visited < 0) visit(source, d, by, 0, nullptr);

    const double lift = std::round(halvings_ * static_cast<double>(n)) - lifted_;
    const auto level = static_cast<float>(std::exp2(lift));
    lifted_ += lift;
    std::size_t kept = 0;
    for (std::size_t k = 0; k < spikes_.step.size(); ++k) {
        const bool seen = spikes_.step[k] < 0;
        spikes_.step[k] = seen ? SpikesByAge::never : spikes_.step[k] - by;
        spikes_.level[k] = seen ? 0 : spikes_.level[k] * level;
        if (!seen) kept = k / spikes_.width + 1;
    }
    spikes_.ages = kept;
    for (auto* field : {&spikes_.level, &spikes_.own, &spikes_.lift, &spikes_.flow})
        if (!field->empty()) field->resize(kept * spikes_.width);
    spikes_.step.resize(kept * spikes_.width);

    multiply(post_, decay(by, window_.tau_minus_ms));
    if (own_.tau_post_ms > 0) multiply(post_own_, decay(by, own_.tau_post_ms));
    const double swell = eligibility_ ? 1 / decay(by, eligibility_->tau_c_ms) : 1;
    const auto moved = [&](float flow) { return static_cast<float>((static_cast<double>(flow) - flow_) * swell); };
    multiply(spikes_.lift, 1 / swell);
    for (float& flow : spikes_.flow) flow = moved(flow);
    for (auto& row : rows_) {
        row.visited -= by;
        row.arrived = std::max(row.arrived - by, SpikesByAge::never);
        row.flow = moved(row.flow);
    }
    flow_ = 0;
    base_ = n;
    crowded_ = false;
}

void LazyLearner::deliver(Step n, std::size_t d, std::span<const std::uint32_t> sources, const float* efficacy, float scale, float* input) {
    move_base_when_due(n);
    for (std::size_t k = 0; k < sources.size(); ++k) {
        if (k + 1 < sources.size()) {
            const auto ahead = block_.unsettled_row(sources[k + 1], d);
            for (std::size_t line = 0; line < 4; ++line) {
                __builtin_prefetch(ahead.weight.data() + 16 * line, 1);
                if (ahead.target) __builtin_prefetch(ahead.target + 32 * line);
            }
        }
        visit(sources[k], d, from_base(n), efficacy ? scale * efficacy[k] : scale, input);
    }
}

/// The traces of a row decay up to its first arrival in this step; each arrival counts.
void LazyLearner::arrive_at(Row& row, std::int32_t now) {
    if (row.arrived != now) {
        const double steps = now - row.arrived;
        row.trace = row.trace_then = row.trace * static_cast<float>(decay(steps, window_.tau_plus_ms));
        if (own_.tau_pre_ms > 0) row.own *= static_cast<float>(decay(steps, own_.tau_pre_ms));
        row.arrived = now;
    }
    row.trace_then = nearest_ ? 0.5f * (row.trace_then + 1) : row.trace_then + 0.5f;
    row.trace = nearest_ ? 1 : row.trace + 1;
}

/// A post spike enters the list of its target.
void LazyLearner::remember(std::uint32_t target, std::int32_t now) {
    const std::size_t width = spikes_.width;
    const auto field = [&](std::vector<float>& of, bool wanted) {
        if (wanted) of.resize(spikes_.ages * width);
    };
    if (spikes_.ages == 0 || spikes_.step[(spikes_.ages - 1) * width + target] != SpikesByAge::never) {
        ++spikes_.ages;
        spikes_.step.resize(spikes_.ages * width, SpikesByAge::never);
        field(spikes_.level, true);
        field(spikes_.own, own_.tau_post_ms > 0);
        field(spikes_.lift, eligibility_ != nullptr);
        field(spikes_.flow, eligibility_ != nullptr);
    }
    std::size_t last = 0;  // where the list will end
    while (spikes_.step[last * width + target] != SpikesByAge::never) ++last;
    const auto put = [&](auto& of, auto newest) {
        for (std::size_t age = last; age > 0; --age) of[age * width + target] = of[(age - 1) * width + target];
        of[target] = newest;
    };
    put(spikes_.level, static_cast<float>(level_of(now)));
    if (own_.tau_post_ms > 0) put(spikes_.own, static_cast<float>(static_cast<double>(post_own_[target]) * decay(now, own_.tau_post_ms)));
    if (eligibility_) {
        put(spikes_.lift, static_cast<float>(1 / decay(now, eligibility_->tau_c_ms)));
        put(spikes_.flow, static_cast<float>(flow_));
    }
    put(spikes_.step, now);
    crowded_ |= last + 1 >= crowd && spikes_.step[(crowd - 1) * width + target] >= 0;
}

/// Eligible weights follow the third factor from step n to n + 1.
void LazyLearner::flow_on(std::int32_t now, std::size_t rewards) {
    const double tau_c_ms = eligibility_->tau_c_ms, tau_m_ms = eligibility_->tau_m_ms, both_ms = 1 / (1 / tau_c_ms + 1 / tau_m_ms);
    third_ += static_cast<double>(rewards) / tau_m_ms;
    flow_ += decay(now, tau_c_ms) *
             (-third_ * both_ms * std::expm1(-dt_ms_ / both_ms) + eligibility_->baseline * tau_c_ms * std::expm1(-dt_ms_ / tau_c_ms));
    third_ *= decay(1, tau_m_ms);
}

void LazyLearner::step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired,
                       const float* slope, std::size_t rewards) {
    move_base_when_due(n);
    const auto now = from_base(n);
    const auto unit = static_cast<float>(1 / decay(now, window_.tau_minus_ms)),
               level = static_cast<float>(decay(now, window_.tau_minus_ms));
    for (const auto j : fired) post_[j] = nearest_ ? 0.5f * (post_[j] + unit) : post_[j] + 0.5f * unit;
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) {
            visit(i, d, now, 0, nullptr);  // done already by whom the spike was delivered
            arrive_at(row_of(i, d), now);
        }

    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) {
            const auto row = block_.unsettled_row(i, d);
            if (slope) subtract_drift(plasticity_, row, slope);
            rule_.on_pre(row, {post_.data(), level, row_of(i, d).own, eligibility_ ? c_.data() + block_.index_of(row) : nullptr}, rate_,
                         plasticity_.of_source[i]);
        }
    for (const auto j : fired) remember(j, now);

    for (const auto j : fired) post_[j] = nearest_ ? unit : post_[j] + 0.5f * unit;
    if (own_.tau_post_ms > 0)
        for (const auto j : fired) {
            const auto own_unit = static_cast<float>(1 / decay(now, own_.tau_post_ms));
            post_own_[j] = nearest_ ? own_unit : post_own_[j] + own_unit;
        }
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) row_of(i, d).own = nearest_ ? 1 : row_of(i, d).own + 1;
    if (!fired.empty()) last_fired_ = n;
    if (eligibility_) flow_on(now, rewards);
    next_ = n + 1;
}

}  // namespace ydot
