#pragma once
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "sim/spikes.hpp"

namespace ydot {

/// A synapse while the network is being built. Weight in the unit of the target's input; delay in steps.
struct DrawnSynapse {
    std::uint32_t target;
    std::uint16_t delay;
    float weight;
};

/// The synapses of one projection, source by source, without storing them: drawn again whenever they are asked for, with the same result. Several
/// sources may be asked for at once from several threads.
class SynapseStream {
public:
    virtual ~SynapseStream() = default;
    /// The targets of a source alone, in the order of draw().
    virtual void targets(std::uint32_t source, std::vector<std::uint32_t>& out) const = 0;
    virtual void draw(std::uint32_t source, std::vector<DrawnSynapse>& out) const = 0;
    virtual float largest_weight() const = 0;  ///< in size
    virtual std::uint16_t longest_delay() const = 0;
    virtual std::uint16_t shortest_delay() const = 0;
};

/// A run of neighbouring units of one population.
struct UnitRange {
    std::size_t population;
    std::uint32_t first, units;
};

/// Synapses that never change, of all projections onto one partition of the network, in four bytes each: sixteen bits of target and sixteen of weight,
/// sorted by (source, delay). At step n the runs (source, n - time of the spike) are added into one array of integer inputs that stays in the second-level
/// cache; integers, so that no sum depends on the order, nor on the number of partitions and threads. The run that a spike needs in the next step lies
/// behind the one of this step and is fetched ahead.
class StaticSynapses {
public:
    static constexpr std::uint32_t most_units = 65536;  ///< of a partition

    struct Input {
        std::size_t from, to;  ///< populations
        const SynapseStream* stream;
    };
    /// Builds all partitions in two passes over the streams, in parallel; every synapse is drawn twice, its target once more.
    /// @param sizes       of all populations
    /// @param partitions  ranges of targets; a partition holds neighbouring units of a population, most_units in all
    static std::vector<StaticSynapses> build(std::span<const std::uint32_t> sizes, std::span<const Input> inputs, std::vector<std::vector<UnitRange>> partitions);

    /// Adds up what arrives in step n. @param emitted  (population, step) -> spikes of that step, empty before the start
    /// @param input  one number for each target of the partition
    template <class Emitted>
    void deliver(Step n, const Emitted& emitted, std::int32_t* input) const noexcept {
        for (std::size_t p = 0; p < first_source_.size(); ++p)
            for (std::size_t d = 1; d <= longest_delay_; ++d) add_runs(p, emitted(p, n - static_cast<Step>(d)), d, input);
    }
    const std::vector<UnitRange>& targets() const noexcept { return targets_; }
    float weight_unit() const noexcept { return unit_; }
    Step longest_delay() const noexcept { return static_cast<Step>(longest_delay_); }

    std::size_t synapses() const noexcept { return source_begin_.back(); }
    std::size_t bytes() const noexcept;
    /// f(from, source, to, target, delay, weight) for every synapse.
    void for_each(const std::function<void(std::size_t, std::uint32_t, std::size_t, std::uint32_t, std::uint16_t, float)>& f) const;

private:
    struct Release {
        void operator()(std::uint32_t* p) const noexcept { std::free(p); }
    };
    class Builder;
    StaticSynapses(std::span<const std::uint32_t> sizes, std::vector<UnitRange> targets, float weight_unit, std::size_t longest_delay);
    void allocate();
    void put(std::size_t source, std::vector<DrawnSynapse>& drawn, std::vector<std::uint32_t>& next) noexcept;
    void add_runs(std::size_t population, std::span<const std::uint32_t> spikes, std::size_t delay, std::int32_t* input) const noexcept;
    const std::uint32_t* run(std::size_t source, std::size_t delay) const noexcept { return synapse_.get() + source_begin_[source] + run_begin_[source * (longest_delay_ + 1) + delay - 1]; }

    std::vector<std::uint32_t> first_source_, sizes_;  ///< by population: sources are numbered through
    std::vector<UnitRange> targets_;
    std::vector<std::uint32_t> first_slot_;            ///< by range
    float unit_;
    std::size_t longest_delay_ = 0;
    std::vector<std::uint64_t> source_begin_;  ///< by source
    std::vector<std::uint32_t> run_begin_;     ///< by source and delay d: offset of the run of delay d + 1; the last one is the end
    std::unique_ptr<std::uint32_t[], Release> synapse_;  ///< low half: slot; high half: weight
};

}  // namespace ydot
