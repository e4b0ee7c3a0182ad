#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/parameters.hpp"

namespace ydot::app::detail {

/// Where a text comes from: a file, or an override, whose line and column mean nothing.
struct Origin {
    std::string name;
    bool is_override = false;
    Source at(int line = 0, int column = 0) const { return is_override ? Source{name, 0, 0} : Source{name, line, column}; }
};

/// What toml++ parsed, in the order of the file, with a source for every key and value. Overrides change the tree.
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

/// "3", "a table", ...: for errors.
std::string text_of(const Node& node);
std::vector<std::string> keys_of(const Node& table);
/// An element of a list of tables goes by its name, else by its index from 0.
std::string phase_label(const Node& phase, std::size_t index);

/// @throws Error for what is not TOML, or none that a description may hold
Node parse_tree(std::string_view text, const Origin& origin);
/// The value of a key: TOML or, when it is not, bare text. @param path  of the key
Node parse_value(const std::string& text, const std::string& path, const Origin& origin);

}  // namespace ydot::app::detail
