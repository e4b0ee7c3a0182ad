#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/results.hpp"
#include "systems/catalogue.hpp"

namespace ydot::systems {

/// What is kept of one run of a system: a JSON file of its own.
struct Record {
    std::string system, run;
    Mode mode = Mode::spiking;
    std::int64_t seed = 0;
    bool quick = false;
    std::string command;      ///< repeats the run
    std::string description;  ///< fingerprint_of() it; empty: not known (older records)
    std::string data;         ///< mnist, drawn_digits or patterns
    std::string date;         ///< YYYY-MM-DD
    std::string processor;
    std::int64_t threads = 0;
    nlohmann::ordered_json summary;  ///< summary.json of the run
    std::vector<app::LearningPoint> curve;

    /// A number of summary.metrics or summary.timing; NaN when there is none.
    double metric(const std::string& key) const { return number("metrics", key); }
    double timing(const std::string& key) const { return number("timing", key); }

private:
    double number(const char* table, const std::string& key) const;
};

inline constexpr std::string_view mnist = "MNIST", drawn_digits = "drawn digits", patterns = "one-hot patterns";

nlohmann::ordered_json to_json(const Record& record);
/// @throws Error (bad input) naming the file when it is no record
Record record_from(const std::string& json, const std::string& file_name);

/// SYSTEM-MODE-RUN[-drawn][-quick]-seedN.json: whatever must not be taken for the same has another name.
std::string file_name(const Record& record);
/// Makes the directory when it is not there. The file is complete or absent at any time; one of the same name is replaced.
/// @return the file
std::filesystem::path write_record(const std::filesystem::path& directory, const Record& record);
/// Every *.json of a directory, by file name; none when there is no such directory.
std::vector<Record> read_records(const std::filesystem::path& directory);
/// The records that come with the program: docs/results.
std::filesystem::path default_records();

}  // namespace ydot::systems
