#include "sim/circuit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "sim/error.hpp"

namespace ydot {

std::size_t Projection::synapses() const noexcept {
    std::size_t count = 0;
    for (const auto& block : blocks) block.for_each([&count](auto...) { ++count; });
    return count;
}

Circuit::Circuit(double step_ms, std::uint64_t random_seed, std::vector<std::unique_ptr<const Population>> members)
    : dt_ms_(step_ms), seed_(random_seed), populations_(std::move(members)), background_(populations_.size()) {}

double Circuit::input_scale(std::size_t from, std::size_t to) const noexcept {
    if (!populations_[to]->reads_activity()) return 1;
    const double full_rate_Hz = populations_[from]->full_rate_Hz();
    return full_rate_Hz > 0 ? 1e3 / full_rate_Hz : 0;  // a source of rate 0 sends nothing
}

Projection& Circuit::connect(std::string name, std::size_t from, std::size_t to, const Connectivity& synapses, DelaySite site,
                             std::uint32_t port) {
    Projection p;
    p.name = std::move(name);
    p.from = from;
    p.to = to;
    p.port = port;
    p.site = site;
    p.scale = static_cast<float>(input_scale(from, to));
    for (const auto& [first, units] : shards_of(to)) p.blocks.emplace_back(synapses, populations_[from]->size(), first, units);
    projections_.push_back(std::move(p));
    return projections_.back();
}

Projection& Circuit::connect_static(std::string name, std::size_t from, std::size_t to, std::unique_ptr<const SynapseStream> synapses,
                                    std::uint32_t port) {
    Projection p;
    p.name = std::move(name);
    p.from = from;
    p.to = to;
    p.port = port;
    const Step shortest = synapses->shortest_delay();
    shortest_static_ = shortest_static_ == 0 ? shortest : std::min(shortest_static_, shortest);
    streams_.push_back({projections_.size(), std::move(synapses)});
    projections_.push_back(std::move(p));
    return projections_.back();
}

/// Partitions of whole shards, of about as many slots each.
void Circuit::build_static_synapses(std::size_t wanted) {
    if (streams_.empty()) return;
    std::vector<std::uint32_t> sizes;
    std::vector<StaticSynapses::Targets> all;
    std::size_t slots = 0, largest = 0;
    for (std::size_t p = 0; p < populations_.size(); ++p) {
        sizes.push_back(populations_[p]->size());
        if (!populations_[p]->receives() || populations_[p]->continuous()) continue;
        for (const auto& [first, units] : shards_of(p)) {
            all.push_back({{p, first, units}, UnitShard::padded_size(units), static_cast<std::uint32_t>(populations_[p]->ports())});
            slots += all.back().slots();
            largest = std::max<std::size_t>(largest, all.back().slots());
        }
    }
    if (largest > StaticSynapses::most_slots)
        throw Error(fmt::format("a population whose units see one another may have at most {} units here", StaticSynapses::most_slots));
    const std::size_t needed = slots / (StaticSynapses::most_slots - largest + 1) + 1, share = slots / std::max(wanted, needed) + 1;
    std::vector<std::vector<StaticSynapses::Targets>> partitions;
    std::size_t filled = 0, limit = 0;
    for (const auto& range : all) {
        if (filled >= limit) {
            partitions.emplace_back();
            limit += share;
        }
        partitions.back().push_back(range);
        filled += range.slots();
    }
    std::vector<StaticSynapses::Input> inputs;
    for (const auto& stream : streams_) {
        const auto& projection = projections_[stream.projection];
        inputs.push_back({projection.from, projection.to, projection.port, stream.synapses.get()});
    }
    static_ = StaticSynapses::build(sizes, inputs, std::move(partitions));
    streams_.clear();
}

BackgroundInput BackgroundInput::make(std::string_view population, double rate_Hz, double weight, double dt_ms) {
    BackgroundInput background{static_cast<float>(weight), {}, stream_of(population, Purpose::background)};
    const double mean = rate_Hz * dt_ms * 1e-3;
    double exactly = std::exp(-mean), more = -std::expm1(-mean);  // probability of k and of more than k spikes
    for (int k = 0; more > 0x1p-33 && k < 1000; ++k) {
        background.thresholds.push_back(static_cast<std::uint32_t>(std::min(more * 0x1p32, 4294967295.0)));
        exactly *= mean / (k + 1);
        more -= exactly;
    }
    return background;
}

float Projection::magnitude(std::uint64_t seed, std::uint32_t refresh, std::uint32_t source, std::uint32_t target) const noexcept {
    if (magnitudes == Magnitudes::equal) return gain;
    const auto words = random_words(seed, source, target, magnitudes == Magnitudes::fixed ? 0 : refresh, stream_of(name, Purpose::weight));
    return 2 * gain * to_unit_float(words[0]);
}

void Circuit::follow(std::size_t projection, std::size_t forward, Follows how, float gain, Magnitudes magnitudes) {
    auto& follower = projections_[projection];
    follower.follows = how;
    follower.forward = forward;
    follower.gain = gain;
    follower.magnitudes = magnitudes;
    const auto key = [](std::uint64_t a, std::uint64_t b) { return a << 32 | b; };
    std::unordered_map<std::uint64_t, const float*> forward_weights;
    for (auto& block : projections_[forward].blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, const float& w) {
            forward_weights[key(source, target + block.first_target())] = &w;
        });
    std::vector<Link> links;
    for (auto& block : follower.blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, auto, const float& w) {
            const auto found = forward_weights.find(key(target + block.first_target(), source));
            if (found != forward_weights.end())
                links.push_back({const_cast<float*>(&w), found->second, source, target + block.first_target()});
        });
    links_.emplace_back(projection, std::move(links));
    refresh_followers();
}

void Circuit::refresh_followers() {
    for (auto& [projection, links] : links_) {
        const auto& follower = projections_[projection];
        if (follower.follows == Follows::nothing) continue;
        for (const auto& block : projections_[follower.forward].blocks) block.settle();
        for (const auto& link : links)
            *link.weight = follower.follows == Follows::transpose
                               ? follower.gain * *link.forward
                               : std::copysign(follower.magnitude(seed_, refreshes_, link.source, link.target), *link.forward);
        for (auto& block : projections_[projection].blocks) block.refresh_halves(0, block.sources());
    }
    ++refreshes_;
}

std::size_t Circuit::find_population(std::string_view name) const {
    for (std::size_t p = 0; p < populations_.size(); ++p)
        if (populations_[p]->name() == name) return p;
    throw Error("no population is named " + std::string(name));
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> Circuit::shards_of(std::size_t p) const {
    const auto size = populations_[p]->size();
    if (populations_[p]->coupled()) return {{0, size}};
    std::vector<std::pair<std::uint32_t, std::uint32_t>> shards;
    for (std::uint32_t first = 0; first < size; first += shard_units) shards.emplace_back(first, std::min(shard_units, size - first));
    return shards;
}

Step Circuit::window() const noexcept {
    Step smallest = shortest_static_;
    for (const auto& p : projections_)
        for (const auto& block : p.blocks)
            if (!block.delays().empty() && (smallest == 0 || block.delays().front() < smallest)) smallest = block.delays().front();
    return smallest == 0 ? 1 : smallest;
}

Step Circuit::longest_delay() const noexcept {
    Step longest = static_.empty() ? 1 : static_[0].longest_delay();
    for (const auto& p : projections_)
        for (const auto& block : p.blocks)
            if (!block.delays().empty()) longest = std::max<Step>(longest, block.delays().back());
    return longest;
}

std::size_t Circuit::neurons() const noexcept {
    std::size_t count = 0;
    for (const auto& p : populations_) count += p->size();
    return count;
}
std::size_t Circuit::synapses() const noexcept {
    std::size_t count = 0;
    for (const auto& p : projections_) count += p.synapses();
    for (const auto& s : static_) count += s.synapses();
    return count;
}
std::size_t Circuit::synapses_from(std::size_t population) const noexcept {
    std::size_t count = 0;
    for (const auto& p : projections_)
        if (p.from == population) count += p.synapses();
    for (const auto& s : static_) count += s.synapses_from(population);
    return count;
}
std::size_t Circuit::synapse_bytes() const noexcept {
    std::size_t bytes = 0;
    for (const auto& p : projections_)
        for (const auto& block : p.blocks) bytes += block.bytes();
    for (const auto& s : static_) bytes += s.bytes();
    return bytes;
}

}  // namespace ydot
