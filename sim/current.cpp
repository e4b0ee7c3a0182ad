#include "sim/current.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ydot {

ShardCurrents::ShardCurrents(std::span<const Stimulus> stimuli, std::size_t population, const UnitShard& shard) {
    for (const auto& stimulus : stimuli) {
        if (stimulus.to != population) continue;
        Part part{&stimulus, stream_of(stimulus.name, Purpose::current), {}, std::vector<float>(shard.padded)};
        if (!stimulus.units.empty()) part.reached.assign(shard.padded, 0);
        bool any = stimulus.units.empty();
        for (const auto unit : stimulus.units)
            if (unit - shard.first < shard.count) {
                part.reached[unit - shard.first] = 1;
                any = true;
            }
        if (any) parts_.push_back(std::move(part));
    }
}

void ShardCurrents::reset(std::span<float> pA) {
    for (auto& part : parts_) part.until = 0;
    std::fill(pA.begin(), pA.end(), 0.0f);
}

void ShardCurrents::fill(const StepKey& key, double dt_ms, Step n, std::uint32_t first, std::span<float> pA) {
    bool changed = false;
    for (auto& part : parts_) {
        if (n < part.until) continue;
        part.until = part.stimulus->current->fill({n, dt_ms, first, key, part.stream}, part.pA);
        for (std::size_t i = 0; i < part.reached.size(); ++i) part.pA[i] *= part.reached[i];
        changed = true;
    }
    if (!changed) return;
    std::fill(pA.begin(), pA.end(), 0.0f);
    for (const auto& part : parts_)
        for (std::size_t i = 0; i < pA.size(); ++i) pA[i] += part.pA[i];
}

void require_multiple(double time_ms, double dt_ms, const std::string& path) {
    if (std::abs(time_ms - std::round(time_ms / dt_ms) * dt_ms) > 1e-9 * std::abs(time_ms))
        throw Error(path, fmt::format("must be a multiple of run.dt_ms = {}, got {}", dt_ms, time_ms), {});
}

Step steps_of(double time_ms, double dt_ms) { return static_cast<Step>(std::llround(time_ms / dt_ms)); }

void ActiveSpan::check(double start_ms, double stop_ms, double dt_ms, const std::string& path) {
    require_multiple(start_ms, dt_ms, path + ".start_ms");
    require_multiple(stop_ms, dt_ms, path + ".stop_ms");
    if (stop_ms != 0 && stop_ms <= start_ms)
        throw Error(path + ".stop_ms", fmt::format("must be > start_ms = {}, or 0 for the end of the run, got {}", start_ms, stop_ms), {});
}

}  // namespace ydot
