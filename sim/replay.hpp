#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "sim/population.hpp"

namespace ydot {

/// A population that replays spike trains. On the grid, a spike at time t falls into the step that ends at or after t (the step it would be
/// reported for); in continuous time it keeps its time.
class ReplayPopulation final : public Population {
public:
    /// @param spikes  (time in ms, unit); any order
    ReplayPopulation(std::string unit_name, std::uint32_t units, const std::vector<std::pair<double, std::uint32_t>>& spikes, double dt_ms,
                     bool in_continuous_time)
        : Population(std::move(unit_name), units), continuous_(in_continuous_time) {
        for (const auto& [time_ms, unit] : spikes) spikes_.emplace_back(time_ms / dt_ms, unit);
        std::sort(spikes_.begin(), spikes_.end());
    }
    std::size_t variables() const noexcept override { return 0; }
    bool receives() const noexcept override { return false; }
    bool continuous() const noexcept override { return continuous_; }
    double full_rate_Hz() const noexcept override { return 1e3; }
    std::vector<double> impulse_response(std::size_t) const override { return {}; }
    void reset(UnitShard&, const StepKey&) const override {}
    void arrive(UnitShard&) const override {}

    void step(UnitShard& shard, const StepKey&, Step n, SpikeList& out) const override {
        const auto low = static_cast<double>(n), high = low + 1;
        const std::size_t old = out.unit.size();
        // times within 1e-9 of a step of its end belong to it: 0.3 / 0.1 is not 3
        for_between(low + (n == 0 ? -1 : 1e-9), high + 1e-9, shard, [&](double, std::uint32_t unit) { out.unit.push_back(unit); });
        std::sort(out.unit.begin() + static_cast<std::ptrdiff_t>(old), out.unit.end());
    }
    void advance(UnitShard& shard, const StepKey&, Interval span, Step first_step, std::span<SpikeList> out) const override {
        for_between(span.from, span.to, shard, [&](double time, std::uint32_t unit) { detail::put(out, first_step, time, unit); });
    }

private:
    /// Spikes of the shard's units with low <= time < high, in steps.
    template <class F>
    void for_between(double low, double high, const UnitShard& shard, F&& f) const {
        const auto before = [](const auto& spike, double time) { return spike.first < time; };
        for (auto it = std::lower_bound(spikes_.begin(), spikes_.end(), low, before); it != spikes_.end() && it->first < high; ++it)
            if (it->second - shard.first < shard.count) f(it->first, it->second);
    }
    bool continuous_;
    std::vector<std::pair<double, std::uint32_t>> spikes_;  // (time in steps, unit)
};

}  // namespace ydot
