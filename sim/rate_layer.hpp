#pragma once
#include <Eigen/Dense>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/description.hpp"
#include "sim/parallel.hpp"
#include "sim/population.hpp"

namespace ydot {

/// Units are rows, the images of a minibatch columns.
using RateMatrix = Eigen::MatrixXf;

/// f(first, count) over [0, size) in blocks of at most so many rows or columns, in parallel.
template <class F>
void for_blocks(Eigen::Index size, std::size_t at_most, const F& f) {
    parallel_for(static_cast<std::size_t>(size), at_most,
                 [&](std::size_t begin, std::size_t end) { f(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(end - begin)); });
}

/// A population in the rate reading, for a minibatch at a time:
///   y = phi(u),  what is sent: gain times y with the noise of [populations.NAME.rate].
/// With batch normalisation (Ioffe & Szegedy 2015) phi sees (u - mean) / sqrt(variance + 1e-5) + bias of each unit over the minibatch; in
/// tests over all minibatches so far, with exponentially falling weight.
/// With normalisation by length, y sqrt(n) / |y| is sent.
/// Every random number is keyed by the trial of its image, so that nothing depends on threads.
class RateLayer {
public:
    /// When and how a minibatch meets the layer.
    struct Occasion {
        std::span<const std::uint32_t> trials;  ///< one an image
        bool learning = false;                  ///< the statistics of batch normalisation are those of this minibatch
        bool noisy = false;                     ///< noise and dropout act
        std::uint32_t when = 0;                 ///< tells the noise of the phases of a presentation apart
    };
    RateLayer(const Population& population, const RateSpec& spec, std::uint64_t seed);

    const Population& population() const noexcept { return *population_; }
    bool normalised_by_length() const noexcept { return spec_.normalisation == Normalisation::length; }
    float gain() const noexcept { return static_cast<float>(spec_.gain); }
    /// Populations without inputs show their stimulus, or activity 1.
    bool receives() const noexcept { return population_->receives(); }

    /// The potential u, to be filled before respond(): size() x images, without the bias.
    RateMatrix& potential() noexcept { return potential_; }
    const RateMatrix& activity() const noexcept { return activity_; }
    const RateMatrix& sent() const noexcept { return changed_ ? sent_ : activity_; }

    /// Potential -> activity: keeps * old + (1 - keeps) * phi. @param old  null: all new
    void respond(const Occasion& occasion, const RateMatrix* old = nullptr, float keeps = 0);
    /// Moves the activity toward `target`, all the way for nudge 1.
    void move(const RateMatrix& target, float nudge, const Occasion& occasion);
    /// Activities from outside.
    void show(RateMatrix activity, const Occasion& occasion);
    /// In place, change of what is sent -> change of the potential that causes it, to first order (transposed: errors come down).
    void pull_back(RateMatrix& change) const;

    /// Running mean and variance of batch normalisation; empty without.
    const std::vector<float>& statistics() const noexcept { return statistics_; }
    void set_statistics(const std::vector<float>& statistics) { statistics_ = statistics; }

private:
    void normalise(bool learning);
    void send(const Occasion& occasion);
    void add_noise(Eigen::Index image, std::uint32_t trial, std::uint32_t when);
    std::size_t units() const noexcept { return population_->size(); }

    const Population* population_;
    RateSpec spec_;
    std::uint64_t seed_;
    RateMatrix potential_, activity_, sent_, kept_;
    Eigen::ArrayXf mean_, inverse_deviation_;
    std::vector<float> statistics_;
    bool changed_ = false, noisy_ = false;  ///< on this occasion: what is sent is not the activity; noise acts
};

}  // namespace ydot
