// The circuits that the field measures simulators with.
#include "app/run.hpp"
#include "app/toml_io.hpp"
#include "bench/benchmark.hpp"

namespace ydot::bench {
namespace {

/// What others need for the same circuit on the machine named in docs/results.md: seconds of one core for a second of biological time.
struct Peer {
    const char* name;
    double cpu_s_per_biological_s;
};

struct Measured {
    std::vector<Figure> figures;
    double cpu_s_per_biological_s;
};

Measured run(const Options& options, const std::string& circuit, double duration_ms, const std::vector<Peer>& peers) {
    const std::string text = "plots = false\n[run]\ndt_ms = 0.1\nwarmup_ms = " + std::string(options.quick ? "100.0" : "500.0") +
                             "\n[circuit]\n" + circuit + "\n[record]\nspikes = false\n";
    auto description = app::parse_description(text, "benchmark");
    description.run.duration_ms = options.quick ? duration_ms / 10 : duration_ms;
    description.run.threads = static_cast<std::int64_t>(options.threads);
    const auto summary = app::run(description, {}).summary;
    const auto& t = summary.timing;
    const double bytes = static_cast<double>(app::peak_memory_bytes());
    std::vector<Figure> figures{{"neurons", "", static_cast<double>(summary.network.neurons)},
                                {"synapses", "", static_cast<double>(summary.network.synapses)},
                                {"construction", "s", t.build_s},
                                {"real-time factor", "", t.run_s / t.biological_s},
                                {"CPU seconds a biological second", "s", t.cpu_s / t.biological_s},
                                {"synaptic events", "events/s", t.synaptic_events / t.run_s, "random additions of this machine",
                                 t.synaptic_events / t.run_s / options.limits.adds_per_s[1]},
                                {"synaptic events a CPU second", "events/s", t.synaptic_events / t.cpu_s},
                                {"peak memory", "GB", 1e-9 * bytes}};
    for (const auto& peer : peers)
        figures.push_back({std::string(peer.name) + " over ours", "CPU time", peer.cpu_s_per_biological_s / (t.cpu_s / t.biological_s)});
    return {std::move(figures), t.cpu_s / t.biological_s};
}

std::vector<Figure> measure(const Options& options, const std::string& circuit, double duration_ms, const std::vector<Peer>& peers = {}) {
    return run(options, circuit, duration_ms, peers).figures;
}

std::vector<Figure> vogels_abbott(const Options& options, const std::string& synapses, const std::vector<Peer>& peers) {
    auto [figures, cpu_s] = run(options, "name = \"vogels_abbott\"\nsynapses = \"" + synapses + "\"", 20'000, peers);
    if (options.peers) figures.push_back(brian2_vogels_abbott(synapses, options.quick ? 2000 : 10'000, cpu_s));
    return figures;
}

}  // namespace

std::vector<Figure> microcircuit(const Options& options) {
    return measure(options, std::string("name = \"microcircuit\"\nscale = ") + (options.quick ? "0.2" : "1.0"), 10'000,
                   options.quick ? std::vector<Peer>{{"NEST 3.10", 16.9}, {"GeNN 5.4, CPU", 2.5}}
                                 : std::vector<Peer>{{"NEST 3.10", 186}, {"GeNN 5.4, CPU", 28}});
}
std::vector<Figure> microcircuit_dc(const Options& options) {
    return measure(options, std::string("name = \"microcircuit\"\nbackground = \"dc\"\nscale = ") + (options.quick ? "0.2" : "1.0"), 10'000,
                   options.quick ? std::vector<Peer>{} : std::vector<Peer>{{"NEST 3.10", 163}});
}
std::vector<Figure> brunel(const Options& options) { return measure(options, "name = \"brunel\"", 10'000, {{"NEST 3.10", 21.5}}); }
std::vector<Figure> vogels_abbott_coba(const Options& options) {
    return vogels_abbott(options, "coba", {{"NEST 3.10", 7.9}, {"Brian2", 0.36}, {"Auryn", 0.095}});
}
std::vector<Figure> vogels_abbott_cuba(const Options& options) {
    return vogels_abbott(options, "cuba", {{"NEST 3.10", 0.4}, {"Brian2", 0.10}});
}

std::vector<Figure> balanced_stdp(const Options& options) {
    return measure(options, std::string("name = \"balanced_stdp\"\nscale = ") + (options.quick ? "0.25" : "1.0"), 1'000,
                   options.quick ? std::vector<Peer>{} : std::vector<Peer>{{"NEST 3.10", 164}});
}

}  // namespace ydot::bench
