#pragma once
#include <span>
#include <vector>

#include "sim/statistics.hpp"

namespace ydot {

/// Angle between two vectors, exact for small ones too (Kahan 2006).
double angle_degrees(std::span<const double> a, std::span<const double> b);

/// How a change of weights compares with the direction that it should have.
struct Alignment {
    double angle_degrees = 0;
    double norm_ratio = 0;      ///< length of the change over that of the direction
    double sign_agreement = 0;  ///< share of synapses whose change has the right sign, of those whose direction is not 0
};
/// @param change, direction  one number for each synapse
Alignment alignment_of(std::span<const double> change, std::span<const double> direction);

/// Angle between the expectation of a noisy change and a direction. The angle of the mean itself is too large, for noise adds to its
/// length; products of different measurements are free of that: cos = mean . direction / (|direction| sqrt(mean over pairs k < l of
/// change_k . change_l)). Mean and error by the jackknife (Efron & Stein 1981). Noise can bring the cosine above 1; the angle then goes on
/// below 0, for a clamp would make it 0 with an error of 0. NaN when the expectation is lost in the noise.
/// @param changes  independent measurements, two or more
Moments noise_free_angle_degrees(std::span<const std::vector<double>> changes, std::span<const double> direction);

}  // namespace ydot
