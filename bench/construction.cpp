// Building a network, connector by connector: from the description to synapses in their place.
#include <fmt/format.h>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "bench/benchmark.hpp"
#include "networks/list.hpp"

namespace ydot::bench {
namespace {

/// Parameters with which a connector makes about `mean` synapses a unit between two populations of `units`; none for those that need a file
/// or another projection.
std::string parameters_for(const networks::Connector& connector, std::int64_t units, std::int64_t mean) {
    const double share = static_cast<double>(mean) / static_cast<double>(units);
    const auto& name = connector.info.name;
    if (name == "fixed_probability") return fmt::format("probability = {}\n", share);
    if (name == "fixed_indegree") return fmt::format("indegree = {}\n", mean);
    if (name == "fixed_outdegree") return fmt::format("outdegree = {}\n", mean);
    if (name == "fixed_total_number") return fmt::format("number = {}\n", mean * units);
    if (name == "distance_dependent")  // a disc, periodic
        return fmt::format("profile = \"disc\"\nwidth_mm = 1.0\nheight_mm = 1.0\nlength_mm = {}\np_max = 1.0\n",
                           std::sqrt(share / 3.14159265));
    if (name == "local_receptive_field") return fmt::format("field = {}\n", std::llround(std::sqrt(mean)));
    return {};
}

Figure build(const std::string& what, const std::string& text, const Options& options) {
    const auto description = app::parse_description(text, "benchmark");
    std::unique_ptr<Circuit> circuit;
    const double seconds = fastest(1, [&] { circuit = app::build_circuit(description); });
    const double bytes = static_cast<double>(circuit->synapse_bytes());
    return {what, "synapses/s", static_cast<double>(circuit->synapses()) / seconds, "memory bandwidth",
            1e-9 * bytes / seconds / options.limits.read_GB_per_s[1]};
}

}  // namespace

std::vector<Figure> construction(const Options& options) {
    const std::int64_t units = options.quick ? 2500 : 10'000, mean = options.quick ? 400 : 1000;
    const auto network = [](std::int64_t size, std::string_view connector, const std::string& parameters) {
        return fmt::format(
            "[run]\ndt_ms = 0.1\n[populations.a]\nmodel = \"lif\"\nsize = {}\n[populations.b]\nmodel = \"lif\"\nsize = {}\n"
            "[projections.p]\nfrom = \"a\"\nto = \"b\"\nconnector = \"{}\"\n{}weight = 1.0\n",
            size, size, connector, parameters);
    };
    std::vector<Figure> figures;
    for (const auto& connector : networks::connectors()) {
        const auto& name = connector.info.name;
        const auto parameters = parameters_for(connector, units, mean);
        std::int64_t size = units;
        if (name == "all_to_all") size = std::llround(std::sqrt(units * mean));
        else if (name == "one_to_one") size = units * mean / 10;
        else if (parameters.empty()) continue;
        const auto text = network(size, name, parameters);
        figures.push_back(build(name, text, options));
        if (connector.stream)
            figures.push_back(build(name + ", plastic", text + "[projections.p.plasticity]\nrule = \"stdp_power_law\"\n", options));
    }
    return figures;
}

}  // namespace ydot::bench
