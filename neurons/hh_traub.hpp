#pragma once
#include "neurons/hodgkin_huxley.hpp"

namespace ydot::neurons {

/// Gates of hippocampal pyramidal cells, Traub & Miles (1991) as in benchmark 3 of Brette et al. (2007); u = v - v_t in mV, rates per ms.
struct TraubKinetics {
    template <class Real>
    static GateRates<Real> rates(Real u) noexcept {
        return {.open_m = Real{1.28f} / exprel_of((13 - u) * Real{0.25f}),  // 0.32 (13 - u) / (exp((13 - u) / 4) - 1)
                .close_m = Real{1.4f} / exprel_of((u - 40) * Real{0.2f}),   // 0.28 (u - 40) / (exp((u - 40) / 5) - 1)
                .open_h = Real{0.128f} * exp_of((17 - u) * Real{1 / 18.0f}),
                .close_h = 4 / (1 + exp_of((40 - u) * Real{0.2f})),
                .open_n = Real{0.16f} / exprel_of((15 - u) * Real{0.2f}),  // 0.032 (15 - u) / (exp((15 - u) / 5) - 1)
                .close_n = Real{0.5f} * exp_of((10 - u) * Real{0.025f})};
    }
};

/// Pyramidal cell of 20,000 um^2 with the conductances of the benchmark (weights 6 nS and 67 nS) and e_l of -65 mV, as HH_cond_exp of PyNN;
/// with the -60 mV of other scripts of the benchmark it has no resting potential. See HodgkinHuxley.
struct HhTraub : HodgkinHuxley<TraubKinetics, HodgkinHuxleyDefaults{200, 20000, 6000, 10, 50, -90, -65, -63, -20}> {
    static constexpr std::string_view
        name = "hh_traub",
        summary = "Hodgkin-Huxley type pyramidal cell, exponential conductances",
        reference = "Traub & Miles (1991), Neuronal Networks of the Hippocampus; Brette et al. (2007), J. Comput. Neurosci. 23:349-398";
};

}  // namespace ydot::neurons
