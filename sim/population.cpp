#include "sim/population.hpp"

#include <bit>
#include <cstring>

namespace ydot {

UnitShard::UnitShard(std::uint32_t first_unit, std::uint32_t units, std::size_t variables)
    : first(first_unit), count(units), padded((units + 63) / 64 * 64), columns(variables * padded), input(padded), activity(padded), slope(padded),
      stimulus(padded), words(padded), fired(padded), draws(units), silent_until(units) {}

namespace detail {

void fire_below(std::span<const std::uint32_t> words, std::span<const std::uint32_t> thresholds, std::vector<std::uint8_t>& fired) {
    fired.resize(std::max(fired.size(), words.size()));
    std::uint8_t* out = fired.data();
    for (std::size_t i = 0; i < words.size(); ++i) out[i] = words[i] < thresholds[i];
}

void collect(std::span<const std::uint8_t> fired, std::uint32_t first, std::vector<std::uint32_t>& out) {
    static_assert(std::endian::native == std::endian::little, "the lowest byte of a word is the first unit");
    std::size_t i = 0;
    for (; i + 8 <= fired.size(); i += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, fired.data() + i, 8);
        for (; eight != 0; eight &= eight - 1) out.push_back(first + static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(std::countr_zero(eight) / 8));
    }
    for (; i < fired.size(); ++i)
        if (fired[i]) out.push_back(first + static_cast<std::uint32_t>(i));
}

Candidate::Candidate(const StepKey& key, std::uint32_t stream, std::uint32_t unit, std::uint32_t& draw) noexcept {
    const auto words = random_words(key.seed, unit, draw++, key.trial, stream);
    const auto unit_interval_53 = [](std::uint64_t high, std::uint64_t low) { return static_cast<double>(((high << 32) | low) >> 11) * 0x1p-53; };
    wait = -std::log1p(-unit_interval_53(words[0], words[1]));
    accept = unit_interval_53(words[2], words[3]);
}

void put(std::span<SpikeList> out, Step first_step, double time, std::uint32_t unit) {
    const auto step = static_cast<Step>(std::floor(time));
    const auto slot = std::min(static_cast<std::size_t>(step - first_step), out.size() - 1);  // time < end of the window up to rounding
    out[slot].unit.push_back(unit);
    out[slot].offset.push_back(std::min(static_cast<float>(time - static_cast<double>(step)), 0x1.fffffep-1f));
}

}  // namespace detail
}  // namespace ydot
