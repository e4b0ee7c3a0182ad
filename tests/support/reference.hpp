#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "neurons/adaptive.hpp"
#include "sim/population.hpp"

namespace ydot::test {

/// The potential of one unit at the points of a grid, start included, by two ways: `model` takes dt with the scheme of the population,
/// `reference` integrates M::derivative in double precision from the same start, to 1e-12, without the rounding of the grid. No input.
struct Traces {
    std::vector<double> model, reference;
    double largest_error() const {
        double largest = 0;
        for (std::size_t k = 0; k < model.size(); ++k) largest = std::max(largest, std::abs(model[k] - reference[k]));
        return largest;
    }
};

/// @param kick  changes the columns of the unit after its start, e.g. its conductances
template <class M, class Kick>
Traces traces_of(const typename M::Params& params, double dt_ms, double duration_ms, Kick&& kick) {
    namespace odeint = boost::numeric::odeint;
    using Vector = std::array<double, M::dimensions>;
    const auto coeffs = M::prepare(params, dt_ms);
    const UnitPopulation<M> population("unit", 1, params, dt_ms, false);
    UnitShard shard(0, 1, population.variables(), population.ports());
    population.reset(shard, {});
    kick(shard);
    const auto offset_mV = M::potential_mV(typename M::State{}, params);
    Vector x;
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = static_cast<double>(shard.column(k)[0]);
    Traces traces;
    const auto note = [&] {
        traces.model.push_back(offset_mV + static_cast<double>(shard.column(0)[0]));
        traces.reference.push_back(offset_mV + x[0]);
    };
    note();
    const auto slope = [&coeffs](const Vector& at, Vector& dxdt, double) { M::derivative(at, dxdt, coeffs, InputOf<M>{}); };
    auto stepper = odeint::make_controlled(1e-12, 1e-12, odeint::runge_kutta_dopri5<Vector>());
    double t = 0, h = dt_ms;
    for (Step n = 0; n < static_cast<Step>(std::llround(duration_ms / dt_ms)); ++n) {
        SpikeList out;
        population.step(shard, {}, n, out);
        const double end = static_cast<double>(n + 1) * dt_ms;
        while (end - t > 1e-12) {
            const double wanted = h;
            h = std::min(h, end - t);
            if (stepper.try_step(slope, x, t, h) == odeint::success) h = std::max(h, wanted);
        }
        note();
    }
    return traces;
}
template <class M>
Traces traces_of(const typename M::Params& params, double dt_ms, double duration_ms) {
    return traces_of<M>(params, dt_ms, duration_ms, [](UnitShard&) {});
}

/// Spike times in ms of one unit without input.
template <class M>
std::vector<double> spikes_of(const typename M::Params& params, double dt_ms, double duration_ms) {
    const UnitPopulation<M> population("unit", 1, params, dt_ms, false);
    UnitShard shard(0, 1, population.variables(), population.ports());
    population.reset(shard, {});
    std::vector<double> times_ms;
    for (Step n = 0; n < static_cast<Step>(std::llround(duration_ms / dt_ms)); ++n) {
        SpikeList out;
        population.step(shard, {}, n, out);
        if (!out.unit.empty()) times_ms.push_back(static_cast<double>(n + 1) * dt_ms);
    }
    return times_ms;
}

}  // namespace ydot::test
