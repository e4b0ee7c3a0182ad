#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "systems/measured.hpp"

namespace ydot::systems {

/// What the papers say, what was measured, what differs: everything from the catalogue and the records, as GitHub-flavoured Markdown.
/// @param pictures  ids of the systems that have one: images/systems/ID.png
std::string to_markdown(const Measured& measured, const std::vector<std::string>& pictures);

/// The learning curves, and the angles to the gradient where they were measured: a figure for each system with a record, in the form of
/// verification.json ({"figures": [{name, panels: [{x_label, ..., series: [{name, x, y, error, line}]}]}]}).
nlohmann::ordered_json figures_of(const Measured& measured);

struct WrittenReport {
    std::vector<std::string> files;
    std::string no_pictures;  ///< why there are none although there are curves to draw
};
/// Writes the Markdown to `file` and the pictures to images/systems beside it.
WrittenReport write_report(const Measured& measured, const std::filesystem::path& file);

}  // namespace ydot::systems
