#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "sim/error.hpp"
#include "ydot_version.hpp"

/// Exit codes: 0 done; 1 a check failed; 2 bad input; 3 run-time failure; 130 interrupted, state saved.
int main(int argc, char** argv) {
    CLI::App app{"Ydot simulates spiking cortical circuits that learn.", "ydot"};
    app.set_version_flag("--version", std::string("ydot ") + YDOT_VERSION);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::help);
    app.failure_message([](const CLI::App*, const CLI::Error& error) { return std::string("ydot: ") + error.what() + " (see ydot --help)\n"; });

    int exit_code = 0;
    const std::string command = ydot::cli::command_line(argc, argv);
    ydot::cli::add_run(app, command, exit_code);
    ydot::cli::add_models(app);
    ydot::cli::add_plot(app);
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
