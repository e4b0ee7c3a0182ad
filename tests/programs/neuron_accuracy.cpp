// Accuracy and speed of the neuron models: the tables of docs/neurons.md.
#include <fmt/format.h>

#include <chrono>

#include "neurons/list.hpp"
#include "sim/random.hpp"
#include "tests/support/reference.hpp"

using namespace ydot;
using namespace ydot::test;
using namespace ydot::neurons;

namespace {

/// Best of five: 4096 units that get sparse random input and fire now and then.
template <class M>
double ns_per_step(const typename M::Params& params, std::initializer_list<float> input, Step steps = 1000) {
    constexpr std::uint32_t units = 4096;
    const std::unique_ptr<const Population> made = std::make_unique<UnitPopulation<M>>("units", units, params, 0.1, false);
    const Population* volatile unknown = made.get();  // a virtual call, as in the engine
    const Population& population = *unknown;
    UnitShard shard(0, units, population.variables(), population.ports());
    population.reset(shard, {});
    Draws draws(1, 2);
    std::vector<float> given(shard.input.size());
    for (std::size_t p = 0; p < population.ports(); ++p)
        for (std::uint32_t i = 0; i < units; ++i) given[p * units + i] = draws.uniform() < 0.1 ? input.begin()[p] : 0;
    shard.input = given;
    double best = 1e9;
    SpikeList out;
    for (int round = 0; round < 5; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (Step n = 0; n < steps; ++n) {
            out.unit.clear();
            population.step(shard, {}, n, out);
        }
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
        best = std::min(best, spent.count() / (static_cast<double>(steps) * units));
    }
    return best;
}
template <class M>
void speed(const typename M::Params& params, std::initializer_list<float> input) {
    auto line = fmt::format("{:16} {:8.2f}", M::name, ns_per_step<M>(params, input));
    if constexpr (requires { params.integrator; }) {
        auto reference = params;
        reference.integrator =
            static_cast<decltype(params.integrator)>(EnumNames<std::remove_cvref_t<decltype(params.integrator)>>::names.size() - 1);
        line += fmt::format(" {:8.0f}", ns_per_step<M>(reference, input, 10));
    }
    fmt::print("{}\n", line);
}

/// What a model is measured with: a current below threshold for the potential, one above for spikes, and conductances to begin with.
template <class P>
struct Course {
    P below, above;
    float g_ex_nS = 0, g_in_nS = 0;  ///< of lif_cond_alpha: how they rise, per ms
    std::size_t ex = 0, in = 0;      ///< their columns
    double trace_ms = 50, spikes_ms = 1000;
};

template <class M>
void accuracy(const char* what, const Course<typename M::Params>& course) {
    const auto kick = [&](UnitShard& shard) {
        if (course.ex > 0) shard.column(course.ex)[0] = course.g_ex_nS, shard.column(course.in)[0] = course.g_in_nS;
    };
    const auto error = [&](double dt_ms) { return traces_of<M>(course.below, dt_ms, course.trace_ms, kick).largest_error(); };
    const double coarse = error(0.2), at_tenth = error(0.1), at_hundredth = error(0.01);
    auto line =
        fmt::format("{:26} order {:5.2f}  dv(0.1) {:9.2e}  dv(0.01) {:9.2e}", what, std::log2(coarse / at_tenth), at_tenth, at_hundredth);
    auto reference = course.above;
    reference.integrator = static_cast<decltype(reference.integrator)>(EnumNames<decltype(reference.integrator)>::names.size() - 1);
    for (const double dt_ms : {0.1, 0.01}) {
        const auto ours = spikes_of<M>(course.above, dt_ms, course.spikes_ms), exact = spikes_of<M>(reference, dt_ms, course.spikes_ms);
        double first = 0, tenth = 0;
        if (!ours.empty() && !exact.empty()) first = ours[0] - exact[0];
        if (ours.size() >= 10 && exact.size() >= 10) tenth = ours[9] - exact[9];
        line +=
            fmt::format("  | dt {}: {} / {} spikes, first {:+.2f} ms, tenth {:+.2f} ms", dt_ms, ours.size(), exact.size(), first, tenth);
    }
    fmt::print("{}\n", line);
}

}  // namespace

int main() {
    fmt::print("ns per neuron step, fixed and adaptive\n");
    speed<Lif>({.i_e_pA = 300}, {20});
    speed<LifDelta>({.i_e_pA = 150}, {0.2f});
    speed<LifAlpha>({.i_e_pA = 300}, {20});
    speed<LifCurr>({.i_e_pA = 90}, {16.2f, -90});
    speed<LifCond>({.i_e_pA = 90}, {6, 6});
    speed<LifCondAlpha>({.i_e_pA = 90}, {6, 6});
    speed<Adex>({.i_e_pA = 600}, {1, 1});
    speed<Izhikevich>({.i_e = 5}, {0.1f});
    speed<HhTraub>({.i_e_pA = 300}, {1, 1});
    speed<HhSquid>({.i_e_pA = 700}, {1, 1});
    speed<Poisson>({.lambda_max_Hz = 20}, {0.1f});
    speed<GlifEscape>({.i_e_pA = 300}, {20});
    fmt::print("accuracy\n");
    accuracy<LifCond>("lif_cond", {{.i_e_pA = 50}, {.i_e_pA = 150}, 30, 100, 1, 2});
    accuracy<LifCondAlpha>("lif_cond_alpha", {{.i_e_pA = 50}, {.i_e_pA = 150}, 16, 27, 2, 4});
    accuracy<Adex>("adex", {{.i_e_pA = 500}, {.i_e_pA = 900}, 5, 10, 2, 3});
    accuracy<Izhikevich>("izhikevich", {{.i_e = 2}, {.i_e = 10}});
    accuracy<Izhikevich>("izhikevich, published", {{.i_e = 2, .integrator = IzhikevichIntegrator::published},
                                                   {.i_e = 10, .integrator = IzhikevichIntegrator::published}});
    accuracy<HhTraub>("hh_traub", {{.i_e_pA = 10}, {.i_e_pA = 500}, 1, 5, 4, 5});
    accuracy<HhTraub>("hh_traub, through a spike", {{.i_e_pA = 500}, {.i_e_pA = 500}, 1, 5, 4, 5, 10});
    accuracy<HhSquid>("hh_squid", {{.i_e_pA = 150}, {.i_e_pA = 1000}, 2, 5, 4, 5});
    accuracy<HhSquid>("hh_squid, through a spike", {{.i_e_pA = 1000}, {.i_e_pA = 1000}, 2, 5, 4, 5, 10});
}
