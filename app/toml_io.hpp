#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "sim/description.hpp"

namespace ydot::app {

/// Reads a description. Tables: [run], [populations.NAME], [projections.NAME], [projections.NAME.plasticity], [schedule],
/// [[schedule.phases]], [data], [record]; and the key `plots`. Populations and projections keep the order of the file.
///
/// Keys of a table that its struct does not list go on to the chosen model (populations), connector (projections) or rule
/// (plasticity), which is where they are checked. `weight` and `delay_ms` are a number or a table of DistributionSpec.
///
/// @param overrides  "key.path=value" each, applied in order, later ones win. The value is TOML (0.5, true, "text", [1, 2], {..})
///   or, when it is not, bare text (grid). Phases are addressed by name or by index from 0: schedule.phases.pass2.duration_ms=80.
///   Tables that the file leaves out are made, populations, projections and phases are not.
///   When the overrides leave a `model`, `connector` or `plasticity.rule` other than the file's, the parameters that the file
///   gave to the former choice are dropped (but for `of` from one feedback connector to another), and those that overrides gave are kept,
///   wherever they stand among the overrides.
/// @throws Error (bad input) with "file:line:column" or "--set KEY": TOML syntax, unknown keys, wrong types, values out of
///   range, missing keys, an empty or unreadable file. References between the parts are left to validate().
Description read_description(const std::filesystem::path& file, std::span<const std::string> overrides = {});

/// The same from text; `file_name` is for messages and sources.
Description parse_description(std::string_view text, std::string_view file_name, std::span<const std::string> overrides = {});

/// The complete file, defaults filled in. parse_description(write_description(d), "") == d for every d that has its required
/// keys. Left out: bounds at infinity, and the plasticity table of static projections.
std::string write_description(const Description& description);

/// Checks what one value alone cannot tell: names that refer to populations and projections, times that are multiples of
/// run.dt_ms (to 1e-9 of their size), bounds in order. Repeats the range checks, for descriptions made in code.
/// @throws Error (bad input) for the first fault, with its position when the description was read from a file
void validate(const Description& description);

/// Why a phase cannot clamp a population.
std::string clamp_text(const Description& description, const std::string& name);

/// The error with the position of its key, for errors that were thrown where only the key, or only the table around it, was known.
/// The position is that of the key in `description.sources`, else that of the innermost table around it, else only the file.
Error located(const Error& error, const Description& description);

}  // namespace ydot::app
