#pragma once
#include <Random123/philox.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>

namespace ydot {

/// Counter-based random numbers (Philox 4x32-10; Salmon et al. 2011, through Random123).
/// A number is a pure function of (seed, who, when, why): no generator has hidden state that objects share,
/// so results do not depend on threads, and adding one population does not change another's numbers.
using RandomWords = std::array<std::uint32_t, 4>;

/// What a number is drawn for; part of the stream of an object, see stream_of(). The values are part of every result: never renumber.
enum class Purpose : std::uint32_t {
    connect = 0,
    weight = 1,
    delay = 2,
    fire = 3,
    shuffle = 5,
    image = 6,
    background = 7,
    start = 8,
    parameter = 9,
    place = 12,
    current = 13,
    rate_noise = 14,
    dropout = 15,
    target = 16,
    drift = 17,
    jitter = 18,
    anneal = 19
};

/// 32-bit FNV-1a of the object's name and the purpose: the "why" of a draw.
constexpr std::uint32_t stream_of(std::string_view object, Purpose purpose) noexcept {
    std::uint32_t hash = 2166136261u;
    const auto mix = [&hash](std::uint32_t byte) { hash = (hash ^ byte) * 16777619u; };
    for (const char c : object) mix(static_cast<unsigned char>(c));
    mix(0xFFu);
    mix(static_cast<std::uint32_t>(purpose));
    return hash;
}

/// The four words of one counter. `who`: unit or synapse block, `when`: step, `trial`: presentation or 0, `stream`: see stream_of().
inline RandomWords random_words(std::uint64_t seed, std::uint32_t who, std::uint32_t when, std::uint32_t trial,
                                std::uint32_t stream) noexcept {
    const r123::Philox4x32 philox;
    const auto words = philox({{who, when, trial, stream}}, {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}});
    return {words[0], words[1], words[2], words[3]};
}

/// Uniform in [0, 1), 24 bits.
constexpr float to_unit_float(std::uint32_t word) noexcept { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Fills `out[i]`, i < out.size() (a multiple of 64), for the units first + i (first a multiple of 64) with one word each.
/// Unit 64 g + 16 q + b gets word q of counter (16 g + b, when, trial, stream): the layout that lets sixteen counters run in vector lanes.
void fill_random_words(std::span<std::uint32_t> out, std::uint64_t seed, std::uint32_t first, std::uint32_t when, std::uint32_t trial,
                       std::uint32_t stream) noexcept;

/// A private sequence of draws of one object for one occasion, e.g. the synapses of one source or the spikes of one image.
/// Two sequences with different (seed, stream, who, trial) are independent. Meets UniformRandomBitGenerator.
class Draws {
public:
    using result_type = std::uint32_t;
    Draws(std::uint64_t seed, std::uint32_t stream, std::uint32_t who = 0, std::uint32_t trial = 0) noexcept
        : seed_(seed), stream_(stream), who_(who), trial_(trial) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    result_type operator()() noexcept {
        if (next_ == 4) {
            words_ = random_words(seed_, who_, when_++, trial_, stream_);
            next_ = 0;
        }
        return words_[next_++];
    }
    /// In [0, 1), 53 bits.
    double uniform() noexcept {
        const std::uint64_t high = (*this)(), low = (*this)();
        return static_cast<double>(((high << 32) | low) >> 11) * 0x1p-53;
    }
    double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }
    /// Exponential with mean 1.
    double exponential() noexcept { return -std::log1p(-uniform()); }
    /// Standard normal (Box & Muller 1958, one of the pair).
    double normal() noexcept {
        const double radius = std::sqrt(2 * exponential());
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }
    /// Integer in [0, n), n > 0, free of modulo bias to 2^-32 (Lemire's multiplication).
    std::uint32_t below(std::uint32_t n) noexcept { return static_cast<std::uint32_t>((static_cast<std::uint64_t>((*this)()) * n) >> 32); }

private:
    std::uint64_t seed_;
    std::uint32_t stream_, who_, trial_, when_ = 0;
    RandomWords words_{};
    unsigned next_ = 4;
};

/// In-place Fisher-Yates, the same on every platform (std::shuffle is not).
template <class T>
void shuffle(std::span<T> items, Draws& draws) noexcept {
    for (std::size_t n = items.size(); n > 1; --n) std::swap(items[n - 1], items[draws.below(static_cast<std::uint32_t>(n))]);
}

}  // namespace ydot
