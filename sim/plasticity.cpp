#include "sim/plasticity.hpp"

#include <algorithm>

namespace ydot {

double causal_factor_of(const PairWindow& window, std::span<const double> response, double scale, double dt_ms) noexcept {
    double sum = 0;
    for (std::size_t k = 0; k < response.size(); ++k)
        sum += response[k] * (k == 0 ? 0.5 * (window.a_plus - window.a_minus)
                                     : window.a_plus * std::exp(-static_cast<double>(k) * dt_ms / window.tau_plus_ms));
    return scale * sum;
}

OnlineLearner::OnlineLearner(const Plasticity& plasticity, SynapseBlock& block, double dt_ms)
    : plasticity_(plasticity),
      block_(block),
      window_(plasticity.rule->window()),
      nearest_(window_.pairing == Pairing::nearest),
      dt_ms_(dt_ms),
      pre_trace_(block.delays().size(), std::vector<float>(block.sources())),
      post_trace_(block.stride()) {}

void OnlineLearner::reset() noexcept {
    time_ = 0;
    for (auto& traces : pre_trace_) std::fill(traces.begin(), traces.end(), 0.0f);
    std::fill(post_trace_.begin(), post_trace_.end(), 0.0f);
}

void OnlineLearner::decay_to(double time) {
    const double elapsed_ms = (time - time_) * dt_ms_;
    if (elapsed_ms <= 0) return;
    time_ = time;
    const auto keep_pre = static_cast<float>(std::exp(-elapsed_ms / window_.tau_plus_ms)),
               keep_post = static_cast<float>(std::exp(-elapsed_ms / window_.tau_minus_ms));
    for (auto& traces : pre_trace_)
        for (float& x : traces) x *= keep_pre;
    for (float& y : post_trace_) y *= keep_post;
    if (plasticity_.decay > 0) {
        const auto keep = static_cast<float>(std::pow(1 - plasticity_.decay, elapsed_ms * 1e-3));
        for (std::uint32_t source = 0; source < block_.sources(); ++source)
            for (std::size_t d = 0; d < block_.delays().size(); ++d)
                for (float& w : block_.row(source, d).weight)
                    if (w != 0) w = std::min(std::max(keep * w, plasticity_.of_source[source].low), plasticity_.of_source[source].high);
    }
}

void OnlineLearner::change_by_pre(std::uint32_t source, std::size_t d, const float* slope) {
    const auto row = block_.row(source, d);
    const auto rate = static_cast<float>(plasticity_.learning_rate);
    if (slope) {
        const float drift = rate * static_cast<float>(plasticity_.causal_factor);
        for (std::size_t k = 0; k < row.weight.size(); ++k) row.weight[k] -= drift * row.weight[k] * slope[row.target ? row.target[k] : k];
    }
    plasticity_.rule->on_pre(row, post_trace_.data(), rate, plasticity_.of_source[source]);  // keeps the bounds
}

void OnlineLearner::change_by_post(std::uint32_t target) {
    plasticity_.rule->on_post(block_, target, pre_trace_, static_cast<float>(plasticity_.learning_rate), plasticity_.of_source);
}

void OnlineLearner::step(Step n, std::span<const std::span<const std::uint32_t>> arrivals, std::span<const std::uint32_t> fired,
                         const float* slope) {
    decay_to(static_cast<double>(n));
    for (const auto j : fired) count_half(post_trace_[j]);
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) count_half(pre_trace_[d][i]);

    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) change_by_pre(i, d, slope);
    for (const auto j : fired) change_by_post(j);

    for (const auto j : fired) count_rest(post_trace_[j]);
    for (std::size_t d = 0; d < arrivals.size(); ++d)
        for (const auto i : arrivals[d]) count_rest(pre_trace_[d][i]);
}

void OnlineLearner::arrive(double time, std::uint32_t source, std::size_t delay_index, const float* slope) {
    decay_to(time);
    change_by_pre(source, delay_index, slope);
    float& trace = pre_trace_[delay_index][source];
    trace = nearest_ ? 1 : trace + 1;
}

void OnlineLearner::fire(double time, std::uint32_t target) {
    decay_to(time);
    change_by_post(target);
    float& trace = post_trace_[target];
    trace = nearest_ ? 1 : trace + 1;
}

}  // namespace ydot
