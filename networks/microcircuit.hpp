#pragma once
#include "sim/description.hpp"

namespace ydot::networks {

enum class Background { poisson, dc };

/// The cortical microcircuit of Potjans & Diesmann (2014), Cereb. Cortex 24:785-806: four layers of excitatory and inhibitory leaky
/// integrate-and-fire neurons below 1 mm^2 of cortex, 77,169 neurons and 299 million synapses at full scale.
struct Microcircuit {
    /// Of the numbers of neurons and of the synapses that each receives. Below 1 weights grow by 1/sqrt(scale) and a constant current makes up for the
    /// mean input, so that mean and variance of the input stay what they are at full scale (van Albada, Helias & Diesmann 2015, PLoS Comput. Biol. 11:e1004490).
    double scale = 1;
    /// Input from outside: independent Poisson spikes, or the constant current of the same mean.
    Background background = Background::poisson;
};

/// Populations L23E, L23I, ... L6I (model lif), projections "L23E_to_L23I" and so on (fixed_total_number).
/// @throws Error for a scale outside (0, 1]
Description microcircuit(const Microcircuit& params);

}  // namespace ydot::networks
