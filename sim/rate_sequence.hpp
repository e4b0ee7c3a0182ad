#pragma once
#include <optional>
#include <span>
#include <vector>

#include "sim/learner.hpp"
#include "sim/rate_link.hpp"

namespace ydot {

/// The rate reading of a schedule whose phases say which populations they update. A presentation goes through the phases in turn; each
/// updates its populations one after another from the activities of the moment,
///   y_q <- keeps y_q + (1 - keeps) phi_q(bias_q + sum over conducting p -> q of W y_p),
/// all others keep theirs. At the end of a phase (of each of its repeats) the projections that learn change by
///   antisymmetric window (derivative, recirculation), gate on the pre spike:  A pre (post - post before the phase)
///     on the post spike:  - A (pre - pre before the phase) post,   else both
///   symmetric window (hebbian):  A pre post, times the layer factor of the rule where it has one (goodness; LayerFactor has the equation)
/// and those that unlearn by the opposite. The input population shows the image at the start; a source shows it throughout, any other
/// population until a phase updates it. The label population is neutral where no phase clamps it. A phase that persists starts, while
/// learning, from its own end in the minibatch before, image k of one from image k of the other. The noise of what no phase updates is
/// drawn once a presentation. What a population that no phase changes brings to others, and the sum of what is learned from it, are one
/// product a presentation each, whatever the number of phases.
class RateSequence {
public:
    RateSequence(const Circuit& circuit, const Schedule& schedule, std::vector<RateLayer>& layers, std::vector<RateLink>& links);

    /// @throws Error for a rule without a reading
    void begin_stage(const Stage& stage);
    /// Shows a minibatch. @param teach  with all phases; adds up the changes in the links. Otherwise up to the read-out, without targets.
    std::vector<Answer> present(std::span<const Presentation> images, bool teach);
    /// Takes the activity of what was learned in the last minibatch into the running means of the units (peer normalisation).
    void remember_activity();

private:
    struct Reading {  ///< of a rule
        float amplitude = 0;
        bool symmetric = false;
        Gate gate = Gate::pre;
        std::optional<std::size_t> judge{};
    };
    struct Judge {  ///< a layer factor at work
        std::size_t population = 0;
        LayerFactor factor;
        RateMatrix post{};  ///< activity times factor, of the moment
        UsualActivity usual{};
        Eigen::VectorXf activity{};      ///< by unit, its sum in the last minibatch
        Eigen::Index presentations = 0;  ///< in that sum
    };
    struct Minibatch {
        std::span<const Presentation> images;
        std::vector<std::uint32_t> trials;
        bool teach = false;
        std::vector<std::size_t> tried;              ///< by image: label in place of all labels and targets; empty: none
        std::vector<RateMatrix> before;              ///< by population: activity before the phase
        std::vector<std::vector<RateMatrix>> after;  ///< by phase and population: for keeps_of
        std::vector<double> goodness;                ///< by image, of the last phase
        std::vector<Answer> answers;
    };
    void start(Minibatch& batch);
    void run(Minibatch& batch, std::size_t phase);
    void resume(const Phase& phase, std::size_t index, const RateLayer::Occasion& occasion);
    void remember(const Phase& phase, std::size_t index);
    void update(Minibatch& batch, std::size_t phase, std::size_t population, const RateLayer::Occasion& occasion);
    void clamp(const Minibatch& batch, const Phase& phase, std::size_t population, const RateLayer::Occasion& occasion);
    void learn(const Minibatch& batch, const Phase& phase);
    void judge(const std::vector<std::uint8_t>& learning, float sign);
    void learn_link(const Minibatch& batch, RateLink& link, std::size_t index, float sign);
    void learn_from_steady();
    RateMatrix target_of(const Minibatch& batch, const Phase& phase, std::size_t population) const;
    std::size_t label_for(const Minibatch& batch, const Phase& phase, std::size_t image, std::size_t labels) const;
    void read_out(Minibatch& batch) const;
    void add_goodness(Minibatch& batch) const;
    std::vector<std::size_t> labels_by_liking(std::size_t image) const;
    void answer_by_goodness(Minibatch& batch);
    void measure_reconstruction(Minibatch& batch) const;

    const Circuit& circuit_;
    const Schedule& schedule_;
    std::vector<RateLayer>& layers_;
    std::vector<RateLink>& links_;
    std::vector<std::uint8_t> kept_;  ///< by phase: some other phase keeps its activity

    // of the stage
    const Stage* stage_ = nullptr;
    std::vector<Reading> readings_;                ///< by projection
    std::vector<Judge> judges_;                    ///< one for each population and factor
    std::vector<std::vector<RateMatrix>> chains_;  ///< by phase that persists and population that it updates, in its order: activity
    std::vector<std::size_t> label_phases_;
    Jury jury_;
    std::vector<std::uint8_t> steady_;  ///< by population: sends the same throughout a presentation

    // of the presentation, by projection from a steady population
    std::vector<RateMatrix> drives_;   ///< what it brings; empty: not asked for yet
    std::vector<RateMatrix> lessons_;  ///< sum of factor times post of its products; empty: none yet
};

/// The image of each presentation as a column.
RateMatrix images_of(std::span<const Presentation> images);

}  // namespace ydot
