#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/run.hpp"
#include "data/images.hpp"
#include "sim/learner.hpp"

namespace ydot::app {

/// Shows the training images to a learner, stage after stage and epoch after epoch, and follows it on the validation images. The weights of
/// the best point of the last stage are kept: smallest validation error, or smallest error of reconstruction where nothing is read out;
/// without validation images the last.
class Training {
public:
    struct Listener {
        std::function<void(const Progress&)> progress;
        std::function<void(const LearningPoint&)> point;
        std::function<bool()> stopped;
    };
    /// @param stages  of the schedule, one at least @param probe  null: no gradient is measured
    Training(const Description& description, const std::vector<Stage>& stages, Learner& learner, const data::Split& images,
             const GradientProbe* probe, Listener listener);

    /// The points come through the listener. @returns false when it was stopped
    bool learn();
    /// Goes back to the best weights.
    void restore_best() { learner_.restore(best_state_); }
    /// Test error of the weights of the moment, and that of reconstruction, into metrics: what the stage of the moment has. @returns false,
    /// with nothing measured, when it was stopped
    bool test(const std::string& prefix, const std::string& stage);

    std::map<std::string, double>& metrics() noexcept { return metrics_; }
    const std::vector<LearningPoint>& curve() const noexcept { return curve_; }

private:
    struct Score {
        double error_percent, reconstruction_error;  ///< NaN: not measured
    };
    bool learn_stage(std::size_t stage);
    /// Of all images; none when it was stopped, soon: where every label is tried an evaluation takes minutes.
    std::optional<Score> score(const data::ImageSet& set, std::uint32_t first_trial, const std::string& what);
    void add_point(double train_error, double fraction, Progress progress);
    bool better(const LearningPoint& point) const;
    std::vector<Presentation> next_batch(std::size_t size);
    void jitter(std::vector<Presentation>& batch);

    const Description& description_;
    const std::vector<Stage>& stages_;
    Learner& learner_;
    const data::Split& images_;
    const GradientProbe* probe_;
    Listener listener_;
    std::map<std::string, double> metrics_;
    std::vector<LearningPoint> curve_;
    bool reads_out_ = true;  ///< in this stage, while it learns
    bool answers_ = true;    ///< in this stage, when it is tested
    LearningPoint best_;     ///< of this stage
    std::vector<std::vector<float>> best_state_;
    std::vector<std::uint32_t> order_;
    std::vector<std::uint8_t> moved_;  ///< images of the last minibatch, where they are moved
    std::size_t shown_ = 0;            ///< images, in all stages
    double training_s_ = 0;
};

/// Factor on every learning rate when this share of the learning is done.
double annealing_factor(Annealing annealing, double done) noexcept;

}  // namespace ydot::app
