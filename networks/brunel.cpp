#include "networks/brunel.hpp"

#include "networks/fixed_indegree.hpp"
#include "networks/specs.hpp"

namespace ydot::networks {

std::pair<double, double> Brunel::point(const Params& params) {
    switch (params.regime) {
        case BrunelRegime::A: return {3, 2};
        case BrunelRegime::B: return {6, 4};
        case BrunelRegime::C: return {5, 2};
        case BrunelRegime::D: return {4.5, 0.9};
        case BrunelRegime::own: break;
    }
    return {params.g, params.eta};
}

Description Brunel::describe(const Params& params) {
    constexpr double tau_ms = 20, theta_mV = 20;
    const auto [g, eta] = point(params);
    Description result;
    for (const auto& [name, size] : {std::pair{"exc", params.excitatory}, {"inh", params.excitatory / 4}}) {
        result.populations.push_back(
            population(name, "lif_delta", size,
                       {{"tau_m_ms", tau_ms}, {"t_ref_ms", 2.0}, {"v_rest_mV", 0.0}, {"v_th_mV", theta_mV}, {"v_reset_mV", 10.0}}));
        result.populations.back().background_rate_Hz = eta * theta_mV / (params.j_mV * tau_ms * 1e-3);  // C_E nu_ext = eta theta / (J tau)
        result.populations.back().background_weight = params.j_mV;
    }
    for (const std::string to : {"exc", "inh"}) {
        result.projections.push_back(
            projection("exc", to, FixedIndegree::name, {{"indegree", params.inputs}}, params.j_mV, params.delay_ms));
        result.projections.push_back(
            projection("inh", to, FixedIndegree::name, {{"indegree", params.inputs / 4}}, -g * params.j_mV, params.delay_ms));
    }
    return result;
}

}  // namespace ydot::networks
