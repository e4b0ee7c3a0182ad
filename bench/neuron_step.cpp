// What a step of one unit costs, model by model.
#include "app/registry.hpp"
#include "bench/benchmark.hpp"
#include "sim/random.hpp"

namespace ydot::bench {
namespace {

constexpr std::uint32_t units = 4096;
constexpr double dt_ms = 0.1;

/// Nanoseconds of a step of a unit that gets no input: a shard at a time, as the engine does.
double ns_per_step(const Population& population, Step steps) {
    UnitShard shard(0, units, population.variables(), population.ports());
    population.reset(shard, {1, 0});
    SpikeList out;
    const double seconds = fastest(5, [&] {
        for (Step n = 0; n < steps; ++n) {
            out.clear();
            population.step(shard, {1, 0}, n, out);
        }
    });
    return 1e9 * seconds / (static_cast<double>(steps) * units);
}

}  // namespace

std::vector<Figure> neuron_step(const Options& options) {
    std::vector<Figure> figures;
    for (const auto& model : app::all_models()) {
        if (model.kind != "neuron") continue;
        PopulationSpec spec;
        spec.name = spec.model = model.name;
        spec.size = units;
        figures.push_back(
            {model.name, "ns a step of a unit", ns_per_step(*app::make_population(spec, {.dt_ms = dt_ms}), options.quick ? 100 : 1000)});
    }
    return figures;
}

}  // namespace ydot::bench
