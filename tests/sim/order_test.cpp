// The laws of a step, as stated at the top of sim/replica.cpp, one test each.
#include <catch2/catch.hpp>
#include <map>

#include "tests/support/pairs.hpp"
#include "tests/support/script.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

constexpr PairWindow bi_poo{0.78, 0.27, 17, 34, Pairing::all};

/// `pre` -> `post` by one projection; both fire what they are told.
struct Line {
    std::shared_ptr<const InputLog> log;
    std::unique_ptr<Circuit> circuit;
    Line(Script pre, std::uint32_t sources, Script post, std::uint32_t targets, const Connectivity& synapses,
         DelaySite site = DelaySite::axonal, double dt_ms = 1, std::size_t steps = 200) {
        std::vector<std::unique_ptr<const Population>> members;
        members.push_back(std::make_unique<Scripted>("pre", sources, std::move(pre)));
        auto receiver = std::make_unique<Scripted>("post", targets, std::move(post), steps);
        log = receiver->log();
        members.push_back(std::move(receiver));
        circuit = std::make_unique<Circuit>(dt_ms, 1, std::move(members));
        circuit->connect("line", 0, 1, synapses, site);
    }
    Projection& projection() { return circuit->projections()[0]; }
    float weight() { return weights_of(projection())[0]; }
    void learn(PairWindow window) { projection().plasticity = plasticity_of(window, circuit->population(0).size()); }
    Replica online() {
        Replica replica(*circuit);
        replica.learn_online();
        return replica;
    }
};

}  // namespace

TEST_CASE("A spike arrives after exactly its delay", "[contract]") {
    for (const std::uint16_t delay : {1, 2, 3, 7}) {
        Line line({{2, 0}}, 1, {}, 1, one_synapse(0.5, delay));
        Replica replica(*line.circuit);
        replica.run(20);
        for (Step n = 0; n < 20; ++n) CHECK((*line.log)[static_cast<std::size_t>(n)][0] == (n == 2 + delay ? 0.5f : 0.0f));
    }
}

TEST_CASE("Every synapse has its own delay", "[contract]") {
    const auto delay = [](std::uint32_t i, std::uint32_t j) { return 1 + (3 * i + j) % 5; };
    const auto weight = [](std::uint32_t i, std::uint32_t j) { return 1.0 + 10 * i + 100 * j; };
    Line line({{4, 0}, {4, 2}, {6, 1}, {9, 2}}, 3, {}, 4, every_pair(3, 4, weight, delay));
    Replica replica(*line.circuit);
    replica.run(30);
    InputLog expected(30, std::vector<float>(4));
    for (const auto& [n, i] : Script{{4, 0}, {4, 2}, {6, 1}, {9, 2}})
        for (std::uint32_t j = 0; j < 4; ++j) expected[static_cast<std::size_t>(n) + delay(i, j)][j] += static_cast<float>(weight(i, j));
    for (std::size_t n = 0; n < 30; ++n) CHECK((*line.log)[n] == expected[n]);
}

TEST_CASE("Spikes of the end of a run arrive after a pause but not after a reset", "[contract]") {
    Line line({{2, 0}}, 1, {}, 1, one_synapse(1, 3));
    Replica replica(*line.circuit);
    replica.run(4);
    replica.run(4);
    CHECK((*line.log)[5][0] == 1);
    replica.reset(0);
    replica.run(4);
    replica.reset(1);
    replica.run(2);  // steps 0 and 1 of the new presentation
    CHECK((*line.log)[0][0] == 0);
    CHECK((*line.log)[1][0] == 0);
}

TEST_CASE("The weight that is delivered is the one before the learning of its step", "[contract]") {
    // Arrivals at 1, 5 and 8; post spikes at 3 and 5.
    Line line({{0, 0}, {4, 0}, {7, 0}}, 1, {{3, 0}, {5, 0}}, 1, one_synapse(1, 1));
    line.learn(bi_poo);
    auto replica = line.online();
    replica.run(10);
    const std::vector<Step> arrivals{1, 5, 8}, posts{3, 5};
    const auto weight_before = [&](Step n) {  // all pairs whose later spike lies before step n
        const auto until = [n](std::vector<Step> x) {
            std::erase_if(x, [n](Step t) { return t >= n; });
            return x;
        };
        return 1 + pair_sum(bi_poo, 1, until(arrivals), until(posts));
    };
    // a few float roundings
    for (const Step n : arrivals) CHECK((*line.log)[static_cast<std::size_t>(n)][0] == Approx(weight_before(n)).epsilon(1e-6));
    CHECK(weight_before(5) != Approx(weight_before(6)).epsilon(1e-3));  // the step's own learning would have been seen
}

TEST_CASE("A pair of one step counts half in both directions", "[contract]") {
    Line line({{9, 0}}, 1, {{10, 0}}, 1, one_synapse(0, 1));
    for (const auto& [window, change] : {std::pair{PairWindow{1, 0, 20, 20, Pairing::all}, 0.5f},
                                         {PairWindow{0, 1, 20, 20, Pairing::all}, -0.5f},
                                         {PairWindow{1, 1, 20, 20, Pairing::all}, 0.0f},
                                         {PairWindow{1, 0, 20, 20, Pairing::nearest}, 0.5f},
                                         {PairWindow{0, 1, 20, 20, Pairing::nearest}, -0.5f}}) {
        line.projection().blocks[0].weights()[0] = 0;
        line.learn(window);
        auto replica = line.online();
        replica.run(20);
        CHECK(line.weight() == change);
    }
}

TEST_CASE("A spike of step n is reported at the end of the step", "[contract]") {
    for (const double dt_ms : {1.0, 0.1}) {
        Line line({{0, 0}, {6, 1}}, 2, {{6, 0}}, 1, one_synapse(1, 4), DelaySite::axonal, dt_ms);
        SpikeLog log;
        Replica replica(*line.circuit);
        replica.set_observer(&log);
        replica.run(10);
        REQUIRE(log.seen.size() == 3);
        std::sort(log.seen.begin(), log.seen.end());
        CHECK(log.seen[0] == std::tuple{std::size_t{0}, 1 * dt_ms, std::uint64_t{0}});
        CHECK(log.seen[1] == std::tuple{std::size_t{0}, 7 * dt_ms, std::uint64_t{1}});
        CHECK(log.seen[2] == std::tuple{std::size_t{1}, 7 * dt_ms, std::uint64_t{0}});
    }
}

TEST_CASE("A projection that does not conduct delivers nothing and learns nothing", "[contract]") {
    // Arrivals at 2, 5, 8; not conducting in [4, 7).
    Line line({{1, 0}, {4, 0}, {7, 0}}, 1, {{5, 0}, {9, 0}}, 1, one_synapse(1, 1));
    line.learn({0.1, 0, 20, 20, Pairing::all});
    auto replica = line.online();
    replica.run(4);
    replica.set_conducting(0, false);
    replica.run(3);
    replica.set_conducting(0, true);
    replica.run(8);
    const double after_5 = 1 + 0.1 * std::exp(-3 / 20.0), after_9 = after_5 + 0.1 * (std::exp(-7 / 20.0) + std::exp(-1 / 20.0));
    CHECK((*line.log)[2][0] == 1);
    CHECK((*line.log)[5][0] == 0);
    CHECK((*line.log)[8][0] == Approx(after_5).epsilon(1e-6));
    CHECK(line.weight() == Approx(after_9).epsilon(1e-6));
}

TEST_CASE("An axonal delay makes the pre spike later and a dendritic delay the post spike", "[contract]") {
    const PairWindow window = bi_poo;
    for (const std::uint16_t delay : {1, 4})
        for (const Step lag : {-12, -4, -1, 0, 1, 2, 4, 9}) {
            const Step pre = 40, post = pre + lag;
            for (const auto site : {DelaySite::axonal, DelaySite::dendritic}) {
                Line line({{pre, 0}}, 1, {{post, 0}}, 1, one_synapse(0, delay), site);
                line.learn(window);
                auto replica = line.online();
                replica.run(100);
                const double expected =
                    site == DelaySite::axonal ? pair_sum(window, 1, {pre + delay}, {post}) : pair_sum(window, 1, {pre}, {post + delay});
                CHECK(line.weight() == Approx(expected).epsilon(1e-5).margin(1e-9));  // up to 60 roundings of a trace
            }
        }
}

TEST_CASE("Windows longer than a step change nothing", "[contract]") {
    // Random spikes of three populations, delays 5 to 9, dense and sparse, plastic: what arrives is computed by hand from the pairs.
    constexpr Step steps = 120;
    constexpr std::uint32_t size = 6;
    Draws draws(3, stream_of("windows", Purpose::fire));
    std::vector<std::vector<std::vector<Step>>> trains(3, std::vector<std::vector<Step>>(size));
    std::vector<Script> scripts(3);
    for (std::size_t p = 0; p < 3; ++p)
        for (std::uint32_t i = 0; i < size; ++i) {
            trains[p][i] = random_train(draws, 0.08, 0, steps);
            for (const Step n : trains[p][i]) scripts[p].emplace_back(n, i);
        }
    struct Link {
        std::size_t from, to;
        int delay, delays;
    };
    const std::vector<Link> links{{0, 1, 5, 1}, {1, 2, 6, 3}, {2, 0, 5, 5}, {1, 1, 9, 1}};
    const auto delay_of = [](const Link& l, std::uint32_t i, std::uint32_t j) { return l.delay + static_cast<int>(i + 2 * j) % l.delays; };
    const auto run = [&](bool by_single_steps, bool parallel) {
        std::vector<std::unique_ptr<const Population>> members;
        std::vector<std::shared_ptr<const InputLog>> logs;
        for (std::size_t p = 0; p < 3; ++p) {
            auto member = std::make_unique<Scripted>(std::string(1, static_cast<char>('a' + p)), size, scripts[p], steps);
            logs.push_back(member->log());
            members.push_back(std::move(member));
        }
        Circuit circuit(1, 1, std::move(members));
        for (const auto& l : links) {
            circuit.connect("l", l.from, l.to,
                            every_pair(
                                size, size, [](auto i, auto j) { return 0.25 + 0.5 * i - 0.125 * j; },
                                [&](auto i, auto j) { return delay_of(l, i, j); }),
                            DelaySite::axonal);
            circuit.projections().back().plasticity = plasticity_of(bi_poo, size, 0.01);
        }
        REQUIRE(circuit.window() == 5);
        Replica replica(circuit);
        replica.learn_online();
        replica.set_parallel(parallel);
        if (by_single_steps)
            for (Step n = 0; n < steps; ++n) replica.run(1);
        else replica.run(steps);
        std::vector<InputLog> inputs;
        for (const auto& log : logs) inputs.push_back(*log);
        return inputs;
    };
    const auto whole = run(false, false);
    CHECK((run(true, false) == whole));
    CHECK((run(false, true) == whole));

    std::vector<InputLog> expected(3, InputLog(steps, std::vector<float>(size)));
    for (const auto& l : links)
        for (std::uint32_t i = 0; i < size; ++i)
            for (std::uint32_t j = 0; j < size; ++j) {
                std::vector<Step> arrivals;
                for (const Step n : trains[l.from][i]) arrivals.push_back(n + delay_of(l, i, j));
                for (const Step n : arrivals) {
                    if (n >= steps) continue;
                    const auto before = [n](std::vector<Step> x) {
                        std::erase_if(x, [n](Step t) { return t >= n; });
                        return x;
                    };
                    const double w = 0.25 + 0.5 * i - 0.125 * j + 0.01 * pair_sum(bi_poo, 1, before(arrivals), before(trains[l.to][j]));
                    expected[l.to][static_cast<std::size_t>(n)][j] += static_cast<float>(w);
                }
            }
    for (std::size_t p = 0; p < 3; ++p)
        for (std::size_t n = 0; n < steps; ++n)
            // sums of up to 24 floats of order 3
            for (std::size_t j = 0; j < size; ++j) CHECK(whole[p][n][j] == Approx(expected[p][n][j]).epsilon(1e-5).margin(1e-5));
}

TEST_CASE("Observers see every spike once, whatever the window", "[contract]") {
    Script script;
    for (Step n = 0; n < 50; ++n) script.emplace_back(n, static_cast<std::uint32_t>(n % 3));
    Line line(script, 3, {}, 1, one_synapse(1, 7));
    SpikeLog log;
    Replica replica(*line.circuit);
    replica.set_observer(&log);
    replica.run(50);
    REQUIRE(log.seen.size() == 50);
    for (std::size_t k = 0; k < 50; ++k)
        CHECK(log.seen[k] == std::tuple{std::size_t{0}, static_cast<double>(k + 1), static_cast<std::uint64_t>(k % 3)});
}
