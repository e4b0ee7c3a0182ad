// Short-term plasticity: closed forms of its efficacy, and what reaches the targets.
#include "sim/short_term.hpp"

#include <catch2/catch.hpp>

#include "sim/random.hpp"
#include "sim/replay.hpp"
#include "sim/statistics.hpp"
#include "tests/support/pairs.hpp"
#include "tests/support/script.hpp"

using namespace ydot;
using namespace ydot::test;

TEST_CASE("A regular train comes to the stationary efficacy", "[analytic]") {
    for (const auto& p :
         {ShortTerm{0.5, 800, 0}, ShortTerm{0.1, 100, 1000}, ShortTerm{0.3, 0, 200}, ShortTerm{0.25, 0, 0}, ShortTerm{1, 0, 0}})
        for (const double period : {2.0, 25.0, 400.0}) {
            ShortTermState state(p, 2, 0.5);
            CHECK(static_cast<double>(state.spike(1, 7)) == Approx(p.U));  // from rest
            float last = 0;
            for (int k = 1; k < 5000; ++k) last = state.spike(1, 7 + k * period / 0.5);
            const auto left = [period](double tau) { return tau > 0 ? std::exp(-period / tau) : 0.0; };
            const double u = p.U / (1 - (1 - p.U) * left(p.tau_facil_ms)),
                         x = (1 - left(p.tau_rec_ms)) / (1 - (1 - u) * left(p.tau_rec_ms));
            CHECK(static_cast<double>(last) == Approx(u * x).epsilon(1e-6));
            CHECK(static_cast<double>(state.spike(0, 9e4)) == Approx(p.U));  // another source is at rest
            state.reset();
            CHECK(static_cast<double>(state.spike(1, 3)) == Approx(p.U));
        }
}

TEST_CASE("The mean efficacy of Poisson trains has its closed form", "[statistical]") {
    // depression alone: <u x> = U / (1 + U r tau_rec); facilitation alone: <u> = U (1 + r tau_facil) / (1 + U r tau_facil)
    for (const auto& p : {ShortTerm{0.5, 300, 0}, ShortTerm{0.1, 0, 500}})
        for (const double rate_Hz : {5.0, 40.0}) {
            std::vector<double> means;
            for (std::uint32_t trial = 0; trial < 40; ++trial) {
                Draws draws(3, stream_of("short", Purpose::fire), trial, static_cast<std::uint32_t>(rate_Hz));
                ShortTermState state(p, 1, 1);
                double t = 0, sum = 0;
                constexpr int settle = 200, spikes = 3000;
                for (int k = 0; k < settle + spikes; ++k) {
                    const auto efficacy = static_cast<double>(state.spike(0, t += draws.exponential() * 1e3 / rate_Hz));
                    if (k >= settle) sum += efficacy;
                }
                means.push_back(sum / spikes);
            }
            const auto m = moments_of(means);
            const double r = rate_Hz * 1e-3, expected = p.tau_rec_ms > 0 ? p.U / (1 + p.U * r * p.tau_rec_ms)
                                                                         : p.U * (1 + r * p.tau_facil_ms) / (1 + p.U * r * p.tau_facil_ms);
            CHECK(std::abs(m.mean - expected) < 6.5 * m.error());  // t-distributed, 39 degrees of freedom
        }
}

TEST_CASE("What arrives is the weight times the efficacy of its spike, in every layout, learning or not", "[contract]") {
    const std::vector<Step> train{3, 8, 8, 30, 31, 90};
    const ShortTerm params{0.4, 60, 30};
    std::vector<double> efficacy;
    ShortTermState state(params, 1, 0.5);
    for (const Step n : train) efficacy.push_back(static_cast<double>(state.spike(0, static_cast<double>(n))));
    for (const bool dense : {true, false})
        for (const bool learns : {false, true}) {
            Script script;
            for (const Step n : train) script.emplace_back(n, 0);
            std::vector<std::unique_ptr<const Population>> members;
            members.push_back(std::make_unique<Scripted>("pre", 1, script));
            auto receiver = std::make_unique<Scripted>("post", 20, Script{}, 100);
            const auto log = receiver->log();
            members.push_back(std::move(receiver));
            Circuit circuit(0.5, 1, std::move(members));
            auto& line = circuit.connect("line", 0, 1,
                                         every_pair(
                                             1, dense ? 20 : 4, [](auto, auto j) { return 1 + j; }, [](auto, auto) { return 2; }),
                                         DelaySite::axonal);
            CHECK(line.blocks[0].dense() == dense);
            line.short_term = params;
            if (learns) line.plasticity = plasticity_of({1, 1, 20, 20, Pairing::all}, 1);  // no post spikes: the weights rest
            Replica replica(circuit);
            if (learns) replica.learn_online();
            for (int again = 0; again < 2; ++again) {
                replica.reset(0);
                replica.run(100);
                for (Step n = 0; n < 100; ++n)
                    for (const std::uint32_t j : {0u, 3u}) {
                        double expected = 0;
                        for (std::size_t k = 0; k < train.size(); ++k)
                            if (train[k] + 2 == n) expected += efficacy[k] * (1 + j);
                        CHECK(static_cast<double>((*log)[static_cast<std::size_t>(n)][j]) == Approx(expected).margin(1e-6 * (1 + j)));
                    }
            }
        }
}
