#include "sim/rate_link.hpp"

#include <cmath>
#include <utility>

#include "sim/error.hpp"
#include "sim/matrix_product.hpp"
#include "sim/parallel.hpp"
#include "sim/population.hpp"
#include "sim/quantiles.hpp"
#include "sim/random.hpp"

namespace ydot {
namespace {

constexpr std::size_t sources_at_a_time = 128;

template <class F>
void for_synapses(const Projection& projection, const F& f) {
    for (const auto& block : projection.blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, const float& w) {
            f(static_cast<Eigen::Index>(block.first_target()) + target, static_cast<Eigen::Index>(source), w);
        });
}

}  // namespace

RateLink::RateLink(const Circuit& circuit, std::size_t projection) : projection_(&circuit.projections()[projection]), index_(projection) {
    const auto targets = static_cast<Eigen::Index>(circuit.population(to()).size()),
               sources = static_cast<Eigen::Index>(circuit.population(from()).size());
    weight_ = RateMatrix::Zero(targets, sources);
    mask_ = RateMatrix::Zero(targets, sources);
    for_synapses(*projection_, [&](Eigen::Index target, Eigen::Index source, float w) {
        weight_(target, source) += w;
        mask_(target, source) += 1;
    });
    if (plastic() && mask_.size() > 0 && mask_.maxCoeff() > 1)
        throw Error("projections." + projection_->name,
                    "has several plastic synapses between the same two units; the rate reading needs one", {});
    if (const double synapses = mask_.cast<double>().sum(); drifts() && synapses > 0) {
        const double mean = weight_.cast<double>().sum() / synapses, square = weight_.cast<double>().squaredNorm() / synapses;
        mean_ = static_cast<float>(mean);
        std_ = static_cast<float>(std::sqrt(std::max(square - mean * mean, 0.0)));
    }
    if ((mask_.array() > 0).all()) mask_.resize(0, 0);
}

void RateLink::add_input(const RateMatrix& y, Eigen::Index first, Eigen::Index count, RateMatrix& out, const RateLink* forward) const {
    if (forward && projection_->follows == Follows::transpose)
        add_transposed_product(projection_->gain, forward->weight_.middleCols(first, count), y, out.middleRows(first, count));
    else add_product(1, weight_.middleRows(first, count), y, out.middleRows(first, count));
}

void RateLink::add_products(std::span<const Product> products, Eigen::Index first, Eigen::Index count) {
    auto sum = sum_.middleCols(first, count);
    for (const auto& p : products) add_outer_product(p.factor, *p.post, p.pre->middleRows(first, count), sum);
    if (mask_.size() > 0) sum.array() *= mask_.middleCols(first, count).array();
}

void RateLink::change_weights(double factor, std::size_t images, Eigen::Index first, Eigen::Index count) {
    const auto& plasticity = *projection_->plasticity;
    const auto rate = static_cast<float>(plasticity.learning_rate * factor), momentum = static_cast<float>(plasticity.momentum);
    const auto keep = static_cast<float>(std::pow(1 - plasticity.decay * factor, static_cast<double>(images)));
    auto change = sum_.middleCols(first, count), w = weight_.middleCols(first, count);
    if (plasticity.manhattan) change = change.array().sign();
    if (momentum > 0) {
        auto v = velocity_.middleCols(first, count);
        v = momentum * v + change;
        w = keep * w + rate * v;
    } else w = keep * w + rate * change;
    for (Eigen::Index s = 0; s < count; ++s) {
        const Bounds bounds = plasticity.of_source[static_cast<std::size_t>(first + s)];
        if (std::isfinite(bounds.low) || std::isfinite(bounds.high)) w.col(s) = w.col(s).cwiseMax(bounds.low).cwiseMin(bounds.high);
    }
    if (mask_.size() > 0) w.array() *= mask_.middleCols(first, count).array();  // limits may have lifted what does not exist
}

void RateLink::learn(std::span<const Product> products, double factor, std::size_t images) {
    sum_.resizeLike(weight_);
    start_velocity();
    for_blocks(weight_.cols(), sources_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        sum_.middleCols(first, count).setZero();
        add_products(products, first, count);
        change_weights(factor, images, first, count);
    });
}

void RateLink::add(std::span<const Product> products) {
    const bool first_part = !std::exchange(has_sum_, true);
    sum_.resizeLike(weight_);
    for_blocks(weight_.cols(), sources_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        if (first_part) sum_.middleCols(first, count).setZero();
        add_products(products, first, count);
    });
}

void RateLink::learn_sum(double factor, std::size_t images) {
    start_velocity();
    for_blocks(weight_.cols(), sources_at_a_time,
               [&](Eigen::Index first, Eigen::Index count) { change_weights(factor, images, first, count); });
    has_sum_ = false;
}

void RateLink::start_velocity() {
    if (projection_->plasticity->momentum > 0 && velocity_.size() == 0) velocity_ = RateMatrix::Zero(weight_.rows(), weight_.cols());
}

std::vector<double> RateLink::take_sum() {
    std::vector<double> changes;
    changes.reserve(projection_->synapses());
    for_synapses(*projection_, [&](Eigen::Index target, Eigen::Index source, float) {
        changes.push_back(has_sum_ ? static_cast<double>(sum_(target, source)) : 0);
    });
    has_sum_ = false;
    return changes;
}

void RateLink::follow_signs(const RateLink& forward, std::uint64_t seed, std::uint32_t refresh) {
    if (magnitudes_.size() == 0 || projection_->magnitudes == Magnitudes::redrawn) {
        magnitudes_.resizeLike(weight_);
        parallel_for(static_cast<std::size_t>(weight_.cols()), sources_at_a_time, [&](std::size_t begin, std::size_t end) {
            for (std::size_t s = begin; s < end; ++s)
                for (Eigen::Index t = 0; t < weight_.rows(); ++t)
                    magnitudes_(t, static_cast<Eigen::Index>(s)) =
                        projection_->magnitude(seed, refresh, static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(t));
        });
    }
    for_blocks(weight_.cols(), sources_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        weight_.middleCols(first, count) =
            magnitudes_.middleCols(first, count).array() * forward.weight_.middleRows(first, count).transpose().array().sign();
    });
}

void RateLink::drift(std::uint64_t seed, std::uint32_t minibatch) {
    static const Quantiles normal({.distribution = Distribution::normal, .mean = 0, .std = 1});
    const auto stream = stream_of(projection_->name, Purpose::drift);
    const float keep = std::sqrt(1 - projection_->drift * projection_->drift), step = projection_->drift * std_;
    parallel_for(static_cast<std::size_t>(weight_.cols()), sources_at_a_time, [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t> words(UnitShard::padded_size(static_cast<std::uint32_t>(weight_.rows())));
        for (std::size_t s = begin; s < end; ++s) {
            fill_random_words(words, seed, 0, minibatch, static_cast<std::uint32_t>(s), stream);
            auto w = weight_.col(static_cast<Eigen::Index>(s));
            for (Eigen::Index t = 0; t < w.size(); ++t)
                w[t] = mean_ + keep * (w[t] - mean_) + step * normal(words[static_cast<std::size_t>(t)]);
            if (mask_.size() > 0) w.array() *= mask_.col(static_cast<Eigen::Index>(s)).array();
        }
    });
}

void RateLink::set_weights(std::span<const float> weights) { std::copy(weights.begin(), weights.end(), weight_.data()); }

void RateLink::store(Circuit& circuit) const {
    for (auto& block : circuit.projections()[index_].blocks) {
        for (std::uint32_t source = 0; source < block.sources(); ++source)
            for (std::size_t d = 0; d < block.delays().size(); ++d) {
                const auto row = block.row(source, d);
                const std::size_t synapses = row.target ? row.weight.size() : block.targets();
                for (std::size_t k = 0; k < synapses; ++k)
                    row.weight[k] = weight_(block.first_target() + (row.target ? row.target[k] : static_cast<std::uint32_t>(k)), source);
            }
        block.refresh_halves(0, block.sources());
    }
}

}  // namespace ydot
