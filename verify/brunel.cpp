#include <fmt/format.h>

#include <array>
#include <cmath>

#include "neurons/siegert.hpp"
#include "sim/replica.hpp"
#include "sim/spike_statistics.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

using neurons::SiegertInput;

constexpr neurons::SiegertUnit unit{20, 2, 20, 10};
constexpr double j_mV = 0.1, dt_ms = 0.1;

/// Size of the network: units, and inputs of each from the excitatory ones.
struct Size {
    double excitatory, inputs;
};
constexpr Size full{10'000, 1'000}, small{4'000, 1'000};

/// Mean and spread of the input of every unit when all fire at one rate (Brunel 2000, eq. 4).
SiegertInput input_at(double rate_Hz, double g, double eta, double inputs) {
    const double outside_Hz = eta * unit.v_th_mV / (j_mV * unit.tau_m_ms * 1e-3), tau_s = unit.tau_m_ms * 1e-3;
    return {j_mV * tau_s * (outside_Hz + inputs * rate_Hz * (1 - g / 4)),
            j_mV * std::sqrt(tau_s * (outside_Hz + inputs * rate_Hz * (1 + g * g / 4)))};
}

/// The rate that reproduces itself. On a grid the threshold is looked at once a step: noise that would have crossed in between has not,
/// which is a threshold higher by 0.5826 standard deviations of a step (Broadie, Glasserman & Kou 1997, Math. Finance 7:325-349).
double theory_Hz(double g, double eta, double inputs) {
    double low = 0, high = 1e3 / unit.t_ref_ms;
    for (int k = 0; k < 60; ++k) {
        const double rate = (low + high) / 2;
        const auto input = input_at(rate, g, eta, inputs);
        auto on_grid = unit;
        on_grid.v_th_mV += 0.5826 * input.sigma_mV * std::sqrt(dt_ms / unit.tau_m_ms);
        (neurons::siegert_rate_Hz(on_grid, input) > rate ? low : high) = rate;
    }
    return low;
}

PopulationActivity activity(const Context& context, const std::string& regime, const Size& size, double duration_ms) {
    constexpr double warmup_ms = 200;
    const auto circuit =
        context.build(fmt::format("[run]\ndt_ms = {}\n[circuit]\nname = \"brunel\"\nexcitatory = {:.0f}\ninputs = {:.0f}\n{}\n", dt_ms,
                                  size.excitatory, size.inputs, regime));
    SpikeStatistics statistics({{"exc", circuit->population(0).size()}, {"inh", circuit->population(1).size()}},
                               {.start_ms = warmup_ms, .bin_ms = 1});
    Replica replica(*circuit);
    replica.set_parallel(true);
    replica.reset(0);
    replica.set_observer(&statistics);
    replica.run(static_cast<Step>(std::llround((warmup_ms + duration_ms) / dt_ms)));
    return statistics.finish(warmup_ms + duration_ms).populations[0];
}

CheckResult run(const Context& context) {
    CheckResult result;
    const Size size = context.quick ? small : full;
    const double duration_ms = context.quick ? 300 : 1000;
    Series theory{"self-consistent rate", {}, {}, {}, true}, measured{"network", {}, {}, {}, false};
    for (const double g : {4.5, 5.0, 6.0, 7.0}) {
        const double rate = finite_mean(
                         activity(context, fmt::format("regime = \"own\"\ng = {:.1f}\neta = 2.0", g), size, duration_ms).rate_Hz),
                     expected = theory_Hz(g, 2, size.inputs);
        result.measurements.push_back(equals(fmt::format("rate at g = {:g}, eta = 2", g), "Hz", rate, expected, 0.05 * expected,
                                             "5 %: the theory takes inputs for white noise and units for independent, though jumps are "
                                             "1/200 of the threshold and a tenth of the inputs are shared"));
        theory.x.push_back(g), theory.y.push_back(expected), measured.x.push_back(g), measured.y.push_back(rate);
    }
    std::array<PopulationActivity, 4> regimes;
    for (std::size_t k = 0; k < 4; ++k) {
        const char name = "ABCD"[k];
        regimes[k] = activity(context, fmt::format("regime = \"{}\"", name), size, duration_ms);
        result.measurements.push_back(shown(fmt::format("regime {}: rate", name), "Hz", finite_mean(regimes[k].rate_Hz), ""));
        result.measurements.push_back(shown(fmt::format("regime {}: CV of the intervals", name), "1", finite_mean(regimes[k].cv), ""));
        result.measurements.push_back(
            shown(fmt::format("regime {}: variance over mean of spikes in 1 ms", name), "1", regimes[k].synchrony(), ""));
    }
    const double a = regimes[0].synchrony(), b = regimes[1].synchrony(), c = regimes[2].synchrony(), d = regimes[3].synchrony();
    result.measurements.push_back(at_most("synchrony of C over that of A", "1", c / a, 0.1,
                                          "A is almost fully synchronized, C is not: they lie on two sides of a transition"));
    result.measurements.push_back(at_most("synchrony of C over that of B", "1", c / b, 0.5, "B oscillates, C does not"));
    result.measurements.push_back(
        at_most("synchrony of C over that of D, each over its rate", "1",
                c / finite_mean(regimes[2].rate_Hz) / (d / finite_mean(regimes[3].rate_Hz)), 0.5,
                "D oscillates, C does not; a modulation of given depth adds to variance over mean in proportion to the rate"));
    result.measurements.push_back(at_most("CV of A", "1", finite_mean(regimes[0].cv), 0.5, "units of A fire regularly"));
    result.figures.push_back({"brunel",
                              "Rate of the excitatory units of Brunel's network at eta = 2 against the relative strength of inhibition.",
                              {{"g", "rate (Hz)", false, false, {theory, measured}}}});
    return result;
}

}  // namespace

const Check brunel{"brunel", "V7", "A sparse random network fires as the theory of Brunel (2000) says",
                   R"(In the asynchronous irregular state all units fire at one rate $\nu$ and see white noise of

$$\mu = J\tau\,[\,C_E\nu_\mathrm{ext} + C_E\nu\,(1 - \gamma g)\,], \qquad \sigma^2 = J^2\tau\,[\,C_E\nu_\mathrm{ext} + C_E\nu\,(1 + \gamma g^2)\,], \qquad \gamma = 1/4,$$

and $\nu$ solves Siegert's formula $1/\nu = \tau_\mathrm{ref} + \tau\sqrt\pi \int_{(V_r - \mu)/\sigma}^{(\theta - \mu)/\sigma} e^{x^2}(1 + \operatorname{erf} x)\,dx$ (Brunel 2000, J. Comput. Neurosci.
8:183-208, eqs. 4 and 21). On the grid $\theta$ is raised by $0.5826\,\sigma\sqrt{dt/\tau}$ (Broadie, Glasserman & Kou 1997). The regimes A to D are those of figure 8 of the paper.)",
                   run};

}  // namespace ydot::verify
