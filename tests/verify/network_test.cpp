// The checks of what the network computes: they pass, and they fail when their subject is broken on purpose.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "verify/list.hpp"
#include "verify/trials.hpp"
#include "verify/two_pass.hpp"

using namespace ydot;
using namespace ydot::verify;

namespace {

Context quick(Fault fault = {}) { return {.seed = 3, .quick = true, .fault = std::move(fault)}; }
Context quick_with(std::function<void(Description&)> fault) { return quick({std::move(fault), {}}); }
Context quick_with(std::function<void(Circuit&)> fault) { return quick({{}, std::move(fault)}); }

std::set<std::string> failing(const CheckResult& result) {
    std::set<std::string> names;
    for (const auto& m : result.measurements)
        if (!m.passed) names.insert(m.what);
    return names;
}
/// Names of the measurements that contain a text.
std::set<std::string> named(const CheckResult& result, const std::string& text) {
    std::set<std::string> names;
    for (const auto& m : result.measurements)
        if (m.what.find(text) != std::string::npos) names.insert(m.what);
    REQUIRE(!names.empty());
    return names;
}
const Measurement& measurement(const CheckResult& result, const std::string& text) {
    return *std::find_if(result.measurements.begin(), result.measurements.end(),
                         [&](const auto& m) { return m.what.find(text) != std::string::npos; });
}

/// The synapses of a projection in the opposite order: what a matrix read the wrong way round does.
std::function<void(Circuit&)> reversed(const std::string& name) {
    return [=](Circuit& circuit) {
        for (auto& projection : circuit.projections())
            if (projection.name == name)
                for (auto& block : projection.blocks)
                    for (std::uint32_t source = 0; source < block.sources(); ++source) {
                        const auto row = block.row(source, 0).weight.first(block.targets());
                        std::reverse(row.begin(), row.end());
                    }
    };
}
std::function<void(Circuit&)> multiplied(const std::string& name, float factor) {
    return [=](Circuit& circuit) {
        for (auto& projection : circuit.projections())
            if (projection.name == name)
                for (auto& block : projection.blocks)
                    for (float& w : block.weights()) w *= factor;
    };
}
/// A weight that is added to those that the check gives a projection.
std::function<void(Description&)> weight_off_by(std::size_t projection, double by) {
    return [=](Description& d) { d.projections.at(projection).weight.mean += by; };
}

}  // namespace

TEST_CASE("The gradient passes, and finds wrong feedback and weights that are a millionth off", "[verify][analytic]") {
    const auto healthy = gradient.run(quick());
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(healthy.measurements.size() == 6);
    const auto loops = [](const CheckResult& result) { return named(result, "loop"); };
    const auto back = gradient.run(quick_with(reversed("back")));
    CHECK(failing(back) == loops(back));
    const auto inside = gradient.run(quick_with(multiplied("inside", 1.000001f)));
    CHECK(failing(inside) == loops(inside));
    CHECK(failing(gradient.run(quick_with(multiplied("read", 1.000001f)))).size() == 6);
    CHECK(failing(gradient.run(quick_with(multiplied("up", -1)))).size() == 6);
}

TEST_CASE("The nudge passes, and finds feedback that is not the transpose", "[verify][statistical]") {
    const auto healthy = nudge.run(quick());
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(healthy.figures.size() == 1);

    const auto wrong = failing(nudge.run(quick_with(reversed("back"))));
    for (const auto* layer : {"hidden layer", "top layer"}) {
        CHECK(wrong.contains(std::string(layer) + ": angle at nudge 1/1024"));
        CHECK(wrong.contains(std::string(layer) + ": slope between nudge 1/512 and 1/1024"));
    }
    CHECK(wrong.contains("hidden layer, sign-concordant feedback: cosine to the gradient, negated"));

    const auto weights = failing(nudge.run(quick_with(multiplied("read", 1.01f))));
    CHECK(weights.contains("hidden layer: angle at nudge 1/1024"));
    CHECK(weights.contains("top layer: angle at nudge 1/1024"));
}

TEST_CASE("Contrastive divergence passes, and finds weights that are not tied", "[verify][analytic]") {
    const auto healthy = contrastive_divergence.run(quick());
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(healthy.figures.size() == 1);
    const std::string first = "-v dh minus the encoder's gradient: order in s", second = "-dv dh: order in s";
    CHECK(failing(contrastive_divergence.run(quick_with(weight_off_by(2, 0.1)))) == std::set{first, second});  // the second encoder
    CHECK(failing(contrastive_divergence.run(quick_with(weight_off_by(1, 0.1)))) == std::set{first});          // the decoder
}

// 500 trials take a second, so each case runs a part of the check. Ten groups are the fewest with which a healthy loop passes surely.
TEST_CASE("Trials pass at 1000 Hz", "[verify][statistical]") {
    const auto healthy = floor_of_trials(quick(), 1000, 10, 0);
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(measurement(healthy, "hidden layer: angle to the gradient after 500 trials").figure < 10);
    CHECK(healthy.measurements.size() == 13);  // six a layer, and the time
}

TEST_CASE("The noise of trials falls as it should", "[verify][statistical]") {
    const auto healthy = noise_of_trials(quick(), 1024);
    CHECK(failing(healthy) == std::set<std::string>{});
    CHECK(healthy.figures.size() == 1);
}

namespace {

/// Angles beyond the bound by more than five standard errors, not for want of trials: a healthy loop is at 5 and 2.5 degrees.
bool beyond_bound(const CheckResult& result, const std::string& layer) {
    const auto& m = measurement(result, layer + ": angle to the gradient after 500 trials");
    return !m.passed && m.figure - 5 * m.standard_error > m.bound;
}
constexpr std::size_t few = 4;  // groups

}  // namespace

TEST_CASE("Trials find feedback that is not the transpose", "[verify][fault]") {
    const auto wrong = floor_of_trials(quick_with(reversed("back")), 1000, few, 0);
    CHECK(beyond_bound(wrong, "hidden layer"));
}

TEST_CASE("Trials find a wrong sign of A-", "[verify][fault]") {
    const auto wrong = floor_of_trials(
        quick_with([](Description& d) {
            for (auto& projection : d.projections) {
                auto& plasticity = projection.plasticity;
                if (plasticity.rule.empty()) continue;
                plasticity.rule = "stdp";
                plasticity.parameters = {
                    {"a_plus", {1.0, {}}}, {"a_minus", {-1.0, {}}}, {"tau_plus_ms", {100.0, {}}}, {"tau_minus_ms", {100.0, {}}}};
            }
        }),
        1000, few, 0);
    CHECK(beyond_bound(wrong, "hidden layer"));
    CHECK(beyond_bound(wrong, "top layer"));
}
