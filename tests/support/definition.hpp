#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/plasticity.hpp"

namespace ydot::test {

/// What one synapse does by definition, step by step and in double precision: traces that decay in each step, spikes of the other side in
/// the same step counted half, second traces read before the step, and (third factor) the exact flow of a step behind its spikes.
/// @param pre, post  steps of arrivals and post spikes; one may be there twice
/// @param rewards    steps of the spikes of the third factor
template <RuleModel R>
double weight_by_definition(const typename R::Params& params, double w, double dt_ms, double learning_rate, Bounds bounds,
                            const std::vector<Step>& pre, const std::vector<Step>& post, Step steps,
                            const std::vector<Step>& rewards = {}) {
    const auto coeffs = detail::CoeffsOf<R>::make(params);
    const auto window = R::window(params);
    OwnTraces own;
    if constexpr (RuleOf<R>::has_own) own = R::own_traces(params);
    Eligibility eligibility;
    if constexpr (RuleOf<R>::rewarded) eligibility = R::eligibility(params);
    const bool nearest = window.pairing == Pairing::nearest;
    const auto keep = [dt_ms](double tau_ms) { return tau_ms > 0 ? std::exp(-dt_ms / tau_ms) : 0.0; };
    const auto half = [nearest](double trace) { return nearest ? 0.5 * (trace + 1) : trace + 0.5; };
    const auto full = [nearest](double trace) { return nearest ? 1.0 : trace + 1; };
    const auto count = [](const std::vector<Step>& train, Step n) { return std::count(train.begin(), train.end(), n); };
    const auto low = static_cast<double>(bounds.low), high = static_cast<double>(bounds.high);
    double x = 0, y = 0, own_x = 0, own_y = 0, c = 0, m = 0;
    const auto change = [&](double amount) {
        if constexpr (RuleOf<R>::rewarded) c += learning_rate * amount;
        else w = std::clamp(w + learning_rate * amount, low, high);
    };
    for (Step n = 0; n < steps; ++n) {
        x *= keep(window.tau_plus_ms), y *= keep(window.tau_minus_ms), own_x *= keep(own.tau_pre_ms), own_y *= keep(own.tau_post_ms);
        const auto arrivals = count(pre, n), spikes = count(post, n);
        double half_x = x, half_y = y;
        for (int k = 0; k < arrivals; ++k) half_x = half(half_x), x = full(x);
        for (int k = 0; k < spikes; ++k) half_y = half(half_y), y = full(y);
        for (int k = 0; k < arrivals; ++k) change(change_by_pre<R, double>(coeffs, w, half_y, own_x));
        for (int k = 0; k < spikes; ++k) change(change_by_post<R, double>(coeffs, w, half_x, own_y));
        for (int k = 0; k < arrivals; ++k) own_x = full(own_x);
        for (int k = 0; k < spikes; ++k) own_y = full(own_y);
        if constexpr (RuleOf<R>::rewarded) {
            m += static_cast<double>(count(rewards, n)) / eligibility.tau_m_ms;
            const double rate_c = 1 / eligibility.tau_c_ms, both = rate_c + 1 / eligibility.tau_m_ms;
            w += c * (m * -std::expm1(-dt_ms * both) / both + eligibility.baseline * std::expm1(-dt_ms * rate_c) / rate_c);
            w = std::clamp(w, low, high);
            c *= std::exp(-dt_ms * rate_c);
            m *= keep(eligibility.tau_m_ms);
        }
    }
    return w;
}

}  // namespace ydot::test
