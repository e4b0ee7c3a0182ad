#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "networks/edges.hpp"
#include "sim/random.hpp"

namespace ydot::networks {

/// The draws of one unit of one projection: independent of every other unit, of other projections and of the number of threads.
inline Draws draws_of(const ConnectRequest& request, std::uint32_t unit) noexcept {
    return {request.seed, stream_of(request.name, Purpose::connect), unit};
}

/// So many random words for one unit of one stream.
inline std::vector<std::uint32_t> words_of(std::uint64_t seed, std::uint32_t stream, std::uint32_t unit, std::size_t count) {
    std::vector<std::uint32_t> words((count + 63) / 64 * 64);
    fill_random_words(words, seed, 0, unit, 0, stream);
    return words;
}

/// A word as an integer in [0, count).
constexpr std::uint32_t scaled(std::uint32_t word, std::uint32_t count) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{word} * count) >> 32);
}

/// The units that one unit may be paired with: all, or all but itself.
struct Partners {
    std::uint32_t units, self;
    bool without_self;

    std::uint32_t count() const noexcept { return units - (without_self ? 1 : 0); }
    std::uint32_t operator[](std::uint32_t rank) const noexcept { return rank + (without_self && rank >= self ? 1 : 0); }
};

/// @throws Error unless `needed` synapses of a unit find partners: one with multapses, else as many
/// @param key    of the number of synapses
/// @param kind   "source" or "target": what the partners are
inline void require_partners(const ConnectRequest& request, std::string_view key, std::uint32_t degree, bool multapses,
                             std::string_view kind, std::uint32_t available) {
    const std::uint32_t needed = multapses ? std::min(degree, 1u) : degree;
    if (available >= needed) return;
    const std::string partners = " possible " + std::string(kind);
    refuse(request, std::string(key) + ' ' + std::to_string(degree) + " needs at least " + std::to_string(needed) + partners +
                        (needed == 1 ? "" : "s") + ", there " + (available == 1 ? "is " : "are ") + std::to_string(available));
}

/// Visits each of the ranks 0 ... count - 1 independently with `probability`, in ascending order.
/// The gaps are geometric, so the cost is that of the visits (Batagelj & Brandes 2005).
template <class Visit>
void visit_share(Draws draws, double probability, std::uint32_t count, Visit visit) {
    if (probability <= 0) return;
    const double rate = -std::log1p(-probability);  // infinite for probability 1: every gap is 0
    const auto gap = [&] { return std::floor(draws.exponential() / rate); };
    for (double rank = gap(); rank < count; rank += 1 + gap()) visit(static_cast<std::uint32_t>(rank));
}

/// Slots in groups of one probability each, visited independently at a cost of the visits (and the logarithm of the number of groups): the
/// hazards -log(1 - p) of all slots lie end to end on a line, and a Poisson process on it visits the slots it hits.
class SlotGroups {
public:
    /// Groups of small probability first: small hazards need the precision near 0.
    /// @param probability  > 0; 1 counts as 1 - 2^-64
    void add(double probability, std::size_t slots) {
        const double hazard = std::min(-std::log1p(-probability), 44.4);
        const double begin = groups_.empty() ? 0 : end_;
        groups_.push_back({begin, hazard, slots});
        end_ = begin + hazard * static_cast<double>(slots);
    }

    /// Calls visit(group, slot), each slot once at most, in ascending order.
    template <class Visit>
    void visit(Draws& draws, Visit visit) const {
        std::size_t group = 0, next = 0;  // no slot before these is visited any more
        while (group < groups_.size()) {
            const double at = groups_[group].begin + static_cast<double>(next) * groups_[group].hazard + draws.exponential();
            if (at >= end_) return;
            if (const std::size_t found = group_at(at, group); found > group) group = found, next = 0;
            const auto slot = std::max(next, static_cast<std::size_t>((at - groups_[group].begin) / groups_[group].hazard));
            if (slot < groups_[group].slots) visit(group, slot);
            next = slot + 1;
            if (next >= groups_[group].slots) ++group, next = 0;
        }
    }

private:
    /// The group that holds a point; most often it is `group` or one of the next.
    std::size_t group_at(double at, std::size_t group) const {
        for (int tries = 0; tries < 4; ++tries, ++group)
            if (group + 1 == groups_.size() || at < groups_[group + 1].begin) return group;
        const auto after = std::upper_bound(groups_.begin() + static_cast<std::ptrdiff_t>(group), groups_.end(), at,
                                            [](double x, const Group& g) { return x < g.begin; });
        return static_cast<std::size_t>(after - groups_.begin()) - 1;
    }

    struct Group {
        double begin, hazard;
        std::size_t slots;
    };
    std::vector<Group> groups_;
    double end_ = 0;
};

/// Visits `wanted` of the ranks 0 ... count - 1, drawn independently: one may be visited again.
template <class Visit>
void visit_any(Draws draws, std::uint32_t wanted, std::uint32_t count, Visit visit) {
    for (std::uint32_t k = 0; k < wanted; ++k) visit(draws.below(count));
}

/// Visits a uniform subset of `wanted` of the ranks 0 ... count - 1, in the order of the draws (Floyd's algorithm; Bentley & Floyd 1987).
template <class Visit>
void visit_subset(Draws draws, std::uint32_t wanted, std::uint32_t count, Visit visit) {
    thread_local std::vector<bool> taken;  // zeros between calls
    thread_local std::vector<std::uint32_t> chosen;
    if (taken.size() < count) taken.resize(count);
    chosen.clear();
    for (std::uint32_t last = count - wanted; last < count; ++last) {
        const std::uint32_t draw = draws.below(last + 1);
        chosen.push_back(taken[draw] ? last : draw);
        taken[chosen.back()] = true;
    }
    for (const auto rank : chosen) {
        taken[rank] = false;
        visit(rank);
    }
}

}  // namespace ydot::networks
