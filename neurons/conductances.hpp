#pragma once
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <tuple>

#include "sim/parameters.hpp"

namespace ydot::neurons {

inline constexpr std::array<std::string_view, 2> excitatory_and_inhibitory{"excitatory", "inhibitory"};

// Synaptic conductances on the grid. step() takes the input of step n, which acts from the end of the step on, and returns the mean of the
// conductance over the step, both exact. derivative() is the same in differential form, for the adaptive integrator.

/// dg/dt = -g / tau, g += w at an arrival. Weights in nS.
struct ExponentialConductance {
    float keep, mean, decay_per_ms;
    struct State {
        float g_nS = 0;
        static constexpr auto columns(auto& s) { return std::tie(s.g_nS); }
    };
    static constexpr std::size_t dimensions = 1;
    static ExponentialConductance make(double tau_ms, double dt_ms) {
        return {static_cast<float>(std::exp(-dt_ms / tau_ms)), static_cast<float>(-std::expm1(-dt_ms / tau_ms) * tau_ms / dt_ms),
                static_cast<float>(1 / tau_ms)};
    }
    float step(State& s, float input_nS) const noexcept {
        const float mean_nS = mean * s.g_nS;
        s.g_nS = keep * s.g_nS + input_nS;
        return mean_nS;
    }
    void receive(State& s, float input_nS) const noexcept { s.g_nS += input_nS; }
    template <class Real>
    void derivative(const Real* g, Real* dgdt) const noexcept {
        dgdt[0] = -decay_per_ms * g[0];
    }
};

/// g(t) = w e t / tau exp(-t / tau) after an arrival: dg/dt = rise - g / tau, d(rise)/dt = -rise / tau, rise += w e / tau. Weights are the
/// peak, in nS.
struct AlphaConductance {
    float keep, g_of_rise, mean, mean_of_rise, rise_of_input, decay_per_ms;
    struct State {
        float g_nS = 0, rise_nS_per_ms = 0;
        static constexpr auto columns(auto& s) { return std::tie(s.g_nS, s.rise_nS_per_ms); }
    };
    static constexpr std::size_t dimensions = 2;
    static AlphaConductance make(double tau_ms, double dt_ms) {
        const double x = dt_ms / tau_ms, keep = std::exp(-x), gone = -std::expm1(-x);
        return {static_cast<float>(keep),
                static_cast<float>(dt_ms * keep),
                static_cast<float>(gone / x),
                static_cast<float>((gone - x * keep) * tau_ms / x),
                static_cast<float>(std::numbers::e / tau_ms),
                static_cast<float>(1 / tau_ms)};
    }
    float step(State& s, float input_nS) const noexcept {
        const float mean_nS = mean * s.g_nS + mean_of_rise * s.rise_nS_per_ms;
        s.g_nS = keep * s.g_nS + g_of_rise * s.rise_nS_per_ms;
        s.rise_nS_per_ms = keep * s.rise_nS_per_ms + rise_of_input * input_nS;
        return mean_nS;
    }
    void receive(State& s, float input_nS) const noexcept { s.rise_nS_per_ms += rise_of_input * input_nS; }
    template <class Real>
    void derivative(const Real* g, Real* dgdt) const noexcept {
        dgdt[0] = g[1] - decay_per_ms * g[0];
        dgdt[1] = -decay_per_ms * g[1];
    }
};

/// Keys of the synapses of models with excitatory and inhibitory conductances.
template <class P>
constexpr auto conductance_fields() {
    return std::tuple{Field{"tau_ex_ms", &P::tau_ex_ms, "time constant of the excitatory conductance", positive},
                      Field{"tau_in_ms", &P::tau_in_ms, "time constant of the inhibitory conductance", positive},
                      Field{"e_ex_mV", &P::e_ex_mV, "reversal potential of excitation"},
                      Field{"e_in_mV", &P::e_in_mV, "reversal potential of inhibition"}};
}

}  // namespace ydot::neurons
