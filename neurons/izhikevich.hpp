#pragma once
#include "neurons/adaptive.hpp"
#include "neurons/membrane.hpp"

namespace ydot::neurons {

/// `published`: the scheme of the paper, two half steps of Euler for v, then one step of Euler for u; its network takes it at dt = 1 ms.
enum class IzhikevichIntegrator { fixed, published, adaptive };

/// Izhikevich's simple model, v and u in mV, t in ms:
///   dv/dt = 0.04 v^2 + 5 v + 140 - u + i,   du/dt = a (b v - u),   spike, v = c and u += d at v >= v_peak.
/// Weights are in mV: an arrival of step n is a current w / dt over that step, as in the network of the paper (dt = 1 ms, thus i = w).
/// v stays at v_peak from its arrival there to the end of the step; only `published` lets it overshoot. Fixed step: exponential
/// Rosenbrock-Euler for v (Hochbruck & Ostermann 2010) with u of the middle of the step, second order in dt; u exact for the mean v.
struct Izhikevich {
    static constexpr std::string_view name = "izhikevich", summary = "two-variable quadratic integrate-and-fire",
                                      reference = "Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569-1572";
    static constexpr std::size_t dimensions = 2;
    struct Params {
        double a_per_ms = 0.02, b = 0.2, c_mV = -65, d_mV = 8, v_peak_mV = 30, i_e = 0, v_0_above_rest_mV = 0, v_0_std_mV = 0;
        IzhikevichIntegrator integrator = IzhikevichIntegrator::fixed;
        static constexpr auto fields = std::tuple_cat(
            std::tuple{Field{"a_per_ms", &Params::a_per_ms, "rate of u", positive}, Field{"b", &Params::b, "how u follows v"},
                       Field{"c_mV", &Params::c_mV, "potential after a spike"}, Field{"d_mV", &Params::d_mV, "jump of u at a spike"},
                       Field{"v_peak_mV", &Params::v_peak_mV, "potential of a spike"},
                       Field{"i_e", &Params::i_e, "constant current, mV/ms"}},
            start_fields<Params>(), integrator_field<Params>());
    };
    struct State {
        float v_mV = 0, u_mV = 0;
        static constexpr std::array<std::string_view, 2> names{"v_mV", "u_mV"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.u_mV); }
    };
    struct Coeffs {
        float a, b, reset, d, peak, i_e, half_u, whole_u, dt_ms, per_dt;
        IzhikevichIntegrator integrator;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        const auto f = [](double x) { return static_cast<float>(x); };
        return {.a = f(p.a_per_ms),
                .b = f(p.b),
                .reset = f(p.c_mV),
                .d = f(p.d_mV),
                .peak = f(p.v_peak_mV),
                .i_e = f(p.i_e),
                .half_u = f(-std::expm1(-p.a_per_ms * dt_ms / 2)),
                .whole_u = f(-std::expm1(-p.a_per_ms * dt_ms)),
                .dt_ms = f(dt_ms),
                .per_dt = f(1 / dt_ms),
                .integrator = p.integrator};
    }
    /// The stable fixed point without input, the lower root of 0.04 v^2 + (5 - b) v + 140; where there is none, the lowest point of the
    /// parabola.
    static double rest_mV(const Params& p) {
        const double middle = (p.b - 5) / 0.08;
        return middle - std::sqrt(std::max(middle * middle - 3500, 0.0));
    }
    static void start(State& s, const Params& p, Draws& draws) {
        s.v_mV = static_cast<float>(rest_mV(p)) + start_above_rest_mV(p, draws);
        s.u_mV = static_cast<float>(p.b) * s.v_mV;
    }
    static double full_rate_Hz(const Params&) { return 1e3; }
    static double potential_mV(const State& s, const Params&) { return static_cast<double>(s.v_mV); }
    static void choose(const Coeffs& c, auto&& run) {
        if (c.integrator == IzhikevichIntegrator::published)
            return run([](State& s, const Coeffs& k, float input_mV) { integrate_as_published(s, k, input_mV); });
        choose_integrator<Izhikevich>(c.integrator == IzhikevichIntegrator::adaptive ? Integrator::adaptive : Integrator::fixed, run);
    }

    template <class Real>
    static Real slope(Real v, Real u, Real i) noexcept {
        return (Real{0.04f} * v + 5) * v + 140 - u + i;
    }
    template <class Real>
    static void derivative(const std::array<Real, 2>& x, std::array<Real, 2>& dxdt, const Coeffs& c, float input_mV) noexcept {
        dxdt[0] = slope(x[0], x[1], static_cast<Real>(c.i_e + c.per_dt * input_mV));
        dxdt[1] = c.a * (c.b * x[0] - x[1]);
    }
    static void receive(State&, const Coeffs&, float) noexcept {}

    static float integrate(State& s, const Coeffs& c, float input_mV) noexcept {
        const float u_middle = s.u_mV + c.half_u * (c.b * s.v_mV - s.u_mV);
        const float f = slope(s.v_mV, u_middle, c.i_e + c.per_dt * input_mV), by_v = 0.08f * s.v_mV + 5;
        const float v = std::min(s.v_mV + c.dt_ms * f * fast_exprel(c.dt_ms * by_v), c.peak);
        s.u_mV += c.whole_u * (c.b * 0.5f * (s.v_mV + v) - s.u_mV);
        s.v_mV = v;
        return v;
    }
    static void integrate_as_published(State& s, const Coeffs& c, float input_mV) noexcept {
        const float i = c.i_e + c.per_dt * input_mV, half_ms = 0.5f * c.dt_ms;
        s.v_mV += half_ms * slope(s.v_mV, s.u_mV, i);
        s.v_mV += half_ms * slope(s.v_mV, s.u_mV, i);
        s.u_mV += c.dt_ms * c.a * (c.b * s.v_mV - s.u_mV);
    }
    static bool fire(State& s, const Coeffs& c) noexcept {
        const bool fires = s.v_mV >= c.peak;
        s.v_mV = fires ? c.reset : s.v_mV;
        s.u_mV += fires ? c.d : 0.0f;
        return fires;
    }
};

}  // namespace ydot::neurons

template <>
struct ydot::EnumNames<ydot::neurons::IzhikevichIntegrator> {
    static constexpr std::array<std::string_view, 3> names{"fixed", "published", "adaptive"};
};
