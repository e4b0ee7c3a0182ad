#include "sim/rate_sequence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/error.hpp"
#include "sim/parallel.hpp"

namespace ydot {
namespace {

constexpr std::size_t targets_at_a_time = 128, short_list_length = 3;
constexpr std::uint32_t at_the_start = 0x7FFFFFFF;  // RateLayer::Occasion::when of what is shown; no phase has it

bool contains(const std::vector<std::size_t>& list, std::size_t x) { return std::find(list.begin(), list.end(), x) != list.end(); }

}  // namespace

RateMatrix images_of(std::span<const Presentation> images) {
    RateMatrix shown(static_cast<Eigen::Index>(images.empty() ? 0 : images[0].image.size()), static_cast<Eigen::Index>(images.size()));
    parallel_for(images.size(), 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k)
            std::transform(images[k].image.begin(), images[k].image.end(), shown.col(static_cast<Eigen::Index>(k)).begin(),
                           stimulus_of<float>);
    });
    return shown;
}

RateSequence::RateSequence(const Circuit& circuit, const Schedule& schedule, std::vector<RateLayer>& layers, std::vector<RateLink>& links)
    : circuit_(circuit), schedule_(schedule), layers_(layers), links_(links), kept_(schedule.phases.size()) {
    for (const auto& phase : schedule.phases)
        if (phase.keeps_of) kept_[*phase.keeps_of] = 1;
}

void RateSequence::begin_stage(const Stage& stage) {
    stage_ = &stage;
    readings_.assign(links_.size(), {});
    judges_.clear();
    chains_.assign(schedule_.phases.size(), {});
    label_phases_ = schedule_.label_phases(stage);
    const auto learning = schedule_.learning(stage);
    std::vector<const LayerFactor*> factors(links_.size());
    for (std::size_t k = 0; k < links_.size(); ++k) {
        if (!learning[k]) continue;
        const auto& projection = links_[k].projection();
        const auto& rule = stage.rule ? *stage.rule : *projection.plasticity->rule;
        const auto window = rule.window();
        const bool symmetric = window.a_plus == -window.a_minus;
        if (!rule.additive() || window.tau_plus_ms != window.tau_minus_ms || (!symmetric && window.a_plus != window.a_minus))
            throw Error("projections." + projection.name + ".plasticity.rule",
                        "has no rate reading: run.mode = \"rate\" needs a symmetric or an antisymmetric window: derivative, recirculation, "
                        "hebbian or goodness",
                        {});
        readings_[k] = {static_cast<float>(window.a_plus), symmetric, stage.rule ? Gate::pre : projection.plasticity->gate};
        if (const auto* factor = rule.layer_factor()) {
            const auto same = std::find_if(judges_.begin(), judges_.end(),
                                           [&](const Judge& j) { return j.population == projection.to && j.factor == *factor; });
            readings_[k].judge = static_cast<std::size_t>(same - judges_.begin());
            if (same == judges_.end()) judges_.push_back({projection.to, *factor});
            factors[k] = factor;
        }
    }
    jury_ = jury_of(circuit_, factors);
    steady_.assign(layers_.size(), 1);
    for (const auto index : stage.phases) {
        const auto& phase = schedule_.phases[index];
        for (const auto p : phase.updates) steady_[p] = 0;
        for (const auto p : phase.clamps) steady_[p] = 0;
    }
}

std::vector<Answer> RateSequence::present(std::span<const Presentation> images, bool teach) {
    Minibatch batch;
    batch.images = images;
    for (const auto& image : images) {
        batch.trials.push_back(image.trial);
        batch.answers.push_back({.label = image.label, .answer = 0, .learned = teach, .target_activity = 0});
    }
    batch.teach = teach;
    for (auto& by : judges_) by.presentations = 0;
    batch.before.resize(layers_.size());
    batch.after.resize(schedule_.phases.size());
    drives_.assign(links_.size(), {});
    lessons_.assign(links_.size(), {});
    start(batch);
    for (const auto phase : stage_->phases) {
        run(batch, phase);
        if (!schedule_.phases[phase].readout) continue;
        read_out(batch);
        if (!teach) break;
    }
    learn_from_steady();
    measure_reconstruction(batch);
    if (!teach && schedule_.answer != AnswerBy::readout) answer_by_goodness(batch);
    return batch.answers;
}

void RateSequence::start(Minibatch& batch) {
    const auto count = static_cast<Eigen::Index>(batch.images.size());
    const bool samples = batch.teach && schedule_.phases[stage_->phases.front()].samples;
    for (std::size_t p = 0; p < layers_.size(); ++p) {
        if (steady_[p] && !batch.tried.empty()) continue;  // still shows what the first start showed
        const RateLayer::Occasion occasion{batch.trials, batch.teach, samples && steady_[p], at_the_start};
        const auto units = static_cast<Eigen::Index>(layers_[p].population().size());
        if (p == schedule_.input) layers_[p].show(images_of(batch.images), occasion);
        else if (p == schedule_.label) layers_[p].show(RateMatrix::Constant(units, count, 1 / static_cast<float>(units)), occasion);
        else layers_[p].show(RateMatrix::Constant(units, count, layers_[p].receives() ? 0.0f : 1.0f), occasion);
    }
}

void RateSequence::run(Minibatch& batch, std::size_t index) {
    const auto& phase = schedule_.phases[index];
    const bool learns = batch.teach && phase.teaches();
    batch.goodness.assign(batch.images.size(), 0);
    const auto occasion_of = [&](std::size_t repeat) {
        return RateLayer::Occasion{batch.trials, batch.teach, batch.teach && phase.samples,
                                   static_cast<std::uint32_t>(index << 16 | (repeat & 0xFFFF))};
    };
    if (batch.teach && phase.persists) resume(phase, index, occasion_of(0xFFFF));
    for (std::size_t repeat = 0; repeat < phase.repeats; ++repeat) {
        const auto occasion = occasion_of(repeat);
        if (learns)
            for (const auto& list : {phase.updates, phase.clamps})
                for (const auto p : list) batch.before[p] = layers_[p].activity();
        for (const auto p : phase.clamps)
            if (!contains(phase.updates, p)) clamp(batch, phase, p, occasion);
        for (const auto p : phase.updates) {
            update(batch, index, p, occasion);
            if (phase.clamps_population(p)) clamp(batch, phase, p, occasion);
        }
        if (learns) learn(batch, phase);
        if (repeat >= phase.repeats / 4) add_goodness(batch);
    }
    if (batch.teach && phase.persists) remember(phase, index);
    if (!kept_[index]) return;
    batch.after[index].clear();
    for (const auto& layer : layers_) batch.after[index].push_back(layer.activity());
}

/// The chains of a phase go on where they were. What is sent is drawn anew from their activity.
void RateSequence::resume(const Phase& phase, std::size_t index, const RateLayer::Occasion& occasion) {
    const auto& chains = chains_[index];
    const auto count = static_cast<Eigen::Index>(occasion.trials.size());
    for (std::size_t k = 0; k < chains.size(); ++k)
        if (chains[k].cols() >= count) layers_[phase.updates[k]].show(chains[k].leftCols(count), occasion);
}

/// A smaller minibatch, the last of an epoch, leaves the other chains as they are.
void RateSequence::remember(const Phase& phase, std::size_t index) {
    auto& chains = chains_[index];
    chains.resize(phase.updates.size());
    for (std::size_t k = 0; k < chains.size(); ++k) {
        const auto& y = layers_[phase.updates[k]].activity();
        if (chains[k].cols() < y.cols()) chains[k] = y;
        else chains[k].leftCols(y.cols()) = y;
    }
}

void RateSequence::update(Minibatch& batch, std::size_t index, std::size_t p, const RateLayer::Occasion& occasion) {
    const auto& phase = schedule_.phases[index];
    auto& layer = layers_[p];
    auto& u = layer.potential();
    u.resize(layer.activity().rows(), layer.activity().cols());
    std::vector<std::size_t> changing, standing, first_asked;
    for (std::size_t k = 0; k < links_.size(); ++k) {
        if (links_[k].to() != p || !phase.conducts[k]) continue;
        (steady_[links_[k].from()] ? standing : changing).push_back(k);
        if (!steady_[links_[k].from()] || drives_[k].size() > 0) continue;
        first_asked.push_back(k);
        drives_[k].resize(u.rows(), u.cols());
    }
    for_blocks(u.rows(), targets_at_a_time, [&](Eigen::Index first, Eigen::Index count) {
        const auto add_input = [&](std::size_t k, RateMatrix& out) {
            links_[k].add_input(layers_[links_[k].from()].sent(), first, count, out, followed_by(links_[k], links_));
        };
        u.middleRows(first, count).setZero();
        for (const auto k : first_asked) {
            drives_[k].middleRows(first, count).setZero();
            add_input(k, drives_[k]);
        }
        for (const auto k : standing) u.middleRows(first, count) += drives_[k].middleRows(first, count);
        for (const auto k : changing) add_input(k, u);
    });
    if (phase.keeps == 0) return layer.respond(occasion);
    const RateMatrix old = phase.keeps_of ? batch.after[*phase.keeps_of][p] : layer.activity();
    layer.respond(occasion, &old, phase.keeps);
}

/// Without a teacher only what says nothing of the label is shown, or the label that is being tried.
void RateSequence::clamp(const Minibatch& batch, const Phase& phase, std::size_t p, const RateLayer::Occasion& occasion) {
    if (!batch.teach && phase.target != TargetLabel::neutral && (batch.tried.empty() || p != schedule_.label)) return;
    layers_[p].move(target_of(batch, phase, p), phase.nudge, occasion);
}

std::size_t RateSequence::label_for(const Minibatch& batch, const Phase& phase, std::size_t k, std::size_t labels) const {
    if (!batch.tried.empty()) return batch.tried[k];
    std::vector<double> liking;
    const auto& y = layers_[schedule_.readout].activity();
    if (phase.target == TargetLabel::hard)
        for (std::size_t label = 0; label < schedule_.code.labels; ++label)
            liking.push_back(schedule_.code.activity(y.col(static_cast<Eigen::Index>(k)), label));
    return shown_label(phase.target, batch.images[k].label, labels, liking, circuit_.seed(), batch.images[k].trial);
}

RateMatrix RateSequence::target_of(const Minibatch& batch, const Phase& phase, std::size_t p) const {
    const auto units = static_cast<Eigen::Index>(layers_[p].population().size()), count = static_cast<Eigen::Index>(batch.images.size());
    if (phase.target == TargetLabel::neutral && batch.tried.empty())
        return RateMatrix::Constant(units, count, 1 / static_cast<float>(units));
    const LabelCode code = p == schedule_.label ? LabelCode{layers_[p].population().size()} : schedule_.code;
    RateMatrix target = RateMatrix::Zero(units, count);
    for (Eigen::Index k = 0; k < count; ++k) code.write(label_for(batch, phase, static_cast<std::size_t>(k), code.labels), target.col(k));
    return target;
}

void RateSequence::learn(const Minibatch& batch, const Phase& phase) {
    for (const float sign : {1.0f, -1.0f}) {
        const auto& learning = sign > 0 ? phase.learns : phase.unlearns;
        judge(learning, sign);
        for (std::size_t k = 0; k < links_.size(); ++k)
            if (learning[k]) learn_link(batch, links_[k], k, sign);
    }
}

/// What the layers of the projections that learn now say of every image.
void RateSequence::judge(const std::vector<std::uint8_t>& learning, float sign) {
    std::vector<std::size_t> wanted;
    for (std::size_t k = 0; k < links_.size(); ++k)
        if (const auto by = readings_[k].judge; learning[k] && by && !contains(wanted, *by)) wanted.push_back(*by);
    for (const auto index : wanted) {
        auto& by = judges_[index];
        const auto& y = layers_[by.population].activity();
        const Eigen::ArrayXf goodness = y.colwise().squaredNorm().transpose();
        const Eigen::VectorXf factor = surprise(by.factor, goodness, static_cast<float>(y.rows()), sign);
        by.post = y * factor.asDiagonal();
        if (by.factor.peer_normalisation == 0 || sign < 0) continue;
        if (const Eigen::VectorXf below = by.usual.below_peers(); below.size() > 0)
            by.post.colwise() += static_cast<float>(by.factor.peer_normalisation) * below;
        if (by.presentations == 0) by.activity.setZero(y.rows());
        by.activity += y.rowwise().sum();
        by.presentations += y.cols();
    }
}

void RateSequence::remember_activity() {
    for (auto& by : judges_) {
        if (by.presentations == 0) continue;
        by.usual.add(by.activity / static_cast<float>(by.presentations));
        by.presentations = 0;
    }
}

void RateSequence::learn_link(const Minibatch& batch, RateLink& link, std::size_t index, float sign) {
    const auto [amplitude, symmetric, gate, judge] = readings_[index];
    const auto &pre = layers_[link.from()], &post = layers_[link.to()];
    const float factor = sign * amplitude;
    const auto add = [&](const RateMatrix& of_post) {
        if (!steady_[link.from()]) {
            const RateLink::Product product{&of_post, &pre.sent(), factor};
            return link.add(std::span(&product, 1));
        }
        auto& lessons = lessons_[index];
        if (lessons.size() == 0) lessons = factor * of_post;
        else lessons += factor * of_post;
    };
    if (symmetric) return add(judge ? judges_[*judge].post : post.activity());
    const auto change_of = [&](std::size_t p) -> RateMatrix {
        if (batch.before[p].size() == 0) return RateMatrix::Zero(layers_[p].activity().rows(), layers_[p].activity().cols());
        return layers_[p].activity() - batch.before[p];
    };
    if (gate != Gate::post) add(change_of(link.to()));
    if (gate == Gate::pre) return;
    const RateMatrix pre_change = change_of(link.from());
    const RateLink::Product product{&post.sent(), &pre_change, -factor};
    link.add(std::span(&product, 1));
}

void RateSequence::learn_from_steady() {
    for (std::size_t k = 0; k < links_.size(); ++k) {
        if (lessons_[k].size() == 0) continue;
        const RateLink::Product product{&lessons_[k], &layers_[links_[k].from()].sent(), 1};
        links_[k].add(std::span(&product, 1));
    }
}

void RateSequence::read_out(Minibatch& batch) const {
    const auto& y = layers_[schedule_.readout].activity();
    for (std::size_t k = 0; k < batch.answers.size(); ++k) {
        const auto column = y.col(static_cast<Eigen::Index>(k));
        auto& answer = batch.answers[k];
        answer.answer = static_cast<std::uint8_t>(schedule_.code.answer(column));
        answer.target_activity = schedule_.code.activity(column, answer.label);
    }
}

void RateSequence::add_goodness(Minibatch& batch) const {
    for (const auto p : jury_.populations)
        for (std::size_t k = 0; k < batch.goodness.size(); ++k)
            batch.goodness[k] += static_cast<double>(layers_[p].activity().col(static_cast<Eigen::Index>(k)).squaredNorm());
}

/// All labels, the one that the readout likes best first.
std::vector<std::size_t> RateSequence::labels_by_liking(std::size_t image) const {
    const auto liked = layers_[schedule_.readout].activity().col(static_cast<Eigen::Index>(image));
    std::vector<std::size_t> labels(circuit_.population(*schedule_.label).size());
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    std::stable_sort(labels.begin(), labels.end(),
                     [&](std::size_t a, std::size_t b) { return schedule_.code.activity(liked, a) > schedule_.code.activity(liked, b); });
    return labels;
}

/// The best of all labels, or of a short list of those that the readout likes most.
void RateSequence::answer_by_goodness(Minibatch& batch) {
    std::vector<std::vector<std::size_t>> candidates;
    for (std::size_t k = 0; k < batch.images.size(); ++k) candidates.push_back(labels_by_liking(k));
    const std::size_t labels = circuit_.population(*schedule_.label).size(),
                      tries = schedule_.answer == AnswerBy::short_list ? std::min(short_list_length, labels) : labels;
    std::vector<double> best(batch.images.size(), -std::numeric_limits<double>::infinity());
    for (std::size_t rank = 0; rank < tries; ++rank) {
        batch.tried.clear();
        for (const auto& list : candidates) batch.tried.push_back(list[rank]);
        start(batch);
        for (const auto index : label_phases_) run(batch, index);
        for (std::size_t k = 0; k < best.size(); ++k) {
            const double goodness = static_cast<double>(jury_.direction) * batch.goodness[k];
            if (goodness <= best[k]) continue;
            best[k] = goodness;
            batch.answers[k].answer = static_cast<std::uint8_t>(batch.tried[k]);
        }
    }
    batch.tried.clear();
}

void RateSequence::measure_reconstruction(Minibatch& batch) const {
    if (!layers_[schedule_.input].receives()) return;
    const RateMatrix off = layers_[schedule_.input].activity() - images_of(batch.images);
    for (std::size_t k = 0; k < batch.answers.size(); ++k)
        batch.answers[k].reconstruction_error = static_cast<double>(off.col(static_cast<Eigen::Index>(k)).squaredNorm());
}

}  // namespace ydot
