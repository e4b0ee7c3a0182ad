#pragma once
#include <string>

namespace CLI {
class App;
}

namespace ydot::cli {

/// The command as typed, quoted where a shell would need it.
std::string command_line(int argc, const char* const* argv);

// Each adds one subcommand; its callback does the work and throws ydot::Error.
void add_run(CLI::App& app, const std::string& command, int& exit_code);
void add_verify(CLI::App& app, const std::string& command, int& exit_code);
void add_models(CLI::App& app);
void add_plot(CLI::App& app);
void add_convert(CLI::App& app);
void add_data(CLI::App& app);

}  // namespace ydot::cli
