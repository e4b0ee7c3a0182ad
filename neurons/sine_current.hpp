#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/current.hpp"
#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Sinusoidal current, the same for all units: offset + amplitude sin(2 pi frequency t + phase) from start to stop, 0 outside; t counts
/// from the start of the simulation. A step takes the mean of the current over it, so the charge is exact: what a unit sees is the sine in
/// the middle of the step times sin(x) / x, x = pi frequency dt.
struct SineCurrent {
    static constexpr std::string_view name = "sine_current", summary = "sinusoidal current",
                                      reference = "Brunel, Chance, Fourcaud & Abbott (2001), Phys. Rev. Lett. 86:2186-2189";
    struct Params {
        double amplitude_pA = 100, frequency_Hz = 10, phase_rad = 0, offset_pA = 0, start_ms = 0, stop_ms = 0;
        static constexpr std::tuple fields{
            Field{"amplitude_pA", &Params::amplitude_pA, "amplitude"},
            Field{"frequency_Hz", &Params::frequency_Hz, "frequency", not_negative},
            Field{"phase_rad", &Params::phase_rad, "phase at time 0"},
            Field{"offset_pA", &Params::offset_pA, "mean"},
            Field{"start_ms", &Params::start_ms, "no current before", not_negative},
            Field{"stop_ms", &Params::stop_ms, "no current from here on; 0: to the end of the run", not_negative}};
    };
    struct Coeffs {
        ActiveSpan span;
        double amplitude_pA, offset_pA, phase, per_step;  // radians
    };
    static void check(const Params& p, double dt_ms, const std::string& path) { ActiveSpan::check(p.start_ms, p.stop_ms, dt_ms, path); }
    static Coeffs prepare(const Params& p, double dt_ms) {
        const double per_step = 2 * std::numbers::pi * p.frequency_Hz * dt_ms * 1e-3, x = per_step / 2;
        const double mean = x > 0 ? std::sin(x) / x : 1;  // of a step, over the value in its middle
        return {ActiveSpan::make(p.start_ms, p.stop_ms, dt_ms), p.amplitude_pA * mean, p.offset_pA, p.phase_rad, per_step};
    }
    static Step fill(const Coeffs& c, const CurrentRequest& request, std::span<float> pA) {
        const bool on = c.span.holds(request.n);
        const double sine = std::sin(c.per_step * (static_cast<double>(request.n) + 0.5) + c.phase);
        std::fill(pA.begin(), pA.end(), on ? static_cast<float>(c.offset_pA + c.amplitude_pA * sine) : 0.0f);
        return on ? request.n + 1 : c.span.next(request.n);
    }
};

}  // namespace ydot::neurons
