// Benchmarks run and give figures; what they measure is for docs/results.md.
#include "bench/benchmark.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/error.hpp"

using namespace ydot;

TEST_CASE("Micro-benchmarks give figures that are numbers", "[contract]") {
    bench::Options options{.threads = 2, .quick = true, .limits = {2, {1, 2}, {1e9, 2e9}, {1e9, 2e9}, {100, 200}}};
    for (const auto* name : {"neuron_step", "plastic_delivery", "construction", "rate_learning"}) {
        INFO(name);
        const auto figures = bench::find_benchmark(name).run(options);
        CHECK(figures.size() > 3);
        for (const auto& figure : figures) {
            INFO(figure.what);
            CHECK(figure.value > 0);
            CHECK(std::isfinite(figure.value));
            CHECK(figure.of_what.empty() == (figure.share == 0));
        }
    }
}

TEST_CASE("A benchmark is found by its name, or the nearest one is named", "[contract]") {
    for (const auto& benchmark : bench::benchmarks()) CHECK(bench::find_benchmark(benchmark.name).run == benchmark.run);
    CHECK_THROWS_WITH(bench::find_benchmark("plastic_deliver"), Catch::Contains("did you mean plastic_delivery?"));
}
