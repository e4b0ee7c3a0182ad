#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "neurons/list.hpp"
#include "sim/replay.hpp"
#include "sim/replica.hpp"
#include "tests/support/script.hpp"

namespace ydot::test {

using Member = std::unique_ptr<const Population>;

template <UnitModel M>
Member population_of(const std::string& name, std::uint32_t size, const typename M::Params& params, double dt_ms, bool continuous) {
    return std::make_unique<UnitPopulation<M>>(name, size, params, dt_ms, continuous);
}
template <SourceModel S>
Member population_of(const std::string& name, std::uint32_t size, const typename S::Params& params, double dt_ms, bool continuous) {
    return std::make_unique<SourcePopulation<S>>(name, size, params, dt_ms, continuous);
}

template <class... Members>
std::unique_ptr<Circuit> circuit_of(double dt_ms, std::uint64_t seed, Members... members) {
    std::vector<Member> all;
    (all.push_back(std::move(members)), ...);
    return std::make_unique<Circuit>(dt_ms, seed, std::move(all));
}

/// Spike times in ms by population and unit.
using TimesOf = std::vector<std::vector<std::vector<double>>>;

struct TimesLog final : SpikeObserver {
    TimesOf times;
    explicit TimesLog(const Circuit& circuit) {
        for (std::size_t p = 0; p < circuit.population_count(); ++p) times.emplace_back(circuit.population(p).size());
    }
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override {
        for (std::size_t k = 0; k < times_ms.size(); ++k) times[population][units[k]].push_back(times_ms[k]);
    }
};

/// Runs a circuit and returns all spikes.
inline TimesOf run_for(Circuit& circuit, double duration_ms, std::uint32_t trial = 0) {
    TimesLog log(circuit);
    Replica replica(circuit);
    replica.reset(trial);
    replica.set_observer(&log);
    replica.run(static_cast<Step>(std::llround(duration_ms / circuit.dt_ms())));
    return std::move(log.times);
}

inline std::size_t count_of(const std::vector<std::vector<double>>& trains) {
    std::size_t count = 0;
    for (const auto& train : trains) count += train.size();
    return count;
}

}  // namespace ydot::test
