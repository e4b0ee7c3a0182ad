#include "sim/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "sim/error.hpp"
#include "sim/parallel.hpp"

namespace ydot {

Step Schedule::longest() const noexcept {
    Step steps = 0;
    for (const auto& phase : phases) steps += phase.readout ? std::max(phase.steps, test_readout_steps) : phase.steps;
    return steps;
}

struct Trainer::Worker {
    explicit Worker(Circuit& circuit, const Schedule& schedule, std::size_t plastic)
        : replica(circuit, schedule.longest() + circuit.window()), changes(plastic), measured(plastic) {}
    Replica replica;
    std::vector<GateTrace> gates;                     ///< by projection
    std::vector<ChangeSum> changes;                   ///< by plastic block
    std::vector<std::vector<std::int64_t>> measured;  ///< by plastic block
    BatchLearner::Scratch scratch;
    Activity activity;
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
    workers_ = std::make_unique<tbb::enumerable_thread_specific<std::unique_ptr<Worker>>>(
        [this] { return std::make_unique<Worker>(circuit_, schedule_, plastic_.size()); });
}
Trainer::~Trainer() = default;

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
        answers[i] = present(worker.replica, batch[i], true, true, &worker.gates);
        count_spikes(worker);
        if (answers[i].learned) collect_changes(worker);
    });
    apply(factor, batch.size());
    return answers;
}

std::vector<std::vector<double>> Trainer::measure(std::span<const Presentation> images) {
    in_parallel(images.size(), [&](Worker& worker, std::size_t i) {
        present(worker.replica, images[i], true, false, &worker.gates);
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
        answers[i] = present(worker.replica, images[i], false, false, nullptr);
        count_spikes(worker);
    });
    return answers;
}

Answer Trainer::show(const Presentation& image, bool teach, SpikeObserver* observer) {
    Replica replica(circuit_, schedule_.longest() + circuit_.window());
    replica.set_observer(observer);
    return present(replica, image, teach, false, nullptr);
}

/// @param teach  clamps are on and the phases behind the read-out run; without it the target never enters the replica
/// @param stop   end early when the phase says so
Answer Trainer::present(Replica& replica, const Presentation& shown, bool teach, bool stop, std::vector<GateTrace>* gates) const {
    std::vector<float> pixels(shown.image.size());
    std::transform(shown.image.begin(), shown.image.end(), pixels.begin(), stimulus_of<float>);
    replica.set_stimulus(schedule_.input, pixels);
    std::vector<float> target(circuit_.population(schedule_.readout).size(), 0.0f);
    if (teach) target[shown.label] = 1;
    replica.set_stimulus(schedule_.readout, target);
    replica.reset(shown.trial);
    if (gates) gates->assign(circuit_.projections().size(), {});

    Answer answer{shown.label, 0, false, 0, 0};
    bool answered = false;
    for (const auto& phase : schedule_.phases) {
        if (answered && !teach) break;
        for (std::size_t p = 0; p < phase.conducts.size(); ++p) {
            replica.set_conducting(p, phase.conducts[p]);
            if (!gates) continue;
            auto& gate = (*gates)[p];
            gate.open.insert(gate.open.end(), static_cast<std::size_t>(phase.steps), phase.learns[p]);
            gate.conducts.insert(gate.conducts.end(), static_cast<std::size_t>(phase.steps), phase.conducts[p]);
            gate.paired.insert(gate.paired.end(), static_cast<std::size_t>(phase.steps), phase.paired);
            answer.learned |= phase.learns[p] != 0;
        }
        keep_slopes(replica, phase, gates != nullptr);
        replica.set_nudge(schedule_.readout, 0);
        if (teach)
            for (const auto population : phase.clamps) replica.set_nudge(population, phase.nudge);
        if (phase.readout) replica.clear_activity(schedule_.readout);
        replica.run(phase.readout && !teach && schedule_.test_readout_steps > 0 ? schedule_.test_readout_steps : phase.steps);
        if (!phase.readout) continue;
        const auto activity = replica.mean_activity(schedule_.readout);
        answer.answer = static_cast<std::uint8_t>(std::max_element(activity.begin(), activity.end()) - activity.begin());
        answer.target_activity = activity[shown.label];
        answered = true;
        if (stop && answer.target_activity > phase.stop_above) {
            answer.learned = false;
            break;
        }
    }
    replica.set_nudge(schedule_.readout, 0);
    answer.steps = replica.now();
    return answer;
}

/// The causal correction needs the slopes of the steps in which its projections learn.
void Trainer::keep_slopes(Replica& replica, const Phase& phase, bool learning) const {
    const auto corrected = [&](const Plastic& plastic) {
        return circuit_.projections()[plastic.projection].plasticity->causal_factor != 0;
    };
    for (const auto& plastic : plastic_)
        if (corrected(plastic)) replica.keep_slopes(circuit_.projections()[plastic.projection].to, false);
    for (const auto& plastic : plastic_)
        if (learning && corrected(plastic) && phase.learns[plastic.projection])
            replica.keep_slopes(circuit_.projections()[plastic.projection].to, true);
}

void Trainer::count_spikes(Worker& worker) const {
    auto& activity = worker.activity;
    activity.spikes.resize(circuit_.population_count());
    for (std::size_t p = 0; p < activity.spikes.size(); ++p)
        for (Step n = 0; n < worker.replica.now(); ++n) activity.spikes[p] += worker.replica.history(p).at(n).unit.size();
    activity.steps += static_cast<std::uint64_t>(worker.replica.now());
}

Trainer::Activity Trainer::take_activity() {
    Activity total{std::vector<std::uint64_t>(circuit_.population_count()), 0};
    for (auto& worker : *workers_) {
        for (std::size_t p = 0; p < worker->activity.spikes.size(); ++p) total.spikes[p] += worker->activity.spikes[p];
        total.steps += worker->activity.steps;
        worker->activity = {};
    }
    return total;
}

void Trainer::collect_changes(Worker& worker) {
    for (std::size_t k = 0; k < plastic_.size(); ++k) {
        const auto& plastic = plastic_[k];
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
