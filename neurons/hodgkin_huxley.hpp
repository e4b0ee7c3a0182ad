#pragma once
#include <string>

#include "neurons/adaptive.hpp"
#include "neurons/conductances.hpp"
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// Rates of opening and closing of the gates m, h, n, per ms.
template <class Real>
struct GateRates {
    Real open_m, close_m, open_h, close_h, open_n, close_n;
};

/// Defaults of HodgkinHuxley; a model overrides them.
struct HodgkinHuxleyDefaults {
    double c_m_pF, g_na_nS, g_k_nS, g_l_nS, e_na_mV, e_k_mV, e_l_mV, v_t_mV, v_spike_mV;
};

/// Unit with the currents of Hodgkin & Huxley (1952) and excitatory and inhibitory conductances:
///   c_m dv/dt = g_l (e_l - v) + g_na m^3 h (e_na - v) + g_k n^4 (e_k - v) + g_ex (e_ex - v) + g_in (e_in - v) + i_e,
///   dx/dt = open_x(v) (1 - x) - close_x(v) x for x = m, h, n,   a spike when v comes to v_spike from below; nothing is reset.
/// Kinetics::rates(v, v_t) says how the gates move. Weights are in nS, positive on both receptors. A unit starts at its resting potential,
/// which is computed (e_l where it has none), plus v_0_above_rest, with the gates at rest. Fixed step: the gates are half a step ahead of v
/// (Hines 1984); each is solved exactly for a constant v (Rush & Larsen 1978) and v exactly for constant gates and the exact mean of the
/// synaptic conductances: second order in dt, and stable, but no description of a spike above 0.1 ms, where it is refused.
template <class Kinetics, HodgkinHuxleyDefaults defaults>
struct HodgkinHuxley {
    static constexpr auto receptors = excitatory_and_inhibitory;
    static constexpr std::size_t dimensions = 6;
    struct Params {
        double c_m_pF = defaults.c_m_pF, g_na_nS = defaults.g_na_nS, g_k_nS = defaults.g_k_nS, g_l_nS = defaults.g_l_nS;
        double e_na_mV = defaults.e_na_mV, e_k_mV = defaults.e_k_mV, e_l_mV = defaults.e_l_mV, v_t_mV = defaults.v_t_mV;
        double v_spike_mV = defaults.v_spike_mV, i_e_pA = 0, tau_ex_ms = 5, tau_in_ms = 10, e_ex_mV = 0, e_in_mV = -80;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        Integrator integrator = Integrator::fixed;
        static constexpr auto fields = std::tuple_cat(
            std::tuple{Field{"c_m_pF", &Params::c_m_pF, "membrane capacitance", positive},
                       Field{"g_na_nS", &Params::g_na_nS, "largest sodium conductance", not_negative},
                       Field{"g_k_nS", &Params::g_k_nS, "largest potassium conductance", not_negative},
                       Field{"g_l_nS", &Params::g_l_nS, "leak conductance", positive},
                       Field{"e_na_mV", &Params::e_na_mV, "sodium reversal"}, Field{"e_k_mV", &Params::e_k_mV, "potassium reversal"},
                       Field{"e_l_mV", &Params::e_l_mV, "leak reversal"},
                       Field{"v_t_mV", &Params::v_t_mV, "potential from which the rates of the gates count"},
                       Field{"v_spike_mV", &Params::v_spike_mV, "a spike is counted when v comes here from below"},
                       Field{"i_e_pA", &Params::i_e_pA, "constant current"}},
            conductance_fields<Params>(), start_fields<Params>(), integrator_field<Params>());
    };
    struct State {
        float v_mV = 0, m = 0, h = 0, n = 0, g_ex_nS = 0, g_in_nS = 0, above = 0;  // above: 1 while v is above v_spike
        static constexpr std::array<std::string_view, 7> names{"v_mV", "m", "h", "n", "g_ex_nS", "g_in_nS", "above"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.m, s.h, s.n, s.g_ex_nS, s.g_in_nS, s.above); }
    };
    struct Coeffs {
        ExponentialConductance ex, in;
        float per_c, g_na, g_k, g_l, e_na, e_k, e_l, e_ex, e_in, i_e, v_t, v_spike, rest, dt_ms;
        Integrator integrator;
    };
    static void check(const Params& p, double dt_ms, const std::string& path) {
        if (p.integrator == Integrator::fixed && dt_ms > 0.1 + 1e-9)
            throw Error(path + ".integrator", "must be \"adaptive\" with run.dt_ms > 0.1, got \"fixed\" and " + to_text(dt_ms), {});
    }
    static Coeffs prepare(const Params& p, double dt_ms) {
        const auto f = [](double x) { return static_cast<float>(x); };
        Coeffs c{.ex = ExponentialConductance::make(p.tau_ex_ms, dt_ms),
                 .in = ExponentialConductance::make(p.tau_in_ms, dt_ms),
                 .per_c = f(1 / p.c_m_pF),
                 .g_na = f(p.g_na_nS),
                 .g_k = f(p.g_k_nS),
                 .g_l = f(p.g_l_nS),
                 .e_na = f(p.e_na_mV),
                 .e_k = f(p.e_k_mV),
                 .e_l = f(p.e_l_mV),
                 .e_ex = f(p.e_ex_mV),
                 .e_in = f(p.e_in_mV),
                 .i_e = 0,
                 .v_t = f(p.v_t_mV),
                 .v_spike = f(p.v_spike_mV),
                 .rest = 0,
                 .dt_ms = f(dt_ms),
                 .integrator = p.integrator};
        c.rest = f(rest_mV(c));
        c.i_e = f(p.i_e_pA);
        return c;
    }
    static void start(State& s, const Params& p, const Coeffs& c, Draws& draws) {
        const auto gates = steady(static_cast<double>(c.rest), c);
        s.v_mV = c.rest + start_above_rest_mV(p, draws);
        s.m = static_cast<float>(gates[1]), s.h = static_cast<float>(gates[2]), s.n = static_cast<float>(gates[3]);
        s.above = s.v_mV >= c.v_spike;
    }
    static double full_rate_Hz(const Params&) { return 1e3; }
    static void drive(Coeffs& c, float i_pA) noexcept { c.i_e += i_pA; }
    static double potential_mV(const State& s, const Params&) { return static_cast<double>(s.v_mV); }
    static void choose(const Coeffs& c, auto&& run) { choose_integrator<HodgkinHuxley>(c.integrator, run); }

    /// dv/dt = current(v) per_c, and the conductance that pulls v.
    template <class Real>
    struct Pull {
        Real current, conductance;
    };
    template <class Real>
    static Pull<Real> pull(Real v, Real m, Real h, Real n, Real g_ex, Real g_in, const Coeffs& c) noexcept {
        const Real na = c.g_na * (m * m * m * h), n2 = n * n, k = c.g_k * (n2 * n2);
        return {c.g_l * (c.e_l - v) + na * (c.e_na - v) + k * (c.e_k - v) + g_ex * (c.e_ex - v) + g_in * (c.e_in - v) + c.i_e,
                c.g_l + na + k + g_ex + g_in};
    }
    template <class Real>
    static void derivative(const std::array<Real, 6>& x, std::array<Real, 6>& dxdt, const Coeffs& c, const auto& /*input*/) noexcept {
        const auto rates = Kinetics::rates(x[0] - c.v_t);
        dxdt[0] = c.per_c * pull(x[0], x[1], x[2], x[3], x[4], x[5], c).current;
        dxdt[1] = rates.open_m - (rates.open_m + rates.close_m) * x[1];
        dxdt[2] = rates.open_h - (rates.open_h + rates.close_h) * x[2];
        dxdt[3] = rates.open_n - (rates.open_n + rates.close_n) * x[3];
        c.ex.derivative(&x[4], &dxdt[4]);
        c.in.derivative(&x[5], &dxdt[5]);
    }
    static void receive(State& s, const Coeffs&, const std::array<float, 2>& input_nS) noexcept {
        s.g_ex_nS += input_nS[0];
        s.g_in_nS += input_nS[1];
    }

    /// An input of step n jumps its conductance at the end of the step: it moves v from step n + 1 on.
    static float integrate(State& s, const Coeffs& c, const std::array<float, 2>& input_nS) noexcept {
        const auto rates = Kinetics::rates(s.v_mV - c.v_t);
        relax(s.m, rates.open_m, rates.close_m, c.dt_ms);
        relax(s.h, rates.open_h, rates.close_h, c.dt_ms);
        relax(s.n, rates.open_n, rates.close_n, c.dt_ms);
        const auto p = pull(s.v_mV, s.m, s.h, s.n, c.ex.mean * s.g_ex_nS, c.in.mean * s.g_in_nS, c);
        const float step = c.dt_ms * c.per_c;
        s.v_mV += step * p.current * fast_exprel(-step * p.conductance);
        s.g_ex_nS = c.ex.keep * s.g_ex_nS + input_nS[0];
        s.g_in_nS = c.in.keep * s.g_in_nS + input_nS[1];
        return s.v_mV;
    }
    static bool fire(State& s, const Coeffs& c) noexcept {
        const bool is_above = s.v_mV >= c.v_spike, fires = is_above && s.above < 0.5f;
        s.above = is_above ? 1.0f : 0.0f;
        return fires;
    }

private:
    static void relax(float& gate, float open, float close, float dt_ms) noexcept {
        const float both = open + close;
        gate += dt_ms * (open - both * gate) * fast_exprel(-dt_ms * both);
    }
    /// v and its gates at rest there.
    static std::array<double, 6> steady(double v, const Coeffs& c) {
        const auto r = Kinetics::rates(v - c.v_t);
        return {v, r.open_m / (r.open_m + r.close_m), r.open_h / (r.open_h + r.close_h), r.open_n / (r.open_n + r.close_n), 0, 0};
    }
    /// The lowest potential at which the steady currents cancel: from e_k upward, then by bisection. e_l where there is none below
    /// threshold.
    static double rest_mV(const Coeffs& c) {
        const auto outward = [&c](double v) {
            const auto x = steady(v, c);
            return pull(x[0], x[1], x[2], x[3], 0.0, 0.0, c).current <= 0;
        };
        double low = static_cast<double>(std::min(c.e_l, c.e_k)) - 1, high = low;
        while (!outward(high)) {
            low = high, high += 1;
            if (high > static_cast<double>(std::max(c.e_l, c.v_t)) + 5) return static_cast<double>(c.e_l);
        }
        for (int k = 0; k < 40; ++k) (outward((low + high) / 2) ? high : low) = (low + high) / 2;
        return (low + high) / 2;
    }
};

}  // namespace ydot::neurons
