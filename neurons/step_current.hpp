#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "sim/current.hpp"
#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Piecewise constant current, the same for all units: 0 before times_ms[0], amplitudes_pA[k] from times_ms[k] to times_ms[k + 1], the last
/// amplitude to the end. Times are multiples of dt, so the potential of a linear membrane is the closed form at every step.
struct StepCurrent {
    static constexpr std::string_view name = "step_current", summary = "piecewise constant current",
                                      reference = "Hodgkin & Huxley (1952), J. Physiol. 117:500-544";
    struct Params {
        std::vector<double> times_ms, amplitudes_pA;
        static constexpr std::tuple fields{Field{"times_ms", &Params::times_ms, "when the current changes, ascending", not_negative},
                                           Field{"amplitudes_pA", &Params::amplitudes_pA, "current from each of these times on"}};
    };
    struct Coeffs {
        std::vector<Step> steps;
        std::vector<float> pA;
    };
    static void check(const Params& p, double dt_ms, const std::string& path) {
        if (p.times_ms.empty() || p.times_ms.size() != p.amplitudes_pA.size())
            throw Error(path,
                        "times_ms and amplitudes_pA must be of one length, at least 1; got " + std::to_string(p.times_ms.size()) + " and " +
                            std::to_string(p.amplitudes_pA.size()),
                        {});
        for (const double t : p.times_ms) require_multiple(t, dt_ms, path + ".times_ms");
        if (std::adjacent_find(p.times_ms.begin(), p.times_ms.end(), std::greater_equal<>()) != p.times_ms.end())
            throw Error(path + ".times_ms", "must ascend", {});
    }
    static Coeffs prepare(const Params& p, double dt_ms) {
        Coeffs c;
        for (const double t : p.times_ms) c.steps.push_back(steps_of(t, dt_ms));
        for (const double a : p.amplitudes_pA) c.pA.push_back(static_cast<float>(a));
        return c;
    }
    static Step fill(const Coeffs& c, const CurrentRequest& request, std::span<float> pA) {
        const auto next = static_cast<std::size_t>(std::upper_bound(c.steps.begin(), c.steps.end(), request.n) - c.steps.begin());
        std::fill(pA.begin(), pA.end(), next == 0 ? 0.0f : c.pA[next - 1]);
        return next == c.steps.size() ? for_good : c.steps[next];
    }
};

}  // namespace ydot::neurons
