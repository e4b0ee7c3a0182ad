#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <tuple>

#include "sim/parameters.hpp"
#include "sim/random.hpp"

namespace ydot::neurons {

// What units with a membrane share. The potential of their state is above rest, so that rest is 0 and keeps its digits.

/// Keys of the potential at the start, the same in every such model. For another distribution than the normal one let v_0_above_rest_mV
/// differ from unit to unit: {distribution = "uniform", low = 0, high = 10}.
template <class P>
constexpr auto start_fields() {
    return std::tuple{Field{"v_0_above_rest_mV", &P::v_0_above_rest_mV, "mean potential at the start, above rest"},
                      Field{"v_0_std_mV", &P::v_0_std_mV, "its standard deviation over units", not_negative}};
}

/// Keys of every leaky integrate-and-fire unit.
template <class P>
constexpr auto leaky_fields() {
    return std::tuple_cat(
        std::tuple{Field{"tau_m_ms", &P::tau_m_ms, "membrane time constant", positive},
                   Field{"c_m_pF", &P::c_m_pF, "membrane capacitance", positive},
                   Field{"t_ref_ms", &P::t_ref_ms, "refractory time", not_negative}, Field{"v_rest_mV", &P::v_rest_mV, "resting potential"},
                   Field{"v_th_mV", &P::v_th_mV, "threshold"}, Field{"v_reset_mV", &P::v_reset_mV, "potential after a spike"},
                   Field{"i_e_pA", &P::i_e_pA, "constant current"}},
        start_fields<P>());
}

template <class P>
float start_above_rest_mV(const P& p, Draws& draws) {
    return static_cast<float>(p.v_0_above_rest_mV + (p.v_0_std_mV > 0 ? p.v_0_std_mV * draws.normal() : 0));
}

/// Constants of a leaky membrane over a step, and of its threshold.
struct LeakyCoeffs {
    float keep_v, v_of_constant, v_of_current, threshold, reset, refractory_steps;
    static LeakyCoeffs make(const auto& p, double dt_ms) {
        const double keep_v = std::exp(-dt_ms / p.tau_m_ms);
        return {static_cast<float>(keep_v),
                static_cast<float>(p.i_e_pA * p.tau_m_ms / p.c_m_pF * (1 - keep_v)),
                static_cast<float>(p.tau_m_ms / p.c_m_pF * (1 - keep_v)),
                static_cast<float>(p.v_th_mV - p.v_rest_mV),
                static_cast<float>(p.v_reset_mV - p.v_rest_mV),
                static_cast<float>(p.t_ref_ms / dt_ms)};
    }
};

/// Base of leaky units: a spike and v = v_reset at the end of a step that reaches v_th, held for t_ref.
struct LeakyMembrane {
    static void start(auto& s, const auto& p, Draws& draws) { s.v_mV = start_above_rest_mV(p, draws); }
    static double full_rate_Hz(const auto& p) { return 1e3 / std::max(p.t_ref_ms, 1.0); }
    static void drive(auto& c, float i_pA) noexcept { c.v_of_constant += c.v_of_current * i_pA; }
    static double potential_mV(const auto& s, const auto& p) { return p.v_rest_mV + static_cast<double>(s.v_mV); }
    static bool silent(const auto& s) noexcept { return s.refractory >= 0.5f; }

    static bool fire(auto& s, const auto& c) noexcept {
        const bool fires = s.v_mV >= c.threshold && s.refractory < 0.5f;
        s.v_mV = fires ? c.reset : s.v_mV;
        s.refractory = fires ? c.refractory_steps : std::max(s.refractory - 1, 0.0f);
        return fires;
    }
};

/// v after a step h that began with v = 0 and a synaptic current i, exact (Rotter & Diesmann 1999):
/// exp(-h/tau_m) / c_m times the integral of exp(rate x) i(x) exp(x/tau_syn) over 0 < x < h, rate = 1/tau_m - 1/tau_syn.
/// i(x) = exp(-x/tau_syn):
inline double v_of_exponential_current(double tau_m_ms, double tau_syn_ms, double c_m_pF, double h_ms) {
    const double rate = 1 / tau_m_ms - 1 / tau_syn_ms;
    const double integral = std::abs(rate * h_ms) < 1e-8 ? h_ms : std::expm1(rate * h_ms) / rate;
    return std::exp(-h_ms / tau_m_ms) * integral / c_m_pF;
}
/// i(x) = x exp(-x/tau_syn), x in ms. The closed form cancels where tau_syn is near tau_m; the series of h^2 sum_k z^k / (k! (k + 2)) does
/// not.
inline double v_of_alpha_current(double tau_m_ms, double tau_syn_ms, double c_m_pF, double h_ms) {
    const double z = (1 / tau_m_ms - 1 / tau_syn_ms) * h_ms;
    double integral = (std::exp(z) - std::expm1(z) / z) / z;
    if (std::abs(z) < 0.5) {
        integral = 0;
        double power = 1;  // z^k / k!
        for (int k = 0; k < 16; ++k, power *= z / k) integral += power / (k + 2);
    }
    return std::exp(-h_ms / tau_m_ms) * h_ms * h_ms * integral / c_m_pF;
}

}  // namespace ydot::neurons
