#include "sim/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "sim/error.hpp"
#include "sim/parallel.hpp"

namespace ydot {

struct Trainer::Worker {
    explicit Worker(Circuit& circuit, const Schedule& schedule, std::size_t plastic)
        : replica(circuit, schedule.longest() + circuit.window()), changes(plastic), measured(plastic) {}
    Replica replica;
    std::vector<GateTrace> gates;                     ///< by projection
    std::vector<ChangeSum> changes;                   ///< by plastic block
    std::vector<std::vector<std::int64_t>> measured;  ///< by plastic block
    BatchLearner::Scratch scratch;
    Activity activity;
    std::vector<Activity> peers;  ///< by population: of its units, in the steps that pull them toward their peers
};

Trainer::Trainer(Circuit& circuit, Schedule schedule) : circuit_(circuit), schedule_(std::move(schedule)) {
    for (auto& projection : circuit.projections())
        for (auto& block : projection.blocks) block.deliver_in_half_precision();
    for (std::size_t p = 0; p < circuit.projections().size(); ++p) {
        const auto& projection = circuit.projections()[p];
        if (!projection.plasticity) continue;
        for (std::size_t b = 0; b < projection.blocks.size(); ++b)
            plastic_.push_back({p, b, BatchLearner(*projection.plasticity, projection.site, circuit.dt_ms()), {}});
    }
    for (std::size_t p = 0; p < circuit.projections().size(); ++p) {
        const auto& plasticity = circuit.projections()[p].plasticity;
        const bool unlearns =
            std::any_of(schedule_.phases.begin(), schedule_.phases.end(), [&](const Phase& phase) { return phase.unlearns[p]; });
        varies_.push_back(plasticity && (unlearns || plasticity->rule->layer_factor()));
        if (varies_[p]) check(circuit.projections()[p]);
    }
    begin_stage(0);
    workers_ = std::make_unique<tbb::enumerable_thread_specific<std::unique_ptr<Worker>>>(
        [this] { return std::make_unique<Worker>(circuit_, schedule_, plastic_.size()); });
}
Trainer::~Trainer() = default;

/// Strengths other than 1 are known for arrivals only.
void Trainer::check(const Projection& projection) const {
    const auto& plasticity = *projection.plasticity;
    if (plasticity.gate != Gate::pre || projection.site != DelaySite::axonal || plasticity.rule->window().pairing != Pairing::all)
        throw Error("projections." + projection.name + ".plasticity",
                    "a projection that unlearns, or waits for its layer, needs gate = \"pre\", pairing = \"all\" and axonal delays", {});
}

void Trainer::begin_stage(std::size_t stage) {
    stage_ = &schedule_.stages[stage];
    learns_ = schedule_.learning(*stage_);
    label_phases_ = schedule_.label_phases(*stage_);
    last_needed_ = 0;
    for (const auto k : stage_->phases)
        if (const auto& phase = schedule_.phases[k]; phase.readout || phase.paired || phase.teaches()) last_needed_ = k;
    std::vector<const LayerFactor*> factors(learns_.size());
    for (std::size_t p = 0; p < factors.size(); ++p)
        if (learns_[p]) factors[p] = circuit_.projections()[p].plasticity->rule->layer_factor();
    jury_ = jury_of(circuit_, factors);
    for (auto& plastic : plastic_) plastic.velocity.clear();
    pulled_.clear();
    for (std::size_t p = 0; p < factors.size(); ++p)
        if (factors[p] && factors[p]->peer_normalisation > 0) pulled_.push_back(p);
    usual_.assign(circuit_.population_count(), {});
    pull_.assign(circuit_.projections().size(), {});
}

template <class F>
void Trainer::in_parallel(std::size_t count, F&& f) {
    parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
        Worker& worker = *workers_->local();
        for (std::size_t i = begin; i < end; ++i) f(worker, i);
    });
}

std::vector<Answer> Trainer::learn(std::span<const Presentation> batch, double factor) {
    std::vector<Answer> answers(batch.size());
    in_parallel(batch.size(), [&](Worker& worker, std::size_t i) {
        answers[i] = present(worker.replica, batch[i], {.teach = true, .stop = true, .gates = &worker.gates});
        count_spikes(worker);
        if (!answers[i].learned) return;
        collect_changes(worker);
        count_peers(worker);
    });
    apply(factor * stage_->learning_factor, batch.size());
    remember_activity();
    return answers;
}

std::vector<std::vector<double>> Trainer::measure(std::span<const Presentation> images) {
    in_parallel(images.size(), [&](Worker& worker, std::size_t i) {
        present(worker.replica, images[i], {.teach = true, .gates = &worker.gates});
        collect_changes(worker);
        move_changes(worker);
    });
    std::vector<std::vector<double>> measured(circuit_.projections().size());
    for (std::size_t k = 0; k < plastic_.size(); ++k) {
        const auto& block = circuit_.projections()[plastic_[k].projection].blocks[plastic_[k].block];
        std::vector<std::int64_t> total(block.weights().size());
        for (auto& worker : *workers_) {
            for (std::size_t i = 0; i < worker->measured[k].size(); ++i) total[i] += worker->measured[k][i];
            worker->measured[k].clear();
        }
        const auto changes = plastic_[k].learner.changes_in(block, total);
        auto& all = measured[plastic_[k].projection];
        all.insert(all.end(), changes.begin(), changes.end());
    }
    return measured;
}

std::vector<Answer> Trainer::test(std::span<const Presentation> images) {
    std::vector<Answer> answers(images.size());
    in_parallel(images.size(), [&](Worker& worker, std::size_t i) {
        answers[i].label = images[i].label;
        if (schedule_.answer == AnswerBy::goodness) {
            answer_by_goodness(worker.replica, images[i], answers[i]);
        } else {
            answers[i] = present(worker.replica, images[i], {});
        }
        count_spikes(worker);
    });
    return answers;
}

Answer Trainer::show(const Presentation& image, bool teach, SpikeObserver* observer) {
    Replica replica(circuit_, schedule_.longest() + circuit_.window());
    replica.set_observer(observer);
    return present(replica, image, {.teach = teach});
}

/// Without a teacher the target never enters the replica.
Answer Trainer::present(Replica& replica, const Presentation& shown, const Manner& manner) const {
    prepare(replica, shown);
    if (manner.gates) manner.gates->assign(circuit_.projections().size(), {});
    Answer answer{shown.label, 0, false, 0, 0};
    std::vector<double> liking(schedule_.code.labels, 1);
    bool answered = false;
    for (const auto index : stage_->phases) {
        const auto& phase = schedule_.phases[index];
        if (manner.gates && index > last_needed_) break;
        conduct(replica, phase);
        keep_slopes(replica, phase, manner.gates != nullptr);
        show_targets(replica, phase, shown, manner.teach, {}, liking);
        if (phase.readout) replica.clear_activity(schedule_.readout);
        if (!manner.teach && index == stage_->phases.back()) replica.clear_activity(schedule_.input);
        replica.run(phase.readout && !manner.teach && schedule_.test_readout_steps > 0 ? schedule_.test_readout_steps : phase.steps);
        if (manner.gates) note_gates(replica, phase, *manner.gates);
        answer.learned |= phase.teaches();
        if (!phase.readout) continue;
        answered = true;
        const auto activity = replica.mean_activity(schedule_.readout);
        for (std::size_t label = 0; label < liking.size(); ++label) liking[label] = schedule_.code.activity(activity, label);
        answer.answer = static_cast<std::uint8_t>(schedule_.code.answer(activity));
        answer.target_activity = liking[shown.label];
        if (!manner.teach) break;
        if (manner.stop && answer.target_activity > phase.stop_above) {
            answer.learned = false;
            break;
        }
    }
    replica.set_nudge(schedule_.readout, 0);
    answer.steps = replica.now();
    if (!manner.teach && !answered && circuit_.population(schedule_.input).receives()) {
        const auto made = replica.mean_activity(schedule_.input);
        for (std::size_t i = 0; i < made.size(); ++i)
            answer.reconstruction_error += std::pow(made[i] - stimulus_of<double>(shown.image[i]), 2);
    }
    return answer;
}

/// The image and, at the label population, all labels alike.
void Trainer::prepare(Replica& replica, const Presentation& shown) const {
    std::vector<float> pixels(shown.image.size());
    std::transform(shown.image.begin(), shown.image.end(), pixels.begin(), stimulus_of<float>);
    replica.set_stimulus(schedule_.input, pixels);
    if (schedule_.label) {
        const auto labels = circuit_.population(*schedule_.label).size();
        replica.set_stimulus(*schedule_.label, std::vector<float>(labels, 1 / static_cast<float>(labels)));
    }
    replica.reset(shown.trial);
}

void Trainer::conduct(Replica& replica, const Phase& phase) const {
    for (std::size_t p = 0; p < phase.conducts.size(); ++p) replica.set_conducting(p, phase.conducts[p]);
}

/// @param tried   the label population shows this label, whatever the phase says
/// @param liking  by label, what the readout made of the image
void Trainer::show_targets(Replica& replica, const Phase& phase, const Presentation& shown, bool teach, std::optional<std::size_t> tried,
                           std::span<const double> liking) const {
    replica.set_nudge(schedule_.readout, 0);
    replica.set_nudge(schedule_.input, 0);
    for (const auto population : phase.clamps) {
        if (population == schedule_.input) {
            replica.set_nudge(population, phase.nudge);
            continue;
        }
        if (!teach && !tried && phase.target != TargetLabel::neutral) continue;
        const bool is_label = schedule_.label && population == *schedule_.label;
        const LabelCode code = is_label ? LabelCode{circuit_.population(population).size()} : schedule_.code;
        std::vector<float> target(circuit_.population(population).size(), 0.0f);
        if (phase.target == TargetLabel::neutral && !tried) std::fill(target.begin(), target.end(), 1 / static_cast<float>(target.size()));
        else code.write(tried ? *tried : shown_label(phase.target, shown.label, code.labels, liking, circuit_.seed(), shown.trial), target);
        replica.set_stimulus(population, target);
        if (!is_label) replica.set_nudge(population, phase.nudge);
    }
}

/// Of a phase that has just ended.
void Trainer::note_gates(const Replica& replica, const Phase& phase, std::vector<GateTrace>& gates) const {
    std::vector<std::optional<double>> goodness(circuit_.population_count());
    for (std::size_t p = 0; p < gates.size(); ++p) {
        const auto& projection = circuit_.projections()[p];
        const bool learns = phase.learns[p], unlearns = phase.unlearns[p];
        gates[p].append(phase.steps, learns || unlearns, phase.paired, phase.conducts[p]);
        if (!varies_[p]) continue;
        float strength = unlearns ? -1.0f : 1.0f;
        if (const auto* factor = projection.plasticity->rule->layer_factor(); factor && (learns || unlearns)) {
            auto& of_layer = goodness[projection.to];
            if (!of_layer) of_layer = goodness_of(replica, projection.to, phase.steps);
            strength *= static_cast<float>(surprise(*factor, *of_layer, static_cast<double>(circuit_.population(projection.to).size()),
                                                    static_cast<double>(strength)));
        }
        gates[p].strength.insert(gates[p].strength.end(), static_cast<std::size_t>(phase.steps), strength);
    }
    for (const auto p : pulled_) {
        gates[p].pulled.insert(gates[p].pulled.end(), static_cast<std::size_t>(phase.steps), phase.learns[p]);
        gates[p].pull = pull_[p];
    }
}

/// Spikes of a unit in so many steps at activity 1.
double Trainer::full_count(std::size_t population, std::uint64_t steps) const noexcept {
    return circuit_.population(population).full_rate_Hz() * 1e-3 * circuit_.dt_ms() * static_cast<double>(steps);
}

/// Sum of squared activities in the last steps, from spike counts: n (n - 1) has the expectation of a squared mean count.
double Trainer::goodness_of(const Replica& replica, std::size_t population, Step steps) const {
    std::vector<std::uint32_t> count(circuit_.population(population).size());
    for (Step n = replica.now() - steps; n < replica.now(); ++n)
        for (const auto unit : replica.history(population).at(n).unit) ++count[unit];
    const double full = full_count(population, static_cast<std::uint64_t>(steps));
    double goodness = 0;
    for (const double n : count) goodness += n * (n - 1);
    return goodness / (full * full);
}

/// Tries every label in the phases that show the right one while learning.
void Trainer::answer_by_goodness(Replica& replica, const Presentation& shown, Answer& answer) const {
    const auto labels = circuit_.population(*schedule_.label).size();
    double best = -std::numeric_limits<double>::infinity();
    for (std::size_t label = 0; label < labels; ++label) {
        prepare(replica, shown);
        for (const auto index : label_phases_) {
            const auto& phase = schedule_.phases[index];
            const bool last = index == label_phases_.back();
            conduct(replica, phase);
            show_targets(replica, phase, shown, false, label, {});
            if (last)
                for (const auto p : jury_.populations) replica.clear_activity(p);
            replica.run(last && schedule_.test_readout_steps > 0 ? schedule_.test_readout_steps : phase.steps);
        }
        double goodness = 0;
        for (const auto p : jury_.populations)
            for (const double y : replica.mean_activity(p)) goodness += y * y;
        if (static_cast<double>(jury_.direction) * goodness <= best) continue;
        best = static_cast<double>(jury_.direction) * goodness;
        answer.answer = static_cast<std::uint8_t>(label);
    }
}

/// The causal correction needs the slopes of the steps in which its projections learn.
void Trainer::keep_slopes(Replica& replica, const Phase& phase, bool learning) const {
    const auto corrected = [&](const Plastic& plastic) {
        return circuit_.projections()[plastic.projection].plasticity->causal_factor != 0;
    };
    for (const auto& plastic : plastic_)
        if (corrected(plastic)) replica.keep_slopes(circuit_.projections()[plastic.projection].to, false);
    for (const auto& plastic : plastic_)
        if (learning && corrected(plastic) && (phase.learns[plastic.projection] || phase.unlearns[plastic.projection]))
            replica.keep_slopes(circuit_.projections()[plastic.projection].to, true);
}

void Trainer::count_spikes(Worker& worker) const {
    auto& activity = worker.activity;
    activity.spikes.resize(circuit_.population_count());
    for (std::size_t p = 0; p < activity.spikes.size(); ++p)
        for (Step n = 0; n < worker.replica.now(); ++n) activity.spikes[p] += worker.replica.history(p).at(n).unit.size();
    activity.steps += static_cast<std::uint64_t>(worker.replica.now());
}

/// Of a presentation; a population that several projections pull counts in the steps of the first.
void Trainer::count_peers(Worker& worker) const {
    if (pulled_.empty()) return;
    std::vector<std::uint8_t> counted(circuit_.population_count());
    worker.peers.resize(counted.size());
    for (const auto p : pulled_) {
        const auto to = circuit_.projections()[p].to;
        if (std::exchange(counted[to], 1)) continue;
        auto& peers = worker.peers[to];
        peers.spikes.resize(circuit_.population(to).size());
        const auto& pulled = worker.gates[p].pulled;
        for (std::size_t n = 0; n < pulled.size(); ++n) {
            if (!pulled[n]) continue;
            for (const auto unit : worker.replica.history(to).at(static_cast<Step>(n)).unit) ++peers.spikes[unit];
            ++peers.steps;
        }
    }
}

/// Of a minibatch.
void Trainer::remember_activity() {
    if (pulled_.empty()) return;
    for (std::size_t q = 0; q < usual_.size(); ++q) {
        Activity all;
        for (auto& worker : *workers_)
            if (q < worker->peers.size()) all.take(worker->peers[q]);
        if (all.steps == 0) continue;
        const double full = full_count(q, all.steps);
        Eigen::VectorXf mean(static_cast<Eigen::Index>(all.spikes.size()));
        std::transform(all.spikes.begin(), all.spikes.end(), mean.begin(),
                       [&](std::uint64_t n) { return static_cast<float>(static_cast<double>(n) / full); });
        usual_[q].add(mean);
    }
    for (const auto p : pulled_) {
        const auto& projection = circuit_.projections()[p];
        const auto& rule = *projection.plasticity->rule;
        const auto window = rule.window();
        const double pairs_per_activity = (window.a_plus * window.tau_plus_ms - window.a_minus * window.tau_minus_ms) * 1e-3 *
                                          circuit_.population(projection.to).full_rate_Hz();
        const Eigen::VectorXf pull =
            static_cast<float>(rule.layer_factor()->peer_normalisation * pairs_per_activity) * usual_[projection.to].below_peers();
        pull_[p].assign(pull.begin(), pull.end());
    }
}

void Trainer::Activity::take(Activity& other) {
    spikes.resize(std::max(spikes.size(), other.spikes.size()));
    for (std::size_t k = 0; k < other.spikes.size(); ++k) spikes[k] += other.spikes[k];
    steps += other.steps;
    other = {};
}

Trainer::Activity Trainer::take_activity() {
    Activity total{std::vector<std::uint64_t>(circuit_.population_count()), 0};
    for (auto& worker : *workers_) total.take(worker->activity);
    return total;
}

void Trainer::collect_changes(Worker& worker) {
    for (std::size_t k = 0; k < plastic_.size(); ++k) {
        const auto& plastic = plastic_[k];
        if (!learns_[plastic.projection]) continue;
        const auto& projection = circuit_.projections()[plastic.projection];
        const auto slopes =
            projection.plasticity->causal_factor != 0 ? worker.replica.slopes(projection.to, plastic.block) : std::span<const float>{};
        plastic.learner.accumulate(projection.blocks[plastic.block], worker.replica.history(projection.from),
                                   worker.replica.history(projection.to), worker.gates[plastic.projection], slopes, worker.scratch,
                                   worker.changes[k]);
    }
}

/// From the integers of a presentation to those of a measurement, which have room for any number of them.
void Trainer::move_changes(Worker& worker) const {
    for (std::size_t k = 0; k < plastic_.size(); ++k) {
        auto& sum = worker.changes[k].sum;
        worker.measured[k].resize(sum.size());
        for (std::size_t i = 0; i < sum.size(); ++i) {
            if (std::abs(sum[i]) > ChangeSum::full / 2) refuse_full(k, 1);
            worker.measured[k][i] += sum[i];
        }
        std::fill(sum.begin(), sum.end(), 0);
    }
}

void Trainer::refuse_full(std::size_t k, std::size_t images) const {
    throw Error("projections." + circuit_.projections()[plastic_[k].projection].name + ".plasticity",
                "a synapse saw more than a hundred thousand pairs of spikes in " + std::to_string(images) +
                    (images == 1 ? " presentation" : " presentations of a minibatch: take smaller minibatches"),
                {}, Error::Kind::run_failure);
}

std::vector<std::vector<float>> Trainer::state() const {
    std::vector<std::vector<float>> weights;
    for (const auto& p : circuit_.projections())
        for (const auto& block : p.blocks) weights.emplace_back(block.weights().begin(), block.weights().end());
    return weights;
}

void Trainer::restore(const std::vector<std::vector<float>>& state) {
    std::size_t k = 0;
    for (auto& p : circuit_.projections())
        for (auto& block : p.blocks) {
            std::copy(state[k].begin(), state[k].end(), block.weights().begin());
            block.refresh_halves(0, block.sources());
            ++k;
        }
}

/// Of the threads that presented something.
std::vector<ChangeSum*> Trainer::changes_of(std::size_t k) {
    std::vector<ChangeSum*> changes;
    for (auto& worker : *workers_)
        if (!worker->changes[k].sum.empty()) changes.push_back(&worker->changes[k]);
    return changes;
}

void Trainer::apply(double factor, std::size_t images) {
    for (std::size_t k = 0; k < plastic_.size(); ++k) {
        auto& plastic = plastic_[k];
        if (!learns_[plastic.projection]) continue;
        auto& block = circuit_.projections()[plastic.projection].blocks[plastic.block];
        const auto changes = changes_of(k);
        std::atomic<bool> complete{true};
        plastic.learner.prepare(block, plastic.velocity);
        parallel_for(block.sources(), 64, [&](std::size_t begin, std::size_t end) {
            if (!plastic.learner.apply(block, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), changes, plastic.velocity,
                                       factor, images))
                complete = false;
        });
        if (!complete) refuse_full(k, images);
    }
    circuit_.refresh_followers();
}

}  // namespace ydot
