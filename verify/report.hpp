#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/results.hpp"
#include "verify/check.hpp"

namespace ydot::verify {

/// What a verification found.
struct Report {
    struct Entry {
        const Check* check;
        CheckResult result;
    };
    std::string version, command;
    std::uint64_t seed = 1;
    bool quick = false, interrupted = false;  ///< interrupted: not every check that was asked for has run
    std::int64_t threads = 1;
    double seconds = 0;
    std::vector<Entry> entries;
    /// Every check that was asked for has run and passed.
    bool passed() const noexcept;
};

/// For programs: everything, the points of the figures included. What is not a finite number becomes null when it is printed.
nlohmann::ordered_json to_json(const Report& report);

// For the terminal: a line for each measurement and one for each check, which can be printed as the checks end.
std::string table_header();
std::string table_rows(const Report::Entry& entry);
/// One line: how many checks, and which failed.
std::string summary_line(const Report& report);
/// The whole table.
std::string to_text(const Report& report);

/// For readers: laws, figures, measurements and the reasons for their bounds, as GitHub-flavoured Markdown.
/// @param no_pictures  why there are none; empty: they are verification/NAME.png
std::string to_markdown(const Report& report, const std::string& no_pictures = {});

struct Written {
    std::vector<std::string> files;  ///< names in the directory
    std::string no_pictures;         ///< why there are none although there is something to draw
};
/// verification.json, verification/NAME.png for every figure, verification.md.
Written write(const Report& report, const app::ResultsDirectory& directory);

}  // namespace ydot::verify
