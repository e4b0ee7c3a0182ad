#include "sim/plasticity.hpp"

#include <algorithm>

#include "sim/lazy_learning.hpp"

namespace ydot {

double causal_factor_of(const PairWindow& window, std::span<const double> response, double scale, double dt_ms) noexcept {
    double sum = 0;
    for (std::size_t k = 0; k < response.size(); ++k)
        sum += response[k] * (k == 0 ? 0.5 * (window.a_plus - window.a_minus)
                                     : window.a_plus * std::exp(-static_cast<double>(k) * dt_ms / window.tau_plus_ms));
    return scale * sum;
}

void subtract_drift(const Plasticity& plasticity, const SynapseBlock::Row& row, const float* slope) noexcept {
    const float drift = static_cast<float>(plasticity.learning_rate) * static_cast<float>(plasticity.causal_factor);
    for (std::size_t k = 0; k < row.weight.size(); ++k) row.weight[k] -= drift * row.weight[k] * slope[row.target ? row.target[k] : k];
}

std::unique_ptr<OnlineLearner> OnlineLearner::make(const Plasticity& plasticity, SynapseBlock& block, double dt_ms, bool continuous) {
    if (continuous || plasticity.decay > 0) return std::make_unique<EagerLearner>(plasticity, block, dt_ms);
    return std::make_unique<LazyLearner>(plasticity, block, dt_ms);
}

namespace {

std::vector<std::vector<float>> traces_of(const SynapseBlock& block) {
    return std::vector<std::vector<float>>(block.delays().size(), std::vector<float>(block.sources()));
}

}  // namespace

EagerLearner::EagerLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms)
    : plasticity_(plasticity),
      block_(block),
      window_(plasticity.rule->window()),
      own_(plasticity.rule->own_traces()),
      nearest_(window_.pairing == Pairing::nearest),
      dt_ms_(dt_ms),
      pre_trace_(traces_of(block)),
      pre_own_(traces_of(block)),
      post_trace_(block.stride() + TargetLanes::padding),
      post_own_(post_trace_) {
    block.index_incoming();
}

void EagerLearner::reset() {
    time_ = 0;
    for (auto* of_sources : {&pre_trace_, &pre_own_})
        for (auto& traces : *of_sources) std::fill(traces.begin(), traces.end(), 0.0f);
    for (auto* traces : {&post_trace_, &post_own_}) std::fill(traces->begin(), traces->end(), 0.0f);
}

void EagerLearner::decay_to(double time) {
    const double elapsed_ms = (time - time_) * dt_ms_;
    if (elapsed_ms <= 0) return;
    time_ = time;
    const auto relax = [elapsed_ms](std::vector<float>& traces, double tau_ms) {
        if (tau_ms <= 0) return;
        const auto keep = static_cast<float>(std::exp(-elapsed_ms / tau_ms));
        for (float& trace : traces) trace *= keep;
    };
    for (auto& traces : pre_trace_) relax(traces, window_.tau_plus_ms);
    for (auto& traces : pre_own_) relax(traces, own_.tau_pre_ms);
    relax(post_trace_, window_.tau_minus_ms);
    relax(post_own_, own_.tau_post_ms);
    if (plasticity_.decay > 0) {
        const auto keep = static_cast<float>(std::pow(1 - plasticity_.decay, elapsed_ms * 1e-3));
        for (std::uint32_t source = 0; source < block_.sources(); ++source)
            for (std::size_t d = 0; d < block_.delays().size(); ++d)
                for (float& w : block_.row(source, d).weight)
                    if (w != 0) w = std::min(std::max(keep * w, plasticity_.of_source[source].low), plasticity_.of_source[source].high);
    }
}

void EagerLearner::change_by_pre(std::uint32_t source, std::size_t d, const float* slope) {
    const auto row = block_.row(source, d);
    if (slope) subtract_drift(plasticity_, row, slope);
    plasticity_.rule->on_pre(row, {post_trace_.data(), 1, pre_own_[d][source]}, static_cast<float>(plasticity_.learning_rate),
                             plasticity_.of_source[source]);  // keeps the bounds
}

void EagerLearner::change_by_post(std::uint32_t target) {
    const auto rate = static_cast<float>(plasticity_.learning_rate);
    block_.for_incoming(target, [&](float& w, std::uint32_t source, std::size_t d) {
        const float changed = w + rate * plasticity_.rule->on_post(w, pre_trace_[d][source], post_own_[target]);
        w = std::min(std::max(changed, plasticity_.of_source[source].low), plasticity_.of_source[source].high);
    });
}

void EagerLearner::deliver(Step, std::size_t delay_index, std::span<const std::uint32_t> sources, const float* efficacy, float scale,
                           float* input) {
    block_.deliver(sources, delay_index, efficacy, scale, input);
}

void EagerLearner::step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired,
                        const float* slope, std::size_t) {
    decay_to(static_cast<double>(n));
    for (const auto j : fired) count_half(post_trace_[j]);
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) count_half(pre_trace_[d][i]);

    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) change_by_pre(i, d, slope);
    for (const auto j : fired) change_by_post(j);

    for (const auto j : fired) count_rest(post_trace_[j]), count(post_own_[j]);
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) count_rest(pre_trace_[d][i]), count(pre_own_[d][i]);
}

void EagerLearner::arrive(double time, std::uint32_t source, std::size_t delay_index, const float* slope) {
    decay_to(time);
    change_by_pre(source, delay_index, slope);
    count(pre_trace_[delay_index][source]);
    count(pre_own_[delay_index][source]);
}

void EagerLearner::fire(double time, std::uint32_t target) {
    decay_to(time);
    change_by_post(target);
    count(post_trace_[target]);
    count(post_own_[target]);
}

}  // namespace ydot
