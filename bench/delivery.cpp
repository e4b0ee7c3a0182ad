// Static synapses alone: construction and delivery, on one thread and on all.
#include <tbb/global_control.h>

#include "app/synapse_stream.hpp"
#include "bench/benchmark.hpp"
#include "networks/fixed_total_number.hpp"
#include "sim/parallel.hpp"
#include "sim/population.hpp"
#include "sim/random.hpp"

namespace ydot::bench {
namespace {

/// A network of the shape of the full-scale microcircuit: 77,169 units, out-degree 3,873, delays 1.5 +- 0.75 ms in steps of 0.1 ms.
struct Shape {
    std::uint32_t units = 77'169;
    std::int64_t synapses = 298'880'970;
    double spikes_per_step = 25;
};

ProjectionSpec projection() {
    ProjectionSpec spec;
    spec.name = "bench";
    spec.weight = {Distribution::normal, 87.8, 8.78, 0, 1e9, false};
    spec.delay_ms = {Distribution::normal, 1.5, 0.75, 0.1, 1e9, false};
    return spec;
}

std::vector<StaticSynapses> built(const Shape& shape, std::size_t partitions) {
    const RunSpec run{.dt_ms = 0.1};
    const networks::FixedTotalNumber::Params params{.number = shape.synapses, .multapses = true};
    const networks::ConnectRequest request{.name = "bench", .sources = shape.units, .targets = shape.units, .same_population = true};
    const app::DescribedSynapses stream(projection(), run, networks::FixedTotalNumber::stream(params, request), 1);
    std::vector<std::vector<StaticSynapses::Targets>> targets;
    const auto share = static_cast<std::uint32_t>(shape.units / partitions + 1);
    for (std::uint32_t first = 0; first < shape.units; first += share) {
        const std::uint32_t units = std::min(share, shape.units - first);
        targets.push_back({{{0, first, units}, UnitShard::padded_size(units), 1}});
    }
    const StaticSynapses::Input input{0, 0, 0, &stream};
    return StaticSynapses::build({&shape.units, 1}, {&input, 1}, std::move(targets));
}

/// Synaptic events a second. Every step some units fire, and what is due is added up.
double events_per_s(const Shape& shape, const std::vector<StaticSynapses>& synapses, Step steps) {
    std::vector<std::vector<std::uint32_t>> spikes(static_cast<std::size_t>(steps));
    Draws draws(1, 3);
    double events = 0;
    for (auto& list : spikes) {
        list.resize(static_cast<std::size_t>(shape.spikes_per_step));
        for (auto& unit : list) unit = draws.below(shape.units);
        events += static_cast<double>(list.size()) * static_cast<double>(shape.synapses) / shape.units;
    }
    const double seconds = fastest(3, [&] {
        parallel_for(synapses.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin; k < end; ++k) {
                std::vector<std::int32_t> input(synapses[k].slots());
                Arrivals arrivals(synapses[k].longest_delay());
                for (Step n = 0; n < steps; ++n) {
                    synapses[k].deliver(n, arrivals, input.data());
                    synapses[k].send(n, 0, spikes[static_cast<std::size_t>(n)], arrivals);
                }
            }
        });
    });
    return events / seconds;
}

}  // namespace

std::vector<Figure> delivery(const Options& options) {
    Shape shape;
    if (options.quick) shape = {20'000, 20'000'000, 25};
    std::vector<Figure> figures;
    std::vector<StaticSynapses> synapses;
    const auto build = [&] { synapses = built(shape, std::max<std::size_t>(options.threads, 2)); };
    figures.push_back({"construction", "synapses/s", static_cast<double>(shape.synapses) / fastest(1, build)});
    std::size_t bytes = 0;
    for (const auto& s : synapses) bytes += s.bytes();
    figures.push_back({"memory", "bytes a synapse", static_cast<double>(bytes) / static_cast<double>(shape.synapses)});
    const Step steps = options.quick ? 1000 : 5000;
    const auto measure = [&](std::size_t threads, const char* what, double limit) {
        const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
        const double rate = events_per_s(shape, synapses, steps);
        figures.push_back({what, "synaptic events/s", rate, "random additions of this machine", rate / limit});
        return rate;
    };
    const double one = measure(1, "delivery, one thread", options.limits.adds_per_s[0]);
    if (options.threads > 1) {
        const double all = measure(options.threads, "delivery, all threads", options.limits.adds_per_s[1]);
        figures.push_back({"all threads over one", "", all / one});
    }
    return figures;
}

}  // namespace ydot::bench
