#pragma once
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/population.hpp"

namespace ydot {

// Currents into units from outside. A current is constant within a step: step n sees it from n dt to (n + 1) dt, and the model of the units
// adds it to its constant current for that step (drive() of a unit model), so whatever is exact for a constant current stays exact.

/// Which currents are asked for: those of the units first, first + 1, ... in step n.
struct CurrentRequest {
    Step n;
    double dt_ms;
    std::uint32_t first;  ///< a multiple of 64, as the number of units
    StepKey key;
    std::uint32_t stream;  ///< of the stimulus, for random numbers
};
inline constexpr Step for_good = std::numeric_limits<Step>::max();

/// What a model of a current provides (see neurons/step_current.hpp for an example).
template <class C>
concept CurrentModel = requires(const typename C::Params& params, const typename C::Coeffs& coeffs, const CurrentRequest& request,
                                std::span<float> pA) {
    { C::name } -> std::convertible_to<std::string_view>;
    { C::prepare(params, 1.0) } -> std::same_as<typename C::Coeffs>;
    { C::fill(coeffs, request, pA) } -> std::same_as<Step>;  // sets the currents; returns the first step after n in which they may differ
};

/// A current as the engine sees it.
class Current {
public:
    virtual ~Current() = default;
    virtual Step fill(const CurrentRequest&, std::span<float> pA) const = 0;
};
template <CurrentModel C>
class CurrentOf final : public Current {
public:
    CurrentOf(const typename C::Params& params, double dt_ms) : coeffs_(C::prepare(params, dt_ms)) {}
    Step fill(const CurrentRequest& request, std::span<float> pA) const override { return C::fill(coeffs_, request, pA); }

private:
    typename C::Coeffs coeffs_;
};

/// A current and the units that it reaches.
struct Stimulus {
    std::string name;
    std::size_t to = 0;                  ///< population
    std::vector<std::uint32_t> units{};  ///< ascending; empty: all
    std::unique_ptr<const Current> current;
};

/// The stimuli of one shard: their sum, kept as long as none of them changes.
class ShardCurrents {
public:
    ShardCurrents() = default;
    ShardCurrents(std::span<const Stimulus> stimuli, std::size_t population, const UnitShard&);
    bool empty() const noexcept { return parts_.empty(); }
    /// Time goes back to 0.
    void reset(std::span<float> pA);
    /// Leaves the currents of step n in `pA`.
    void fill(const StepKey&, double dt_ms, Step n, std::uint32_t first, std::span<float> pA);

private:
    struct Part {
        const Stimulus* stimulus;
        std::uint32_t stream;
        std::vector<float> reached;  ///< 1 or 0 for each unit; empty: all
        std::vector<float> pA;
        Step until = 0;
    };
    std::vector<Part> parts_;
};

/// For check() of the models: @throws Error for a time that is no multiple of the step
void require_multiple(double time_ms, double dt_ms, const std::string& path);
/// A time that is a multiple of the step.
Step steps_of(double time_ms, double dt_ms);

/// From start to stop, in steps; a stop at 0 ms: to the end of the run.
struct ActiveSpan {
    Step start, stop;
    static ActiveSpan make(double start_ms, double stop_ms, double dt_ms) {
        return {steps_of(start_ms, dt_ms), stop_ms == 0 ? for_good : steps_of(stop_ms, dt_ms)};
    }
    static void check(double start_ms, double stop_ms, double dt_ms, const std::string& path);
    bool holds(Step n) const noexcept { return n >= start && n < stop; }
    /// First step after n, outside of the span, in which that may change.
    Step next(Step n) const noexcept { return n < start ? start : for_good; }
};

}  // namespace ydot
