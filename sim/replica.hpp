#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sim/circuit.hpp"
#include "sim/probe.hpp"

namespace ydot {

/// Sees the spikes of a replica after every window, in a fixed order. Times in ms since the start; `units` from 0 within the population.
class SpikeObserver {
public:
    virtual ~SpikeObserver() = default;
    virtual void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) = 0;
};

/// One copy of the changing state of a circuit. Many replicas may share the circuit and run at once, as long as its weights rest;
/// one replica alone may learn online.
class Replica {
public:
    /// @param remembered  steps of spikes that history() keeps (at least what delays need)
    Replica(Circuit& circuit, Step remembered = 0);
    Replica(Replica&&) noexcept = default;

    /// Back to time 0: units at rest, nothing on its way, no traces. `trial` keys the random numbers of this presentation. Stimuli stay.
    void reset(std::uint32_t trial);
    /// What a source shows, or the target of a clamp: one value in [0, 1] for every unit.
    void set_stimulus(std::size_t population, std::span<const float> values);
    /// Moves the activity of a population toward its stimulus: 0 not at all, 1 all the way.
    void set_nudge(std::size_t population, float nudge);
    /// Whether a projection delivers spikes.
    void set_conducting(std::size_t projection, bool conducts);
    /// Weights change at once while this replica runs; plastic projections only. Not for replicas that run beside others.
    void learn_online();
    /// Also runs the shards of a window in parallel (results are the same); for a replica that runs alone.
    void set_parallel(bool parallel) noexcept { parallel_ = parallel; }
    void set_observer(SpikeObserver* observer) noexcept { observer_ = observer; }
    /// Frames of these probes, and of no others, go to the observer from now on. Populations on the grid only.
    void set_probes(std::vector<Probe> probes, FrameObserver* observer);
    /// Whether d(expected spikes)/du of a population is kept for the steps to come, at their place in slopes(); for causal correction.
    void keep_slopes(std::size_t population, bool keep);

    /// Runs so many steps.
    void run(Step steps);
    Step now() const noexcept { return now_; }

    const SpikeHistory& history(std::size_t population) const noexcept { return histories_[population]; }
    /// Slopes of the steps since reset: steps x stride of the shard `shard` of the population.
    std::span<const float> slopes(std::size_t population, std::size_t shard) const noexcept;
    /// Sums of the activity of every unit over the steps since clear_activity().
    void clear_activity(std::size_t population);
    std::vector<double> mean_activity(std::size_t population) const;

private:
    struct Incoming {  ///< a projection as seen by one shard of its target
        std::size_t projection;
        SynapseBlock* block;
        std::unique_ptr<OnlineLearner> learner;
    };
    struct Part {  ///< of a probe: what one shard has of its frames, from `at` on
        std::size_t probe, at;
        std::vector<std::uint32_t> units;   ///< within the shard
        std::vector<const float*> weights;  ///< of a probe of weights
    };
    struct Frames {  ///< of the current window
        Probe probe;
        std::size_t width = 0;
        std::vector<float> values{};
    };
    struct Shard {
        std::size_t population, index;
        UnitShard units;
        bool has_input = false;  ///< something may be added to units.input
        std::vector<Incoming> incoming{};
        std::vector<SpikeList> out{};  ///< of the steps of the current window
        std::vector<double> activity_sum{};
        Step activity_steps = 0;
        bool sums_activity = false;
        std::vector<float> slopes{};
        ShardCurrents currents{};
        std::vector<Part> parts{};                               ///< of probes
        std::vector<std::uint32_t> fired{};                      // scratch: spikes of a step within the shard
        std::vector<std::span<const std::uint32_t>> arrivals{};  // scratch: by delay index
    };

    /// Shards whose static synapses are stored together.
    struct Partition {
        std::vector<std::size_t> shards;  ///< in the order of StaticSynapses::targets()
        std::vector<std::int32_t> input;  ///< by slot
        Arrivals arrivals;
        Step sent = 0;  ///< spikes before this step are on their way
    };

    void form_partitions();
    void run_window(Step last);
    void run_partition(std::size_t partition, Step last);
    void step(Shard&, Step n);
    void record(const Shard&, Step n);
    void add_background(Shard&, Step n);
    void run_on_grid(Shard&, Step last);
    void run_continuously(Shard&, Step last);
    void arrive(Shard&, Step n);
    void inject(Shard&, Step n);
    void update(Shard&, Step n);
    void learn(Shard&, Step n);
    void learn_between(Shard&, std::span<const std::size_t> before, std::span<const SpikeList> out);
    void observe(Shard&);
    void publish(Step last);
    void report_frames();
    void weaken(Step n);
    void report(std::size_t population, Step last);
    void sort_by_time(std::size_t first);
    std::span<const std::uint32_t> emitted(std::size_t population, Step n) const noexcept;
    /// Efficacies of the spikes of step n for a projection; null: 1.
    const float* efficacies(std::size_t projection, Step n) const noexcept;

    struct Arrival;
    std::vector<Arrival> arrivals_of(const Shard&, Step last) const;
    template <class F>
    void for_shards_of(std::size_t population, F&& f) {
        for (auto& shard : shards_)
            if (shard.population == population) f(shard);
    }

    Circuit& circuit_;
    Step window_, now_ = 0;
    std::uint32_t trial_ = 0;
    bool parallel_ = false, online_ = false;
    SpikeObserver* observer_ = nullptr;
    std::vector<SpikeHistory> histories_;   ///< by population
    std::vector<std::uint8_t> conducting_;  ///< by projection
    struct Weakened {                       ///< a projection with short-term plasticity
        std::size_t projection;
        ShortTermState state;
        std::vector<std::vector<float>> efficacy;  ///< of the spikes of the last steps, as in the history of its source
    };
    std::vector<Weakened> weakened_;
    std::vector<Shard> shards_;
    std::vector<Partition> partitions_;  ///< empty without static synapses
    std::vector<std::size_t> alone_;     ///< shards outside of them
    FrameObserver* frame_observer_ = nullptr;
    std::vector<Frames> frames_;  ///< by probe
    std::vector<double> times_;   // scratch of report()
    std::vector<std::uint64_t> ids_;
};

}  // namespace ydot
