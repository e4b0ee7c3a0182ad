#include <array>

#include "bench/benchmark.hpp"
#include "sim/error.hpp"
#include "sim/parameters.hpp"

namespace ydot::bench {

std::span<const Benchmark> benchmarks() {
    static constexpr std::array<Benchmark, 11> all{
        {{"neuron_step", "a step of one unit, model by model", &neuron_step},
         {"delivery", "static synapses: construction and delivery", &delivery},
         {"plastic_delivery", "synapses that learn while they deliver", &plastic_delivery},
         {"construction", "from a description to synapses in their place, connector by connector", &construction},
         {"rate_learning", "matrix products, and backpropagation with real numbers", &rate_learning},
         {"vogels_abbott_coba", "4,000 units with conductances", &vogels_abbott_coba},
         {"vogels_abbott_cuba", "4,000 units with currents", &vogels_abbott_cuba},
         {"brunel", "12,500 units, 15.6 million synapses, asynchronous irregular", &brunel},
         {"balanced_stdp", "11,250 units, 126.6 million synapses, 81 million of them plastic", &balanced_stdp},
         {"microcircuit_dc", "cortical microcircuit, constant background", &microcircuit_dc},
         {"microcircuit", "cortical microcircuit, Poisson background", &microcircuit}}};
    return all;
}

const Benchmark& find_benchmark(std::string_view name) {
    std::vector<std::string> known;
    for (const auto& benchmark : benchmarks()) {
        if (benchmark.name == name) return benchmark;
        known.emplace_back(benchmark.name);
    }
    throw Error(std::string(name), with_suggestion("is no benchmark", name, known, "Known: all,"), {});
}

}  // namespace ydot::bench
