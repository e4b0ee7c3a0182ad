#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/results.hpp"
#include "sim/description.hpp"

namespace ydot::app {

/// How far a run is. The application reports, the front end draws.
struct Progress {
    std::string stage;      ///< "training", "running", "testing", ...
    double fraction = 0;    ///< of the stage, in [0, 1]
    double rate = 0;        ///< per second
    std::string rate_unit;  ///< "images", "ms of activity"; empty: neither rate nor time left is known
    double seconds_left = 0;
    std::optional<double> error_percent;  ///< training: recent share of wrong answers
    std::optional<LearningPoint> point;   ///< a new point of the learning curve
};

struct RunOptions {
    std::filesystem::path out;  ///< results directory; empty: nothing is written
    std::string command;        ///< for the record
    std::function<void(const Progress&)> progress;
    const std::atomic<bool>* stop = nullptr;  ///< set from outside: finish the window, save, return
};

struct RunResult {
    Summary summary;
    std::vector<LearningPoint> curve;
    std::vector<std::string> pictures;
    std::string no_pictures;  ///< why there are none although they were asked for
    bool interrupted = false;
};

/// Runs a description to its end: trains when it has a schedule, else simulates run.duration_ms. Everything that can be wrong with the
/// description, the data or the output directory is found before the directory is made.
RunResult run(const Description& description, const RunOptions& options = {});

/// How many threads a run uses that asks for this many; 0 asks for one a core.
std::int64_t threads_used(std::int64_t asked);

/// Builds, but does not run: what `--dry-run` shows.
Summary dry_run(const Description& description);

}  // namespace ydot::app
