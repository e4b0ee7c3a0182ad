#include "sim/population.hpp"

namespace ydot {

void check_grid_probability(GridProbability probability, double lambda_max_Hz, double refractory_ms, double dt_ms,
                            const std::string& path) {
    if (probability == GridProbability::linear && lambda_max_Hz * dt_ms > 1000)
        throw Error(path + ".lambda_max_Hz",
                    "must be <= 1000 / run.dt_ms with grid_probability = \"linear\", got " + to_text(lambda_max_Hz), {});
    if (probability == GridProbability::counts && refractory_ms > 0)
        throw Error(path + ".refractory_ms", "must be 0 with grid_probability = \"counts\", got " + to_text(refractory_ms), {});
}

UnitShard::UnitShard(std::uint32_t first_unit, std::uint32_t units, std::size_t variables, std::size_t ports)
    : first(first_unit),
      count(units),
      padded(padded_size(units)),
      columns(variables * padded),
      input(ports * padded),
      activity(padded),
      slope(padded),
      stimulus(padded),
      words(padded),
      threshold(padded),
      fired(padded),
      draws(units),
      silent_until(units) {}

namespace detail {

Candidate::Candidate(const StepKey& key, std::uint32_t stream, std::uint32_t unit, std::uint32_t& draw) noexcept {
    const auto words = random_words(key.seed, unit, draw++, key.trial, stream);
    const auto unit_interval_53 = [](std::uint64_t high, std::uint64_t low) {
        return static_cast<double>(((high << 32) | low) >> 11) * 0x1p-53;
    };
    wait = -std::log1p(-unit_interval_53(words[0], words[1]));
    accept = unit_interval_53(words[2], words[3]);
}

void put(std::span<SpikeList> out, Step first_step, double time, std::uint32_t unit) {
    const auto step = static_cast<Step>(std::floor(time));
    const auto slot = std::min(static_cast<std::size_t>(step - first_step), out.size() - 1);  // time < end of the window up to rounding
    out[slot].unit.push_back(unit);
    out[slot].offset.push_back(std::min(static_cast<float>(time - static_cast<double>(step)), 0x1.fffffep-1f));
}

}  // namespace detail
}  // namespace ydot
