#pragma once
#include "sim/description.hpp"

namespace ydot::networks {

enum class VogelsAbbottSynapses { coba, cuba };

/// Benchmarks 1 (conductances) and 2 (currents) of the review of simulators: 3,200 excitatory and 800 inhibitory integrate-and-fire
/// neurons, every pair connected with probability 2 %; a few units fire at random for the first 50 ms, after that the activity sustains
/// itself.
struct VogelsAbbott {
    static constexpr std::string_view
        name = "vogels_abbott",
        summary = "self-sustained irregular activity of 4,000 neurons",
        reference = "Vogels & Abbott (2005), J. Neurosci. 25:10786-10795; Brette et al. (2007), J. Comput. Neurosci. 23:349-398";
    struct Params {
        VogelsAbbottSynapses synapses = VogelsAbbottSynapses::coba;
        std::int64_t neurons = 4000;
        double probability = 0.02, delay_ms = 0.1;
        static constexpr std::tuple fields{
            Field{"synapses", &Params::synapses, "conductances (coba) or currents (cuba)"},
            Field{"neurons", &Params::neurons, "four fifths of them excitatory", Range{5, 4e9}},
            Field{"probability", &Params::probability, "that one unit is connected to another", unit_interval},
            Field{"delay_ms", &Params::delay_ms, "of all synapses; the papers have none", positive}};
    };
    /// Populations "exc", "inh" (model lif_cond or lif_curr) and "kick", projections "exc_to_exc" and so on.
    static Description describe(const Params& params);
};

}  // namespace ydot::networks

template <>
struct ydot::EnumNames<ydot::networks::VogelsAbbottSynapses> {
    static constexpr std::array<std::string_view, 2> names{"coba", "cuba"};
};
