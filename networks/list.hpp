#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "networks/all_to_all.hpp"
#include "networks/balanced_stdp.hpp"
#include "networks/brunel.hpp"
#include "networks/disjoint.hpp"
#include "networks/distance_dependent.hpp"
#include "networks/fixed_indegree.hpp"
#include "networks/fixed_outdegree.hpp"
#include "networks/fixed_probability.hpp"
#include "networks/fixed_total_number.hpp"
#include "networks/from_list.hpp"
#include "networks/local_receptive_field.hpp"
#include "networks/microcircuit.hpp"
#include "networks/one_to_one.hpp"
#include "networks/random_feedback.hpp"
#include "networks/sign_concordant.hpp"
#include "networks/transpose.hpp"
#include "networks/vogels_abbott.hpp"
#include "sim/type_list.hpp"

namespace ydot::networks {

/// Every connector. To add one: write its header, include it above, name it here.
using Connectors = TypeList<AllToAll, OneToOne, FixedProbability, FixedIndegree, FixedOutdegree, FixedTotalNumber,  //
                            DistanceDependent, LocalReceptiveField, FromList,                                       //
                            Transpose, RandomFeedback, SignConcordant, Disjoint>;

/// Every named circuit: a description made from a few parameters.
using Circuits = TypeList<Microcircuit, Brunel, VogelsAbbott, BalancedStdp>;

/// What a feedback connector says of the forward projection it answers to.
struct Feedback {
    std::string of;     ///< name of the forward projection
    double factor = 1;  ///< of a tied weight: gain (WeightTie::transpose) or mean magnitude (WeightTie::sign)
    Magnitudes magnitudes = Magnitudes::equal;
    bool operator==(const Feedback&) const = default;
};

/// A connector without its type.
/// `path` is the dotted path of the table that holds the parameters; unknown keys and bad values throw an Error that starts with it.
struct Connector {
    ModelInfo info;
    WeightTie tie = WeightTie::none;
    std::function<EdgeList(const Parameters&, const std::string& path, const ConnectRequest&)> connect;
    /// Empty for connectors that cannot say.
    std::function<double(const Parameters&, const std::string& path, const ConnectRequest&)> expected_synapses;
    /// Empty for connectors that cannot draw the targets of one source alone.
    std::function<TargetsOf(const Parameters&, const std::string& path, const ConnectRequest&)> stream;
    /// The file that the connector wants to be given in ConnectRequest::listed, "" for none. Empty for connectors that read no file.
    std::function<std::string(const Parameters&, const std::string& path)> file;
    /// Empty for connectors that answer to no forward projection. Throws when `of` is missing.
    std::function<Feedback(const Parameters&, const std::string& path)> feedback;
};

/// In the order of the list.
const std::vector<Connector>& connectors();

/// @param path, source  where the name was written, for the error
/// @throws Error for an unknown name, with the nearest one and the list
const Connector& find_connector(std::string_view name, const std::string& path, const Source& source = {});

/// A named circuit without its type.
struct NamedCircuit {
    ModelInfo info;
    /// Populations and projections; all else of the description is left at its default.
    std::function<Description(const Parameters&, const std::string& path)> describe;
};
const std::vector<NamedCircuit>& circuits();
/// @throws Error for an unknown name, with the nearest one and the list
const NamedCircuit& find_circuit(std::string_view name, const std::string& path, const Source& source = {});

}  // namespace ydot::networks
