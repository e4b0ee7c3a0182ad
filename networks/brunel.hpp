#pragma once
#include "sim/description.hpp"

namespace ydot::networks {

enum class BrunelRegime { A, B, C, D, own };

/// Sparse random network of excitatory and inhibitory leaky integrate-and-fire neurons (model A of the paper): 10,000 + 2,500 units, each
/// with 1,000 + 250 inputs and as many Poisson spike trains from outside as excitatory inputs. Two numbers set the regime: g, inhibition
/// relative to excitation, and eta, the rate from outside relative to the one that alone would reach threshold, nu_theta = theta / (C_E J
/// tau).
///   A  g = 3, eta = 2       almost fully synchronized, fast
///   B  g = 6, eta = 4       fast oscillation of the population, single units slow and irregular
///   C  g = 5, eta = 2       asynchronous irregular
///   D  g = 4.5, eta = 0.9   slow oscillation of the population, single units slow and irregular
struct Brunel {
    static constexpr std::string_view name = "brunel", summary = "sparse balanced network of Brunel, regimes A to D",
                                      reference = "Brunel (2000), J. Comput. Neurosci. 8:183-208, figures 7 and 8";
    struct Params {
        BrunelRegime regime = BrunelRegime::C;
        double g = 5, eta = 2;
        std::int64_t excitatory = 10000, inputs = 1000;
        double j_mV = 0.1, delay_ms = 1.5;
        static constexpr std::tuple fields{
            Field{"regime", &Params::regime, "A, B, C, D of the paper, or own: as g and eta say"},
            Field{"g", &Params::g, "inhibitory over excitatory weight", not_negative},
            Field{"eta", &Params::eta, "rate from outside over the one that reaches threshold", not_negative},
            Field{"excitatory", &Params::excitatory, "excitatory units; a quarter as many are inhibitory", Range{4, 4e9}},
            Field{"inputs", &Params::inputs, "excitatory inputs of a unit from the network; a quarter as many are inhibitory",
                  Range{4, 4e9}},
            Field{"j_mV", &Params::j_mV, "jump of the potential by an excitatory spike", positive},
            Field{"delay_ms", &Params::delay_ms, "of all synapses", positive}};
    };
    /// Populations "exc" and "inh" (model lif_delta), projections "exc_to_exc" and so on.
    static Description describe(const Params& params);
    /// g and eta of the regime.
    static std::pair<double, double> point(const Params& params);
};

}  // namespace ydot::networks

template <>
struct ydot::EnumNames<ydot::networks::BrunelRegime> {
    static constexpr std::array<std::string_view, 5> names{"A", "B", "C", "D", "own"};
};
