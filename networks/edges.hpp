#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "sim/error.hpp"
#include "sim/parameters.hpp"

namespace ydot::networks {

/// Who is connected to whom in one projection, sorted by (source, target). An edge listed twice is two synapses (a multapse).
struct EdgeList {
    std::vector<std::uint32_t> source, target;  ///< #edges each

    std::size_t size() const noexcept { return source.size(); }
    void add(std::uint32_t from, std::uint32_t to) {
        source.push_back(from);
        target.push_back(to);
    }
    bool operator==(const EdgeList&) const = default;
};

/// Where the weights of a feedback projection come from.
enum class WeightTie {
    none,       ///< its own
    transpose,  ///< the weight of the reverse forward edge times a factor
    sign        ///< the sign of the weight of the reverse forward edge times a factor
};

/// What a connector is told of the projection it connects.
struct ConnectRequest {
    std::string name;  ///< of the projection; with the seed it keys every draw
    std::uint32_t sources = 1, targets = 1;
    bool same_population = false;
    std::uint64_t seed = 1;
    const EdgeList* forward = nullptr;  ///< the projection that a feedback connector answers to: from `targets` to `sources` units
    Source source{};                    ///< where the projection was written, for errors
};

/// Appends the targets of a source; always the same ones, from several threads at once.
using TargetsOf = std::function<void(std::uint32_t source, std::vector<std::uint32_t>& out)>;

/// Throws an Error that names the projection.
[[noreturn]] inline void refuse(const ConnectRequest& request, std::string reason) {
    throw Error("projections." + request.name, std::move(reason), request.source.text());
}

/// #(units + 1) offsets: in a list sorted by `column`, unit u owns the positions offsets[u] ... offsets[u + 1] - 1.
inline std::vector<std::size_t> offsets_of(const std::vector<std::uint32_t>& column, std::uint32_t units) {
    std::vector<std::size_t> offsets(std::size_t{units} + 1);
    for (const auto unit : column) ++offsets[std::size_t{unit} + 1];
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    return offsets;
}

/// Every edge turned round, sorted again (stable counting sort: O(edges + targets)).
/// @param edges    sorted by source; the targets of a source may be in any order
/// @param targets  number of target units
inline EdgeList reversed(const EdgeList& edges, std::uint32_t targets) {
    auto next = offsets_of(edges.target, targets);
    EdgeList result{std::vector<std::uint32_t>(edges.size()), std::vector<std::uint32_t>(edges.size())};
    for (std::size_t k = 0; k < edges.size(); ++k) {
        const std::size_t place = next[edges.target[k]]++;
        result.source[place] = edges.target[k];
        result.target[place] = edges.source[k];
    }
    return result;
}

/// #edges positions: edge k of reversed(edges, targets) is edge order[k] of `edges`. Tied weights are read through it.
inline std::vector<std::size_t> reverse_order(const EdgeList& edges, std::uint32_t targets) {
    auto next = offsets_of(edges.target, targets);
    std::vector<std::size_t> order(edges.size());
    for (std::size_t k = 0; k < edges.size(); ++k) order[next[edges.target[k]]++] = k;
    return order;
}

/// The forward projection turned round: every edge that a feedback connector may answer with.
inline EdgeList reversed_forward(const ConnectRequest& request) {
    if (!request.forward) refuse(request, "this connector answers to a forward projection: set of to its name");
    return reversed(*request.forward, request.sources);
}

}  // namespace ydot::networks
