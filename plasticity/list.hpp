#pragma once
#include "plasticity/derivative.hpp"
#include "plasticity/goodness.hpp"
#include "plasticity/hebbian.hpp"
#include "plasticity/homeostatic_inhibition.hpp"
#include "plasticity/recirculation.hpp"
#include "plasticity/reward_stdp.hpp"
#include "plasticity/stdp.hpp"
#include "plasticity/stdp_multiplicative.hpp"
#include "plasticity/stdp_power_law.hpp"
#include "plasticity/stdp_triplet.hpp"
#include "sim/type_list.hpp"

namespace ydot::plasticity {

/// Every rule that a description can name. Adding one: a header, and its name here.
using Rules = TypeList<Stdp, StdpMultiplicative, StdpPowerLaw, StdpTriplet, HomeostaticInhibition, RewardStdp, Derivative, Recirculation,
                       Hebbian, Goodness>;

}  // namespace ydot::plasticity
