#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/circuit.hpp"
#include "sim/description.hpp"
#include "sim/parallel.hpp"
#include "sim/statistics.hpp"

namespace ydot::verify {

/// A check of a correct program fails by luck with at most this probability; its comparisons share it (Bonferroni). A true deviation of
/// Measurement::resolution is overlooked with at most this probability too.
inline constexpr double alpha = 1e-6;

/// One comparison of a check with its bound and the reason for the bound.
struct Measurement {
    enum class Bound {
        around,   ///< passes when |figure - expected| <= bound
        at_most,  ///< passes when figure + allowance for its sampling error <= bound
        none,     ///< a figure without a law: it cannot fail
        at_least  ///< passes when figure >= bound
    };
    std::string what, unit;
    double figure = 0, expected = 0;
    Bound kind = Bound::around;
    double bound = 0;
    double standard_error = 0;  ///< of the figure; 0: it has no sampling error
    double resolution = 0;      ///< smallest deviation of the truth that cannot be overlooked; 0: any beyond the bound
    std::string reason;         ///< why the bound is what it is
    bool passed = true;
};

/// Mean of independent repetitions against the value of the law. Passes when they agree within the sampling error and that error is
/// small enough to see a deviation of `must_see`.
/// @param comparisons  that share alpha in this check
Measurement agrees(std::string what, std::string unit, const Moments& measured, double expected, std::size_t comparisons, double must_see,
                   std::string reason);
/// A figure without sampling error, |figure - expected| <= bound.
Measurement equals(std::string what, std::string unit, double figure, double expected, double bound, std::string reason);
/// A figure without sampling error, figure <= bound.
Measurement at_most(std::string what, std::string unit, double figure, double bound, std::string reason);
/// Passes when the mean lies below the bound by more than luck can make it.
Measurement surely_at_most(std::string what, std::string unit, const Moments& measured, double bound, std::size_t comparisons,
                           std::string reason);
/// That figures vanish in proportion to a step: d log(figure) / d log(step) between the two smallest is 1, but for the next order of the
/// expansion, which the same slope at 16 times the step tells. @param figures  at steps of which each is half of the one before, seven or
/// more
Measurement first_order(std::string what, std::span<const double> figures);
/// A p-value: passes when it is >= alpha / comparisons.
Measurement plausible(std::string what, double p, std::size_t comparisons, std::string reason);
/// A figure that is only shown.
Measurement shown(std::string what, std::string unit, double figure, std::string reason);

/// Points or a line of a panel. `error`: half lengths of error bars, or empty.
struct Series {
    std::string name;
    std::vector<double> x, y, error;
    bool line = false;
};
struct Panel {
    std::string x_label, y_label;
    bool x_log = false, y_log = false;
    std::vector<Series> series;
};
struct Figure {
    std::string name, caption;  ///< file name without suffix; sentence below the picture
    std::vector<Panel> panels;  ///< side by side
};

struct CheckResult {
    std::vector<Measurement> measurements;
    std::vector<Figure> figures;
    double seconds = 0;
    bool passed() const noexcept;  ///< false without measurements: nothing was checked
};
/// The result of a check that an error ended: one measurement, failed, with the text of the error as its reason.
CheckResult ended_by(const std::string& error);

/// Where tests put a fault: every network of a check passes through these two on its way into the engine, while the law is computed
/// from what the check asked for.
struct Fault {
    std::function<void(Description&)> description;
    std::function<void(Circuit&)> circuit;
};

/// What a check runs with.
struct Context {
    std::uint64_t seed = 1;
    bool quick = false;
    Fault fault;

    /// Builds the network of a check from the text of a description; `run.seed` is the seed of the context.
    std::unique_ptr<Circuit> build(std::string_view toml, const std::vector<std::string>& settings = {}) const;
    std::unique_ptr<Circuit> build(Description description) const;
    /// The same without the fault: what the law is computed from.
    Context intact() const { return {seed, quick, {}}; }
};

/// f(k) for k = 0 ... count - 1, in parallel; results in order, whatever the number of threads.
template <class F>
auto repeat(std::size_t count, const F& f) {
    std::vector<decltype(f(count))> results(count);
    parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k) results[k] = f(k);
    });
    return results;
}

/// "[1, 2.5]", exact.
std::string toml_of(std::span<const double> numbers);
/// "1.0000000000000000", exact, and never an integer.
std::string toml_of(double number);
/// An override: "run.dt_ms=1.0000000000000000".
std::string setting(const std::string& key, double number);

/// One law.
struct Check {
    std::string_view name, law;  ///< "bode", "L1"
    std::string_view title;      ///< one line
    std::string_view text;       ///< Markdown with equations and references, for the report
    CheckResult (*run)(const Context&);
};

}  // namespace ydot::verify
