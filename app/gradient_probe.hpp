#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/images.hpp"
#include "sim/description.hpp"
#include "sim/learner.hpp"
#include "sim/mean_field.hpp"
#include "sim/rate_network.hpp"

namespace ydot::app {

/// What a plastic projection does to its weights in a presentation, beside minus the exact gradient of the loss: cross-entropy for a
/// softmax read-out, binary cross-entropy for a logistic one, else squared error. The gradient is that of the rate reading, settled with
/// the projections that conduct in the read-out phase (run.mode = "rate": with those that lead from a population to a later one, which
/// alone carry activity there), a mean over the images.
struct GradientAlignment {
    std::string projection;
    double angle_degrees = 0, angle_error_degrees = 0;  ///< of the expected change, free of Poisson noise; and the standard error
    double norm_ratio = 0;                              ///< length of the expected change (rate included) over the gradient's
    double sign_agreement = 0;                          ///< share of synapses whose measured mean change has the right sign
    double mean_field_angle_degrees = 0;  ///< of the change in the rate reading in time: no noise, no causal term; spiking mode only
};

/// Measures it at the weights of the moment; no weight changes.
class GradientProbe {
public:
    /// @param images  of which the first metrics.gradient_images are shown, metrics.gradient_trials times each
    /// @throws Error for a population without a rate reading
    GradientProbe(const Description& description, Circuit& circuit, Learner& learner, const Schedule& schedule,
                  const data::ImageSet& images);
    /// @param first_trial  of the random numbers; as many follow as there are presentations
    /// @return all NaN where the rate reading of the loop does not settle, so that there is no gradient
    std::vector<GradientAlignment> measure(std::uint32_t first_trial) const;
    /// For a stage that reads nothing out: the same projections, all figures NaN.
    std::vector<GradientAlignment> nothing() const;
    std::uint32_t presentations() const noexcept { return static_cast<std::uint32_t>(images_ * trials_); }

private:
    std::optional<std::vector<std::vector<double>>> descent() const;
    std::vector<std::vector<double>> mean_field() const;
    std::vector<Presentation> presentations(std::uint32_t first_trial) const;
    bool names(std::size_t projection) const;

    Circuit& circuit_;
    Learner& learner_;
    Schedule schedule_;
    bool spiking_;
    const data::ImageSet& set_;
    std::size_t images_, trials_;
    Loss loss_;
    std::vector<double> learning_rate_;     ///< by projection
    std::vector<std::uint8_t> conducts_{};  ///< by projection, to the read-out
};

}  // namespace ydot::app
