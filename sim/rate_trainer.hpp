#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/rate_sequence.hpp"

namespace ydot {

/// Learning in the rate reading, a minibatch at a time. Stages whose phases say what they update are gone through by RateSequence. All
/// others are read in the limit of weak feedback: y is what a unit says, y' (the rate of change, "y dot") how wrong it was.
///   up    in the order of the populations:  u_q = bias_q + sum over p -> q, p before q, of W y_p,   y_q = phi(u_q)
///   down  in the reverse order:  y'_readout = nudge (target - y),   y'_p = phi'(u_p) sum over q -> p, q behind p, of B y'_q
/// Projections in the order of the populations carry activity, those against it its change. The change of a weight is the rate reading of
/// an antisymmetric window of amplitude A, in units of its area:
///   gate on the pre spike: A pre post',   on the post spike: - A pre' post,   else: A (pre post' - pre' post).
/// With feedback that is the transpose of the forward weights this is exact backpropagation of the cross-entropy of a softmax or logistic
/// read-out (of the squared error of a linear one); with random feedback it is feedback alignment (Lillicrap et al. 2016). Durations,
/// delays and filters have no meaning here.
/// Products of matrices run on tiles of a fixed size, so that no bit depends on the number of threads.
class RateTrainer final : public Learner {
public:
    /// @param units  what [populations.NAME.rate] says, by population
    /// @throws Error for a population or a rule without a rate reading; without `updates`, for connections within a population and for
    ///   populations that the network drives and that are normalised by length, whose slope this does not know
    RateTrainer(Circuit& circuit, Schedule schedule, std::span<const RateSpec> units);
    RateTrainer(const RateTrainer&) = delete;  // its parts refer to one another
    RateTrainer& operator=(const RateTrainer&) = delete;

    void begin_stage(std::size_t stage) override;
    std::vector<Answer> learn(std::span<const Presentation> batch, double factor) override;
    std::vector<std::vector<double>> measure(std::span<const Presentation> images) override;
    std::vector<Answer> test(std::span<const Presentation> images) override;
    void update_circuit() override;
    std::vector<std::vector<float>> state() const override;
    void restore(const std::vector<std::vector<float>>& state) override;

private:
    bool upward(const RateLink& link) const noexcept;
    bool is_shown(std::size_t population) const noexcept;
    void add_inputs(std::size_t population, bool up, RateMatrix& out) const;
    void follow_signs();
    void drift();
    void go_up(std::span<const Presentation> images, bool learning);
    void go_down(std::span<const Presentation> images, bool stop);
    std::vector<Answer> answers(std::span<const Presentation> images) const;
    std::vector<RateLink::Product> products_of(const RateLink& link) const;
    void refuse_sequence() const;

    Circuit& circuit_;
    Schedule schedule_;
    std::vector<RateLayer> layers_;  ///< by population
    std::vector<RateLink> links_;    ///< by projection
    RateSequence sequence_;
    std::uint32_t minibatches_ = 0;

    // of the stage
    const Stage* stage_ = nullptr;
    bool in_sequence_ = false, noisy_ = true;
    float nudge_ = 0;
    double stop_above_ = 0;
    std::vector<std::uint8_t> learns_, conducts_;  ///< by projection
    std::vector<float> amplitude_;                 ///< of the window, by projection
    std::vector<RateMatrix> change_;               ///< y', by population
};

}  // namespace ydot
