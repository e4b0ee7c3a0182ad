#pragma once
#include "neurons/adex.hpp"
#include "neurons/glif_escape.hpp"
#include "neurons/hh_squid.hpp"
#include "neurons/hh_traub.hpp"
#include "neurons/image_source.hpp"
#include "neurons/izhikevich.hpp"
#include "neurons/lif.hpp"
#include "neurons/lif_alpha.hpp"
#include "neurons/lif_cond.hpp"
#include "neurons/lif_curr.hpp"
#include "neurons/lif_delta.hpp"
#include "neurons/modulated_source.hpp"
#include "neurons/noise_current.hpp"
#include "neurons/piecewise_source.hpp"
#include "neurons/poisson.hpp"
#include "neurons/poisson_source.hpp"
#include "neurons/sine_current.hpp"
#include "neurons/spike_trains.hpp"
#include "neurons/step_current.hpp"
#include "sim/type_list.hpp"

namespace ydot::neurons {

/// Every unit that a description can name. Adding one: a header, and its name here.
using Units = TypeList<Poisson, Lif, LifDelta, LifAlpha, LifCurr, LifCond, LifCondAlpha, Adex, Izhikevich, HhTraub, HhSquid, GlifEscape,
                       PoissonSource, ImageSource, ModulatedSource, PiecewiseSource, SpikeTrains>;

/// Every current that a description can name.
using Currents = TypeList<StepCurrent, SineCurrent, NoiseCurrent>;

}  // namespace ydot::neurons
