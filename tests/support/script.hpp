#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/circuit.hpp"
#include "sim/replica.hpp"

namespace ydot::test {

/// (step, unit)
using Script = std::vector<std::pair<Step, std::uint32_t>>;
/// input[step][unit]
using InputLog = std::vector<std::vector<float>>;

/// A population that fires what it is told and writes down what arrives.
class Scripted final : public Population {
public:
    Scripted(std::string its_name, std::uint32_t units, Script script, std::size_t steps = 0)
        : Population(std::move(its_name), units),
          script_(std::move(script)),
          log_(std::make_shared<InputLog>(steps, std::vector<float>(units))) {
        std::sort(script_.begin(), script_.end());
    }
    std::shared_ptr<const InputLog> log() const { return log_; }

    std::size_t variables() const noexcept override { return 0; }
    bool receives() const noexcept override { return true; }
    double full_rate_Hz() const noexcept override { return 1e3; }
    void reset(UnitShard&, const StepKey&) const override {}
    std::vector<double> impulse_response(std::size_t) const override { return {}; }
    void step(UnitShard& shard, const StepKey&, Step n, SpikeList& out) const override {
        if (static_cast<std::size_t>(n) < log_->size())
            std::copy_n(shard.input.begin(), shard.count, (*log_)[static_cast<std::size_t>(n)].begin() + shard.first);
        for (auto it = std::lower_bound(script_.begin(), script_.end(), std::pair{n, 0u}); it != script_.end() && it->first == n; ++it)
            if (it->second - shard.first < shard.count) out.unit.push_back(it->second);
    }
    void advance(UnitShard&, const StepKey&, Interval, Step, std::span<SpikeList>) const override {}
    void arrive(UnitShard&) const override {}

private:
    Script script_;
    std::shared_ptr<InputLog> log_;
};

/// Writes down every spike as (population, time in ms, unit).
struct SpikeLog final : SpikeObserver {
    std::vector<std::tuple<std::size_t, double, std::uint64_t>> seen;
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override {
        for (std::size_t k = 0; k < times_ms.size(); ++k) seen.emplace_back(population, times_ms[k], units[k]);
    }
};

/// Every source to every target; `weight(i, j)` and `delay(i, j)`.
template <class Weight, class Delay>
Connectivity every_pair(std::uint32_t sources, std::uint32_t targets, Weight&& weight, Delay&& delay) {
    Connectivity c;
    for (std::uint32_t i = 0; i < sources; ++i)
        for (std::uint32_t j = 0; j < targets; ++j) {
            c.source.push_back(i);
            c.target.push_back(j);
            c.weight.push_back(static_cast<float>(weight(i, j)));
            c.delay.push_back(static_cast<std::uint16_t>(delay(i, j)));
        }
    return c;
}
inline Connectivity one_synapse(double weight, std::uint16_t delay) { return {{0}, {0}, {static_cast<float>(weight)}, {delay}}; }

/// Weights of a projection by (source, target), in the order of the synapses.
inline std::vector<float> weights_of(const Projection& projection) {
    std::vector<float> w;
    for (const auto& block : projection.blocks) block.for_each([&](auto, auto, auto, float x) { w.push_back(x); });
    return w;
}

}  // namespace ydot::test
