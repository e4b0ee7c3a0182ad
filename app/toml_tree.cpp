#include "app/toml_tree.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace ydot::app::tree {
namespace {

Source place(const Origin& origin, const toml::source_position& p) {
    return origin.at(static_cast<int>(p.line), static_cast<int>(p.column));
}

Node to_tree(const toml::node& node, const std::string& path, const Origin& origin);

template <class T>
Value to_list(const toml::array& array, const std::string& path, const Origin& origin) {
    std::vector<T> list;
    for (const auto& element : array) {
        const auto x = element.value<T>();
        if (!x || element.is_boolean()) refuse(path, "a list must hold only numbers or only texts", place(origin, element.source().begin));
        list.push_back(*x);
    }
    return list;
}

Value to_value(const toml::node& node, const std::string& path, const Origin& origin) {
    if (const auto* x = node.as_boolean()) return x->get();
    if (const auto* x = node.as_integer()) return x->get();
    if (const auto* x = node.as_floating_point()) return x->get();
    if (const auto* x = node.as_string()) return x->get();
    const auto* array = node.as_array();
    if (!array) refuse(path, "dates and times are not used in a description; a text needs quotes", place(origin, node.source().begin));
    if (!array->empty() && array->front().is_string()) return to_list<std::string>(*array, path, origin);
    return to_list<double>(*array, path, origin);  // the empty list too
}

bool holds_tables(const toml::array* array) { return array && !array->empty() && array->front().is_table(); }

std::vector<Node> elements_of(const toml::array& array, const std::string& path, const Origin& origin) {
    std::vector<Node> elements;
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (!array[i].is_table()) refuse(path, "a list of tables must hold only tables", place(origin, array[i].source().begin));
        elements.push_back(to_tree(array[i], dotted(path, std::to_string(i)), origin));
    }
    return elements;
}

/// In the order of the file: toml++ keeps its keys sorted.
std::vector<Node> children_of(const toml::table& table, const std::string& path, const Origin& origin) {
    std::vector<std::pair<toml::source_position, Node>> found;
    for (const auto& [key, value] : table) {
        Node child = to_tree(value, dotted(path, key.str()), origin);
        child.key = key.str();
        child.key_source = place(origin, key.source().begin);
        found.emplace_back(key.source().begin, std::move(child));
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Node> children;
    for (auto& [position, child] : found) children.push_back(std::move(child));
    return children;
}

Node to_tree(const toml::node& node, const std::string& path, const Origin& origin) {
    Node result;
    result.source = place(origin, node.source().begin);
    if (const auto* table = node.as_table()) {
        result.children = children_of(*table, path, origin);
    } else if (const auto* array = node.as_array(); holds_tables(array)) {
        result.kind = Node::Kind::list;
        result.children = elements_of(*array, path, origin);
    } else {
        result.kind = Node::Kind::value;
        result.value = to_value(node, path, origin);
    }
    return result;
}

Node bare_text(const std::string& text, const Origin& origin) {
    Node node;
    node.source = origin.at();
    node.kind = Node::Kind::value;
    node.value = text;
    return node;
}

bool is_date(const toml::node& node) { return node.is_date() || node.is_time() || node.is_date_time(); }

[[noreturn]] void refuse_file(const std::filesystem::path& file, int code) {
    throw Error(file.string(), "cannot read the file: " + std::generic_category().message(code ? code : EIO), {});
}

}  // namespace

std::string text_of(const Node& node) {
    if (node.kind == Node::Kind::value) return to_text(node.value);
    return node.kind == Node::Kind::table ? "a table" : "a list of tables";
}

Names keys_of(const Node& table) {
    Names keys;
    for (const auto& c : table.children) keys.push_back(c.key);
    return keys;
}

std::string phase_label(const Node& phase, std::size_t index) {
    const auto* name = phase.text("name");
    return name && !name->empty() ? *name : std::to_string(index);
}

Node parse_tree(std::string_view text, const Origin& origin) {
    try {
        return to_tree(toml::parse(text), {}, origin);
    } catch (const toml::parse_error& error) {
        throw Error({}, std::string(error.description()), place(origin, error.source().begin).text());
    }
}

Node parse_value(const std::string& text, const std::string& path, const Origin& origin) {
    try {
        const toml::table table = toml::parse("value = " + text);
        if (table.size() == 1 && !is_date(*table.get("value"))) return to_tree(*table.get("value"), path, origin);
    } catch (const toml::parse_error&) {  // not TOML: bare text
    }
    return bare_text(text, origin);
}

std::string read_text(const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) refuse_file(file, EISDIR);
    errno = 0;
    const std::ifstream in(file, std::ios::binary);
    if (!in) refuse_file(file, errno);
    std::ostringstream text;
    text << in.rdbuf();  // of an empty file it sets failbit, of a read error badbit
    if (text.bad()) refuse_file(file, errno);
    return text.str();
}

void refuse(const std::string& path, std::string reason, const Source& source) { throw Error(path, std::move(reason), source.text()); }

void refuse_name(const std::string& path, std::string_view what, std::string_view name, const Names& known, const Source& source) {
    const std::string complaint = fmt::format("there is no {} \"{}\"", what, name);
    refuse(path, known.empty() ? complaint + "; there are none at all" : with_suggestion(complaint, name, known, "Known:"), source);
}

void refuse_missing(const std::string& path, const std::string& key, std::string_view doc, const Names& others, const Source& source) {
    std::string reason = fmt::format("is missing: {}", doc);
    if (const auto near = nearest_name(key, others); !near.empty()) reason += fmt::format(" (did you mean it by {}?)", near);
    refuse(dotted(path, key), reason, source);
}

void require_table(const Node& node, const std::string& path) {
    if (node.kind != Node::Kind::table) refuse(path, "must be a table, got " + text_of(node), node.source);
}

void require_known(const Node& table, const std::string& path, const Names& known) {
    for (const auto& c : table.children)
        if (!contains(known, c.key)) refuse_key(path, c.key, known, c.key_source);
}

Setting to_setting(const Node& node, const std::string& path, std::string_view wanted) {
    if (node.kind != Node::Kind::value) refuse(path, fmt::format("must be {}, got {}", wanted, text_of(node)), node.source);
    return {node.value, node.source};
}

}  // namespace ydot::app::tree
