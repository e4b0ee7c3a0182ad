#pragma once
#include <cstdint>

#include "data/images.hpp"
#include "sim/boltzmann.hpp"
#include "sim/circuit.hpp"
#include "sim/description.hpp"

namespace ydot::app {

/// The restricted Boltzmann machine between schedule.input and the population that a projection leads to which is answered by its
/// transpose. Sources without an image are its biases; a spiking circuit has none.
/// @throws Error where there is no machine, or a source in a spiking circuit
BoltzmannMachine machine_of(const Description& description, const Circuit& circuit);

struct Likelihood {
    double nats = 0;  ///< mean log probability of an image
    LogPartition log_partition;
};
/// Log probability of images whose pixels are drawn as zeros and ones with their grey values as probabilities (Salakhutdinov & Murray
/// 2008).
/// @param base  images whose mean pixels are the biases that annealing starts from
/// @param spec  temperatures and chains
Likelihood likelihood_of(const BoltzmannMachine& machine, const data::ImageSet& images, const data::ImageSet& base, const MetricsSpec& spec,
                         std::uint64_t seed);

}  // namespace ydot::app
