#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>

#include "app/share.hpp"
#include "bench/benchmark.hpp"
#include "ydot_paths.hpp"

namespace ydot::bench {
namespace {
namespace fs = std::filesystem;

struct Answer {
    int exit_code;
    std::string text;
};

Answer ask(const std::string& command) {
    Answer answer{-1, {}};
    FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
    if (!pipe) return answer;
    std::array<char, 256> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) answer.text.append(buffer.data(), n);
    const int status = pclose(pipe);
    if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
    return answer;
}

fs::path script() {
    const auto [directory, installed] = app::share();
    const fs::path name = "brian2_vogels_abbott.py";
    return installed ? directory / name : directory / "bench" / name;
}

}  // namespace

Figure brian2_vogels_abbott(const std::string& synapses, double duration_ms, double our_cpu_s_per_biological_s) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const char* chosen = std::getenv("YDOT_PYTHON");
    const std::string python = chosen ? chosen : YDOT_PYTHON;
    const auto answer = ask(fmt::format("'{}' '{}' {} {}", python, script().string(), synapses, duration_ms));
    if (answer.exit_code == 3) return {"Brian2 here over ours", fmt::format("{} has no Brian2", python), none};
    std::istringstream words(answer.text);
    std::string version;
    double cpu_s = 0;
    if (answer.exit_code != 0 || !(words >> version >> cpu_s)) return {"Brian2 here over ours", "it failed", none};
    return {fmt::format("Brian2 {} here over ours", version), fmt::format("CPU time ({:.3g} s a biological second)", cpu_s),
            cpu_s / our_cpu_s_per_biological_s};
}

}  // namespace ydot::bench
