#pragma once
#include <array>
#include <cmath>
#include <string_view>

#include "sim/parameters.hpp"
#include "sim/random.hpp"

namespace ydot::neurons {

/// Leaky integrate-and-fire unit with exponential synaptic currents:
///   dv/dt = -(v - v_rest) / tau_m + (i + i_e) / c_m,   di/dt = -i / tau_syn,   spike and v = v_reset, held for t_ref, at v >= v_th.
/// Weights are jumps of i in pA. Both equations are linear and integrated exactly on the grid; tau_syn = tau_m is handled.
struct Lif {
    static constexpr std::string_view name = "lif", summary = "leaky integrate-and-fire, exponential currents, exact integration",
                                      reference = "Rotter & Diesmann (1999), Biol. Cybern. 81:381-402";
    struct Params {
        double tau_m_ms = 10, tau_syn_ms = 2, c_m_pF = 250, t_ref_ms = 2, v_rest_mV = -70, v_th_mV = -55, v_reset_mV = -70, i_e_pA = 0;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        static constexpr std::tuple fields{Field{"tau_m_ms", &Params::tau_m_ms, "membrane time constant", positive},
                                           Field{"tau_syn_ms", &Params::tau_syn_ms, "decay of the synaptic current", positive},
                                           Field{"c_m_pF", &Params::c_m_pF, "membrane capacitance", positive},
                                           Field{"t_ref_ms", &Params::t_ref_ms, "refractory time", not_negative},
                                           Field{"v_rest_mV", &Params::v_rest_mV, "resting potential"},
                                           Field{"v_th_mV", &Params::v_th_mV, "threshold"},
                                           Field{"v_reset_mV", &Params::v_reset_mV, "potential after a spike"},
                                           Field{"i_e_pA", &Params::i_e_pA, "constant current"},
                                           Field{"v_0_above_rest_mV", &Params::v_0_above_rest_mV, "mean potential at the start, above rest"},
                                           Field{"v_0_std_mV", &Params::v_0_std_mV, "its standard deviation over units", not_negative}};
    };
    struct State {
        float v_mV = 0, i_pA = 0, refractory = 0;  // v above rest; steps still silent
        static constexpr std::array<std::string_view, 3> names{"v_mV", "i_pA", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.i_pA, s.refractory); }
    };
    struct Coeffs {
        float keep_v, keep_i, v_of_i, v_of_constant, v_of_current, threshold, reset, refractory_steps;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        const double keep_v = std::exp(-dt_ms / p.tau_m_ms), keep_i = std::exp(-dt_ms / p.tau_syn_ms),
                     rate = 1 / p.tau_m_ms - 1 / p.tau_syn_ms;
        const double integral = std::abs(rate * dt_ms) < 1e-8 ? dt_ms : std::expm1(rate * dt_ms) / rate;  // of exp(rate x), 0 < x < dt
        return {static_cast<float>(keep_v),
                static_cast<float>(keep_i),
                static_cast<float>(keep_v * integral / p.c_m_pF),
                static_cast<float>(p.i_e_pA * p.tau_m_ms / p.c_m_pF * (1 - keep_v)),
                static_cast<float>(p.tau_m_ms / p.c_m_pF * (1 - keep_v)),
                static_cast<float>(p.v_th_mV - p.v_rest_mV),
                static_cast<float>(p.v_reset_mV - p.v_rest_mV),
                static_cast<float>(p.t_ref_ms / dt_ms)};
    }
    static void start(State& s, const Params& p, Draws& draws) {
        s.v_mV = static_cast<float>(p.v_0_above_rest_mV + (p.v_0_std_mV > 0 ? p.v_0_std_mV * draws.normal() : 0));
    }
    static double potential_mV(const State& s, const Params& p) { return p.v_rest_mV + static_cast<double>(s.v_mV); }
    static void drive(Coeffs& c, float i_pA) noexcept { c.v_of_constant += c.v_of_current * i_pA; }
    static double full_rate_Hz(const Params& p) { return 1e3 / std::max(p.t_ref_ms, 1.0); }

    /// An input of step n jumps the current at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, float input_pA) noexcept {
        const bool silent = s.refractory >= 0.5f;
        const float v = c.keep_v * s.v_mV + c.v_of_i * s.i_pA + c.v_of_constant;
        s.v_mV = silent ? c.reset : v;
        s.i_pA = c.keep_i * s.i_pA + input_pA;
        return s.v_mV;
    }
    static bool fire(State& s, const Coeffs& c) noexcept {
        const bool fires = s.v_mV >= c.threshold && s.refractory < 0.5f;
        s.v_mV = fires ? c.reset : s.v_mV;
        s.refractory = fires ? c.refractory_steps : std::max(s.refractory - 1, 0.0f);
        return fires;
    }
};

}  // namespace ydot::neurons
