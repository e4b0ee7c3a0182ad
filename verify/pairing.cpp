#include <fmt/format.h>

#include <cmath>

#include "sim/replica.hpp"
#include "verify/list.hpp"
#include "verify/stdp.hpp"

namespace ydot::verify {
namespace {

constexpr PairWindow bi_poo{0.78, 0.27, 17, 34};  // Bi & Poo (1998), Figure 7
constexpr int pairings = 60;
constexpr double dt_ms = 1, period_ms = 1000, first_pre_ms = 200, delay_ms = 3;
const std::vector<double> lags_ms{-80, -60, -40, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 40, 60, 80};

/// One pre unit, and a post unit for each lag, with a time of its own in every period. Weight 0 at the start: it ends as the sum of
/// changes.
std::string network() {
    std::vector<double> pre_ms, none(pairings, 0.0), post_ms, post_units;
    for (int k = 0; k < pairings; ++k) {
        pre_ms.push_back(period_ms * k + first_pre_ms);
        for (std::size_t j = 0; j < lags_ms.size(); ++j) {
            post_ms.push_back(pre_ms.back() + lags_ms[j]);
            post_units.push_back(static_cast<double>(j));
        }
    }
    std::string text = fmt::format("[run]\ndt_ms = {}\n[populations.pre]\nmodel = \"spike_trains\"\ntimes_ms = {}\nunits = {}\n", dt_ms,
                                   toml_of(pre_ms), toml_of(none));
    text += fmt::format("[populations.post]\nmodel = \"spike_trains\"\nsize = {}\ntimes_ms = {}\nunits = {}\n", lags_ms.size(),
                        toml_of(post_ms), toml_of(post_units));
    for (const auto* site : {"axonal", "dendritic"}) {
        text += fmt::format("[projections.{0}]\nfrom = \"pre\"\nto = \"post\"\nweight = 0.0\ndelay_ms = {1}\ndelay_site = \"{0}\"\n", site,
                            delay_ms);
        text += fmt::format("[projections.{}.plasticity]\n{}", site, toml_of(bi_poo));
    }
    return text;
}

/// Change by one pairing, by lag: of the axonal synapses, then of the dendritic ones.
std::vector<std::vector<double>> run_protocol(const Context& context) {
    const auto circuit = context.build(network());
    Replica replica(*circuit);
    replica.learn_online();
    replica.run(static_cast<Step>(pairings * period_ms / dt_ms));
    std::vector<std::vector<double>> changes;
    for (const auto& projection : circuit->projections()) {
        auto& of_site = changes.emplace_back();
        projection.blocks[0].for_each([&](auto, auto, auto, float w) { of_site.push_back(static_cast<double>(w) / pairings); });
    }
    return changes;
}

/// Largest relative error: a trace decays once a step, by a rounded factor and with a rounded product; then a change and a sum are
/// rounded for each pairing; and some for the rounded amplitude.
double rounding(double s_ms) {
    constexpr double float_rounding = 0x1p-24;
    return (2 * std::abs(s_ms) / dt_ms + 2 * pairings + 8) * float_rounding;
}

Measurement compare(const std::string& site, double lag_ms, double s_ms, double change) {
    const double expected = change_by_pair(bi_poo, s_ms);
    return equals(fmt::format("{} delay, post - pre = {:+g} ms, {:+g} ms at the synapse", site, lag_ms, s_ms), "1", change, expected,
                  rounding(s_ms) * std::abs(expected),
                  "rounding of single precision: two for each step of decay, two for each of 60 sums; pairs of neighbouring periods add "
                  "less than 1e-11");
}

Figure draw(const std::vector<double>& s_ms, const std::vector<double>& changes) {
    const auto window = [](double s) { return change_by_pair(bi_poo, s); };
    return {
        "pairing",
        "Weight change by one of 60 pairings at 1 Hz: what the simulated protocol gives (points) and the window that was put in (line).",
        {{"post - pre at the synapse (ms)",
          "change by a pairing",
          false,
          false,
          {{"60 pairings", s_ms, changes, {}, false},
           line("window, depression", evenly(-90, -0.1, 100), window),
           line("window, potentiation", evenly(0.1, 90, 100), window)}}}};
}

CheckResult run(const Context& context) {
    const auto changes = run_protocol(context);
    CheckResult result;
    std::vector<double> axonal_ms;
    for (std::size_t k = 0; k < lags_ms.size(); ++k) {
        axonal_ms.push_back(lags_ms[k] - delay_ms);
        result.measurements.push_back(compare("axonal", lags_ms[k], axonal_ms[k], changes[0][k]));
    }
    for (std::size_t k = 0; k < lags_ms.size(); ++k)
        result.measurements.push_back(compare("dendritic", lags_ms[k], lags_ms[k] + delay_ms, changes[1][k]));
    result.figures.push_back(draw(axonal_ms, changes[0]));
    return result;
}

}  // namespace

const Check pairing{"pairing", "S20", "60 pairings at 1 Hz give back the STDP window that was put in",
                    R"(
A pair of spikes with $s = t_\mathrm{post} - t_\mathrm{pre}$ at the synapse changes the weight by

$$ K(s) = \begin{cases} A_+ e^{-s/\tau_+} & s > 0 \\ -A_- e^{s/\tau_-} & s < 0 \end{cases} $$

and by the mean of both limits at $s = 0$. The check does to simulated neurons what Bi & Poo (1998) did to cultured ones: one lag for
each post neuron, 60 pairings at 1 Hz, with the constants that they found, $A_+ = 0.78$, $\tau_+ = 17$ ms, $A_- = 0.27$, $\tau_- = 34$
ms. An axonal delay $d$ lets the synapse see $s = t_\mathrm{post} - t_\mathrm{pre} - d$, a dendritic one $s = t_\mathrm{post} -
t_\mathrm{pre} + d$; both are run with $d = 3$ ms. Nothing is random here: measured and stated change agree to rounding.

G. Bi and M. Poo (1998), J. Neurosci. 18:10464-10472. S. Song, K. D. Miller and L. F. Abbott (2000), Nat. Neurosci. 3:919-926.
)",
                    run};

}  // namespace ydot::verify
