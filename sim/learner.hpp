#pragma once
#include <algorithm>
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
    bool samples = true;
    TargetLabel target = TargetLabel::label;

    bool clamps_population(std::size_t population) const noexcept {
        return std::find(clamps.begin(), clamps.end(), population) != clamps.end();
    }
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
