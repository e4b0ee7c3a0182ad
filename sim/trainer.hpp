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
#include "sim/learner.hpp"
#include "sim/replica.hpp"

namespace ydot {

/// Presents images to replicas of a circuit in parallel and learns from each minibatch. Weights rest while a minibatch is shown; the
/// changes of its presentations are added as integers, so results do not depend on the number of threads.
class Trainer final : public Learner {
public:
    Trainer(Circuit& circuit, Schedule schedule);
    ~Trainer() override;

    void begin_stage(std::size_t /*stage*/) override {}  // a schedule of spikes has one
    void update_circuit() override {}  // it learns in the circuit
    std::vector<Answer> learn(std::span<const Presentation> batch, double factor) override;
    std::vector<std::vector<double>> measure(std::span<const Presentation> images) override;
    std::vector<Answer> test(std::span<const Presentation> images) override;
    std::vector<std::vector<float>> state() const override;
    void restore(const std::vector<std::vector<float>>& state) override;
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
