#pragma once
#include <Eigen/Dense>
#include <Eigen/SparseCore>
#include <cstddef>
#include <limits>
#include <vector>

#include "sim/circuit.hpp"

namespace ydot {

/// What is minimised at the readout; y its activity, t the target, summed over units.
enum class Loss {
    cross_entropy,         ///< -sum t log y: for softmax units
    binary_cross_entropy,  ///< -sum t log y + (1 - t) log(1 - y): for logistic units
    squared                ///< sum (y - t)^2 / 2
};

/// @throws Error that names a population of the circuit without a rate reading
void require_rates(const Circuit& circuit);

/// The rate reading of a circuit: units are real numbers,
///   u_q = bias_q + sum over projections p -> q of W y_p,   y_q = (1 - nudge_q) phi_q(u_q) + nudge_q target_q,
/// with the weights that the circuit had when this was made. Sources show their stimulus. Matrices are units x presentations.
/// The exact gradient comes from the adjoint equations (Almeida 1987; Pineda 1987; for unrolled time Werbos 1990):
///   lambda_p = J_p^T (1 - nudge_p) (dL/dy_p + sum over p -> q of W^T lambda_q),   dL/dW = lambda_q y_p^T.
template <class Real>
class RateNetwork {
public:
    using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;

    /// @throws Error for a population without a rate reading
    explicit RateNetwork(const Circuit& circuit);

    /// What is done to the network; by population or projection, empty matrices and lists: nothing.
    struct Drive {
        std::vector<Matrix> stimulus;  ///< of sources; targets of clamped populations
        std::vector<Real> nudge;
        std::vector<bool> conducts;  ///< empty: all projections do
    };
    Drive no_drive() const;

    struct State {
        std::vector<Matrix> potential, activity;  ///< by population
        std::size_t sweeps = 0;
        bool settled = false;
    };
    /// The fixed point: sweeps over the populations, in their order, until no potential is off its input by more than `tolerance`. A
    /// network whose projections follow that order settles in two.
    State settle(const Drive&, Real tolerance, std::size_t most_sweeps = 1000) const;
    /// States 0 ... steps of u(t + 1) = u(t) + rate (bias + W y(t) - u(t)), all units at once, from u(0) = bias. rate = dt / tau.
    std::vector<State> unroll(const Drive&, std::size_t steps, Real rate) const;

    Real loss(Loss, const Matrix& activity, const Matrix& target) const;
    /// dL/dy
    Matrix loss_slope(Loss, const Matrix& activity, const Matrix& target) const;

    /// lambda = dL/du by population, at a settled state. @param slope  dL/dy of population `readout`
    std::vector<Matrix> adjoint(const Drive&, const State&, std::size_t readout, const Matrix& slope, Real tolerance,
                                std::size_t most_sweeps = 1000) const;
    /// dL/dw of every synapse of a projection, summed over presentations, in the order of SynapseBlock::for_each, block by block.
    std::vector<Real> weight_gradient(std::size_t projection, const std::vector<Matrix>& adjoint, const State&) const;
    /// Both for the unrolled network, loss at the last step: adjoints of steps 1 ... steps, and the gradient summed over time.
    std::vector<std::vector<Matrix>> adjoint(const Drive&, const std::vector<State>&, Real rate, std::size_t readout,
                                             const Matrix& slope) const;
    std::vector<Real> weight_gradient(std::size_t projection, const std::vector<std::vector<Matrix>>& adjoints, const std::vector<State>&,
                                      Real rate) const;

    /// Adds to the weights of a projection, one number for each synapse in that order; the circuit keeps its own.
    void change_weights(std::size_t projection, std::span<const Real> change);

    const Circuit& circuit() const noexcept { return circuit_; }

private:
    /// How far a sweep moves: all the way, and half as far whenever ten sweeps have brought it no nearer. A loop that would swing to and
    /// fro settles then as units with a membrane time constant do.
    struct Relaxation {
        Real step = 1, nearest = std::numeric_limits<Real>::infinity();
        int sweeps = 0;
        void see(Real off) noexcept {
            ++sweeps;
            if (off < Real(0.99) * nearest) {
                nearest = off;
                sweeps = 0;
            } else if (sweeps >= 10) {
                step /= 2;
                sweeps = 0;
                nearest = off;
            }
        }
    };
    using Sparse = Eigen::SparseMatrix<Real>;
    struct Connection {
        std::size_t from, to;
        Matrix dense;  ///< to x from; empty: sparse holds the weights
        Sparse sparse;
    };
    void add_input(const Drive&, std::size_t population, const std::vector<Matrix>& activity, Matrix& u) const;
    void add_error(const Drive&, std::size_t population, const std::vector<Matrix>& adjoint, Matrix& v) const;
    Matrix bias_of(const Drive&, std::size_t population) const;
    Matrix activity_of(const Drive&, std::size_t population, const Matrix& u) const;
    void pull_back(const Drive&, std::size_t population, const State&, Matrix& v) const;
    State start(const Drive&) const;
    static bool conducts(const Drive& drive, std::size_t projection) { return drive.conducts.empty() || drive.conducts[projection]; }
    static Eigen::Index presentations(const Drive&);

    const Circuit& circuit_;
    std::vector<Connection> connections_;
};

extern template class RateNetwork<float>;
extern template class RateNetwork<double>;

}  // namespace ydot
