#pragma once
#include "plasticity/derivative.hpp"
#include "plasticity/recirculation.hpp"
#include "plasticity/stdp.hpp"
#include "sim/type_list.hpp"

namespace ydot::plasticity {

/// Every rule that a description can name. Adding one: a header, and its name here.
using Rules = TypeList<Stdp, Derivative, Recirculation>;

}  // namespace ydot::plasticity
