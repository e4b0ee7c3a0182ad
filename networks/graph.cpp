#include "networks/graph.hpp"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/range/iterator_range.hpp>

namespace ydot::networks {
namespace {

/// Breadth-first search meets the arcs in the order of their distance from the start, so the first one that leads back closes a shortest
/// loop.
struct LoopVisitor : boost::default_bfs_visitor {
    LoopVisitor(std::size_t from, std::vector<std::size_t>& distances, std::size_t& found)
        : start(from), distance(&distances), length(&found) {}

    template <class Edge, class Graph>
    void tree_edge(const Edge& edge, const Graph& graph) const {
        (*distance)[target(edge, graph)] = (*distance)[source(edge, graph)] + 1;
    }
    template <class Edge, class Graph>
    void examine_edge(const Edge& edge, const Graph& graph) const {
        if (*length == 0 && target(edge, graph) == start) *length = (*distance)[source(edge, graph)] + 1;
    }
    std::size_t start;
    std::vector<std::size_t>* distance;
    std::size_t* length;
};

template <class Graph>
std::size_t loop_through(const Graph& graph, typename boost::graph_traits<Graph>::vertex_descriptor start) {
    std::vector<std::size_t> distance(num_vertices(graph));
    std::size_t length = 0;
    boost::breadth_first_search(graph, start, boost::visitor(LoopVisitor(start, distance, length)));
    return length;
}

std::vector<std::string> names_of(const PopulationGraph& graph) {
    std::vector<std::string> names;
    for (const auto node : boost::make_iterator_range(vertices(graph))) names.push_back(graph[node].name);
    return names;
}

std::size_t find_node(const std::vector<std::string>& names, std::string_view name, const std::string& path, const Source& source) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    throw Error(path, "unknown population \"" + std::string(name) + '"' + suggestion(name, names), source.text());
}

std::vector<std::uint32_t> degrees(const std::vector<std::uint32_t>& column, std::uint32_t units) {
    std::vector<std::uint32_t> result(units);
    for (const auto unit : column) ++result[unit];
    return result;
}

}  // namespace

PopulationGraph population_graph(const Description& description) {
    PopulationGraph graph;
    for (const auto& population : description.populations) add_vertex(PopulationNode{population.name}, graph);
    const auto names = names_of(graph);
    for (const auto& projection : description.projections) {
        const std::string path = "projections." + projection.name;
        const auto from = find_node(names, projection.from, path + ".from", projection.source);
        const auto to = find_node(names, projection.to, path + ".to", projection.source);
        add_edge(from, to, ProjectionArc{projection.name}, graph);
    }
    return graph;
}

std::vector<std::vector<std::string>> recurrent_loops(const PopulationGraph& graph) {
    std::vector<std::size_t> component(num_vertices(graph));
    const auto index = get(boost::vertex_index, graph);
    boost::strong_components(graph, boost::make_iterator_property_map(component.begin(), index));
    std::vector<std::vector<std::string>> loops;
    std::vector<std::size_t> group(num_vertices(graph), graph.null_vertex());  // of each component, by first appearance
    for (const auto node : boost::make_iterator_range(vertices(graph))) {
        if (loop_through(graph, node) == 0) continue;
        auto& place = group[component[node]];
        if (place == graph.null_vertex()) {
            place = loops.size();
            loops.emplace_back();
        }
        loops[place].push_back(graph[node].name);
    }
    return loops;
}

std::size_t shortest_loop(const PopulationGraph& graph, std::string_view population) {
    return loop_through(graph, find_node(names_of(graph), population, "", {}));
}

UnitGraph unit_graph(const std::vector<PlacedEdges>& projections, std::uint32_t units) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& [edges, first_source, first_target] : projections)
        for (std::size_t k = 0; k < edges->size(); ++k)
            pairs.emplace_back(first_source + edges->source[k], first_target + edges->target[k]);
    return UnitGraph(boost::edges_are_unsorted_multi_pass, pairs.begin(), pairs.end(), units);
}

std::size_t shortest_loop(const UnitGraph& graph, std::uint32_t unit) { return loop_through(graph, unit); }

double reciprocity(const EdgeList& forward, const EdgeList& backward, std::uint32_t targets) {
    const EdgeList wanted = reversed(forward, targets);
    const auto edge = [](const EdgeList& edges, std::size_t k) { return std::pair{edges.source[k], edges.target[k]}; };
    std::size_t found = 0;
    for (std::size_t k = 0, other = 0; k < wanted.size(); ++k) {
        while (other < backward.size() && edge(backward, other) < edge(wanted, k)) ++other;
        if (other < backward.size() && edge(backward, other) == edge(wanted, k)) ++found;
    }
    return wanted.size() == 0 ? 0 : static_cast<double>(found) / static_cast<double>(wanted.size());
}

std::vector<std::uint32_t> in_degrees(const EdgeList& edges, std::uint32_t targets) { return degrees(edges.target, targets); }
std::vector<std::uint32_t> out_degrees(const EdgeList& edges, std::uint32_t sources) { return degrees(edges.source, sources); }

DegreeStatistics degree_statistics(const std::vector<std::uint32_t>& degrees) {
    if (degrees.empty()) return {};
    const auto [least, most] = std::minmax_element(degrees.begin(), degrees.end());
    const double n = static_cast<double>(degrees.size());
    DegreeStatistics result{*least, *most};
    for (const double degree : degrees) result.mean += degree / n;
    for (const double degree : degrees) result.variance += (degree - result.mean) * (degree - result.mean) / n;
    return result;
}

}  // namespace ydot::networks
