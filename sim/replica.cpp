#include "sim/replica.hpp"

#include <algorithm>

#include "sim/lanes.hpp"
#include "sim/parallel.hpp"

namespace ydot {

// One step, n -> n + 1. The order is part of the model definition; tests/sim/order_test.cpp has a test for each law.
//   arrive  spikes emitted at n - delay (delay >= 1) add their weight, as it is before this step's learning, to the input of step n
//   update  units take the input of n and decide who fires in n
//   learn   each arrival and each spike of n sees the other side's trace, in which a spike of the same step counts half
//   observe read-outs see the state after all of the above; a spike of step n has the time (n + 1) dt, the end of the step, and a frame of
//   that time
//           the state at the end of the step
// A window is as long as the smallest delay: nothing emitted in it arrives in it, so its shards run in parallel, in any order.

void Replica::run(Step steps) {
    for (const Step end = now_ + steps; now_ < end;) run_window(std::min(end, now_ + window_));
}

void Replica::run_window(Step last) {
    const auto run_shard = [&](Shard& shard) {
        if (circuit_.population(shard.population).continuous()) run_continuously(shard, last);
        else run_on_grid(shard, last);
    };
    const auto run_tasks = [&](std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k) {
            if (k < partitions_.size()) run_partition(k, last);
            else run_shard(shards_[alone_[k - partitions_.size()]]);
        }
    };
    for (auto& frames : frames_)
        frames.values.resize(static_cast<std::size_t>(frames.probe.frames_before(last) - frames.probe.frames_before(now_)) * frames.width);
    const std::size_t tasks = partitions_.size() + alone_.size();
    if (parallel_ && tasks > 1 && threads_at_hand() > 1) parallel_for(tasks, 1, run_tasks);
    else run_tasks(0, tasks);
    publish(last);
    if (online_) circuit_.refresh_followers();
    now_ = last;
}

void Replica::run_on_grid(Shard& shard, Step last) {
    for (Step n = now_; n < last; ++n) {
        arrive(shard, n);
        step(shard, n);
    }
}

void Replica::run_partition(std::size_t k, Step last) {
    auto& partition = partitions_[k];
    const auto& synapses = circuit_.static_synapses()[k];
    for (; partition.sent < now_; ++partition.sent)
        for (std::size_t p = 0; p < histories_.size(); ++p)
            synapses.send(partition.sent, p, emitted(p, partition.sent), partition.arrivals);
    for (Step n = now_; n < last; ++n) {
        synapses.deliver(n, partition.arrivals, partition.input.data());
        for (const auto s : partition.shards) {
            arrive(shards_[s], n);
            step(shards_[s], n);
        }
    }
}

void Replica::step(Shard& shard, Step n) {
    record(shard, n);
    inject(shard, n);
    update(shard, n);
    learn(shard, n);
    observe(shard);
}

/// The state in which the last step has left the shard.
void Replica::record(const Shard& shard, Step n) {
    for (const auto& part : shard.parts) {
        auto& [probe, width, values] = frames_[part.probe];
        if (!probe.due(n)) continue;
        float* out = values.data() + static_cast<std::size_t>(probe.frames_before(n) - probe.frames_before(now_)) * width + part.at;
        if (probe.projection) {
            for (const auto& in : shard.incoming)
                if (in.projection == *probe.projection) in.block->settle();  // pointers know nothing of what is owed
            for (const float* weight : part.weights) *out++ = *weight;
        } else if (probe.variable == Probe::current)
            for (const auto unit : part.units) *out++ = shard.units.current_pA[unit];
        else circuit_.population(shard.population).sample(shard.units, probe.variable, part.units, out);
    }
}

void Replica::inject(Shard& shard, Step n) {
    if (!shard.currents.empty())
        shard.currents.fill({circuit_.seed(), trial_}, circuit_.dt_ms(), n, shard.units.first, shard.units.current_pA);
}

void Replica::arrive(Shard& shard, Step n) {
    if (shard.has_input) std::fill(shard.units.input.begin(), shard.units.input.end(), 0.0f);
    for (const auto& in : shard.incoming) {
        const auto& projection = circuit_.projections()[in.projection];
        if (!conducting_[in.projection]) continue;
        float* const input = shard.units.input.data() + projection.port * shard.units.padded;
        for (std::size_t d = 0; d < in.block->delays().size(); ++d) {
            const Step emission = n - in.block->delays()[d];
            const auto spikes = emitted(projection.from, emission);
            const float* const efficacy = efficacies(in.projection, emission);
            if (in.learner) in.learner->deliver(n, d, spikes, efficacy, projection.scale, input);
            else in.block->deliver(spikes, d, efficacy, projection.scale, input);
        }
    }
    add_background(shard, n);
}

void Replica::add_background(Shard& shard, Step n) {
    const auto& background = circuit_.background(shard.population);
    if (background.thresholds.empty()) return;
    fill_random_words(shard.units.words, circuit_.seed(), shard.units.first, static_cast<std::uint32_t>(n), trial_, background.stream);
    add_counts(shard.units.words.data(), background.thresholds, background.weight, shard.units.input.data(), shard.units.padded);
}

void Replica::update(Shard& shard, Step n) {
    auto& out = shard.out[static_cast<std::size_t>(n - now_)];
    out.clear();
    circuit_.population(shard.population).step(shard.units, {circuit_.seed(), trial_}, n, out);
    if (shard.units.wants_slope && !shard.slopes.empty()) {
        const std::size_t stride = shard.units.stride(), at = static_cast<std::size_t>(n) * stride;
        if (at + stride <= shard.slopes.size())
            std::copy_n(shard.units.slope.begin(), stride, shard.slopes.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

/// A dendritic delay d lies behind the synapse: the pre spike is there when it is emitted, the post spike d after it fired. Seen from the
/// arrival at the soma, d later, the post spike counts 2 d after it fired.
void Replica::learn(Shard& shard, Step n) {
    if (!online_) return;
    for (auto& in : shard.incoming) {
        if (!in.learner) continue;
        const auto& projection = circuit_.projections()[in.projection];
        shard.arrivals.clear();
        for (const auto delay : in.block->delays())
            shard.arrivals.push_back(conducting_[in.projection] ? emitted(projection.from, n - delay) : std::span<const std::uint32_t>{});
        shard.fired.clear();
        const bool axonal = projection.site == DelaySite::axonal;
        for (const auto unit : axonal ? std::span<const std::uint32_t>(shard.out[static_cast<std::size_t>(n - now_)].unit)
                                      : emitted(projection.to, n - 2 * in.block->delays()[0]))
            if (unit - shard.units.first < shard.units.count) shard.fired.push_back(unit - shard.units.first);
        const auto third = projection.plasticity->third_factor;
        in.learner->step(n, shard.arrivals, shard.fired, shard.units.wants_slope ? shard.units.slope.data() : nullptr,
                         third ? emitted(*third, n - in.block->delays()[0]).size() : 0);
    }
}

void Replica::observe(Shard& shard) {
    if (!shard.sums_activity) return;
    for (std::size_t i = 0; i < shard.units.count; ++i) shard.activity_sum[i] += static_cast<double>(shard.units.activity[i]);
    ++shard.activity_steps;
}

/// Spikes of the window enter the history, shard by shard.
void Replica::publish(Step last) {
    for (Step n = now_; n < last; ++n) {
        for (auto& history : histories_) history.at(n).clear();
        for (auto& shard : shards_) histories_[shard.population].at(n).append(shard.out[static_cast<std::size_t>(n - now_)]);
        weaken(n);
    }
    if (observer_)
        for (std::size_t p = 0; p < histories_.size(); ++p) report(p, last);
    report_frames();
}

void Replica::report_frames() {
    for (std::size_t k = 0; k < frames_.size(); ++k)
        for (std::size_t at = 0; at < frames_[k].values.size(); at += frames_[k].width)
            frame_observer_->frame(k, std::span<const float>(frames_[k].values).subspan(at, frames_[k].width));
}

/// Short-term plasticity: what the spikes of step n will be worth when they arrive.
void Replica::weaken(Step n) {
    for (auto& [projection, state, efficacy] : weakened_) {
        const auto& spikes = histories_[circuit_.projections()[projection].from].at(n);
        auto& factors = efficacy[static_cast<std::size_t>(n) % efficacy.size()];
        factors.clear();
        for (std::size_t k = 0; k < spikes.unit.size(); ++k)
            factors.push_back(state.spike(spikes.unit[k], static_cast<double>(n) + static_cast<double>(spikes.offset_of(k))));
    }
}

const float* Replica::efficacies(std::size_t projection, Step n) const noexcept {
    if (n < 0 || weakened_.empty()) return nullptr;
    for (const auto& weakened : weakened_)
        if (weakened.projection == projection) return weakened.efficacy[static_cast<std::size_t>(n) % weakened.efficacy.size()].data();
    return nullptr;
}

void Replica::report(std::size_t population, Step last) {
    times_.clear();
    ids_.clear();
    for (Step n = now_; n < last; ++n) {
        const auto& spikes = histories_[population].at(n);
        for (std::size_t k = 0; k < spikes.unit.size(); ++k) {
            const double offset = spikes.offset.empty() ? 1.0 : static_cast<double>(spikes.offset[k]);
            times_.push_back((static_cast<double>(n) + offset) * circuit_.dt_ms());
            ids_.push_back(spikes.unit[k]);
        }
        if (!spikes.offset.empty()) sort_by_time(times_.size() - spikes.unit.size());
    }
    if (!times_.empty()) observer_->spikes(population, times_, ids_);
}

/// Spikes in continuous time come shard by shard and unit by unit.
void Replica::sort_by_time(std::size_t first) {
    std::vector<std::pair<double, std::uint64_t>> spikes;
    for (std::size_t k = first; k < times_.size(); ++k) spikes.emplace_back(times_[k], ids_[k]);
    std::sort(spikes.begin(), spikes.end());
    for (std::size_t k = first; k < times_.size(); ++k) std::tie(times_[k], ids_[k]) = spikes[k - first];
}

std::span<const std::uint32_t> Replica::emitted(std::size_t population, Step n) const noexcept {
    if (n < 0) return {};
    return histories_[population].at(n).unit;
}

// ---- continuous time --------------------------------------------------------------------------------------------------------------

struct Replica::Arrival {
    double time;
    std::size_t incoming, delay_index;
    std::uint32_t source;
    float efficacy;
};

/// Everything that reaches the shard in the window, by time; simultaneous arrivals in the order of projections and sources.
std::vector<Replica::Arrival> Replica::arrivals_of(const Shard& shard, Step last) const {
    std::vector<Arrival> arrivals;
    for (std::size_t i = 0; i < shard.incoming.size(); ++i) {
        const auto& in = shard.incoming[i];
        if (!conducting_[in.projection]) continue;
        for (std::size_t d = 0; d < in.block->delays().size(); ++d)
            for (Step n = now_; n < last; ++n) {
                const Step emission = n - in.block->delays()[d];
                if (emission < 0) continue;
                const auto& spikes = histories_[circuit_.projections()[in.projection].from].at(emission);
                const float* const efficacy = efficacies(in.projection, emission);
                for (std::size_t k = 0; k < spikes.unit.size(); ++k)
                    arrivals.push_back({static_cast<double>(n) + static_cast<double>(spikes.offset_of(k)), i, d, spikes.unit[k],
                                        efficacy ? efficacy[k] : 1.0f});
            }
    }
    std::stable_sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
    return arrivals;
}

/// Inside a window the units of a shard go from arrival to arrival; their spikes between two arrivals come from thinning.
void Replica::run_continuously(Shard& shard, Step last) {
    const auto& population = circuit_.population(shard.population);
    const StepKey key{circuit_.seed(), trial_};
    const std::span<SpikeList> out(shard.out.data(), static_cast<std::size_t>(last - now_));
    for (auto& list : out) list.clear();
    double time = static_cast<double>(now_);
    const auto advance = [&](double to) {
        if (to <= time) return;
        std::vector<std::size_t> before;
        for (const auto& list : out) before.push_back(list.unit.size());
        population.advance(shard.units, key, {time, to}, now_, out);
        if (online_) learn_between(shard, before, out);
        time = to;
    };
    for (const auto& arrival : arrivals_of(shard, last)) {
        advance(arrival.time);
        auto& in = shard.incoming[arrival.incoming];
        std::fill(shard.units.input.begin(), shard.units.input.end(), 0.0f);
        in.block->deliver({&arrival.source, 1}, arrival.delay_index, arrival.efficacy * circuit_.projections()[in.projection].scale,
                          shard.units.input.data());
        population.arrive(shard.units);
        if (in.learner)
            in.learner->arrive(arrival.time, arrival.source, arrival.delay_index,
                               shard.units.wants_slope ? shard.units.slope.data() : nullptr);
    }
    advance(static_cast<double>(last));
    observe(shard);
}

/// The spikes that thinning has just added, in order of time.
void Replica::learn_between(Shard& shard, std::span<const std::size_t> before, std::span<const SpikeList> out) {
    std::vector<std::pair<double, std::uint32_t>> spikes;
    for (std::size_t s = 0; s < out.size(); ++s)
        for (std::size_t k = before[s]; k < out[s].unit.size(); ++k)
            spikes.emplace_back(static_cast<double>(now_) + static_cast<double>(s) + static_cast<double>(out[s].offset[k]),
                                out[s].unit[k] - shard.units.first);
    std::sort(spikes.begin(), spikes.end());
    for (const auto& [time, unit] : spikes)
        for (auto& in : shard.incoming)
            if (in.learner) in.learner->fire(time, unit);
}

// ---- set-up -----------------------------------------------------------------------------------------------------------------------

Replica::Replica(Circuit& circuit, Step remembered) : circuit_(circuit), window_(circuit.window()) {
    const auto kept = static_cast<std::size_t>(std::max(2 * circuit.longest_delay() + window_ + 1, remembered));
    for (std::size_t p = 0; p < circuit.population_count(); ++p) {
        histories_.emplace_back(kept);
        const auto layout = circuit.shards_of(p);
        for (std::size_t s = 0; s < layout.size(); ++s) {
            Shard shard{p, s,
                        UnitShard(layout[s].first, layout[s].second, circuit.population(p).variables(), circuit.population(p).ports())};
            shard.out.resize(static_cast<std::size_t>(window_));
            for (std::size_t q = 0; q < circuit.projections().size(); ++q)
                if (auto& projection = circuit.projections()[q];
                    projection.to == p && !projection.blocks.empty() && !projection.blocks[s].delays().empty())
                    shard.incoming.push_back({q, &projection.blocks[s], nullptr});
            shard.currents = ShardCurrents(circuit.stimuli(), p, shard.units);
            if (!shard.currents.empty()) shard.units.current_pA.resize(shard.units.padded);
            shard.has_input = !shard.incoming.empty() || !circuit.background(p).thresholds.empty();
            shards_.push_back(std::move(shard));
        }
    }
    for (std::size_t q = 0; q < circuit.projections().size(); ++q)
        if (const auto& projection = circuit.projections()[q]; projection.short_term)
            weakened_.push_back({q, ShortTermState(*projection.short_term, circuit.population(projection.from).size(), circuit.dt_ms()),
                                 std::vector<std::vector<float>>(kept)});
    form_partitions();
    conducting_.assign(circuit.projections().size(), 1);
    reset(0);
}

void Replica::form_partitions() {
    std::vector<std::uint8_t> taken(shards_.size(), 0);
    for (const auto& synapses : circuit_.static_synapses()) {
        Partition partition{{}, std::vector<std::int32_t>(synapses.slots()), Arrivals(synapses.longest_delay())};
        std::int32_t* counts = partition.input.data();
        for (const auto& target : synapses.targets())
            for (std::size_t s = 0; s < shards_.size(); ++s)
                if (auto& shard = shards_[s]; shard.population == target.units.population && shard.units.first == target.units.first) {
                    partition.shards.push_back(s);
                    taken[s] = 1;
                    shard.units.counts = std::exchange(counts, counts + target.slots());
                    shard.units.count_unit = synapses.weight_unit();
                }
        partitions_.push_back(std::move(partition));
    }
    for (std::size_t s = 0; s < shards_.size(); ++s)
        if (!taken[s]) alone_.push_back(s);
}

void Replica::reset(std::uint32_t trial) {
    now_ = 0;
    trial_ = trial;
    for (auto& history : histories_) history.clear();
    for (auto& weakened : weakened_) weakened.state.reset();
    for (auto& partition : partitions_) {
        std::fill(partition.input.begin(), partition.input.end(), 0);
        partition.arrivals.clear();
        partition.sent = 0;
    }
    for (auto& shard : shards_) {
        circuit_.population(shard.population).reset(shard.units, {circuit_.seed(), trial});
        shard.currents.reset(shard.units.current_pA);
        for (auto& in : shard.incoming)
            if (in.learner) in.learner->reset();
    }
}

void Replica::set_stimulus(std::size_t population, std::span<const float> values) {
    for_shards_of(population, [&](Shard& shard) {
        std::copy_n(values.begin() + shard.units.first, shard.units.count, shard.units.stimulus.begin());
        if (now_ > 0) circuit_.population(population).stimulate(shard.units, now_);  // else reset() does
    });
}
void Replica::set_nudge(std::size_t population, float nudge) {
    for_shards_of(population, [&](Shard& shard) { shard.units.nudge = nudge; });
}
void Replica::set_conducting(std::size_t projection, bool conducts) { conducting_[projection] = conducts; }

void Replica::learn_online() {
    online_ = true;
    for (auto& shard : shards_)
        for (auto& in : shard.incoming)
            if (const auto& plasticity = circuit_.projections()[in.projection].plasticity) {
                in.block->deliver_exactly();  // weights change from step to step
                in.learner =
                    OnlineLearner::make(*plasticity, *in.block, circuit_.dt_ms(), circuit_.population(shard.population).continuous());
                shard.units.wants_slope |= plasticity->causal_factor != 0;
            }
}

void Replica::set_probes(std::vector<Probe> probes, FrameObserver* observer) {
    frame_observer_ = observer;
    frames_.clear();
    for (auto& shard : shards_) shard.parts.clear();
    for (auto& probe : probes) {
        const auto synapses =
            probe.projection ? synapses_onto(circuit_.projections()[*probe.projection], probe.units) : std::vector<RecordedSynapse>{};
        std::size_t at = 0;
        for_shards_of(probe.population, [&](Shard& shard) {
            Part part{frames_.size(), at, {}, {}};
            for (const auto unit : probe.units)
                if (unit - shard.units.first < shard.units.count) part.units.push_back(unit - shard.units.first);
            for (const auto& s : synapses)
                if (s.target - shard.units.first < shard.units.count) part.weights.push_back(s.weight);
            at += probe.projection ? part.weights.size() : part.units.size();
            if (!part.units.empty()) shard.parts.push_back(std::move(part));
        });
        frames_.push_back({std::move(probe), at});
    }
}

void Replica::keep_slopes(std::size_t population, bool keep) {
    for_shards_of(population, [&](Shard& shard) {
        shard.units.wants_slope = keep;
        if (keep) shard.slopes.resize(shard.units.stride() * histories_[population].capacity());
    });
}
std::span<const float> Replica::slopes(std::size_t population, std::size_t index) const noexcept {
    for (const auto& shard : shards_)
        if (shard.population == population && shard.index == index) return shard.slopes;
    return {};
}

void Replica::clear_activity(std::size_t population) {
    for_shards_of(population, [](Shard& shard) {
        shard.sums_activity = shard.units.wants_activity = true;
        shard.activity_steps = 0;
        shard.activity_sum.assign(shard.units.count, 0);
    });
}
std::vector<double> Replica::mean_activity(std::size_t population) const {
    std::vector<double> mean;
    for (const auto& shard : shards_)
        if (shard.population == population)
            for (const double sum : shard.activity_sum)
                mean.push_back(shard.activity_steps == 0 ? 0 : sum / static_cast<double>(shard.activity_steps));
    return mean;
}

}  // namespace ydot
