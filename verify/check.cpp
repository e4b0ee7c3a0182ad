#include "verify/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/build.hpp"
#include "app/registry.hpp"
#include "app/toml_io.hpp"

namespace ydot::verify {
namespace {

using Bound = Measurement::Bound;

/// A single repetition says nothing of its error.
double error_of(const Moments& m) noexcept { return m.count > 1 ? m.error() : std::numeric_limits<double>::infinity(); }

}  // namespace

Measurement agrees(std::string what, std::string unit, const Moments& measured, double expected, std::size_t comparisons, double must_see,
                   std::string reason) {
    const double error = error_of(measured), limit = t_limit(measured.count, alpha / static_cast<double>(comparisons)) * error;
    const double resolution = limit + t_limit(measured.count, 2 * alpha) * error;
    const bool passed = std::abs(measured.mean - expected) <= limit && resolution <= must_see;
    return {std::move(what), std::move(unit), measured.mean, expected, Bound::around, limit, error, resolution, std::move(reason), passed};
}

Measurement equals(std::string what, std::string unit, double figure, double expected, double bound, std::string reason) {
    const bool passed = std::abs(figure - expected) <= bound;
    return {std::move(what), std::move(unit), figure, expected, Bound::around, bound, 0, 0, std::move(reason), passed};
}

Measurement at_most(std::string what, std::string unit, double figure, double bound, std::string reason) {
    return {std::move(what), std::move(unit), figure, 0, Bound::at_most, bound, 0, 0, std::move(reason), figure <= bound};
}

Measurement surely_at_most(std::string what, std::string unit, const Moments& measured, double bound, std::size_t comparisons,
                           std::string reason) {
    const double error = error_of(measured), allowance = t_limit(measured.count, 2 * alpha / static_cast<double>(comparisons)) * error;
    const bool passed = measured.mean + allowance <= bound;
    return {std::move(what), std::move(unit), measured.mean, 0, Bound::at_most, bound, error, allowance, std::move(reason), passed};
}

Measurement first_order(std::string what, std::span<const double> figures) {
    // If a figure is a n (1 + c n), a slope between n and n / 2 is off by about c n / 2 ln 2 < c n, and c follows from the slope at 16 n.
    const auto slope = [&](std::size_t k) { return std::log2(figures[k] / figures[k + 1]); };
    const std::size_t last = figures.size() - 1;
    return equals(std::move(what), "1", slope(last - 1), 1, 2 * std::abs(slope(last - 5) - 1) / 16 + 1e-3,
                  "next order of the expansion: a sixteenth of the deviation at a step 16 times as large, times 2; 0.001 for rounding");
}

Measurement plausible(std::string what, double p, std::size_t comparisons, std::string reason) {
    const double least = alpha / static_cast<double>(comparisons);
    return {std::move(what), "p", p, 1, Bound::at_least, least, 0, 0, std::move(reason), p >= least};
}

Measurement shown(std::string what, std::string unit, double figure, std::string reason) {
    return {std::move(what), std::move(unit), figure, 0, Bound::none, 0, 0, 0, std::move(reason), true};
}

bool CheckResult::passed() const noexcept {
    return !measurements.empty() && std::all_of(measurements.begin(), measurements.end(), [](const auto& m) { return m.passed; });
}

CheckResult ended_by(const std::string& error) {
    CheckResult result;
    result.measurements.push_back(equals("errors that ended the check", "", 1, 0, 0, error));
    return result;
}

std::unique_ptr<Circuit> Context::build(std::string_view toml, const std::vector<std::string>& settings) const {
    return build(app::parse_description(std::string(toml), "check.toml", settings));
}

std::unique_ptr<Circuit> Context::build(Description description) const {
    description.run.seed = static_cast<std::int64_t>(seed);
    if (fault.description) fault.description(description);
    auto circuit = app::build_circuit(description);
    if (fault.circuit) fault.circuit(*circuit);
    return circuit;
}

std::string toml_of(std::span<const double> numbers) { return fmt::format("[{}]", fmt::join(numbers, ", ")); }
std::string toml_of(double number) { return fmt::format("{:#.17g}", number); }
std::string setting(const std::string& key, double number) { return key + '=' + toml_of(number); }

}  // namespace ydot::verify
