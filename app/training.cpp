#include "app/training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>

#include "sim/random.hpp"

namespace ydot::app {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Presentations draw from disjoint ranges of trial numbers, so that no evaluation changes what training draws.
constexpr std::uint32_t validation_trials = 0x80000000u, test_trials = 0xA0000000u, probe_trials = 0xE0000000u;

}  // namespace

Training::Training(const Description& description, const std::vector<Stage>& stages, Learner& learner, const data::Split& images,
                   const GradientProbe* probe, Listener listener)
    : description_(description),
      stages_(stages),
      learner_(learner),
      images_(images),
      probe_(probe),
      listener_(std::move(listener)),
      order_(images.train.count()) {}

bool Training::learn() {
    for (std::size_t stage = 0; stage < stages_.size(); ++stage)
        if (!learn_stage(stage)) return false;
    return true;
}

bool Training::learn_stage(std::size_t index) {
    const auto& stage = stages_[index];
    learner_.begin_stage(index);
    const auto count = images_.train.count(), batch = static_cast<std::size_t>(description_.schedule.minibatch);
    const auto total = static_cast<std::size_t>(std::llround(stage.epochs * static_cast<double>(count)));
    const auto& phases = description_.schedule.phases;
    answers_ = reads_out_ = std::any_of(stage.phases.begin(), stage.phases.end(), [&](std::size_t k) { return phases[k].readout; });
    answers_ |= description_.schedule.answer != AnswerBy::readout;
    const std::string what = stages_.size() > 1 ? "training, " + stage.name : "training";
    best_state_.clear();
    best_.validation_error_percent = best_.reconstruction_error = std::nan("");
    add_point(std::nan(""), 0, {what, 0, 0, "images", 0, {}, {}});

    const auto start = Clock::now();
    const auto evaluations = static_cast<std::size_t>(description_.schedule.evaluations);
    std::size_t shown = 0, wrong = 0, learned = 0, since = 0, next_evaluation = 1;
    while (shown < total && !listener_.stopped()) {
        const auto begin = Clock::now();
        const double factor = annealing_factor(description_.schedule.annealing, static_cast<double>(shown) / static_cast<double>(total));
        const auto answers = learner_.learn(next_batch(std::min(batch, total - shown)), factor);
        training_s_ += seconds_since(begin);
        for (const auto& a : answers) {
            wrong += a.answer != a.label;
            learned += a.learned;
        }
        shown += answers.size();
        since += answers.size();
        const double done = static_cast<double>(shown) / static_cast<double>(total), elapsed = seconds_since(start);
        const double error = reads_out_ ? 100.0 * static_cast<double>(wrong) / static_cast<double>(since) : std::nan("");
        const double per_s = static_cast<double>(shown_) / training_s_, left_s = elapsed / done * (1 - done);
        Progress progress{what, done, per_s, "images", left_s, {}, {}};
        if (reads_out_) progress.error_percent = error;
        listener_.progress(progress);
        if (shown * evaluations < total * next_evaluation) continue;
        while (next_evaluation * total <= shown * evaluations) ++next_evaluation;
        add_point(error, static_cast<double>(learned) / static_cast<double>(since), progress);
        wrong = learned = since = 0;
    }
    if (index + 1 < stages_.size()) restore_best();
    metrics_["epochs"] = static_cast<double>(shown_) / static_cast<double>(count);
    metrics_["chosen_epoch"] = best_.epoch;
    if (answers_) metrics_["validation_error_percent"] = best_.validation_error_percent;
    if (!std::isnan(best_.reconstruction_error)) metrics_["reconstruction_error"] = best_.reconstruction_error;
    metrics_["images_per_s"] = training_s_ > 0 ? static_cast<double>(shown_) / training_s_ : 0;
    metrics_["training_s"] = training_s_;
    return shown >= total;
}

bool Training::test(const std::string& prefix, const std::string& stage) {
    const auto start = Clock::now();
    const auto found = score(images_.test, test_trials, stage);
    if (!found) return false;
    if (const double s = seconds_since(start); s > 0)
        metrics_[prefix + "test_images_per_s"] = static_cast<double>(images_.test.count()) / s;
    if (answers_) metrics_[prefix + "test_error_percent"] = found->error_percent;
    if (!std::isnan(found->reconstruction_error)) metrics_[prefix + "test_reconstruction_error"] = found->reconstruction_error;
    return true;
}

double annealing_factor(Annealing annealing, double done) noexcept {
    switch (annealing) {
        case Annealing::none: break;
        case Annealing::cosine: return 0.5 * (1 + std::cos(std::numbers::pi * done));
        case Annealing::linear_after_half: return std::min(1.0, 2 * (1 - done));
    }
    return 1;
}

/// The training images in an order of each epoch's own.
std::vector<Presentation> Training::next_batch(std::size_t size) {
    std::vector<Presentation> batch;
    for (const std::size_t end = shown_ + size; shown_ < end; ++shown_) {
        if (shown_ % order_.size() == 0) {
            std::iota(order_.begin(), order_.end(), 0u);
            Draws draws(static_cast<std::uint64_t>(description_.run.seed), stream_of("schedule", Purpose::shuffle),
                        static_cast<std::uint32_t>(shown_ / order_.size()));
            shuffle(std::span(order_), draws);
        }
        const auto image = order_[shown_ % order_.size()];
        batch.push_back({images_.train.image(image), images_.train.labels[image], static_cast<std::uint32_t>(shown_)});
    }
    jitter(batch);
    return batch;
}

/// Moves images and changes labels, as [data] asks for.
void Training::jitter(std::vector<Presentation>& batch) {
    const auto pixels = static_cast<std::uint32_t>(description_.data.jitter_pixels);
    const double label_noise = description_.data.label_noise;
    if (pixels == 0 && label_noise == 0) return;
    const auto size = images_.train.image_size();
    moved_.resize(pixels > 0 ? batch.size() * size : 0);
    for (std::size_t k = 0; k < batch.size(); ++k) {
        auto& shown = batch[k];
        Draws draws(static_cast<std::uint64_t>(description_.run.seed), stream_of("schedule", Purpose::jitter), shown.trial);
        const auto by = [&] { return static_cast<int>(draws.below(2 * pixels + 1)) - static_cast<int>(pixels); };
        if (pixels > 0) {
            const std::span to = std::span(moved_).subspan(k * size, size);
            const int x = by(), y = by();
            data::shift_image(shown.image, images_.train.columns, x, y, to);
            shown.image = to;
        }
        if (draws.uniform() < label_noise)
            shown.label = images_.train.labels[draws.below(static_cast<std::uint32_t>(images_.train.count()))];
    }
}

std::optional<Training::Score> Training::score(const data::ImageSet& set, std::uint32_t first_trial, const std::string& what) {
    std::vector<Presentation> all;
    for (std::size_t k = 0; k < set.count(); ++k) all.push_back({set.image(k), set.labels[k], first_trial + static_cast<std::uint32_t>(k)});
    std::size_t wrong = 0;
    double reconstruction_error = 0;
    const auto start = Clock::now();
    constexpr std::size_t piece = 256;
    for (std::size_t k = 0; k < all.size(); k += piece) {
        if (listener_.stopped()) return {};
        for (const auto& a : learner_.test(std::span(all).subspan(k, std::min(piece, all.size() - k)))) {
            wrong += a.answer != a.label;
            reconstruction_error += a.reconstruction_error;
        }
        const double done = static_cast<double>(std::min(k + piece, all.size())) / static_cast<double>(all.size()),
                     elapsed = seconds_since(start);
        listener_.progress({what, done, done * static_cast<double>(all.size()) / elapsed, "images", elapsed / done * (1 - done), {}, {}});
    }
    const auto images = static_cast<double>(all.size());
    return Score{all.empty() || !answers_ ? std::nan("") : 100.0 * static_cast<double>(wrong) / images,
                 all.empty() || reconstruction_error == 0 ? std::nan("") : reconstruction_error / images};
}

bool Training::better(const LearningPoint& point) const {
    if (best_state_.empty()) return true;
    if (answers_) return !(point.validation_error_percent > best_.validation_error_percent);
    return !(point.reconstruction_error > best_.reconstruction_error);
}

/// A point of the learning curve; the weights of the best one are kept.
void Training::add_point(double train_error, double fraction, Progress progress) {
    LearningPoint point;
    point.images = shown_;
    point.epoch = static_cast<double>(shown_) / static_cast<double>(images_.train.count());
    point.seconds = training_s_;
    point.train_error_percent = train_error;
    const auto now = score(images_.validation, validation_trials, "validating");
    if (!now) {  // stopped: the best point so far stands
        if (best_state_.empty()) best_state_ = learner_.state();
        return;
    }
    point.validation_error_percent = now->error_percent;
    point.reconstruction_error = now->reconstruction_error;
    point.learning_fraction = fraction;
    if (probe_)
        point.gradient = reads_out_ ? probe_->measure(probe_trials + static_cast<std::uint32_t>(curve_.size()) * probe_->presentations())
                                    : probe_->nothing();
    if (better(point)) {
        best_ = point;
        best_state_ = learner_.state();
    }
    curve_.push_back(point);
    listener_.point(point);
    progress.point = point;
    listener_.progress(progress);
}

}  // namespace ydot::app
