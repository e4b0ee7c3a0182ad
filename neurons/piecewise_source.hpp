#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Inhomogeneous Poisson spike trains whose rate goes through the points (times_ms[k], rates_Hz[k]): linear between two points, constant
/// before the first and after the last. Two points of one time make a jump.
struct PiecewiseSource {
    static constexpr std::string_view name = "piecewise_source", summary = "Poisson spike trains whose rate is linear between given points",
                                      reference = "Lewis & Shedler (1979), Naval Res. Logist. Q. 26:403-413";
    static constexpr bool varies = true;
    struct Params {
        std::vector<double> times_ms{0}, rates_Hz{100};
        static constexpr std::tuple fields{Field{"times_ms", &Params::times_ms, "times of the points, ascending", not_negative},
                                           Field{"rates_Hz", &Params::rates_Hz, "rate at each of these times", not_negative}};
    };
    static void check(const Params& p, double /*dt_ms*/, const std::string& path) {
        if (p.times_ms.empty() || p.times_ms.size() != p.rates_Hz.size())
            throw Error(path,
                        "times_ms and rates_Hz must be of one length, at least 1; got " + std::to_string(p.times_ms.size()) + " and " +
                            std::to_string(p.rates_Hz.size()),
                        {});
        if (!std::is_sorted(p.times_ms.begin(), p.times_ms.end())) throw Error(path + ".times_ms", "must not descend", {});
    }
    static double rate_Hz(const Params& p, double t_ms, double /*stimulus*/) {
        const auto next = static_cast<std::size_t>(std::upper_bound(p.times_ms.begin(), p.times_ms.end(), t_ms) - p.times_ms.begin());
        if (next == 0) return p.rates_Hz.front();
        if (next == p.times_ms.size()) return p.rates_Hz.back();
        const double share = (t_ms - p.times_ms[next - 1]) / (p.times_ms[next] - p.times_ms[next - 1]);
        return p.rates_Hz[next - 1] + share * (p.rates_Hz[next] - p.rates_Hz[next - 1]);
    }
    static double highest_rate_Hz(const Params& p, double /*stimulus*/) { return *std::max_element(p.rates_Hz.begin(), p.rates_Hz.end()); }
};

}  // namespace ydot::neurons
