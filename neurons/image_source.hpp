#pragma once
#include "sim/parameters.hpp"

namespace ydot::neurons {

/// Poisson spike trains driven by an image: unit i fires at rate_Hz times the brightness, 0 to 1, of pixel i.
struct ImageSource {
    static constexpr std::string_view name = "image_source", summary = "Poisson spike trains with the pixels of an image as rates",
                                      reference = "Diehl & Cook (2015), Front. Comput. Neurosci. 9:99";
    static constexpr bool varies = false;
    struct Params {
        double rate_Hz = 200;
        static constexpr std::tuple fields{Field{"rate_Hz", &Params::rate_Hz, "rate of a unit whose pixel is full", positive}};
    };
    static double rate_Hz(const Params& p, double /*t_ms*/, double pixel) { return p.rate_Hz * pixel; }
    static double highest_rate_Hz(const Params& p, double pixel) { return p.rate_Hz * pixel; }
};

}  // namespace ydot::neurons
