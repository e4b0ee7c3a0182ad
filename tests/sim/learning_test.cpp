// Online learning = batch learning = the sum over pairs; bounds, decay, momentum, masks.
#include <catch2/catch.hpp>

#include "sim/batch_learning.hpp"
#include "sim/replay.hpp"
#include "tests/support/pairs.hpp"
#include "tests/support/script.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

using Trains = std::vector<std::vector<Step>>;

Trains random_trains(std::uint32_t units, double p, Step from, Step to, std::uint32_t key) {
    Trains trains;
    for (std::uint32_t i = 0; i < units; ++i) {
        Draws draws(11, stream_of("trains", Purpose::fire), i, key);
        trains.push_back(random_train(draws, p, from, to));
    }
    return trains;
}
Script script_of(const Trains& trains) {
    Script script;
    for (std::uint32_t i = 0; i < trains.size(); ++i)
        for (const Step n : trains[i]) script.emplace_back(n, i);
    return script;
}
SpikeHistory history_of(const Trains& trains, Step steps) {
    SpikeHistory history(static_cast<std::size_t>(steps));
    auto script = script_of(trains);
    std::sort(script.begin(), script.end());
    for (const auto& [n, unit] : script)
        if (n < steps) history.at(n).unit.push_back(unit);
    return history;
}

/// Synapses to learn on: dense, dense with absent pairs, sparse, sparse with mixed delays.
enum class Layout { dense, masked, sparse, mixed_delays };
Connectivity layout_of(Layout layout, std::uint32_t sources, std::uint32_t targets, double weight = 0) {
    Connectivity all = every_pair(
                     sources, targets, [weight](auto, auto) { return weight; },
                     [&](auto i, auto j) { return layout == Layout::mixed_delays ? 1 + (i + 3 * j) % 4 : 2; }),
                 kept;
    for (std::size_t k = 0; k < all.size(); ++k) {
        const auto i = all.source[k], j = all.target[k];
        const bool keep = layout == Layout::dense || (layout == Layout::masked   ? (i + j) % 2 == 0
                                                      : layout == Layout::sparse ? (i + j) % 5 == 0
                                                                                 : (i * j) % 2 == 0);
        if (!keep) continue;
        kept.source.push_back(i);
        kept.target.push_back(j);
        kept.weight.push_back(all.weight[k]);
        kept.delay.push_back(all.delay[k]);
    }
    return kept;
}

/// One presentation, then one application of the changes.
void learn_batch(SynapseBlock& block, const BatchLearner& learner, const SpikeHistory& pre, const SpikeHistory& post, const GateTrace& gate,
                 std::size_t images = 1) {
    ChangeSum changes;
    BatchLearner::Scratch scratch;
    for (std::size_t k = 0; k < images; ++k) learner.accumulate(block, pre, post, gate, {}, scratch, changes);
    std::vector<float> velocity;
    learner.prepare(block, velocity);
    ChangeSum* const all[] = {&changes};
    learner.apply(block, 0, block.sources(), all, velocity, 1, images);
}
/// Sums of changes are integers: a presentation is rounded to the nearest.
double rounding_of(const PairWindow& w) {
    return 0.51 * static_cast<double>(ChangeSum::unit) * std::max(std::abs(w.a_plus), std::abs(w.a_minus));
}
GateTrace open_gate(Step steps) {
    return {std::vector<std::uint8_t>(static_cast<std::size_t>(steps), 1), std::vector<std::uint8_t>(static_cast<std::size_t>(steps), 1)};
}
std::vector<Step> shifted(std::vector<Step> train, Step by) {
    for (auto& n : train) n += by;
    return train;
}

constexpr std::uint32_t sources = 12, targets = 20;
constexpr Step steps = 300, quiet = 10;  // spikes keep off both ends by more than the longest delay, so that no pair is cut
const auto windows = [] {
    std::vector<PairWindow> all;
    for (const auto pairing : {Pairing::all, Pairing::nearest})
        for (const auto& w : {PairWindow{0.78, 0.27, 17, 34, pairing}, PairWindow{1, 1, 20, 20, pairing},
                              PairWindow{-1, -1, 20, 20, pairing}, PairWindow{0.5, 0, 10, 20, pairing}})
            all.push_back(w);
    return all;
};

}  // namespace

TEST_CASE("Online learning gives the sum over all pairs", "[contract]") {
    const auto pre = random_trains(sources, 0.06, quiet, steps - quiet, 1), post = random_trains(targets, 0.06, quiet, steps - quiet, 2);
    for (const auto& window : windows())
        for (const auto layout : {Layout::dense, Layout::masked, Layout::sparse, Layout::mixed_delays})
            for (const auto site : {DelaySite::axonal, DelaySite::dendritic}) {
                if (site == DelaySite::dendritic && layout == Layout::mixed_delays) continue;  // refused by the application
                std::vector<std::unique_ptr<const Population>> members;
                members.push_back(std::make_unique<Scripted>("pre", sources, script_of(pre)));
                members.push_back(std::make_unique<Scripted>("post", targets, script_of(post)));
                Circuit circuit(0.5, 1, std::move(members));
                circuit.connect("line", 0, 1, layout_of(layout, sources, targets), site);
                circuit.projections()[0].plasticity = plasticity_of(window, sources);
                Replica replica(circuit);
                replica.learn_online();
                replica.run(steps);
                double worst = 0;
                circuit.projections()[0].blocks[0].for_each([&](std::uint32_t i, std::uint32_t j, std::uint16_t delay, float w) {
                    const auto expected = site == DelaySite::axonal ? pair_sum(window, 0.5, shifted(pre[i], delay), post[j])
                                                                    : pair_sum(window, 0.5, pre[i], shifted(post[j], delay));
                    worst = std::max(worst, std::abs(static_cast<double>(w) - expected));
                });
                INFO("pairing " << static_cast<int>(window.pairing) << " site " << static_cast<int>(site) << " layout "
                                << static_cast<int>(layout));
                // float traces that decay for up to 300 steps, sums of up to 40 changes of order 3: 340 roundings of 6e-8 x 10
                CHECK(worst < 1e-4);
            }
}

TEST_CASE("A replica that was reset learns as if for the first time", "[contract]") {
    const PairWindow window{0.78, 0.27, 17, 34, Pairing::all};
    for (const bool continuous : {false, true}) {
        // Pre spikes arrive up to the end of the run, so that traces are high when it is reset; the first post spike comes early.
        const std::vector<std::pair<double, std::uint32_t>> pre{{80, 0}, {90, 0}, {95, 0}}, post{{3, 0}, {50, 0}, {93, 0}};
        std::vector<std::unique_ptr<const Population>> members;
        members.push_back(std::make_unique<ReplayPopulation>("pre", 1, pre, 1, continuous));
        members.push_back(std::make_unique<ReplayPopulation>("post", 1, post, 1, continuous));
        Circuit circuit(1, 1, std::move(members));
        circuit.connect("line", 0, 1, one_synapse(0, 1), DelaySite::axonal);
        circuit.projections()[0].plasticity = plasticity_of(window, 1);
        auto& block = circuit.projections()[0].blocks[0];
        Replica replica(circuit);
        replica.learn_online();
        const auto learned = [&] {
            block.weights()[0] = 0;
            replica.reset(0);
            replica.run(100);
            return block.weights()[0];
        };
        const float first = learned();
        CHECK(first != 0);
        CHECK(learned() == first);
    }
}

TEST_CASE("Online learning in continuous time gives the sum over all pairs", "[contract]") {
    Draws draws(12, stream_of("trains", Purpose::fire));
    std::vector<std::vector<double>> pre(sources), post(targets);
    const auto fill = [&](auto& trains) {
        std::vector<std::pair<double, std::uint32_t>> spikes;
        for (std::uint32_t i = 0; i < trains.size(); ++i)
            for (double t = 0; (t += 20 * draws.exponential()) < 280;) {
                trains[i].push_back(t);
                spikes.emplace_back(t, i);
            }
        return spikes;
    };
    const auto pre_spikes = fill(pre), post_spikes = fill(post);
    for (const auto& window : windows())
        for (const auto layout : {Layout::masked, Layout::sparse, Layout::mixed_delays}) {
            std::vector<std::unique_ptr<const Population>> members;
            members.push_back(std::make_unique<ReplayPopulation>("pre", sources, pre_spikes, 0.5, true));
            members.push_back(std::make_unique<ReplayPopulation>("post", targets, post_spikes, 0.5, true));
            Circuit circuit(0.5, 1, std::move(members));
            circuit.connect("line", 0, 1, layout_of(layout, sources, targets), DelaySite::axonal);
            circuit.projections()[0].plasticity = plasticity_of(window, sources);
            Replica replica(circuit);
            replica.learn_online();
            replica.run(600);
            double worst = 0;
            circuit.projections()[0].blocks[0].for_each([&](std::uint32_t i, std::uint32_t j, std::uint16_t delay, float w) {
                double sum = 0;
                const bool nearest = window.pairing == Pairing::nearest;
                for (const double t : post[j])
                    for (auto it = pre[i].rbegin(); it != pre[i].rend(); ++it)
                        if (const double s = t - *it - 0.5 * delay; s > 0) {
                            sum += window.a_plus * std::exp(-s / window.tau_plus_ms);
                            if (nearest) break;
                        }
                for (const double t : pre[i])
                    for (auto it = post[j].rbegin(); it != post[j].rend(); ++it)
                        if (const double s = t + 0.5 * delay - *it; s > 0) {
                            sum -= window.a_minus * std::exp(-s / window.tau_minus_ms);
                            if (nearest) break;
                        }
                worst = std::max(worst, std::abs(static_cast<double>(w) - sum));
            });
            INFO("pairing " << static_cast<int>(window.pairing) << " layout " << static_cast<int>(layout));
            CHECK(worst < 2e-3);  // traces decay at each of the 500 events: 500 roundings of 6e-8 of sums of order 10
        }
}

TEST_CASE("Batch learning gives the sum over the pairs that the gate lets through", "[contract]") {
    const auto pre = random_trains(sources, 0.06, quiet, steps - quiet, 1), post = random_trains(targets, 0.06, quiet, steps - quiet, 2);
    const auto pre_history = history_of(pre, steps), post_history = history_of(post, steps);
    for (const auto& window : windows())
        for (const auto layout : {Layout::dense, Layout::masked, Layout::sparse, Layout::mixed_delays})
            for (const auto site : {DelaySite::axonal, DelaySite::dendritic})
                for (const auto kind : {Gate::pre, Gate::post, Gate::later, Gate::both})
                    for (const bool gated : {false, true}) {
                        auto gate = open_gate(steps);
                        if (gated)
                            for (std::size_t n = 0; n < gate.steps(); ++n) gate.open[n] = (n >= 90 && n < 160) || (n >= 200 && n < 210);
                        auto plasticity = plasticity_of(window, sources);
                        plasticity.gate = kind;
                        SynapseBlock block(layout_of(layout, sources, targets), sources, 0, targets);
                        learn_batch(block, BatchLearner(plasticity, site, 0.5), pre_history, post_history, gate);
                        double worst = 0;
                        block.for_each([&](std::uint32_t i, std::uint32_t j, std::uint16_t delay, float w) {
                            // gates are read in the time of the post unit: a dendritic delay moves the pre spike to an earlier step
                            const auto expected = pair_sum(window, 0.5, shifted(pre[i], site == DelaySite::axonal ? delay : -delay),
                                                           post[j], gate.open, kind);
                            worst = std::max(worst, std::abs(static_cast<double>(w) - expected));
                        });
                        INFO("gate " << static_cast<int>(kind) << " gated " << gated << " pairing " << static_cast<int>(window.pairing)
                                     << " site " << static_cast<int>(site) << " layout " << static_cast<int>(layout));
                        CHECK(worst < 1e-4 + rounding_of(window));  // as above, and the fixed point
                    }
}

TEST_CASE("Spikes of unpaired steps have no part in learning", "[contract]") {
    const PairWindow window{0.78, 0.27, 17, 34, Pairing::all};
    const auto pre = random_trains(sources, 0.1, quiet, steps - quiet, 3), post = random_trains(targets, 0.1, quiet, steps - quiet, 4);
    auto gate = open_gate(steps);
    for (std::size_t n = 100; n < 180; ++n) gate.paired[n] = 0;
    const auto paired = [&](std::vector<Step> train) {
        std::erase_if(train, [](Step n) { return n >= 100 && n < 180; });
        return train;
    };
    const auto plasticity = plasticity_of(window, sources);
    SynapseBlock block(layout_of(Layout::dense, sources, targets), sources, 0, targets);
    learn_batch(block, BatchLearner(plasticity, DelaySite::axonal, 1), history_of(pre, steps), history_of(post, steps), gate);
    block.for_each([&](std::uint32_t i, std::uint32_t j, std::uint16_t delay, float w) {
        CHECK(static_cast<double>(w) ==
              Approx(pair_sum(window, 1, paired(shifted(pre[i], delay)), paired(post[j]))).margin(1e-4 + rounding_of(window)));
    });
}

TEST_CASE("A dendritic pair at the very start of a presentation counts", "[contract]") {
    const PairWindow window{1, 1, 20, 20, Pairing::all};
    SynapseBlock block(one_synapse(0, 3), 1, 0, 1);
    const auto plasticity = plasticity_of(window, 1);
    learn_batch(block, BatchLearner(plasticity, DelaySite::dendritic, 1), history_of({{1}}, 50), history_of({{2}}, 50), open_gate(50));
    CHECK(block.weights()[0] == Approx(std::exp(-4 / 20.0)).margin(1e-6 + rounding_of(window)));  // post at 2 + 3, pre at 1
}

TEST_CASE("Several spikes of a unit in one step count each", "[contract]") {
    const PairWindow window{0.78, 0.27, 17, 34, Pairing::all};
    const std::vector<Step> pre{12, 12, 40, 61, 61, 61}, post{10, 14, 14, 42, 42, 63, 80};  // arrivals 2 later
    const auto expected = pair_sum(window, 1, shifted(pre, 2), post);
    const auto plasticity = plasticity_of(window, 1);
    SynapseBlock block(one_synapse(0, 2), 1, 0, 1);
    learn_batch(block, BatchLearner(plasticity, DelaySite::axonal, 1), history_of({pre}, 120), history_of({post}, 120), open_gate(120));
    CHECK(static_cast<double>(block.weights()[0]) == Approx(expected).margin(1e-5 + rounding_of(window)));

    std::vector<std::unique_ptr<const Population>> members;
    members.push_back(std::make_unique<Scripted>("pre", 1, script_of({pre})));
    auto receiver = std::make_unique<Scripted>("post", 1, script_of({post}), 120);
    const auto log = receiver->log();
    members.push_back(std::move(receiver));
    Circuit circuit(1, 1, std::move(members));
    circuit.connect("line", 0, 1, one_synapse(0, 2), DelaySite::axonal);
    circuit.projections()[0].plasticity = plasticity;
    Replica replica(circuit);
    replica.learn_online();
    replica.run(120);
    CHECK(static_cast<double>(weights_of(circuit.projections()[0])[0]) == Approx(expected).margin(1e-5));
    circuit.projections()[0].plasticity.reset();
    circuit.projections()[0].blocks[0].weights()[0] = 0.5f;
    Replica again(circuit);
    again.run(120);
    CHECK((*log)[63][0] == 1.5f);  // three spikes of 61
}

TEST_CASE("Sums of changes keep large changes", "[contract]") {
    // 64 images: the amplitude of a rule in pA, or one that the learning rate makes small.
    for (const double amplitude : {1.0, 3e3, 4e4}) {
        const auto plasticity = plasticity_of({amplitude, 0, 20, 20, Pairing::all}, 1, 1 / amplitude);
        SynapseBlock block(one_synapse(0, 1), 1, 0, 1);
        learn_batch(block, BatchLearner(plasticity, DelaySite::axonal, 1), history_of({{3}}, 20), history_of({{5}}, 20), open_gate(20), 64);
        CHECK(block.weights()[0] == Approx(64 * std::exp(-1 / 20.0)).epsilon(1e-3));
    }
}

TEST_CASE("Sums of changes keep small changes", "[contract]") {
    for (const double amplitude : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
        const auto plasticity = plasticity_of({amplitude, 0, 20, 20, Pairing::all}, 1, 1);
        SynapseBlock block(one_synapse(0, 1), 1, 0, 1);
        learn_batch(block, BatchLearner(plasticity, DelaySite::axonal, 1), history_of({{3}}, 20), history_of({{5}}, 20), open_gate(20), 32);
        CHECK(static_cast<double>(block.weights()[0]) == Approx(32 * amplitude * std::exp(-1 / 20.0)).epsilon(2e-2));
    }
}

TEST_CASE("The changes of a minibatch do not depend on who adds them", "[contract]") {
    const auto plasticity = plasticity_of({0.78, 0.27, 17, 34, Pairing::all}, sources);
    const BatchLearner learner(plasticity, DelaySite::axonal, 1);
    std::vector<SpikeHistory> pre, post;
    for (std::uint32_t k = 0; k < 6; ++k) {
        pre.push_back(history_of(random_trains(sources, 0.1, 0, steps, 10 + k), steps));
        post.push_back(history_of(random_trains(targets, 0.1, 0, steps, 20 + k), steps));
    }
    const auto learn = [&](const std::vector<std::size_t>& worker_of) {
        SynapseBlock block(layout_of(Layout::masked, sources, targets, 0.3), sources, 0, targets);
        std::vector<ChangeSum> sums(3);
        BatchLearner::Scratch scratch;
        for (std::size_t k = worker_of.size(); k-- > 0;)
            learner.accumulate(block, pre[k], post[k], open_gate(steps), {}, scratch, sums[worker_of[k]]);
        std::vector<float> velocity;
        std::vector<ChangeSum*> all;
        for (auto& sum : sums)
            if (!sum.sum.empty()) all.push_back(&sum);
        learner.apply(block, 0, sources / 2, all, velocity, 0.7, 6);
        learner.apply(block, sources / 2, sources, all, velocity, 0.7, 6);
        return std::vector<float>(block.weights().begin(), block.weights().end());
    };
    const auto alone = learn({0, 0, 0, 0, 0, 0});
    CHECK(learn({0, 1, 2, 0, 1, 2}) == alone);
    CHECK(learn({2, 2, 1, 1, 2, 0}) == alone);
}

TEST_CASE("Decay, momentum and annealing act as stated", "[contract]") {
    auto plasticity = plasticity_of({1, 0, 20, 20, Pairing::all}, 1, 0.5);
    plasticity.decay = 0.01;
    plasticity.momentum = 0.9;
    const BatchLearner learner(plasticity, DelaySite::axonal, 1);
    SynapseBlock block(one_synapse(2, 1), 1, 0, 1);
    std::vector<float> velocity;
    learner.prepare(block, velocity);
    double w = 2, v = 0;
    for (const double factor : {1.0, 0.5, 0.25}) {
        ChangeSum changes;
        BatchLearner::Scratch scratch;
        for (int k = 0; k < 4; ++k)
            learner.accumulate(block, history_of({{3}}, 20), history_of({{5}}, 20), open_gate(20), {}, scratch, changes);
        ChangeSum* const all[] = {&changes};
        learner.apply(block, 0, 1, all, velocity, factor, 4);
        v = 0.9 * v + 4 * std::exp(-1 / 20.0);
        w = std::pow(1 - 0.01 * factor, 4) * w + 0.5 * factor * v;
        // four presentations, rate 0.5, momentum up to 2.7
        CHECK(static_cast<double>(block.weights()[0]) == Approx(w).margin(10 * rounding_of({1, 0, 20, 20, Pairing::all})));
    }
}

TEST_CASE("Online decay takes its fraction a second", "[analytic]") {
    std::vector<std::unique_ptr<const Population>> members;
    members.push_back(std::make_unique<Scripted>("pre", 1, Script{}));
    members.push_back(std::make_unique<Scripted>("post", 1, Script{}));
    Circuit circuit(1, 1, std::move(members));
    circuit.connect("line", 0, 1, one_synapse(2, 1), DelaySite::axonal);
    circuit.projections()[0].plasticity = plasticity_of({}, 1);
    circuit.projections()[0].plasticity->decay = 0.3;
    Replica replica(circuit);
    replica.learn_online();
    replica.run(2001);                                                                      // the decay of step n is that of n dt
    CHECK(weights_of(circuit.projections()[0])[0] == Approx(2 * 0.7 * 0.7).epsilon(2e-4));  // 2000 roundings of a factor near 1
}

TEST_CASE("Bounds hold and absent synapses stay absent, online and in batches", "[contract]") {
    const auto pre = random_trains(sources, 0.2, 0, steps, 5), post = random_trains(targets, 0.2, 0, steps, 6);
    for (const auto& bounds : {Bounds{-0.2f, 0.3f}, Bounds{0, 0.5f}, Bounds{-0.5f, 0}, Bounds{0.1f, 0.5f}, Bounds{-0.5f, -0.1f}})
        for (const auto layout : {Layout::dense, Layout::masked, Layout::sparse})
            for (const double sign : {1.0, -1.0}) {
                const float start = 0.5f * (bounds.low + bounds.high);
                auto plasticity = plasticity_of({sign, sign, 20, 20, Pairing::all}, sources, 0.2, bounds);
                const auto check = [&](const SynapseBlock& block, const char* how) {
                    INFO(how << ", bounds " << bounds.low << ", " << bounds.high << ", layout " << static_cast<int>(layout));
                    bool within = true, moved = false, absent = true;
                    block.for_each([&](auto, auto, auto, float w) {
                        within &= w >= bounds.low && w <= bounds.high;
                        moved |= w != start;
                    });
                    for (std::size_t k = 0; k < block.mask().size(); ++k) absent &= block.mask()[k] != 0 || block.weights()[k] == 0;
                    CHECK(within);
                    CHECK(moved);
                    CHECK(absent);
                };
                SynapseBlock block(layout_of(layout, sources, targets, static_cast<double>(start)), sources, 0, targets);
                learn_batch(block, BatchLearner(plasticity, DelaySite::axonal, 1), history_of(pre, steps), history_of(post, steps),
                            open_gate(steps));
                check(block, "batch");

                std::vector<std::unique_ptr<const Population>> members;
                members.push_back(std::make_unique<Scripted>("pre", sources, script_of(pre)));
                members.push_back(std::make_unique<Scripted>("post", targets, script_of(post)));
                Circuit circuit(1, 1, std::move(members));
                circuit.connect("line", 0, 1, layout_of(layout, sources, targets, static_cast<double>(start)), DelaySite::axonal);
                circuit.projections()[0].plasticity = plasticity;
                Replica replica(circuit);
                replica.learn_online();
                replica.run(steps);
                check(circuit.projections()[0].blocks[0], "online");
            }
}

TEST_CASE("The causal factor is the expected pair potentiation of an arrival", "[analytic]") {
    // h(k) = exp(-k dt / tau_s): the sum is geometric.
    const PairWindow window{0.8, 0.3, 17, 34, Pairing::all};
    std::vector<double> response;
    for (int k = 0; k < 4000; ++k) response.push_back(std::exp(-k * 0.5 / 10));
    const double q = std::exp(-0.5 / 10 - 0.5 / 17);
    CHECK(causal_factor_of(window, response, 2, 0.5) == Approx(2 * (0.5 * (0.8 - 0.3) + 0.8 * q / (1 - q))).epsilon(1e-12));
}
