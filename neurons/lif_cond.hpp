#pragma once
#include "neurons/adaptive.hpp"
#include "neurons/conductances.hpp"
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Leaky integrate-and-fire unit with excitatory and inhibitory conductances:
///   dv/dt = -(v - v_rest) / tau_m + (g_ex (e_ex - v) + g_in (e_in - v) + i_e) / c_m,   spike and v = v_reset, held for t_ref, at v >=
///   v_th.
/// Weights are in nS, positive on both receptors. The conductances are exact. Given them the equation of v is linear: it is solved exactly
/// for conductances that have their exact mean over the step, the first term of the Magnus series, second order in dt (Iserles & Norsett
/// 1999). The defaults are those of benchmark 1 of Brette et al. (2007), the network of Vogels & Abbott (2005): weights 6 nS and 67 nS.
template <class Conductance>
struct ConductanceLif : LeakyMembrane {
    static constexpr auto receptors = excitatory_and_inhibitory;
    static constexpr std::size_t dimensions = 1 + 2 * Conductance::dimensions;
    struct Params {
        double tau_m_ms = 20, c_m_pF = 200, t_ref_ms = 5, v_rest_mV = -60, v_th_mV = -50, v_reset_mV = -60, i_e_pA = 0;
        double tau_ex_ms = 5, tau_in_ms = 10, e_ex_mV = 0, e_in_mV = -80, v_0_above_rest_mV = 0, v_0_std_mV = 0;
        Integrator integrator = Integrator::fixed;
        static constexpr auto fields = std::tuple_cat(leaky_fields<Params>(), conductance_fields<Params>(), integrator_field<Params>());
    };
    struct State {
        float v_mV = 0;  // above rest
        typename Conductance::State ex, in;
        float refractory = 0;  // steps still silent
        static constexpr auto names = [] {
            if constexpr (Conductance::dimensions == 1)
                return std::array<std::string_view, 4>{"v_mV", "g_ex_nS", "g_in_nS", "refractory_steps"};
            else
                return std::array<std::string_view, 6>{"v_mV",    "g_ex_nS",           "rise_ex_nS_per_ms",
                                                       "g_in_nS", "rise_in_nS_per_ms", "refractory_steps"};
        }();
        static constexpr auto columns(auto& s) {
            return std::tuple_cat(std::tie(s.v_mV), s.ex.columns(s.ex), s.in.columns(s.in), std::tie(s.refractory));
        }
    };
    struct Coeffs {
        Conductance ex, in;
        float leak, per_c, constant, e_ex, e_in, threshold, reset, refractory_steps, dt_ms;  // of a step; potentials above rest
        Integrator integrator;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        const auto leaky = LeakyCoeffs::make(p, dt_ms);
        return {Conductance::make(p.tau_ex_ms, dt_ms),
                Conductance::make(p.tau_in_ms, dt_ms),
                static_cast<float>(dt_ms / p.tau_m_ms),
                static_cast<float>(dt_ms / p.c_m_pF),
                static_cast<float>(dt_ms * p.i_e_pA / p.c_m_pF),
                static_cast<float>(p.e_ex_mV - p.v_rest_mV),
                static_cast<float>(p.e_in_mV - p.v_rest_mV),
                leaky.threshold,
                leaky.reset,
                leaky.refractory_steps,
                static_cast<float>(dt_ms),
                p.integrator};
    }
    static void drive(Coeffs& c, float i_pA) noexcept { c.constant += c.per_c * i_pA; }
    static void choose(const Coeffs& c, auto&& run) { choose_integrator<ConductanceLif>(c.integrator, run); }

    /// An input of step n jumps its conductance at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, const std::array<float, 2>& input_nS) noexcept {
        const float ex = c.per_c * c.ex.step(s.ex, input_nS[0]), in = c.per_c * c.in.step(s.in, input_nS[1]), rate = -(c.leak + ex + in);
        const float v = s.v_mV + (rate * s.v_mV + (ex * c.e_ex + in * c.e_in + c.constant)) * fast_exprel(rate);
        s.v_mV = silent(s) ? c.reset : v;
        return s.v_mV;
    }
    template <class Real>
    static void derivative(const std::array<Real, dimensions>& x, std::array<Real, dimensions>& dxdt, const Coeffs& c,
                           const auto& /*input*/) noexcept {
        const Real v = x[0], g_ex = x[1], g_in = x[1 + Conductance::dimensions];
        dxdt[0] = (c.constant - c.leak * v + c.per_c * (g_ex * (c.e_ex - v) + g_in * (c.e_in - v))) / c.dt_ms;
        c.ex.derivative(&x[1], &dxdt[1]);
        c.in.derivative(&x[1 + Conductance::dimensions], &dxdt[1 + Conductance::dimensions]);
    }
    static void receive(State& s, const Coeffs& c, const std::array<float, 2>& input_nS) noexcept {
        c.ex.receive(s.ex, input_nS[0]);
        c.in.receive(s.in, input_nS[1]);
    }
};

struct LifCond : ConductanceLif<ExponentialConductance> {
    static constexpr std::string_view name = "lif_cond", summary = "leaky integrate-and-fire, exponential conductances",
                                      reference = "Brette et al. (2007), J. Comput. Neurosci. 23:349-398";
};
struct LifCondAlpha : ConductanceLif<AlphaConductance> {
    static constexpr std::string_view name = "lif_cond_alpha", summary = "leaky integrate-and-fire, alpha conductances of peak w",
                                      reference = "Meffin, Burkitt & Grayden (2004), J. Comput. Neurosci. 16:159-175";
};

}  // namespace ydot::neurons
