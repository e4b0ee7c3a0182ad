#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/run.hpp"
#include "systems/catalogue.hpp"
#include "systems/records.hpp"

namespace ydot::systems {

/// Which runs are meant.
struct Choice {
    std::string system = "all";  ///< an id, or all
    std::optional<Mode> mode;    ///< none: both
    std::string run;             ///< empty: all of them
    std::int64_t first_seed = 1, seeds = 1;
};

struct Task {
    const System* system = nullptr;
    const Run* run = nullptr;
    std::int64_t seed = 1;
};

struct RunSettings {
    bool quick = false;
    std::string data;  ///< directory with IDX files; empty: drawn digits
    std::int64_t threads = 0;
    std::filesystem::path out;  ///< results directories go below it; empty: none
    std::function<void(const app::Progress&)> progress;
    const std::atomic<bool>* stop = nullptr;
};

/// In the order of the catalogue; of each run all seeds.
/// @throws Error when the catalogue has no such run
std::vector<Task> tasks_of(const Catalogue& catalogue, const Choice& choice);

/// Reads the description of each, so that what is wrong with one is known before any has run.
void check(const Catalogue& catalogue, const std::vector<Task>& tasks, const RunSettings& settings);

/// @return nothing when it was interrupted: half a run is no record
std::optional<Record> run(const Catalogue& catalogue, const Task& task, const RunSettings& settings);

/// "S7 spiking learned, seed 1".
std::string name_of(const Task& task);

}  // namespace ydot::systems
