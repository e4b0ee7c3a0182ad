#include "networks/list.hpp"

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
    if constexpr (Model::tie == WeightTie::none) return {params.of, 1};
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
    if constexpr (requires { &Model::stream; })
        result.stream = [](const Parameters& settings, const std::string& path, const ConnectRequest& request) {
            return Model::stream(read_params<Params>(settings, path), request);
        };
    if constexpr (requires { &Params::of; }) result.feedback = read_feedback<Model>;
    return result;
}

template <class... Models>
std::vector<Connector> erase_all(TypeList<Models...>) {
    return {erase<Models>()...};
}

[[noreturn]] void refuse_name(std::string_view name, const std::string& path, const Source& source) {
    std::vector<std::string> names;
    for (const auto& connector : connectors()) names.push_back(connector.info.name);
    std::string reason = "unknown connector \"" + std::string(name) + '"';
    if (const auto near = nearest_name(name, names); !near.empty()) reason += "; did you mean " + near + '?';
    else reason += '.';
    reason += " Allowed: " + names.front();
    for (std::size_t k = 1; k < names.size(); ++k) reason += ", " + names[k];
    throw Error(path, reason, source.text());
}

}  // namespace

const std::vector<Connector>& connectors() {
    static const std::vector<Connector> table = erase_all(Connectors{});
    return table;
}

const Connector& find_connector(std::string_view name, const std::string& path, const Source& source) {
    for (const auto& connector : connectors())
        if (connector.info.name == name) return connector;
    refuse_name(name, path, source);
}

}  // namespace ydot::networks
