#include "networks/microcircuit.hpp"

#include <array>
#include <cmath>

#include "networks/fixed_total_number.hpp"
#include "networks/specs.hpp"

namespace ydot::networks {
namespace {

constexpr std::size_t n = 8;
using PerPopulation = std::array<double, n>;
constexpr std::array<const char*, n> names{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"};
constexpr PerPopulation full_sizes{20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948};
constexpr PerPopulation external_indegree{1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100};
/// Rows: target; columns: source (table 5 of the paper).
constexpr std::array<PerPopulation, n> probability{{{0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0},
                                                    {0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0},
                                                    {0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0},
                                                    {0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0},
                                                    {0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0},
                                                    {0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0},
                                                    {0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252},
                                                    {0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443}}};
/// Initial potentials that spare a synchronous start, and mean rates of the full circuit (Hz) for the compensation of smaller ones.
constexpr PerPopulation v0_mean_mV{-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43},
    v0_sd_mV{5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48};
constexpr PerPopulation full_rates_Hz{0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829};
constexpr double tau_syn_ms = 0.5, psc_pA = 87.8, inhibition = -4, weight_sd = 0.1, background_Hz = 8, rest_mV = -65;
constexpr double delay_ms[2]{1.5, 0.75};  // from excitatory, inhibitory neurons

bool inhibitory(std::size_t p) { return p % 2 == 1; }

/// Synapses from s to t at full scale: with this many, drawn at random, a pair is connected with the probability of the table.
double synapses(std::size_t t, std::size_t s) {
    return probability[t][s] > 0 ? std::round(std::log1p(-probability[t][s]) / std::log1p(-1 / (full_sizes[s] * full_sizes[t]))) : 0;
}
double weight_pA(std::size_t t, std::size_t s) { return psc_pA * (inhibitory(s) ? inhibition : t == 0 && s == 2 ? 2 : 1); }

/// Mean input current at full scale, of the circuit and of the background.
double recurrent_pA(std::size_t t) {
    double sum = 0;
    for (std::size_t s = 0; s < n; ++s) sum += synapses(t, s) / full_sizes[t] * weight_pA(t, s) * full_rates_Hz[s] * tau_syn_ms * 1e-3;
    return sum;
}
double background_pA(std::size_t t) { return external_indegree[t] * background_Hz * psc_pA * tau_syn_ms * 1e-3; }

PopulationSpec population_of(std::size_t p, const Microcircuit::Params& params) {
    const double root = std::sqrt(params.scale);
    double current = (1 - root) * recurrent_pA(p);
    const bool poisson = params.background == Background::poisson;
    current += (poisson ? 1 - root : 1) * background_pA(p);
    auto spec = population(names[p], "lif", std::llround(full_sizes[p] * params.scale),
                           {{"tau_m_ms", 10.0},
                            {"tau_syn_ms", tau_syn_ms},
                            {"c_m_pF", 250.0},
                            {"t_ref_ms", 2.0},
                            {"v_rest_mV", rest_mV},
                            {"v_th_mV", -50.0},
                            {"v_reset_mV", -65.0},
                            {"v_0_above_rest_mV", v0_mean_mV[p] - rest_mV},
                            {"v_0_std_mV", v0_sd_mV[p]},
                            {"i_e_pA", current}});
    if (poisson) {
        spec.background_rate_Hz = external_indegree[p] * params.scale * background_Hz;
        spec.background_weight = psc_pA / root;
    }
    return spec;
}

ProjectionSpec projection_of(std::size_t t, std::size_t s, const Microcircuit::Params& params) {
    const double mean = weight_pA(t, s) / std::sqrt(params.scale), far = std::numeric_limits<double>::infinity(),
                 delay = delay_ms[inhibitory(s)];
    auto spec =
        projection(names[s], names[t], FixedTotalNumber::name,
                   {{"number", static_cast<std::int64_t>(std::llround(synapses(t, s) * params.scale * params.scale))}, {"multapses", true}},
                   mean, delay);
    spec.weight = {Distribution::normal, mean, weight_sd * std::abs(mean), mean > 0 ? 0 : -far, mean > 0 ? far : 0, false};
    spec.delay_ms = {Distribution::normal, delay, 0.5 * delay, 0.1, far, false};
    return spec;
}

}  // namespace

Description Microcircuit::describe(const Params& params) {
    Description result;
    for (std::size_t p = 0; p < n; ++p) result.populations.push_back(population_of(p, params));
    for (std::size_t t = 0; t < n; ++t)
        for (std::size_t s = 0; s < n; ++s)
            if (probability[t][s] > 0) result.projections.push_back(projection_of(t, s, params));
    return result;
}

}  // namespace ydot::networks
