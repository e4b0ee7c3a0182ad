#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/description.hpp"
#include "sim/parameters.hpp"

namespace ydot::systems {

// The catalogue: a TOML file that lists the systems of the programme, what their papers say, and how they are run here. Runs name
// descriptions (*.toml) that lie beside it.

inline constexpr double none = std::numeric_limits<double>::quiet_NaN();  ///< of a number that the catalogue leaves out

inline constexpr std::string_view test_error = "test_error_percent";

constexpr std::string_view name_of(Mode mode) { return EnumNames<Mode>::names[static_cast<std::size_t>(mode)]; }

/// [[systems.runs]]: one way to run a system.
struct Run {
    std::string name, what, file;
    Mode mode = Mode::spiking;
    std::vector<std::string> set, quick;
    bool headline = false;
    std::string metric{test_error};
    double bound = none;
    Source source;
    static constexpr std::tuple fields{
        Field{"name", &Run::name, "lower-case letters, digits and -; unique among the runs of a system in a mode"},
        Field{"what", &Run::what, "in a few words, for tables"},
        Field{"file", &Run::file, "description, beside the catalogue"},
        Field{"mode", &Run::mode, "how the description is read: sets run.mode"},
        Field{"set", &Run::set, "overrides of the description, key.path=value each"},
        Field{"quick", &Run::quick, "overrides of a quick run, after those of the catalogue"},
        Field{"headline", &Run::headline, "whether this run stands for the system in its mode; exactly one does"},
        Field{"metric", &Run::metric, "what is reported: a key of metrics in summary.json"},
        Field{"bound", &Run::bound, "what the mean of the metric must not exceed"}};
    bool has_bound() const { return std::isfinite(bound); }
};

/// [[systems]]
struct System {
    std::string id, name, source, published;
    double published_error_percent = none;
    std::string paper, differs, lesson;  ///< Markdown
    std::vector<Run> runs;
    Source where;
    static constexpr std::tuple fields{
        Field{"id", &System::id, "letters and digits; unique"},
        Field{"name", &System::name, "of the system"},
        Field{"source", &System::source, "author and year"},
        Field{"published", &System::published, "the published result in words"},
        Field{"published_error_percent", &System::published_error_percent, "the published result as a number", Range{0, 100}},
        Field{"paper", &System::paper, "what the paper says, in Markdown"},
        Field{"differs", &System::differs, "what differs here from the paper, in Markdown"},
        Field{"lesson", &System::lesson, "what a neuroscientist learns from it, in Markdown"}};
};

struct Catalogue {
    std::filesystem::path file;
    std::vector<std::string> quick;  ///< overrides of every quick run
    std::vector<System> systems;
    static constexpr std::tuple fields{Field{"quick", &Catalogue::quick, "overrides of every quick run"}};
};

/// @throws Error (bad input) with file, line and key: TOML syntax, unknown and missing keys, wrong types, ids or names used twice, a
///   description that is not there, a mode without exactly one headline
Catalogue read_catalogue(const std::filesystem::path& file);
/// The catalogue that comes with the program: examples/systems/catalogue.toml.
std::filesystem::path default_catalogue();

/// @throws Error for an id that is not in the catalogue, with the nearest one
const System& find_system(const Catalogue& catalogue, std::string_view id);
/// The run that stands for the system in a mode; nullptr when there is none.
const Run* headline(const System& system, Mode mode);

/// Stands for what the description file of a run says, keys and values without comments and layout: 16 hexadecimal digits (64-bit FNV-1a).
std::string fingerprint_of(const Catalogue& catalogue, const Run& run);
/// What a run changes in its description: mode, own overrides, then the quick ones.
std::vector<std::string> overrides_of(const Catalogue& catalogue, const Run& run, bool quick);
/// The description of a run. @param data  directory with IDX files, for runs on digits; empty: drawn digits
Description describe(const Catalogue& catalogue, const Run& run, bool quick, std::int64_t seed, const std::string& data);
/// The command that repeats a run, from the root of the source tree. The directory of the images is the shell variable MNIST, so that
/// records say nothing of a machine.
std::string command_of(const Catalogue& catalogue, const Run& run, bool quick, std::int64_t seed, bool with_data);

}  // namespace ydot::systems
