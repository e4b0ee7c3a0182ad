#include "app/results.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmath>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "app/share.hpp"
#include "app/shell.hpp"
#include "data/activity_file.hpp"
#include "data/weight_file.hpp"
#include "sim/error.hpp"
#include "ydot_paths.hpp"

namespace ydot::app {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot_write(const fs::path& file) { throw Error(file.string(), "cannot be written", {}, Error::Kind::run_failure); }

/// A cell of a table, in quotes where RFC 4180 asks for them.
std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result = "\"";
    for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + "\"";
}

/// A name for what the figure script has to complain of; gone with the object.
class Complaints {
public:
    Complaints() {
        const int handle = mkstemp(path_.data());
        if (handle < 0) throw Error(path_, "cannot be made", {}, Error::Kind::run_failure);
        close(handle);
    }
    Complaints(const Complaints&) = delete;
    Complaints& operator=(const Complaints&) = delete;
    ~Complaints() { unlink(path_.c_str()); }
    const std::string& path() const { return path_; }
    /// The last line, without the name of the script: of a Python traceback, that is what went wrong.
    std::string last_line() const {
        std::ifstream in(path_);
        std::string last;
        for (std::string line; std::getline(in, line);)
            if (!line.empty()) last = line;
        constexpr std::string_view script = "ydot_figures: ";
        return last.starts_with(script) ? last.substr(script.size()) : last;
    }

private:
    std::string path_ = (fs::temp_directory_path() / "ydot_XXXXXX").string();
};

/// Means over units and pairs; null where there is none to take.
nlohmann::ordered_json means_of(const PopulationActivity& p) {
    return {{"rate_Hz", finite_mean(p.rate_Hz)},
            {"cv", finite_mean(p.cv)},
            {"fano", finite_mean(p.fano)},
            {"correlation", finite_mean(p.correlation)},
            {"synchrony", p.synchrony()},
            {"sample_synchrony", p.sample_synchrony()},
            {"units", p.rate_Hz.size()},
            {"cv_units", finite_values(p.cv).size()},
            {"correlation_pairs", p.correlation.size()}};
}

}  // namespace

void ResultsDirectory::check(const fs::path& directory) {
    std::error_code error;
    if (fs::exists(directory, error)) {
        if (!fs::is_directory(directory, error)) throw Error(directory.string(), "is a file; --out must name a directory", {});
        if (!fs::is_empty(directory, error))
            throw Error(directory.string(), "already holds results; choose another --out, or remove it", {});
    }
    auto parent = fs::absolute(directory);
    while (!fs::exists(parent, error)) parent = parent.parent_path();
    if (!fs::is_directory(parent, error)) throw Error(directory.string(), "cannot be made: " + parent.string() + " is not a directory", {});
    if (access(parent.c_str(), W_OK) != 0)
        throw Error(directory.string(), "cannot be made: no permission to write in " + parent.string(), {});
}

ResultsDirectory::ResultsDirectory(fs::path directory) : path_(std::move(directory)) {
    check(path_);
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) throw Error(path_.string(), "cannot be made: " + error.message(), {});
}

void write_file(const fs::path& target, const std::string& text) {
    const fs::path temporary = target.string() + ".partial";
    {
        std::ofstream out(temporary, std::ios::binary);
        out << text;
        if (!out.flush()) cannot_write(target);
    }
    std::error_code error;
    fs::rename(temporary, target, error);
    if (error) cannot_write(target);
}

void ResultsDirectory::write(const std::string& name, const std::string& text) const { write_file(file(name), text); }

nlohmann::ordered_json to_json(const Summary& s) {
    nlohmann::ordered_json json;
    json["version"] = s.version;
    json["command"] = s.command;
    json["seed"] = s.seed;
    json["threads"] = s.threads;
    json["network"] = {{"neurons", s.network.neurons}, {"synapses", s.network.synapses}};
    json["timing"] = {{"build_s", s.timing.build_s},
                      {"run_s", s.timing.run_s},
                      {"cpu_s", s.timing.cpu_s},
                      {"synaptic_events", s.timing.synaptic_events},
                      {"biological_s", s.timing.biological_s},
                      {"real_time_factor", s.timing.biological_s > 0 ? s.timing.run_s / s.timing.biological_s : 0.0},
                      {"cpu_s_per_biological_s", s.timing.biological_s > 0 ? s.timing.cpu_s / s.timing.biological_s : 0.0}};
    json["memory"] = {{"peak_bytes", peak_memory_bytes()}, {"bytes_per_synapse", s.bytes_per_synapse}};
    json["rates_Hz"] = s.rates_Hz;
    json["metrics"] = s.metrics;
    if (s.activity) {
        auto& activity = json["activity"] = nlohmann::ordered_json::object();
        for (const auto& p : s.activity->populations) activity[p.name] = means_of(p);
    }
    return json;
}

void ResultsDirectory::write_summary(const Summary& s) const {
    if (s.activity) data::write_activity(file("activity.h5").string(), *s.activity);
    write("summary.json", to_json(s).dump(2) + "\n");
}

void ResultsDirectory::append(const LearningPoint& p) const {
    const auto target = file("learning.csv");
    const bool fresh = !fs::exists(target);
    std::ofstream out(target, std::ios::app);
    if (fresh) {
        out << "images,epoch,seconds,train_error_percent,validation_error_percent,learning_fraction,reconstruction_error";
        for (const auto& g : p.gradient)
            for (const char* column : {"angle_degrees", "angle_error_degrees", "norm_ratio", "sign_agreement", "mean_field_angle_degrees"})
                out << ',' << csv_cell(fmt::format("{}.{}", column, g.projection));
        out << '\n';
    }
    out << fmt::format("{},{:.6g},{:.2f},{:.4g},{:.4g},{:.4g},{:.5g}", p.images, p.epoch, p.seconds, p.train_error_percent,
                       p.validation_error_percent, p.learning_fraction, p.reconstruction_error);
    for (const auto& g : p.gradient)
        out << fmt::format(",{:.4g},{:.4g},{:.4g},{:.4g},{:.4g}", g.angle_degrees, g.angle_error_degrees, g.norm_ratio, g.sign_agreement,
                           g.mean_field_angle_degrees);
    out << '\n';
    if (!out.flush()) cannot_write(target);
}

void ResultsDirectory::write_intervals(const std::vector<RecordedInterval>& intervals) const {
    std::ostringstream out;
    out << "start_ms,stop_ms,level,name\n";
    for (const auto& i : intervals) out << fmt::format("{},{},{},{}\n", i.start_ms, i.stop_ms, i.level, csv_cell(i.name));
    write("intervals.csv", out.str());
}

void ResultsDirectory::write_weights(const Circuit& circuit) const {
    std::vector<data::ProjectionWeights> all;
    for (const auto& p : circuit.projections()) {
        data::ProjectionWeights w;
        w.name = p.name;
        w.from = circuit.population(p.from).name();
        w.to = circuit.population(p.to).name();
        w.sources = circuit.population(p.from).size();
        w.targets = circuit.population(p.to).size();
        for (const auto& block : p.blocks)
            block.for_each([&](std::uint32_t source, std::uint32_t target, std::uint16_t delay, float weight) {
                w.source.push_back(source);
                w.target.push_back(block.first_target() + target);
                w.weight.push_back(weight);
                w.delay_ms.push_back(static_cast<float>(delay * circuit.dt_ms()));
            });
        all.push_back(std::move(w));
    }
    data::write_weights(file("weights.h5"), all);
}

std::vector<std::string> draw_figures(const std::vector<std::string>& arguments) {
    const char* chosen = std::getenv("YDOT_PYTHON");
    const Complaints complaints;
    std::string command = shell_word(chosen ? chosen : YDOT_PYTHON);
    command.append(" ").append(shell_word(figure_script().string()));
    for (const auto& argument : arguments) command.append(" ").append(shell_word(argument));
    command.append(" 2>").append(shell_word(complaints.path()));
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) throw Error("cannot start " + command, Error::Kind::run_failure);
    std::string text;
    std::array<char, 4096> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
    const int status = pclose(pipe);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) throw Error(complaints.last_line());
    if (status != 0) throw Error("figures cannot be drawn: " + complaints.last_line(), Error::Kind::run_failure);
    std::vector<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    return names;
}

std::string seconds_text(double seconds) { return seconds < 9.5 ? fmt::format("{:.2g} s", seconds) : fmt::format("{:.0f} s", seconds); }

std::size_t peak_memory_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace ydot::app
