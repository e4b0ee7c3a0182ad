#pragma once
#include "sim/replica.hpp"
#include "sim/statistics.hpp"
#include "tests/support/script.hpp"

namespace ydot::test {

/// Where and how long to measure a drift.
struct DriftProtocol {
    Step settle, segment;
    int segments = 40;
    double arrivals;  ///< expected at a synapse in a segment
};

/// Drift of the mean weight of the first projection by an arrival, over its learning rate, in each segment of a run that learns online.
inline Moments drift_of(Circuit& circuit, const DriftProtocol& protocol) {
    const auto& projection = circuit.projections()[0];
    const auto mean = [&] {
        double sum = 0;
        for (const float w : weights_of(projection)) sum += static_cast<double>(w);
        return sum / static_cast<double>(projection.synapses()) / projection.plasticity->learning_rate;
    };
    Replica replica(circuit);
    replica.learn_online();
    replica.run(protocol.settle);
    std::vector<double> drifts;
    double before = mean();
    for (int k = 0; k < protocol.segments; ++k) {
        replica.run(protocol.segment);
        const double after = mean();
        drifts.push_back((after - before) / protocol.arrivals);
        before = after;
    }
    return moments_of(drifts);
}

}  // namespace ydot::test
