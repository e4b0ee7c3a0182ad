#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/current.hpp"
#include "sim/description.hpp"
#include "sim/plasticity.hpp"
#include "sim/population.hpp"
#include "sim/short_term.hpp"
#include "sim/static_synapses.hpp"
#include "sim/synapses.hpp"

namespace ydot {

/// What the weights of a projection follow, if not their own plasticity.
enum class Follows {
    nothing,
    transpose,  ///< the reverse weight of the forward projection times a gain
    sign        ///< the sign of the reverse weight times a magnitude
};

/// One projection, frozen but for its weights.
struct Projection {
    std::string name;
    std::size_t from = 0, to = 0;  ///< populations
    std::uint32_t port = 0;        ///< receptor of the target
    float scale = 1;               ///< Circuit::input_scale
    DelaySite site = DelaySite::axonal;
    std::vector<SynapseBlock> blocks;  ///< one for each shard of `to`
    std::optional<Plasticity> plasticity;
    std::optional<ShortTerm> short_term;
    float drift = 0;  ///< of the weights, see RateLink::drift()

    Follows follows = Follows::nothing;
    std::size_t forward = 0;  ///< the projection that is followed
    float gain = 1;           ///< of a transpose; mean magnitude of weights that follow signs
    Magnitudes magnitudes = Magnitudes::equal;
    /// Of one weight that follows a sign. @param refresh  counts minibatches, for redrawn ones
    float magnitude(std::uint64_t seed, std::uint32_t refresh, std::uint32_t source, std::uint32_t target) const noexcept;

    std::size_t synapses() const noexcept;
};

/// Independent Poisson spikes from outside for every unit of a population, without synapses to store.
struct BackgroundInput {
    float weight = 0;  ///< input of one spike
    std::vector<std::uint32_t>
        thresholds;  ///< of a random word: probability of more than k spikes in a step, k = 0, 1, ...; empty: no background
    std::uint32_t stream = 0;
    /// @param rate_Hz  of all sources of one unit together
    static BackgroundInput make(std::string_view population, double rate_Hz, double weight, double dt_ms);
};

/// A built network: flat arrays, nothing that names a model. Weights change, all else is constant; replicas share it.
class Circuit {
public:
    /// Units per shard: small enough that the inputs of a shard stay in the first-level cache, fixed so that no result depends on threads.
    static constexpr std::uint32_t shard_units = 4096;

    Circuit(double step_ms, std::uint64_t random_seed, std::vector<std::unique_ptr<const Population>> members);

    /// Input per unit of weight between two populations: 1000 / full rate of the sender (ms) where weights mean activity, which is where
    /// the target reads_activity().
    double input_scale(std::size_t from, std::size_t to) const noexcept;
    /// Weights are those of the description, see input_scale().
    Projection& connect(std::string name, std::size_t from, std::size_t to, const Connectivity& synapses, DelaySite site,
                        std::uint32_t port = 0);
    /// A projection whose synapses never change, for build_static_synapses(); it has no blocks. Weights are inputs.
    Projection& connect_static(std::string name, std::size_t from, std::size_t to, std::unique_ptr<const SynapseStream> synapses,
                               std::uint32_t port = 0);
    /// Builds the synapses of all static projections at once. @param partitions  at least so many, for as many threads
    void build_static_synapses(std::size_t partitions);
    std::span<const StaticSynapses> static_synapses() const noexcept { return static_; }
    void set_background(std::size_t population, BackgroundInput background) { background_[population] = std::move(background); }
    const BackgroundInput& background(std::size_t population) const noexcept { return background_[population]; }

    /// Before replicas are made. The units of the population must take currents.
    void add_stimulus(Stimulus stimulus) { stimuli_.push_back(std::move(stimulus)); }
    std::span<const Stimulus> stimuli() const noexcept { return stimuli_; }

    /// Makes the weights of `projection` follow those of `forward`; both must be connected already.
    void follow(std::size_t projection, std::size_t forward, Follows how, float gain, Magnitudes magnitudes = Magnitudes::equal);
    /// Brings the weights of all following projections up to date.
    void refresh_followers();

    double dt_ms() const noexcept { return dt_ms_; }
    std::uint64_t seed() const noexcept { return seed_; }
    std::size_t population_count() const noexcept { return populations_.size(); }
    const Population& population(std::size_t p) const noexcept { return *populations_[p]; }
    /// @throws Error when there is none of this name
    std::size_t find_population(std::string_view name) const;
    std::vector<Projection>& projections() noexcept { return projections_; }
    const std::vector<Projection>& projections() const noexcept { return projections_; }
    /// (first unit, units) of every shard of a population.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> shards_of(std::size_t population) const;

    /// Smallest delay in steps: the length of a window, inside which no unit can influence another. 1 without projections.
    Step window() const noexcept;
    Step longest_delay() const noexcept;
    std::size_t neurons() const noexcept;
    std::size_t synapses() const noexcept;
    /// Of the units of a population, all together.
    std::size_t synapses_from(std::size_t population) const noexcept;
    std::size_t synapse_bytes() const noexcept;

private:
    struct Link {  ///< one synapse of a follower and the forward synapse it follows
        float* weight;
        const float* forward;
        std::uint32_t source, target;  ///< of the follower
    };
    double dt_ms_;
    std::uint64_t seed_;
    std::vector<std::unique_ptr<const Population>> populations_;
    std::vector<Projection> projections_;
    std::vector<std::pair<std::size_t, std::vector<Link>>> links_;
    std::uint32_t refreshes_ = 0;
    std::vector<BackgroundInput> background_;  ///< by population
    std::vector<Stimulus> stimuli_;
    struct Stream {
        std::size_t projection;
        std::unique_ptr<const SynapseStream> synapses;
    };
    std::vector<Stream> streams_;  ///< until the static synapses are built
    std::vector<StaticSynapses> static_;
    Step shortest_static_ = 0;
};

}  // namespace ydot
