#pragma once
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "networks/edges.hpp"
#include "sim/description.hpp"

namespace ydot::networks {

// Structure of a network, at two levels: populations and projections of a description, units and synapses of edge lists.
// Used when a network is built and analysed, never while it is stepped.

struct PopulationNode {
    std::string name;
};
struct ProjectionArc {
    std::string name;
};
using PopulationGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, PopulationNode, ProjectionArc>;

/// Nodes in the order of the populations, arcs in the order of the projections.
/// @throws Error for a projection from or to a population that does not exist
PopulationGraph population_graph(const Description& description);

/// The strongly connected groups: from each population of a group a path of projections leads to every other and back to itself.
/// Populations outside every loop are in no group. Groups and their members are in the order of the description.
std::vector<std::vector<std::string>> recurrent_loops(const PopulationGraph& graph);

/// The smallest number of projections on a way from a population back to itself; 0 when there is none.
/// @throws Error for a population that does not exist
std::size_t shortest_loop(const PopulationGraph& graph, std::string_view population);

using UnitGraph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property, boost::no_property,
                                                     std::uint32_t, std::size_t>;

/// The edges of one projection in a graph that numbers the units of all populations through.
struct PlacedEdges {
    const EdgeList* edges;
    std::uint32_t first_source = 0, first_target = 0;  ///< number of unit 0 of either population
};

/// @param units  number of units of all populations
UnitGraph unit_graph(const std::vector<PlacedEdges>& projections, std::uint32_t units);

/// The smallest number of synapses on a way from a unit back to itself; 0 when there is none. O(units + synapses).
std::size_t shortest_loop(const UnitGraph& graph, std::uint32_t unit);

/// Share of the forward edges (s, t) for which `backward` holds (t, s): 1 for a transpose, 0 for disjoint projections (and for no edge).
/// @param targets  number of units the forward edges lead to
double reciprocity(const EdgeList& forward, const EdgeList& backward, std::uint32_t targets);

/// #targets: synapses that each unit receives.
std::vector<std::uint32_t> in_degrees(const EdgeList& edges, std::uint32_t targets);
/// #sources: synapses that each unit sends.
std::vector<std::uint32_t> out_degrees(const EdgeList& edges, std::uint32_t sources);

struct DegreeStatistics {
    std::uint32_t min = 0, max = 0;
    double mean = 0, variance = 0;  ///< variance over the population (divided by n)
};
DegreeStatistics degree_statistics(const std::vector<std::uint32_t>& degrees);

}  // namespace ydot::networks
