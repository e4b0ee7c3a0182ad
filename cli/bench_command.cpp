#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/run.hpp"
#include "bench/benchmark.hpp"
#include "cli/commands.hpp"
#include "sim/error.hpp"
#include "ydot_version.hpp"

namespace ydot::cli {
namespace {

struct BenchArguments {
    std::vector<std::string> names;
    std::int64_t threads = 0;
    bool quick = false, json = false, peers = false;
    std::string out;
};

using Json = nlohmann::ordered_json;

std::string value_text(double x) {
    if (std::isnan(x)) return "-";
    if (x >= 1e9) return fmt::format("{:.2f} G", x * 1e-9);
    if (x >= 1e6) return fmt::format("{:.1f} M", x * 1e-6);
    return fmt::format("{:.4g}", x);
}

void print_figure(const bench::Figure& figure) {
    fmt::print("  {:<34} {:>10} {}", figure.what, value_text(figure.value), figure.unit);
    if (!figure.of_what.empty()) fmt::print("   ({:.0f} % of {})", 100 * figure.share, figure.of_what);
    fmt::print("\n");
    std::fflush(stdout);
}

Json to_json(const bench::Figure& figure) {
    Json json{{"what", figure.what}, {"unit", figure.unit}, {"value", figure.value}};
    if (!figure.of_what.empty()) json["share"] = {{"of", figure.of_what}, {"value", figure.share}};
    return json;
}

Json to_json(const bench::Limits& limits) {
    return {{"threads", limits.threads},
            {"memory_read_GB_per_s", {{"one_thread", limits.read_GB_per_s[0]}, {"all_threads", limits.read_GB_per_s[1]}}},
            {"random_additions_per_s", {{"one_thread", limits.adds_per_s[0]}, {"all_threads", limits.adds_per_s[1]}}},
            {"rewrites_per_s", {{"one_thread", limits.rewrites_per_s[0]}, {"all_threads", limits.rewrites_per_s[1]}}},
            {"multiply_adds_GFLOP_per_s", {{"one_thread", limits.GFLOP_per_s[0]}, {"all_threads", limits.GFLOP_per_s[1]}}}};
}

void bench_command(const BenchArguments& arguments, const std::string& command) {
    std::vector<const bench::Benchmark*> chosen;
    for (const auto& name : arguments.names) {
        if (name != "all") chosen.push_back(&bench::find_benchmark(name));
        else
            for (const auto& benchmark : bench::benchmarks()) chosen.push_back(&benchmark);
    }
    std::filesystem::path file;
    if (!arguments.out.empty()) {
        std::filesystem::create_directories(arguments.out);
        file = std::filesystem::path(arguments.out) / "bench.json";
        if (!std::ofstream(file)) throw Error(file.string(), "cannot be written", {}, Error::Kind::run_failure);
    }
    bench::Options options{.threads = static_cast<std::size_t>(app::threads_used(arguments.threads)),
                           .quick = arguments.quick,
                           .peers = arguments.peers,
                           .limits = {}};
    options.limits = bench::measure_limits(options.threads);
    const auto& l = options.limits;
    if (!arguments.json)
        fmt::print(
            "this machine, {} thread{}: memory {:.1f} GB/s ({:.1f} on one), random additions {} /s ({}), rewrites {} /s ({}), "
            "multiply-adds {:.0f} GFLOP/s ({:.0f})\n",
            l.threads, l.threads == 1 ? "" : "s", l.read_GB_per_s[1], l.read_GB_per_s[0], value_text(l.adds_per_s[1]),
            value_text(l.adds_per_s[0]), value_text(l.rewrites_per_s[1]), value_text(l.rewrites_per_s[0]), l.GFLOP_per_s[1],
            l.GFLOP_per_s[0]);
    Json json{
        {"version", YDOT_VERSION}, {"command", command}, {"quick", options.quick}, {"limits", to_json(l)}, {"benchmarks", Json::object()}};
    for (const auto* benchmark : chosen) {
        if (!arguments.json) fmt::print("\n{}: {}\n", benchmark->name, benchmark->title);
        std::fflush(stdout);
        auto& list = json["benchmarks"][std::string(benchmark->name)] = Json::array();
        for (const auto& figure : benchmark->run(options)) {
            list.push_back(to_json(figure));
            if (!arguments.json) print_figure(figure);
        }
        if (!file.empty()) std::ofstream(file) << json.dump(2) << '\n';  // after each: an interrupted run keeps what is done
    }
    if (arguments.json) fmt::print("{}\n", json.dump(2));
    if (!file.empty()) fmt::print(stderr, "results in {}\n", file.string());
}

}  // namespace

void add_bench(CLI::App& app, const std::string& command) {
    auto arguments = std::make_shared<BenchArguments>();
    auto* bench = app.add_subcommand("bench", "Measure how fast Ydot is on this machine, beside what the machine allows");
    bench->footer("Example: ydot bench vogels_abbott_coba delivery --quick");
    std::string known;
    for (const auto& benchmark : bench::benchmarks()) known += (known.empty() ? "" : ", ") + std::string(benchmark.name);
    bench->add_option("NAME", arguments->names, "all (several minutes), or some of " + known)->required()->type_name("");
    bench->add_option("--threads", arguments->threads, "threads (default: one a core)")
        ->check(CLI::NonNegativeNumber.description(""))
        ->type_name("N");
    bench->add_flag("--quick", arguments->quick, "smaller and shorter");
    bench->add_flag("--peers", arguments->peers, "also run Brian2 on vogels_abbott_*, if the Python that YDOT_PYTHON names has it");
    bench->add_option("--out", arguments->out, "directory for bench.json")->type_name("DIR");
    bench->add_flag("--json", arguments->json, "JSON instead of text");
    bench->callback([arguments, command] { bench_command(*arguments, command); });
}

}  // namespace ydot::cli
