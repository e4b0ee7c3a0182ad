#include "networks/balanced_stdp.hpp"

#include <cmath>
#include <numbers>

#include "networks/fixed_indegree.hpp"
#include "networks/specs.hpp"

namespace ydot::networks {
namespace {

constexpr double tau_m_ms = 10, c_m_pF = 250, threshold_mV = 20, delay_ms = 1.5;
constexpr double tau_syn_ms = 0.32582722403722841;  // an excitatory potential rises in 1.7 ms
constexpr double j_pA = 45.6096;                    // peak of the current whose potential peaks at 0.14 mV
constexpr double g = -5, eta = 1.685;

}  // namespace

Description BalancedStdp::describe(const Params& params) {
    Description result;
    const double outside_Hz = 1e3 * eta * threshold_mV * c_m_pF / (tau_m_ms * j_pA * std::numbers::e * tau_syn_ms);
    for (const auto& [name, size] : {std::pair{"exc", 9000.0}, {"inh", 2250.0}}) {
        auto units = population(name, "lif_alpha", std::llround(size * params.scale),
                                {{"tau_m_ms", tau_m_ms},
                                 {"tau_syn_ms", tau_syn_ms},
                                 {"c_m_pF", c_m_pF},
                                 {"t_ref_ms", 0.5},
                                 {"v_rest_mV", 0.0},
                                 {"v_th_mV", threshold_mV},
                                 {"v_reset_mV", 0.0},
                                 {"v_0_above_rest_mV", 5.7},
                                 {"v_0_std_mV", 7.2}});
        units.background_rate_Hz = outside_Hz;
        units.background_weight = j_pA;
        result.populations.push_back(std::move(units));
    }
    for (const std::string to : {"exc", "inh"}) {
        result.projections.push_back(projection("exc", to, FixedIndegree::name,
                                                {{"indegree", params.inputs}, {"multapses", true}, {"autapses", false}}, j_pA, delay_ms));
        result.projections.push_back(projection("inh", to, FixedIndegree::name,
                                                {{"indegree", params.inputs / 4}, {"multapses", true}, {"autapses", false}}, g * j_pA,
                                                delay_ms));
    }
    auto& plasticity = result.projections[0].plasticity;
    if (!params.plastic) return result;
    plasticity.rule = "stdp_power_law";
    for (const auto& [key, value] :
         {std::pair{"lambda", 0.1}, {"alpha", 0.0513}, {"mu", 0.4}, {"w0", 1.0}, {"tau_plus_ms", 15.0}, {"tau_minus_ms", 30.0}})
        plasticity.parameters[key] = {value, {}};
    return result;
}

}  // namespace ydot::networks
