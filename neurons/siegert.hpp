#pragma once
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <numbers>

namespace ydot::neurons {

/// A leaky integrate-and-fire unit whose potential is white noise of mean mu and standard deviation sigma / sqrt(2), in mV like threshold
/// and reset.
struct SiegertInput {
    double mu_mV, sigma_mV;
};
struct SiegertUnit {
    double tau_m_ms, t_ref_ms, v_th_mV, v_reset_mV;
};

/// Its firing rate, Siegert's formula (Siegert 1951; Brunel 2000, eq. 21), in Hz:
///   1 / rate = t_ref + tau_m sqrt(pi) int_a^b exp(x^2) (1 + erf x) dx,   a = (v_reset - mu) / sigma, b = (v_th - mu) / sigma.
inline double siegert_rate_Hz(const SiegertUnit& unit, const SiegertInput& input) {
    const double a = (unit.v_reset_mV - input.mu_mV) / input.sigma_mV, b = (unit.v_th_mV - input.mu_mV) / input.sigma_mV;
    // exp(x^2) (1 + erf x) = exp(x^2) erfc(-x), which for x < -5 is better said by the asymptotic series of erfc
    const auto integrand = [](double x) {
        if (x > -5) return std::exp(x * x) * boost::math::erfc(-x);
        const double y = 1 / (2 * x * x);
        return -(1 - y + 3 * y * y - 15 * y * y * y) / (x * std::sqrt(std::numbers::pi));
    };
    if (b > 25) return 0;  // exp(625): once in longer than the universe
    const double integral = boost::math::quadrature::gauss_kronrod<double, 61>::integrate(integrand, a, b, 15, 1e-10);
    return 1e3 / (unit.t_ref_ms + unit.tau_m_ms * std::sqrt(std::numbers::pi) * integral);
}

}  // namespace ydot::neurons
