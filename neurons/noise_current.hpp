#pragma once
#include <algorithm>
#include <vector>

#include "sim/current.hpp"
#include "sim/parameters.hpp"
#include "sim/quantiles.hpp"

namespace ydot::neurons {

/// Piecewise constant Gaussian current: every step_ms each unit draws a current of its own, N(mean, std^2), and keeps it until the next.
/// Draws are keyed by stimulus, unit and interval, never by thread. The power of the noise is std^2 step_ms: keep that, not std, when
/// step_ms changes. v of a membrane with time constant tau has the variance (std tau / c)^2 (1 - k) / (1 + k), k = exp(-step_ms / tau), at
/// the ends of the intervals.
struct NoiseCurrent {
    static constexpr std::string_view name = "noise_current", summary = "piecewise constant Gaussian current, independent for every unit",
                                      reference = "Mainen & Sejnowski (1995), Science 268:1503-1506";
    struct Params {
        double mean_pA = 0, std_pA = 100, step_ms = 1, start_ms = 0, stop_ms = 0;
        static constexpr std::tuple fields{
            Field{"mean_pA", &Params::mean_pA, "mean"}, Field{"std_pA", &Params::std_pA, "standard deviation", not_negative},
            Field{"step_ms", &Params::step_ms, "how long a unit keeps the current that it has drawn", positive},
            Field{"start_ms", &Params::start_ms, "no current before", not_negative},
            Field{"stop_ms", &Params::stop_ms, "no current from here on; 0: to the end of the run", not_negative}};
    };
    struct Coeffs {
        ActiveSpan span;
        Step held;
        Quantiles quantiles;
    };
    static void check(const Params& p, double dt_ms, const std::string& path) {
        require_multiple(p.step_ms, dt_ms, path + ".step_ms");
        ActiveSpan::check(p.start_ms, p.stop_ms, dt_ms, path);
    }
    static Coeffs prepare(const Params& p, double dt_ms) {
        return {ActiveSpan::make(p.start_ms, p.stop_ms, dt_ms), std::max(steps_of(p.step_ms, dt_ms), Step{1}),
                Quantiles({.distribution = Distribution::normal, .mean = p.mean_pA, .std = p.std_pA})};
    }
    static Step fill(const Coeffs& c, const CurrentRequest& request, std::span<float> pA) {
        if (!c.span.holds(request.n)) {
            std::fill(pA.begin(), pA.end(), 0.0f);
            return c.span.next(request.n);
        }
        const Step interval = (request.n - c.span.start) / c.held;
        std::vector<std::uint32_t> words(pA.size());
        fill_random_words(words, request.key.seed, request.first, static_cast<std::uint32_t>(interval), request.key.trial, request.stream);
        std::transform(words.begin(), words.end(), pA.begin(), [&c](std::uint32_t word) { return c.quantiles(word); });
        return std::min(c.span.start + (interval + 1) * c.held, c.span.stop);
    }
};

}  // namespace ydot::neurons
