#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/large_pages.hpp"

namespace ydot {

/// Synapses of one projection as flat arrays, sorted by source. `delay` in steps has one entry for all synapses or one each.
struct Connectivity {
    std::vector<std::uint32_t> source, target;
    std::vector<float> weight;
    std::vector<std::uint16_t> delay;
    std::size_t size() const noexcept { return source.size(); }
    std::uint16_t delay_of(std::size_t k) const noexcept { return delay.size() == 1 ? delay[0] : delay[k]; }
};

/// The synapses of one projection onto one shard of its target population: nobody else writes the inputs of these targets, so
/// shards run in parallel. Targets are counted from the start of the shard.
///   dense   one row of `stride` weights a source (one delay, at least a quarter of the pairs connected); absent synapses weigh 0 and
///           have mask 0 (mask empty: all present)
///   sparse  runs of (target, weight) sorted by (source, delay, target)
/// Whoever reads a weight gets it as it is now: changes that a learner still owes are made first.
class SynapseBlock {
public:
    /// Changes of weights that are known but not made yet.
    class Debt {
    public:
        virtual ~Debt() = default;
        virtual void settle() noexcept = 0;
    };

    /// @throws Error when a sparse block has more than 65,536 targets
    SynapseBlock(const Connectivity& synapses, std::uint32_t sources, std::uint32_t first_target, std::uint32_t targets);

    bool dense() const noexcept { return dense_; }
    std::uint32_t sources() const noexcept { return sources_; }
    std::uint32_t first_target() const noexcept { return first_target_; }
    std::uint32_t targets() const noexcept { return targets_; }
    std::uint32_t stride() const noexcept { return stride_; }
    /// Distinct delays, ascending, in steps.
    std::span<const std::uint16_t> delays() const noexcept { return delays_; }
    std::size_t bytes() const noexcept {
        return 2 * (half_.size() + target_.size()) +
               4 * (weight_.size() + mask_.size() + begin_.size() + incoming_.size() + incoming_begin_.size());
    }

    /// input[target] += scale * weight for every synapse of the sources with this delay.
    void deliver(std::span<const std::uint32_t> sources, std::size_t delay_index, float scale, float* input) const noexcept;
    /// The same with a factor for each spike; null: 1.
    void deliver(std::span<const std::uint32_t> sources, std::size_t delay_index, const float* efficacy, float scale,
                 float* input) const noexcept;

    /// From now on `debt` is settled before a weight is read; null: nothing is owed. What was owed before is settled now.
    void owe(Debt* debt) noexcept {
        settle();
        debt_.of = debt;
    }
    const Debt* debt() const noexcept { return debt_.of; }
    void settle() const noexcept {
        if (debt_.of) debt_.of->settle();
    }

    /// From now on dense rows are delivered from a copy of the weights in half precision, which halves the memory traffic that bounds
    /// delivery (relative error at most 2^-11 for weights between 6e-5 and 65504 in size, absolute 3e-8 below). Whoever changes weights
    /// refreshes the copy of those sources; weights() stays exact.
    void deliver_in_half_precision();
    /// From now on the weights themselves are delivered.
    void deliver_exactly() noexcept { half_.clear(); }
    void refresh_halves(std::uint32_t first_source, std::uint32_t last_source) noexcept;

    /// A row: the weights of one source (dense: of all `stride` targets; sparse: of the run), their targets (sparse) or mask (dense).
    template <class Float>
    struct RowOf {
        std::span<Float> weight;
        const std::uint16_t* target;  ///< null: dense
        const float* mask;            ///< null: all present
    };
    using Row = RowOf<float>;
    Row row(std::uint32_t source, std::size_t delay_index) noexcept {
        settle();
        return unsettled_row(source, delay_index);
    }
    RowOf<const float> row(std::uint32_t source, std::size_t delay_index) const noexcept {
        settle();
        const auto [begin, length] = extent_of(source, delay_index);
        return {
            {weight_.data() + begin, length}, dense_ ? nullptr : target_.data() + begin, mask_.empty() ? nullptr : mask_.data() + begin};
    }
    /// The row as it is stored; for the one who owes the changes.
    Row unsettled_row(std::uint32_t source, std::size_t delay_index) noexcept {
        const auto [begin, length] = extent_of(source, delay_index);
        return {
            {weight_.data() + begin, length}, dense_ ? nullptr : target_.data() + begin, mask_.empty() ? nullptr : mask_.data() + begin};
    }
    /// Where a row begins in weights().
    template <class Float>
    std::size_t index_of(const RowOf<Float>& row) const noexcept {
        return static_cast<std::size_t>(row.weight.data() - weight_.data());
    }
    /// Not to be kept while the network runs.
    std::span<float> weights() noexcept {
        settle();
        return weight_;
    }
    std::span<const float> weights() const noexcept {
        settle();
        return weight_;
    }
    /// Number of weights().
    std::size_t cells() const noexcept { return weight_.size(); }
    std::span<const float> mask() const noexcept { return mask_; }

    /// Calls f(weight, source, delay index) for every synapse onto `target`.
    template <class F>
    void for_incoming(std::uint32_t target, F&& f) {
        settle();
        if (dense_) {
            for (std::uint32_t source = 0; source < sources_; ++source) {
                const std::size_t k = static_cast<std::size_t>(source) * stride_ + target;
                if (mask_.empty() || mask_[k] != 0) f(weight_[k], source, std::size_t{0});
            }
            return;
        }
        for (auto n = incoming_begin_[target]; n < incoming_begin_[target + 1]; ++n) {
            const auto k = incoming_[n];
            const auto run = run_of(k);
            f(weight_[k], static_cast<std::uint32_t>(run / delays_.size()), run % delays_.size());
        }
    }
    /// Calls f(source, target within the shard, delay in steps, weight) for every synapse, by source.
    template <class F>
    void for_each(F&& f) const {
        settle();
        for (std::uint32_t source = 0; source < sources_; ++source)
            for (std::size_t d = 0; d < delays_.size(); ++d) for_run(source, d, f);
    }
    /// Builds the index that for_incoming() needs; plastic sparse blocks only.
    void index_incoming();

private:
    template <class F>
    void for_run(std::uint32_t source, std::size_t d, F&& f) const {
        if (dense_) {
            for (std::uint32_t j = 0; j < targets_; ++j) {
                const std::size_t k = static_cast<std::size_t>(source) * stride_ + j;
                if (mask_.empty() || mask_[k] != 0) f(source, j, delays_[d], weight_[k]);
            }
            return;
        }
        const std::size_t run = static_cast<std::size_t>(source) * delays_.size() + d;
        for (auto k = begin_[run]; k < begin_[run + 1]; ++k) f(source, target_[k], delays_[d], weight_[k]);
    }
    std::size_t run_of(std::uint32_t synapse) const noexcept {
        return static_cast<std::size_t>(std::upper_bound(begin_.begin(), begin_.end(), synapse) - begin_.begin()) - 1;
    }
    std::pair<std::size_t, std::size_t> extent_of(std::uint32_t source, std::size_t delay_index) const noexcept {
        if (dense_) return {static_cast<std::size_t>(source) * stride_, stride_};
        const std::size_t run = static_cast<std::size_t>(source) * delays_.size() + delay_index;
        return {begin_[run], begin_[run + 1] - begin_[run]};
    }
    void fill_dense(const Connectivity&, std::span<const std::uint32_t> chosen);
    void fill_sparse(const Connectivity&, std::span<const std::uint32_t> chosen);
    void sort_runs();

    /// A copy of a block is settled and owes nothing.
    struct Owed {
        Debt* of = nullptr;
        Owed() = default;
        Owed(const Owed& other) noexcept {
            if (other.of) other.of->settle();
        }
        Owed(Owed&& other) noexcept : Owed(other) {}
        Owed& operator=(const Owed& other) noexcept {
            if (other.of) other.of->settle();
            return *this;
        }
    } debt_;  // before the weights, so that these are copied after settling

    std::uint32_t sources_, first_target_, targets_, stride_;
    bool dense_ = false;
    std::vector<std::uint16_t> delays_;
    std::vector<float, LargePages<float>> weight_;
    std::vector<float> mask_;
    // dense: the copy that is delivered; empty: the weights themselves are
    std::vector<_Float16> half_;
    std::vector<std::uint16_t, LargePages<std::uint16_t>> target_;  // sparse
    std::vector<std::uint32_t> begin_;                              // sparse: begin of run source * delays + delay index
    std::vector<std::uint32_t> incoming_, incoming_begin_;          // sparse and plastic: synapse numbers by target
};

}  // namespace ydot
