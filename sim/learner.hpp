#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/description.hpp"
#include "sim/labels.hpp"
#include "sim/plasticity.hpp"
#include "sim/spikes.hpp"

namespace ydot {

class Circuit;

/// A phase of a presentation, frozen: names are indices, times are steps.
struct Phase {
    std::string name;
    Step steps = 0;
    std::vector<std::uint8_t> conducts, learns, unlearns;  ///< by projection
    std::vector<std::size_t> clamps;                       ///< populations moved toward the target
    float nudge = 0;
    bool paired = true, readout = false;
    double stop_above = std::numeric_limits<double>::infinity();
    // the rate reading in sequence, see RateSequence
    std::vector<std::size_t> updates;  ///< populations, in this order
    float keeps = 0;
    std::optional<std::size_t> keeps_of;  ///< phase
    std::size_t repeats = 1;
    bool samples = true, persists = false;
    TargetLabel target = TargetLabel::label;

    bool clamps_population(std::size_t population) const noexcept;
    bool teaches() const noexcept;  ///< some projection learns or unlearns
};

/// Some phases of a schedule, for some epochs.
struct Stage {
    std::string name;
    std::vector<std::size_t> phases;
    double epochs = 1, learning_factor = 1;
    std::shared_ptr<const PairRule> rule{};  ///< of all projections, gated on the pre spike; null: their own
};

/// A schedule, frozen.
struct Schedule {
    std::size_t input = 0, readout = 0;  ///< populations
    LabelCode code;                      ///< of the readout
    std::optional<std::size_t> label;    ///< population that shows a label
    AnswerBy answer = AnswerBy::readout;
    std::vector<Phase> phases;
    std::vector<Stage> stages;    ///< one at least
    Step test_readout_steps = 0;  ///< length of the read-out phase in tests; 0: as in training

    Step longest() const noexcept;                  ///< steps of the longest presentation
    bool shows_label(const Phase&) const noexcept;  ///< the label population shows the right label
    /// The first phases of a stage, one behind the other, that show the right label: with them labels are tried.
    std::vector<std::size_t> label_phases(const Stage&) const;
    std::vector<std::uint8_t> learning(const Stage&) const;  ///< by projection, whether it learns or unlearns in the stage
};

/// Who says which label is right: populations whose goodness is added up, and whether the right label excites (1) or quiets (-1) them.
struct Jury {
    std::vector<std::size_t> populations;
    float direction = 1;
};
/// The targets of the projections that learn with a layer factor. The first of several is left out unless it hears another: what sees the
/// input as it is helps little (Hinton 2022).
/// @param factors  by projection; null: does not learn, or without one
Jury jury_of(const Circuit& circuit, std::span<const LayerFactor* const> factors);

/// What a layer factor multiplies changes with, before the sign of the phase: 1 - p of "positive" where a phase learns (sign 1), p where it
/// unlearns
/// (-1), and the sign of the sharpness.
/// @param goodness  of one image (a number) or of several (an Eigen array that outlives the result)
template <class Goodness, class Real>
auto surprise(const LayerFactor& factor, const Goodness& goodness, Real units, Real sign) {
    using std::exp;
    const Real threshold = static_cast<Real>(factor.threshold) * units, sharpness = static_cast<Real>(factor.sharpness);
    return (sharpness > 0 ? Real{1} : Real{-1}) / (1 + exp(sign * sharpness * (goodness - threshold)));
}

/// The running mean activity m of each unit of a population, which peer normalisation compares.
class UsualActivity {
public:
    /// @param mean  by unit, over the presentations of a minibatch
    void add(const Eigen::VectorXf& mean);
    /// Mean of m over the population - m; empty before the first minibatch.
    Eigen::VectorXf below_peers() const;

private:
    Eigen::VectorXf usual_;
};

/// What a pixel is as the stimulus of a unit: 0 background, 1 full ink.
template <std::floating_point T>
constexpr T stimulus_of(std::uint8_t pixel) noexcept {
    return static_cast<T>(pixel) / 255;
}

/// One image to show. `trial` keys every random number of the presentation, whichever thread runs it.
struct Presentation {
    std::span<const std::uint8_t> image;  ///< one byte for each unit of the input population
    std::uint8_t label = 0;
    std::uint32_t trial = 0;
};

/// What the network said.
struct Answer {
    std::uint8_t label = 0, answer = 0;
    bool learned = false;  ///< the presentation went on to the phases that learn
    double target_activity = 0;
    Step steps = 0;
    double reconstruction_error = 0;  ///< squared, over the units of an input population that the network drives
};

/// Learns from minibatches of images: Trainer with spikes, RateTrainer with real numbers.
class Learner {
public:
    virtual ~Learner() = default;
    /// From now on the phases of this stage are shown. The first is on at the start.
    virtual void begin_stage(std::size_t stage) = 0;
    /// Shows one minibatch with every phase of the schedule, then changes the weights.
    /// @param factor  annealing of the learning rates
    virtual std::vector<Answer> learn(std::span<const Presentation> batch, double factor) = 0;
    /// Shows images with every phase, whatever `stop_above` says, and returns the changes that learning would make, without learning rates
    /// and summed over the images: by projection (empty: not plastic) and synapse in the order of SynapseBlock::for_each, block by block.
    /// No weight changes.
    virtual std::vector<std::vector<double>> measure(std::span<const Presentation> images) = 0;
    /// Shows images up to the end of the read-out phase; clamps are off and the label reaches nobody but the returned Answer.
    virtual std::vector<Answer> test(std::span<const Presentation> images) = 0;

    /// Brings the weights of the circuit up to date with what has been learned.
    virtual void update_circuit() = 0;
    /// Everything that answers depend on and learning changes. restore() brings the circuit to that state too.
    virtual std::vector<std::vector<float>> state() const = 0;
    virtual void restore(const std::vector<std::vector<float>>& state) = 0;
};

}  // namespace ydot
