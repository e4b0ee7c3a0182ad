#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace ydot {

// The place for vector types and intrinsics (with the Philox lanes of random.cpp). All of it gives the same bits on every instruction set.

/// Sixteen floats; GCC maps them to what the processor has.
using Lanes = float __attribute__((vector_size(64)));
inline Lanes load_lanes(const float* p) noexcept {
    Lanes x;
    std::memcpy(&x, p, sizeof x);
    return x;
}
inline void store_lanes(float* p, Lanes x) noexcept { std::memcpy(p, &x, sizeof x); }

/// Sixteen half-precision numbers (IEEE binary16), widened without loss.
inline Lanes load_lanes(const _Float16* p) noexcept {
#if defined(__AVX512F__)
    return _mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#else
    Lanes x{};
    for (int i = 0; i < 16; ++i) x[i] = static_cast<float>(p[i]);
    return x;
#endif
}
/// Rounded to nearest, ties to even; n is a multiple of 16.
inline void store_halves(_Float16* out, const float* x, std::size_t n) noexcept {
#if defined(__AVX512F__)
    for (std::size_t j = 0; j < n; j += 16)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + j),
                            _mm512_maskz_cvtps_ph(0xFFFF, load_lanes(x + j), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    for (std::size_t j = 0; j < n; ++j) out[j] = static_cast<_Float16>(x[j]);
#endif
}

/// out[j] += factor * (sum over k < count of row_of(k)[j]) for j < width, a multiple of 16. Four vectors of sums stay in registers while
/// the rows go by, so `out` is touched once. For every j the rows are added in the order of k (in four interleaved sums when width is 16).
template <class RowOf>
inline void add_rows(float* out, float factor, std::size_t count, std::size_t width, const RowOf& row_of) noexcept {
    std::size_t j = 0;
    for (; j + 64 <= width; j += 64) {
        Lanes a{}, b{}, c{}, d{};
        for (std::size_t k = 0; k < count; ++k) {
            const auto* row = row_of(k) + j;
            a += load_lanes(row);
            b += load_lanes(row + 16);
            c += load_lanes(row + 32);
            d += load_lanes(row + 48);
        }
        store_lanes(out + j, load_lanes(out + j) + factor * a);
        store_lanes(out + j + 16, load_lanes(out + j + 16) + factor * b);
        store_lanes(out + j + 32, load_lanes(out + j + 32) + factor * c);
        store_lanes(out + j + 48, load_lanes(out + j + 48) + factor * d);
    }
    for (; j < width; j += 16) {
        Lanes a{}, b{}, c{}, d{};
        std::size_t k = 0;
        for (; k + 4 <= count; k += 4) {
            a += load_lanes(row_of(k) + j);
            b += load_lanes(row_of(k + 1) + j);
            c += load_lanes(row_of(k + 2) + j);
            d += load_lanes(row_of(k + 3) + j);
        }
        for (; k < count; ++k) a += load_lanes(row_of(k) + j);
        store_lanes(out + j, load_lanes(out + j) + factor * ((a + b) + (c + d)));
    }
}

using WordLanes = std::uint32_t __attribute__((vector_size(64)));
inline WordLanes load_words(const std::uint32_t* p) noexcept {
    WordLanes x;
    std::memcpy(&x, p, sizeof x);
    return x;
}
/// Sixteen probabilities in [0, 1] as thresholds, see probability_threshold().
inline WordLanes thresholds_of(Lanes p) noexcept {
    const Lanes scaled = p * 4294967296.0f;
    return __builtin_convertvector(scaled < 4294967040.0f ? scaled : Lanes{} + 4294967040.0f, WordLanes);
}

/// Writes first + i for every i < valid (at most 16) with words[i] < thresholds[i], ascending; returns the end. Room for 16 is needed, and
/// sixteen words to read.
inline std::uint32_t* put_below(const std::uint32_t* words, WordLanes thresholds, std::uint32_t first, unsigned valid,
                                std::uint32_t* out) noexcept {
#if defined(__AVX512F__)
    const __mmask16 lanes = static_cast<__mmask16>((1u << valid) - 1);
    const __m512i ids = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                         _mm512_set1_epi32(static_cast<int>(first)));
    const __mmask16 below =
        _mm512_mask_cmplt_epu32_mask(lanes, reinterpret_cast<__m512i>(load_words(words)), reinterpret_cast<__m512i>(thresholds));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(below, ids));
    return out + __builtin_popcount(below);
#else
    for (unsigned i = 0; i < valid; ++i) {
        *out = first + i;
        out += words[i] < thresholds[i];
    }
    return out;
#endif
}

inline bool any_below(WordLanes words, std::uint32_t threshold) noexcept {
#if defined(__AVX512F__)
    return _mm512_cmplt_epu32_mask(reinterpret_cast<__m512i>(words), _mm512_set1_epi32(static_cast<int>(threshold))) != 0;
#else
    bool any = false;
    for (int i = 0; i < 16; ++i) any |= words[i] < threshold;
    return any;
#endif
}

/// input[i] += weight * k_i with k_i the number of thresholds above words[i], i < n, a multiple of 16: counts by inversion when
/// thresholds[k] is the probability of more than k, which falls with k. The rare ones are looked at only when a word is below the first of
/// them.
inline void add_counts(const std::uint32_t* words, std::span<const std::uint32_t> thresholds, float weight, float* input,
                       std::size_t n) noexcept {
    const auto is_rare = [](std::uint32_t t) { return t < (1u << 25); };  // one of sixteen lanes in eight
    const auto common = static_cast<std::size_t>(std::find_if(thresholds.begin(), thresholds.end(), is_rare) - thresholds.begin());
    for (std::size_t i = 0; i < n; i += 16) {
        const WordLanes word = load_words(words + i);
        WordLanes count{};
        const auto add = [&](std::size_t k) { count -= reinterpret_cast<WordLanes>(word < thresholds[k]); };
        for (std::size_t k = 0; k < common; ++k) add(k);
        for (std::size_t k = common; k < thresholds.size() && any_below(word, thresholds[k]); ++k) add(k);
        store_lanes(input + i, load_lanes(input + i) + weight * __builtin_convertvector(count, Lanes));
    }
}

/// A thread's buffer for the spikes of one step, so that lists are not cleared only to be overwritten.
inline std::vector<std::uint32_t>& spike_buffer(std::size_t room) {
    thread_local std::vector<std::uint32_t> buffer;
    if (buffer.size() < room) buffer.resize(room);
    return buffer;
}

/// Appends first + i for every i with words[i] < thresholds[i], ascending. Both arrays are padded to a multiple of 16.
inline void append_below(std::span<const std::uint32_t> words, const std::uint32_t* thresholds, std::uint32_t first,
                         std::vector<std::uint32_t>& out) {
    auto& buffer = spike_buffer(words.size() + 16);
    std::uint32_t* end = buffer.data();
    for (std::size_t i = 0; i < words.size(); i += 16)
        end = put_below(words.data() + i, load_words(thresholds + i), first + static_cast<std::uint32_t>(i),
                        static_cast<unsigned>(std::min<std::size_t>(16, words.size() - i)), end);
    out.insert(out.end(), buffer.data(), end);
}

// ---- sixteen synapses at a time ---------------------------------------------------------------------------------------------------

using IntLanes = std::int32_t __attribute__((vector_size(64)));

/// The first n <= 16 of a row, the others 0; and back.
inline Lanes load_lanes(const float* p, unsigned n) noexcept {
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
#else
    Lanes x{};
    std::memcpy(&x, p, n * sizeof(float));
    return x;
#endif
}
inline void store_lanes(float* p, Lanes x, unsigned n) noexcept {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), x);
#else
    std::memcpy(p, &x, n * sizeof(float));
#endif
}
inline Lanes least(Lanes a, Lanes b) noexcept { return a < b ? a : b; }
inline Lanes greatest(Lanes a, Lanes b) noexcept { return a < b ? b : a; }
/// Whether a comparison holds anywhere.
inline bool any(IntLanes comparison) noexcept {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(comparison), reinterpret_cast<__m512i>(comparison)) != 0;
#else
    std::int32_t found = 0;
    for (int i = 0; i < 16; ++i) found |= comparison[i];
    return found != 0;
#endif
}

/// Reads tables by target for sixteen neighbouring synapses of a row, whose targets ascend. Tables have `padding` entries behind the last.
/// Targets within 32 of each other, as in well filled rows, are picked from two vectors, others gathered.
class TargetLanes {
public:
    static constexpr std::size_t padding = 32;

    /// @param target  null: the targets are k, k + 1, ...;  @param n  synapses, at most 16; what is read for the others means nothing
    TargetLanes(const std::uint16_t* target, std::size_t k, unsigned n) noexcept : dense_(target == nullptr), first_(k) {
        if (dense_) return;
        std::uint16_t index[16] = {};
        std::memcpy(index, target + k, n * sizeof *index);
        first_ = index[0];
        near_ = index[n - 1] - first_ < 32;
#if defined(__AVX512F__)
        index_ = reinterpret_cast<WordLanes>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(index))));
#else
        for (int i = 0; i < 16; ++i) index_[i] = index[i];
#endif
    }
    Lanes operator()(const float* table) const noexcept { return reinterpret_cast<Lanes>(pick(table)); }
    IntLanes operator()(const std::int32_t* table) const noexcept { return reinterpret_cast<IntLanes>(pick(table)); }

private:
    template <class T>
    WordLanes pick(const T* table) const noexcept {
        WordLanes x{};
#if defined(__AVX512F__)
        if (dense_) return reinterpret_cast<WordLanes>(_mm512_loadu_si512(table + first_));
        if (near_)
            return reinterpret_cast<WordLanes>(_mm512_permutex2var_epi32(
                _mm512_loadu_si512(table + first_), reinterpret_cast<__m512i>(index_ - static_cast<std::uint32_t>(first_)),
                _mm512_loadu_si512(table + first_ + 16)));
        return reinterpret_cast<WordLanes>(
            _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xFFFF, reinterpret_cast<__m512i>(index_), table, 4));
#else
        if (dense_) std::memcpy(&x, table + first_, sizeof x);
        else
            for (int i = 0; i < 16; ++i) std::memcpy(reinterpret_cast<char*>(&x) + 4 * i, table + index_[i], 4);
#endif
        return x;
    }
    bool dense_, near_ = false;
    std::size_t first_;
    WordLanes index_{};
};

}  // namespace ydot
