#pragma once
#include "sim/parameters.hpp"

namespace ydot {

/// Spikes of a source in a step of the grid: at most one, with probability 1 - exp(-rate dt) (a Poisson process that is read once a step),
/// or with probability rate dt, which leaves a train without noise where the rate is one spike a step. See GridProbability.
enum class SourceProbability { exponential, linear };
template <>
struct EnumNames<SourceProbability> {
    static constexpr std::array<std::string_view, 2> names{"exponential", "linear"};
};

}  // namespace ydot

namespace ydot::neurons {

/// Poisson spike trains driven by an image: unit i fires at rate_Hz times the brightness, 0 to 1, of pixel i.
struct ImageSource {
    static constexpr std::string_view name = "image_source", summary = "Poisson spike trains with the pixels of an image as rates",
                                      reference = "Diehl & Cook (2015), Front. Comput. Neurosci. 9:99";
    static constexpr bool varies = false;
    struct Params {
        double rate_Hz = 200;
        SourceProbability grid_probability = SourceProbability::exponential;
        static constexpr std::tuple fields{
            Field{"rate_Hz", &Params::rate_Hz, "rate of a unit whose pixel is full", positive},
            Field{"grid_probability", &Params::grid_probability, "of a spike in a step: 1 - exp(-rate dt), or rate dt"}};
    };
    static void check(const Params& p, double dt_ms, const std::string& path) {
        if (p.grid_probability == SourceProbability::linear && p.rate_Hz * dt_ms > 1000)
            throw Error(path + ".rate_Hz", "must be <= 1000 / run.dt_ms with grid_probability = \"linear\", got " + to_text(p.rate_Hz), {});
    }
    static double rate_Hz(const Params& p, double /*t_ms*/, double pixel) { return p.rate_Hz * pixel; }
    static double highest_rate_Hz(const Params& p, double pixel) { return p.rate_Hz * pixel; }
};

}  // namespace ydot::neurons
