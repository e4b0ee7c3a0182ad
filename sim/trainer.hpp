#pragma once
#include <tbb/enumerable_thread_specific.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/batch_learning.hpp"
#include "sim/replica.hpp"

namespace ydot {

/// A phase of a presentation, frozen: names are indices, times are steps.
struct Phase {
    std::string name;
    Step steps = 0;
    std::vector<std::uint8_t> conducts, learns;  ///< by projection
    std::vector<std::size_t> clamps;             ///< populations moved toward the target
    float nudge = 0;
    bool paired = true, readout = false;
    double stop_above = std::numeric_limits<double>::infinity();
};

/// A schedule, frozen.
struct Schedule {
    std::size_t input = 0, readout = 0;  ///< populations
    std::vector<Phase> phases;
    Step test_readout_steps = 0;  ///< length of the read-out phase in tests; 0: as in training

    Step longest() const noexcept;  ///< steps of the longest presentation
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
};

/// Presents images to replicas of a circuit in parallel and learns from each minibatch. Weights rest while a minibatch is shown; the
/// changes of its presentations are added as integers, so results do not depend on the number of threads.
class Trainer {
public:
    Trainer(Circuit& circuit, Schedule schedule);
    ~Trainer();

    /// Shows one minibatch with every phase of the schedule, then changes the weights.
    /// @param factor  annealing of the learning rates
    std::vector<Answer> learn(std::span<const Presentation> batch, double factor);
    /// Shows images with every phase, whatever `stop_above` says, and returns the changes that learning would make, summed over them: by
    /// projection (empty: not plastic) and synapse, see BatchLearner::changes_in(). No weight changes.
    std::vector<std::vector<double>> measure(std::span<const Presentation> images);
    /// Shows images up to the end of the read-out phase; clamps are off and the label reaches nobody but the returned Answer.
    std::vector<Answer> test(std::span<const Presentation> images);
    /// Shows one image to a replica of its own, with every phase (`teach`: clamps on) but without learning, for recording.
    Answer show(const Presentation& image, bool teach, SpikeObserver* observer);

    /// Spikes by population and steps of all presentations since the last call.
    struct Activity {
        std::vector<std::uint64_t> spikes;
        std::uint64_t steps = 0;
    };
    Activity take_activity();

    const Schedule& schedule() const noexcept { return schedule_; }

private:
    struct Plastic {  ///< one plastic block
        std::size_t projection, block;
        BatchLearner learner;
        std::vector<float> velocity;
    };
    struct Worker;  ///< what a thread needs: a replica, scratch memory, sums of changes

    Answer present(Replica&, const Presentation&, bool teach, bool stop, std::vector<GateTrace>* gates) const;
    void keep_slopes(Replica&, const Phase&, bool learning) const;
    void count_spikes(Worker&) const;
    void collect_changes(Worker&);
    void move_changes(Worker&) const;
    [[noreturn]] void refuse_full(std::size_t plastic, std::size_t images) const;
    std::vector<ChangeSum*> changes_of(std::size_t plastic);
    void apply(double factor, std::size_t images);
    template <class F>
    void in_parallel(std::size_t count, F&& f);

    Circuit& circuit_;
    Schedule schedule_;
    std::vector<Plastic> plastic_;
    std::unique_ptr<tbb::enumerable_thread_specific<std::unique_ptr<Worker>>> workers_;
};

}  // namespace ydot
