#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Shape of a synaptic filter eps(t), t > 0, of integral 1:
///   exponential        exp(-t/tau) / tau
///   alpha              t exp(-t/tau) / tau^2
///   double_exponential (exp(-t/tau) - exp(-t/tau_rise)) / (tau - tau_rise)
enum class Filter { exponential, alpha, double_exponential };

/// The last two shapes are a cascade of two low-pass filters (alpha: of equal time constants), the first is its second stage alone:
///   tau_rise d(stage)/dt = -stage,   tau d(drive)/dt = stage - drive.
struct FilterState {
    float stage = 0, drive = 0;
};

/// Exact solution of the cascade over a time h.
struct FilterFlow {
    float keep = 0, feed = 0, stage_keep = 0;
    void apply(FilterState& s) const noexcept {
        s.drive = keep * s.drive + feed * s.stage;
        s.stage *= stage_keep;
    }
};

/// A filter on the grid and in continuous time.
struct FilterCoeffs {
    FilterFlow step;                       ///< over dt
    float stage_in = 0, drive_in = 0;      ///< grid: an input of area 1 ms, sampled so that the sum of the response times dt is 1
    float stage_jump = 0, drive_jump = 0;  ///< continuous time: jump at the arrival of an input of area 1 ms
    double tau_ms = 1, rise_ms = 1;
    bool one_stage = true;

    static FilterCoeffs make(Filter shape, double tau_ms, double tau_rise_ms, double dt_ms) {
        FilterCoeffs c;
        c.one_stage = shape == Filter::exponential;
        c.tau_ms = tau_ms;
        c.rise_ms = shape == Filter::alpha ? tau_ms : tau_rise_ms;
        c.step = c.flow_over(dt_ms);
        const double sum = c.one_stage ? 1 / (1.0 - c.step.keep) : c.step.feed / ((1.0 - c.step.keep) * (1.0 - c.step.stage_keep));
        (c.one_stage ? c.drive_in : c.stage_in) = static_cast<float>(1 / (sum * dt_ms));
        (c.one_stage ? c.drive_jump : c.stage_jump) = static_cast<float>(1 / (c.one_stage ? tau_ms : c.rise_ms));
        return c;
    }
    FilterFlow flow_over(double h_ms) const {
        const double keep = std::exp(-h_ms / tau_ms);
        if (one_stage) return {static_cast<float>(keep), 0, 0};
        const double stage_keep = std::exp(-h_ms / rise_ms), rate = 1 / tau_ms - 1 / rise_ms;
        const double integral = std::abs(rate * h_ms) < 1e-8 ? h_ms : -std::expm1(-rate * h_ms) / rate;  // of exp(-rate x), 0 < x < h
        return {static_cast<float>(keep), static_cast<float>(stage_keep * integral / tau_ms), static_cast<float>(stage_keep)};
    }
    /// One step of the grid; an input acts from the step of its arrival (one stage) or from the next (two stages).
    void integrate(FilterState& s, float input) const noexcept {
        step.apply(s);
        s.drive += drive_in * input;
        s.stage += stage_in * input;
    }
    void jump(FilterState& s, float input) const noexcept {
        s.stage += stage_jump * input;
        s.drive += drive_jump * input;
    }
};

/// Base of units with the potential u(t) = bias + filtered input, on the grid (integrate) and in continuous time (the rest).
/// Their State has a member `filter`, their Coeffs `filter` and `bias`.
struct FilteredPotential {
    static float integrate(auto& s, const auto& c, float input) noexcept {
        c.filter.integrate(s.filter, input);
        return potential(s, c);
    }
    static FilterFlow flow_over(const auto& c, double h_ms) { return c.filter.flow_over(h_ms); }
    static void flow(auto& s, const FilterFlow& f) noexcept { f.apply(s.filter); }
    static void jump(auto& s, const auto& c, float input) noexcept { c.filter.jump(s.filter, input); }
    static float potential(const auto& s, const auto& c) noexcept { return c.bias + s.filter.drive; }
    /// Until the next arrival: the drive moves toward the stage and both relax to 0.
    static float highest_potential(const auto& s, const auto& c) noexcept {
        return c.bias + std::max({s.filter.drive, s.filter.stage, 0.0f});
    }
};

}  // namespace ydot::neurons

template <>
struct ydot::EnumNames<ydot::neurons::Filter> {
    static constexpr std::array<std::string_view, 3> names{"exponential", "alpha", "double_exponential"};
};
