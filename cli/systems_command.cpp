#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/share.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "sim/error.hpp"
#include "systems/catalogue.hpp"
#include "systems/measured.hpp"
#include "systems/records.hpp"
#include "systems/report.hpp"
#include "systems/run_systems.hpp"

namespace ydot::cli {
namespace fs = std::filesystem;
namespace {

struct ListArguments {
    std::string records, catalogue;
    bool json = false;
};

struct RunArguments {
    std::string system, mode, run, data, records, out, catalogue;
    std::optional<std::int64_t> seeds;
    std::int64_t first_seed = 1, threads = 0;
    ProgressDisplay::Style progress = ProgressDisplay::Style::automatic;
    bool quick = false;
};

struct ReportArguments {
    std::string file, records, catalogue;
};

systems::Catalogue catalogue_of(const std::string& file) {
    return systems::read_catalogue(file.empty() ? systems::default_catalogue() : fs::path(file));
}

/// Says on stderr which records do not count, so that none is missing in silence.
systems::Measured measured_in(const systems::Catalogue& catalogue, const std::string& records) {
    if (!records.empty() && !fs::is_directory(records)) throw Error(records, "there is no directory of this name", {});
    auto measured = systems::measured(catalogue, systems::read_records(records.empty() ? systems::default_records() : fs::path(records)));
    for (const auto& reason : measured.not_counted) fmt::print(stderr, "not counted: {}\n", reason);
    return measured;
}

void list_command(const ListArguments& arguments) {
    const auto catalogue = catalogue_of(arguments.catalogue);
    const auto measured = measured_in(catalogue, arguments.records);
    fmt::print("{}", arguments.json ? to_json(measured).dump(2) + "\n" : to_text(measured));
}

/// Where records go: of full runs into docs/results of the source tree, or results/systems here when the program is installed; of quick
/// runs nowhere, unless a directory is given.
fs::path records_directory(const RunArguments& arguments) {
    if (!arguments.records.empty()) return arguments.records;
    if (arguments.quick) return {};
    return app::share().installed ? fs::path("results") / "systems" : systems::default_records();
}

systems::Choice choice_of(const RunArguments& arguments) {
    systems::Choice choice;
    choice.system = arguments.system;
    if (arguments.mode == "rate") choice.mode = Mode::rate;
    if (arguments.mode == "spiking") choice.mode = Mode::spiking;
    if (!arguments.mode.empty() && !choice.mode)
        throw Error("--mode", "must be one of rate, spiking, got " + to_text(Value(arguments.mode)), {});
    choice.run = arguments.run;
    choice.first_seed = arguments.first_seed;
    choice.seeds = arguments.seeds.value_or(arguments.quick ? 1 : 2);
    return choice;
}

std::string result_line(const systems::Task& task, const systems::Record& record) {
    const auto& metric = task.run->metric;
    std::string line = fmt::format("{:<34} {} {:.2f}{}", name_of(task), metric == systems::test_error ? "test error" : metric,
                                   record.metric(metric), systems::unit_of(metric));
    if (const double untrained = record.metric("untrained_test_error_percent"); std::isfinite(untrained))
        line += fmt::format("  (untrained {:.1f} %)", untrained);
    if (const double epochs = record.metric("epochs"); std::isfinite(epochs))
        line += fmt::format("  {:.3g} epochs at {:.0f} images/s", epochs, record.metric("images_per_s"));
    return line + fmt::format("  {}\n", app::seconds_text(record.timing("build_s") + record.timing("run_s")));
}

std::optional<systems::Record> run_one(const systems::Catalogue& catalogue, const systems::Task& task, systems::RunSettings settings,
                                       ProgressDisplay::Style style) {
    ProgressDisplay display(style);
    display.announce(name_of(task));
    settings.progress = [&display](const app::Progress& progress) { display.show(progress); };
    return systems::run(catalogue, task, settings);
}

void run_command(const RunArguments& arguments, int& exit_code) {
    const auto catalogue = catalogue_of(arguments.catalogue);
    const auto tasks = tasks_of(catalogue, choice_of(arguments));
    systems::RunSettings settings;
    settings.quick = arguments.quick;
    settings.data = arguments.data;
    settings.threads = arguments.threads;
    settings.out = arguments.out;
    settings.stop = &catch_interrupts();
    check(catalogue, tasks, settings);
    const auto records = records_directory(arguments);
    const auto start = std::chrono::steady_clock::now();
    std::size_t done = 0;
    for (const auto& task : tasks) {
        const auto record = *settings.stop ? std::nullopt : run_one(catalogue, task, settings, arguments.progress);
        if (!record) break;
        ++done;
        if (!records.empty()) systems::write_record(records, *record);
        fmt::print("{}", result_line(task, *record));
        std::fflush(stdout);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{} run{} in {}{}\n", done, done == 1 ? "" : "s", app::seconds_text(seconds.count()),
               records.empty() || done == 0 ? "" : ", records in " + records.string());
    if (done == tasks.size()) return;
    fmt::print(stderr, "ydot: interrupted after {} of {} runs\n", done, tasks.size());
    exit_code = 130;
}

void report_command(const ReportArguments& arguments) {
    const auto catalogue = catalogue_of(arguments.catalogue);
    const auto measured = measured_in(catalogue, arguments.records);
    if (arguments.file.empty()) {
        fmt::print("{}", to_markdown(measured, {}));
        return;
    }
    const auto written = write_report(measured, arguments.file);
    for (const auto& file : written.files) fmt::print("{}\n", file);
    if (!written.no_pictures.empty()) fmt::print("no pictures: {}\n", written.no_pictures);
}

CLI::Option* add_catalogue(CLI::App& command, std::string& catalogue) {
    return command.add_option("--catalogue", catalogue, "another list of systems (default: examples/systems/catalogue.toml)")
        ->type_name("FILE");
}

CLI::App* add_systems_run(CLI::App& systems, int& exit_code) {
    auto arguments = std::make_shared<RunArguments>();
    auto* run = systems.add_subcommand("run", "Run a system of the catalogue, or all of them, and keep a record of each run");
    run->footer("Example: ydot systems run S7 --mode spiking --data mnist --seeds 3\n         ydot systems run all --quick");
    run->add_option("ID", arguments->system, "of a system, or all")->required()->type_name("");
    run->add_option("--mode", arguments->mode, "rate or spiking (default: both)")->type_name("MODE");
    run->add_option("--run", arguments->run, "one of its runs (default: all)")->type_name("NAME");
    run->add_option("--seeds", arguments->seeds, "how many (default: 2; quick: 1)")
        ->type_name("N")
        ->check(CLI::PositiveNumber.description(""));
    run->add_option("--first-seed", arguments->first_seed, "the others follow")
        ->type_name("K")
        ->check(CLI::NonNegativeNumber.description(""))
        ->capture_default_str();
    run->add_flag("--quick", arguments->quick, "few images and epochs: whether it works, not how well; all systems in minutes");
    run->add_option("--data", arguments->data, "directory with the IDX files of MNIST, plain or .gz, in place of the built-in digits")
        ->type_name("DIR");
    run->add_option("--records", arguments->records, "directory for the records (default: docs/results; quick: none)")->type_name("DIR");
    run->add_option("--out", arguments->out, "directory for a results directory of each run (default: none)")->type_name("DIR");
    run->add_option("--threads", arguments->threads, "0: one a core; the results do not depend on it")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber.description(""));
    run->add_option_function<std::string>(
           "--progress", [arguments](const std::string& name) { arguments->progress = ProgressDisplay::style_named(name); },
           "on stderr: auto (a bar on a terminal, else nothing), plain, json (a line each), off")
        ->type_name("STYLE");
    add_catalogue(*run, arguments->catalogue);
    run->callback([arguments, &exit_code] { run_command(*arguments, exit_code); });
    return run;
}

CLI::App* add_systems_report(CLI::App& systems) {
    auto arguments = std::make_shared<ReportArguments>();
    auto* report = systems.add_subcommand("report", "Write docs/systems.md from the catalogue and the records");
    report->footer("Example: ydot systems report -o docs/systems.md");
    report->add_option("-o,--output", arguments->file, "Markdown file; pictures go to images/systems beside it (default: text on stdout)")
        ->type_name("FILE");
    report->add_option("--records", arguments->records, "directory of the records (default: docs/results)")->type_name("DIR");
    add_catalogue(*report, arguments->catalogue);
    report->callback([arguments] { report_command(*arguments); });
    return report;
}

}  // namespace

void add_systems(CLI::App& app, int& exit_code) {
    auto arguments = std::make_shared<ListArguments>();
    auto* systems = app.add_subcommand("systems", "List the systems of the programme with published and measured errors, or run them");
    systems->footer("Example: ydot systems --json\n         ydot systems run S7 --quick\n         ydot systems report -o docs/systems.md");
    systems->require_subcommand(0, 1);
    const auto options = {
        systems->add_flag("--json", arguments->json, "JSON instead of text"),
        systems->add_option("--records", arguments->records, "directory of the records (default: docs/results)")->type_name("DIR"),
        add_catalogue(*systems, arguments->catalogue)};
    for (auto* command : {add_systems_run(*systems, exit_code), add_systems_report(*systems)})
        for (auto* option : options) command->excludes(option);  // an option of the list would be ignored
    systems->callback([systems, arguments] {
        if (systems->get_subcommands().empty()) list_command(*arguments);
    });
}

}  // namespace ydot::cli
