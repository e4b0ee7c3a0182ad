#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/description.hpp"

namespace CLI {
class App;
}

namespace ydot::cli {

/// The command as typed, quoted where a shell would need it.
std::string command_line(int argc, const char* const* argv);

/// The description in a file with what the options --set, --seed, --threads and --data say of it. An empty `data` leaves it as it is.
Description describe(const std::string& file, std::vector<std::string> settings, std::optional<std::int64_t> seed,
                     std::optional<std::int64_t> threads, const std::string& data);

// Each adds one subcommand; its callback does the work and throws ydot::Error.
void add_run(CLI::App& app, const std::string& command, int& exit_code);
void add_verify(CLI::App& app, const std::string& command, int& exit_code);
void add_bench(CLI::App& app, const std::string& command);
void add_systems(CLI::App& app, int& exit_code);
void add_models(CLI::App& app);
void add_plot(CLI::App& app);
void add_compare(CLI::App& app, int& exit_code);
void add_convert(CLI::App& app);
void add_data(CLI::App& app);

}  // namespace ydot::cli
