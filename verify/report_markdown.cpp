#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "verify/report.hpp"
#include "verify/report_text.hpp"

namespace ydot::verify {
namespace {

constexpr std::string_view how_to_read = R"(## How to read this

Each check puts one law to the test: what it says, what was measured in networks that the simulator ran, and a bound. A comparison reads

- **law ± bound**: it passes when the figure differs from the law by no more than the bound;
- **≤ bound**: it passes when the figure, with its resolution added, stays below the bound. Luck cannot make it pass;
- **≥ bound**: so for a p-value, the probability that the law alone makes a deviation as large as the one measured;
- **-**: a figure that is only shown.

**No bound is tuned.** It follows from the sampling error, from the order of accuracy of a method or from rounding; the reason stands
below each table.

- *Sampling error.* The mean of n independent repetitions is compared with the law by Student's t: the bound is the number of standard
  errors that a correct program exceeds with a probability of $\alpha = 10^{{-6}}$, shared equally by the comparisons of a check
  (Bonferroni). So a check of a correct program fails by luck less than once in a million seeds, and in a report like this (checks:
  {checks}) any of them less than once in {together}.
- *Resolution.* The deviation of the truth from the law that would be overlooked with a probability of $10^{{-6}}$. A check states what
  it must be able to see, and fails when the sampling error is too large for that (**FAIL (noise)**): noise is no way to pass.

)";

/// Stands for itself in Markdown: outside of mathematics * and < would be markup.
std::string plain(std::string_view text) {
    std::string result;
    bool mathematics = false;
    for (const char c : text) {
        if (c == '$') mathematics = !mathematics;
        if (!mathematics && (c == '*' || c == '<')) result += '\\';
        result += c == '\n' ? ' ' : c;
    }
    return result;
}

/// Stands in a cell of a table, which | would end, in mathematics too.
std::string cell(std::string_view text) {
    std::string result;
    for (const char c : plain(text)) result += c == '|' ? std::string("\\|") : std::string(1, c);
    return result;
}

/// In place of the words of an image, which a lone ] would end.
std::string alternative(std::string_view text) {
    std::string result;
    for (const char c : plain(text)) result += c == '[' || c == ']' ? std::string("\\") + c : std::string(1, c);
    return result;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \n"), end = text.find_last_not_of(" \n");
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

std::string heading(const Check& check) { return fmt::format("{}: {}", check.law, check.title); }

/// The reasons of the measurements, each once.
std::vector<std::string> reasons_of(const CheckResult& result) {
    std::vector<std::string> reasons;
    for (const auto& m : result.measurements)
        if (!m.reason.empty() && std::find(reasons.begin(), reasons.end(), m.reason) == reasons.end()) reasons.push_back(m.reason);
    return reasons;
}

std::string reason_number(const Measurement& m, const std::vector<std::string>& reasons) {
    const auto found = std::find(reasons.begin(), reasons.end(), m.reason);
    return found == reasons.end() ? "" : std::to_string(found - reasons.begin() + 1);
}

std::string table_row(const Measurement& m, const std::vector<std::string>& reasons) {
    const auto positive = [](double x) { return x > 0 ? number_text(x, x) : std::string(); };
    const auto mark = m.passed ? verdict(m) : "**" + verdict(m) + "**";
    return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", cell(m.what), value_text(m) + cell(unit_text(m)),
                       positive(m.standard_error), law_text(m), bound_text(m), positive(m.resolution), reason_number(m, reasons), mark);
}

std::string measurements(const CheckResult& result) {
    if (result.measurements.empty()) return "";
    const auto reasons = reasons_of(result);
    std::string text = "| measured | figure | standard error | law | bound | resolution | reason | |\n|---|---|---|---|---|---|---|---|\n";
    for (const auto& m : result.measurements) text += table_row(m, reasons);
    text += "\n";
    if (!reasons.empty()) text += "Reasons for the bounds:\n\n";
    for (std::size_t k = 0; k < reasons.size(); ++k) text += fmt::format("{}. {}\n", k + 1, reasons[k]);
    return text + (reasons.empty() ? "" : "\n");
}

std::string pictures(const CheckResult& result) {
    std::string text;
    for (const auto& f : result.figures)
        text +=
            fmt::format("![{}](verification/{}.png)\n\n*Figure `{}`.* {}\n\n", alternative(f.caption), f.name, f.name, plain(f.caption));
    return text;
}

std::string section(const Report::Entry& entry, bool drawn) {
    const auto& [check, result] = entry;
    return fmt::format("<a name=\"{}\"></a>\n\n## {}\n\n`ydot verify {}`: **{}** in {}.\n\n{}\n\n", check->name, plain(heading(*check)),
                       check->name, verdict(result), app::seconds_text(result.seconds), trimmed(check->text)) +
           (drawn ? pictures(result) : "") + measurements(result);
}

std::string overview(const Report& report) {
    std::string text = "| check | law | measurements | seconds | |\n|---|---|---|---|---|\n";
    for (const auto& [check, result] : report.entries)
        text += fmt::format("| [{0}](#{0}) | {1} | {2} | {3:.2g} | {4} |\n", check->name, cell(heading(*check)), result.measurements.size(),
                            result.seconds, verdict(result));
    return text + "\n";
}

}  // namespace

std::string to_markdown(const Report& r, const std::string& no_pictures) {
    const auto count = std::max<std::size_t>(r.entries.size(), 1);
    std::string text = "# Verification\n\n";
    text += fmt::format("Made by `{}`: Ydot {}, seed {}, {}, {} thread{}.\n\n**{}**\n\n", r.command, r.version, r.seed,
                        r.quick ? "quick" : "in full", r.threads, r.threads == 1 ? "" : "s", trimmed(summary_line(r)));
    text += overview(r) +
            fmt::format(how_to_read, fmt::arg("checks", count), fmt::arg("together", static_cast<std::size_t>(1 / alpha) / count));
    if (!no_pictures.empty()) text += "No pictures: " + plain(no_pictures) + "\n\n";
    for (const auto& entry : r.entries) text += section(entry, no_pictures.empty());
    text.pop_back();  // one of the two line ends
    return text;
}

}  // namespace ydot::verify
