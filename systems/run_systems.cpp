#include "systems/run_systems.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <fstream>

#include "sim/error.hpp"

namespace ydot::systems {
namespace {

/// The processor as Linux calls it.
std::string processor() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("model name"))
            if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
    return "unknown";
}

bool meant(const Run& run, const Choice& choice) {
    return (!choice.mode || *choice.mode == run.mode) && (choice.run.empty() || choice.run == run.name);
}

[[noreturn]] void refuse_choice(const Catalogue& catalogue, const Choice& choice) {
    std::vector<std::string> known;
    for (const auto& system : catalogue.systems)
        for (const auto& run : system.runs)
            if (choice.system == "all" || choice.system == system.id)
                known.push_back(fmt::format("{} {} ({})", system.id, run.name, name_of(run.mode)));
    std::string wanted = choice.system;
    if (!choice.run.empty()) wanted += " --run " + choice.run;
    if (choice.mode) wanted += fmt::format(" --mode {}", name_of(*choice.mode));
    throw Error(
        wanted,
        known.empty() ? "the catalogue has no run of it yet" : fmt::format("there is no such run. Known: {}", fmt::join(known, ", ")), {});
}

std::filesystem::path results_directory(const Task& task, const RunSettings& settings) {
    if (settings.out.empty()) return {};
    return settings.out / fmt::format("{}-{}-{}-seed{}", task.system->id, name_of(task.run->mode), task.run->name, task.seed);
}

Description description_of(const Catalogue& catalogue, const Task& task, const RunSettings& settings) {
    auto description = describe(catalogue, *task.run, settings.quick, task.seed, settings.data);
    description.run.threads = settings.threads;
    return description;
}

}  // namespace

std::string name_of(const Task& task) {
    return fmt::format("{} {} {}, seed {}", task.system->id, name_of(task.run->mode), task.run->name, task.seed);
}

std::vector<Task> tasks_of(const Catalogue& catalogue, const Choice& choice) {
    if (choice.system != "all") find_system(catalogue, choice.system);
    std::vector<Task> tasks;
    for (const auto& system : catalogue.systems)
        for (const auto& run : system.runs)
            for (std::int64_t k = 0; k < choice.seeds; ++k)
                if ((choice.system == "all" || choice.system == system.id) && meant(run, choice))
                    tasks.push_back({&system, &run, choice.first_seed + k});
    if (tasks.empty()) refuse_choice(catalogue, choice);
    return tasks;
}

void check(const Catalogue& catalogue, const std::vector<Task>& tasks, const RunSettings& settings) {
    for (const auto& task : tasks) {
        description_of(catalogue, task, settings);
        if (const auto out = results_directory(task, settings); !out.empty()) app::ResultsDirectory::check(out);
    }
}

std::optional<Record> run(const Catalogue& catalogue, const Task& task, const RunSettings& settings) {
    Record record;
    record.system = task.system->id;
    record.run = task.run->name;
    record.mode = task.run->mode;
    record.seed = task.seed;
    record.quick = settings.quick;
    const auto description = description_of(catalogue, task, settings);
    record.data = description.data.generator == Generator::one_hot ? patterns : settings.data.empty() ? drawn_digits : mnist;
    record.command = command_of(catalogue, *task.run, settings.quick, task.seed, record.data == mnist);
    record.description = fingerprint_of(catalogue, *task.run);
    record.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
    record.processor = processor();

    app::RunOptions options;
    options.out = results_directory(task, settings);
    options.command = record.command;
    options.progress = settings.progress;
    options.stop = settings.stop;
    auto result = app::run(description, options);
    if (result.interrupted) return {};
    record.threads = result.summary.threads;
    record.summary = app::to_json(result.summary);
    record.curve = std::move(result.curve);
    return record;
}

}  // namespace ydot::systems
