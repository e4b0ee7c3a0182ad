#include "sim/rate_layer.hpp"

#include <cmath>
#include <numbers>

namespace ydot {
namespace {

constexpr std::size_t images_at_a_time = 16, units_at_a_time = 128;
constexpr float statistics_weight = 0.1f;  // of the newest minibatch in the running mean and variance

float* column(RateMatrix& m, Eigen::Index k) { return m.data() + k * m.rows(); }

/// Number of events of a Poisson process with this mean, by inversion of one uniform number.
float poisson_count(float mean, float uniform) {
    float probability = std::exp(-mean), below = probability, count = 0;
    while (uniform >= below && count < 1000) {
        ++count;
        probability *= mean / count;
        below += probability;
        if (probability < 1e-9f && count > mean) break;
    }
    return count;
}

}  // namespace

RateLayer::RateLayer(const Population& population, const RateSpec& spec, std::uint64_t seed)
    : population_(&population), spec_(spec), seed_(seed) {
    if (spec.normalisation != Normalisation::batch) return;
    statistics_.assign(2 * units(), 0.0f);
    std::fill(statistics_.begin() + static_cast<std::ptrdiff_t>(units()), statistics_.end(), 1.0f);
}

void RateLayer::respond(const Occasion& occasion, const RateMatrix* old, float keeps) {
    if (spec_.normalisation == Normalisation::batch) normalise(occasion.learning);
    const auto bias = static_cast<float>(population_->bias());
    activity_.resize(potential_.rows(), potential_.cols());
    for_blocks(potential_.cols(), images_at_a_time, [&](Eigen::Index first, Eigen::Index images) {
        auto u = potential_.middleCols(first, images);
        u.array() += bias;
        activity_.middleCols(first, images) = u;
        population_->activities(std::span<float>(column(activity_, first), static_cast<std::size_t>(images) * units()));
        if (!old) return;
        auto y = activity_.middleCols(first, images);
        y = keeps * old->middleCols(first, images) + (1 - keeps) * y;
    });
    send(occasion);
}

void RateLayer::show(RateMatrix activity, const Occasion& occasion) {
    activity_ = std::move(activity);
    send(occasion);
}

void RateLayer::move(const RateMatrix& target, float nudge, const Occasion& occasion) {
    activity_ = (1 - nudge) * activity_ + nudge * target;
    send(occasion);
}

void RateLayer::normalise(bool learning) {
    mean_.resize(potential_.rows());
    inverse_deviation_.resize(potential_.rows());
    const auto images = static_cast<float>(potential_.cols());
    for_blocks(potential_.rows(), units_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        auto u = potential_.middleRows(first, count).array();
        auto mean = mean_.segment(first, count), inverse = inverse_deviation_.segment(first, count);
        Eigen::Map<Eigen::ArrayXf> running_mean(statistics_.data() + first, count),
            running_variance(statistics_.data() + units() + first, count);
        if (learning) {
            mean = u.rowwise().sum() / images;
            const Eigen::ArrayXf variance = (u.colwise() - mean).square().rowwise().sum() / images;
            running_mean += statistics_weight * (mean - running_mean);
            running_variance += statistics_weight * (variance - running_variance);
            inverse = (variance + 1e-5f).rsqrt();
        } else {
            mean = running_mean;
            inverse = (running_variance + 1e-5f).rsqrt();
        }
        u = (u.colwise() - mean).colwise() * inverse;
    });
}

void RateLayer::send(const Occasion& occasion) {
    noisy_ = occasion.noisy && (spec_.noise != RateNoise::none || spec_.dropout > 0);
    changed_ = noisy_ || spec_.normalisation == Normalisation::length || spec_.gain != 1;
    if (!changed_) return;
    sent_ = activity_;
    if (noisy_ && spec_.dropout > 0) kept_.resize(sent_.rows(), sent_.cols());
    for_blocks(sent_.cols(), images_at_a_time, [&](Eigen::Index first, Eigen::Index images) {
        for (Eigen::Index k = first; k < first + images; ++k) {
            if (noisy_) add_noise(k, occasion.trials[static_cast<std::size_t>(k)], occasion.when);
            auto y = sent_.col(k);
            if (spec_.normalisation == Normalisation::length) y *= std::sqrt(static_cast<float>(y.rows())) / (y.norm() + 1e-8f);
            if (spec_.gain != 1) y *= gain();
        }
    });
}

void RateLayer::add_noise(Eigen::Index image, std::uint32_t trial, std::uint32_t when) {
    float* const y = column(sent_, image);
    std::vector<std::uint32_t> words(UnitShard::padded_size(static_cast<std::uint32_t>(units()))), more;
    const auto draw = [&](std::vector<std::uint32_t>& into, std::uint32_t which, Purpose purpose) {
        into.resize(words.size());
        fill_random_words(into, seed_, 0, 2 * when + which, trial, stream_of(population_->name(), purpose));
    };
    const auto spikes = static_cast<float>(spec_.spikes);
    if (spec_.noise != RateNoise::none) draw(words, 0, Purpose::rate_noise);
    switch (spec_.noise) {
        case RateNoise::none: break;
        case RateNoise::bernoulli:
            for (std::size_t i = 0; i < units(); ++i) y[i] = to_unit_float(words[i]) < y[i] ? 1.0f : 0.0f;
            break;
        case RateNoise::poisson:
            for (std::size_t i = 0; i < units(); ++i) y[i] = poisson_count(spikes * y[i], to_unit_float(words[i])) / spikes;
            break;
        case RateNoise::gaussian:
            draw(more, 1, Purpose::rate_noise);
            for (std::size_t i = 0; i < units(); ++i) {
                const float radius = std::sqrt(-2 * std::log1p(-to_unit_float(words[i]))),
                            normal = radius * std::cos(2 * std::numbers::pi_v<float> * to_unit_float(more[i]));
                y[i] += std::sqrt(std::max(y[i], 0.0f) / spikes) * normal;
            }
            break;
    }
    if (!(spec_.dropout > 0)) return;
    draw(words, 0, Purpose::dropout);
    const auto silent = static_cast<float>(spec_.dropout);
    float* const kept = column(kept_, image);
    for (std::size_t i = 0; i < units(); ++i) {
        kept[i] = to_unit_float(words[i]) < silent ? 0.0f : 1 / (1 - silent);
        y[i] *= kept[i];
    }
}

void RateLayer::pull_back(RateMatrix& change) const {
    const auto size = [&](Eigen::Index images) { return static_cast<std::size_t>(images) * units(); };
    for_blocks(change.cols(), images_at_a_time, [&](Eigen::Index first, Eigen::Index images) {
        if (noisy_ && spec_.dropout > 0) change.middleCols(first, images).array() *= kept_.middleCols(first, images).array();
        population_->pull_back(std::span(potential_.col(first).data(), size(images)), std::span(activity_.col(first).data(), size(images)),
                               std::span(column(change, first), size(images)));
        if (spec_.gain != 1) change.middleCols(first, images) *= gain();
    });
    if (spec_.normalisation != Normalisation::batch) return;
    const auto images = static_cast<float>(change.cols()), bias = static_cast<float>(population_->bias());
    for_blocks(potential_.rows(), units_at_a_time, [&](Eigen::Index first, Eigen::Index count) {  // exact, through mean and variance
        auto v = change.middleRows(first, count).array();
        const Eigen::ArrayXXf normalised = potential_.middleRows(first, count).array() - bias;
        const Eigen::ArrayXf mean = v.rowwise().sum() / images, along = (v * normalised).rowwise().sum() / images;
        v = ((v.colwise() - mean) - normalised.colwise() * along).colwise() * inverse_deviation_.segment(first, count);
    });
}

}  // namespace ydot
