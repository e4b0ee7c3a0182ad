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

}  // namespace ydot::networks
