#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/error.hpp"
#include "sim/parameters.hpp"

namespace ydot::networks {

/// Who is connected to whom in one projection, sorted by (source, target). An edge listed twice is two synapses (a multapse).
struct EdgeList {
    std::vector<std::uint32_t> source, target;  ///< #edges each
    std::vector<double> weight{}, delay_ms{};   ///< #edges each where the edges came with their own, else empty

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
    const EdgeList* forward = nullptr;           ///< the projection that a feedback connector answers to: from `targets` to `sources` units
    Source source{};                             ///< where the projection was written, for errors
    std::string from{}, to{};                    ///< the populations; their names key the places of their units
    const struct ListedEdges* listed = nullptr;  ///< the file of a connector that reads one
};

/// The edges of a file, in its order.
struct ListedEdges {
    EdgeList edges;
    std::string file;
    std::vector<std::size_t> line;  ///< of each edge; empty where the file has no lines
    /// "edges.csv:12", or "weights.h5, synapse 11" (from 0).
    std::string place_of(std::size_t k) const {
        return line.empty() ? file + ", synapse " + std::to_string(k) : file + ':' + std::to_string(line[k]);
    }
};

/// Appends the targets of a source, in any order; always the same ones, from several threads at once.
using TargetsOf = std::function<void(std::uint32_t source, std::vector<std::uint32_t>& out)>;

/// The targets of all sources.
/// @param expected  about so many, to reserve room
inline EdgeList edges_of(const TargetsOf& targets_of, std::uint32_t sources, std::size_t expected = 0) {
    EdgeList edges;
    edges.source.reserve(expected);
    edges.target.reserve(expected);
    for (std::uint32_t s = 0; s < sources; ++s) {
        targets_of(s, edges.target);
        const auto first = edges.target.begin() + static_cast<std::ptrdiff_t>(edges.source.size());
        if (!std::is_sorted(first, edges.target.end())) std::sort(first, edges.target.end());
        edges.source.resize(edges.target.size(), s);
    }
    return edges;
}

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

/// The targets of every source, in four bytes a synapse: what a connector that draws by target needs to be asked by source.
struct Outgoing {
    std::vector<std::size_t> offset;    ///< #sources + 1
    std::vector<std::uint32_t> target;  ///< #synapses; those of a source ascend

    /// @param visit_sources  (target, visit): calls visit(source) for each synapse of the target; asked twice, the same both times
    template <class VisitSources>
    static Outgoing of(std::uint32_t sources, std::uint32_t targets, const VisitSources& visit_sources) {
        Outgoing result;
        result.offset.assign(std::size_t{sources} + 1, 0);
        for (std::uint32_t t = 0; t < targets; ++t) visit_sources(t, [&](std::uint32_t s) { ++result.offset[s + std::size_t{1}]; });
        std::partial_sum(result.offset.begin(), result.offset.end(), result.offset.begin());
        std::vector<std::size_t> next(result.offset.begin(), result.offset.end() - 1);
        result.target.resize(result.offset.back());
        for (std::uint32_t t = 0; t < targets; ++t) visit_sources(t, [&](std::uint32_t s) { result.target[next[s]++] = t; });
        return result;
    }
    std::span<const std::uint32_t> of_source(std::uint32_t s) const noexcept {
        return std::span(target).subspan(offset[s], offset[s + std::size_t{1}] - offset[s]);
    }
    EdgeList edges() && {
        EdgeList result;
        result.source.reserve(target.size());
        for (std::uint32_t s = 0; s + std::size_t{1} < offset.size(); ++s) result.source.resize(offset[s + std::size_t{1}], s);
        result.target = std::move(target);
        return result;
    }
};

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
