#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/lanes.hpp"
#include "sim/parameters.hpp"
#include "sim/random.hpp"
#include "sim/spikes.hpp"
#include "sim/vector_math.hpp"

namespace ydot {

/// Spikes of a step of the grid, for an intensity lambda that is constant in it:
///   exponential  at most one, with probability 1 - exp(-lambda dt); the mean falls short of lambda dt by half of its square
///   linear       at most one, with probability lambda dt: the mean is exact, the variance lies below that of a Poisson process (Bernoulli)
///   counts       as many as a Poisson process has, Poisson(lambda dt): exact at any dt
enum class GridProbability { exponential, linear, counts };
template <>
struct EnumNames<GridProbability> {
    static constexpr std::array<std::string_view, 3> names{"exponential", "linear", "counts"};
};

/// @param path  dotted path of the population, for errors
/// @throws Error for an intensity too high for `linear`, and for `counts` with refractoriness
void check_grid_probability(GridProbability, double lambda_max_Hz, double refractory_ms, double dt_ms, const std::string& path);

/// Which numbers a step draws: see random.hpp.
struct StepKey {
    std::uint64_t seed = 0;
    std::uint32_t trial = 0;
};

/// The changing state of a run of neighbouring units of one population in one replica. Arrays are padded to `padded` units
/// (a multiple of 64) so that loops need no remainder.
struct UnitShard {
    std::uint32_t first = 0, count = 0, padded = 0;
    std::vector<float> columns;      ///< state: one array of `padded` floats per variable of the model
    std::vector<float> input;        ///< what arrives in this step, one array of `padded` for each receptor; zeroed by the engine
    std::int32_t* counts = nullptr;  ///< what arrives beside it, in units of count_unit; shaped like `input`, zeroed by the population
    float count_unit = 0;
    std::vector<float> current_pA;  ///< from outside in this step, of `padded` units; empty without stimuli
    std::vector<float> activity;    ///< phi(u) after the last step; models without phi: 1 in a step with a spike, if `wants_activity`
    bool wants_activity = false;
    std::vector<float> slope;     ///< d(expected spikes of a step)/du; kept only if `wants_slope`
    std::vector<float> stimulus;  ///< sources: what is shown to the unit, in [0, 1]; other units: the target of a clamp
    float nudge = 0;              ///< how far activity is moved toward `stimulus`
    bool wants_slope = false;
    std::vector<std::uint32_t> words;      ///< random words of the step
    std::vector<float> at_least;           ///< Poisson counts: probability of a spike
    std::vector<std::uint32_t> threshold;  ///< a unit fires when its word is below
    std::vector<std::uint8_t> fired;       ///< of models that fire at a threshold of the potential
    std::vector<std::uint32_t> active;     ///< sources: units with a rate; `words` and `threshold` follow this list
    std::vector<std::uint32_t> draws;      ///< continuous time: how many candidates each unit has drawn
    std::vector<double> silent_until;      ///< continuous time: end of refractoriness, in steps

    UnitShard(std::uint32_t first_unit, std::uint32_t units, std::size_t variables, std::size_t ports = 1);
    static constexpr std::uint32_t padded_size(std::uint32_t units) noexcept { return (units + 63) / 64 * 64; }
    /// Row length of what is kept step by step: `count`, rounded up to the stride of a SynapseBlock.
    std::size_t stride() const noexcept { return (count + std::size_t{15}) / 16 * 16; }
    std::span<float> column(std::size_t k) noexcept { return {columns.data() + k * padded, padded}; }
};

/// An arrival in continuous time: all `input` of one event has been added when it is passed on.
struct Interval {
    double from, to;  ///< in steps
};

/// A population as the engine sees it: frozen parameters, a step over a shard. One virtual call per shard and step.
class Population {
public:
    Population(std::string name, std::uint32_t size) : name_(std::move(name)), size_(size), stream_(stream_of(name_, Purpose::fire)) {}
    virtual ~Population() = default;
    const std::string& name() const noexcept { return name_; }
    std::uint32_t size() const noexcept { return size_; }
    std::uint32_t stream() const noexcept { return stream_; }

    virtual std::size_t variables() const noexcept = 0;  ///< floats of state per unit
    virtual bool receives() const noexcept = 0;          ///< false for sources
    /// Names of the receptors that tell inputs apart (excitatory and inhibitory conductances); empty for models with one kind of input.
    virtual std::span<const std::string_view> receptors() const noexcept { return {}; }
    std::size_t ports() const noexcept { return std::max<std::size_t>(receptors().size(), 1); }
    virtual bool coupled() const noexcept { return false; }     ///< units see one another within a step (softmax): never split over shards
    virtual bool continuous() const noexcept { return false; }  ///< spike times are real numbers
    virtual double full_rate_Hz() const noexcept = 0;           ///< rate that stands for activity 1
    virtual bool takes_current() const noexcept { return false; }  ///< reads UnitShard::current_pA
    /// Names of the variables of state, with their units, in the order of the columns; empty for models that have none to show.
    virtual std::span<const std::string_view> state_names() const noexcept { return {}; }
    /// A variable of units of the shard (numbered within it), potentials in absolute mV.
    virtual void sample(const UnitShard&, std::size_t /*variable*/, std::span<const std::uint32_t> /*units*/, float* /*out*/) const {}
    /// Weights mean activity (scaled by the sender's full rate), not a physical unit.
    virtual bool reads_activity() const noexcept { return false; }
    virtual void reset(UnitShard&, const StepKey&) const = 0;  ///< start of a run or a presentation; `stimulus` is set
    virtual void stimulate(UnitShard&, Step) const {}          ///< `stimulus` has changed, before this step

    // The rate reading: units are real numbers, u = bias() + sum w y, y = phi(u). Spans hold whole copies of the population in turn.
    virtual bool has_rate() const noexcept { return false; }
    virtual double bias() const noexcept { return 0; }  ///< potential without input
    /// In place, potentials -> activities. Sources: stimuli -> activities.
    virtual void activities(std::span<float>) const {}
    virtual void activities(std::span<double>) const {}
    /// In place, v -> J^T v with J = dy/du at potentials u and activities y.
    virtual void pull_back(std::span<const float> /*u*/, std::span<const float> /*y*/, std::span<float>) const {}
    virtual void pull_back(std::span<const double> /*u*/, std::span<const double> /*y*/, std::span<double>) const {}

    /// Potential after k = 0, 1, ... steps caused by an input of 1 in step 0 (to the first receptor).
    virtual std::vector<double> impulse_response(std::size_t steps) const = 0;

    /// Grid, the rate reading of step(): nobody fires; `activity` becomes the expected number of spikes of the step.
    virtual void expect(UnitShard&, Step) const {}
    /// Grid: takes the input of step n, decides who fires in it.
    virtual void step(UnitShard&, const StepKey&, Step n, SpikeList& out) const = 0;
    /// Continuous time, populations with continuous() only: spikes between two arrivals; `out[k]` takes those of step first_step + k.
    virtual void advance(UnitShard&, const StepKey&, Interval, Step first_step, std::span<SpikeList> out) const = 0;
    /// Continuous time: `input` arrives now.
    virtual void arrive(UnitShard&) const = 0;

private:
    std::string name_;
    std::uint32_t size_, stream_;
};

namespace detail {
template <class M>
constexpr std::size_t ports_of() {
    if constexpr (requires { M::receptors; }) return M::receptors.size();
    else return 1;
}
}  // namespace detail

/// What reaches a unit in a step: a number, or one for each of M::receptors (an array of names) where the model has them.
template <class M>
using InputOf = std::conditional_t<detail::ports_of<M>() == 1, float, std::array<float, detail::ports_of<M>()>>;

/// What a neuron model provides (see neurons/ for examples).
template <class M>
concept UnitModel = requires(typename M::State& state, const typename M::Params& params, const typename M::Coeffs& coeffs,
                             const InputOf<M>& input) {
    { M::name } -> std::convertible_to<std::string_view>;
    { M::prepare(params, 1.0) } -> std::same_as<typename M::Coeffs>;
    { M::integrate(state, coeffs, input) } -> std::same_as<float>;  // one step with this input; returns the potential
    M::State::columns(state);                                       // a tie of the variables, each a float and a column of its own
};
// It may also have
//   M::start(state, params, draws) or (state, params, coeffs, draws)   the state of a unit when a run begins, else State{}
//   M::choose(coeffs, run)   several integrators: run(f) with the f(state, coeffs, input) that the parameters ask for, once for each shard
//   and step
/// Can be driven by a current from outside: drive(coeffs, i) adds i to the constant current of a step, in the coefficients of the step.
template <class M>
concept CurrentDriven = UnitModel<M> && requires(typename M::Coeffs& coeffs) {
    M::drive(coeffs, 1.0f);
};
/// Fires with an intensity: activity(coeffs, potentials in place), coeffs.expected_spikes (in a step at activity 1),
/// coeffs.refractory_steps, coeffs.grid_probability.
template <class M>
concept StochasticModel = UnitModel<M> && requires(const typename M::Coeffs& coeffs, std::span<float> u) {
    M::activity(coeffs, u);
};
/// What its spikes do to it is M::spike(state, coeffs), in place of a fixed refractory time that the engine keeps; its weights are physical
/// (M::physical_weights), so it has no rate reading, and activity() leaves the expected number of spikes of the step.
template <class M>
concept SpikeResponse = StochasticModel<M> && M::physical_weights && requires(typename M::State& state, const typename M::Coeffs& coeffs) {
    M::spike(state, coeffs);
};
/// Has an exact flow over any time, so that it can run in continuous time.
template <class M>
concept ContinuousModel = StochasticModel<M> && requires(typename M::State& state, const typename M::Coeffs& coeffs) {
    M::flow_over(coeffs, 0.5);
    M::flow(state, M::flow_over(coeffs, 0.5));
    M::jump(state, coeffs, 1.0f);
    { M::potential(state, coeffs) } -> std::same_as<float>;
    { M::highest_potential(state, coeffs) } -> std::same_as<float>;
};

namespace detail {

template <class State, std::size_t... k>
inline State load(const float* const* columns, std::size_t i, std::index_sequence<k...>) noexcept {
    State state;
    auto variables = State::columns(state);
    ((std::get<k>(variables) = columns[k][i]), ...);
    return state;
}
template <class State, std::size_t... k>
inline void store(const State& state, float* const* columns, std::size_t i, std::index_sequence<k...>) noexcept {
    const auto variables = State::columns(state);
    ((columns[k][i] = std::get<k>(variables)), ...);
}

/// One candidate of thinning: a waiting time of mean 1 and a number to accept it with, from a counter of the unit's own.
struct Candidate {
    double wait, accept;
    Candidate(const StepKey& key, std::uint32_t stream, std::uint32_t unit, std::uint32_t& draw) noexcept;
};

void put(std::span<SpikeList> out, Step first_step, double time, std::uint32_t unit);

}  // namespace detail

/// A population of integrating units of model M.
template <UnitModel M>
class UnitPopulation final : public Population {
    using State = typename M::State;
    static constexpr std::size_t n_columns = std::tuple_size_v<decltype(State::columns(std::declval<State&>()))>;
    using Indices = std::make_index_sequence<n_columns>;
    using Params = typename M::Params;
    using Coeffs = typename M::Coeffs;
    static constexpr std::size_t n_ports = detail::ports_of<M>();
    static constexpr bool reads_rate = StochasticModel<M> && !SpikeResponse<M>;
    static constexpr int most_spikes_in_a_step = 24;  // of one unit; Poisson(4) exceeds it once in 10^12 steps

public:
    /// @param each  parameters of every unit, or empty when all have the same
    UnitPopulation(std::string unit_name, std::uint32_t units, const Params& params, double dt_ms, bool in_continuous_time,
                   std::vector<Params> each = {})
        : Population(std::move(unit_name), units),
          params_(params),
          coeffs_(M::prepare(params, dt_ms)),
          each_params_(std::move(each)),
          dt_ms_(dt_ms),
          continuous_(in_continuous_time) {
        for (const auto& p : each_params_) each_.push_back(M::prepare(p, dt_ms));
        const auto same = [](const Coeffs& a, const Coeffs& b) { return std::memcmp(&a, &b, sizeof a) == 0; };
        if (std::equal(each_.begin() + !each_.empty(), each_.end(), each_.begin(), same)) {  // they differ at the start only
            if (!each_.empty()) coeffs_ = each_.front();
            each_.clear();
        }
        if (!each_.empty()) each_.resize((each_.size() + 63) / 64 * 64, coeffs_);  // shards are padded
    }

    std::size_t variables() const noexcept override { return n_columns; }
    bool receives() const noexcept override { return true; }
    std::span<const std::string_view> receptors() const noexcept override {
        if constexpr (requires { M::receptors; }) return M::receptors;
        else return {};
    }
    bool continuous() const noexcept override { return continuous_; }
    double full_rate_Hz() const noexcept override { return M::full_rate_Hz(params_); }
    bool reads_activity() const noexcept override { return reads_rate; }
    bool coupled() const noexcept override {
        if constexpr (requires { M::coupled(coeffs_); }) return M::coupled(coeffs_);
        else return false;
    }

    bool takes_current() const noexcept override { return CurrentDriven<M> && !continuous_; }
    std::span<const std::string_view> state_names() const noexcept override {
        if constexpr (requires { State::names; }) {
            static_assert(State::names.size() == n_columns);
            return State::names;
        } else return {};
    }
    void sample(const UnitShard& shard, std::size_t variable, std::span<const std::uint32_t> units, float* out) const override {
        const float* const column = shard.columns.data() + variable * shard.padded;
        for (const auto unit : units) *out++ = column[unit];
        if constexpr (requires(State state) { M::potential_mV(state, params_); })
            if (state_names()[variable] == "v_mV") potentials_mV(shard, units, out - units.size());
    }

    void reset(UnitShard& shard, const StepKey& key) const override {
        const auto columns = pointers(shard);
        const auto start_stream = stream_of(name(), Purpose::start);
        for (std::size_t i = 0; i < shard.padded; ++i) {
            State state;
            const std::size_t unit = shard.first + i;
            const Params& params = unit < each_params_.size() ? each_params_[unit] : params_;
            Draws draws(key.seed, start_stream, static_cast<std::uint32_t>(unit), key.trial);
            if constexpr (requires { M::start(state, params, coeffs_, draws); }) M::start(state, params, coeffs_of(unit), draws);
            else if constexpr (requires { M::start(state, params, draws); }) M::start(state, params, draws);
            detail::store(state, columns.data(), i, Indices{});
        }
        std::fill(shard.draws.begin(), shard.draws.end(), 0u);
        std::fill(shard.silent_until.begin(), shard.silent_until.end(), 0.0);
    }

    bool has_rate() const noexcept override {
        if constexpr (reads_rate) return coeffs_.refractory_steps == 0;  // else the rate depends on the past
        return false;
    }
    double bias() const noexcept override {
        State rest;
        return static_cast<double>(M::integrate(rest, coeffs_, InputOf<M>{}));
    }
    void activities(std::span<float> u) const override { activities_of(u); }
    void activities(std::span<double> u) const override { activities_of(u); }
    void pull_back(std::span<const float> u, std::span<const float> y, std::span<float> v) const override { pull_back_of(u, y, v); }
    void pull_back(std::span<const double> u, std::span<const double> y, std::span<double> v) const override { pull_back_of(u, y, v); }

    std::vector<double> impulse_response(std::size_t steps) const override {
        State pulsed, plain;
        std::vector<double> response;
        for (std::size_t k = 0; k < steps; ++k) {
            InputOf<M> input{};
            if constexpr (n_ports == 1) input = k == 0 ? 1.0f : 0.0f;
            else input[0] = k == 0 ? 1.0f : 0.0f;
            const double with = M::integrate(pulsed, coeffs_, input);
            response.push_back(with - static_cast<double>(M::integrate(plain, coeffs_, InputOf<M>{})));
        }
        return response;
    }

    void step(UnitShard& shard, const StepKey& key, Step n, SpikeList& out) const override {
        if constexpr (StochasticModel<M>) {
            integrate(shard);
            intensities(shard);
            draw(shard, key, n, out);
        } else {
            cross_threshold(shard);
            collect(shard, out);
        }
    }

    void expect(UnitShard& shard, Step) const override {
        if constexpr (reads_rate) {
            integrate(shard);
            intensities(shard);
            for (float& y : shard.activity) y = expected_of(coeffs_.expected_spikes * y);
        }
    }

    void arrive(UnitShard& shard) const override {
        if constexpr (ContinuousModel<M>)
            for_each_state(shard, [this, &shard](State& state, std::size_t i) { M::jump(state, coeffs_, shard.input[i]); });
    }

    void advance(UnitShard& shard, const StepKey& key, Interval span, Step first_step, std::span<SpikeList> out) const override {
        if constexpr (ContinuousModel<M>) {
            for (std::uint32_t i = 0; i < shard.count; ++i) thin(shard, key, span, i, first_step, out);
            const auto flow = M::flow_over(coeffs_, (span.to - span.from) * dt_ms_);
            for_each_state(shard, [&](State& state, std::size_t) { M::flow(state, flow); });
            for_each_state(shard, [&](State& state, std::size_t i) { shard.activity[i] = M::potential(state, coeffs_); });
            intensities(shard);
        }
    }

private:
    const Coeffs& coeffs_of(std::size_t unit) const noexcept { return each_.empty() ? coeffs_ : each_[std::min(unit, each_.size() - 1)]; }
    /// Units that see one another are passed on a population at a time.
    std::size_t piece_of(std::size_t all) const noexcept { return coupled() ? size() : std::max<std::size_t>(all, 1); }
    template <class Real>
    void activities_of(std::span<Real> u) const {
        if constexpr (reads_rate)
            for (std::size_t k = 0, n = piece_of(u.size()); k < u.size(); k += n) M::activity(coeffs_, u.subspan(k, n));
    }
    template <class Real>
    void pull_back_of(std::span<const Real> u, std::span<const Real> y, std::span<Real> v) const {
        if constexpr (reads_rate)
            for (std::size_t k = 0, n = piece_of(u.size()); k < u.size(); k += n)
                M::pull_back(coeffs_, u.subspan(k, n), y.subspan(k, n), v.subspan(k, n));
    }
    std::array<float*, n_columns> pointers(UnitShard& shard) const {
        std::array<float*, n_columns> result;
        for (std::size_t k = 0; k < n_columns; ++k) result[k] = shard.column(k).data();
        return result;
    }
    void potentials_mV(const UnitShard& shard, std::span<const std::uint32_t> units, float* out) const {
        std::array<const float*, n_columns> columns;
        for (std::size_t k = 0; k < n_columns; ++k) columns[k] = shard.columns.data() + k * shard.padded;
        for (const auto i : units) {
            const State state = detail::load<State>(columns.data(), i, Indices{});
            const std::size_t unit = shard.first + i;
            *out++ = static_cast<float>(M::potential_mV(state, unit < each_params_.size() ? each_params_[unit] : params_));
        }
    }
    template <class F>
    void for_each_state(UnitShard& shard, F&& f) const {
        const auto columns = pointers(shard);
        for (std::size_t i = 0; i < shard.padded; ++i) {
            State state = detail::load<State>(columns.data(), i, Indices{});
            f(state, i);
            detail::store(state, columns.data(), i, Indices{});
        }
    }

    /// Mean number of spikes of a step with lambda dt = x.
    float expected_of(float x) const noexcept {
        if (continuous_ || coeffs_.grid_probability == GridProbability::counts) return x;
        return coeffs_.grid_probability == GridProbability::linear ? std::min(x, 1.0f) : -std::expm1(-x);
    }

    /// Passes every unit on with its coefficients and its input: f(state, coeffs, input, i).
    template <class F>
    void for_each_input(UnitShard& shard, F f) const {
        if constexpr (CurrentDriven<M>)
            if (const float* const current_pA = shard.current_pA.data(); !shard.current_pA.empty())
                return for_each_coeffs(shard, [f, current_pA](State& state, const Coeffs& coeffs, const InputOf<M>& input, std::size_t i) {
                    Coeffs driven = coeffs;
                    M::drive(driven, current_pA[i]);
                    f(state, driven, input, i);
                });
        for_each_coeffs(shard, f);
    }
    template <class F>
    void for_each_coeffs(UnitShard& shard, F f) const {
        if (each_.empty()) return shard.counts ? sweep<false, true>(shard, f) : sweep<false, false>(shard, f);
        return shard.counts ? sweep<true, true>(shard, f) : sweep<true, false>(shard, f);
    }
    /// All is inlined here, and this nowhere: a call left in the loop would keep it from vectorising, and in large translation units GCC
    /// leaves some.
    template <bool own_coeffs, bool counted, class F>
    [[gnu::noinline, gnu::flatten]] void sweep(UnitShard& shard, F f) const {
        const auto columns = pointers(shard);
        const Coeffs shared = coeffs_;
        const Coeffs* const each = own_coeffs ? each_.data() + shard.first : nullptr;
        const float count_unit = shard.count_unit;
        std::array<const float*, n_ports> inputs;
        std::array<std::int32_t*, n_ports> counts{};
        for (std::size_t p = 0; p < n_ports; ++p) {
            inputs[p] = shard.input.data() + p * shard.padded;
            if (counted) counts[p] = shard.counts + p * shard.padded;
        }
        const auto input_of = [&](std::size_t p, std::size_t i) {
            float input = inputs[p][i];
            if constexpr (counted) {
                input += count_unit * static_cast<float>(counts[p][i]);
                counts[p][i] = 0;
            }
            return input;
        };
        const std::size_t units = shard.padded;
#pragma GCC ivdep
        for (std::size_t i = 0; i < units; ++i) {
            State state = detail::load<State>(columns.data(), i, Indices{});
            InputOf<M> input;
            if constexpr (n_ports == 1) input = input_of(0, i);
            else
                for (std::size_t p = 0; p < n_ports; ++p) input[p] = input_of(p, i);
            if constexpr (own_coeffs) f(state, each[i], input, i);
            else f(state, shared, input, i);
            detail::store(state, columns.data(), i, Indices{});
        }
    }

    /// input -> potentials, left in `activity`.
    void integrate(UnitShard& shard) const {
        float* potential = shard.activity.data();
        for_each_input(shard, [potential](State& state, const Coeffs& coeffs, const InputOf<M>& input, std::size_t i) {
            potential[i] = M::integrate(state, coeffs, input);
        });
    }

    void cross_threshold(UnitShard& shard) const {
        std::uint8_t* fired = shard.fired.data();
        const auto run = [&](auto integrate_unit) {
            for_each_input(shard, [fired, integrate_unit](State& state, const Coeffs& coeffs, const InputOf<M>& input, std::size_t i) {
                integrate_unit(state, coeffs, input);
                if constexpr (!StochasticModel<M>) fired[i] = M::fire(state, coeffs);
            });
        };
        if constexpr (requires { M::choose(coeffs_, run); }) M::choose(coeffs_, run);
        else run([](State& state, const Coeffs& coeffs, const InputOf<M>& input) { M::integrate(state, coeffs, input); });
    }

    /// Spikes are rare: sixty-four units are looked at together, then eight.
    void collect(UnitShard& shard, SpikeList& out) const {
        if (shard.wants_activity) std::copy(shard.fired.begin(), shard.fired.end(), shard.activity.begin());
        for (std::uint32_t first = 0; first < shard.count; first += 64) {
            std::array<std::uint64_t, 8> eights;
            std::memcpy(eights.data(), shard.fired.data() + first, sizeof eights);
            std::uint64_t any = 0;
            for (const auto eight : eights) any |= eight;
            if (any == 0) continue;
            for (std::uint32_t k = 0; k < 8; ++k)
                for (std::uint64_t eight = eights[k]; eight != 0; eight &= eight - 1)  // a unit that fired is a byte of 1
                    if (const auto unit = first + 8 * k + static_cast<std::uint32_t>(std::countr_zero(eight)) / 8; unit < shard.count)
                        out.unit.push_back(shard.first + unit);
        }
    }

    /// Potentials -> activities, moved toward the target when clamped.
    void intensities(UnitShard& shard) const {
        const std::span<float> y(shard.activity.data(), coupled() ? shard.count : shard.padded);
        if (shard.wants_slope) std::copy(y.begin(), y.end(), shard.slope.begin());
        M::activity(coeffs_, y);
        if constexpr (reads_rate)
            if (shard.wants_slope) slopes(shard, y);
        if (shard.nudge > 0)
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += shard.nudge * (shard.stimulus[i] - y[i]);
    }
    void slopes(UnitShard& shard, std::span<const float> y) const {
        const std::span<float> slope(shard.slope.data(), y.size());
        M::slopes(coeffs_, slope, y);
        for (float& s : slope) s *= (1 - shard.nudge) * coeffs_.expected_spikes;
        if (coeffs_.grid_probability == GridProbability::exponential && !continuous_)  // at most one spike: 1 - exp(-x) saturates
            for (std::size_t i = 0; i < y.size(); ++i)
                slope[i] *= fast_exp(-coeffs_.expected_spikes * (y[i] + shard.nudge * (shard.stimulus[i] - y[i])));
    }

    void draw(UnitShard& shard, const StepKey& key, Step n, SpikeList& out) const {
        fill_random_words(shard.words, key.seed, shard.first, static_cast<std::uint32_t>(n), key.trial, stream());
        if (coeffs_.grid_probability == GridProbability::counts) return draw_counts(shard, out);
        const float per_step = coeffs_.expected_spikes;
        const std::size_t units = shard.padded;
        const float* y = shard.activity.data();
        std::uint32_t* threshold = shard.threshold.data();
        if (coeffs_.grid_probability == GridProbability::linear)
            for (std::size_t i = 0; i < units; ++i) threshold[i] = probability_threshold(per_step * y[i]);
        else
            for (std::size_t i = 0; i < units; ++i) threshold[i] = firing_threshold(per_step * y[i]);
        const bool refractory = !SpikeResponse<M> && coeffs_.refractory_steps > 0;  // the former keeps its own
        if (refractory)
            for_each_state(shard, [&](State& state, std::size_t i) {
                if (state.refractory >= 0.5f) threshold[i] = 0;
                state.refractory = std::max(state.refractory - 1, 0.0f);
            });
        const std::size_t old = out.unit.size();
        append_below({shard.words.data(), shard.count}, threshold, shard.first, out.unit);
        if (refractory || SpikeResponse<M>) respond(shard, std::span<const std::uint32_t>(out.unit).subspan(old));
    }
    /// Poisson counts x = lambda dt by inversion: P(N >= k + 1) = P(N >= k) - exp(-x) x^k / k!, sixteen units at a time until none has so
    /// many.
    void draw_counts(UnitShard& shard, SpikeList& out) const {
        const float per_step = coeffs_.expected_spikes;
        const std::size_t units = shard.padded;
        shard.at_least.resize(units);
        float *at_least_one = shard.at_least.data(), *y = shard.activity.data();
        for (std::size_t i = 0; i < units; ++i) at_least_one[i] = -fast_expm1(-per_step * y[i]);
        auto& buffer = spike_buffer(units * most_spikes_in_a_step + 16);
        std::uint32_t* end = buffer.data();
        for (std::uint32_t first = 0; first < shard.count; first += 16) {
            const Lanes expected = per_step * load_lanes(y + first);
            Lanes at_least = load_lanes(at_least_one + first), exactly = 1 - at_least;
            const auto put_next = [&](int k) {
                std::uint32_t* const before = end;
                end = put_below(shard.words.data() + first, thresholds_of(at_least), shard.first + first,
                                std::min(16u, shard.count - first), end);
                exactly *= expected * (1 / static_cast<float>(k));
                at_least -= exactly;
                at_least = at_least > 0 ? at_least : Lanes{};
                return end != before;
            };
            put_next(1), put_next(2), put_next(3);  // without a branch that would often be mispredicted
            for (int k = 4; put_next(k) && k < most_spikes_in_a_step; ++k) {
            }
        }
        out.unit.insert(out.unit.end(), buffer.data(), end);
    }
    void respond(UnitShard& shard, std::span<const std::uint32_t> fired) const {
        const auto columns = pointers(shard);
        for (const auto unit : fired) {
            State state = detail::load<State>(columns.data(), unit - shard.first, Indices{});
            if constexpr (SpikeResponse<M>) M::spike(state, coeffs_of(unit));
            else state.refractory = coeffs_.refractory_steps;
            detail::store(state, columns.data(), unit - shard.first, Indices{});
        }
    }

    /// Ogata (1981): candidates at a rate that bounds the intensity, each kept with probability intensity / bound. The bound holds until
    /// the next arrival because between arrivals the potential stays below highest_potential().
    void thin(UnitShard& shard, const StepKey& key, Interval span, std::uint32_t i, Step first_step, std::span<SpikeList> out) const {
        const auto columns = pointers(shard);
        const State state = detail::load<State>(columns.data(), i, Indices{});
        float bound = coupled() ? 1.0f : M::highest_potential(state, coeffs_);
        if (!coupled()) M::activity(coeffs_, {&bound, 1});
        bound += shard.nudge * (shard.stimulus[i] - bound);
        const double per_step = static_cast<double>(coeffs_.expected_spikes) * bound;
        if (!(per_step > 0)) return;
        double t = std::max(span.from, shard.silent_until[i]);
        for (;;) {
            const detail::Candidate candidate(key, stream(), shard.first + i, shard.draws[i]);
            t += candidate.wait / per_step;
            if (t >= span.to) return;
            if (candidate.accept * bound >= activity_at(shard, i, t - span.from)) continue;
            detail::put(out, first_step, t, shard.first + i);
            t += static_cast<double>(coeffs_.refractory_steps);
            shard.silent_until[i] = t;
        }
    }
    double activity_at(UnitShard& shard, std::uint32_t i, double steps) const {
        const auto columns = pointers(shard);
        const auto flow = M::flow_over(coeffs_, steps * dt_ms_);
        const auto potential_of = [&](std::uint32_t unit) {
            State state = detail::load<State>(columns.data(), unit, Indices{});
            M::flow(state, flow);
            return M::potential(state, coeffs_);
        };
        float y;
        if (coupled()) {
            std::vector<float> all(shard.count);
            for (std::uint32_t unit = 0; unit < shard.count; ++unit) all[unit] = potential_of(unit);
            M::activity(coeffs_, all);
            y = all[i];
        } else {
            y = potential_of(i);
            M::activity(coeffs_, {&y, 1});
        }
        return y + shard.nudge * (shard.stimulus[i] - y);
    }

    Params params_;
    Coeffs coeffs_;
    std::vector<Params> each_params_;  ///< by unit; empty: params_ for all
    std::vector<Coeffs> each_;
    double dt_ms_;
    bool continuous_;
};

/// What a Poisson source provides: rate_Hz(params, time, stimulus of the unit) and an upper bound of it over all times.
template <class S>
concept SourceModel = requires(const typename S::Params& params, double t_ms, double stimulus) {
    { S::name } -> std::convertible_to<std::string_view>;
    { S::rate_Hz(params, t_ms, stimulus) } -> std::convertible_to<double>;
    { S::highest_rate_Hz(params, stimulus) } -> std::convertible_to<double>;
    { S::varies } -> std::convertible_to<bool>;
};

/// A population of Poisson sources: no input, a rate that is known in advance.
template <SourceModel S>
class SourcePopulation final : public Population {
public:
    SourcePopulation(std::string unit_name, std::uint32_t units, const typename S::Params& params, double dt_ms, bool in_continuous_time)
        : Population(std::move(unit_name), units), params_(params), dt_ms_(dt_ms), continuous_(in_continuous_time) {}

    std::size_t variables() const noexcept override { return 0; }
    bool receives() const noexcept override { return false; }
    bool continuous() const noexcept override { return continuous_; }
    double full_rate_Hz() const noexcept override { return S::highest_rate_Hz(params_, 1.0f); }
    std::vector<double> impulse_response(std::size_t) const override { return {}; }
    void arrive(UnitShard&) const override {}

    bool has_rate() const noexcept override { return !S::varies; }
    void activities(std::span<float> stimulus) const override { activities_of(stimulus); }
    void activities(std::span<double> stimulus) const override { activities_of(stimulus); }

    void stimulate(UnitShard& shard, Step n) const override {
        shard.active.clear();
        for (std::uint32_t i = 0; i < shard.count; ++i)
            if (S::highest_rate_Hz(params_, shard.stimulus[i]) > 0) shard.active.push_back(i);
        const std::size_t padded = (shard.active.size() + 63) / 64 * 64;
        shard.words.resize(padded);
        shard.threshold.assign(padded, 0);
        set_thresholds(shard, n);
    }
    void reset(UnitShard& shard, const StepKey&) const override {
        stimulate(shard, 0);
        std::fill(shard.draws.begin(), shard.draws.end(), 0u);
    }

    void step(UnitShard& shard, const StepKey& key, Step n, SpikeList& out) const override {
        if (S::varies) set_thresholds(shard, n);
        fill_random_words(shard.words, key.seed, shard.first, static_cast<std::uint32_t>(n), key.trial, stream());
        const std::size_t old = out.unit.size();
        append_below({shard.words.data(), shard.active.size()}, shard.threshold.data(), 0, out.unit);
        for (std::size_t k = old; k < out.unit.size(); ++k) out.unit[k] = shard.first + shard.active[out.unit[k]];
    }

    void expect(UnitShard& shard, Step n) const override {
        const double t_ms = (static_cast<double>(n) + 0.5) * dt_ms_;
        for (std::uint32_t i = 0; i < shard.count; ++i) {
            const double x = S::rate_Hz(params_, t_ms, shard.stimulus[i]) * dt_ms_ * 1e-3;
            shard.activity[i] = static_cast<float>(continuous_ || linear() ? x : -std::expm1(-x));
        }
    }

    void advance(UnitShard& shard, const StepKey& key, Interval span, Step first_step, std::span<SpikeList> out) const override {
        for (const std::uint32_t i : shard.active) {
            const double bound = S::highest_rate_Hz(params_, shard.stimulus[i]);
            for (double t = span.from;;) {
                const detail::Candidate candidate(key, stream(), shard.first + i, shard.draws[i]);
                t += candidate.wait / (bound * dt_ms_ * 1e-3);
                if (t >= span.to) break;
                if (candidate.accept * bound < S::rate_Hz(params_, t * dt_ms_, shard.stimulus[i]))
                    detail::put(out, first_step, t, shard.first + i);
            }
        }
    }

private:
    template <class Real>
    void activities_of(std::span<Real> stimulus) const {
        const double full_Hz = full_rate_Hz();
        for (Real& x : stimulus) x = full_Hz > 0 ? static_cast<Real>(S::rate_Hz(params_, 0, static_cast<double>(x)) / full_Hz) : 0;
    }
    void set_thresholds(UnitShard& shard, Step n) const {
        const double t_ms = (static_cast<double>(n) + 0.5) * dt_ms_;  // the rate in the middle of the step
        for (std::size_t k = 0; k < shard.active.size(); ++k) {
            const auto expected = static_cast<float>(S::rate_Hz(params_, t_ms, shard.stimulus[shard.active[k]]) * dt_ms_ * 1e-3);
            shard.threshold[k] = linear() ? probability_threshold(expected) : firing_threshold(expected);
        }
    }
    bool linear() const noexcept {
        if constexpr (requires { params_.grid_probability; })
            return params_.grid_probability == std::remove_cvref_t<decltype(params_.grid_probability)>::linear;
        return false;
    }

    typename S::Params params_;
    double dt_ms_;
    bool continuous_;
};

}  // namespace ydot
