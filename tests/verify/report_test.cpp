#include "verify/report.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/error.hpp"
#include "verify/list.hpp"
#include "verify/report_text.hpp"

using namespace ydot;
using namespace ydot::verify;
using Catch::Contains;

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

/// A mean with a standard error of 1.
Moments moments(double mean, std::size_t count = 50) { return {mean, static_cast<double>(count), count}; }

const Check check{"drift", "L9", "The drift of a weight", "\nBy $|w|$ alone.\n", [](const Context&) { return CheckResult{}; }};

Report report_of(std::vector<Measurement> measurements, std::vector<Figure> figures = {}) {
    Report report;
    report.version = "1.2.3";
    report.command = "ydot verify drift";
    report.entries.push_back({&check, {std::move(measurements), std::move(figures), 1.5}});
    return report;
}

/// The line that holds `part`.
std::string line_with(const std::string& text, const std::string& part) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.find(part) != std::string::npos) return line;
    return "";
}

std::size_t letters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

TEST_CASE("a mean agrees up to the limit of t for its share of alpha", "[verify][analytic]") {
    for (const std::size_t comparisons : {1, 20}) {
        const double limit = t_limit(50, alpha / static_cast<double>(comparisons));
        for (const double side : {-1.0, 1.0}) {
            CHECK(agrees("x", "", moments(7 + side * limit * 0.999), 7, comparisons, 100, "").passed);
            CHECK_FALSE(agrees("x", "", moments(7 + side * limit * 1.001), 7, comparisons, 100, "").passed);
        }
        CHECK(agrees("x", "", moments(7), 7, comparisons, 100, "").bound == Approx(limit));
    }
}

TEST_CASE("a mean does not agree when its error hides what must be seen", "[verify][analytic]") {
    const double resolution = agrees("x", "", moments(7), 7, 3, 100, "").resolution;
    CHECK(agrees("x", "", moments(7), 7, 3, resolution * 1.001, "").passed);
    const auto coarse = agrees("x", "", moments(7), 7, 3, resolution * 0.999, "");
    CHECK_FALSE(coarse.passed);
    CHECK(verdict(coarse) == "FAIL (noise)");
    CHECK(verdict(agrees("x", "", moments(7 + 2 * resolution), 7, 3, 100, "")) == "FAIL");
}

TEST_CASE("a single repetition is all noise", "[verify]") {
    const std::vector<double> one{7};
    CHECK(verdict(agrees("x", "", moments_of(one), 7, 1, 100, "")) == "FAIL (noise)");
    CHECK(verdict(surely_at_most("x", "", moments_of(one), 8, 1, "")) == "FAIL (noise)");
}

TEST_CASE("a deviation of the resolution is overlooked with the probability of one tail alpha", "[verify][analytic]") {
    const auto m = agrees("x", "", moments(7), 7, 3, 100, "");
    CHECK(m.resolution - m.bound == Approx(t_limit(50, 2 * alpha)));  // a mean that lies one such tail below the truth still agrees
}

TEST_CASE("a mean is surely below a bound when its share of luck is added", "[verify][analytic]") {
    const double allowance = t_limit(50, 2 * alpha / 4);
    CHECK(surely_at_most("x", "", moments(3), 3 + allowance * 1.001, 4, "").passed);
    const auto close = surely_at_most("x", "", moments(3), 3 + allowance * 0.999, 4, "");
    CHECK_FALSE(close.passed);
    CHECK(verdict(close) == "FAIL (noise)");
    CHECK(verdict(surely_at_most("x", "", moments(3), 2.9, 4, "")) == "FAIL");
}

TEST_CASE("figures without sampling error pass up to and at their bound", "[verify]") {
    CHECK(equals("x", "", 5.5, 5, 0.5, "").passed);
    CHECK(equals("x", "", 4.5, 5, 0.5, "").passed);
    CHECK_FALSE(equals("x", "", 5.6, 5, 0.5, "").passed);
    CHECK(at_most("x", "", 0.5, 0.5, "").passed);
    CHECK_FALSE(at_most("x", "", 0.6, 0.5, "").passed);
    CHECK(shown("x", "", 1e9, "").passed);
}

TEST_CASE("a p-value passes down to its share of alpha", "[verify]") {
    CHECK(plausible("x", alpha / 5 * 1.001, 5, "").passed);
    CHECK_FALSE(plausible("x", alpha / 5 * 0.999, 5, "").passed);
    CHECK(plausible("x", 1, 5, "").passed);
}

TEST_CASE("what is not a number fails", "[verify]") {
    CHECK_FALSE(equals("x", "", no_number, 0, 1, "").passed);
    CHECK_FALSE(at_most("x", "", no_number, 1, "").passed);
    CHECK_FALSE(agrees("x", "", {no_number, 1, 50}, 0, 1, 100, "").passed);
    CHECK_FALSE(agrees("x", "", {0, no_number, 50}, 0, 1, 100, "").passed);
    CHECK_FALSE(surely_at_most("x", "", {0, no_number, 50}, 1, 1, "").passed);
    CHECK_FALSE(plausible("x", no_number, 1, "").passed);
}

TEST_CASE("one failure fails its check and the report, and so does an interruption", "[verify]") {
    CHECK(report_of({equals("x", "", 1, 1, 0, "")}).passed());
    CHECK_FALSE(report_of({equals("x", "", 1, 1, 0, ""), equals("y", "", 1, 2, 0, "")}).passed());
    auto interrupted = report_of({equals("x", "", 1, 1, 0, "")});
    interrupted.interrupted = true;
    CHECK_FALSE(interrupted.passed());
}

TEST_CASE("a check that measured nothing, or that an error ended, has failed", "[verify]") {
    CHECK_FALSE(CheckResult{}.passed());
    const auto ended = ended_by("populations.a.size: must be >= 1, got 0");
    CHECK_FALSE(ended.passed());
    REQUIRE(ended.measurements.size() == 1);
    CHECK(ended.measurements[0].reason == "populations.a.size: must be >= 1, got 0");
    CHECK(verdict(ended.measurements[0]) == "FAIL");
}

TEST_CASE("the JSON report holds all that was measured and drawn", "[verify]") {
    const auto json = to_json(report_of({agrees("slope", "Hz", moments(2), 2, 1, 100, "why")},
                                        {{"pic", "caption", {{"f (Hz)", "gain", true, false, {{"law", {1, 2}, {3, 4}, {}, true}}}}}}));
    CHECK(json["version"] == "1.2.3");
    CHECK(json["command"] == "ydot verify drift");
    CHECK(json["seed"] == 1);
    CHECK(json["quick"] == false);
    CHECK(json["passed"] == true);
    const auto& entry = json["checks"][0];
    CHECK(entry["name"] == "drift");
    CHECK(entry["law"] == "L9");
    CHECK(entry["seconds"] == 1.5);
    const auto& m = entry["measurements"][0];
    CHECK(m["what"] == "slope");
    CHECK(m["unit"] == "Hz");
    CHECK(m["kind"] == "around");
    CHECK(m["figure"] == 2);
    CHECK(m["standard_error"] == 1);
    CHECK(m["expected"] == 2);
    CHECK(m["reason"] == "why");
    CHECK(m["passed"] == true);
    const auto& panel = entry["figures"][0]["panels"][0];
    CHECK(panel["x_label"] == "f (Hz)");
    CHECK(panel["x_log"] == true);
    CHECK(panel["series"][0]["y"] == nlohmann::ordered_json{3.0, 4.0});
    CHECK(panel["series"][0]["line"] == true);
}

TEST_CASE("what is no number is null in the JSON report", "[verify]") {
    const auto text = to_json(report_of({equals("x", "", no_number, infinity, 0, "")},
                                        {{"pic", "", {{"", "", false, false, {{"s", {1}, {no_number}, {}, false}}}}}}))
                          .dump();
    const auto json = nlohmann::json::parse(text);
    CHECK(json["checks"][0]["measurements"][0]["figure"].is_null());
    CHECK(json["checks"][0]["measurements"][0]["expected"].is_null());
    CHECK(json["checks"][0]["figures"][0]["panels"][0]["series"][0]["y"][0].is_null());
}

TEST_CASE("numbers show the digits that mean something", "[verify]") {
    CHECK(number_text(12.3456, 0.04) == "12.346");
    CHECK(number_text(1000) == "1000");
    CHECK(number_text(1234.5, 200) == "1234");
    CHECK(number_text(1.23456e-12) == "1.235e-12");
    CHECK(number_text(0.00012, 0.3) == "0.00012");
    CHECK(number_text(0, 0.1) == "0");
    CHECK(number_text(no_number) == "nan");
    CHECK(law_and_bound_text(equals("x", "", 1, 12.3456, 0.04, "")) == "12.346 ± 0.04");
    CHECK(law_and_bound_text(equals("x", "", 1, -1.8e-15, 0.04, "")) == "0 ± 0.04");
    CHECK(law_and_bound_text(at_most("x", "", 1, 5, "")) == "≤ 5");
    CHECK(law_and_bound_text(plausible("x", 1, 1, "")) == "≥ 1e-06");
    CHECK(law_and_bound_text(shown("x", "", 1, "")).empty());
    CHECK(figure_text(plausible("x", 0.25, 1, "")) == "p = 0.25");
}

TEST_CASE("the table has a line for each measurement and each check, and none is long", "[verify]") {
    const std::string long_name = "a very long description µ of what was measured " + std::string(100, 'x');
    const auto text = to_text(
        report_of({agrees("slope", "Hz", moments(2), 2, 1, 100, ""), equals("offset", "", 1, 2, 0.5, ""), shown(long_name, "1", 3, "")}));
    CHECK_THAT(line_with(text, "slope"), Contains("drift") && Contains("2 ± 1 Hz") && Contains("PASS"));
    CHECK_THAT(line_with(text, "offset"), Contains("2 ± 0.5") && Contains("FAIL"));
    CHECK_THAT(line_with(text, "a very long"), Contains("…"));
    CHECK_THAT(line_with(text, "L9: The drift"), Contains("1.5 s") && Contains("FAIL"));
    CHECK_THAT(text, Contains("1 check in") && Contains("FAILED: drift"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(letters(line) <= 140);
}

TEST_CASE("the Markdown report escapes what would break its tables, and leaves mathematics alone", "[verify]") {
    const auto text = to_markdown(report_of({at_most("|a*b| <c> of $|w|_*$", "Hz", 1, 5, "because $a*b$")}));
    CHECK_THAT(text, Contains("| \\|a\\*b\\| \\<c> of $\\|w\\|_*$ | 1 Hz |  |  | ≤ 5 |  | 1 | PASS |"));
    CHECK_THAT(text, Contains("\n1. because $a*b$\n"));
    CHECK_THAT(text, Contains("\nBy $|w|$ alone.\n"));
    CHECK_THAT(text, Contains("$\\alpha = 10^{-6}$"));
}

TEST_CASE("the Markdown report shows its pictures, or says why there are none", "[verify]") {
    const auto report = report_of({shown("x", "", 1, "")}, {{"pic", "Gain [ms].", {}}});
    CHECK_THAT(to_markdown(report), Contains("![Gain \\[ms\\].](verification/pic.png)"));
    const auto without = to_markdown(report, "there is no Python");
    CHECK_THAT(without, Contains("No pictures: there is no Python") && !Contains("!["));
}

TEST_CASE("checks are found by name and by law, and another name is refused with what is near", "[verify]") {
    for (const auto* known : checks()) {
        CHECK(&find_check(std::string(known->name)) == known);
        CHECK(&find_check(std::string(known->law)) == known);
    }
    CHECK_THROWS_WITH(find_check("bodes"), Contains("did you mean bode?") && Contains("Known: all, "));
    CHECK_THROWS_AS(find_check(""), Error);
}
