#include "sim/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/support/statistics.hpp"

using namespace ydot;
using namespace ydot::test;

TEST_CASE("The vector Philox gives the words of Random123, bit by bit", "[contract]") {
    Draws keys(5, stream_of("keys", Purpose::shuffle));
    for (int trial = 0; trial < 300; ++trial) {
        const std::uint64_t high = keys(), low = keys(), seed = trial == 0 ? 0 : trial == 1 ? ~0ULL : high << 32 | low;
        const std::uint32_t when = trial == 2 ? ~0u : keys(), presentation = keys(), stream = keys(), first = 64 * (keys() % 100000);
        std::vector<std::uint32_t> words(64 * (1 + keys() % 5));
        fill_random_words(words, seed, first, when, presentation, stream);
        bool same = true;
        for (std::uint32_t i = 0; i < words.size(); ++i) {
            const std::uint32_t unit = first + i, group = unit / 64, q = unit % 64 / 16, b = unit % 16;
            const auto expected = r123::Philox4x32{}({{16 * group + b, when, presentation, stream}},
                                                     {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}});
            same &= words[i] == expected[q];
        }
        CHECK(same);
    }
}

TEST_CASE("Philox gives the published known answers", "[golden]") {
    // kat_vectors of Random123: philox 4x32 10 rounds
    CHECK(random_words(0, 0, 0, 0, 0) == RandomWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(random_words(~0ULL, ~0u, ~0u, ~0u, ~0u) == RandomWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(random_words(0x299f31d0a4093822ULL, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344) ==
          RandomWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Parts of a population draw the words of the whole", "[contract]") {
    std::vector<std::uint32_t> whole(256), part(64);
    fill_random_words(whole, 9, 0, 3, 4, 5);
    for (std::uint32_t first = 0; first < 256; first += 64) {
        fill_random_words(part, 9, first, 3, 4, 5);
        CHECK(std::equal(part.begin(), part.end(), whole.begin() + first));
    }
}

TEST_CASE("Draws have the moments of their distributions", "[statistical]") {
    // Error of a mean: sqrt(variance / n); of a variance: sqrt((m4 - variance^2) / n), m4 the fourth central moment: uniform 1/80,
    // exponential 9, normal 3. Each bound is 5 errors, alpha = 6e-7.
    constexpr int n = 400000;
    const auto check = [](auto&& draw, double mean, double variance, double m4) {
        Draws draws(1, stream_of("moments", Purpose::shuffle));
        std::vector<double> x;
        for (int k = 0; k < n; ++k) x.push_back(draw(draws));
        const auto m = moments_of(x);
        CHECK(std::abs(m.mean - mean) < five_sigma * std::sqrt(variance / n));
        CHECK(std::abs(m.variance - variance) < five_sigma * std::sqrt((m4 - variance * variance) / n));
    };
    check([](Draws& d) { return d.uniform(); }, 0.5, 1.0 / 12, 1.0 / 80);
    check([](Draws& d) { return d.exponential(); }, 1, 1, 9);
    check([](Draws& d) { return d.normal(); }, 0, 1, 3);
    check([](Draws& d) { return static_cast<double>(to_unit_float(d())); }, 0.5, 1.0 / 12, 1.0 / 80);
    check([](Draws& d) { return d.uniform(-1, 3); }, 1, 16.0 / 12, 256.0 / 80);
}

TEST_CASE("Draws follow their distributions", "[statistical]") {
    Draws draws(2, stream_of("ks", Purpose::shuffle));
    std::vector<double> uniform, exponential, normal;
    for (int k = 0; k < 50000; ++k) {
        uniform.push_back(draws.uniform());
        exponential.push_back(draws.exponential());
        normal.push_back(draws.normal());
    }
    CHECK(ks_distance(uniform, [](double x) { return x; }) < ks_bound);
    CHECK(ks_distance(exponential, [](double x) { return 1 - std::exp(-x); }) < ks_bound);
    CHECK(ks_distance(normal, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }) < ks_bound);
}

TEST_CASE("Shuffles are uniform over all orders", "[statistical]") {
    // 4! = 24 orders, 48000 shuffles: chi-square with 23 degrees of freedom.
    std::map<std::vector<int>, int> counts;
    for (std::uint32_t k = 0; k < 48000; ++k) {
        Draws draws(4, stream_of("orders", Purpose::shuffle), k);
        std::vector<int> items{0, 1, 2, 3};
        shuffle(std::span<int>(items), draws);
        ++counts[items];
    }
    REQUIRE(counts.size() == 24);
    double chi_square = 0;
    for (const auto& entry : counts) chi_square += (entry.second - 2000.0) * (entry.second - 2000.0) / 2000.0;
    CHECK(plausible_chi_square(chi_square, 23));
}

TEST_CASE("Integers below a number are uniform", "[statistical]") {
    Draws draws(6, stream_of("below", Purpose::shuffle));
    std::vector<double> counts(10);
    for (int k = 0; k < 100000; ++k) {
        const auto x = draws.below(10);
        REQUIRE(x < 10);
        ++counts[x];
    }
    double chi_square = 0;
    for (const double c : counts) chi_square += (c - 1e4) * (c - 1e4) / 1e4;
    CHECK(plausible_chi_square(chi_square, 9));
}

TEST_CASE("Sequences of different objects, occasions and seeds are uncorrelated", "[statistical]") {
    // Correlation of n pairs of independent uniforms: standard deviation 1 / sqrt(n).
    constexpr int n = 20000;
    const auto correlation = [](Draws a, Draws b) {
        double sum = 0;
        for (int k = 0; k < n; ++k) sum += (a.uniform() - 0.5) * (b.uniform() - 0.5);
        return 12 * sum / n;
    };
    const auto stream = stream_of("exc", Purpose::fire);
    const double limit = five_sigma / std::sqrt(n);
    CHECK(std::abs(correlation({1, stream, 0}, {1, stream, 1})) < limit);
    CHECK(std::abs(correlation({1, stream, 0, 0}, {1, stream, 0, 1})) < limit);
    CHECK(std::abs(correlation({1, stream}, {2, stream})) < limit);
    CHECK(std::abs(correlation({1, stream}, {1, stream_of("inh", Purpose::fire)})) < limit);
    CHECK(std::abs(correlation({1, stream}, {1, stream_of("exc", Purpose::weight)})) < limit);
}

TEST_CASE("Plausible names have streams of their own", "[contract]") {
    std::vector<std::string> names{"input", "hidden", "top", "output", "feedback",   "exc",      "inh",     "E",
                                   "I",     "in",     "out", "noise",  "background", "thalamus", "teacher", "label"};
    for (const char* stem : {"hidden", "layer", "exc", "inh", "input", "pop", "area", "L", "E", "I", "h", "top", "feedback", "forward"})
        for (int k = 0; k < 40; ++k)
            for (const char* join : {"", "_"}) names.push_back(stem + std::string(join) + std::to_string(k));
    for (const char* layer : {"L1", "L2", "L23", "L2/3", "L4", "L5", "L6"})
        for (const char* kind : {"E", "I", "e", "i", "_exc", "_inh", "PV", "SOM", "VIP"}) names.push_back(layer + std::string(kind));
    const auto populations = names;
    for (const auto& a : std::vector<std::string>(populations.begin(), populations.begin() + 16))
        for (const auto& b : std::vector<std::string>(populations.begin(), populations.begin() + 16)) names.push_back(a + "_to_" + b);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::map<std::uint32_t, std::string> seen;
    for (const auto& name : names)
        for (const auto purpose : {Purpose::connect, Purpose::weight, Purpose::delay, Purpose::fire, Purpose::shuffle, Purpose::image}) {
            const auto [place, fresh] = seen.try_emplace(stream_of(name, purpose), name);
            if (!fresh) FAIL_CHECK(name << " and " << place->second << " share a stream");
        }
    CHECK(seen.size() == names.size() * 6);
}
