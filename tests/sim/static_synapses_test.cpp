#include "sim/static_synapses.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <tuple>

#include "sim/error.hpp"
#include "sim/random.hpp"
#include "tests/support/script.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

/// Synapses of each source, written out.
struct Listed final : SynapseStream {
    std::vector<std::vector<DrawnSynapse>> of;
    void targets(std::uint32_t source, std::vector<std::uint32_t>& out) const override {
        for (const auto& s : of[source]) out.push_back(s.target);
    }
    void draw(std::uint32_t source, std::vector<DrawnSynapse>& out) const override {
        out.insert(out.end(), of[source].begin(), of[source].end());
    }
    float largest_weight() const override {
        return extreme<float>([](float a, const DrawnSynapse& s) { return std::max(a, std::abs(s.weight)); }, 0);
    }
    std::uint16_t longest_delay() const override {
        return extreme<std::uint16_t>([](auto a, const auto& s) { return std::max(a, s.delay); }, 1);
    }
    std::uint16_t shortest_delay() const override {
        return extreme<std::uint16_t>([](auto a, const auto& s) { return std::min(a, s.delay); }, 65535);
    }

private:
    template <class T, class F>
    T extreme(F&& f, T start) const {
        for (const auto& list : of)
            for (const auto& s : list) start = f(start, s);
        return start;
    }
};

/// Weights are multiples of 1/8 up to 4095, so that sixteen bits hold them without rounding: 32767 of the unit of the largest.
Listed random_stream(std::uint32_t sources, std::uint32_t targets, std::uint32_t key, std::uint16_t delays = 9) {
    Draws draws(1, stream_of("static", Purpose::connect), key);
    Listed stream;
    stream.of.resize(sources);
    for (auto& list : stream.of)
        for (std::uint32_t k = draws.below(40); k > 0; --k)  // some sources have none, some targets occur twice
            list.push_back({draws.below(targets), static_cast<std::uint16_t>(1 + draws.below(delays)),
                            static_cast<float>(draws.below(60000)) - 30000.0f});
    stream.of[0] = {{0, 1, 32767.0f}};
    return stream;
}

constexpr std::uint32_t sizes[2]{150, 130};

struct Network {
    Listed a = random_stream(150, 130, 1), b = random_stream(130, 130, 2), c = random_stream(150, 150, 3);
    std::vector<StaticSynapses::Input> inputs{{0, 1, 0, &a}, {1, 1, 1, &b}, {0, 0, 0, &c}};
    /// Population 1 has two receptors.
    std::vector<StaticSynapses> build(const std::vector<std::vector<StaticSynapses::Targets>>& partitions) const {
        return StaticSynapses::build(sizes, inputs, partitions);
    }
};
using Target = StaticSynapses::Targets;
const std::vector<std::vector<Target>> one_partition{{{{0, 0, 150}, 192, 1}, {{1, 0, 130}, 192, 2}}};
const std::vector<std::vector<Target>> three_partitions{
    {{{0, 0, 64}, 64, 1}}, {{{0, 64, 86}, 128, 1}, {{1, 0, 64}, 64, 2}}, {{{1, 64, 66}, 128, 2}}};

/// (population, unit, port) -> input of each step, as integers.
using Inputs = std::map<std::tuple<std::size_t, std::uint32_t, std::uint32_t>, std::vector<std::int64_t>>;
constexpr Step steps = 60;

std::vector<std::uint32_t> spikes_of(std::size_t population, Step n) {
    Draws draws(2, stream_of("spikes", Purpose::fire), static_cast<std::uint32_t>(population), static_cast<std::uint32_t>(n));
    std::vector<std::uint32_t> spikes;
    for (std::uint32_t i = 0; i < sizes[population]; ++i)
        if (draws.below(20) == 0) spikes.push_back(i);
    return spikes;
}

Inputs delivered(const std::vector<StaticSynapses>& partitions) {
    Inputs inputs;
    for (const auto& synapses : partitions) {
        Arrivals arrivals(synapses.longest_delay());
        for (Step n = 0; n < steps; ++n) {
            std::vector<std::int32_t> input(synapses.slots());
            synapses.deliver(n, arrivals, input.data());
            for (std::size_t p = 0; p < 2; ++p) synapses.send(n, p, spikes_of(p, n), arrivals);
            const std::int32_t* next = input.data();
            for (const auto& range : synapses.targets())
                for (std::uint32_t port = 0; port < range.ports; ++port, next += range.room)
                    for (std::uint32_t i = 0; i < range.room; ++i) {
                        if (i >= range.units.units) REQUIRE(next[i] == 0);
                        else inputs[{range.units.population, range.units.first + i, port}].push_back(next[i]);
                    }
        }
    }
    return inputs;
}

Inputs expected(const Network& network) {
    Inputs inputs;
    for (std::uint32_t i = 0; i < 150; ++i) inputs[{0, i, 0}].resize(steps);
    for (std::uint32_t i = 0; i < 130; ++i)
        for (std::uint32_t port = 0; port < 2; ++port) inputs[{1, i, port}].resize(steps);
    for (const auto& in : network.inputs)
        for (Step n = 0; n < steps; ++n)
            for (const auto source : spikes_of(in.from, n))
                for (const auto& s : static_cast<const Listed*>(in.stream)->of[source])
                    if (n + s.delay < steps)
                        inputs[{in.to, s.target, in.port}][static_cast<std::size_t>(n + s.delay)] += std::llround(s.weight);
    return inputs;
}

}  // namespace

TEST_CASE("Static synapses deliver every weight to its target and receptor after its delay", "[contract]") {
    const Network network;
    const auto built = network.build(one_partition);
    CHECK(built[0].weight_unit() == 1);  // the largest weight is 32767
    CHECK((delivered(built) == expected(network)));
}

TEST_CASE("Partitions of static synapses change nothing", "[contract]") {
    const Network network;
    CHECK((delivered(network.build(three_partitions)) == expected(network)));
}

TEST_CASE("Static synapses are listed as they were drawn", "[contract]") {
    const Network network;
    for (const auto& partitions : {one_partition, three_partitions}) {
        std::multimap<std::tuple<std::size_t, std::uint32_t, std::size_t, std::uint32_t, std::uint32_t, std::uint16_t>, float> listed,
            drawn;
        std::size_t count = 0;
        for (const auto& synapses : network.build(partitions)) {
            count += synapses.synapses();
            synapses.for_each([&](auto from, auto source, auto to, auto target, auto port, auto delay, float weight) {
                listed.insert({{from, source, to, target, port, delay}, weight});
            });
        }
        for (const auto& in : network.inputs)
            for (std::uint32_t s = 0; s < sizes[in.from]; ++s)
                for (const auto& synapse : static_cast<const Listed*>(in.stream)->of[s])
                    drawn.insert({{in.from, s, in.to, synapse.target, in.port, synapse.delay}, synapse.weight});
        CHECK(count == drawn.size());
        CHECK((listed == drawn));
    }
}

TEST_CASE("The weight of a static synapse is off by at most half a unit, 1/65534 of the largest", "[analytic]") {
    Listed stream;
    stream.of.resize(100);
    for (std::uint32_t j = 0; j < 100; ++j) stream.of[0].push_back({j, 1, 0.87f * std::sin(static_cast<float>(j))});
    const std::uint32_t size[1]{100};
    const StaticSynapses::Input input{0, 0, 0, &stream};
    const auto built = StaticSynapses::build(size, {&input, 1}, std::vector(1, std::vector{Target{{0, 0, 100}, 128, 1}}));
    CHECK(built[0].weight_unit() == stream.largest_weight() / 32767);
    built[0].for_each([&](auto, auto, auto, std::uint32_t target, auto, auto, float weight) {
        CHECK(std::abs(weight - stream.of[0][target].weight) <= 0.5001f * built[0].weight_unit());
    });
}

TEST_CASE("The bound on the memory of static synapses holds, and is near", "[contract]") {
    const Network network;
    const auto built = network.build(one_partition);
    const auto bound = StaticSynapses::bytes_for(built[0].synapses(), 280, 9);
    CHECK(built[0].bytes() <= bound);
    CHECK(bound <= built[0].bytes() + 4 * 9 * 280);
}

TEST_CASE("A source with more synapses onto a partition than a run can count is refused", "[contract]") {
    Listed stream;
    stream.of.resize(10);
    for (std::uint32_t k = 0; k < 65536; ++k) stream.of[0].push_back({k % 10, 1, 1.0f});
    const std::uint32_t size[1]{10};
    const StaticSynapses::Input input{0, 0, 0, &stream};
    CHECK_THROWS_AS(StaticSynapses::build(size, {&input, 1}, std::vector(1, std::vector{Target{{0, 0, 10}, 64, 1}})), Error);
}
