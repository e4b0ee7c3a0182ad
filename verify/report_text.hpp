#pragma once
#include <string>

#include "verify/check.hpp"

namespace ydot::verify {

// The words of a report: what the table on the terminal and the Markdown say alike.

/// "around", "at_most", "at_least", "none".
const char* kind_name(Measurement::Bound kind);
/// With the digits that mean something: two of the uncertainty, four where there is none.
std::string number_text(double x, double uncertainty = 0);
/// "12.31", "p = 0.3".
std::string value_text(const Measurement& m);
/// With its standard error: "12.31 ± 0.04".
std::string figure_text(const Measurement& m);
/// " Hz"; empty where there is none.
std::string unit_text(const Measurement& m);
/// "12.3"; empty where the law is a limit.
std::string law_text(const Measurement& m);
/// "± 0.2", "≤ 5", "≥ 1e-07"; empty where there is none.
std::string bound_text(const Measurement& m);
std::string law_and_bound_text(const Measurement& m);
/// PASS or FAIL; FAIL (noise) when the figure is within the bound but its sampling error is too large to tell; "-" for what cannot fail.
std::string verdict(const Measurement& m);
std::string verdict(const CheckResult& result);

}  // namespace ydot::verify
