#include "sim/random.hpp"

#include "sim/lanes.hpp"

namespace ydot {
namespace {

constexpr std::uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;  // Philox 4x32 constants, Salmon et al. 2011
constexpr std::uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;
constexpr unsigned lanes = 16;

struct Counters {
    std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
};

/// One Philox round on sixteen counters; the loop vectorises (tests compare it with Random123 bit by bit).
inline void philox_round(Counters& x, std::uint32_t key_0, std::uint32_t key_1) noexcept {
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

#if defined(__AVX512F__)
/// The same on `registers` x 8 counters, each word in the lower half of a 64-bit lane; the upper halves hold rubbish that the
/// multiplication ignores. Several registers go round together because one round waits for the one before. (The maskz forms keep GCC 12
/// from warning.)
template <unsigned registers>
void philox_wide(std::uint32_t* out, std::uint64_t seed, std::uint32_t group, std::uint32_t when, std::uint32_t trial,
                 std::uint32_t stream) noexcept {
    const __m512i m0 = _mm512_set1_epi64(multiplier_0), m1 = _mm512_set1_epi64(multiplier_1);
    __m512i c0[registers], c1[registers], c2[registers], c3[registers];
    for (unsigned r = 0; r < registers; ++r) {
        c0[r] = _mm512_add_epi64(_mm512_set1_epi64(group * lanes + 8 * r), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
        c1[r] = _mm512_set1_epi64(when);
        c2[r] = _mm512_set1_epi64(trial);
        c3[r] = _mm512_set1_epi64(stream);
    }
    auto key_0 = static_cast<std::uint32_t>(seed), key_1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, key_0 += weyl_0, key_1 += weyl_1) {
        const __m512i k0 = _mm512_set1_epi64(key_0), k1 = _mm512_set1_epi64(key_1);
        for (unsigned r = 0; r < registers; ++r) {
            const __m512i p0 = _mm512_maskz_mul_epu32(0xFF, c0[r], m0), p1 = _mm512_maskz_mul_epu32(0xFF, c2[r], m1);
            c0[r] = _mm512_maskz_srli_epi64(0xFF, p1, 32) ^ c1[r] ^ k0;
            c2[r] = _mm512_maskz_srli_epi64(0xFF, p0, 32) ^ c3[r] ^ k1;
            c1[r] = p1;
            c3[r] = p0;
        }
    }
    const auto put = [](std::uint32_t* to, __m512i x) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_maskz_cvtepi64_epi32(0xFF, x));
    };
    for (unsigned r = 0; r < registers; ++r) {
        std::uint32_t* to = out + r / 2 * 64 + r % 2 * 8;
        put(to, c0[r]);
        put(to + 16, c1[r]);
        put(to + 32, c2[r]);
        put(to + 48, c3[r]);
    }
}
#endif

}  // namespace

void fill_random_words(std::span<std::uint32_t> out, std::uint64_t seed, std::uint32_t first, std::uint32_t when, std::uint32_t trial,
                       std::uint32_t stream) noexcept {
    std::size_t group = 0;
#if defined(__AVX512F__)
    for (; group * 64 + 128 <= out.size(); group += 2)
        philox_wide<4>(out.data() + group * 64, seed, first / 64 + static_cast<std::uint32_t>(group), when, trial, stream);
    for (; group * 64 < out.size(); ++group)
        philox_wide<2>(out.data() + group * 64, seed, first / 64 + static_cast<std::uint32_t>(group), when, trial, stream);
#endif
    for (; group * 64 < out.size(); ++group) {
        Counters x;
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
