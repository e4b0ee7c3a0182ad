#include "networks/vogels_abbott.hpp"

#include "networks/fixed_probability.hpp"
#include "networks/specs.hpp"

namespace ydot::networks {

Description VogelsAbbott::describe(const Params& params) {
    const bool coba = params.synapses == VogelsAbbottSynapses::coba;
    const std::int64_t inhibitory = params.neurons / 5, kicking = std::max<std::int64_t>(params.neurons / 200, 1);
    const auto units = [&](std::string_view name, std::int64_t size) {
        return coba ? population(name, "lif_cond", size, {{"v_rest_mV", -60.0}, {"v_0_above_rest_mV", 5.0}, {"v_0_std_mV", 3.0}})
                    : population(name, "lif_curr", size, {{"v_rest_mV", -49.0}, {"v_0_above_rest_mV", -6.0}, {"v_0_std_mV", 3.0}});
    };
    Description result;
    result.populations = {units("exc", params.neurons - inhibitory), units("inh", inhibitory),
                          population("kick", "piecewise_source", kicking,
                                     {{"times_ms", std::vector<double>{0, 50, 50}}, {"rates_Hz", std::vector<double>{200, 200, 0}}})};
    // nS, or pA: 1.62 mV and -9 mV over a membrane of 100 MOhm
    const double excitatory = coba ? 6 : 16.2, suppressing = coba ? 67 : -90;
    for (const std::string from : {"exc", "inh", "kick"})
        for (const std::string to : {"exc", "inh"}) {
            auto spec = projection(from, to, FixedProbability::name, {{"probability", params.probability}},
                                   from == "inh" ? suppressing : excitatory, params.delay_ms);
            spec.receptor = from == "inh" ? "inhibitory" : "excitatory";
            result.projections.push_back(std::move(spec));
        }
    return result;
}

}  // namespace ydot::networks
