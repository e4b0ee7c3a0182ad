#pragma once
#include "neurons/hodgkin_huxley.hpp"

namespace ydot::neurons {

/// Gates of the squid giant axon at 6.3 degrees Celsius, in the sign of today; u = v - v_t in mV, v_t the rest of the axon, rates per ms.
struct SquidKinetics {
    template <class Real>
    static GateRates<Real> rates(Real u) noexcept {
        return {.open_m = 1 / exprel_of((25 - u) * Real{0.1f}),  // 0.1 (25 - u) / (exp((25 - u) / 10) - 1)
                .close_m = 4 * exp_of(u * Real{-1 / 18.0f}),
                .open_h = Real{0.07f} * exp_of(u * Real{-0.05f}),
                .close_h = 1 / (1 + exp_of((30 - u) * Real{0.1f})),
                .open_n = Real{0.1f} / exprel_of((10 - u) * Real{0.1f}),  // 0.01 (10 - u) / (exp((10 - u) / 10) - 1)
                .close_n = Real{0.125f} * exp_of(u * Real{-1 / 80.0f})};
    }
};

/// 10,000 um^2 of the axon (1 uF, 120 mS, 36 mS and 0.3 mS per cm^2), so that 100 pA are 1 uA/cm^2; see HodgkinHuxley.
struct HhSquid : HodgkinHuxley<SquidKinetics, HodgkinHuxleyDefaults{100, 12000, 3600, 30, 50, -77, -54.387, -65, 0}> {
    static constexpr std::string_view name = "hh_squid", summary = "squid giant axon, exponential conductances",
                                      reference = "Hodgkin & Huxley (1952), J. Physiol. 117:500-544";
};

}  // namespace ydot::neurons
