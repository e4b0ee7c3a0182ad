// Plastic synapses alone: the rows of a block that learns while it delivers, on one thread and on all.
#include <tbb/global_control.h>

#include "app/registry.hpp"
#include "bench/benchmark.hpp"
#include "sim/parallel.hpp"
#include "sim/plasticity.hpp"
#include "sim/random.hpp"

namespace ydot::bench {
namespace {

constexpr double dt_ms = 0.1, rate_Hz = 7.5;
constexpr Step delay = 15;

/// The plastic part of balanced_stdp: 9,000 sources, of whom every target has as many inputs, with repetition.
struct Shape {
    std::uint32_t sources = 9000, targets = 4096;
    std::size_t inputs = 9000;
};

Connectivity connectivity(const Shape& shape) {
    Connectivity synapses;
    synapses.delay = {delay};
    Draws draws(1, 4);
    const auto outputs = static_cast<std::uint32_t>(shape.inputs * shape.targets / shape.sources);
    for (std::uint32_t source = 0; source < shape.sources; ++source)
        for (std::uint32_t k = 0; k < outputs; ++k) {
            synapses.source.push_back(source);
            synapses.target.push_back(draws.below(shape.targets));
            synapses.weight.push_back(45);
        }
    return synapses;
}

Plasticity power_law(std::uint32_t sources) {
    PlasticitySpec spec;
    spec.rule = "stdp_power_law";
    Plasticity plasticity;
    plasticity.rule = app::make_rule(spec, "benchmark", {});
    plasticity.of_source.assign(sources, {0, 1e9f});
    return plasticity;
}

/// Units of so many that fire in a step: each once at most, ascending.
std::vector<std::uint32_t> spikes(std::uint32_t units, Draws& draws) {
    std::vector<std::uint32_t> fired;
    for (std::uint32_t unit = 0; unit < units; ++unit)
        if (draws.uniform(0, 1) < rate_Hz * dt_ms * 1e-3) fired.push_back(unit);
    return fired;
}

/// Synaptic events a second: each delivered and learned from, with the spikes of the targets. One block for each thread.
double events_per_s(const Shape& shape, std::vector<SynapseBlock>& blocks, std::size_t threads, Step steps) {
    Draws draws(1, 5);
    std::vector<std::vector<std::uint32_t>> arriving, firing;
    double events = 0;
    for (Step n = 0; n < steps; ++n) {
        arriving.push_back(spikes(shape.sources, draws));
        firing.push_back(spikes(shape.targets, draws));
        events += static_cast<double>(arriving.back().size() * blocks[0].cells()) / shape.sources;
    }
    const auto plasticity = power_law(shape.sources);
    std::vector<std::unique_ptr<OnlineLearner>> learners;
    for (std::size_t k = 0; k < threads; ++k) learners.push_back(OnlineLearner::make(plasticity, blocks[k], dt_ms, false));
    Step begun = 0;
    const double seconds = fastest(3, [&] {
        parallel_for(threads, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = begin; k < end; ++k) {
                std::vector<float> input(blocks[k].stride());
                for (Step n = 0; n < steps; ++n) {
                    const auto at = static_cast<std::size_t>(n);
                    const std::span<const std::uint32_t> arrivals(arriving[at]);
                    learners[k]->deliver(begun + n, 0, arrivals, nullptr, 1, input.data());
                    learners[k]->step(begun + n, {&arrivals, 1}, firing[at], nullptr);
                }
            }
        });
        begun += steps;
    });
    return static_cast<double>(threads) * events / seconds;
}

}  // namespace

std::vector<Figure> plastic_delivery(const Options& options) {
    Shape shape;
    if (options.quick) shape = {2000, 1024, 2000};
    const Step steps = options.quick ? 500 : 1000;
    std::vector<SynapseBlock> blocks;
    {
        const auto synapses = connectivity(shape);
        for (std::size_t k = 0; k < options.threads; ++k) blocks.emplace_back(synapses, shape.sources, 0, shape.targets);
    }
    std::vector<Figure> figures;
    figures.push_back({"memory", "bytes a synapse", static_cast<double>(blocks[0].bytes()) / static_cast<double>(blocks[0].cells())});
    const auto measure = [&](std::size_t threads, const char* what, double limit) {
        const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
        const double rate = events_per_s(shape, blocks, threads, steps);
        figures.push_back({what, "synaptic events/s", rate, "rewrites of this machine", rate / limit});
        return rate;
    };
    const double one = measure(1, "learning, one thread", options.limits.rewrites_per_s[0]);
    if (options.threads > 1)
        figures.push_back(
            {"all threads over one", "", measure(options.threads, "learning, all threads", options.limits.rewrites_per_s[1]) / one});
    return figures;
}

}  // namespace ydot::bench
