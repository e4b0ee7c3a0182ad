#include "sim/synapses.hpp"

#include <numeric>
#include <tuple>

#include "sim/error.hpp"
#include "sim/lanes.hpp"

namespace ydot {

SynapseBlock::SynapseBlock(const Connectivity& synapses, std::uint32_t sources, std::uint32_t first_target, std::uint32_t targets)
    : sources_(sources), first_target_(first_target), targets_(targets), stride_((targets + 15) / 16 * 16) {
    std::vector<std::uint32_t> chosen;
    std::vector<bool> used;
    for (std::size_t k = 0; k < synapses.size(); ++k) {
        if (synapses.target[k] - first_target >= targets) continue;
        chosen.push_back(static_cast<std::uint32_t>(k));
        const auto delay = synapses.delay_of(k);
        if (delay >= used.size()) used.resize(delay + std::size_t{1});
        used[delay] = true;
    }
    for (std::size_t delay = 0; delay < used.size(); ++delay)
        if (used[delay]) delays_.push_back(static_cast<std::uint16_t>(delay));
    dense_ = delays_.size() == 1 && chosen.size() * 4 >= static_cast<std::size_t>(sources) * targets;
    if (dense_) fill_dense(synapses, chosen);
    else fill_sparse(synapses, chosen);
}

void SynapseBlock::fill_dense(const Connectivity& synapses, std::span<const std::uint32_t> chosen) {
    const std::size_t cells = static_cast<std::size_t>(sources_) * stride_;
    weight_.assign(cells, 0);
    std::vector<float> present(cells, 0);
    bool multapses = false;
    for (const auto k : chosen) {
        const std::size_t cell = static_cast<std::size_t>(synapses.source[k]) * stride_ + (synapses.target[k] - first_target_);
        multapses |= present[cell] != 0;
        present[cell] = 1;
        weight_[cell] = synapses.weight[k];
    }
    if (multapses) {  // a cell holds one synapse
        dense_ = false;
        return fill_sparse(synapses, chosen);
    }
    if (chosen.size() < static_cast<std::size_t>(sources_) * targets_) mask_ = std::move(present);
}

void SynapseBlock::fill_sparse(const Connectivity& synapses, std::span<const std::uint32_t> chosen) {
    if (targets_ > 65536) throw Error("more than 65536 units that see one another can receive dense projections only");
    weight_.resize(chosen.size());
    target_.resize(chosen.size());
    begin_.assign(static_cast<std::size_t>(sources_) * delays_.size() + 1, 0);
    const auto run = [&](std::uint32_t k) {
        const auto d = std::lower_bound(delays_.begin(), delays_.end(), synapses.delay_of(k)) - delays_.begin();
        return static_cast<std::size_t>(synapses.source[k]) * delays_.size() + static_cast<std::size_t>(d);
    };
    for (const auto k : chosen) ++begin_[run(k) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    auto next = begin_;
    for (const auto k : chosen) {
        const auto place = next[run(k)]++;
        weight_[place] = synapses.weight[k];
        target_[place] = static_cast<std::uint16_t>(synapses.target[k] - first_target_);
    }
    sort_runs();
}

/// By target; synapses of one pair keep their order.
void SynapseBlock::sort_runs() {
    std::vector<std::pair<std::uint16_t, float>> run;
    for (std::size_t r = 0; r + 1 < begin_.size(); ++r) {
        const auto first = begin_[r], last = begin_[r + 1];
        if (std::is_sorted(target_.begin() + first, target_.begin() + last)) continue;
        run.clear();
        for (auto k = first; k < last; ++k) run.emplace_back(target_[k], weight_[k]);
        std::stable_sort(run.begin(), run.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto k = first; k < last; ++k) std::tie(target_[k], weight_[k]) = run[k - first];
    }
}

void SynapseBlock::index_incoming() {
    if (dense_) return;
    incoming_begin_.assign(targets_ + 1, 0);
    for (const auto j : target_) ++incoming_begin_[j + 1];
    std::partial_sum(incoming_begin_.begin(), incoming_begin_.end(), incoming_begin_.begin());
    auto next = incoming_begin_;
    incoming_.resize(target_.size());
    for (std::uint32_t k = 0; k < target_.size(); ++k) incoming_[next[target_[k]]++] = k;
}

void SynapseBlock::deliver_in_half_precision() {
    if (!dense_ || stride_ < 64) return;
    half_.resize(weight_.size());
    refresh_halves(0, sources_);
}

void SynapseBlock::refresh_halves(std::uint32_t first, std::uint32_t last) noexcept {
    const std::size_t begin = static_cast<std::size_t>(first) * stride_;
    if (!half_.empty()) store_halves(half_.data() + begin, weight_.data() + begin, static_cast<std::size_t>(last - first) * stride_);
}

void SynapseBlock::deliver(std::span<const std::uint32_t> sources, std::size_t delay_index, float scale, float* input) const noexcept {
    settle();
    if (dense_) {
        const float* const w = weight_.data();
        const std::size_t stride = stride_;
        const _Float16* const h = half_.data();
        if (half_.empty()) add_rows(input, scale, sources.size(), stride, [=](std::size_t k) { return w + sources[k] * stride; });
        else add_rows(input, scale, sources.size(), stride, [=](std::size_t k) { return h + sources[k] * stride; });
        return;
    }
    for (const auto source : sources) {
        const std::size_t run = static_cast<std::size_t>(source) * delays_.size() + delay_index;
        for (auto k = begin_[run]; k < begin_[run + 1]; ++k) input[target_[k]] += scale * weight_[k];
    }
}

void SynapseBlock::deliver(std::span<const std::uint32_t> sources, std::size_t delay_index, const float* efficacy, float scale,
                           float* input) const noexcept {
    if (!efficacy) return deliver(sources, delay_index, scale, input);
    for (std::size_t k = 0; k < sources.size(); ++k) deliver(sources.subspan(k, 1), delay_index, scale * efficacy[k], input);
}

}  // namespace ydot
