#include "systems/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/share.hpp"
#include "app/shell.hpp"
#include "app/toml_io.hpp"
#include "app/toml_tree.hpp"

namespace ydot::systems {
namespace fs = std::filesystem;
using namespace app::tree;
namespace {

constexpr std::string_view lower_case = "abcdefghijklmnopqrstuvwxyz0123456789-",
                           letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Names become parts of file names.
void require_letters(const Node& table, const std::string& path, std::string_view key, std::string_view allowed, std::string_view words) {
    const auto* name = table.text(key);
    if (name->find_first_not_of(allowed) != std::string::npos)
        refuse(dotted(path, key), fmt::format("must consist of {}, got {}", words, to_text(*name)), table.child(key)->source);
}

/// What an element of a list of tables is called in messages: its name, else its index.
std::string label(const Node& table, std::string_view key, std::size_t index) {
    const auto* name = table.text(key);
    return name && !name->empty() ? *name : std::to_string(index);
}

/// The tables of [[header]]; none when the key is absent.
const std::vector<Node>& tables_of(const Node& parent, std::string_view key, const std::string& path, std::string_view header) {
    static const std::vector<Node> nothing;
    const Node* list = parent.child(key);
    if (!list) return nothing;
    if (list->kind != Node::Kind::list)
        refuse(path, fmt::format("must be a list of tables, each [[{}]], got {}", header, text_of(*list)), list->source);
    return list->children;
}

void require_file(const fs::path& catalogue, const Run& run, const std::string& path, const Node& table) {
    std::error_code error;
    const auto file = catalogue.parent_path() / run.file;
    if (!fs::is_regular_file(file, error))
        refuse(dotted(path, "file"), fmt::format("there is no description {} beside the catalogue", to_text(run.file)),
               table.child("file")->source);
}

Run read_run(const Node& table, const std::string& path, const fs::path& catalogue) {
    require_table(table, path);
    for (const auto* key : {"name", "what", "mode", "file"}) require_key<Run>(table, path, key);
    auto run = read_table<Run>(table, path);
    require_letters(table, path, "name", lower_case, "lower-case letters, digits and -");
    if (run.metric.empty()) refuse(dotted(path, "metric"), "must not be empty", table.child("metric")->source);
    require_file(catalogue, run, path, table);
    run.source = table.source;
    return run;
}

void require_one_headline(const System& system, const std::string& path) {
    for (const Mode mode : {Mode::rate, Mode::spiking}) {
        const auto in_mode = [&](const Run& run) { return run.mode == mode; };
        const auto stands = [&](const Run& run) { return run.mode == mode && run.headline; };
        const auto runs = std::count_if(system.runs.begin(), system.runs.end(), in_mode);
        if (const auto count = std::count_if(system.runs.begin(), system.runs.end(), stands); runs > 0 && count != 1)
            refuse(dotted(path, "runs"), fmt::format("exactly one run in mode {} must say headline = true, got {}", name_of(mode), count),
                   system.where);
    }
}

System read_system(const Node& table, const std::string& path, const fs::path& catalogue) {
    require_table(table, path);
    for (const auto* key : {"id", "name", "source"}) require_key<System>(table, path, key);
    auto system = read_table<System>(table, path, {"runs"});
    require_letters(table, path, "id", letters, "letters and digits");
    system.where = table.source;
    std::set<std::pair<Mode, std::string>> names;
    const auto runs_path = dotted(path, "runs");
    const auto& runs = tables_of(table, "runs", runs_path, "systems.runs");
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto run_path = dotted(runs_path, label(runs[i], "name", i));
        const auto& run = system.runs.emplace_back(read_run(runs[i], run_path, catalogue));
        if (!names.emplace(run.mode, run.name).second)
            refuse(dotted(run_path, "name"), fmt::format("{} names an earlier run in mode {}", to_text(run.name), name_of(run.mode)),
                   runs[i].child("name")->source);
    }
    require_one_headline(system, path);
    return system;
}

/// Keys and values of a tree in their order, one after another and told apart.
void write_down(const Node& node, std::string& text) {
    text += fmt::format("{}{}(", node.key, static_cast<int>(node.kind));
    if (node.kind == Node::Kind::value) text += to_text(node.value);
    for (const auto& child : node.children) write_down(child, text);
    text += ")\n";
}

}  // namespace

fs::path default_catalogue() { return app::share().directory / "examples" / "systems" / "catalogue.toml"; }

Catalogue read_catalogue(const fs::path& file) {
    const Node root = parse_tree(read_text(file), {file.string()});
    auto catalogue = read_table<Catalogue>(root, {}, {"systems"});
    catalogue.file = file;
    std::set<std::string> ids;
    const auto& systems = tables_of(root, "systems", "systems", "systems");
    for (std::size_t i = 0; i < systems.size(); ++i) {
        const auto path = dotted("systems", label(systems[i], "id", i));
        const auto& system = catalogue.systems.emplace_back(read_system(systems[i], path, file));
        if (!ids.insert(system.id).second)
            refuse(dotted(path, "id"), fmt::format("{} names an earlier system", to_text(system.id)), systems[i].child("id")->source);
    }
    if (catalogue.systems.empty()) throw Error("systems", "is missing: a catalogue lists at least one [[systems]]", file.string());
    return catalogue;
}

const System& find_system(const Catalogue& catalogue, std::string_view id) {
    Names ids;
    for (const auto& system : catalogue.systems) {
        if (system.id == id) return system;
        ids.push_back(system.id);
    }
    refuse_name({}, "system", id, ids, {});
}

const Run* headline(const System& system, Mode mode) {
    for (const auto& run : system.runs)
        if (run.mode == mode && run.headline) return &run;
    return nullptr;
}

std::string fingerprint_of(const Catalogue& catalogue, const Run& run) {
    const auto file = catalogue.file.parent_path() / run.file;
    std::string text;
    write_down(parse_tree(read_text(file), {file.string()}), text);
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return fmt::format("{:016x}", hash);
}

std::vector<std::string> overrides_of(const Catalogue& catalogue, const Run& run, bool quick) {
    std::vector<std::string> all{fmt::format("run.mode={}", name_of(run.mode))};
    all.insert(all.end(), run.set.begin(), run.set.end());
    if (!quick) return all;
    all.insert(all.end(), catalogue.quick.begin(), catalogue.quick.end());
    all.insert(all.end(), run.quick.begin(), run.quick.end());
    return all;
}

Description describe(const Catalogue& catalogue, const Run& run, bool quick, std::int64_t seed, const std::string& data) {
    auto overrides = overrides_of(catalogue, run, quick);
    overrides.push_back(fmt::format("run.seed={}", seed));
    auto description = app::read_description(catalogue.file.parent_path() / run.file, overrides);
    if (data.empty() || description.data.generator != Generator::digits) return description;
    description.data.directory = data;
    description.sources["data.directory"] = {"--data"};
    return description;
}

std::string command_of(const Catalogue& catalogue, const Run& run, bool quick, std::int64_t seed, bool with_data) {
    auto command = "ydot run " + app::shell_word("examples/systems/" + run.file);
    for (const auto& text : overrides_of(catalogue, run, quick)) command += " --set " + app::shell_word(text);
    return command + fmt::format("{} --seed {}", with_data ? " --data $MNIST" : "", seed);
}

}  // namespace ydot::systems
