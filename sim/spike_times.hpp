#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/replica.hpp"

namespace ydot {

/// Spike times in ms of every unit of every population: times[population][unit].
using SpikeTimes = std::vector<std::vector<std::vector<double>>>;

struct SpikeTimesLog final : SpikeObserver {
    SpikeTimes times;
    explicit SpikeTimesLog(const Circuit& circuit) {
        for (std::size_t p = 0; p < circuit.population_count(); ++p) times.emplace_back(circuit.population(p).size());
    }
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override {
        for (std::size_t k = 0; k < times_ms.size(); ++k) times[population][units[k]].push_back(times_ms[k]);
    }
};

/// One presentation of a circuit whose weights rest. Many may run at once on one circuit.
inline SpikeTimes spike_times(Circuit& circuit, double duration_ms, std::uint32_t trial = 0) {
    SpikeTimesLog log(circuit);
    Replica replica(circuit);
    replica.reset(trial);
    replica.set_observer(&log);
    replica.run(static_cast<Step>(std::llround(duration_ms / circuit.dt_ms())));
    return std::move(log.times);
}

}  // namespace ydot
