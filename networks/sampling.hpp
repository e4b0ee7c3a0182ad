#pragma once
#include <cmath>
#include <cstdint>

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

/// The units that one unit may be paired with: all, or all but itself.
struct Partners {
    std::uint32_t units, self;
    bool without_self;

    std::uint32_t count() const noexcept { return units - (without_self ? 1 : 0); }
    std::uint32_t operator[](std::uint32_t rank) const noexcept { return rank + (without_self && rank >= self ? 1 : 0); }
};

/// Visits each of the ranks 0 ... count - 1 independently with `probability`, in ascending order.
/// The gaps are geometric, so the cost is that of the visits (Batagelj & Brandes 2005).
template <class Visit>
void visit_share(Draws draws, double probability, std::uint32_t count, Visit visit) {
    if (probability <= 0) return;
    const double rate = -std::log1p(-probability);  // infinite for probability 1: every gap is 0
    const auto gap = [&] { return std::floor(draws.exponential() / rate); };
    for (double rank = gap(); rank < count; rank += 1 + gap()) visit(static_cast<std::uint32_t>(rank));
}

/// Visits `wanted` of the ranks 0 ... count - 1, drawn independently: one may be visited again.
template <class Visit>
void visit_any(Draws draws, std::uint32_t wanted, std::uint32_t count, Visit visit) {
    for (std::uint32_t k = 0; k < wanted; ++k) visit(draws.below(count));
}

/// Visits a uniform subset of `wanted` of the ranks 0 ... count - 1, in the order of the draws (Floyd's algorithm; Bentley & Floyd 1987).
/// @param taken  scratch of `count` zeros or more, zeros again afterwards
template <class Visit>
void visit_subset(Draws draws, std::uint32_t wanted, std::uint32_t count, std::vector<bool>& taken, Visit visit) {
    std::vector<std::uint32_t> chosen;
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
