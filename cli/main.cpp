#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "sim/error.hpp"
#include "sim/parameters.hpp"
#include "ydot_version.hpp"

namespace {

/// One line: a word that is no command with the nearest one that is, else what is wrong with the arguments; and whose --help says more.
std::string failure_message(const CLI::App* app, const CLI::Error& error) {
    std::string command = "ydot";
    for (auto chosen = app->get_subcommands(); !chosen.empty(); chosen = app->get_subcommands()) {
        app = chosen.front();
        command += " " + app->get_name();
    }
    std::vector<std::string> known;
    for (const auto* subcommand : app->get_subcommands([](const CLI::App*) { return true; })) known.push_back(subcommand->get_name());
    const auto words = app->remaining();
    if (known.empty() || words.empty() || words.front().starts_with('-'))
        return "ydot: " + std::string(error.what()) + " (see " + command + " --help)\n";
    return "ydot: there is no command \"" + words.front() + '"' + ydot::suggestion(words.front(), known) + " (see " + command +
           " --help)\n";
}

}  // namespace

/// Exit codes: 0 done; 1 a check failed; 2 bad input; 3 run-time failure; 130 interrupted, state saved.
int main(int argc, char** argv) {
    CLI::App app{"Ydot simulates spiking cortical circuits that learn.", "ydot"};
    app.set_version_flag("--version", std::string("ydot ") + YDOT_VERSION);
    app.require_subcommand(1);
    app.footer("Example: ydot run examples/learn_digits.toml\nydot COMMAND --help shows the options of a command, with an example.");
    app.failure_message(failure_message);

    int exit_code = 0;
    const std::string command = ydot::cli::command_line(argc, argv);
    ydot::cli::add_run(app, command, exit_code);
    ydot::cli::add_verify(app, command, exit_code);
    ydot::cli::add_bench(app, command);
    ydot::cli::add_systems(app, exit_code);
    ydot::cli::add_models(app);
    ydot::cli::add_plot(app);
    ydot::cli::add_compare(app, exit_code);
    ydot::cli::add_convert(app);
    ydot::cli::add_data(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    } catch (const ydot::Error& error) {
        std::fprintf(stderr, "ydot: %s\n", error.what());
        return error.kind() == ydot::Error::Kind::bad_input ? 2 : 3;
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "ydot: out of memory\n");
        return 3;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ydot: %s\n", error.what());
        return 3;
    }
    return exit_code;
}
