#include <catch2/catch.hpp>

#include "verify/list.hpp"

using namespace ydot;
using namespace ydot::verify;

namespace {

CheckResult run_quickly(const Check& check, std::function<void(Description&)> fault = {}) {
    return check.run({.seed = 1, .quick = true, .fault = {std::move(fault), {}}});
}

std::vector<std::string> failures_of(const CheckResult& result) {
    std::vector<std::string> failures;
    for (const auto& m : result.measurements)
        if (!m.passed) failures.push_back(m.what);
    return failures;
}
/// Whether a measurement failed whose name contains the text.
bool fails(const CheckResult& result, const std::string& text) {
    const auto failures = failures_of(result);
    CAPTURE(text, failures);
    return std::any_of(failures.begin(), failures.end(), [&](const auto& what) { return what.find(text) != std::string::npos; });
}

double& number_of(PopulationSpec& population, const std::string& key) { return std::get<double>(population.parameters.at(key).value); }

/// Multiplies a parameter wherever it is given.
auto scaled(std::string key, double factor) {
    return [key = std::move(key), factor](Description& description) {
        for (auto& population : description.populations)
            if (population.parameters.contains(key)) number_of(population, key) *= factor;
    };
}
void one_step_later(Description& description) {
    for (auto& projection : description.projections) projection.delay_ms.mean += description.run.dt_ms;
}
/// Not for counts, which refuse it.
void refractory(Description& description) {
    for (auto& population : description.populations) {
        const auto probability = population.parameters.find("grid_probability");
        const bool counts = probability != population.parameters.end() && std::get<std::string>(probability->second.value) == "counts";
        if (population.model == "poisson" && !counts) population.parameters["refractory_ms"] = {1.0, {}};
    }
}
/// A source that all units hear; the bias makes up for its mean.
void common_input(Description& description) {
    for (auto& population : description.populations)
        if (population.model == "poisson")
            population.parameters["bias"] = {population.parameters.contains("bias") ? number_of(population, "bias") - 0.3 : -0.3, {}};
    if (description.population("units")->model != "poisson") return;
    description.populations.push_back({.name = "common",
                                       .model = "poisson_source",
                                       .propagator = {},
                                       .parameters = {{"rate_Hz", {50.0, {}}}},
                                       .spread = {},
                                       .source = {}});
    description.projections.push_back({.name = "shared",
                                       .from = "common",
                                       .to = "units",
                                       .receptor = {},
                                       .connection = {},
                                       .weight = {.mean = 0.3},
                                       .plasticity = {},
                                       .short_term = {},
                                       .source = {}});
}

}  // namespace

TEST_CASE("The checks of the simulator pass", "[verify][statistical]") {
    for (const auto* check : {&poisson, &time_step, &exact_integration}) {
        const auto result = run_quickly(*check);
        CAPTURE(std::string(check->name), failures_of(result));
        CHECK(result.passed());
        CHECK(!result.measurements.empty());
        CHECK(!result.figures.empty());
    }
}

TEST_CASE("A generator that is a few percent off fails the Poisson law", "[verify][fault]") {
    const auto result = run_quickly(poisson, [](Description& description) {
        scaled("lambda_max_Hz", 1.04)(description);
        if (!description.population("input")) scaled("rate_Hz", 0.96)(description);
    });
    for (const auto* kind : {"poisson, grid, exponential", "poisson, grid, linear", "poisson, grid, counts", "poisson, continuous",
                             "poisson_source, grid", "poisson_source, continuous", "driven, grid, counts", "driven, continuous"})
        CHECK(fails(result, std::string(kind) + ": spikes over their expectation"));
}

TEST_CASE("A refractory time of one millisecond fails the law of intervals and the Fano factor", "[verify][fault]") {
    const auto result = run_quickly(poisson, refractory);
    CHECK(fails(result, "poisson, continuous: distance of the intervals"));
    CHECK(fails(result, "poisson, continuous: Fano factor"));
    CHECK(fails(result, "poisson, grid, exponential: distance of the intervals"));
    CHECK(fails(result, "driven, continuous: distance of the intervals"));
}

TEST_CASE("Units that hear a common source fail independence", "[verify][fault]") {
    const auto result = run_quickly(poisson, common_input);
    CHECK(fails(result, "poisson, grid, counts: mean correlation"));
    CHECK(fails(result, "poisson, continuous: mean correlation"));
    CHECK(fails(result, "driven, continuous: mean correlation"));
}

TEST_CASE("A wrong synaptic time constant fails time rescaling", "[verify][fault]") {
    const auto result = run_quickly(poisson, scaled("tau_syn_ms", 1.6));
    CHECK(fails(result, "driven, grid, linear: input drive"));
    CHECK(fails(result, "driven, continuous: input drive"));
}

TEST_CASE("A delay that is one step too long fails time rescaling", "[verify][fault]") {
    const auto result = run_quickly(poisson, one_step_later);
    CHECK(fails(result, "driven, grid, linear: input drive"));
    CHECK(fails(result, "driven, continuous: input drive"));
}

TEST_CASE("A biased generator fails the rates of the time steps", "[verify][fault]") {
    const auto result = run_quickly(time_step, scaled("lambda_max_Hz", 1.04));
    CHECK(fails(result, "unit without input, at most one spike a step: rate at dt = 1.00"));
    CHECK(fails(result, "driven nonlinear unit: rate in continuous time"));
}

TEST_CASE("Wrong time constants and delays fail the convergence in the time step", "[verify][fault]") {
    SECTION("of the filter") {
        const auto result = run_quickly(time_step, scaled("tau_syn_ms", 1.01));
        CHECK(fails(result, "exponential filter: order"));
        CHECK(fails(result, "alpha filter: order"));
        CHECK(fails(result, "causal factor: extrapolated"));
    }
    SECTION("of the window, and the delay") {
        const auto result = run_quickly(time_step, [](Description& description) {
            one_step_later(description);
            for (auto& projection : description.projections)
                if (auto tau = projection.plasticity.parameters.find("tau_ms");
                    tau != projection.plasticity.parameters.end() && projection.plasticity.causal_correction == CausalCorrection::analytic)
                    std::get<double>(tau->second.value) *= 1.02;
        });
        CHECK(fails(result, "causal factor: order"));
        CHECK(fails(result, "STDP pairs on the grid"));
        CHECK(fails(result, "STDP pairs in continuous time"));
    }
}

TEST_CASE("A time constant that is off by a thousandth fails exact integration", "[verify][fault]") {
    CHECK(fails(run_quickly(exact_integration, scaled("tau_m_ms", 1.001)), "membrane potential"));
    CHECK(fails(run_quickly(exact_integration, scaled("i_e_pA", 0.999)), "membrane potential"));
    const auto result = run_quickly(exact_integration, scaled("tau_syn_ms", 1.001));
    CHECK(fails(result, "membrane potential"));
    CHECK(fails(result, "filtered input (poisson, grid)"));
    CHECK(fails(result, "filtered input (poisson, continuous time)"));
    CHECK(fails(run_quickly(exact_integration, scaled("tau_rise_ms", 1.001)), "filtered input"));
}

TEST_CASE("A delay that is one step too long fails exact integration", "[verify][fault]") {
    const auto result = run_quickly(exact_integration, one_step_later);
    CHECK(fails(result, "first spikes"));
    CHECK(fails(result, "filtered input (poisson, grid)"));
    CHECK(fails(result, "filtered input (poisson, continuous time)"));
}
