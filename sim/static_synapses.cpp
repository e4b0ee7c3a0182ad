#include "sim/static_synapses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/error.hpp"
#include "sim/parallel.hpp"

namespace ydot {
namespace {

constexpr std::size_t sources_at_a_time = 64;

std::uint32_t packed(std::uint32_t slot, float weight, float unit) noexcept {
    const auto rounded = static_cast<std::int32_t>(std::lround(weight / unit));
    return slot | static_cast<std::uint32_t>(std::clamp(rounded, -32767, 32767)) << 16;
}

}  // namespace

StaticSynapses::StaticSynapses(std::span<const std::uint32_t> sizes, std::vector<Targets> targets, float weight_unit,
                               std::size_t longest_delay)
    : sizes_(sizes.begin(), sizes.end()), targets_(std::move(targets)), unit_(weight_unit), longest_delay_(longest_delay) {
    std::uint32_t sources = 0;
    for (const auto size : sizes) first_source_.push_back(std::exchange(sources, sources + size));
    for (const auto& range : targets_) first_slot_.push_back(std::exchange(slots_, slots_ + range.slots()));
    source_begin_.assign(std::size_t{sources} + 1, 0);
}

std::size_t StaticSynapses::bytes_for(std::size_t synapses, std::size_t sources, std::size_t longest_delay) noexcept {
    return 4 * (synapses + std::min(synapses, sources * longest_delay) + sources) + 8 * (sources + 1);
}

/// Room for the synapses, once source_begin_ counts them.
void StaticSynapses::allocate() {
    for (std::size_t p = 0; p < sizes_.size(); ++p) {
        const auto counts = source_begin_.begin() + 1 + first_source_[p];
        synapses_from_.push_back(std::accumulate(counts, counts + sizes_[p], std::size_t{0}));
    }
    std::transform_inclusive_scan(source_begin_.begin() + 1, source_begin_.end(), source_begin_.begin() + 1, std::plus<>(),
                                  [this](std::uint64_t count) { return words_for(count, longest_delay_); });
    synapse_.reset(LargePages<std::uint32_t>().allocate(source_begin_.back()));  // not cleared: put() writes all that is read
}

/// The synapses of one source, with the slot in place of the target, sorted by delay (counting sort).
/// @param begin  scratch
void StaticSynapses::put(std::size_t source, std::vector<DrawnSynapse>& drawn, std::vector<std::uint32_t>& begin) noexcept {
    begin.assign(longest_delay_ + 1, 0);
    for (const auto& synapse : drawn) ++begin[synapse.delay];
    std::uint32_t* const words = synapse_.get() + source_begin_[source];
    std::uint32_t end = 0, last = 0;
    for (std::uint32_t delay = 1; delay <= longest_delay_; ++delay) {
        const std::uint32_t count = begin[delay];
        if (count == 0) continue;
        words[end] = count | (delay - std::exchange(last, delay)) << 16;
        begin[delay] = end + 1;
        end += 1 + count;
    }
    words[end] = 0;
    for (const auto& synapse : drawn) words[begin[synapse.delay]++] = packed(synapse.target, synapse.weight, unit_);
    drawn.clear();
}

class StaticSynapses::Builder {
public:
    Builder(std::span<const std::uint32_t> sizes, std::span<const Input> inputs, std::vector<std::vector<Targets>> partitions)
        : sizes_(sizes), inputs_(inputs), pieces_(sizes.size()) {
        float largest = 0;
        std::size_t longest = 1;
        for (const auto& input : inputs) {
            largest = std::max(largest, input.stream->largest_weight());
            longest = std::max<std::size_t>(longest, input.stream->longest_delay());
        }
        for (std::size_t k = 0; k < partitions.size(); ++k) {
            std::uint32_t slot = 0;
            for (const auto& range : partitions[k])
                pieces_[range.units.population].push_back(
                    {range.units.first, range.units.units, k, std::exchange(slot, slot + range.slots()), range.room});
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
        std::uint32_t slot, room;
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
                for (std::size_t k = 0; k < built_.size(); ++k)
                    if ((built_[k].source_begin_[source_of(input.from, s) + 1] += counts[k]) > most_slots)
                        throw Error(fmt::format("a unit has more than {} synapses of unchanging weight onto {} units", most_slots,
                                                built_[k].slots()));
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
                        kept[piece.partition].push_back(
                            {piece.slot + input.port * piece.room + (synapse.target - piece.first), synapse.delay, synapse.weight});
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

std::vector<StaticSynapses> StaticSynapses::build(std::span<const std::uint32_t> sizes, std::span<const Input> inputs,
                                                  std::vector<std::vector<Targets>> partitions) {
    return Builder(sizes, inputs, std::move(partitions))();
}

namespace {

/// What a run is likely to cover, in cache lines.
template <int level>
void fetch(const std::uint32_t* run) noexcept {
    for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(run + 16 * line, 0, level);
}

}  // namespace

void StaticSynapses::send(Step n, std::size_t population, std::span<const std::uint32_t> spikes, Arrivals& arrivals) const {
    for (const auto unit : spikes) {
        const std::uint32_t* const run = synapse_.get() + source_begin_[first_source_[population] + unit];
        if (*run == 0) continue;
        arrivals.at(n + static_cast<Step>(*run >> 16)).push_back(run);
        fetch<2>(run);
    }
}

/// What the spike needs next is fetched into the second-level cache, the run two places ahead in the list into the first.
void StaticSynapses::deliver(Step n, Arrivals& arrivals, std::int32_t* const input) const {
    auto& due = arrivals.at(n);
    for (std::size_t k = 0; k < due.size(); ++k) {
        if (k + 2 < due.size()) fetch<3>(due[k + 2]);
        const std::uint32_t* run = due[k];
        const std::uint32_t *synapse = run + 1, *const end = synapse + (*run & 0xFFFF);
        for (; synapse + 4 <= end; synapse += 4)
            for (int i = 0; i < 4; ++i) input[synapse[i] & 0xFFFF] += static_cast<std::int32_t>(synapse[i]) >> 16;
        for (; synapse < end; ++synapse) input[*synapse & 0xFFFF] += static_cast<std::int32_t>(*synapse) >> 16;
        if (*end == 0) continue;
        arrivals.at(n + static_cast<Step>(*end >> 16)).push_back(end);
        fetch<2>(end);
    }
    due.clear();
}

void StaticSynapses::for_each(
    const std::function<void(std::size_t, std::uint32_t, std::size_t, std::uint32_t, std::uint32_t, std::uint16_t, float)>& f) const {
    const auto call = [&](std::size_t from, std::uint32_t source, std::uint32_t delay, std::uint32_t word) {
        const std::uint32_t slot = word & 0xFFFF;
        const auto k = static_cast<std::size_t>(std::upper_bound(first_slot_.begin(), first_slot_.end(), slot) - first_slot_.begin()) - 1;
        const auto& range = targets_[k];
        const std::uint32_t place = slot - first_slot_[k];
        f(from, source, range.units.population, range.units.first + place % range.room, place / range.room,
          static_cast<std::uint16_t>(delay), unit_ * static_cast<float>(static_cast<std::int32_t>(word) >> 16));
    };
    for (std::size_t p = 0; p < sizes_.size(); ++p)
        for (std::uint32_t s = 0; s < sizes_[p]; ++s) {
            std::uint32_t delay = 0;
            for (const std::uint32_t* run = synapse_.get() + source_begin_[first_source_[p] + s]; *run != 0; run += 1 + (*run & 0xFFFF)) {
                delay += *run >> 16;
                for (std::uint32_t i = 1; i <= (*run & 0xFFFF); ++i) call(p, s, delay, run[i]);
            }
        }
}

}  // namespace ydot
