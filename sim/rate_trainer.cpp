#include "sim/rate_trainer.hpp"

#include <algorithm>
#include <cmath>

#include "sim/error.hpp"
#include "sim/rate_network.hpp"

namespace ydot {
namespace {

constexpr std::size_t targets_at_a_time = 128;

/// The amplitude of an antisymmetric window.
float amplitude_of(const Projection& projection, const PairRule& rule) {
    const auto window = rule.window();
    if (!rule.additive() || window.a_plus != window.a_minus || window.tau_plus_ms != window.tau_minus_ms)
        throw Error("projections." + projection.name + ".plasticity.rule",
                    "has no rate reading here: a schedule whose phases have no `updates` needs an antisymmetric window, derivative or "
                    "recirculation",
                    {});
    return static_cast<float>(window.a_plus);
}

std::vector<RateLayer> layers_of(const Circuit& circuit, std::span<const RateSpec> units) {
    require_rates(circuit);
    std::vector<RateLayer> layers;
    for (std::size_t p = 0; p < circuit.population_count(); ++p) layers.emplace_back(circuit.population(p), units[p], circuit.seed());
    return layers;
}

std::vector<RateLink> links_of(const Circuit& circuit) {
    std::vector<RateLink> links;
    for (std::size_t p = 0; p < circuit.projections().size(); ++p) links.emplace_back(circuit, p);
    return links;
}

}  // namespace

RateTrainer::RateTrainer(Circuit& circuit, Schedule schedule, std::span<const RateSpec> units)
    : circuit_(circuit),
      schedule_(std::move(schedule)),
      layers_(layers_of(circuit, units)),
      links_(links_of(circuit)),
      sequence_(circuit, schedule_, layers_, links_),
      amplitude_(links_.size()),
      change_(layers_.size()) {
    for (std::size_t stage = schedule_.stages.size(); stage-- > 0;) begin_stage(stage);  // all are checked, the first is on
}

void RateTrainer::begin_stage(std::size_t stage) {
    stage_ = &schedule_.stages[stage];
    in_sequence_ = false;
    nudge_ = 0;
    stop_above_ = std::numeric_limits<double>::infinity();
    learns_.assign(links_.size(), 0);
    conducts_.assign(links_.size(), 0);
    noisy_ = true;
    for (const auto index : stage_->phases) {
        const auto& phase = schedule_.phases[index];
        in_sequence_ |= !phase.updates.empty();
        if (nudge_ == 0 && !phase.clamps.empty()) nudge_ = phase.nudge;
        if (phase.readout) stop_above_ = phase.stop_above;
        noisy_ &= phase.samples;
        for (std::size_t p = 0; p < learns_.size(); ++p) {
            learns_[p] |= phase.learns[p];
            conducts_[p] |= phase.conducts[p];
        }
    }
    for (auto& link : links_) link.forget_velocity();
    if (in_sequence_) return sequence_.begin_stage(*stage_);
    refuse_sequence();
    for (std::size_t p = 0; p < links_.size(); ++p)
        if (const auto& projection = links_[p].projection(); learns_[p])
            amplitude_[p] = amplitude_of(projection, stage_->rule ? *stage_->rule : *projection.plasticity->rule);
}

/// What needs phases with `updates`.
void RateTrainer::refuse_sequence() const {
    for (const auto index : stage_->phases)
        if (const auto& unlearns = schedule_.phases[index].unlearns; std::find(unlearns.begin(), unlearns.end(), 1) != unlearns.end())
            throw Error("schedule.phases." + schedule_.phases[index].name + ".unlearns", "needs a schedule whose phases have `updates`",
                        {});
    for (const auto& link : links_)
        if (link.from() == link.to())
            throw Error(
                "projections." + link.projection().name,
                "connects a population with itself; a schedule whose phases have no `updates` goes through the populations in their "
                "order",
                {});
    for (std::size_t p = 0; p < layers_.size(); ++p)
        if (!is_shown(p) && layers_[p].normalised_by_length())
            throw Error("populations." + layers_[p].population().name() + ".rate.normalisation",
                        "by length needs a schedule whose phases have `updates`", {});
}

/// Whether activity comes from outside.
bool RateTrainer::is_shown(std::size_t p) const noexcept { return p == schedule_.input || !layers_[p].receives(); }

bool RateTrainer::upward(const RateLink& link) const noexcept { return link.from() < link.to() || is_shown(link.from()); }

/// What comes to a population from below (activity) or from above (its change).
void RateTrainer::add_inputs(std::size_t p, bool up, RateMatrix& out) const {
    for_blocks(out.rows(), targets_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        out.middleRows(first, count).setZero();
        for (std::size_t k = 0; k < links_.size(); ++k)
            if (const auto& link = links_[k]; link.to() == p && upward(link) == up && conducts_[k])
                link.add_input(up ? layers_[link.from()].sent() : change_[link.from()], first, count, out, followed_by(link, links_));
    });
}

void RateTrainer::follow_signs() {
    for (auto& link : links_)
        if (link.projection().follows == Follows::sign) link.follow_signs(*followed_by(link, links_), circuit_.seed(), minibatches_);
}

void RateTrainer::drift() {
    for (auto& link : links_)
        if (link.drifts()) link.drift(circuit_.seed(), minibatches_);
}

void RateTrainer::go_up(std::span<const Presentation> images, bool learning) {
    const auto count = static_cast<Eigen::Index>(images.size());
    std::vector<std::uint32_t> trials;
    for (const auto& image : images) trials.push_back(image.trial);
    const RateLayer::Occasion occasion{trials, learning, learning && noisy_, 0};
    const auto units_of = [&](std::size_t p) { return static_cast<Eigen::Index>(layers_[p].population().size()); };
    for (std::size_t p = 0; p < layers_.size(); ++p)
        if (is_shown(p)) layers_[p].show(p == schedule_.input ? images_of(images) : RateMatrix::Ones(units_of(p), count), occasion);
    for (std::size_t p = 0; p < layers_.size(); ++p) {
        if (is_shown(p)) continue;
        layers_[p].potential().resize(units_of(p), count);
        add_inputs(p, true, layers_[p].potential());
        layers_[p].respond(occasion);
    }
}

/// @param stop  images that are known well enough change nothing
void RateTrainer::go_down(std::span<const Presentation> images, bool stop) {
    const auto count = static_cast<Eigen::Index>(images.size());
    for (std::size_t p = layers_.size(); p-- > 0;) {
        if (is_shown(p)) continue;
        auto& change = change_[p];
        const auto units = static_cast<Eigen::Index>(layers_[p].population().size());
        if (p != schedule_.readout) {
            change.resize(units, count);
            add_inputs(p, false, change);
            layers_[p].pull_back(change);
            continue;
        }
        change.setZero(units, count);
        const auto& y = layers_[p].activity();
        for (Eigen::Index k = 0; k < count; ++k) {
            const auto label = images[static_cast<std::size_t>(k)].label;
            if (stop && schedule_.code.activity(y.col(k), label) > stop_above_) continue;
            schedule_.code.write(label, change.col(k));
            change.col(k) = nudge_ * (change.col(k) - y.col(k));
        }
    }
}

std::vector<Answer> RateTrainer::answers(std::span<const Presentation> images) const {
    std::vector<Answer> answers;
    const auto& y = layers_[schedule_.readout].activity();
    for (std::size_t k = 0; k < images.size(); ++k) {
        const auto column = y.col(static_cast<Eigen::Index>(k));
        Answer answer{images[k].label, 0, false, schedule_.code.activity(column, images[k].label), 0};
        answer.answer = static_cast<std::uint8_t>(schedule_.code.answer(column));
        answers.push_back(answer);
    }
    return answers;
}

std::vector<RateLink::Product> RateTrainer::products_of(const RateLink& link) const {
    const float amplitude = amplitude_[static_cast<std::size_t>(&link - links_.data())];
    const auto gate = stage_->rule ? Gate::pre : link.projection().plasticity->gate;
    std::vector<RateLink::Product> products;
    const auto &pre = layers_[link.from()], &post = layers_[link.to()];
    if (gate != Gate::post && !is_shown(link.to())) products.push_back({&change_[link.to()], &pre.sent(), amplitude});
    if (gate != Gate::pre && !is_shown(link.from())) products.push_back({&post.sent(), &change_[link.from()], -amplitude});
    return products;
}

std::vector<Answer> RateTrainer::learn(std::span<const Presentation> batch, double factor) {
    drift();
    follow_signs();
    ++minibatches_;
    factor *= stage_->learning_factor;
    if (in_sequence_) {
        auto result = sequence_.present(batch, true);
        for (auto& link : links_)
            if (link.has_sum()) link.learn_sum(factor, batch.size());
        sequence_.remember_activity();
        return result;
    }
    go_up(batch, true);
    go_down(batch, true);
    for (std::size_t p = 0; p < links_.size(); ++p)
        if (learns_[p]) links_[p].learn(products_of(links_[p]), factor, batch.size());
    auto result = answers(batch);
    for (std::size_t k = 0; k < batch.size(); ++k)
        result[k].learned = !change_[schedule_.readout].col(static_cast<Eigen::Index>(k)).isZero(0);
    return result;
}

std::vector<std::vector<double>> RateTrainer::measure(std::span<const Presentation> images) {
    follow_signs();
    if (in_sequence_) sequence_.present(images, true);
    else {
        go_up(images, true);
        go_down(images, false);
        for (std::size_t p = 0; p < links_.size(); ++p)
            if (learns_[p]) links_[p].add(products_of(links_[p]));
    }
    std::vector<std::vector<double>> changes(links_.size());
    for (std::size_t p = 0; p < links_.size(); ++p)
        if (links_[p].plastic()) changes[p] = links_[p].take_sum();
    return changes;
}

std::vector<Answer> RateTrainer::test(std::span<const Presentation> images) {
    if (in_sequence_) return sequence_.present(images, false);
    go_up(images, false);
    return answers(images);
}

void RateTrainer::update_circuit() {
    for (const auto& link : links_)
        if (link.changes()) link.store(circuit_);
    circuit_.refresh_followers();
}

std::vector<std::vector<float>> RateTrainer::state() const {
    std::vector<std::vector<float>> state;
    for (const auto& link : links_)
        if (link.changes()) state.emplace_back(link.weights().reshaped().begin(), link.weights().reshaped().end());
    for (const auto& layer : layers_) state.push_back(layer.statistics());
    return state;
}

void RateTrainer::restore(const std::vector<std::vector<float>>& state) {
    std::size_t k = 0;
    for (auto& link : links_)
        if (link.changes()) link.set_weights(state[k++]);
    for (auto& layer : layers_) layer.set_statistics(state[k++]);
    update_circuit();
}

}  // namespace ydot
