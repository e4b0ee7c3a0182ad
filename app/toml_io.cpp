#include "app/toml_io.hpp"

#include "networks/microcircuit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "app/toml_tree.hpp"
#include "networks/list.hpp"

namespace ydot::app {

using namespace tree;

namespace {

// ---------------------------------------------------------------------------------------------------------------------------
// Overrides

struct Override {
    Names path;
    std::string value;
    Origin origin;
};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Names split_path(std::string_view key) {
    Names parts;
    for (std::size_t start = 0; start <= key.size();) {
        const std::size_t end = std::min(key.find('.', start), key.size());
        parts.emplace_back(trimmed(key.substr(start, end - start)));
        start = end + 1;
    }
    return parts;
}

Override parse_override(const std::string& text) {
    const auto equals = text.find('=');
    const std::string key(trimmed(std::string_view(text).substr(0, equals)));
    Names path = split_path(key);
    const bool gap = std::any_of(path.begin(), path.end(), [](const auto& part) { return part.empty(); });
    if (equals == std::string::npos || gap) throw Error("--set", fmt::format("must look like key.path=value, got \"{}\"", text), {});
    return {std::move(path), std::string(trimmed(std::string_view(text).substr(equals + 1))), {"--set " + key, true}};
}

Node bare_text(const Override& o) {
    Node node;
    node.source = Source{o.origin.name, 0, 0};
    node.kind = Node::Kind::value;
    node.value = o.value;
    return node;
}

Node value_of(const Override& o, const std::string& path) {
    auto value = parse_value(o.value, path, o.origin);
    return value ? std::move(*value) : bare_text(o);
}

Node implied_mean(double x, const Source& source) {
    Node node;
    node.key = "mean";
    node.implied = true;
    node.key_source = node.source = source;
    node.kind = Node::Kind::value;
    node.value = x;
    return node;
}

/// `populations.exc`, `schedule.phases.pass1`, ...: a thing that an override may change but not make.
std::string_view named_thing(const std::string& parent) {
    if (parent == "populations") return "population";
    if (parent == "projections") return "projection";
    if (parent == "stimuli") return "stimulus";
    if (parent == "record.reports") return "report";
    return parent == "schedule.phases" ? "phase" : "";
}

bool is_distribution(const std::string& parent, std::string_view key) {
    return parent.starts_with("projections.") && std::count(parent.begin(), parent.end(), '.') == 1 &&
           (key == "weight" || key == "delay_ms");
}

std::string phase_label(const Node& phase, std::size_t index) {
    const auto* name = phase.text("name");
    return name && !name->empty() ? *name : std::to_string(index);
}

/// An element of a list of tables: by its name, else by its index from 0.
Node& element(Node& list, const std::string& path, const std::string& part, const Source& source) {
    Names names;
    for (std::size_t i = 0; i < list.children.size(); ++i) names.push_back(phase_label(list.children[i], i));
    if (const auto found = std::find(names.begin(), names.end(), part); found != names.end())
        return list.children[static_cast<std::size_t>(found - names.begin())];
    for (std::size_t i = 0; i < names.size(); ++i)
        if (part == std::to_string(i)) return list.children[i];
    refuse_name(dotted(path, part), named_thing(path), part, names, source);
}

/// `weight = 0.5` becomes `weight = {mean = 0.5}` when an override reaches into it.
void open_distribution(Node& node) {
    if (std::holds_alternative<bool>(node.value) || node.value.index() > 2) return;
    const auto* n = std::get_if<std::int64_t>(&node.value);
    const double mean = n ? static_cast<double>(*n) : std::get<double>(node.value);
    node.kind = Node::Kind::table;
    node.children.push_back(implied_mean(mean, node.source));
}

Node& add_child(Node& parent, const std::string& path, const std::string& key, const Source& source) {
    Node& made = parent.children.emplace_back();
    made.key = key;
    made.key_source = made.source = source;
    if (is_distribution(path, key)) made.children.push_back(implied_mean(1, source));  // as when the key is left out
    return made;
}

/// One step of an override's path; `parent` is the path of `at`.
Node& step_into(Node& at, const std::string& parent, const std::string& part, const Source& source) {
    if (at.kind == Node::Kind::list) return element(at, parent, part, source);
    if (at.kind == Node::Kind::value) refuse(parent, fmt::format("is {}, which has no key {}", to_text(at.value), part), source);
    if (Node* found = at.child(part)) return *found;
    if (const auto thing = named_thing(parent); !thing.empty()) refuse_name(dotted(parent, part), thing, part, keys_of(at), source);
    return add_child(at, parent, part, source);
}

void apply(Node& root, const Override& o) {
    Node* at = &root;
    std::string path;
    for (const auto& part : o.path) {
        const auto dot = path.rfind('.');
        if (at->kind == Node::Kind::value && dot != std::string::npos && is_distribution(path.substr(0, dot), at->key))
            open_distribution(*at);
        at = &step_into(*at, path, part, Source{o.origin.name, 0, 0});
        path = dotted(path, part);
    }
    Node value = value_of(o, path);
    value.key = at->key;
    value.key_source = Source{o.origin.name, 0, 0};
    *at = std::move(value);
}

// ---------------------------------------------------------------------------------------------------------------------------
// Choices: a table that names a model, connector or rule also holds the parameters of that choice

/// Calls f(path of the table, table, key of its choice, keys that belong to every choice).
template <class F>
void for_each_choice(Node& root, F&& f) {
    if (Node* circuit = root.child("circuit")) f("circuit", *circuit, "name", own_keys<CircuitSpec>());
    if (Node* populations = root.child("populations"))
        for (auto& p : populations->children) f("populations." + p.key, p, "model", own_keys<PopulationSpec>());
    if (Node* stimuli = root.child("stimuli"))
        for (auto& s : stimuli->children) f("stimuli." + s.key, s, "model", own_keys<StimulusSpec>());
    if (Node* projections = root.child("projections"))
        for (auto& p : projections->children) {
            f("projections." + p.key, p, "connector", projection_keys());
            if (Node* plasticity = p.child("plasticity"))
                f("projections." + p.key + ".plasticity", *plasticity, "rule", own_keys<PlasticitySpec>());
        }
}

std::string choice(const Node& table, std::string_view key) {
    if (const auto* name = table.text(key)) return *name;
    return key == "connector" ? ProjectionSpec{}.connector : "";
}

/// What a feedback connector answers to is said in the same way by all of them, so it survives a change from one to another.
bool answers_to_forward(std::string_view connector) {
    const auto& all = networks::connectors();
    return std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.info.name == connector && c.feedback; });
}

void drop_former_parameters(Node& table, const Names& shared, bool keep_of) {
    std::erase_if(table.children,
                  [&](const Node& c) { return c.source.line > 0 && !contains(shared, c.key) && !(keep_of && c.key == "of"); });
}

/// Comparing the choices before and after all overrides makes their order irrelevant.
void apply_overrides(Node& root, std::span<const std::string> overrides) {
    std::map<std::string, std::string> former;
    for_each_choice(root, [&](const auto& path, Node& table, auto key, const Names&) { former[path] = choice(table, key); });
    for (const auto& text : overrides) apply(root, parse_override(text));
    for_each_choice(root, [&](const auto& path, Node& table, auto key, const Names& shared) {
        if (const auto& before = former[path]; !before.empty() && before != choice(table, key))
            drop_former_parameters(table, shared, std::string_view(key) == "connector" && answers_to_forward(choice(table, key)));
    });
}

// ---------------------------------------------------------------------------------------------------------------------------
// From the tree to the description

/// The keys that are left to the model, connector or rule.
Parameters read_rest(const Node& table, const std::string& path, const Names& own) {
    Parameters rest;
    for (const auto& c : table.children)
        if (!contains(own, c.key)) rest[c.key] = to_setting(c, dotted(path, c.key), "a number, a text, true or false, or a list");
    return rest;
}

void require_propagator(const std::string& path, const std::string& name, const Source& source) {
    const auto& names = EnumNames<Propagator>::names;
    if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
    refuse_value(path, {"propagator", {}, std::string{}, {}, {names.begin(), names.end()}}, {name, source});
}

DistributionSpec read_distribution(const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::table) {
        auto spec = read_table<DistributionSpec>(node, path);
        if (const Node* mean = node.child("mean"); mean && mean->implied && spec.distribution == Distribution::uniform) spec.mean = 0;
        if (spec.distribution == Distribution::constant) require_key<DistributionSpec>(node, path, "mean");
        return spec;
    }
    const auto mean = node.kind == Node::Kind::value ? detail::from_value<double>(node.value, any_number) : std::nullopt;
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
        if (c.kind == Node::Kind::table && !contains(own_keys<PopulationSpec>(), c.key))
            spec.spread[c.key] = read_distribution(c, dotted(path, c.key));
    std::erase_if(plain.children, [&](const Node& c) { return spec.spread.contains(c.key); });
    spec.parameters = read_rest(plain, path, own_keys<PopulationSpec>());
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
    for (const auto* key : {"name", "duration_ms"}) require_key<PhaseSpec>(table, path, key);
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

ScheduleSpec read_schedule(const Node& table, const std::string& path) {
    auto spec = read_table<ScheduleSpec>(table, path, {"phases"});
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

const Names& top_keys() {
    static const Names keys{"plots", "run", "data", "populations", "projections", "stimuli", "schedule", "record", "metrics", "circuit"};
    return keys;
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

// ---------------------------------------------------------------------------------------------------------------------------
// Writing

std::string real_toml(double x) {
    std::string text = fmt::format("{}", x);
    return std::isfinite(x) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;  // 3.0 must not come back as an integer
}

std::string value_toml(const Value& value) {
    const auto* x = std::get_if<double>(&value);
    return x ? real_toml(*x) : to_text(value);
}

std::string key_toml(const std::string& key) {
    constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return !key.empty() && key.find_first_not_of(bare) == std::string::npos ? key : to_text(key);
}

/// "key = value" for every field, in their order; a bound at infinity has no text.
template <class Struct>
Names field_lines(const Struct& spec) {
    Names lines;
    const auto add = [&](const auto& field) {
        const Value value = detail::to_value(spec.*field.member);
        if (const auto* x = std::get_if<double>(&value); x && std::isinf(*x)) return;
        lines.push_back(fmt::format("{} = {}", field.key, value_toml(value)));
    };
    std::apply([&](const auto&... field) { (add(field), ...); }, Struct::fields);
    return lines;
}

Names parameter_lines(const Parameters& parameters) {
    Names lines;
    for (const auto& [key, setting] : parameters) lines.push_back(fmt::format("{} = {}", key_toml(key), value_toml(setting.value)));
    return lines;
}

std::string distribution_toml(const DistributionSpec& spec) {
    if (spec == DistributionSpec{.mean = spec.mean}) return real_toml(spec.mean);
    return '{' + joined(field_lines(spec)) + '}';
}

void append(Names& lines, const Names& more) { lines.insert(lines.end(), more.begin(), more.end()); }

void write_table(std::string& out, const std::string& header, const Names& lines) {
    out += '\n' + header + '\n';
    for (const auto& line : lines) out += line + '\n';
}

void write_circuit(std::string& out, const CircuitSpec& spec) {
    Names lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    write_table(out, "[circuit]", lines);
}

void write_population(std::string& out, const PopulationSpec& spec) {
    Names lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    for (const auto& [key, distribution] : spec.spread)
        lines.push_back(fmt::format("{} = {{{}}}", key_toml(key), joined(field_lines(distribution))));
    write_table(out, fmt::format("[populations.{}]", key_toml(spec.name)), lines);
}

void write_stimulus(std::string& out, const StimulusSpec& spec) {
    Names lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    write_table(out, fmt::format("[stimuli.{}]", key_toml(spec.name)), lines);
}

void write_projection(std::string& out, const ProjectionSpec& spec) {
    const std::string table = "projections." + key_toml(spec.name);
    Names lines = field_lines(spec);
    append(lines, parameter_lines(spec.connection));
    append(lines, {"weight = " + distribution_toml(spec.weight), "delay_ms = " + distribution_toml(spec.delay_ms)});
    write_table(out, '[' + table + ']', lines);
    if (spec.short_term != ShortTermSpec{}) write_table(out, '[' + table + ".short_term]", field_lines(spec.short_term));
    if (spec.plasticity == PlasticitySpec{}) return;
    lines = field_lines(spec.plasticity);
    append(lines, parameter_lines(spec.plasticity.parameters));
    write_table(out, '[' + table + ".plasticity]", lines);
}

// ---------------------------------------------------------------------------------------------------------------------------
// Validation

/// "a.b" of "a.b.c", "" of "a".
std::string parent_of(const std::string& path) {
    const auto dot = path.rfind('.');
    return dot == std::string::npos ? "" : path.substr(0, dot);
}

/// The position of the value, else of the innermost table around it that has one.
Source nearest_source(std::string path, const std::map<std::string, Source>& sources) {
    for (; !path.empty(); path = parent_of(path))
        if (const auto found = sources.find(path); found != sources.end()) return found->second;
    return {};
}

/// The file that a description was read from.
Source file_of(const std::map<std::string, Source>& sources) {
    for (const auto& [key, source] : sources)
        if (source.line > 0) return {source.file, 0, 0};
    return {};
}

bool is_multiple(double x, double dt) { return std::abs(x - std::round(x / dt) * dt) <= 1e-9 * std::abs(x); }

class Validator {
public:
    explicit Validator(const Description& description) : d_(description) {
        for (const auto& p : d_.populations) populations_.push_back(p.name);
        for (const auto& p : d_.projections) projections_.push_back(p.name);
        for (const auto& s : d_.stimuli) stimuli_.push_back(s.name);
    }

    void check() const {
        if (d_.populations.empty()) fail("populations", "a description needs at least one [populations.NAME]");
        check_names("populations", populations_);
        check_names("projections", projections_);
        check_names("stimuli", stimuli_);
        check_run();
        for (const auto& p : d_.populations) check_population(p);
        for (const auto& p : d_.projections) check_projection(p);
        for (const auto& s : d_.stimuli) check_stimulus(s);
        check_schedule();
        check_ranges(d_.data, "data");
        check_ranges(d_.record, "record");
        check_ranges(d_.metrics, "metrics");
        check_record();
    }

private:
    Source source(const std::string& path) const { return nearest_source(path, d_.sources); }

    [[noreturn]] void fail(const std::string& path, std::string reason) const { refuse(path, std::move(reason), source(path)); }

    /// What reading has refused already, for values made in code. A default is right even where a file could not say it (infinity).
    template <class Struct>
    void check_ranges(const Struct& spec, const std::string& path) const {
        const Struct defaults{};
        const auto check = [&](const auto& field) {
            using T = std::remove_cvref_t<decltype(spec.*field.member)>;
            const T& x = spec.*field.member;
            if (x == defaults.*field.member || detail::from_value<T>(detail::to_value(x), field.range)) return;
            refuse_value(path, detail::info_of(field, defaults), {detail::to_value(x), source(dotted(path, field.key))});
        };
        std::apply([&](const auto&... field) { (check(field), ...); }, Struct::fields);
    }

    /// Names become parts of dotted paths, of file names and of HDF5 paths.
    void check_names(const std::string& path, const Names& names) const {
        constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        std::set<std::string_view> seen;
        for (const auto& name : names) {
            if (name.empty() || name.find_first_not_of(allowed) != std::string::npos)
                fail(dotted(path, name), fmt::format("a name must consist of letters, digits, _ and -, got {}", to_text(name)));
            if (!seen.insert(name).second) fail(dotted(path, name), "the name is used twice");
        }
    }

    void check_reference(const std::string& path, std::string_view what, const std::string& name, const Names& known, bool star) const {
        if ((star && name == "*") || contains(known, name)) return;
        refuse_name(path, what, name, known, source(path));
    }

    void check_multiple(const std::string& path, double x) const {
        if (!is_multiple(x, d_.run.dt_ms)) fail(path, fmt::format("must be a multiple of run.dt_ms = {}, got {}", d_.run.dt_ms, x));
    }

    void check_step_or_more(const std::string& path, double x) const {
        if (!(x > 0 && (x >= d_.run.dt_ms || is_multiple(x, d_.run.dt_ms))))
            fail(path, fmt::format("must be >= run.dt_ms = {}, got {}", d_.run.dt_ms, x));
        check_multiple(path, x);
    }

    void check_order(const std::string& path, std::string_view low, double a, std::string_view high, double b) const {
        if (!(a <= b)) fail(dotted(path, low), fmt::format("must be <= {} = {}, got {}", high, b, a));
    }

    void check_run() const {
        check_ranges(d_.run, "run");
        check_multiple("run.duration_ms", d_.run.duration_ms);
        check_multiple("run.warmup_ms", d_.run.warmup_ms);
    }

    void check_population(const PopulationSpec& spec) const {
        const std::string path = "populations." + spec.name;
        if (spec.model.empty()) fail(path + ".model", "must not be empty");
        check_ranges(spec, path);
        require_propagator(path, spec.propagator, source(path + ".propagator"));
        for (const auto& [key, distribution] : spec.spread) {
            check_distribution(distribution, dotted(path, key));
            if (distribution.fan_in) fail(dotted(path, key) + ".fan_in", "applies to weights only");
        }
    }

    void check_projection(const ProjectionSpec& spec) const {
        const std::string path = "projections." + spec.name;
        check_reference(path + ".from", "population", spec.from, populations_, false);
        check_reference(path + ".to", "population", spec.to, populations_, false);
        check_distribution(spec.weight, path + ".weight");
        check_distribution(spec.delay_ms, path + ".delay_ms");
        check_delay(spec.delay_ms, path + ".delay_ms");
        check_ranges(spec.plasticity, path + ".plasticity");
        check_ranges(spec.short_term, path + ".short_term");
        if (spec.short_term != ShortTermSpec{} && d_.metrics.gradient_angle)
            fail(path + ".short_term", "the mean field and the gradient know no short-term plasticity: leave out metrics.gradient_angle");
        if (const auto& p = spec.plasticity; p.rule.empty() && !p.parameters.empty())
            fail(path + ".plasticity." + p.parameters.begin()->first, "belongs to a rule, and there is no plasticity.rule");
        check_order(path + ".plasticity", "w_min", spec.plasticity.w_min, "w_max", spec.plasticity.w_max);
    }

    void check_distribution(const DistributionSpec& spec, const std::string& path) const {
        check_ranges(spec, path);
        check_order(path, "low", spec.low, "high", spec.high);
        if (spec.distribution == Distribution::constant) check_constant(spec, path);
        if (spec.distribution == Distribution::uniform) check_uniform(spec, path);
        if (spec.distribution == Distribution::lognormal && !(spec.mean > 0))
            fail(path + ".mean", fmt::format("of a lognormal distribution must be > 0, got {}", spec.mean));
    }

    void check_uniform(const DistributionSpec& spec, const std::string& path) const {
        if (!(std::isfinite(spec.low) && std::isfinite(spec.high))) fail(path, "a uniform distribution needs low and high");
        for (const auto& [key, x] : {std::pair{".mean", spec.mean}, std::pair{".std", spec.std}})
            if (x != 0) fail(path + key, fmt::format("must be left out as low and high say all of a uniform distribution, got {}", x));
    }

    void check_constant(const DistributionSpec& spec, const std::string& path) const {
        if (spec.std != 0) fail(path + ".std", fmt::format("must be 0 as the distribution is constant, got {}", spec.std));
        if (!(spec.low <= spec.mean && spec.mean <= spec.high))
            fail(path + ".mean", fmt::format("must lie between low and high, got {}", spec.mean));
    }

    void check_delay(const DistributionSpec& spec, const std::string& path) const {
        if (spec.fan_in) fail(path + ".fan_in", "applies to weights only");
        if (spec.distribution == Distribution::constant) return check_step_or_more(path, spec.mean);
        if (spec.distribution != Distribution::uniform && !(spec.mean > 0))
            fail(path + ".mean", fmt::format("must be > 0, got {}", spec.mean));
        if (std::isfinite(spec.low) && spec.low < 0) fail(path + ".low", fmt::format("must be >= 0, got {}", spec.low));
        if (spec.high < d_.run.dt_ms) fail(path + ".high", fmt::format("must be >= run.dt_ms = {}, got {}", d_.run.dt_ms, spec.high));
    }

    void check_stimulus(const StimulusSpec& spec) const {
        const std::string path = "stimuli." + spec.name;
        if (spec.model.empty()) fail(path + ".model", "must not be empty");
        check_ranges(spec, path);
        check_reference(path + ".to", "population", spec.to, populations_, false);
        check_units(path, spec.units, spec.unit_range, d_.population(spec.to)->size);
    }

    void check_units(const std::string& path, const std::vector<double>& units, const std::vector<double>& range, std::int64_t size) const {
        if (!units.empty() && !range.empty()) fail(path + ".unit_range", "must be left out as units says all");
        if (!range.empty() && range.size() != 2) fail(path + ".unit_range", fmt::format("must be [first, last], got {}", to_text(range)));
        if (!range.empty() && range[0] > range[1]) fail(path + ".unit_range", fmt::format("must not descend, got {}", to_text(range)));
        std::set<double> seen;
        for (const auto& [key, numbers] : {std::pair{".units", &units}, std::pair{".unit_range", &range}})
            for (const double unit : *numbers) {
                if (unit != std::floor(unit) || unit >= static_cast<double>(size))
                    fail(path + key, fmt::format("must hold integers below the size of the population, {}, got {}", size, unit));
                if (numbers == &units && !seen.insert(unit).second) fail(path + key, fmt::format("unit {} comes twice", unit));
            }
    }

    void check_record() const {
        for (const auto& name : d_.record.populations) check_reference("record.populations", "population", name, populations_, true);
        check_multiple("record.rates_bin_ms", d_.record.rates_bin_ms);
        if (d_.record.rates_bin_ms > 0 && !d_.schedule.phases.empty()) fail("record.rates_bin_ms", "is for runs without a schedule");
        Names names;
        for (const auto& report : d_.record.reports) names.push_back(report.name);
        check_names("record.reports", names);
        for (const auto& report : d_.record.reports) check_report(report, "record.reports." + report.name);
    }

    void check_report(const ReportSpec& spec, const std::string& path) const {
        check_ranges(spec, path);
        if (!d_.schedule.phases.empty()) fail(path, "reports are for runs without a schedule");
        if (spec.population.empty() == spec.projection.empty()) fail(path, "needs a population or a projection, and not both");
        if (spec.projection.empty()) check_reference(path + ".population", "population", spec.population, populations_, false);
        else check_reference(path + ".projection", "projection", spec.projection, projections_, false);
        if (spec.variables.empty() == spec.projection.empty())
            fail(path + ".variables", spec.projection.empty() ? "is missing: which variables of the model are recorded"
                                                              : "must be left out for a projection: its weights are recorded");
        const std::string& units_of = spec.projection.empty() ? spec.population : d_.projection(spec.projection)->to;
        check_units(path, spec.units, spec.unit_range, d_.population(units_of)->size);
        for (const auto& [key, time_ms] :
             {std::pair{".interval_ms", spec.interval_ms}, std::pair{".start_ms", spec.start_ms}, std::pair{".stop_ms", spec.stop_ms}})
            check_multiple(path + key, time_ms);
        const double end_ms = d_.run.warmup_ms + d_.run.duration_ms;
        if (spec.start_ms >= end_ms)
            fail(path + ".start_ms", fmt::format("must be < {}, the end of the run, got {}", end_ms, spec.start_ms));
        if (spec.stop_ms != 0 && spec.stop_ms <= std::max(spec.start_ms, d_.run.warmup_ms))
            fail(path + ".stop_ms", fmt::format("must be > {}, where the recording starts, or 0 for the end of the run, got {}",
                                                std::max(spec.start_ms, d_.run.warmup_ms), spec.stop_ms));
    }

    void check_schedule() const {
        const auto& s = d_.schedule;
        check_ranges(s, "schedule");
        if (!s.input.empty()) check_reference("schedule.input", "population", s.input, populations_, false);
        if (!s.readout.empty()) check_reference("schedule.readout", "population", s.readout, populations_, false);
        check_multiple("schedule.test_readout_ms", s.test_readout_ms);
        Names names;
        for (const auto& phase : s.phases) {
            if (phase.name.empty()) fail("schedule.phases", "every phase needs a name");
            if (contains(names, phase.name)) fail("schedule.phases." + phase.name, "the name is used twice");
            names.push_back(phase.name);
            check_phase(phase, "schedule.phases." + phase.name);
        }
    }

    void check_phase(const PhaseSpec& phase, const std::string& path) const {
        check_ranges(phase, path);
        check_step_or_more(path + ".duration_ms", phase.duration_ms);
        for (const auto& name : phase.conducts) check_reference(path + ".conducts", "projection", name, projections_, true);
        for (const auto& name : phase.clamps) check_clamp(path + ".clamps", name);
        for (const auto& name : phase.learns) check_learns(path + ".learns", name);
        if (phase.readout && d_.schedule.readout.empty())
            fail(path + ".readout", "needs schedule.readout, the population that gives the answer");
    }

    void check_clamp(const std::string& path, const std::string& name) const {
        if (d_.schedule.readout.empty()) fail(path, "needs schedule.readout, the population that has a target");
        if (name == "*") fail(path, fmt::format("only the readout population, {}, has a target, got \"*\"", d_.schedule.readout));
        check_reference(path, "population", name, populations_, false);
    }

    void check_learns(const std::string& path, const std::string& name) const {
        check_reference(path, "projection", name, projections_, true);
        if (name == "*" || !d_.projection(name)->plasticity.rule.empty()) return;
        fail(path, fmt::format("projection \"{}\" cannot learn: it has no plasticity.rule", name));
    }

    const Description& d_;
    Names populations_, projections_, stimuli_;
};

}  // namespace

Description read_description(const std::filesystem::path& file, std::span<const std::string> overrides) {
    return parse_description(read_text(file), file.string(), overrides);
}

Description parse_description(std::string_view text, std::string_view file_name, std::span<const std::string> overrides) {
    Node root = parse_tree(text, {std::string(file_name)});
    if (root.children.empty()) throw Error(std::string(file_name), "is empty; a description needs at least one [populations.NAME]", {});
    apply_overrides(root, overrides);
    return read_tree(root);
}

std::string write_description(const Description& d) {
    std::string out = fmt::format("plots = {}\n", d.plots);
    write_table(out, "[run]", field_lines(d.run));
    if (!d.circuit.name.empty()) write_circuit(out, d.circuit);
    write_table(out, "[data]", field_lines(d.data));
    for (const auto& p : d.populations) write_population(out, p);
    for (const auto& p : d.projections) write_projection(out, p);
    for (const auto& s : d.stimuli) write_stimulus(out, s);
    write_table(out, "[schedule]", field_lines(d.schedule));
    for (const auto& phase : d.schedule.phases) write_table(out, "[[schedule.phases]]", field_lines(phase));
    write_table(out, "[record]", field_lines(d.record));
    for (const auto& report : d.record.reports) write_table(out, "[[record.reports]]", field_lines(report));
    write_table(out, "[metrics]", field_lines(d.metrics));
    return out;
}

void validate(const Description& description) { Validator(description).check(); }

Error located(const Error& error, const Description& description) {
    const auto& where = error.where();
    const bool is_key = contains(top_keys(), error.key().substr(0, error.key().find('.')));
    bool is_vague = where.empty();
    for (std::string path = error.key(); !path.empty(); path = parent_of(path))
        if (const auto around = description.sources.find(path); around != description.sources.end())
            is_vague |= around->second.text() == where;
    if (!is_key || !is_vague) return error;
    auto source = nearest_source(error.key(), description.sources);
    if (source.file.empty()) source = file_of(description.sources);
    return Error(error.key(), error.reason(), source.text(), error.kind());
}

}  // namespace ydot::app
