#include "app/detail/shared.hpp"

#include <utility>

#include "app/detail/keys.hpp"
#include "sim/description.hpp"

namespace ydot::app::detail {
namespace {

/// The name that a projection's plasticity refers to; null: it says all by itself.
const std::string* shared_name(const Node& plasticity) {
    if (plasticity.kind == Node::Kind::value) return std::get_if<std::string>(&plasticity.value);
    return plasticity.text("like");
}

Node merged(const Node& shared, const Node& own) {
    Node result = own;
    result.kind = Node::Kind::table;
    std::erase_if(result.children, [](const Node& c) { return c.key == "like"; });
    const auto *rule = own.text("rule"), *shared_rule = shared.text("rule");
    const bool same_rule = !rule || (shared_rule && *rule == *shared_rule);
    for (const auto& c : shared.children)
        if (!own.child(c.key) && (same_rule || contains(own_keys<PlasticitySpec>(), c.key))) result.children.push_back(c);
    return result;
}

}  // namespace

void share_plasticity(Node& root) {
    Node none, *found = root.child("plasticity");
    const Node all = found ? *found : none;
    require_table(all, "plasticity");
    for (const auto& table : all.children) require_table(table, dotted("plasticity", table.key));
    std::erase_if(root.children, [](const Node& c) { return c.key == "plasticity"; });
    Names used;
    if (Node* projections = root.child("projections"))
        for (auto& p : projections->children) {
            Node* own = p.child("plasticity");
            const auto* name = own ? shared_name(*own) : nullptr;
            if (!name) continue;
            const Node* shared = all.child(*name);
            if (!shared) refuse_name("projections." + p.key + ".plasticity", "table plasticity", *name, keys_of(all), own->source);
            used.push_back(*name);
            *own = merged(*shared, *own);
        }
    for (const auto& table : all.children)
        if (!contains(used, table.key))
            refuse(dotted("plasticity", table.key), "no projection refers to it, by plasticity = " + to_text(table.key), table.key_source);
}

}  // namespace ydot::app::detail
