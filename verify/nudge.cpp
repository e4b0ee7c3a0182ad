#include <cmath>
#include <numbers>

#include "sim/alignment.hpp"
#include "verify/list.hpp"
#include "verify/two_pass.hpp"

namespace ydot::verify {
namespace {

/// Angle of the two-pass change to the descent, by nudge 1, 1/2, ... in one layer.
struct AngleCurve {
    std::vector<double> nudge, degrees;
};

AngleCurve measure(const Context& context, std::size_t projection) {
    const auto circuit = context.build(two_pass_circuit), intact = context.intact().build(two_pass_circuit);
    const Pattern pattern(context.seed);
    const TwoPass network(*circuit, pattern), law(*intact, pattern);
    AngleCurve curve;
    const auto descent = law.descent(projection);
    for (int k = 0; k <= 10; ++k) {
        curve.nudge.push_back(std::ldexp(1.0, -k));
        curve.degrees.push_back(angle_degrees(network.change(projection, curve.nudge.back()), descent));
    }
    return curve;
}

void check_symmetric(const Context& context, CheckResult& result) {
    Figure figure{"angle_against_nudge",
                  "Angle between the two-pass update and the exact gradient of the settled loop, symmetric weights; grey: slope 1.",
                  {{"nudge", "angle (degrees)", true, true, {}}}};
    auto& series = figure.panels[0].series;
    for (const auto& [projection, name] : layers) {
        const auto curve = measure(context, projection);
        const std::size_t last = curve.nudge.size() - 1;
        result.measurements.push_back(
            shown(name + ": angle at nudge 1", "degrees", curve.degrees[0], "finite nudge: second order in the change of activity"));
        result.measurements.push_back(at_most(name + ": angle at nudge 1/1024", "degrees", curve.degrees[last],
                                              2 * curve.degrees[0] / curve.nudge[0] * curve.nudge[last],
                                              "first order in the nudge: at most twice the angle at nudge 1, divided by 1024"));
        result.measurements.push_back(first_order(name + ": slope between nudge 1/512 and 1/1024", curve.degrees));
        series.push_back({name, curve.nudge, curve.degrees, {}, false});
        series.push_back({name + ", slope 1", curve.nudge, {}, {}, true});
        for (const double n : curve.nudge) series.back().y.push_back(curve.degrees[last] * n / curve.nudge[last]);
    }
    result.figures.push_back(std::move(figure));
}

struct Feedback {
    std::string name, keys;  ///< keys of the projection
    std::vector<std::string> settings;
    bool independent;  ///< of the forward weights: 90 degrees on average
};
/// The circuit with other feedback, weak so that it does not change the state at which the gradient is taken.
const std::vector<Feedback> other_feedback{
    {"random, fixed", "connector = \"random_feedback\"\nof = \"read\"\nweight = {distribution = \"normal\", std = 0.01}", {}, true},
    {"random, sparse and disjoint",
     "connector = \"disjoint\"\nof = \"read\"\nprobability = 1.0\nweight = {distribution = \"normal\", std = 0.01}",
     {"projections.read.connector=fixed_probability", "projections.read.probability=0.5"},
     true},
    {"sign-concordant", "connector = \"sign_concordant\"\nof = \"read\"\nmagnitude = 0.01", {}, false}};

std::string circuit_with(const Feedback& feedback) {
    constexpr std::string_view symmetric = "connector = \"transpose\"\nof = \"read\"\ngain = 0.25";
    std::string text(two_pass_circuit);
    return text.replace(text.find(symmetric), symmetric.size(), feedback.keys);
}

/// Cosine between the change and the descent of the hidden layer, small nudge, over networks of different weights.
Moments cosines(const Context& context, const Feedback& feedback, std::size_t networks) {
    return moments_of(repeat(networks, [&](std::size_t k) {
        Context other = context;
        other.seed = context.seed * 100003 + k;
        const auto circuit = other.build(circuit_with(feedback), feedback.settings);
        const auto intact = other.intact().build(circuit_with(feedback), feedback.settings);
        const Pattern pattern(other.seed);
        const TwoPass network(*circuit, pattern), law(*intact, pattern);
        return std::cos(angle_degrees(network.change(up, 1.0 / 1024), law.descent(up)) * std::numbers::pi / 180);
    }));
}

void check_other_feedback(const Context& context, CheckResult& result) {
    for (const auto& feedback : other_feedback) {
        const auto cosine = cosines(context, feedback, context.quick ? 400 : 2000);
        const std::string what = "hidden layer, " + feedback.name + " feedback: cosine to the gradient";
        if (feedback.independent)
            result.measurements.push_back(agrees(what, "1", cosine, 0, 3, 0.2,
                                                 "feedback that knows nothing of the forward weights: no alignment before learning, within "
                                                 "the sampling error of the networks"));
        else
            result.measurements.push_back(
                surely_at_most(what + ", negated", "1", {-cosine.mean, cosine.variance, cosine.count}, -0.5, 3,
                               "all signs right: sqrt(2/pi) = 0.8 for Gaussian weights and many units; must surely exceed 0.5"));
    }
}

CheckResult run(const Context& context) {
    CheckResult result;
    check_symmetric(context, result);
    check_other_feedback(context, result);
    return result;
}

}  // namespace

const Check nudge{
    "nudge", "V2", "Two top-down passes follow the exact gradient as the nudge vanishes",
    R"(Pass 1 settles freely; in pass 2 the top is moved toward the target, $y_\text{top} = (1-n)\,\phi(u) + n\,t$. The update is pre times
the change of post (Hinton 2007; 2016). To first order in $n$ the change of a layer is
$\Delta y_h = D\,V\,(1 - J W D V)^{-1} n\,(t - y)$ with $D = \phi'$ and $J$ the slope of the top. The gradient of the cross-entropy at the
settled loop has the factor $D\,W^\top (1 - J V^\top D W^\top)^{-1}(t - y)$. With $V = g\,W^\top$ both are the same for any gain $g$: the
angle between update and gradient vanishes in proportion to the nudge. With feedback that is not the transpose it does not; the cosine over
many random networks is given.)",
    run};

}  // namespace ydot::verify
