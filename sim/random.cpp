#include "sim/random.hpp"

namespace ydot {
namespace {

constexpr std::uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;  // Philox 4x32 constants, Salmon et al. 2011
constexpr std::uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;
constexpr unsigned lanes = 16;

struct Lanes {
    std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
};

/// One Philox round on sixteen counters; the loop vectorises (tests compare it with Random123 bit by bit).
inline void philox_round(Lanes& x, std::uint32_t key_0, std::uint32_t key_1) noexcept {
    for (unsigned i = 0; i < lanes; ++i) {
        const std::uint64_t p0 = static_cast<std::uint64_t>(multiplier_0) * x.c0[i];
        const std::uint64_t p1 = static_cast<std::uint64_t>(multiplier_1) * x.c2[i];
        const auto high_0 = static_cast<std::uint32_t>(p0 >> 32), high_1 = static_cast<std::uint32_t>(p1 >> 32);
        x.c0[i] = high_1 ^ x.c1[i] ^ key_0;
        x.c2[i] = high_0 ^ x.c3[i] ^ key_1;
        x.c1[i] = static_cast<std::uint32_t>(p1);
        x.c3[i] = static_cast<std::uint32_t>(p0);
    }
}

}  // namespace

void fill_random_words(std::span<std::uint32_t> out, std::uint64_t seed, std::uint32_t first, std::uint32_t when, std::uint32_t trial,
                       std::uint32_t stream) noexcept {
    for (std::size_t group = 0; group * 64 < out.size(); ++group) {
        Lanes x;
        for (unsigned i = 0; i < lanes; ++i) {
            x.c0[i] = (first / 64 + static_cast<std::uint32_t>(group)) * lanes + i;
            x.c1[i] = when;
            x.c2[i] = trial;
            x.c3[i] = stream;
        }
        auto key_0 = static_cast<std::uint32_t>(seed), key_1 = static_cast<std::uint32_t>(seed >> 32);
        for (int round = 0; round < 10; ++round, key_0 += weyl_0, key_1 += weyl_1) philox_round(x, key_0, key_1);
        std::uint32_t* words = out.data() + group * 64;
        for (unsigned i = 0; i < lanes; ++i) {
            words[i] = x.c0[i];
            words[lanes + i] = x.c1[i];
            words[2 * lanes + i] = x.c2[i];
            words[3 * lanes + i] = x.c3[i];
        }
    }
}

}  // namespace ydot
