#pragma once
#include "neurons/adaptive.hpp"
#include "neurons/conductances.hpp"
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Adaptive exponential integrate-and-fire unit with exponential conductances (aeif_cond_exp of NEST):
///   c_m dv/dt = -g_l (v - e_l) + g_l delta_t exp((v - v_th) / delta_t) - w + g_ex (e_ex - v) + g_in (e_in - v) + i_e,
///   tau_w dw/dt = a (v - e_l) - w,   spike, v = v_reset (held for t_ref) and w += b at v >= v_peak.
/// Weights are in nS, positive on both receptors. v stays at v_peak from its arrival there to the end of the step, and the exponent is
/// clipped at 80: so nothing overflows, however small delta_t. Fixed step: exponential Rosenbrock-Euler for v (Hochbruck & Ostermann 2010)
/// with the exact means of the conductances and w of the middle of the step, second order in dt; w exact for the mean v. A unit whose y =
/// exp(-(v - v_th) / delta_t) comes to 0 in the step has spiked, whatever that scheme says: dy/dt = -(g_l + y (the other terms) / delta_t)
/// / c_m stays smooth in the upswing.
struct Adex {
    static constexpr std::string_view name = "adex", summary = "adaptive exponential integrate-and-fire, exponential conductances",
                                      reference = "Brette & Gerstner (2005), J. Neurophysiol. 94:3637-3642";
    static constexpr auto receptors = excitatory_and_inhibitory;
    static constexpr std::size_t dimensions = 4;
    struct Params {
        double c_m_pF = 281, g_l_nS = 30, e_l_mV = -70.6, v_th_mV = -50.4, delta_t_mV = 2, a_nS = 4, b_pA = 80.5, tau_w_ms = 144;
        double v_peak_mV = 0, v_reset_mV = -70.6, t_ref_ms = 0, i_e_pA = 0, tau_ex_ms = 5, tau_in_ms = 10, e_ex_mV = 0, e_in_mV = -80;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        Integrator integrator = Integrator::fixed;
        static constexpr auto fields = std::tuple_cat(
            std::tuple{Field{"c_m_pF", &Params::c_m_pF, "membrane capacitance", positive},
                       Field{"g_l_nS", &Params::g_l_nS, "leak conductance", positive},
                       Field{"e_l_mV", &Params::e_l_mV, "leak reversal, the rest potential"},
                       Field{"v_th_mV", &Params::v_th_mV, "potential from which the exponential takes over"},
                       Field{"delta_t_mV", &Params::delta_t_mV, "slope factor", positive},
                       Field{"a_nS", &Params::a_nS, "subthreshold adaptation"}, Field{"b_pA", &Params::b_pA, "adaptation of a spike"},
                       Field{"tau_w_ms", &Params::tau_w_ms, "decay of adaptation", positive},
                       Field{"v_peak_mV", &Params::v_peak_mV, "potential of a spike"},
                       Field{"v_reset_mV", &Params::v_reset_mV, "potential after it"},
                       Field{"t_ref_ms", &Params::t_ref_ms, "refractory time", not_negative},
                       Field{"i_e_pA", &Params::i_e_pA, "constant current"}},
            conductance_fields<Params>(), start_fields<Params>(), integrator_field<Params>());
    };
    struct State {
        float v_mV = 0, w_pA = 0, g_ex_nS = 0, g_in_nS = 0, refractory = 0;  // v above e_l; steps still silent
        static constexpr std::array<std::string_view, 5> names{"v_mV", "w_pA", "g_ex_nS", "g_in_nS", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.w_pA, s.g_ex_nS, s.g_in_nS, s.refractory); }
    };
    struct Coeffs {
        ExponentialConductance ex, in;
        float leak, per_c, i_e, theta, delta, per_delta, a, b, half_w, whole_w, per_tau_w, peak, reset, e_ex, e_in;  // potentials above e_l
        float refractory_steps, dt_ms;
        Integrator integrator;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        const auto f = [](double x) { return static_cast<float>(x); };
        return {.ex = ExponentialConductance::make(p.tau_ex_ms, dt_ms),
                .in = ExponentialConductance::make(p.tau_in_ms, dt_ms),
                .leak = f(p.g_l_nS / p.c_m_pF),
                .per_c = f(1 / p.c_m_pF),
                .i_e = f(p.i_e_pA),
                .theta = f(p.v_th_mV - p.e_l_mV),
                .delta = f(p.delta_t_mV),
                .per_delta = f(1 / p.delta_t_mV),
                .a = f(p.a_nS),
                .b = f(p.b_pA),
                .half_w = f(-std::expm1(-dt_ms / 2 / p.tau_w_ms)),
                .whole_w = f(-std::expm1(-dt_ms / p.tau_w_ms)),
                .per_tau_w = f(1 / p.tau_w_ms),
                .peak = f(p.v_peak_mV - p.e_l_mV),
                .reset = f(p.v_reset_mV - p.e_l_mV),
                .e_ex = f(p.e_ex_mV - p.e_l_mV),
                .e_in = f(p.e_in_mV - p.e_l_mV),
                .refractory_steps = f(p.t_ref_ms / dt_ms),
                .dt_ms = f(dt_ms),
                .integrator = p.integrator};
    }
    static void start(State& s, const Params& p, Draws& draws) { s.v_mV = start_above_rest_mV(p, draws); }
    static double full_rate_Hz(const Params& p) { return 1e3 / std::max(p.t_ref_ms, 1.0); }
    static void drive(Coeffs& c, float i_pA) noexcept { c.i_e += i_pA; }
    static double potential_mV(const State& s, const Params& p) { return p.e_l_mV + static_cast<double>(s.v_mV); }
    static void choose(const Coeffs& c, auto&& run) { choose_integrator<Adex>(c.integrator, run); }

    /// dv/dt = leak delta rise + rest, and its derivative by v.
    template <class Real>
    struct Slope {
        Real value, by_v, rise, rest;
    };
    template <class Real>
    static Slope<Real> slope(Real v, Real w, Real g_ex, Real g_in, const Coeffs& c) noexcept {
        const Real rise = exp_of((v - c.theta) * c.per_delta), ex = c.per_c * g_ex, in = c.per_c * g_in;
        const Real rest = ex * (c.e_ex - v) + in * (c.e_in - v) + c.per_c * (c.i_e - w) - c.leak * v;
        return {c.leak * c.delta * rise + rest, c.leak * (rise - 1) - ex - in, rise, rest};
    }
    template <class Real>
    static void derivative(const std::array<Real, 4>& x, std::array<Real, 4>& dxdt, const Coeffs& c, const auto& /*input*/) noexcept {
        const Real v = std::min(x[0], static_cast<Real>(c.peak));
        dxdt[0] = slope(v, x[1], x[2], x[3], c).value;
        dxdt[1] = c.per_tau_w * (c.a * v - x[1]);
        c.ex.derivative(&x[2], &dxdt[2]);
        c.in.derivative(&x[3], &dxdt[3]);
    }
    static void receive(State& s, const Coeffs&, const std::array<float, 2>& input_nS) noexcept {
        s.g_ex_nS += input_nS[0];
        s.g_in_nS += input_nS[1];
    }

    /// An input of step n jumps its conductance at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, const std::array<float, 2>& input_nS) noexcept {
        const float w_middle = s.w_pA + c.half_w * (c.a * s.v_mV - s.w_pA);
        const auto f = slope(s.v_mV, w_middle, c.ex.mean * s.g_ex_nS, c.in.mean * s.g_in_nS, c);
        const float moved = s.v_mV + c.dt_ms * f.value * fast_exprel(c.dt_ms * f.by_v);
        const bool escapes = c.dt_ms * c.leak * f.rise * fast_exprel(c.dt_ms * c.per_delta * f.rest) >= 1;
        const float v = s.refractory >= 0.5f ? c.reset : escapes ? c.peak : std::min(moved, c.peak);
        s.w_pA += c.whole_w * (c.a * 0.5f * (s.v_mV + v) - s.w_pA);
        s.v_mV = v;
        s.g_ex_nS = c.ex.keep * s.g_ex_nS + input_nS[0];
        s.g_in_nS = c.in.keep * s.g_in_nS + input_nS[1];
        return v;
    }
    static bool fire(State& s, const Coeffs& c) noexcept {
        const bool fires = s.v_mV >= c.peak && s.refractory < 0.5f;
        s.v_mV = fires ? c.reset : s.v_mV;
        s.w_pA += fires ? c.b : 0.0f;
        s.refractory = fires ? c.refractory_steps : std::max(s.refractory - 1, 0.0f);
        return fires;
    }
};

}  // namespace ydot::neurons
