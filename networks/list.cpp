#include "networks/list.hpp"

#include <fmt/format.h>

#include "sim/description.hpp"

namespace ydot::networks {
namespace {

template <class Params>
Params read_params(const Parameters& settings, const std::string& path) {
    return read_fields<Params>(settings, path, projection_keys());
}

template <class Model>
Feedback read_feedback(const Parameters& settings, const std::string& path) {
    const auto params = read_params<typename Model::Params>(settings, path);
    if (params.of.empty()) throw Error(path + ".of", "missing: the name of the forward projection", {});
    if constexpr (Model::tie == WeightTie::none) return {params.of};
    else if constexpr (requires { params.magnitudes; }) return {params.of, Model::factor(params), params.magnitudes};
    else return {params.of, Model::factor(params)};
}

template <class Model>
Connector erase() {
    using Params = typename Model::Params;
    Connector result;
    result.info = {"connector", std::string(Model::name), std::string(Model::summary), std::string(Model::reference),
                   describe_fields<Params>()};
    result.tie = Model::tie;
    result.connect = [](const Parameters& settings, const std::string& path, const ConnectRequest& request) {
        return Model::connect(read_params<Params>(settings, path), request);
    };
    if constexpr (requires { &Model::expected_synapses; })
        result.expected_synapses = [](const Parameters& settings, const std::string& path, const ConnectRequest& request) {
            return Model::expected_synapses(read_params<Params>(settings, path), request);
        };
    if constexpr (requires { &Model::stream; })
        result.stream = [](const Parameters& settings, const std::string& path, const ConnectRequest& request) {
            return Model::stream(read_params<Params>(settings, path), request);
        };
    if constexpr (requires { &Params::file; })
        result.file = [](const Parameters& settings, const std::string& path) { return read_params<Params>(settings, path).file; };
    if constexpr (requires { &Params::of; }) result.feedback = read_feedback<Model>;
    return result;
}

template <class... Models>
std::vector<Connector> erase_all(TypeList<Models...>) {
    return {erase<Models>()...};
}

template <class... Models>
std::vector<NamedCircuit> erase_circuits(TypeList<Models...>) {
    const auto erase_one = []<class Model>() {
        using Params = typename Model::Params;
        return NamedCircuit{
            {"circuit", std::string(Model::name), std::string(Model::summary), std::string(Model::reference), describe_fields<Params>()},
            [](const Parameters& settings, const std::string& path) {
                return Model::describe(read_fields<Params>(settings, path, field_keys<CircuitSpec>()));
            }};
    };
    return {erase_one.template operator()<Models>()...};
}

template <class Entry>
const Entry& find(const std::vector<Entry>& table, std::string_view what, std::string_view name, const std::string& path,
                  const Source& source) {
    std::vector<std::string> names;
    for (const auto& entry : table) {
        if (entry.info.name == name) return entry;
        names.push_back(entry.info.name);
    }
    throw Error(path, with_suggestion(fmt::format("unknown {} \"{}\"", what, name), name, names, "Allowed:"), source.text());
}

}  // namespace

const std::vector<Connector>& connectors() {
    static const std::vector<Connector> table = erase_all(Connectors{});
    return table;
}

const std::vector<NamedCircuit>& circuits() {
    static const std::vector<NamedCircuit> table = erase_circuits(Circuits{});
    return table;
}

const Connector& find_connector(std::string_view name, const std::string& path, const Source& source) {
    return find(connectors(), "connector", name, path, source);
}

const NamedCircuit& find_circuit(std::string_view name, const std::string& path, const Source& source) {
    return find(circuits(), "circuit", name, path, source);
}

}  // namespace ydot::networks
