#pragma once
#include <string>
#include <vector>

#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Replayed spike trains: unit units[k] fires at times_ms[k]; or all the trains of a population of a spike file.
struct SpikeTrains {
    static constexpr std::string_view name = "spike_trains", summary = "replayed spike trains",
                                      reference = "any recording, e.g. SONATA (Dai et al. 2020)";
    static constexpr bool replays = true;
    struct Params {
        std::vector<double> times_ms, units;
        std::string file, population;
        static constexpr std::tuple fields{
            Field{"times_ms", &Params::times_ms, "spike times", not_negative},
            Field{"units", &Params::units, "the unit of each spike time", not_negative},
            Field{"file", &Params::file, "spike file (.h5, .gdf, .csv, .npz) in place of times_ms and units"},
            Field{"population", &Params::population, "whose spikes in the file; empty: the first"}};
    };
};

}  // namespace ydot::neurons
