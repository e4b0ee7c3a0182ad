#pragma once
#include <tbb/enumerable_thread_specific.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/batch_learning.hpp"
#include "sim/learner.hpp"
#include "sim/replica.hpp"

namespace ydot {

/// Presents images to replicas of a circuit in parallel and learns from each minibatch. Weights rest while a minibatch is shown; the
/// changes of its presentations are added as integers, so results do not depend on the number of threads.
class Trainer final : public Learner {
public:
    Trainer(Circuit& circuit, Schedule schedule);
    ~Trainer() override;

    void begin_stage(std::size_t stage) override;
    void update_circuit() override {}  // it learns in the circuit
    std::vector<Answer> learn(std::span<const Presentation> batch, double factor) override;
    std::vector<std::vector<double>> measure(std::span<const Presentation> images) override;
    std::vector<Answer> test(std::span<const Presentation> images) override;
    std::vector<std::vector<float>> state() const override;
    void restore(const std::vector<std::vector<float>>& state) override;
    /// Shows one image to a replica of its own, with every phase (`teach`: clamps on) but without learning, for recording.
    Answer show(const Presentation& image, bool teach, SpikeObserver* observer);

    /// Spikes, by population or by unit of one, in so many steps. Whole numbers, so that the order of threads does not matter.
    struct Activity {
        std::vector<std::uint64_t> spikes;
        std::uint64_t steps = 0;
        void take(Activity& other);  ///< adds what it holds, and empties it
    };
    /// By population, of all presentations since the last call.
    Activity take_activity();

    const Schedule& schedule() const noexcept { return schedule_; }

private:
    struct Plastic {  ///< one plastic block
        std::size_t projection, block;
        BatchLearner learner;
        std::vector<float> velocity;
    };
    struct Worker;  ///< what a thread needs: a replica, scratch memory, sums of changes

    /// How an image is shown.
    struct Manner {
        bool teach = false;                       ///< the target is shown and the phases behind the read-out run
        bool stop = false;                        ///< end early when the read-out phase says so
        std::vector<GateTrace>* gates = nullptr;  ///< by projection, of a presentation that learns
    };
    Answer present(Replica&, const Presentation&, const Manner&) const;
    void prepare(Replica&, const Presentation&) const;
    void conduct(Replica&, const Phase&) const;
    void show_targets(Replica&, const Phase&, const Presentation&, bool teach, std::optional<std::size_t> tried,
                      std::span<const double> liking) const;
    void note_gates(const Replica&, const Phase&, std::vector<GateTrace>& gates) const;
    double full_count(std::size_t population, std::uint64_t steps) const noexcept;
    double goodness_of(const Replica&, std::size_t population, Step steps) const;
    void answer_by_goodness(Replica&, const Presentation&, Answer&) const;
    void check(const Projection&) const;
    void keep_slopes(Replica&, const Phase&, bool learning) const;
    void count_spikes(Worker&) const;
    void count_peers(Worker&) const;
    void remember_activity();
    void collect_changes(Worker&);
    void move_changes(Worker&) const;
    [[noreturn]] void refuse_full(std::size_t plastic, std::size_t images) const;
    std::vector<ChangeSum*> changes_of(std::size_t plastic);
    void apply(double factor, std::size_t images);
    template <class F>
    void in_parallel(std::size_t count, F&& f);

    Circuit& circuit_;
    Schedule schedule_;
    const Stage* stage_ = nullptr;
    std::size_t last_needed_ = 0;            ///< phase of the stage, for learning
    std::vector<std::size_t> label_phases_;  ///< of the stage, that show the label population the right label; the first run of them
    std::vector<std::uint8_t> learns_;       ///< by projection, in some phase of the stage
    std::vector<std::uint8_t> varies_;       ///< by projection, how much an arrival counts
    Jury jury_;
    std::vector<std::size_t> pulled_;       ///< projections that learn in the stage with peer normalisation
    std::vector<UsualActivity> usual_;      ///< by population
    std::vector<std::vector<float>> pull_;  ///< by projection and unit of its targets, peer normalisation of one arrival
    std::vector<Plastic> plastic_;
    std::unique_ptr<tbb::enumerable_thread_specific<std::unique_ptr<Worker>>> workers_;
};

}  // namespace ydot
