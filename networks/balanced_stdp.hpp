#pragma once
#include "sim/description.hpp"

namespace ydot::networks {

/// Balanced random network whose excitatory synapses onto excitatory units learn by power-law STDP while it runs: the network with which
/// the speed of plastic simulation is compared (NEST's hpc_benchmark). At scale 1: 9,000 excitatory and 2,250 inhibitory units, each with
/// 9,000 and 2,250 inputs; 126.6 million synapses, 81 million of them plastic.
struct BalancedStdp {
    static constexpr std::string_view name = "balanced_stdp", summary = "balanced network with plastic excitatory synapses",
                                      reference =
                                          "Morrison, Aertsen & Diesmann (2007), Neural Comput. 19:1437-1467; Helias et al. (2012), "
                                          "Front. Neuroinform. 6:26";
    struct Params {
        double scale = 1;
        std::int64_t inputs = 9000;
        bool plastic = true;
        static constexpr std::tuple fields{
            Field{"scale", &Params::scale, "of the number of units; the inputs of a unit stay", Range{0, 1e4, true, false}},
            Field{"inputs", &Params::inputs, "excitatory inputs of a unit; a quarter as many are inhibitory", Range{4, 4e9}},
            Field{"plastic", &Params::plastic, "whether excitatory synapses onto excitatory units learn"}};
    };
    /// Populations "exc" and "inh" (model lif_alpha), projections "exc_to_exc" and so on.
    static Description describe(const Params& params);
};

}  // namespace ydot::networks
