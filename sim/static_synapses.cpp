#include "sim/static_synapses.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "sim/parallel.hpp"

namespace ydot {
namespace {

constexpr std::size_t sources_at_a_time = 64;

std::uint32_t packed(std::uint32_t slot, float weight, float unit) noexcept {
    const auto rounded = static_cast<std::int32_t>(std::lround(weight / unit));
    return slot | static_cast<std::uint32_t>(std::clamp(rounded, -32767, 32767)) << 16;
}

}  // namespace

StaticSynapses::StaticSynapses(std::span<const std::uint32_t> sizes, std::vector<UnitRange> targets, float weight_unit, std::size_t longest_delay)
    : sizes_(sizes.begin(), sizes.end()), targets_(std::move(targets)), unit_(weight_unit), longest_delay_(longest_delay) {
    std::uint32_t sources = 0, slots = 0;
    for (const auto size : sizes) first_source_.push_back(std::exchange(sources, sources + size));
    for (const auto& range : targets_) first_slot_.push_back(std::exchange(slots, slots + range.units));
    source_begin_.assign(sources + 1, 0);
    run_begin_.assign(sources * (longest_delay_ + 1), 0);
}

/// Room for the synapses, once source_begin_ counts them. Runs are read at random places: large pages spare the processor most of its address
/// translation.
void StaticSynapses::allocate() {
    std::partial_sum(source_begin_.begin(), source_begin_.end(), source_begin_.begin());
    constexpr std::size_t page = std::size_t{1} << 21;
    const std::size_t bytes = (4 * synapses() + page) / page * page;
    synapse_.reset(static_cast<std::uint32_t*>(std::aligned_alloc(page, bytes)));
    if (!synapse_) throw std::bad_alloc();
    madvise(synapse_.get(), bytes, MADV_HUGEPAGE);
}

/// The synapses of one source, with the slot in place of the target, sorted by delay (counting sort).
void StaticSynapses::put(std::size_t source, std::vector<DrawnSynapse>& drawn, std::vector<std::uint32_t>& next) noexcept {
    std::uint32_t* const runs = run_begin_.data() + source * (longest_delay_ + 1);
    for (const auto& synapse : drawn) ++runs[synapse.delay];
    std::partial_sum(runs, runs + longest_delay_ + 1, runs);
    next.assign(runs, runs + longest_delay_);  // the run of delay d begins where that of d - 1 ends
    std::uint32_t* const place = synapse_.get() + source_begin_[source];
    for (const auto& synapse : drawn) place[next[synapse.delay - 1u]++] = packed(synapse.target, synapse.weight, unit_);
    drawn.clear();
}

class StaticSynapses::Builder {
public:
    Builder(std::span<const std::uint32_t> sizes, std::span<const Input> inputs, std::vector<std::vector<UnitRange>> partitions) : sizes_(sizes), inputs_(inputs), pieces_(sizes.size()) {
        float largest = 0;
        std::size_t longest = 1;
        for (const auto& input : inputs) {
            largest = std::max(largest, input.stream->largest_weight());
            longest = std::max<std::size_t>(longest, input.stream->longest_delay());
        }
        for (std::size_t k = 0; k < partitions.size(); ++k) {
            std::uint32_t slot = 0;
            for (const auto& range : partitions[k]) pieces_[range.population].push_back({range.first, range.units, k, std::exchange(slot, slot + range.units)});
            built_.push_back(StaticSynapses(sizes, std::move(partitions[k]), largest > 0 ? largest / 32767 : 1.0f, longest));
        }
    }
    std::vector<StaticSynapses> operator()() {
        for (const auto& input : inputs_) count(input);
        for (auto& partition : built_) partition.allocate();
        for (std::size_t p = 0; p < sizes_.size(); ++p) fill(p);
        return std::move(built_);
    }

private:
    struct Piece {
        std::uint32_t first, units;
        std::size_t partition;
        std::uint32_t slot;
    };
    const Piece& piece_of(std::size_t population, std::uint32_t unit) const noexcept {
        const Piece* piece = pieces_[population].data();
        while (unit - piece->first >= piece->units) ++piece;
        return *piece;
    }
    std::size_t source_of(std::size_t population, std::size_t unit) const noexcept { return built_[0].first_source_[population] + unit; }

    void count(const Input& input) {
        parallel_for(sizes_[input.from], sources_at_a_time, [&](std::size_t begin, std::size_t end) {
            std::vector<std::uint32_t> drawn;
            std::vector<std::uint64_t> counts;
            for (std::size_t s = begin; s < end; ++s) {
                drawn.clear();
                counts.assign(built_.size(), 0);
                input.stream->targets(static_cast<std::uint32_t>(s), drawn);
                for (const auto target : drawn) ++counts[piece_of(input.to, target).partition];
                for (std::size_t k = 0; k < built_.size(); ++k) built_[k].source_begin_[source_of(input.from, s) + 1] += counts[k];
            }
        });
    }
    void fill(std::size_t population) {
        parallel_for(sizes_[population], sources_at_a_time, [&](std::size_t begin, std::size_t end) {
            std::vector<DrawnSynapse> drawn;
            std::vector<std::vector<DrawnSynapse>> kept(built_.size());
            std::vector<std::uint32_t> next;
            for (std::size_t s = begin; s < end; ++s) {
                for (const auto& input : inputs_) {
                    if (input.from != population) continue;
                    drawn.clear();
                    input.stream->draw(static_cast<std::uint32_t>(s), drawn);
                    for (const auto& synapse : drawn) {
                        const auto& piece = piece_of(input.to, synapse.target);
                        kept[piece.partition].push_back({piece.slot + (synapse.target - piece.first), synapse.delay, synapse.weight});
                    }
                }
                for (std::size_t k = 0; k < built_.size(); ++k) built_[k].put(source_of(population, s), kept[k], next);
            }
        });
    }

    std::span<const std::uint32_t> sizes_;
    std::span<const Input> inputs_;
    std::vector<std::vector<Piece>> pieces_;  ///< by population, ascending
    std::vector<StaticSynapses> built_;
};

std::vector<StaticSynapses> StaticSynapses::build(std::span<const std::uint32_t> sizes, std::span<const Input> inputs, std::vector<std::vector<UnitRange>> partitions) {
    return Builder(sizes, inputs, std::move(partitions))();
}

/// The runs of all spikes of one step and delay. What the next step needs of a spike is fetched into the second-level cache, the run of the spike two
/// places ahead into the first.
void StaticSynapses::add_runs(std::size_t population, std::span<const std::uint32_t> spikes, std::size_t delay,
                              std::int32_t* const input) const noexcept {
    const std::size_t first = first_source_[population];
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        if (k + 2 < spikes.size()) {
            const auto* const ahead = run(first + spikes[k + 2], delay);
            for (std::size_t line = 0; line < 3; ++line) __builtin_prefetch(ahead + 16 * line, 0, 3);
        }
        const std::size_t source = first + spikes[k];
        const std::uint32_t *synapse = run(source, delay), *const end = synapse_.get() + source_begin_[source] + run_begin_[source * (longest_delay_ + 1) + delay];
        if (delay < longest_delay_)
            for (std::size_t line = 0; line < 3; ++line) __builtin_prefetch(end + 16 * line, 0, 2);
        for (; synapse + 4 <= end; synapse += 4)
            for (int i = 0; i < 4; ++i) input[synapse[i] & 0xFFFF] += static_cast<std::int32_t>(synapse[i]) >> 16;
        for (; synapse < end; ++synapse) input[*synapse & 0xFFFF] += static_cast<std::int32_t>(*synapse) >> 16;
    }
}

std::size_t StaticSynapses::bytes() const noexcept { return 4 * synapses() + 8 * source_begin_.size() + 4 * run_begin_.size(); }

void StaticSynapses::for_each(const std::function<void(std::size_t, std::uint32_t, std::size_t, std::uint32_t, std::uint16_t, float)>& f) const {
    for (std::size_t p = 0; p < sizes_.size(); ++p)
        for (std::uint32_t s = 0; s < sizes_[p]; ++s)
            for (std::size_t d = 1; d <= longest_delay_; ++d) {
                const std::size_t source = first_source_[p] + s;
                const auto* const end = synapse_.get() + source_begin_[source] + run_begin_[source * (longest_delay_ + 1) + d];
                for (const auto* synapse = run(source, d); synapse < end; ++synapse) {
                    const std::uint32_t slot = *synapse & 0xFFFF;
                    const auto range = static_cast<std::size_t>(std::upper_bound(first_slot_.begin(), first_slot_.end(), slot) - first_slot_.begin()) - 1;
                    f(p, s, targets_[range].population, targets_[range].first + slot - first_slot_[range], static_cast<std::uint16_t>(d),
                      unit_ * static_cast<float>(static_cast<std::int32_t>(*synapse) >> 16));
                }
            }
}

}  // namespace ydot
