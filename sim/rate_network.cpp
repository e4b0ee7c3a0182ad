#include "sim/rate_network.hpp"

#include <algorithm>
#include <cmath>

#include "sim/error.hpp"

namespace ydot {
namespace {

/// The larger of a number and the sizes of all entries; NaN if any of them is, so that what has left the range of numbers never settles.
template <class Real, class Entries>
Real larger(Real x, const Entries& entries) {
    const Real largest = entries.cwiseAbs().template maxCoeff<Eigen::PropagateNaN>();
    return x >= largest || std::isnan(x) ? x : largest;
}

}  // namespace

void require_rates(const Circuit& circuit) {
    for (std::size_t p = 0; p < circuit.population_count(); ++p)
        if (const auto& population = circuit.population(p); !population.has_rate())
            throw Error("populations." + population.name() + ".model",
                        "has no rate reading: its units are no function y = phi(u) of their input, or vary in time", {});
}

template <class Real>
RateNetwork<Real>::RateNetwork(const Circuit& circuit) : circuit_(circuit) {
    require_rates(circuit);
    for (const auto& projection : circuit.projections()) {
        const auto& to = circuit.population(projection.to);
        Connection c{projection.from, projection.to, {}, {to.size(), circuit.population(projection.from).size()}};
        std::vector<Eigen::Triplet<Real>> entries;
        for (const auto& block : projection.blocks)
            block.for_each([&](std::uint32_t source, std::uint32_t target, auto, float w) {
                entries.emplace_back(block.first_target() + target, source, static_cast<Real>(w));
            });
        c.sparse.setFromTriplets(entries.begin(), entries.end());
        if (4 * c.sparse.nonZeros() >= c.sparse.size()) {
            c.dense = c.sparse;
            c.sparse = {};
        }
        connections_.push_back(std::move(c));
    }
}

template <class Real>
typename RateNetwork<Real>::Drive RateNetwork<Real>::no_drive() const {
    return {std::vector<Matrix>(circuit_.population_count()), std::vector<Real>(circuit_.population_count(), 0), {}};
}

template <class Real>
Eigen::Index RateNetwork<Real>::presentations(const Drive& drive) {
    Eigen::Index most = 1;
    for (const auto& stimulus : drive.stimulus) most = std::max(most, stimulus.cols());
    return most;
}

template <class Real>
typename RateNetwork<Real>::Matrix RateNetwork<Real>::bias_of(const Drive& drive, std::size_t p) const {
    const auto& population = circuit_.population(p);
    if (!population.receives() && drive.stimulus[p].size() > 0) return drive.stimulus[p];
    return Matrix::Constant(population.size(), presentations(drive), static_cast<Real>(population.bias()));
}

template <class Real>
void RateNetwork<Real>::add_input(const Drive& drive, std::size_t p, const std::vector<Matrix>& activity, Matrix& u) const {
    if (!circuit_.population(p).receives()) return;
    for (std::size_t k = 0; k < connections_.size(); ++k) {
        const auto& c = connections_[k];
        if (c.to != p || !conducts(drive, k)) continue;
        if (c.dense.size() > 0) u.noalias() += c.dense * activity[c.from];
        else u += c.sparse * activity[c.from];
    }
}

template <class Real>
void RateNetwork<Real>::add_error(const Drive& drive, std::size_t p, const std::vector<Matrix>& adjoint, Matrix& v) const {
    for (std::size_t k = 0; k < connections_.size(); ++k) {
        const auto& c = connections_[k];
        if (c.from != p || !conducts(drive, k) || !circuit_.population(c.to).receives()) continue;
        if (c.dense.size() > 0) v.noalias() += c.dense.transpose() * adjoint[c.to];
        else v += c.sparse.transpose() * adjoint[c.to];
    }
}

template <class Real>
typename RateNetwork<Real>::Matrix RateNetwork<Real>::activity_of(const Drive& drive, std::size_t p, const Matrix& u) const {
    Matrix y = u;
    circuit_.population(p).activities(std::span<Real>(y.data(), static_cast<std::size_t>(y.size())));
    if (const Real nudge = drive.nudge[p]; nudge > 0) y += nudge * (drive.stimulus[p] - y);
    return y;
}

/// v -> J^T v; nothing flows through sources, whose activity is given.
template <class Real>
void RateNetwork<Real>::pull_back(const Drive& drive, std::size_t p, const State& state, Matrix& v) const {
    if (!circuit_.population(p).receives()) return void(v.setZero());
    Matrix y = state.potential[p];
    const auto all = [](auto& m) { return std::span(m.data(), static_cast<std::size_t>(m.size())); };
    circuit_.population(p).activities(all(y));
    circuit_.population(p).pull_back(std::span<const Real>(all(state.potential[p])), std::span<const Real>(all(y)), all(v));
    v *= 1 - drive.nudge[p];
}

template <class Real>
typename RateNetwork<Real>::State RateNetwork<Real>::start(const Drive& drive) const {
    State state;
    for (std::size_t p = 0; p < circuit_.population_count(); ++p) {
        state.potential.push_back(bias_of(drive, p));
        state.activity.push_back(activity_of(drive, p, state.potential[p]));
    }
    return state;
}

template <class Real>
typename RateNetwork<Real>::State RateNetwork<Real>::settle(const Drive& drive, Real tolerance, std::size_t most_sweeps) const {
    State state = start(drive);
    Relaxation relaxation;
    while (!state.settled && state.sweeps < most_sweeps) {
        Real off = 0;
        for (std::size_t p = 0; p < circuit_.population_count(); ++p) {
            Matrix u = bias_of(drive, p);
            add_input(drive, p, state.activity, u);
            off = larger(off, u - state.potential[p]);
            state.potential[p] += relaxation.step * (u - state.potential[p]);
            state.activity[p] = activity_of(drive, p, state.potential[p]);
        }
        ++state.sweeps;
        state.settled = off <= tolerance;
        relaxation.see(off);
    }
    return state;
}

template <class Real>
std::vector<typename RateNetwork<Real>::State> RateNetwork<Real>::unroll(const Drive& drive, std::size_t steps, Real rate) const {
    std::vector<State> states{start(drive)};
    for (std::size_t t = 0; t < steps; ++t) {
        State next = states.back();
        for (std::size_t p = 0; p < circuit_.population_count(); ++p) {
            Matrix u = bias_of(drive, p);
            add_input(drive, p, states.back().activity, u);
            next.potential[p] += rate * (u - next.potential[p]);
            next.activity[p] = activity_of(drive, p, next.potential[p]);
        }
        states.push_back(std::move(next));
    }
    return states;
}

template <class Real>
Real RateNetwork<Real>::loss(Loss loss, const Matrix& y, const Matrix& t) const {
    const auto entropy = [](const auto& p, const auto& q) { return -(p.array() * q.array().log()).sum(); };
    switch (loss) {
        case Loss::cross_entropy: return entropy(t, y);
        case Loss::binary_cross_entropy: return entropy(t, y) + entropy((1 - t.array()).matrix(), (1 - y.array()).matrix());
        case Loss::squared: return (y - t).squaredNorm() / 2;
    }
    return 0;
}

template <class Real>
typename RateNetwork<Real>::Matrix RateNetwork<Real>::loss_slope(Loss loss, const Matrix& y, const Matrix& t) const {
    switch (loss) {
        case Loss::cross_entropy: return -(t.array() / y.array()).matrix();
        case Loss::binary_cross_entropy: return ((y - t).array() / (y.array() * (1 - y.array()))).matrix();
        case Loss::squared: return y - t;
    }
    return y;
}

template <class Real>
std::vector<typename RateNetwork<Real>::Matrix> RateNetwork<Real>::adjoint(const Drive& drive, const State& state, std::size_t readout,
                                                                           const Matrix& slope, Real tolerance,
                                                                           std::size_t most_sweeps) const {
    std::vector<Matrix> lambda;
    for (const auto& u : state.potential) lambda.push_back(Matrix::Zero(u.rows(), u.cols()));
    Relaxation relaxation;
    for (std::size_t sweep = 0; sweep < most_sweeps; ++sweep) {
        Real off = 0;
        for (std::size_t p = circuit_.population_count(); p-- > 0;) {
            Matrix v = p == readout ? slope : Matrix::Zero(lambda[p].rows(), lambda[p].cols());
            add_error(drive, p, lambda, v);
            pull_back(drive, p, state, v);
            off = larger(off, v - lambda[p]);
            lambda[p] += relaxation.step * (v - lambda[p]);
        }
        if (off <= tolerance) break;
        relaxation.see(off);
    }
    return lambda;
}

template <class Real>
std::vector<std::vector<typename RateNetwork<Real>::Matrix>> RateNetwork<Real>::adjoint(const Drive& drive,
                                                                                        const std::vector<State>& states, Real rate,
                                                                                        std::size_t readout, const Matrix& slope) const {
    std::vector<std::vector<Matrix>> lambda(states.size());
    for (std::size_t t = states.size(); t-- > 1;) {
        const bool last = t + 1 == states.size();
        for (std::size_t p = 0; p < circuit_.population_count(); ++p) {
            const auto& u = states[t].potential[p];
            Matrix v = last && p == readout ? slope : Matrix::Zero(u.rows(), u.cols());
            if (!last) {
                Matrix through = Matrix::Zero(u.rows(), u.cols());
                add_error(drive, p, lambda[t + 1], through);
                v += rate * through;
            }
            pull_back(drive, p, states[t], v);
            if (!last) v += (1 - rate) * lambda[t + 1][p];
            lambda[t].push_back(std::move(v));
        }
    }
    return lambda;
}

template <class Real>
std::vector<Real> RateNetwork<Real>::weight_gradient(std::size_t projection, const std::vector<Matrix>& lambda, const State& state) const {
    const auto& c = connections_[projection];
    const Matrix &error = lambda[c.to], &activity = state.activity[c.from];
    const Matrix product = c.dense.size() > 0 ? Matrix(error * activity.transpose()) : Matrix();
    std::vector<Real> gradient;
    for (const auto& block : circuit_.projections()[projection].blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, float) {
            const auto row = block.first_target() + target;
            gradient.push_back(product.size() > 0 ? product(row, source) : error.row(row).dot(activity.row(source)));
        });
    return gradient;
}

template <class Real>
std::vector<Real> RateNetwork<Real>::weight_gradient(std::size_t projection, const std::vector<std::vector<Matrix>>& lambda,
                                                     const std::vector<State>& states, Real rate) const {
    std::vector<Real> sum;
    for (std::size_t t = 1; t < states.size(); ++t) {
        const auto step = weight_gradient(projection, lambda[t], states[t - 1]);
        sum.resize(step.size());
        for (std::size_t k = 0; k < step.size(); ++k) sum[k] += rate * step[k];
    }
    return sum;
}

template <class Real>
void RateNetwork<Real>::change_weights(std::size_t projection, std::span<const Real> change) {
    auto& c = connections_[projection];
    std::size_t k = 0;
    for (const auto& block : circuit_.projections()[projection].blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, float) {
            const auto row = block.first_target() + target;
            (c.dense.size() > 0 ? c.dense(row, source) : c.sparse.coeffRef(row, source)) += change[k++];
        });
}

template class RateNetwork<float>;
template class RateNetwork<double>;

}  // namespace ydot
