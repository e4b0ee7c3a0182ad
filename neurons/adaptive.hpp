#pragma once
#include <algorithm>
#include <array>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <string_view>

#include "sim/parameters.hpp"
#include "sim/vector_math.hpp"

namespace ydot::neurons {

/// How a model without a closed form goes from one point of the grid to the next:
///   fixed     the scheme of its header, one step of dt for all units together: fast
///   adaptive  Dormand & Prince (1980) 5(4) in double precision, as many steps as the error bound asks for, unit by unit: the reference
/// Both look for spikes on the grid and keep the state in single precision at its points. Their difference is measured in docs/neurons.md.
enum class Integrator { fixed, adaptive };

/// Largest local error of an adaptive step, absolute (in mV, pA, nS, or the probability of a gate) and relative to the variable.
inline constexpr double adaptive_tolerance = 1e-8;

// exp and its kin for both number types, so that an equation is written once: fast for the fixed step, exact for the reference.
inline float exp_of(float x) noexcept { return fast_exp(x); }
inline double exp_of(double x) noexcept { return std::exp(std::min(x, 80.0)); }  // bounded as fast_exp is
inline float exprel_of(float x) noexcept { return fast_exprel(x); }
inline double exprel_of(double x) noexcept { return x == 0 ? 1 : std::expm1(x) / x; }

template <class P>
constexpr auto integrator_field() {
    return std::tuple{Field{"integrator", &P::integrator, "one fast step of dt, or the adaptive reference"}};
}

/// One step of the grid. M::derivative(x, dxdt, coeffs, input) is the right-hand side of the first M::dimensions columns, the potential
/// first; M::receive(state, coeffs, input) is what the arrivals of the step do at its end. The potential rests while refractory and, in
/// models whose coefficients have a `peak`, from the moment when it gets there.
template <class M>
[[gnu::noinline]] void integrate_adaptively(typename M::State& state, const typename M::Coeffs& c, const auto& input) {
    namespace odeint = boost::numeric::odeint;
    using Vector = std::array<double, M::dimensions>;
    auto columns = M::State::columns(state);
    const auto each = [&columns]<std::size_t... k>(auto&& f, std::index_sequence<k...>) { (f(std::get<k>(columns), k), ...); };
    constexpr std::make_index_sequence<M::dimensions> all;
    Vector x;
    each([&x](float column, std::size_t k) { x[k] = static_cast<double>(column); }, all);

    bool held = false;
    if constexpr (requires { state.refractory; }) held = state.refractory >= 0.5f;
    const auto slope = [&](const Vector& at, Vector& dxdt, double /*t*/) {
        M::derivative(at, dxdt, c, input);
        if (held) dxdt[0] = 0;
    };
    auto stepper = odeint::make_controlled(adaptive_tolerance, adaptive_tolerance, odeint::runge_kutta_dopri5<Vector>());
    const double end = static_cast<double>(c.dt_ms);
    for (double t = 0, h = end; end - t > 1e-12 * end;) {
        h = std::min(h, end - t);
        if (stepper.try_step(slope, x, t, h) != odeint::success) continue;
        if constexpr (requires { c.peak; })
            if (!held && x[0] >= static_cast<double>(c.peak)) {
                held = true;
                x[0] = static_cast<double>(c.peak);
                stepper.reset();
            }
    }
    each([&x](float& column, std::size_t k) { column = static_cast<float>(x[k]); }, all);
    M::receive(state, c, input);
}

/// The engine asks once for each shard and step how to integrate it: `run` takes the function of a unit.
template <class M>
void choose_integrator(Integrator integrator, auto&& run) {
    using State = typename M::State;
    using Coeffs = typename M::Coeffs;
    if (integrator == Integrator::adaptive)
        run([](State& state, const Coeffs& c, const auto& input) { integrate_adaptively<M>(state, c, input); });
    else run([](State& state, const Coeffs& c, const auto& input) { M::integrate(state, c, input); });
}

}  // namespace ydot::neurons

template <>
struct ydot::EnumNames<ydot::neurons::Integrator> {
    static constexpr std::array<std::string_view, 2> names{"fixed", "adaptive"};
};
