#include "app/toml_io.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "app/detail/keys.hpp"
#include "app/detail/overrides.hpp"
#include "app/detail/shared.hpp"
#include "networks/list.hpp"

namespace ydot::app {
namespace {

using namespace detail;

/// The keys that are left to the model, connector or rule.
Parameters read_rest(const Node& table, const std::string& path, const Names& own) {
    Parameters rest;
    for (const auto& c : table.children)
        if (!contains(own, c.key)) rest[c.key] = to_setting(c, dotted(path, c.key), "a number, a text, true or false, or a list");
    return rest;
}

DistributionSpec read_distribution(const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::table) {
        auto spec = read_table<DistributionSpec>(node, path);
        if (const Node* mean = node.child("mean"); mean && mean->implied && spec.distribution == Distribution::uniform) spec.mean = 0;
        if (spec.distribution == Distribution::constant) require_key<DistributionSpec>(node, path, "mean");
        return spec;
    }
    const auto mean = node.kind == Node::Kind::value ? ydot::detail::from_value<double>(node.value, any_number) : std::nullopt;
    if (!mean) refuse(path, "must be a number or a table {distribution, mean, std, low, high, fan_in}, got " + text_of(node), node.source);
    return {.mean = *mean};
}

PopulationSpec read_population(const Node& table, const std::string& path) {
    require_table(table, path);
    require_key<PopulationSpec>(table, path, "model");
    auto spec = read_own<PopulationSpec>(table, path);
    if (const Node* c = table.child("propagator")) require_propagator(path, spec.propagator, c->source);
    spec.name = table.key;
    Node plain = table;
    for (const auto& c : table.children)
        if (c.kind == Node::Kind::table && !contains(population_keys(), c.key))
            spec.spread[c.key] = read_distribution(c, dotted(path, c.key));
    std::erase_if(plain.children, [&](const Node& c) { return spec.spread.contains(c.key); });
    spec.parameters = read_rest(plain, path, population_keys());
    if (const Node* c = table.child("rate")) spec.rate = read_table<RateSpec>(*c, path + ".rate");
    spec.source = table.source;
    return spec;
}

PlasticitySpec read_plasticity(const Node& table, const std::string& path) {
    require_table(table, path);
    auto spec = read_own<PlasticitySpec>(table, path);
    spec.parameters = read_rest(table, path, own_keys<PlasticitySpec>());
    return spec;
}

ProjectionSpec read_projection(const Node& table, const std::string& path) {
    require_table(table, path);
    for (const auto* key : {"from", "to"}) require_key<ProjectionSpec>(table, path, key);
    auto spec = read_own<ProjectionSpec>(table, path);
    spec.name = table.key;
    spec.connection = read_rest(table, path, projection_keys());
    if (const Node* c = table.child("weight")) spec.weight = read_distribution(*c, path + ".weight");
    if (const Node* c = table.child("delay_ms")) spec.delay_ms = read_distribution(*c, path + ".delay_ms");
    if (const Node* c = table.child("plasticity")) spec.plasticity = read_plasticity(*c, path + ".plasticity");
    if (const Node* c = table.child("short_term")) {
        require_table(*c, path + ".short_term");
        spec.short_term = read_table<ShortTermSpec>(*c, path + ".short_term");
    }
    spec.source = table.source;
    return spec;
}

PhaseSpec read_phase(const Node& table, const std::string& path) {
    require_table(table, path);
    require_key<PhaseSpec>(table, path, "name");
    if (!table.child("updates")) require_key<PhaseSpec>(table, path, "duration_ms");
    auto spec = read_table<PhaseSpec>(table, path);
    spec.source = table.source;
    return spec;
}

StimulusSpec read_stimulus(const Node& table, const std::string& path) {
    require_table(table, path);
    for (const auto* key : {"model", "to"}) require_key<StimulusSpec>(table, path, key);
    auto spec = read_own<StimulusSpec>(table, path);
    spec.name = table.key;
    spec.parameters = read_rest(table, path, own_keys<StimulusSpec>());
    spec.source = table.source;
    return spec;
}

ReportSpec read_report(const Node& table, const std::string& path) {
    require_table(table, path);
    require_key<ReportSpec>(table, path, "name");
    auto spec = read_table<ReportSpec>(table, path);
    spec.source = table.source;
    return spec;
}

/// A list of tables, each with a name of its own.
template <class Spec>
std::vector<Spec> read_list(const Node& node, const std::string& path, std::string_view thing,
                            Spec (*read)(const Node&, const std::string&)) {
    const auto* numbers = node.kind == Node::Kind::value ? std::get_if<std::vector<double>>(&node.value) : nullptr;
    if (node.kind != Node::Kind::list && !(numbers && numbers->empty()))
        refuse(path, fmt::format("must be a list of tables, each [[{}]], got {}", path, text_of(node)), node.source);
    std::vector<Spec> specs;
    std::set<std::string> names;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        const auto& spec = specs.emplace_back(read(node.children[i], dotted(path, phase_label(node.children[i], i))));
        if (!names.insert(spec.name).second)
            refuse(fmt::format("{}.{}.name", path, i), fmt::format("\"{}\" names an earlier {}", spec.name, thing),
                   node.children[i].child("name")->source);
    }
    return specs;
}

StageSpec read_stage(const Node& table, const std::string& path) {
    require_table(table, path);
    for (const auto* key : {"name", "phases"}) require_key<StageSpec>(table, path, key);
    auto spec = read_table<StageSpec>(table, path);
    spec.source = table.source;
    return spec;
}

ScheduleSpec read_schedule(const Node& table, const std::string& path) {
    auto spec = read_table<ScheduleSpec>(table, path, {"phases", "stages"});
    if (const Node* c = table.child("stages")) spec.stages = read_list<StageSpec>(*c, "schedule.stages", "stage", read_stage);
    if (const Node* c = table.child("phases")) spec.phases = read_list<PhaseSpec>(*c, "schedule.phases", "phase", read_phase);
    return spec;
}

RecordSpec read_record(const Node& table, const std::string& path) {
    auto spec = read_table<RecordSpec>(table, path, {"reports"});
    if (const Node* c = table.child("reports")) spec.reports = read_list<ReportSpec>(*c, "record.reports", "report", read_report);
    return spec;
}

template <class Spec>
std::vector<Spec> read_all(const Node& tables, Spec (*read)(const Node&, const std::string&)) {
    require_table(tables, tables.key);
    std::vector<Spec> specs;
    for (const auto& c : tables.children) specs.push_back(read(c, dotted(tables.key, c.key)));
    return specs;
}

bool read_plots(const Node& node) {
    const auto setting = to_setting(node, "plots", "true or false");
    if (const auto* x = std::get_if<bool>(&setting.value)) return *x;
    refuse_value({}, {"plots", {}, true, {}, {}}, setting);
}

void collect_sources(const Node& node, const std::string& path, std::map<std::string, Source>& sources) {
    if (!path.empty()) sources[path] = node.source;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        const Node& c = node.children[i];
        collect_sources(c, dotted(path, node.kind == Node::Kind::list ? phase_label(c, i) : c.key), sources);
    }
}

CircuitSpec read_circuit(const Node& table, const std::string& path) {
    require_table(table, path);
    auto spec = read_own<CircuitSpec>(table, path);
    spec.parameters = read_rest(table, path, own_keys<CircuitSpec>());
    spec.source = table.source;
    return spec;
}

/// The populations and projections of a circuit of the library, before those that the description adds.
void expand_circuit(Description& d) {
    if (d.circuit.name.empty() || std::exchange(d.circuit.expanded, true)) return;
    auto made = networks::find_circuit(d.circuit.name, "circuit.name", d.circuit.source).describe(d.circuit.parameters, "circuit");
    made.populations.insert(made.populations.end(), d.populations.begin(), d.populations.end());
    made.projections.insert(made.projections.end(), d.projections.begin(), d.projections.end());
    d.populations = std::move(made.populations);
    d.projections = std::move(made.projections);
}

Description read_tree(const Node& root) {
    require_known(root, {}, top_keys());
    Description d;
    if (const Node* c = root.child("plots")) d.plots = read_plots(*c);
    if (const Node* c = root.child("run")) d.run = read_table<RunSpec>(*c, "run");
    if (const Node* c = root.child("circuit")) d.circuit = read_circuit(*c, "circuit");
    if (const Node* c = root.child("data")) d.data = read_table<DataSpec>(*c, "data");
    if (const Node* c = root.child("populations")) d.populations = read_all(*c, read_population);
    if (const Node* c = root.child("projections")) d.projections = read_all(*c, read_projection);
    if (const Node* c = root.child("stimuli")) d.stimuli = read_all(*c, read_stimulus);
    if (const Node* c = root.child("schedule")) d.schedule = read_schedule(*c, "schedule");
    if (const Node* c = root.child("record")) d.record = read_record(*c, "record");
    if (const Node* c = root.child("metrics")) d.metrics = read_table<MetricsSpec>(*c, "metrics");
    collect_sources(root, {}, d.sources);
    expand_circuit(d);
    return d;
}

}  // namespace

Description read_description(const std::filesystem::path& file, std::span<const std::string> overrides) {
    return parse_description(read_text(file), file.string(), overrides);
}

Description parse_description(std::string_view text, std::string_view file_name, std::span<const std::string> overrides) {
    Node root = parse_tree(text, {std::string(file_name)});
    if (root.children.empty()) throw Error(std::string(file_name), "is empty; a description needs at least one [populations.NAME]", {});
    apply_overrides(root, overrides);
    share_plasticity(root);
    return read_tree(root);
}

}  // namespace ydot::app
