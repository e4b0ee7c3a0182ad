#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ydot::bench {

/// What this machine can do, measured in the same run: the figures of a benchmark are held against it.
struct Limits {
    std::size_t threads = 1;
    double read_GB_per_s[2]{};   ///< memory, streamed: one thread, all threads
    double adds_per_s[2]{};      ///< 32-bit additions at random places of 155 KB, index and addend streamed: one thread, all threads
    double rewrites_per_s[2]{};  ///< floats of memory changed and added at random places of 16 KB, index streamed: one thread, all threads
    double GFLOP_per_s[2]{};     ///< fused multiply-adds of floats in registers, two operations each: one thread, all threads
};
Limits measure_limits(std::size_t threads);

/// One figure, and what it is held against.
struct Figure {
    std::string what, unit;
    double value = 0;       ///< NaN: could not be measured, `unit` says why
    std::string of_what{};  ///< "additions the memory hierarchy allows"; empty: held against nothing
    double share = 0;       ///< value over that of the machine or of the peer, larger is better
};

struct Options {
    std::size_t threads = 1;
    bool quick = false;  ///< smaller and shorter: seconds instead of minutes
    bool peers = false;  ///< also runs other simulators that are installed, where a benchmark knows how
    Limits limits;
};

struct Benchmark {
    std::string_view name, title;
    std::vector<Figure> (*run)(const Options&);
};

/// In the order in which they run.
std::span<const Benchmark> benchmarks();
/// @throws Error for an unknown name
const Benchmark& find_benchmark(std::string_view name);

// One file each.
std::vector<Figure> neuron_step(const Options&);
std::vector<Figure> delivery(const Options&);
std::vector<Figure> plastic_delivery(const Options&);
std::vector<Figure> construction(const Options&);
std::vector<Figure> rate_learning(const Options&);
std::vector<Figure> microcircuit(const Options&);
std::vector<Figure> microcircuit_dc(const Options&);
std::vector<Figure> brunel(const Options&);
std::vector<Figure> vogels_abbott_coba(const Options&);
std::vector<Figure> vogels_abbott_cuba(const Options&);
std::vector<Figure> balanced_stdp(const Options&);

/// What Brian2 needs for the network of Vogels & Abbott, here and now on one thread, beside ours: bench/brian2_vogels_abbott.py.
/// @param synapses  coba or cuba
Figure brian2_vogels_abbott(const std::string& synapses, double duration_ms, double our_cpu_s_per_biological_s);

/// Seconds of the fastest of `rounds` calls.
double fastest(int rounds, const std::function<void()>& f);

}  // namespace ydot::bench
