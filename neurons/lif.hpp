#pragma once
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Leaky integrate-and-fire unit with exponential synaptic currents:
///   dv/dt = -(v - v_rest) / tau_m + (i + i_e) / c_m,   di/dt = -i / tau_syn,   spike and v = v_reset, held for t_ref, at v >= v_th.
/// Weights are jumps of i in pA. Both equations are linear and integrated exactly on the grid; tau_syn = tau_m is handled.
struct Lif : LeakyMembrane {
    static constexpr std::string_view name = "lif", summary = "leaky integrate-and-fire, exponential currents, exact integration",
                                      reference = "Rotter & Diesmann (1999), Biol. Cybern. 81:381-402";
    struct Params {
        double tau_m_ms = 10, tau_syn_ms = 2, c_m_pF = 250, t_ref_ms = 2, v_rest_mV = -70, v_th_mV = -55, v_reset_mV = -70, i_e_pA = 0;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        static constexpr auto fields = std::tuple_cat(
            std::tuple{Field{"tau_syn_ms", &Params::tau_syn_ms, "decay of the synaptic current", positive}}, leaky_fields<Params>());
    };
    struct State {
        float v_mV = 0, i_pA = 0, refractory = 0;  // v above rest; steps still silent
        static constexpr std::array<std::string_view, 3> names{"v_mV", "i_pA", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.i_pA, s.refractory); }
    };
    struct Coeffs : LeakyCoeffs {
        float keep_i, v_of_i;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        return {LeakyCoeffs::make(p, dt_ms), static_cast<float>(std::exp(-dt_ms / p.tau_syn_ms)),
                static_cast<float>(v_of_exponential_current(p.tau_m_ms, p.tau_syn_ms, p.c_m_pF, dt_ms))};
    }

    /// An input of step n jumps the current at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, float input_pA) noexcept {
        const float v = c.keep_v * s.v_mV + c.v_of_i * s.i_pA + c.v_of_constant;
        s.v_mV = silent(s) ? c.reset : v;
        s.i_pA = c.keep_i * s.i_pA + input_pA;
        return s.v_mV;
    }
};

}  // namespace ydot::neurons
