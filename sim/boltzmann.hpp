#pragma once
#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>

namespace ydot {

/// A restricted Boltzmann machine of binary units (Smolensky 1986; Hinton 2002), p(v, h) = exp(b.v + c.h + h.W v) / Z.
struct BoltzmannMachine {
    Eigen::MatrixXf weights;                    ///< W, hidden x visible
    Eigen::VectorXf visible_bias, hidden_bias;  ///< b, c
};

/// log of sum over h of exp(b.v + c.h + h.W v), for each column v: the log probability of v but for log Z.
Eigen::VectorXd log_unnormalised(const BoltzmannMachine& machine, const Eigen::MatrixXf& visible);

/// log Z by summation over all states of the hidden units.
/// @throws std::invalid_argument for more than 25 of them
double log_partition(const BoltzmannMachine& machine);

struct LogPartition {
    double value = 0;
    double error = 0;  ///< standard error of the mean weight over the chains, relative to it
};
/// log Z by annealed importance sampling (Neal 2001; Salakhutdinov & Murray 2008): chains go from independent visible units with biases
/// `base` to the machine, in equal steps of the inverse temperature. The weight of a chain has mean Z over Z of the base.
/// @param seed  the result is a function of it, for any number of threads
LogPartition estimate_log_partition(const BoltzmannMachine& machine, const Eigen::VectorXf& base, std::size_t temperatures,
                                    std::size_t chains, std::uint64_t seed);

}  // namespace ydot
