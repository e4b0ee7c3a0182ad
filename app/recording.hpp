#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/frame_report.hpp"
#include "sim/description.hpp"
#include "sim/probe.hpp"
#include "sim/replica.hpp"

namespace ydot::app {

/// One file of a report: what is sampled, and how the file says it.
struct RecordedFrames {
    Probe probe;
    std::string file, population, units;  ///< "v_v_mV.h5", population of the recorded units, unit of the values
};

/// What [[record.reports]] asks for, a file for each variable.
/// @throws Error (bad input) for a population in continuous time, a variable that its model does not have, a projection without plasticity,
/// two
///         reports of one file
std::vector<RecordedFrames> recorded_frames(const Description& description, const Circuit& circuit);

/// Streams frames to the files of the reports.
class ReportWriter final : public FrameObserver {
public:
    ReportWriter(const std::vector<RecordedFrames>& recorded, const Circuit& circuit, const std::filesystem::path& directory);
    void frame(std::size_t probe, std::span<const float> values) override { files_[probe].append(values); }
    void close();

private:
    std::vector<data::FrameWriter> files_;
};

/// Streams the rates of all populations to a table: a row for every bin (start, start + bin] that has ended. Spikes are those of whole
/// windows.
class RateWriter final : public SpikeObserver {
public:
    /// @param start_ms  of the first bin
    RateWriter(const Circuit& circuit, double start_ms, double bin_ms, std::filesystem::path file);
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override;
    /// All spikes up to this time have been seen. @throws Error(run_failure)
    void advance(double time_ms);

private:
    double start_ms_, bin_ms_;
    std::filesystem::path path_;
    std::ofstream out_;
    std::vector<double> sizes_;
    std::vector<std::vector<std::uint64_t>> open_;  ///< counts by bin and population, from bin number `written_` on
    std::size_t written_ = 0;
};

}  // namespace ydot::app
