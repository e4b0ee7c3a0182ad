#pragma once
#include "sim/description.hpp"

namespace ydot::networks {

/// Input from outside: independent Poisson spikes, or the constant current of the same mean.
enum class Background { poisson, dc };

/// The cortical microcircuit: four layers of excitatory and inhibitory leaky integrate-and-fire neurons below 1 mm^2 of cortex, 77,169
/// neurons and 299 million synapses at full scale. Populations L23E, L23I, ... L6I (model lif), projections "L23E_to_L23I" and so on.
///
/// Below scale 1, weights grow by 1/sqrt(scale) and a constant current makes up for the mean input, so that mean and variance of the input
/// stay what they are at full scale (van Albada, Helias & Diesmann 2015, PLoS Comput. Biol. 11:e1004490).
struct Microcircuit {
    static constexpr std::string_view name = "microcircuit", summary = "the cortical column of Potjans & Diesmann",
                                      reference = "Potjans & Diesmann (2014), Cereb. Cortex 24:785-806";
    struct Params {
        double scale = 1;
        Background background = Background::poisson;
        static constexpr std::tuple fields{
            Field{"scale", &Params::scale, "of the numbers of neurons and of the synapses that each receives", Range{0, 1, true, false}},
            Field{"background", &Params::background, "input from outside: Poisson spikes, or a constant current of the same mean"}};
    };
    static Description describe(const Params& params);
};

}  // namespace ydot::networks

template <>
struct ydot::EnumNames<ydot::networks::Background> {
    static constexpr std::array<std::string_view, 2> names{"poisson", "dc"};
};
