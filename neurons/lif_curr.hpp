#pragma once
#include "neurons/conductances.hpp"
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Leaky integrate-and-fire unit with exponential excitatory and inhibitory currents of their own time constants (IF_curr_exp of PyNN):
///   dv/dt = -(v - v_rest) / tau_m + (i_ex + i_in + i_e) / c_m,   di_x/dt = -i_x / tau_x,   spike and v = v_reset, held for t_ref, at v >=
///   v_th.
/// Weights are jumps of the receptor's current in pA with their sign: inhibitory ones are negative. Integrated exactly on the grid.
/// The defaults are those of benchmark 2 of Brette et al. (2007), the network of Vogels & Abbott (2005). Its membrane resistance tau_m /
/// c_m is 100 MOhm, so that a jump of 1 mV of R i in its equations is 10 pA here: 1.62 mV (0.27 nS x 60 mV) is 16.2 pA, -9 mV (4.5 nS x -20
/// mV) is -90 pA; and its v_rest is -49 mV, where it fires by itself.
struct LifCurr : LeakyMembrane {
    static constexpr std::string_view name = "lif_curr",
                                      summary = "leaky integrate-and-fire, exponential currents of two time constants, exact integration",
                                      reference = "Brette et al. (2007), J. Comput. Neurosci. 23:349-398";
    static constexpr auto receptors = excitatory_and_inhibitory;
    struct Params {
        double tau_m_ms = 20, tau_ex_ms = 5, tau_in_ms = 10, c_m_pF = 200, t_ref_ms = 5, v_rest_mV = -60, v_th_mV = -50, v_reset_mV = -60,
               i_e_pA = 0;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        static constexpr auto fields = std::tuple_cat(
            leaky_fields<Params>(), std::tuple{Field{"tau_ex_ms", &Params::tau_ex_ms, "decay of the excitatory current", positive},
                                               Field{"tau_in_ms", &Params::tau_in_ms, "decay of the inhibitory current", positive}});
    };
    struct State {
        float v_mV = 0, i_ex_pA = 0, i_in_pA = 0, refractory = 0;  // v above rest; steps still silent
        static constexpr std::array<std::string_view, 4> names{"v_mV", "i_ex_pA", "i_in_pA", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.i_ex_pA, s.i_in_pA, s.refractory); }
    };
    struct Coeffs : LeakyCoeffs {
        float keep_ex, keep_in, v_of_ex, v_of_in;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        return {LeakyCoeffs::make(p, dt_ms), static_cast<float>(std::exp(-dt_ms / p.tau_ex_ms)),
                static_cast<float>(std::exp(-dt_ms / p.tau_in_ms)),
                static_cast<float>(v_of_exponential_current(p.tau_m_ms, p.tau_ex_ms, p.c_m_pF, dt_ms)),
                static_cast<float>(v_of_exponential_current(p.tau_m_ms, p.tau_in_ms, p.c_m_pF, dt_ms))};
    }

    /// An input of step n jumps its current at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, const std::array<float, 2>& input_pA) noexcept {
        const float v = c.keep_v * s.v_mV + c.v_of_ex * s.i_ex_pA + c.v_of_in * s.i_in_pA + c.v_of_constant;
        s.v_mV = silent(s) ? c.reset : v;
        s.i_ex_pA = c.keep_ex * s.i_ex_pA + input_pA[0];
        s.i_in_pA = c.keep_in * s.i_in_pA + input_pA[1];
        return s.v_mV;
    }
};

}  // namespace ydot::neurons
