#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "bench/benchmark.hpp"
#include "sim/random.hpp"

namespace ydot::bench {
namespace {

constexpr std::size_t streamed_words = std::size_t{1} << 25;  // of 8 bytes: eight times the third-level cache
constexpr std::size_t slots = 38'585, events = std::size_t{1} << 22;

/// f(k) on so many threads of their own at once, all of them started before any begins to work.
template <class F>
void at_once(std::size_t threads, const F& f) {
    std::vector<std::thread> others;
    for (std::size_t k = 1; k < threads; ++k) others.emplace_back(f, k);
    f(std::size_t{0});
    for (auto& thread : others) thread.join();
}

double read_GB_per_s(std::size_t threads) {
    const std::vector<std::uint64_t> memory(streamed_words, 1);
    std::vector<std::uint64_t> sums(16 * threads);
    const double seconds = fastest(3, [&] {
        at_once(threads, [&](std::size_t k) {
            const std::size_t share = streamed_words / threads;
            sums[16 * k] = std::accumulate(memory.begin() + static_cast<std::ptrdiff_t>(k * share),
                                           memory.begin() + static_cast<std::ptrdiff_t>((k + 1) * share), std::uint64_t{0});
        });
    });
    return sums[0] == 0 ? 0 : 8e-9 * streamed_words / seconds;
}

double adds_per_s(std::size_t threads) {
    Draws draws(1, 2);
    std::vector<std::uint32_t> words(events);
    for (auto& word : words) word = draws.below(slots) | draws.below(1000) << 16;
    std::vector<std::vector<std::int32_t>> inputs(threads, std::vector<std::int32_t>(slots));
    const double seconds = fastest(3, [&] {
        at_once(threads, [&](std::size_t k) {
            std::int32_t* const input = inputs[k].data();
            for (int round = 0; round < 4; ++round)
                for (const auto word : words) input[word & 0xFFFF] += static_cast<std::int32_t>(word) >> 16;
        });
    });
    return 4.0 * events * static_cast<double>(threads) / seconds;
}

double rewrites_per_s(std::size_t threads) {
    constexpr std::size_t targets = 4096;
    Draws draws(1, 6);
    std::vector<std::uint16_t> index(streamed_words);
    for (auto& i : index) i = static_cast<std::uint16_t>(draws.below(targets));
    std::vector<float> weights(streamed_words, 1);
    std::vector<std::vector<float>> inputs(threads, std::vector<float>(targets));
    const double seconds = fastest(3, [&] {
        at_once(threads, [&](std::size_t k) {
            float* const input = inputs[k].data();
            const std::size_t share = streamed_words / threads;
            for (std::size_t n = k * share; n < (k + 1) * share; ++n) input[index[n]] += weights[n] *= 0.999f;
        });
    });
    return streamed_words / seconds;
}

/// As wide as registers can be here; compiled to fused multiply-adds (CMakeLists.txt).
using Register [[gnu::vector_size(64)]] = float;

double GFLOP_per_s(std::size_t threads) {
    constexpr int chains = 16, steps = 1'000'000;  // enough in flight to hide the latency
    std::vector<float> results(16 * threads);
    const double seconds = fastest(3, [&] {
        at_once(threads, [&](std::size_t k) {
            Register sums[chains], factor, addend;
            for (int lane = 0; lane < 16; ++lane) {
                factor[lane] = 0.999f + 1e-6f * static_cast<float>(k);
                addend[lane] = 0.001f * static_cast<float>(lane);
            }
            for (auto& sum : sums) sum = addend;
            for (int step = 0; step < steps; ++step)
                for (auto& sum : sums) sum = sum * factor + addend;
            for (const auto& sum : sums) results[16 * k] += sum[0];
        });
    });
    return results[0] < 0 ? 0 : 2e-9 * 16 * chains * steps * static_cast<double>(threads) / seconds;
}

}  // namespace

double fastest(int rounds, const std::function<void()>& f) {
    double best = 1e300;
    for (int k = 0; k < rounds; ++k) {
        const auto start = std::chrono::steady_clock::now();
        f();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

Limits measure_limits(std::size_t threads) {
    return {threads,
            {read_GB_per_s(1), read_GB_per_s(threads)},
            {adds_per_s(1), adds_per_s(threads)},
            {rewrites_per_s(1), rewrites_per_s(threads)},
            {GFLOP_per_s(1), GFLOP_per_s(threads)}};
}

}  // namespace ydot::bench
