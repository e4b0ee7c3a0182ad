#pragma once
#include <Eigen/Dense>
#include <vector>

#include "sim/trainer.hpp"

namespace ydot {

/// The rate reading of a presentation in time: the step loop of Replica in which every unit sends its expected number of spikes instead of
/// spikes. It keeps the delays, the filters, the phases and the finite nudge of a schedule and lacks what is random: the noise, what noise
/// does to curved phi, and the causal term of law L3. Exact for linear units that do not learn while they run.
class MeanField {
public:
    /// @throws Error for a population without a rate reading, nearest-neighbour pairing, dendritic delays
    MeanField(const Circuit& circuit, const Schedule& schedule);

    /// Changes that the plastic projections would make, pre and post spikes independent given their rates: by projection (empty: not
    /// plastic) and synapse in the order of SynapseBlock::for_each. As Trainer::measure() of one image, without noise.
    std::vector<std::vector<double>> changes(const Presentation& shown) const;

private:
    using Matrix = Eigen::MatrixXf;  // units x steps, or targets x sources
    struct Delivery {                ///< the synapses of one projection with one delay
        std::size_t projection;
        Step delay;
        Matrix weight;
    };
    std::vector<UnitShard> start(const Presentation& shown) const;
    void step(std::vector<UnitShard>& units, const Phase& phase, Step n, std::vector<Matrix>& expected) const;
    std::vector<Matrix> expected_spikes(const Presentation& shown) const;
    GateTrace gate_of(std::size_t projection) const;
    Matrix kernel(const Plasticity& plasticity, const GateTrace& gate, const Matrix& post) const;

    const Circuit& circuit_;
    Schedule schedule_;
    std::vector<Delivery> deliveries_;
};

}  // namespace ydot
