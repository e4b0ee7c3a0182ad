#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "sim/large_pages.hpp"
#include "sim/spikes.hpp"

namespace ydot {

/// A synapse while the network is being built. Weight in the unit of the target's input; delay in steps.
struct DrawnSynapse {
    std::uint32_t target;
    std::uint16_t delay;
    float weight;
};

/// The synapses of one projection, source by source, without storing them: drawn again whenever they are asked for, with the same result.
/// Several sources may be asked for at once from several threads.
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

/// What is on its way to one partition: for every step to come, where the runs lie that arrive in it.
class Arrivals {
public:
    explicit Arrivals(Step longest_delay) : due_(static_cast<std::size_t>(longest_delay) + 1) {}
    void clear() noexcept {
        for (auto& list : due_) list.clear();
    }
    std::vector<const std::uint32_t*>& at(Step n) noexcept { return due_[static_cast<std::size_t>(n) % due_.size()]; }

private:
    std::vector<std::vector<const std::uint32_t*>> due_;
};

/// Synapses that never change, of all projections onto one partition of the network, in four bytes each: sixteen bits of slot (unit and
/// receptor) and sixteen of weight, sorted by source and delay. The synapses of a source with one delay are a run; in front of it stands a
/// word with its length and the steps since the run before. A spike is a pointer that moves from run to run: at step n the runs due are
/// added into one array of integer inputs that stays in the second-level cache; integers, so that no sum depends on the order, nor on the
/// number of partitions and threads. The run that a spike needs next lies behind the one of this step and is fetched ahead.
class StaticSynapses {
public:
    static constexpr std::uint32_t most_slots = 65535;  ///< of a partition; also the most synapses of a source onto it

    struct Input {
        std::size_t from, to;  ///< populations
        std::uint32_t port;    ///< receptor of the target
        const SynapseStream* stream;
    };
    /// Targets of a partition. A range has ports x room slots, those of one port after those of another.
    struct Targets {
        UnitRange units;
        std::uint32_t room, ports;  ///< room >= units
        std::uint32_t slots() const noexcept { return room * ports; }
    };
    /// Builds all partitions in two passes over the streams, in parallel; every synapse is drawn once, its target twice.
    /// @param sizes       of all populations
    /// @param partitions  ranges of targets; at most most_slots in each partition
    /// @throws Error when a source has more than most_slots synapses onto a partition
    static std::vector<StaticSynapses> build(std::span<const std::uint32_t> sizes, std::span<const Input> inputs,
                                             std::vector<std::vector<Targets>> partitions);

    /// Spikes of step n set out.
    void send(Step n, std::size_t population, std::span<const std::uint32_t> spikes, Arrivals& arrivals) const;
    /// Adds up what arrives in step n, in units of weight_unit(). @param input  one number for each slot of the partition
    void deliver(Step n, Arrivals& arrivals, std::int32_t* input) const;

    const std::vector<Targets>& targets() const noexcept { return targets_; }
    std::uint32_t slots() const noexcept { return slots_; }
    float weight_unit() const noexcept { return unit_; }
    Step longest_delay() const noexcept { return static_cast<Step>(longest_delay_); }

    std::size_t synapses() const noexcept { return std::accumulate(synapses_from_.begin(), synapses_from_.end(), std::size_t{0}); }
    std::size_t synapses_from(std::size_t population) const noexcept { return synapses_from_[population]; }
    std::size_t bytes() const noexcept { return 4 * source_begin_.back() + 8 * source_begin_.size(); }
    /// f(from, source, to, target, port, delay, weight) for every synapse.
    void for_each(
        const std::function<void(std::size_t, std::uint32_t, std::size_t, std::uint32_t, std::uint32_t, std::uint16_t, float)>& f) const;
    /// Memory for so many synapses of so many sources, onto one partition, in bytes; an upper bound.
    static std::size_t bytes_for(std::size_t synapses, std::size_t sources, std::size_t longest_delay) noexcept;

private:
    struct Release {
        void operator()(std::uint32_t* p) const noexcept { LargePages<std::uint32_t>().deallocate(p, 0); }
    };
    class Builder;
    StaticSynapses(std::span<const std::uint32_t> sizes, std::vector<Targets> targets, float weight_unit, std::size_t longest_delay);
    void allocate();
    void put(std::size_t source, std::vector<DrawnSynapse>& drawn, std::vector<std::uint32_t>& begin) noexcept;
    /// Words that a source may need: its synapses, the word before each run and the zero at the end.
    static std::size_t words_for(std::size_t synapses, std::size_t longest_delay) noexcept {
        return synapses + std::min(synapses, longest_delay) + 1;
    }

    std::vector<std::uint32_t> first_source_, sizes_;  ///< by population: sources are numbered through
    std::vector<Targets> targets_;
    std::vector<std::uint32_t> first_slot_;  ///< by range
    std::uint32_t slots_ = 0;
    float unit_;
    std::size_t longest_delay_ = 0;
    std::vector<std::size_t> synapses_from_;   ///< by population
    std::vector<std::uint64_t> source_begin_;  ///< by source
    std::unique_ptr<std::uint32_t[], Release>
        synapse_;  ///< low half: slot, high half: weight; before a run: its length, steps since the last
};

}  // namespace ydot
