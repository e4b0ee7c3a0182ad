#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/gradient_probe.hpp"
#include "sim/circuit.hpp"
#include "sim/description.hpp"
#include "sim/spike_statistics.hpp"

namespace ydot::app {

/// What summary.json says; the keys are these names.
struct Summary {
    std::string version, command;
    std::int64_t seed = 0, threads = 0;
    struct {
        std::size_t neurons = 0, synapses = 0;
    } network;
    struct {
        double build_s = 0;
        double run_s = 0, cpu_s = 0, biological_s = 0,
               synaptic_events = 0;  ///< after the warm-up of a run without a schedule; cpu_s: of all threads
    } timing;
    double bytes_per_synapse = 0;
    std::map<std::string, double> rates_Hz, metrics;
    std::optional<Activity> activity;  ///< of a run without a schedule; its means are in summary.json, its distributions in activity.h5
};

/// What summary.json says. What is not a finite number becomes null when it is printed.
nlohmann::ordered_json to_json(const Summary& summary);

/// One point of the learning curve.
struct LearningPoint {
    std::size_t images = 0;
    double epoch = 0, seconds = 0, train_error_percent = 0, validation_error_percent = 0, learning_fraction = 0;
    double reconstruction_error = std::numeric_limits<double>::quiet_NaN();  ///< squared, an image; where the network drives its input
    std::vector<GradientAlignment> gradient;                                 ///< with metrics.gradient_angle
};

/// A stretch of the recording: level "presentation" or "phase".
struct RecordedInterval {
    double start_ms = 0, stop_ms = 0;
    std::string level, name;
};

/// Writes a file that is complete or absent at any time. @throws Error (run_failure) when it cannot be written
void write_file(const std::filesystem::path& file, const std::string& text);

/// The directory of a run. Made when everything else has been checked; every file is complete or absent, but for spikes.h5 and
/// learning.csv, which grow while the run goes on and are readable at any time.
class ResultsDirectory {
public:
    /// Throws Error when the directory holds anything already, or cannot be made or written.
    static void check(const std::filesystem::path& directory);
    explicit ResultsDirectory(std::filesystem::path directory);

    const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path file(const std::string& name) const { return path_ / name; }
    void write(const std::string& name, const std::string& text) const;
    /// summary.json, and activity.h5 when there is an activity.
    void write_summary(const Summary& summary) const;
    void append(const LearningPoint& point) const;
    void write_intervals(const std::vector<RecordedInterval>& intervals) const;
    void write_weights(const Circuit& circuit) const;

private:
    std::filesystem::path path_;
};

/// Runs the figure script on a results directory: every picture that applies, or one.
/// @param arguments  of the script
/// @return the names it printed; @throws Error with what the script said: bad_input when there is nothing to draw, else run_failure
std::vector<std::string> draw_figures(const std::vector<std::string>& arguments);

/// "4.2 s", "431 s".
std::string seconds_text(double seconds);

/// Largest resident set so far.
std::size_t peak_memory_bytes();

}  // namespace ydot::app
