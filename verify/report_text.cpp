#include "verify/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ydot::verify {
namespace {

using Bound = Measurement::Bound;

/// Powers of ten in |x|.
double magnitude(double x) { return std::floor(std::log10(std::abs(x))); }

bool within(const Measurement& m) {
    if (m.kind == Bound::around) return std::abs(m.figure - m.expected) <= m.bound;
    return m.kind == Bound::at_most ? m.figure <= m.bound : m.figure >= m.bound;
}

/// What tells which digits of the figure mean something.
double uncertainty(const Measurement& m) {
    if (m.standard_error > 0) return m.standard_error;
    return m.kind == Bound::around ? m.bound : 0;
}

}  // namespace

const char* kind_name(Bound kind) {
    switch (kind) {
        case Bound::around: return "around";
        case Bound::at_most: return "at_most";
        case Bound::at_least: return "at_least";
        case Bound::none: break;
    }
    return "none";
}

std::string number_text(double x, double uncertainty) {
    if (!std::isfinite(x) || x == 0) return fmt::format("{}", x);
    const double meaningful = uncertainty > 0 ? std::clamp(magnitude(x) - magnitude(uncertainty) + 2, 2.0, 8.0) : 4;
    const double whole = magnitude(x) < 6 ? magnitude(x) + 1 : 0;  // 1000, not 1e+03
    return fmt::format("{:.{}g}", x, static_cast<int>(std::max(meaningful, whole)));
}

std::string value_text(const Measurement& m) { return (m.unit == "p" ? "p = " : "") + number_text(m.figure, uncertainty(m)); }

std::string figure_text(const Measurement& m) {
    return m.standard_error > 0 ? value_text(m) + " ± " + number_text(m.standard_error, m.standard_error) : value_text(m);
}

std::string unit_text(const Measurement& m) { return m.unit.empty() || m.unit == "1" || m.unit == "p" ? "" : " " + m.unit; }

std::string law_text(const Measurement& m) {
    if (m.kind != Bound::around) return "";
    return std::abs(m.expected) < 1e-3 * m.bound ? "0" : number_text(m.expected, m.bound);  // its own rounding is of no interest
}

std::string bound_text(const Measurement& m) {
    switch (m.kind) {
        case Bound::around: return "± " + number_text(m.bound, m.bound);
        case Bound::at_most: return "≤ " + number_text(m.bound);
        case Bound::at_least: return "≥ " + number_text(m.bound, m.bound);
        case Bound::none: break;
    }
    return "";
}

std::string law_and_bound_text(const Measurement& m) {
    const auto law = law_text(m);
    return law.empty() ? bound_text(m) : law + " " + bound_text(m);
}

std::string verdict(const Measurement& m) {
    if (m.kind == Bound::none) return "-";
    if (m.passed) return "PASS";
    return within(m) ? "FAIL (noise)" : "FAIL";
}

std::string verdict(const CheckResult& result) { return result.passed() ? "PASS" : "FAIL"; }

}  // namespace ydot::verify
