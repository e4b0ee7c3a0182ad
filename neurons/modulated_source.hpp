#pragma once
#include <cmath>
#include <numbers>

#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Inhomogeneous Poisson spike trains of sinusoidal rate: rate (1 + depth sin(2 pi frequency t + phase)).
struct ModulatedSource {
    static constexpr std::string_view name = "modulated_source", summary = "Poisson spike trains of sinusoidal rate",
                                      reference = "Lewis & Shedler (1979), Naval Res. Logist. Q. 26:403-413";
    static constexpr bool varies = true;
    struct Params {
        double rate_Hz = 100, depth = 0.5, frequency_Hz = 10, phase = 0;
        static constexpr std::tuple fields{Field{"rate_Hz", &Params::rate_Hz, "mean rate", not_negative},
                                           Field{"depth", &Params::depth, "modulation", unit_interval},
                                           Field{"frequency_Hz", &Params::frequency_Hz, "of the modulation", not_negative},
                                           Field{"phase", &Params::phase, "radians at time 0"}};
    };
    static double rate_Hz(const Params& p, double t_ms, double /*stimulus*/) {
        return p.rate_Hz * (1 + p.depth * std::sin(2e-3 * std::numbers::pi * p.frequency_Hz * t_ms + p.phase));
    }
    static double highest_rate_Hz(const Params& p, double /*stimulus*/) { return p.rate_Hz * (1 + p.depth); }
};

}  // namespace ydot::neurons
