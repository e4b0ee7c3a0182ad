#include "app/detail/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "app/detail/keys.hpp"
#include "networks/list.hpp"
#include "sim/description.hpp"

namespace ydot::app::detail {
namespace {

enum Stage : int { of_when = 1, of_override = 2 };

struct Override {
    Names path;
    Node value;
    Source source;
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
    const Origin origin{"--set " + key, true};
    Node value = parse_value(std::string(trimmed(std::string_view(text).substr(equals + 1))), key, origin);
    return {std::move(path), std::move(value), origin.at()};
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
    if (parent == "schedule.stages") return "stage";
    if (parent == "plasticity") return "table plasticity";
    return parent == "schedule.phases" ? "phase" : "";
}

bool is_projection(const std::string& path) { return path.starts_with("projections.") && std::count(path.begin(), path.end(), '.') == 1; }
bool is_distribution(const std::string& parent, std::string_view key) {
    return is_projection(parent) && (key == "weight" || key == "delay_ms");
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

/// `plasticity = "NAME"` becomes `plasticity = {like = "NAME"}`.
void open_plasticity(Node& node) {
    if (!std::holds_alternative<std::string>(node.value)) return;
    Node like = node;
    like.key = "like";
    node.kind = Node::Kind::table;
    node.children.push_back(std::move(like));
}

Node& add_child(Node& parent, const std::string& path, const std::string& key, const Source& source) {
    Node& made = parent.children.emplace_back();
    made.key = key;
    made.key_source = made.source = source;
    if (is_distribution(path, key)) made.children.push_back(implied_mean(1, source));  // as when the key is left out
    return made;
}

/// One step of an override's path; `parent` is the path of `at`.
Node& step_into(Node& at, const std::string& parent, const std::string& part, const Source& source, int stage) {
    if (at.kind == Node::Kind::list) return element(at, parent, part, source);
    if (at.kind == Node::Kind::value) refuse(parent, fmt::format("is {}, which has no key {}", to_text(at.value), part), source);
    if (Node* found = at.child(part)) return *found;
    if (const auto thing = named_thing(parent); !thing.empty() && stage == of_override)
        refuse_name(dotted(parent, part), thing, part, keys_of(at), source);
    Node& made = add_child(at, parent, part, source);
    made.stage = stage;
    return made;
}

void mark(Node& node, int stage) {
    node.stage = stage;
    for (auto& child : node.children) mark(child, stage);
}

void apply(Node& root, const Override& o, int stage) {
    Node* at = &root;
    std::string path;
    for (const auto& part : o.path) {
        const auto dot = path.rfind('.');
        if (at->kind == Node::Kind::value && dot != std::string::npos && is_distribution(path.substr(0, dot), at->key))
            open_distribution(*at);
        if (at->kind == Node::Kind::value && dot != std::string::npos && is_projection(path.substr(0, dot)) && at->key == "plasticity")
            open_plasticity(*at);
        at = &step_into(*at, path, part, o.source, stage);
        path = dotted(path, part);
    }
    Node value = o.value;
    value.key = at->key;
    value.key_source = stage == of_override ? o.source : o.value.key_source;
    mark(value, stage);
    *at = std::move(value);
}

// ---------------------------------------------------------------------------------------------------------------------------
// Choices: a table that names a model, connector or rule also holds the parameters of that choice

/// Calls f(path of the table, table, key of its choice, keys that belong to every choice).
template <class F>
void for_each_choice(Node& root, F&& f) {
    if (Node* circuit = root.child("circuit")) f("circuit", *circuit, "name", own_keys<CircuitSpec>());
    if (Node* populations = root.child("populations"))
        for (auto& p : populations->children) f("populations." + p.key, p, "model", population_keys());
    if (Node* stimuli = root.child("stimuli"))
        for (auto& s : stimuli->children) f("stimuli." + s.key, s, "model", own_keys<StimulusSpec>());
    if (Node* projections = root.child("projections"))
        for (auto& p : projections->children) {
            f("projections." + p.key, p, "connector", projection_keys());
            if (Node* plasticity = p.child("plasticity"))
                f("projections." + p.key + ".plasticity", *plasticity, "rule", own_keys<PlasticitySpec>({"like"}));
        }
    if (Node* shared = root.child("plasticity"))
        for (auto& p : shared->children) f("plasticity." + p.key, p, "rule", own_keys<PlasticitySpec>());
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

void drop_former_parameters(Node& table, const Names& shared, bool keep_of, int stage) {
    std::erase_if(table.children,
                  [&](const Node& c) { return c.stage < stage && !contains(shared, c.key) && !(keep_of && c.key == "of"); });
}

/// Comparing the choices before and after all overrides of a stage makes their order irrelevant.
void apply_all(Node& root, std::span<const Override> overrides, int stage) {
    std::map<std::string, std::string> former;
    for_each_choice(root, [&](const auto& path, Node& table, auto key, const Names&) { former[path] = choice(table, key); });
    for (const auto& o : overrides) apply(root, o, stage);
    for_each_choice(root, [&](const auto& path, Node& table, auto key, const Names& shared) {
        if (const auto& before = former[path]; !before.empty() && before != choice(table, key))
            drop_former_parameters(table, shared, std::string_view(key) == "connector" && answers_to_forward(choice(table, key)), stage);
    });
}

// ---------------------------------------------------------------------------------------------------------------------------
// [when.MODE]

/// Every value of a table as an override; a weight or delay is one value.
void collect(const Node& node, const Names& path, const std::string& parent, std::vector<Override>& all) {
    if (node.kind != Node::Kind::table || (!path.empty() && is_distribution(parent, node.key)))
        return all.push_back({path, node, node.source});
    for (const auto& child : node.children) {
        Names deeper = path;
        deeper.push_back(child.key);
        collect(child, deeper, path.empty() ? "" : dotted(parent, node.key), all);
    }
}

/// The mode that the description will be read in; what is no mode is refused when it is read.
std::string mode_of(const Node& root, std::span<const Override> overrides) {
    const Node* run = root.child("run");
    const auto* mode = run ? run->text("mode") : nullptr;
    for (const auto& o : overrides)
        if (o.path == Names{"run", "mode"}) mode = std::get_if<std::string>(&o.value.value);
    return mode ? *mode : std::string(EnumNames<Mode>::names[static_cast<std::size_t>(RunSpec{}.mode)]);
}

/// Takes [when] out of the tree. @returns what it says of this mode
std::vector<Override> take_when(Node& root, const std::string& mode) {
    Node* when = root.child("when");
    if (!when) return {};
    if (when->kind != Node::Kind::table) refuse("when", "must be a table, got " + text_of(*when), when->source);
    const Names modes(EnumNames<Mode>::names.begin(), EnumNames<Mode>::names.end());
    std::vector<Override> said;
    for (const auto& reading : when->children) {
        if (!contains(modes, reading.key)) refuse_key("when", reading.key, modes, reading.key_source);
        if (reading.kind != Node::Kind::table) refuse("when." + reading.key, "must be a table, got " + text_of(reading), reading.source);
        if (reading.child("run") && reading.child("run")->child("mode"))
            refuse("when." + reading.key + ".run.mode", "cannot depend on the mode", reading.child("run")->child("mode")->source);
        if (reading.key == mode) collect(reading, {}, {}, said);
    }
    std::erase_if(root.children, [](const Node& c) { return c.key == "when"; });
    return said;
}

}  // namespace

void apply_overrides(Node& root, std::span<const std::string> texts) {
    std::vector<Override> overrides;
    for (const auto& text : texts) overrides.push_back(parse_override(text));
    const auto said = take_when(root, mode_of(root, overrides));
    apply_all(root, said, of_when);
    apply_all(root, overrides, of_override);
}

}  // namespace ydot::app::detail
