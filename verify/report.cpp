#include "verify/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/error.hpp"
#include "verify/report_text.hpp"

namespace ydot::verify {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t columns = 140, gap = 2, figure_width = 26, law_width = 22, verdict_width = 7;

Json to_json(const Series& s);
Json to_json(const Panel& p);
Json to_json(const Figure& f);
Json to_json(const Measurement& m);
Json to_json(const Report::Entry& entry);

template <class T>
Json list_of(const std::vector<T>& items) {
    Json list = Json::array();
    for (const auto& item : items) list.push_back(to_json(item));
    return list;
}

Json to_json(const Series& s) { return {{"name", s.name}, {"x", s.x}, {"y", s.y}, {"error", s.error}, {"line", s.line}}; }

Json to_json(const Panel& p) {
    return {{"x_label", p.x_label}, {"y_label", p.y_label}, {"x_log", p.x_log}, {"y_log", p.y_log}, {"series", list_of(p.series)}};
}

Json to_json(const Figure& f) { return {{"name", f.name}, {"caption", f.caption}, {"panels", list_of(f.panels)}}; }

Json to_json(const Measurement& m) {
    return {{"what", m.what},
            {"unit", m.unit},
            {"figure", m.figure},
            {"standard_error", m.standard_error},
            {"kind", kind_name(m.kind)},
            {"expected", m.expected},
            {"bound", m.bound},
            {"resolution", m.resolution},
            {"reason", m.reason},
            {"passed", m.passed}};
}

Json to_json(const Report::Entry& entry) {
    const auto& [check, result] = entry;
    return {{"name", check->name},
            {"law", check->law},
            {"title", check->title},
            {"passed", result.passed()},
            {"seconds", result.seconds},
            {"measurements", list_of(result.measurements)},
            {"figures", list_of(result.figures)}};
}

/// Padded or cut to so many letters, and the gap to the next column.
std::string column(std::string_view text, std::size_t width) {
    const auto letters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    return letters <= width ? fmt::format("{:<{}}", text, width + gap) : fmt::format("{:.{}}…{:{}}", text, width - 1, "", gap);
}

/// What the name and the columns behind leave room for: those of all checks stand below one another.
std::size_t what_width(std::string_view name) { return columns - name.size() - figure_width - law_width - verdict_width - 4 * gap; }

std::string row(std::string_view name, std::string_view what, std::string_view figure, std::string_view law, std::string_view verdict) {
    return column(name, name.size()) + column(what, what_width(name)) + column(figure, figure_width) + column(law, law_width) +
           std::string(verdict) + "\n";
}

/// The line of a check, whose title reaches over the figures.
std::string row(const Check& check, const CheckResult& result) {
    const auto title = fmt::format("{}: {}", check.law, check.title);
    return column(check.name, check.name.size()) + column(title, what_width(check.name) + gap + figure_width) +
           column(app::seconds_text(result.seconds), law_width) + verdict(result) + "\n";
}

bool has_figures(const Report& report) {
    return std::any_of(report.entries.begin(), report.entries.end(), [](const auto& entry) { return !entry.result.figures.empty(); });
}

}  // namespace

bool Report::passed() const noexcept {
    return !interrupted && std::all_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.result.passed(); });
}

Json to_json(const Report& r) {
    return {
        {"version", r.version}, {"command", r.command},         {"seed", r.seed},       {"quick", r.quick}, {"threads", r.threads},
        {"seconds", r.seconds}, {"interrupted", r.interrupted}, {"passed", r.passed()}, {"alpha", alpha},   {"checks", list_of(r.entries)}};
}

std::string table_header() { return row("check", "measured", "figure", "law and bound", "verdict"); }

std::string table_rows(const Report::Entry& entry) {
    const auto& [check, result] = entry;
    std::string text;
    for (const auto& m : result.measurements)
        text += row(check->name, m.what, figure_text(m) + unit_text(m), law_and_bound_text(m), verdict(m));
    return text + row(*check, result) + "\n";
}

std::string summary_line(const Report& report) {
    std::string failed;
    for (const auto& [check, result] : report.entries)
        if (!result.passed()) failed += (failed.empty() ? "" : ", ") + std::string(check->name);
    return fmt::format("{} check{} in {}, seed {}{}: {}{}\n", report.entries.size(), report.entries.size() == 1 ? "" : "s",
                       app::seconds_text(report.seconds), report.seed, report.quick ? ", quick" : "",
                       failed.empty() ? "passed" : "FAILED: " + failed, report.interrupted ? "; interrupted before the others" : "");
}

std::string to_text(const Report& report) {
    std::string text = table_header();
    for (const auto& entry : report.entries) text += table_rows(entry);
    return text + summary_line(report);
}

Written write(const Report& report, const app::ResultsDirectory& directory) {
    directory.write("verification.json", to_json(report).dump(2) + "\n");
    Written written;
    try {
        if (has_figures(report)) written.files = app::draw_figures({"--verification", directory.path().string()});
    } catch (const Error& error) {  // the measurements are complete: that there is nothing to draw with is no failure of theirs
        written.no_pictures = error.reason();
    }
    directory.write("verification.md", to_markdown(report, written.no_pictures));
    written.files.insert(written.files.begin(), {"verification.json", "verification.md"});
    return written;
}

}  // namespace ydot::verify
