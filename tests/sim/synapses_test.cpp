#include "sim/synapses.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/random.hpp"
#include "tests/support/script.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

Connectivity random_synapses(std::uint32_t sources, std::uint32_t targets, double probability, int delays, std::uint32_t key) {
    Draws draws(1, stream_of("synapses", Purpose::connect), key);
    Connectivity c;
    for (std::uint32_t i = 0; i < sources; ++i)
        for (std::uint32_t j = 0; j < targets; ++j) {
            if (draws.uniform() >= probability) continue;
            c.source.push_back(i);
            c.target.push_back(j);
            c.weight.push_back(static_cast<float>(draws.normal()));
            c.delay.push_back(static_cast<std::uint16_t>(1 + draws.below(static_cast<std::uint32_t>(delays))));
        }
    return c;
}

/// What `sources` with this delay deliver to a target of the whole population, and the sum of sizes for the error.
std::pair<double, double> delivered(const Connectivity& c, std::span<const std::uint32_t> sources, std::uint16_t delay,
                                    std::uint32_t target) {
    double sum = 0, size = 0;
    for (const auto i : sources)
        for (std::size_t k = 0; k < c.size(); ++k)
            if (c.source[k] == i && c.target[k] == target && c.delay_of(k) == delay) {
                sum += static_cast<double>(c.weight[k]);
                size += std::abs(static_cast<double>(c.weight[k]));
            }
    return {sum, size};
}

}  // namespace

TEST_CASE("Every layout delivers the same weights", "[contract]") {
    // widths around the multiples of 16 and 64 of the vector loops, shards, sources several times
    for (const std::uint32_t targets : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 130u})
        for (const double probability : {1.0, 0.5, 0.1})
            for (const int delays : {1, 3}) {
                const auto c = random_synapses(30, targets, probability, delays, targets);
                const std::uint32_t cut = targets / 3;
                for (const auto& [first, count] : {std::pair{0u, targets}, {cut, targets - cut}}) {
                    SynapseBlock block(c, 30, first, count);
                    CHECK(block.dense() == (delays == 1 && probability > 0.3 && !block.delays().empty()));
                    for (const std::vector<std::uint32_t>& sources :
                         {std::vector<std::uint32_t>{}, {3}, {0, 1, 29}, {1, 2, 3, 4, 5, 6, 7, 7, 7, 20, 21}})
                        for (std::size_t d = 0; d < block.delays().size(); ++d) {
                            std::vector<float> input((count + 63) / 64 * 64, 1.0f);
                            block.deliver(sources, d, 0.5f, input.data());
                            double worst = 0;
                            for (std::uint32_t j = 0; j < count; ++j) {
                                const auto [sum, size] = delivered(c, sources, block.delays()[d], first + j);
                                // ten roundings of 6e-8
                                worst = std::max(worst, std::abs(static_cast<double>(input[j]) - 1 - 0.5 * sum) - 1e-6 * (1 + size));
                            }
                            CHECK(worst <= 0);
                        }
                }
            }
}

TEST_CASE("Two synapses of one pair are both delivered", "[contract]") {
    Connectivity c{{0, 0, 1}, {0, 0, 0}, {1, 2, 4}, {1}};
    SynapseBlock block(c, 2, 0, 1);
    std::vector<float> input(64);
    const std::vector<std::uint32_t> both{0, 1};
    block.deliver(both, 0, 1, input.data());
    CHECK(input[0] == 7);
}

TEST_CASE("The index of incoming synapses finds every synapse once", "[contract]") {
    for (const double probability : {0.9, 0.15})
        for (const int delays : {1, 4}) {
            const auto c = random_synapses(40, 50, probability, delays, 7);
            SynapseBlock block(c, 40, 10, 30);
            block.index_incoming();
            std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint16_t, float>> by_source, by_target;
            block.for_each([&](std::uint32_t i, std::uint32_t j, std::uint16_t delay, float w) { by_source.emplace_back(i, j, delay, w); });
            for (std::uint32_t j = 0; j < 30; ++j)
                block.for_incoming(j,
                                   [&](float& w, std::uint32_t i, std::size_t d) { by_target.emplace_back(i, j, block.delays()[d], w); });
            std::sort(by_source.begin(), by_source.end());
            std::sort(by_target.begin(), by_target.end());
            CHECK(by_source == by_target);
            std::size_t expected = 0;
            for (const auto j : c.target) expected += j >= 10 && j < 40;
            CHECK(by_source.size() == expected);
        }
}

TEST_CASE("Delivery in half precision keeps eleven bits and follows the weights when told to", "[contract]") {
    const auto c = random_synapses(30, 100, 1, 1, 3);
    SynapseBlock exact(c, 30, 0, 100), half(c, 30, 0, 100);
    half.deliver_in_half_precision();
    const std::vector<std::uint32_t> sources{2, 5, 9, 11, 28};
    const auto check = [&] {
        std::vector<float> a(128), b(128);
        exact.deliver(sources, 0, 1, a.data());
        half.deliver(sources, 0, 1, b.data());
        double worst = 0;
        for (std::uint32_t j = 0; j < 100; ++j) {
            double size = 0;
            for (const auto i : sources) size += std::abs(static_cast<double>(exact.row(i, 0).weight[j]));
            worst = std::max(worst, std::abs(static_cast<double>(a[j] - b[j])) - size * 0x1p-11 - 1e-6);
        }
        CHECK(worst <= 0);
        CHECK(a != b);
    };
    check();
    CHECK(std::equal(half.weights().begin(), half.weights().end(), exact.weights().begin()));
    for (auto* block : {&exact, &half})
        for (float& w : block->weights()) w = 3 * w + 0.1f;
    half.refresh_halves(0, 10);
    half.refresh_halves(10, 30);
    check();
}
