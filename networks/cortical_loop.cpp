#include "networks/cortical_loop.hpp"

#include <array>

#include "networks/list.hpp"

namespace ydot::networks {
namespace {

constexpr std::array<std::string_view, 4> connector_names{Disjoint::name, RandomFeedback::name, Transpose::name, SignConcordant::name};

void check_number(const std::string& key, double value, const Range& range) {
    if (!std::isfinite(value) || !range.contains(value))
        throw Error("cortical_loop." + key, "must be " + range.text() + ", got " + to_text(value), {});
}

void check(const CorticalLoop& params) {
    if (params.layers.size() < 3)
        throw Error("cortical_loop.layers",
                    "needs an input, a hidden layer and a top, got " + std::to_string(params.layers.size()) + " sizes", {});
    for (const auto size : params.layers)
        if (size < 1) throw Error("cortical_loop.layers", "must be >= 1, got " + std::to_string(size), {});
    check_number("forward_probability", params.forward_probability, unit_interval);
    check_number("feedback_probability", params.feedback_probability, unit_interval);
    check_number("forward_std", params.forward_std, not_negative);
    check_number("feedback_std", params.feedback_std, not_negative);
    check_number("lambda_max_Hz", params.lambda_max_Hz, positive);
    check_number("tau_syn_ms", params.tau_syn_ms, positive);
    check_number("delay_ms", params.delay_ms, positive);
    if (params.feedback == FeedbackKind::disjoint && params.forward_probability == 1)
        throw Error("cortical_loop.forward_probability",
                    "must be < 1 with disjoint feedback, which needs pairs that are not connected forward", {});
}

std::string layer_name(std::size_t layer, std::size_t layers) {
    if (layer == 0) return "input";
    return layer + 1 == layers ? "top" : "hidden" + std::to_string(layer);
}

PopulationSpec population(std::size_t layer, const CorticalLoop& params) {
    PopulationSpec result;
    result.name = layer_name(layer, params.layers.size());
    result.size = params.layers[layer];
    result.model = layer == 0 ? "image_source" : "poisson";
    if (layer == 0) return result;
    result.parameters["phi"] = {layer + 1 == params.layers.size() ? "softmax" : "hard_sigmoid", {}};
    result.parameters["lambda_max_Hz"] = {params.lambda_max_Hz, {}};
    result.parameters["tau_syn_ms"] = {params.tau_syn_ms, {}};
    return result;
}

ProjectionSpec projection(std::size_t from, std::size_t to, double std, const CorticalLoop& params) {
    ProjectionSpec result;
    result.from = layer_name(from, params.layers.size());
    result.to = layer_name(to, params.layers.size());
    result.name = result.from + "_to_" + result.to;
    result.weight = {.distribution = Distribution::normal, .std = std, .fan_in = true};
    result.delay_ms.mean = params.delay_ms;
    return result;
}

ProjectionSpec upward(std::size_t layer, const CorticalLoop& params) {
    ProjectionSpec result = projection(layer, layer + 1, params.forward_std, params);
    if (params.forward_probability == 1) return result;
    result.connector = FixedProbability::name;
    result.connection["probability"] = {params.forward_probability, {}};
    return result;
}

ProjectionSpec downward(std::size_t layer, const ProjectionSpec& forward, const CorticalLoop& params) {
    ProjectionSpec result = projection(layer + 1, layer, params.feedback_std, params);
    result.connector = connector_names[static_cast<std::size_t>(params.feedback)];
    result.connection["of"] = {forward.name, {}};
    const bool own_weights = params.feedback == FeedbackKind::disjoint || params.feedback == FeedbackKind::random_feedback;
    if (own_weights) result.connection["probability"] = {params.feedback_probability, {}};
    return result;
}

}  // namespace

Description cortical_loop(const CorticalLoop& params) {
    check(params);
    Description result;
    for (std::size_t layer = 0; layer < params.layers.size(); ++layer) result.populations.push_back(population(layer, params));
    for (std::size_t layer = 0; layer + 1 < params.layers.size(); ++layer) result.projections.push_back(upward(layer, params));
    for (std::size_t layer = 1; layer + 1 < params.layers.size(); ++layer) {
        const ProjectionSpec feedback = downward(layer, result.projections[layer], params);
        result.projections.push_back(feedback);
    }
    return result;
}

}  // namespace ydot::networks
