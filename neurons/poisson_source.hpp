#pragma once
#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Independent Poisson spike trains of constant rate.
struct PoissonSource {
    static constexpr std::string_view name = "poisson_source", summary = "Poisson spike trains of constant rate",
                                      reference = "Kingman (1993), Poisson Processes";
    static constexpr bool varies = false;
    struct Params {
        double rate_Hz = 100;
        static constexpr std::tuple fields{Field{"rate_Hz", &Params::rate_Hz, "rate of every unit", not_negative}};
    };
    static double rate_Hz(const Params& p, double /*t_ms*/, double /*stimulus*/) { return p.rate_Hz; }
    static double highest_rate_Hz(const Params& p, double /*stimulus*/) { return p.rate_Hz; }
};

}  // namespace ydot::neurons
