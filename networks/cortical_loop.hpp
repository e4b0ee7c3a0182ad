#pragma once
#include <cstdint>
#include <vector>

#include "sim/description.hpp"

namespace ydot::networks {

enum class FeedbackKind { disjoint, random_feedback, transpose, sign_concordant };

/// Sizes and wiring of a cortical loop, see cortical_loop().
struct CorticalLoop {
    std::vector<std::int64_t> layers{784, 500, 10};  ///< input, hidden layers from the bottom up, top
    double forward_probability = 0.25;               ///< of each pair of neighbouring layers; 1: all to all
    FeedbackKind feedback = FeedbackKind::disjoint;
    /// disjoint: of each pair that is not connected forward (1/3 of the other three quarters is a quarter of all pairs);
    /// random_feedback: share of the forward synapses that are answered; the tied kinds answer all.
    double feedback_probability = 1.0 / 3;
    double forward_std = 1, feedback_std = 1;  ///< of the weights, times 1/sqrt(mean number of inputs)
    double lambda_max_Hz = 100, tau_syn_ms = 10;
    double delay_ms = 1;
};

/// The circuit of Hinton (2016): neighbouring layers are connected upward, and each layer above the first hidden one projects back to the
/// layer below it, without symmetric weights and, with disjoint feedback, without any pair of units connected both ways.
///   input -> hidden1 <-> hidden2 <-> ... <-> top
/// Populations: "input" (image_source), "hidden1" ... (Poisson units, hard sigmoid), "top" (Poisson units, softmax).
/// Projections: "<from>_to_<to>", all upward ones first; none is plastic and there is no schedule: add the rules to be tried.
/// @throws Error for fewer than three layers, an empty layer, a number out of range, disjoint feedback to dense layers
Description cortical_loop(const CorticalLoop& params);

}  // namespace ydot::networks
