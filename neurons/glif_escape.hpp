#pragma once
#include <span>

#include "neurons/membrane.hpp"
#include "sim/population.hpp"

namespace ydot::neurons {

/// Generalised integrate-and-fire unit with escape noise: spikes are a point process of intensity rho(t) given the potential,
///   rho = rho_0 exp((v - v_th - theta) / delta_v),   none for t_ref after a spike,
///   dv/dt = -(v - v_rest) / tau_m + (i + i_e - w) / c_m,   di/dt = -i / tau_syn,   dw/dt = -w / tau_w,   dtheta/dt = -theta / tau_theta,
///   at a spike v = v_reset (held for t_ref), w += b, theta += theta_jump.
/// Weights are jumps of i in pA. All equations are linear and integrated exactly on the grid. The intensity of a step is that of its end,
/// and the unit fires in it with probability 1 - exp(-rho dt): the renewal density is right to first order in dt.
struct GlifEscape : LeakyMembrane {
    static constexpr std::string_view name = "glif_escape",
                                      summary = "leaky integrate-and-fire with escape noise and spike-triggered adaptation",
                                      reference = "Gerstner, Kistler, Naud & Paninski (2014), Neuronal Dynamics, chapters 6 and 9";
    static constexpr bool physical_weights = true;
    struct Params {
        double tau_m_ms = 10, tau_syn_ms = 2, c_m_pF = 250, t_ref_ms = 2, v_rest_mV = -70, v_th_mV = -55, v_reset_mV = -70, i_e_pA = 0;
        double rho_0_Hz = 50, delta_v_mV = 1, theta_jump_mV = 0, tau_theta_ms = 50, b_pA = 0, tau_w_ms = 100;
        double v_0_above_rest_mV = 0, v_0_std_mV = 0;
        static constexpr auto fields = std::tuple_cat(
            std::tuple{Field{"rho_0_Hz", &Params::rho_0_Hz, "intensity at the threshold", positive},
                       Field{"delta_v_mV", &Params::delta_v_mV, "rise of the potential that makes it e times as large", positive},
                       Field{"theta_jump_mV", &Params::theta_jump_mV, "rise of the threshold at a spike"},
                       Field{"tau_theta_ms", &Params::tau_theta_ms, "its decay", positive},
                       Field{"b_pA", &Params::b_pA, "jump of the adaptation current at a spike"},
                       Field{"tau_w_ms", &Params::tau_w_ms, "its decay", positive},
                       Field{"tau_syn_ms", &Params::tau_syn_ms, "decay of the synaptic current", positive}},
            leaky_fields<Params>());
    };
    struct State {
        float v_mV = 0, i_pA = 0, w_pA = 0, theta_mV = 0, refractory = 0;  // v above rest; steps still silent
        static constexpr std::array<std::string_view, 5> names{"v_mV", "i_pA", "w_pA", "theta_mV", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.v_mV, s.i_pA, s.w_pA, s.theta_mV, s.refractory); }
    };
    struct Coeffs : LeakyCoeffs {
        float keep_i, v_of_i, keep_w, v_of_w, keep_theta, per_delta, log_expected, b, theta_jump;
        static constexpr float expected_spikes = 1;  // activity() gives them itself
        static constexpr GridProbability grid_probability = GridProbability::exponential;
    };
    static Coeffs prepare(const Params& p, double dt_ms) {
        const auto f = [](double x) { return static_cast<float>(x); };
        return {LeakyCoeffs::make(p, dt_ms),
                f(std::exp(-dt_ms / p.tau_syn_ms)),
                f(v_of_exponential_current(p.tau_m_ms, p.tau_syn_ms, p.c_m_pF, dt_ms)),
                f(std::exp(-dt_ms / p.tau_w_ms)),
                f(v_of_exponential_current(p.tau_m_ms, p.tau_w_ms, p.c_m_pF, dt_ms)),
                f(std::exp(-dt_ms / p.tau_theta_ms)),
                f(1 / p.delta_v_mV),
                f(std::log(p.rho_0_Hz * dt_ms * 1e-3)),
                f(p.b_pA),
                f(p.theta_jump_mV)};
    }

    /// An input of step n jumps the current at the end of the step. Returns the logarithm of the spikes expected in the step.
    static float integrate(State& s, const Coeffs& c, float input_pA) noexcept {
        const bool held = silent(s);
        const float v = c.keep_v * s.v_mV + c.v_of_i * s.i_pA - c.v_of_w * s.w_pA + c.v_of_constant;
        s.v_mV = held ? c.reset : v;
        s.i_pA = c.keep_i * s.i_pA + input_pA;
        s.w_pA *= c.keep_w;
        s.theta_mV *= c.keep_theta;
        s.refractory = std::max(s.refractory - 1, 0.0f);
        return held ? -80.0f : c.log_expected + c.per_delta * (s.v_mV - c.threshold - s.theta_mV);
    }
    static void activity(const Coeffs&, std::span<float> logarithms) {
        for (float& x : logarithms) x = fast_exp(x);
    }
    static void spike(State& s, const Coeffs& c) noexcept {
        s.v_mV = c.reset;
        s.w_pA += c.b;
        s.theta_mV += c.theta_jump;
        s.refractory = c.refractory_steps;
    }
};

}  // namespace ydot::neurons
