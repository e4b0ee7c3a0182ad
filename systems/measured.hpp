#pragma once
#include <string>
#include <vector>

#include "sim/statistics.hpp"
#include "systems/catalogue.hpp"
#include "systems/records.hpp"

namespace ydot::systems {

/// The records of one run of a system that may be averaged: one per seed, in the order of seeds, all of them in full or all quick, all
/// on the same images. Full runs go before quick ones and MNIST, of which the papers speak, before drawn digits.
struct MeasuredRun {
    const Run* run = nullptr;
    std::vector<Record> records;
    /// Mean and spread of a metric over the seeds that have it.
    Moments metric(const std::string& key) const;
    Moments timing(const std::string& key) const;
    Moments figure() const { return metric(run->metric); }
    /// As figure_text() below; a metric that is not the test error is named.
    std::string figure_text() const;
};

struct MeasuredSystem {
    const System* system = nullptr;
    std::vector<MeasuredRun> runs;  ///< as in the catalogue
    /// The run that stands for a mode; nullptr when it has no record.
    const MeasuredRun* headline(Mode mode) const;
};

struct Measured {
    std::vector<MeasuredSystem> systems;  ///< as in the catalogue
    /// Records that are not counted, each with the reason: made by another command than the catalogue's, or by no run of it.
    std::vector<std::string> not_counted;
};

/// @param catalogue  must outlive the result
Measured measured(const Catalogue& catalogue, const std::vector<Record>& records);

/// "2.36 ± 0.07 (2)": mean, standard deviation over seeds, number of seeds; "-" for none.
std::string figure_text(const Moments& m, const std::string& metric);
/// "%", " ms", or nothing: by the end of the key.
std::string unit_of(const std::string& metric);

/// The list for a terminal: a line for each system.
std::string to_text(const Measured& measured);
/// The list for programs. What is not a finite number becomes null when it is printed.
nlohmann::ordered_json to_json(const Measured& measured);

}  // namespace ydot::systems
