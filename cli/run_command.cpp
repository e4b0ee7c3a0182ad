#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>

#include "app/run.hpp"
#include "app/shell.hpp"
#include "app/toml_io.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"

namespace ydot::cli {
namespace fs = std::filesystem;
namespace {

struct RunArguments {
    std::string file, data, out;
    std::vector<std::string> settings;
    std::optional<std::int64_t> seed, threads;
    ProgressDisplay::Style progress = ProgressDisplay::Style::automatic;
    bool dry_run = false;
};

/// results/NAME, or the first of results/NAME-2, -3, ... that does not exist. The config.toml of results goes by the name of its directory.
fs::path fresh_directory(const fs::path& file) {
    const fs::path directory = fs::absolute(file).lexically_normal().parent_path().filename();
    const fs::path base = fs::path("results") / (file.filename() == "config.toml" && !directory.empty() ? directory : file.stem());
    fs::path candidate = base;
    for (int n = 2; fs::exists(candidate); ++n) candidate = base.string() + "-" + std::to_string(n);
    return candidate;
}

/// "0.83", and "-" for what there is none of.
std::string number_text(double value, int decimals) { return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-"; }

void print_activity(const Activity& activity) {
    fmt::print("  {:<16} {:>8} {:>6} {:>6} {:>8} {:>10} {:>8}\n", "", "rate Hz", "CV", "Fano", "corr", "synchrony",
               fmt::format("of {}", activity.options.sampled_units));
    for (const auto& p : activity.populations)
        fmt::print("  {:<16} {:>8} {:>6} {:>6} {:>8} {:>10} {:>8}\n", p.name, number_text(finite_mean(p.rate_Hz), 2),
                   number_text(finite_mean(p.cv), 2), number_text(finite_mean(p.fano), 2), number_text(finite_mean(p.correlation), 4),
                   number_text(p.synchrony(), 2), number_text(p.sample_synchrony(), 2));
}

void print_learning(const std::map<std::string, double>& metrics) {
    const auto metric = [&](const char* name) {
        const auto found = metrics.find(name);
        return found == metrics.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
    };
    fmt::print("{:.2f} epochs at {:.0f} images a second", metric("epochs"), metric("images_per_s"));
    if (const double validation = metric("validation_error_percent"); std::isfinite(validation))
        fmt::print("; weights of epoch {:.2f} chosen by validation error {:.2f} %", metric("chosen_epoch"), validation);
    fmt::print("\n");
    if (metrics.contains("test_error_percent"))
        fmt::print("test error {:.2f} %   (untrained {:.2f} %, {:.0f} test images)\n", metric("test_error_percent"),
                   metric("untrained_test_error_percent"), metric("test_images"));
    if (metrics.contains("test_reconstruction_error"))
        fmt::print("error of reconstruction of a test image {:.4g}   (untrained {:.4g})\n", metric("test_reconstruction_error"),
                   metric("untrained_test_reconstruction_error"));
    if (metrics.contains("test_log_likelihood_nats"))
        fmt::print("log probability of a test image {:.2f} nats   (log Z {:.2f}, weights of the chains known to {:.0f} %)\n",
                   metric("test_log_likelihood_nats"), metric("log_partition"), 100 * metric("log_partition_error"));
}

void print_result(const app::RunResult& result, const fs::path& out) {
    const auto& s = result.summary;
    fmt::print("{} neurons, {} synapses, seed {}, {} thread{}: built in {}, ran {}in {}\n", s.network.neurons, s.network.synapses, s.seed,
               s.threads, s.threads == 1 ? "" : "s", app::seconds_text(s.timing.build_s),
               s.timing.biological_s > 0 ? app::seconds_text(s.timing.biological_s) + " of activity " : "",
               app::seconds_text(s.timing.run_s));
    if (s.activity) print_activity(*s.activity);
    else
        for (const auto& [name, rate] : s.rates_Hz) fmt::print("  {:<16} {:8.2f} Hz\n", name, rate);
    if (s.metrics.contains("epochs")) print_learning(s.metrics);
    fmt::print("results in {}\n", out.string());
    for (const auto& picture : result.pictures) fmt::print("  {}\n", picture);
    if (!result.no_pictures.empty()) fmt::print("no pictures: {}\n", result.no_pictures);
}

void run_command(const RunArguments& arguments, const std::string& command, int& exit_code) {
    const auto description = describe(arguments.file, arguments.settings, arguments.seed, arguments.threads, arguments.data);
    const fs::path out = arguments.out.empty() ? fresh_directory(arguments.file) : fs::path(arguments.out);
    if (arguments.dry_run) {
        app::ResultsDirectory::check(out);
        const auto summary = app::dry_run(description);
        fmt::print("{} is sound: {} neurons, {} synapses, {:.1f} bytes a synapse, built in {}\n", arguments.file, summary.network.neurons,
                   summary.network.synapses, summary.bytes_per_synapse, app::seconds_text(summary.timing.build_s));
        return;
    }
    app::RunOptions options;
    options.out = out;
    options.command = command;
    options.stop = &catch_interrupts();
    app::RunResult result;
    {
        ProgressDisplay display(arguments.progress);
        options.progress = [&display](const app::Progress& progress) { display.show(progress); };
        result = app::run(description, options);
    }
    print_result(result, out);
    if (result.interrupted) {
        fmt::print(stderr, "ydot: interrupted; what there was up to here is saved in {}\n", out.string());
        exit_code = 130;
    }
}

}  // namespace

std::string command_line(int argc, const char* const* argv) {
    std::string text;
    for (int k = 0; k < argc; ++k)
        text += (k ? " " : "") + app::shell_word(k == 0 ? std::filesystem::path(argv[0]).filename().string() : argv[k]);
    return text;
}

Description describe(const std::string& file, std::vector<std::string> settings, std::optional<std::int64_t> seed,
                     std::optional<std::int64_t> threads, const std::string& data) {
    if (seed) settings.push_back("run.seed=" + std::to_string(*seed));
    if (threads) settings.push_back("run.threads=" + std::to_string(*threads));
    auto description = app::read_description(file, settings);
    if (!data.empty()) {
        description.data.directory = data;
        description.sources["data.directory"] = {"--data"};
    }
    return description;
}

void add_run(CLI::App& app, const std::string& command, int& exit_code) {
    auto arguments = std::make_shared<RunArguments>();
    auto* run = app.add_subcommand("run", "Run a description: simulate it, or train it when it has a schedule");
    run->footer("Example: ydot run examples/learn_digits.toml --set schedule.epochs=2 --seed 7 --out results/seed7");
    run->add_option("FILE", arguments->file, "description (TOML)")->required()->type_name("");
    run->add_option("--set", arguments->settings, "key.path=value; overrides the file, may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    run->add_option("--data", arguments->data, "directory with IDX files (MNIST names, plain or .gz) in place of the built-in digits")
        ->type_name("DIR");
    run->add_option("--out", arguments->out, "results directory; must be new or empty (default: results/NAME)")->type_name("DIR");
    run->add_option("--seed", arguments->seed, "of every random number; as --set run.seed=N")->type_name("N");
    run->add_option("--threads", arguments->threads, "0: one a core; the results do not depend on it")->type_name("N");
    run->add_option_function<std::string>(
           "--progress", [arguments](const std::string& name) { arguments->progress = ProgressDisplay::style_named(name); },
           "on stderr: auto (a bar on a terminal, else nothing), plain, json (a line each), off")
        ->type_name("STYLE");
    run->add_flag("--dry-run", arguments->dry_run, "check and build everything; run nothing, write nothing");
    run->callback([arguments, command, &exit_code] { run_command(*arguments, command, exit_code); });
}

}  // namespace ydot::cli
