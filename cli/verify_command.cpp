#include <fmt/format.h>
#include <tbb/global_control.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/run.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "verify/circuit.hpp"
#include "verify/list.hpp"
#include "verify/report.hpp"
#include "ydot_version.hpp"

namespace ydot::cli {
namespace {

struct VerifyArguments {
    std::vector<std::string> names{"all"}, settings;
    std::string out, data;
    std::optional<std::int64_t> seed;
    std::int64_t threads = 0;
    bool quick = false, json = false;
};

/// A check, and what runs it.
struct Task {
    const verify::Check* check;
    std::function<verify::CheckResult(const verify::Context&)> run;
};

bool names_a_file(const std::string& name) { return name.ends_with(".toml") || std::filesystem::exists(name); }

/// The description is read now, so that bad input is refused before anything runs.
Task task_of_file(const std::string& file, const VerifyArguments& arguments) {
    const auto description = describe(file, arguments.settings, arguments.seed, {}, arguments.data);
    verify::check_description(description);
    return {&verify::circuit, [description, name = std::filesystem::path(file).stem().string()](const verify::Context& context) {
                return verify::verify_circuit(description, name, context);
            }};
}

/// What the names ask for, each once.
std::vector<Task> tasks_of(const VerifyArguments& arguments) {
    std::vector<Task> tasks;
    const auto add = [&](const verify::Check* check) {
        const bool known = std::any_of(tasks.begin(), tasks.end(), [&](const Task& task) { return task.check == check; });
        if (!known) tasks.push_back({check, check->run});
    };
    for (const auto& name : arguments.names) {
        if (name == "all") std::for_each(verify::checks().begin(), verify::checks().end(), add);
        else if (names_a_file(name)) tasks.push_back(task_of_file(name, arguments));
        else add(&verify::find_check(name));
    }
    const bool any_file = std::any_of(arguments.names.begin(), arguments.names.end(), names_a_file);
    if (!any_file && !(arguments.settings.empty() && arguments.data.empty()))
        throw Error(arguments.data.empty() ? "--set" : "--data", "is for the description in a file, and none is given", {});
    return tasks;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// An error fails the check and leaves the others alone, but for what is wrong with a user's file: that is bad input.
verify::CheckResult result_of(const Task& task, const verify::Context& context) {
    try {
        return task.run(context);
    } catch (const std::exception& error) {
        if (task.check == &verify::circuit) throw;
        return verify::ended_by(error.what());
    }
}

/// Shows on a terminal which one is running.
verify::Report::Entry run_task(const Task& task, const verify::Context& context, std::size_t number, std::size_t count) {
    ProgressDisplay display(ProgressDisplay::Style::automatic);
    app::Progress progress;
    progress.stage = fmt::format("{} ({} of {})", task.check->name, number + 1, count);
    progress.fraction = static_cast<double>(number) / static_cast<double>(count);
    display.show(progress);
    const auto start = std::chrono::steady_clock::now();
    auto result = result_of(task, context);
    result.seconds = seconds_since(start);
    return {task.check, std::move(result)};
}

verify::Report empty_report(const VerifyArguments& arguments, const std::string& command) {
    verify::Report report;
    report.version = YDOT_VERSION;
    report.command = command;
    report.seed = static_cast<std::uint64_t>(arguments.seed.value_or(1));
    report.quick = arguments.quick;
    report.threads = app::threads_used(arguments.threads);
    return report;
}

/// Runs one after the other until Ctrl-C, and hands each result to `show` when it is there.
void run_tasks(const std::vector<Task>& tasks, verify::Report& report, const std::function<void(const verify::Report::Entry&)>& show) {
    const auto& interrupted = catch_interrupts();
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(report.threads));
    verify::Context context;
    context.seed = report.seed;
    context.quick = report.quick;
    const auto start = std::chrono::steady_clock::now();
    while (report.entries.size() < tasks.size() && !interrupted) {
        const auto number = report.entries.size();
        report.entries.push_back(run_task(tasks[number], context, number, tasks.size()));
        show(report.entries.back());
    }
    report.seconds = seconds_since(start);
    report.interrupted = report.entries.size() < tasks.size();
}

/// So that what is piped into a log is there when its check has ended.
void print_now(const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

void print_files(const verify::Written& written, const std::string& out) {
    fmt::print("report in {}\n", out);
    for (const auto& name : written.files) fmt::print("  {}\n", name);
    if (!written.no_pictures.empty()) fmt::print("no pictures: {}\n", written.no_pictures);
}

int exit_code_of(const verify::Report& report) {
    if (report.interrupted) return 130;
    return report.passed() ? 0 : 1;
}

void verify_command(const VerifyArguments& arguments, const std::string& command, int& exit_code) {
    const auto tasks = tasks_of(arguments);
    std::optional<app::ResultsDirectory> directory;
    if (!arguments.out.empty()) directory.emplace(arguments.out);  // made first: minutes of checks must not end in one that cannot be
    auto report = empty_report(arguments, command);
    if (!arguments.json) print_now(verify::table_header());
    run_tasks(tasks, report, [&](const auto& entry) {
        if (!arguments.json) print_now(table_rows(entry));
    });
    print_now(arguments.json ? to_json(report).dump(2) + "\n" : summary_line(report));
    if (directory) {
        const auto written = write(report, *directory);
        if (!arguments.json) print_files(written, arguments.out);
    }
    if (report.interrupted) fmt::print(stderr, "ydot: interrupted after {} of {} checks\n", report.entries.size(), tasks.size());
    exit_code = exit_code_of(report);
}

}  // namespace

void add_verify(CLI::App& app, const std::string& command, int& exit_code) {
    auto arguments = std::make_shared<VerifyArguments>();
    auto* verify = app.add_subcommand("verify", "Check the laws of the theory and of the simulator, each against its bound");
    std::string known;
    for (const auto* check : verify::checks()) known += fmt::format("\n  {:<24}{:<5}{}", check->name, check->law, check->title);
    verify->footer("Exit code 1 when a check fails.\nExample: ydot verify bode L2 --quick --out results/laws\nChecks and their laws:" +
                   known);
    verify
        ->add_option("NAME", arguments->names, "checks, by name or by law; all (the default): every one; FILE.toml: a circuit of your own")
        ->type_name("");
    verify->add_flag("--quick", arguments->quick, "fewer repetitions: all checks in a minute");
    verify->add_option("--out", arguments->out, "directory for the report: JSON, Markdown and pictures; must be new or empty")
        ->type_name("DIR");
    verify->add_option("--seed", arguments->seed, "of every random number")->type_name("N")->check(CLI::NonNegativeNumber.description(""));
    verify->add_option("--set", arguments->settings, "key.path=value for the description in FILE.toml; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    verify->add_option("--data", arguments->data, "directory with IDX files for the description in FILE.toml")->type_name("DIR");
    verify->add_option("--threads", arguments->threads, "0: one a core; the results do not depend on it")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber.description(""));
    verify->add_flag("--json", arguments->json, "the report as JSON in place of the table");
    verify->callback([arguments, command, &exit_code] { verify_command(*arguments, command, exit_code); });
}

}  // namespace ydot::cli
