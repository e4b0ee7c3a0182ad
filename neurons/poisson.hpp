#pragma once
#include <algorithm>
#include <cstdint>

#include "neurons/filter.hpp"
#include "neurons/phi.hpp"
#include "sim/population.hpp"

namespace ydot::neurons {

/// Poisson unit: fires with intensity lambda(t) = lambda_max phi(u(t)),
///   u(t) = bias + sum_j w_j (1 / lambda_max_j) sum_k eps(t - t_j^k - d_j),
/// eps a filter of integral 1, so that the mean of u in a steady state is bias + sum_j w_j y_j: the rate reading.
/// On the grid it fires as GridProbability says; in continuous time by thinning.
struct Poisson : FilteredPotential {
    static constexpr std::string_view
        name = "poisson",
        summary = "Poisson spikes at an intensity set by the filtered input",
        reference = "Hinton (2007), How to do backpropagation in a brain; Ogata (1981), IEEE Trans. Inf. Theory 27:23-31";
    struct Params {
        Phi phi = Phi::logistic;
        Filter filter = Filter::exponential;
        GridProbability grid_probability = GridProbability::exponential;
        double lambda_max_Hz = 200, tau_syn_ms = 10, tau_rise_ms = 2, bias = 0, refractory_ms = 0;
        std::int64_t pool_size = 0;
        static constexpr std::tuple fields{
            Field{"phi", &Params::phi, "activity as a function of the potential"},
            Field{"filter", &Params::filter, "synaptic filter"},
            Field{"grid_probability", &Params::grid_probability,
                  "spikes of a step: at most one, with probability 1 - exp(-lambda dt) or lambda dt, or Poisson counts"},
            Field{"lambda_max_Hz", &Params::lambda_max_Hz, "intensity at activity 1", positive},
            Field{"tau_syn_ms", &Params::tau_syn_ms, "decay of the synaptic filter", positive},
            Field{"tau_rise_ms", &Params::tau_rise_ms, "rise of the double-exponential filter", positive},
            Field{"bias", &Params::bias, "potential without input"},
            Field{"refractory_ms", &Params::refractory_ms, "silent after a spike", not_negative},
            Field{"pool_size", &Params::pool_size, "phi = \"softmax\": neighbours that share one; 0: the whole population", not_negative}};
    };
    struct State {
        FilterState filter;
        float refractory = 0;  // steps still silent
        static constexpr std::array<std::string_view, 3> names{"filter_stage", "filter_drive", "refractory_steps"};
        static constexpr auto columns(auto& s) { return std::tie(s.filter.stage, s.filter.drive, s.refractory); }
    };
    struct Coeffs {
        FilterCoeffs filter;
        Phi phi;
        float bias, expected_spikes, refractory_steps;
        GridProbability grid_probability;
        std::size_t pool_size;
    };
    static void check(const Params& p, double dt_ms, const std::string& path) {
        check_grid_probability(p.grid_probability, p.lambda_max_Hz, p.refractory_ms, dt_ms, path);
    }
    static Coeffs prepare(const Params& p, double dt_ms) {
        return {FilterCoeffs::make(p.filter, p.tau_syn_ms, p.tau_rise_ms, dt_ms),
                p.phi,
                static_cast<float>(p.bias),
                static_cast<float>(p.lambda_max_Hz * dt_ms * 1e-3),
                static_cast<float>(p.refractory_ms / dt_ms),
                p.grid_probability,
                static_cast<std::size_t>(p.pool_size)};
    }
    static double full_rate_Hz(const Params& p) { return p.lambda_max_Hz; }
    static bool coupled(const Coeffs& c) { return c.phi == Phi::softmax; }

    static void activity(const Coeffs& c, std::span<float> u) { activity_of(c, u); }
    static void activity(const Coeffs& c, std::span<double> u) { activity_of(c, u); }
    template <class Real>
    static void pull_back(const Coeffs& c, std::span<const Real> u, std::span<const Real> y, std::span<Real> v) {
        for_pools(c, u.size(), [&](std::size_t first, std::size_t count) {
            pull_back_phi(c.phi, u.subspan(first, count), y.subspan(first, count), v.subspan(first, count));
        });
    }
    static void slopes(const Coeffs& c, std::span<float> u, std::span<const float> y) { apply_phi_slope(c.phi, u, y); }

private:
    template <class Real>
    static void activity_of(const Coeffs& c, std::span<Real> u) {
        for_pools(c, u.size(), [&](std::size_t first, std::size_t count) { apply_phi(c.phi, u.subspan(first, count)); });
    }
    /// f(first, count) for the units that are taken together: a softmax's pool, else all.
    template <class F>
    static void for_pools(const Coeffs& c, std::size_t units, F&& f) {
        const std::size_t size = c.phi == Phi::softmax && c.pool_size > 0 ? c.pool_size : std::max<std::size_t>(units, 1);
        for (std::size_t first = 0; first < units; first += size) f(first, std::min(size, units - first));
    }
};

}  // namespace ydot::neurons
