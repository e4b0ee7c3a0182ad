#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/parameters.hpp"

/// A TOML file as a tree in the order of the file, with a source for every key and value; and tables of it as structs that list their
/// `fields`. Descriptions and the catalogue of systems are read this way, so that their mistakes are worded alike.
namespace ydot::app::tree {

using Names = std::vector<std::string>;

struct Node {
    enum class Kind { value, table, list };  // list: of tables
    std::string key;
    Source key_source, source;
    Kind kind = Kind::table;
    Value value;
    bool implied = false;  // the mean that `weight = 0.5`, or no weight at all, stands for
    int stage = 0;         // 0: of the file, 1: of its [when.MODE], 2: of an override
    std::vector<Node> children;

    Node* child(std::string_view name) {
        const auto found = std::find_if(children.begin(), children.end(), [&](const Node& c) { return c.key == name; });
        return found == children.end() ? nullptr : &*found;
    }
    const Node* child(std::string_view name) const { return const_cast<Node*>(this)->child(name); }
    const std::string* text(std::string_view name) const {
        const Node* c = child(name);
        return c && c->kind == Kind::value ? std::get_if<std::string>(&c->value) : nullptr;
    }
};

/// Where a text comes from: a file, or an override, whose line and column mean nothing.
struct Origin {
    std::string name;
    bool is_override = false;
    Source at(int line = 0, int column = 0) const { return is_override ? Source{name, 0, 0} : Source{name, line, column}; }
};

/// @throws Error with file, line and column
Node parse_tree(std::string_view text, const Origin& origin);
/// The value of a key: TOML or, when it is not, bare text. @param path  of the key
Node parse_value(const std::string& text, const std::string& path, const Origin& origin);
/// @throws Error (bad input) with the name of the file and why it cannot be read
std::string read_text(const std::filesystem::path& file);

/// As an error shows it: the value, "a table" or "a list of tables".
std::string text_of(const Node& node);
Names keys_of(const Node& table);
/// An element of a list of tables goes by its name, else by its index from 0.
std::string phase_label(const Node& phase, std::size_t index);
inline bool contains(const Names& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

[[noreturn]] void refuse(const std::string& path, std::string reason, const Source& source);
/// "there is no WHAT "NAME"; did you mean ...? Known: ..."
[[noreturn]] void refuse_name(const std::string& path, std::string_view what, std::string_view name, const Names& known,
                              const Source& source);
/// "is missing: DOC"; names a key of `others` that may be a misspelling of it.
[[noreturn]] void refuse_missing(const std::string& path, const std::string& key, std::string_view doc, const Names& others,
                                 const Source& source);
void require_table(const Node& node, const std::string& path);
void require_known(const Node& table, const std::string& path, const Names& known);
Setting to_setting(const Node& node, const std::string& path, std::string_view wanted);

template <class Struct>
Names own_keys(const Names& more = {}) {
    Names keys = field_keys<Struct>();
    keys.insert(keys.end(), more.begin(), more.end());
    return keys;
}

/// The fields of `Struct` that the table gives; other keys are ignored. A default may be written even if it is infinite (w_max = inf).
template <class Struct>
Struct read_own(const Node& table, const std::string& path) {
    Struct result;
    const Struct defaults{};
    const auto read = [&](const auto& field) {
        const Node* c = table.child(field.key);
        if (!c) return;
        const auto info = ydot::detail::info_of(field, defaults);
        const auto setting = to_setting(*c, dotted(path, field.key), info.allowed());
        if (setting.value == info.default_value) return;
        using T = std::remove_cvref_t<decltype(result.*field.member)>;
        if (auto value = ydot::detail::from_value<T>(setting.value, field.range)) result.*field.member = std::move(*value);
        else refuse_value(path, info, setting);
    };
    std::apply([&](const auto&... field) { (read(field), ...); }, Struct::fields);
    return result;
}

/// The same; other keys are refused, but for those of `more`.
template <class Struct>
Struct read_table(const Node& table, const std::string& path, const Names& more = {}) {
    require_table(table, path);
    require_known(table, path, own_keys<Struct>(more));
    return read_own<Struct>(table, path);
}

/// Refuses a table without `key`, or with an empty text there.
template <class Struct>
void require_key(const Node& table, const std::string& path, const std::string& key) {
    if (const auto* text = table.text(key); text && text->empty()) refuse(dotted(path, key), "must not be empty", table.child(key)->source);
    if (table.child(key)) return;
    std::string_view doc;
    const auto explain = [&](const auto& field) {
        if (field.key == key) doc = field.doc;
    };
    std::apply([&](const auto&... field) { (explain(field), ...); }, Struct::fields);
    Names others = keys_of(table);
    std::erase_if(others, [](const auto& k) { return contains(own_keys<Struct>(), k); });
    refuse_missing(path, key, doc, others, table.source);
}

}  // namespace ydot::app::tree
