// The checks of what STDP computes: they pass, and they fail when their subject is broken on purpose.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "verify/list.hpp"
#include "verify/stdp.hpp"

using namespace ydot;
using namespace ydot::verify;

namespace {

CheckResult run(const Check& check, std::function<void(Description&)> fault = {}) {
    Context context;
    context.seed = 3;
    context.quick = true;
    context.fault.description = std::move(fault);
    return check.run(context);
}

/// Whether the measurement whose name contains `what` fails; it must exist.
bool fails(const CheckResult& result, const std::string& what) {
    const auto found = std::find_if(result.measurements.begin(), result.measurements.end(),
                                    [&](const auto& m) { return m.what.find(what) != std::string::npos; });
    REQUIRE(found != result.measurements.end());
    return !found->passed;
}

std::set<std::string> failing(const CheckResult& result) {
    std::set<std::string> names;
    for (const auto& m : result.measurements)
        if (!m.passed) names.insert(m.what);
    return names;
}

void multiply(Parameters& parameters, const std::string& key, double factor) {
    const auto found = parameters.find(key);
    if (found == parameters.end()) return;
    if (auto* number = std::get_if<double>(&found->second.value)) *number *= factor;
    else if (auto* whole = std::get_if<std::int64_t>(&found->second.value)) found->second.value = factor * static_cast<double>(*whole);
    else if (auto* all = std::get_if<std::vector<double>>(&found->second.value))
        for (double& x : *all) x *= factor;
}
/// A fault in a parameter of every rule.
auto rules(std::string key, double factor) {
    return [=](Description& d) {
        for (auto& p : d.projections) multiply(p.plasticity.parameters, key, factor);
    };
}
/// A generator whose spike trains are all too fast or too slow.
auto biased(double factor) {
    return [=](Description& d) {
        for (auto& p : d.populations)
            for (const auto* key : {"rate_Hz", "rates_Hz", "lambda_max_Hz"}) multiply(p.parameters, key, factor);
    };
}
void delay_one_step_more(Description& d) {
    for (auto& p : d.projections) p.delay_ms.mean += d.run.dt_ms;
}

}  // namespace

TEST_CASE("Pairing passes, and finds a wrong amplitude, time constant and delay", "[statistical]") {
    const auto healthy = run(pairing);
    CHECK(healthy.passed());
    CHECK(healthy.figures.size() == 1);

    const auto by_sign = [](const CheckResult& result, bool depression) {  // only the measurements of one side fail, and all of them
        return std::all_of(result.measurements.begin(), result.measurements.end(),
                           [&](const auto& m) { return m.passed == ((m.expected < 0) != depression); });
    };
    CHECK(by_sign(run(pairing, rules("a_minus", -1)), true));
    CHECK(by_sign(run(pairing, rules("tau_minus_ms", 1.2)), true));
    CHECK(by_sign(run(pairing, rules("tau_plus_ms", 1.2)), false));
    CHECK(failing(run(pairing, delay_one_step_more)).size() == healthy.measurements.size());
}

TEST_CASE("Bode passes, and finds a wrong sign and a wrong time constant", "[statistical]") {
    const auto healthy = run(bode);
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(std::count_if(healthy.measurements.begin(), healthy.measurements.end(),
                        [](const auto& m) { return m.what.find(": gain") != std::string::npos; }) == 18);

    const auto sign = run(bode, rules("a_minus", -1));
    for (const auto* window : {"balanced", "unbalanced"}) CHECK(fails(sign, std::string(window) + " window, 0.5 Hz: gain"));

    const auto slower = run(bode, [](Description& d) {
        rules("tau_plus_ms", 1.2)(d);
        rules("tau_minus_ms", 1.2)(d);
    });
    CHECK(fails(slower, "balanced window, 50 Hz: gain"));
    CHECK(fails(slower, "unbalanced window, 50 Hz: gain"));
}

TEST_CASE("Ramps passes, and finds biased rates", "[statistical]") {
    CHECK(failing(run(ramps)) == std::set<std::string>{});
    const auto fast = run(ramps, biased(1.07));
    for (const auto* side : {"post moves", "pre moves"}) CHECK(fails(fast, std::string("linear ramp, ") + side));
    CHECK_FALSE(fails(fast, "linear ramp, neither moves"));
}

TEST_CASE("Gates passes, and finds another gate and a wrong sign", "[statistical]") {
    CHECK(failing(run(gates)) == std::set<std::string>{});
    const auto swapped = run(gates, [](Description& d) {
        for (auto& p : d.projections)
            if (p.plasticity.gate == Gate::pre) p.plasticity.gate = Gate::later;
    });
    CHECK(failing(swapped) == std::set<std::string>{"gate on pre: gain"});
    CHECK(failing(run(gates, rules("a_minus", -1))).size() == 8);
}

TEST_CASE("Causal passes, and finds a missing correction and a wrong weight", "[statistical]") {
    CHECK(failing(run(causal)) == std::set<std::string>{});
    const auto without =
        failing(run(causal, [](Description& d) { d.projections[0].plasticity.causal_correction = CausalCorrection::none; }));
    CHECK(without.size() == 4);
    for (const auto& name : without) CHECK(name.find(", corrected") != std::string::npos);

    const auto heavy = failing(run(causal, [](Description& d) { d.projections[0].weight.mean *= 1.4; }));
    for (const auto* name : {"tau_syn 5 ms, w = +0.02, as it is", "tau_syn 15 ms, w = -0.02, as it is"})
        CHECK(std::any_of(heavy.begin(), heavy.end(), [&](const auto& what) { return what.find(name) == 0; }));
}

TEST_CASE("The expected changes of a synapse are those of the pairs", "[analytic]") {
    const PairWindow window{0.78, 0.27, 17, 34};
    std::vector<double> arrivals(60), posts(60);
    for (std::size_t n = 0; n < arrivals.size(); ++n) {
        arrivals[n] = 0.1 + 0.01 * static_cast<double>(n % 7);
        posts[n] = 0.2 - 0.01 * static_cast<double>(n % 5);
    }
    double pairs = 0, changes = 0;
    for (std::size_t n = 0; n < arrivals.size(); ++n)
        for (std::size_t m = 0; m < posts.size(); ++m)
            pairs += arrivals[n] * posts[m] * change_by_pair(window, 0.5 * (static_cast<double>(m) - static_cast<double>(n)));
    for (const double change : expected_changes(window, 0.5, arrivals, posts)) changes += change;
    CHECK(changes == Approx(pairs).epsilon(1e-12));  // 3600 terms in double precision
}
