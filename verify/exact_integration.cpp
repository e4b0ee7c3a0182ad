#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sim/random.hpp"
#include "sim/replica.hpp"
#include "sim/spike_times.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

constexpr double unit_roundoff = 0x1p-24;  // of float: largest relative error of one rounding
constexpr const char* why =
    "every input reaches the potential as a sum of products of positive factors, so its share is wrong by at most one unit roundoff "
    "(2^-24) for each "
    "rounding on its way: at most four a step (factor, product, two sums), and what the normalisation of the filter adds";

/// An input at a time, and what the closed form is made of: the potential `response(age)` it causes per unit of size.
struct Kick {
    double time_ms, size;
};

/// A value of the closed form and how far the float arithmetic may be from it.
struct Value {
    double exact = 0, bound = 0;
    /// A share that came through so many roundings.
    void add(double share, double roundings) {
        exact += share;
        bound += unit_roundoff * roundings * std::abs(share);
    }
    /// Error in units of the bound; below the smallest normal number floats lose relative precision.
    double excess(double figure) const { return std::abs(figure - exact) / (bound + std::numeric_limits<float>::min()); }
};

/// What a case found: the largest error over the bound, and relative to the largest potential.
struct Deviation {
    double of_bound = 0, relative = 0;
};
class Comparison {
public:
    void add(const Value& value, double figure) {
        of_bound_ = std::max(of_bound_, value.excess(figure));
        error_ = std::max(error_, std::abs(figure - value.exact));
        largest_ = std::max(largest_, std::abs(value.exact));
    }
    Deviation result() const { return {of_bound_, error_ / largest_}; }

private:
    double of_bound_ = 0, error_ = 0, largest_ = 0;
};

// ---- the integrate-and-fire unit --------------------------------------------------------------------------------------------------

constexpr double c_m_pF = 250;
struct Membrane {
    double tau_m_ms, tau_syn_ms;
};
constexpr std::array<Membrane, 5> membranes{{{10, 2}, {20, 0.5}, {10, 10}, {10, 10.00001}, {5, 50}}};
constexpr std::array<double, 5> membrane_steps_ms{0.1, 0.5, 1, 5, 25};

/// Potential above rest, t after a jump of the current by 1 pA: the convolution of two exponentials.
double membrane_response_mV(const Membrane& m, double t_ms) {
    const double rate = 1 / m.tau_m_ms - 1 / m.tau_syn_ms;
    return std::exp(-t_ms / m.tau_m_ms) / c_m_pF * (rate == 0 ? t_ms : std::expm1(rate * t_ms) / rate);
}
double constant_current_mV(const Membrane& m, double current_pA, double t_ms) {
    return -current_pA * m.tau_m_ms / c_m_pF * std::expm1(-t_ms / m.tau_m_ms);
}

constexpr const char* membrane_text = R"(
[populations.lif]
model = "lif"
c_m_pF = 250.0
v_th_mV = 1000.0
)";

/// Steps one unit with jumps of both signs in a tenth of the steps and a constant current, and compares its potential after each.
Deviation membrane_case(const Context& context, const Membrane& m, double dt_ms) {
    constexpr double constant_pA = 100;
    const auto circuit =
        context.build(membrane_text, {setting("run.dt_ms", dt_ms), setting("populations.lif.tau_m_ms", m.tau_m_ms),
                                      setting("populations.lif.tau_syn_ms", m.tau_syn_ms), setting("populations.lif.i_e_pA", constant_pA)});
    const auto& lif = circuit->population(0);
    UnitShard shard(0, 1, lif.variables());
    lif.reset(shard, {});
    Draws draws(context.seed, stream_of("verify.membrane", Purpose::fire));
    std::vector<Kick> kicks;
    Comparison comparison;
    for (Step n = 0; n < 400; ++n) {
        shard.input[0] = draws.uniform() < 0.1 ? static_cast<float>(draws.uniform(-20, 20)) : 0;
        SpikeList out;
        lif.step(shard, {}, n, out);
        Value v;
        const double steps = static_cast<double>(n) + 1;
        v.add(constant_current_mV(m, constant_pA, steps * dt_ms), 4 * steps);
        for (const auto& kick : kicks)
            v.add(kick.size * membrane_response_mV(m, static_cast<double>(n) * dt_ms - kick.time_ms), 4 * (steps - kick.time_ms / dt_ms));
        comparison.add(v, static_cast<double>(shard.column(0)[0]));
        kicks.push_back({static_cast<double>(n) * dt_ms, static_cast<double>(shard.input[0])});
    }
    return comparison.result();
}

constexpr const char* crossing_text = R"(
[populations.input]
model = "spike_trains"
size = 64
[populations.lif]
model = "lif"
size = 64
tau_m_ms = 10.0
tau_syn_ms = 2.0
c_m_pF = 250.0
v_rest_mV = -70.0
v_th_mV = -55.0
i_e_pA = 400.0
[projections.line]
from = "input"
to = "lif"
connector = "one_to_one"
weight = 500.0
delay_ms = 1.5
)";

constexpr double crossing_current_pA = 400, kick_pA = 500, kick_delay_ms = 1.5, threshold_mV = 15;
constexpr std::size_t crossing_units = 64;
double kick_time_ms(std::size_t unit) { return 0.5 * static_cast<double>(unit % 32 + 1); }

/// Potential at the end of step n of a unit that is kicked on the way. The kick moves the current at the end of the step of its arrival.
Value crossing_potential(std::size_t unit, Step n, double dt_ms) {
    constexpr Membrane m{10, 2};
    const double now_ms = static_cast<double>(n + 1) * dt_ms, age_ms = now_ms - kick_time_ms(unit) - kick_delay_ms;
    Value v;
    v.add(constant_current_mV(m, crossing_current_pA, now_ms), 4 * static_cast<double>(n + 1));
    if (age_ms > 0) v.add(kick_pA * membrane_response_mV(m, age_ms), 4 * (age_ms / dt_ms + 1));
    return v;
}

/// End of the step in which the closed form crosses the threshold; 0 if it passes it by less than the rounding bound.
double crossing_time_ms(std::size_t unit, double dt_ms) {
    for (Step n = 0;; ++n) {
        const auto v = crossing_potential(unit, n, dt_ms);
        if (std::abs(v.exact - threshold_mV) <= v.bound) return 0;
        if (v.exact > threshold_mV) return static_cast<double>(n + 1) * dt_ms;
    }
}

/// Units at a constant current that reaches the threshold by itself, each kicked once on the way at a time of its own: how many first
/// spikes fall outside the step of the closed form, and how many could be told.
struct Crossings {
    double wrong = 0, compared = 0;
};
Crossings crossings(const Context& context, double dt_ms) {
    std::vector<double> kicks_ms, units;
    for (std::size_t k = 0; k < crossing_units; ++k) kicks_ms.push_back(kick_time_ms(k)), units.push_back(static_cast<double>(k));
    const auto circuit = context.build(crossing_text, {setting("run.dt_ms", dt_ms), "populations.input.times_ms=" + toml_of(kicks_ms),
                                                       "populations.input.units=" + toml_of(units)});
    const auto times = spike_times(*circuit, 60, 0)[1];
    Crossings result;
    for (std::size_t k = 0; k < crossing_units; ++k) {
        const double expected_ms = crossing_time_ms(k, dt_ms);
        if (expected_ms == 0) continue;
        ++result.compared;
        result.wrong += times[k].empty() || std::abs(times[k].front() - expected_ms) > 1e-6 * dt_ms;
    }
    return result;
}

// ---- the synaptic filters of the Poisson unit -------------------------------------------------------------------------------------

struct Shape {
    const char* filter;
    double tau_ms, rise_ms;  // rise 0: one exponential
};
constexpr std::array<Shape, 5> shapes{{{"exponential", 8, 0},
                                       {"alpha", 8, 8},
                                       {"double_exponential", 8, 3},
                                       {"double_exponential", 8, 8},
                                       {"double_exponential", 8, 8.0001}}};
constexpr std::array<double, 5> grid_steps_ms{0.1, 0.5, 1, 4, 20}, flow_steps_ms{0.125, 0.5, 1, 4, 16};

/// eps(t), integral 1.
double filter_per_ms(const Shape& s, double t_ms) {
    const double decay = std::exp(-t_ms / s.tau_ms), rate = 1 / s.tau_ms - 1 / s.rise_ms;
    if (s.rise_ms == 0) return decay / s.tau_ms;
    return decay / (s.tau_ms * s.rise_ms) * (rate == 0 ? t_ms : std::expm1(rate * t_ms) / rate);
}
/// eps sampled k steps after the arrival, over the sum of all samples times dt.
double sampled_per_ms(const Shape& s, double k, double dt_ms) {
    const double a = std::exp(-dt_ms / s.tau_ms), b = std::exp(-dt_ms / s.rise_ms), rate = (1 / s.tau_ms - 1 / s.rise_ms) * dt_ms;
    if (s.rise_ms == 0) return std::pow(a, k) * (1 - a) / dt_ms;
    const double ratio = rate == 0 ? k : std::expm1(rate * k) / std::expm1(rate);  // (a^k - b^k) / (a - b) over a^(k - 1)
    return std::pow(a, k - 1) * ratio * (1 - a) * (1 - b) / dt_ms;
}
/// The engine divides by 1 - a, with a rounded: relative error roundoff x a / (1 - a) < roundoff x tau / dt; the same for b.
double normalisation_roundings(const Shape& s, double dt_ms) { return (s.tau_ms + s.rise_ms) / dt_ms; }

constexpr double bias = 1, weight = 2.5;
constexpr std::size_t delay_steps = 3, kicks_of_a_case = 60, steps_of_a_case = 400;
constexpr const char* filter_text = R"(
[populations.input]
model = "spike_trains"
[populations.unit]
model = "poisson"
phi = "linear"
bias = 1.0
[projections.line]
from = "input"
to = "unit"
weight = 2.5
)";

std::unique_ptr<Circuit> filter_circuit(const Context& context, const Shape& s, double dt_ms, bool continuous,
                                        const std::vector<double>& times_ms) {
    return context.build(filter_text, {setting("run.dt_ms", dt_ms), std::string("run.propagator=") + (continuous ? "continuous" : "grid"),
                                       std::string("populations.unit.filter=") + s.filter, setting("populations.unit.tau_syn_ms", s.tau_ms),
                                       setting("populations.unit.tau_rise_ms", s.rise_ms > 0 ? s.rise_ms : 1),
                                       "populations.input.times_ms=" + toml_of(times_ms),
                                       "populations.input.units=" + toml_of(std::vector<double>(times_ms.size())),
                                       setting("projections.line.delay_ms", static_cast<double>(delay_steps) * dt_ms)});
}

/// Potential at the end of every step. The activity of a linear unit is its potential, as long as that is positive.
std::vector<double> potentials(Circuit& circuit) {
    Replica replica(circuit);
    std::vector<double> u;
    for (std::size_t n = 0; n < steps_of_a_case; ++n) {
        replica.clear_activity(1);
        replica.run(1);
        u.push_back(replica.mean_activity(1)[0]);
    }
    return u;
}

/// A spike in step n, reported at its end, is part of the input of step n + delay; one replayed spike has the area 1 ms.
Deviation grid_case(const Context& context, const Shape& s, double dt_ms) {
    Draws draws(context.seed, stream_of("verify.filter", Purpose::fire));
    std::vector<std::size_t> step;
    std::vector<double> times_ms;
    for (std::size_t k = 0; k < kicks_of_a_case; ++k) {
        step.push_back(draws.below(steps_of_a_case));
        times_ms.push_back(static_cast<double>(step.back() + 1) * dt_ms);
    }
    const auto u = potentials(*filter_circuit(context, s, dt_ms, false, times_ms));
    Comparison comparison;
    for (std::size_t n = 0; n < u.size(); ++n) {
        Value v;
        v.add(bias, 2);
        for (const auto emitted : step) {
            if (emitted + delay_steps > n) continue;
            const auto age = static_cast<double>(n - emitted - delay_steps);
            v.add(weight * sampled_per_ms(s, age, dt_ms), 4 * (age + 2) + normalisation_roundings(s, dt_ms));
        }
        comparison.add(v, u[n]);
    }
    return comparison.result();
}

/// The same in continuous time: between two arrivals one flow. Times are multiples of 1/64 step, so that their float offsets are exact.
Deviation flow_case(const Context& context, const Shape& s, double dt_ms) {
    Draws draws(context.seed, stream_of("verify.flow", Purpose::fire));
    std::vector<double> times_ms;
    for (std::size_t k = 0; k < kicks_of_a_case; ++k) times_ms.push_back(draws.below(steps_of_a_case * 64) / 64.0 * dt_ms);
    const auto u = potentials(*filter_circuit(context, s, dt_ms, true, times_ms));
    Comparison comparison;
    for (std::size_t n = 0; n < u.size(); ++n) {
        const double now_ms = static_cast<double>(n + 1) * dt_ms, delay_ms = static_cast<double>(delay_steps) * dt_ms;
        Value v;
        v.add(bias, 2);
        for (const double t : times_ms) {
            const double age_ms = now_ms - t - delay_ms;
            if (age_ms <= 0) continue;  // an arrival at the end of a step belongs to the next
            const auto between = [&](double other) { return other >= t && other <= now_ms - delay_ms; };
            const auto flows = static_cast<double>(std::count_if(times_ms.begin(), times_ms.end(), between)) + age_ms / dt_ms +
                               1;  // arrivals and ends of steps
            v.add(weight * filter_per_ms(s, age_ms), 4 * (flows + 2));
        }
        comparison.add(v, u[n]);
    }
    return comparison.result();
}

// ---- the check --------------------------------------------------------------------------------------------------------------------

template <class Cases, class Steps, class Run>
void sweep(CheckResult& result, Series& points, const char* what, const Cases& cases, const Steps& steps_ms, Run&& run) {
    double worst = 0;
    for (const double dt_ms : steps_ms) {
        double relative = 0;
        for (const auto& one : cases) {
            const Deviation deviation = run(one, dt_ms);
            worst = std::max(worst, deviation.of_bound);
            relative = std::max(relative, deviation.relative);
        }
        points.x.push_back(dt_ms);
        points.y.push_back(relative);
    }
    result.measurements.push_back(at_most(std::string("largest error of ") + what, "rounding bounds", worst, 1, why));
    result.measurements.push_back(shown(std::string("the same, over the largest potential"), "",
                                        *std::max_element(points.y.begin(), points.y.end()), "for comparison: 2^-24 = 6e-8"));
}

CheckResult run(const Context& context) {
    CheckResult result;
    Panel panel{"dt (ms)",
                "largest relative error",
                true,
                true,
                {{"membrane potential", {}, {}, {}}, {"filters on the grid", {}, {}, {}}, {"filters in continuous time", {}, {}, {}}}};
    sweep(result, panel.series[0], "the membrane potential (lif, constant current and jumps)", membranes, membrane_steps_ms,
          [&](const auto& m, double dt_ms) { return membrane_case(context, m, dt_ms); });
    sweep(result, panel.series[1], "the filtered input (poisson, grid)", shapes, grid_steps_ms,
          [&](const auto& s, double dt_ms) { return grid_case(context, s, dt_ms); });
    sweep(result, panel.series[2], "the filtered input (poisson, continuous time)", shapes, flow_steps_ms,
          [&](const auto& s, double dt_ms) { return flow_case(context, s, dt_ms); });
    Crossings all;
    for (const double dt_ms : {0.1, 0.25, 0.5}) {
        const auto found = crossings(context, dt_ms);
        all.wrong += found.wrong;
        all.compared += found.compared;
    }
    result.measurements.push_back(at_most("first spikes (lif) outside the step in which the closed form crosses the threshold, of " +
                                              std::to_string(static_cast<int>(all.compared)),
                                          "", all.wrong, 0,
                                          "exact integration finds the very step; left out are units whose closed form passes the "
                                          "threshold by less than the rounding bound"));
    panel.series.push_back({"one rounding", {0.1, 25}, {unit_roundoff, unit_roundoff}, {}, true});
    result.figures.push_back(
        {"exact_integration",
         "Largest difference from the closed form over the largest potential, whatever the time step: rounding errors only.",
         {panel}});
    return result;
}

}  // namespace

const Check exact_integration{"exact_integration", "V6", "linear models equal their closed forms to rounding at any time step", R"(
Between inputs the models are linear, so a step of any length has an exact solution (Rotter & Diesmann 1999, Biol. Cybern. 81:381-402).
Compared are

- the membrane potential of `lif` under a constant current $I$ and jumps $w_j$ of the synaptic current at $t_j$,
  $$v(t) = \frac{I \tau_m}{c_m} (1 - e^{-t/\tau_m}) + \sum_j \frac{w_j}{c_m} h(t - t_j), \quad
    h(t) = \frac{e^{-t/\tau_m} - e^{-t/\tau_{syn}}}{1/\tau_{syn} - 1/\tau_m},$$
  for several pairs of time constants, equal and nearly equal ones included, and time steps from 0.1 ms to longer than the time constants;
- the input of `poisson` through the filters exponential, alpha and double exponential: $u(t) = b + \sum_j w_j\, \epsilon(t - t_j - d)$ in
  continuous time, and on the grid the sampled filter over its sum,
  $u_n = b + \sum_j w_j\, \epsilon(k_j\, dt) / \sum_k \epsilon(k\, dt)\, dt$;
- the step of the first spike of `lif` units that cross the threshold.

The potential is a sum of products of positive factors, one for each input. States are single precision: each rounding changes a product
by at most the unit roundoff $2^{-24}$, so an input of age $k$ steps contributes with a relative error of at most $4 (k + 1)\, 2^{-24}$
(Higham 2002, Accuracy and Stability of Numerical Algorithms, lemma 3.1). On the grid the normalisation divides by $1 - e^{-dt/\tau}$ with
the rounded exponential, which adds $\tau/dt$ roundings.
)",
                              run};

}  // namespace ydot::verify
