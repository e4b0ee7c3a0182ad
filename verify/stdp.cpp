#include "verify/stdp.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>

namespace ydot::verify {

double change_by_pair(const PairWindow& w, double s_ms) {
    if (s_ms > 0) return w.a_plus * std::exp(-s_ms / w.tau_plus_ms);
    if (s_ms < 0) return -w.a_minus * std::exp(s_ms / w.tau_minus_ms);
    return 0.5 * (w.a_plus - w.a_minus);
}

double spike_probability(double rate_Hz, double dt_ms) { return -std::expm1(-rate_Hz * dt_ms * 1e-3); }

std::vector<double> expected_changes(const PairWindow& w, double dt_ms, std::span<const double> arrivals, std::span<const double> posts) {
    const double keep_pre = std::exp(-dt_ms / w.tau_plus_ms), keep_post = std::exp(-dt_ms / w.tau_minus_ms);
    double x = 0, y = 0;  // traces of arrivals and of post spikes
    std::vector<double> changes;
    changes.reserve(posts.size());
    for (std::size_t n = 0; n < posts.size(); ++n) {
        x *= keep_pre;
        y *= keep_post;
        changes.push_back(w.a_plus * posts[n] * (x + arrivals[n] / 2) - w.a_minus * arrivals[n] * (y + posts[n] / 2));
        x += arrivals[n];
        y += posts[n];
    }
    return changes;
}

std::vector<double> delayed(std::vector<double> x, std::size_t steps) {
    x.insert(x.begin(), steps, 0.0);
    x.resize(x.size() - steps);
    return x;
}

namespace {

/// Sixteen partial sums, which the compiler keeps in vector registers.
double sum_of(std::span<const float> x) {
    std::array<double, 16> lanes{};
    std::size_t k = 0;
    for (; k + lanes.size() <= x.size(); k += lanes.size())
        for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] += static_cast<double>(x[k + lane]);
    return std::accumulate(lanes.begin(), lanes.end(), std::accumulate(x.begin() + static_cast<std::ptrdiff_t>(k), x.end(), 0.0));
}

}  // namespace

double mean_weight(const Circuit& circuit, std::string_view name) {
    double sum = 0, synapses = 0;
    for (const auto& projection : circuit.projections()) {
        if (projection.name != name) continue;
        synapses += static_cast<double>(projection.synapses());
        for (const auto& block : projection.blocks) sum += sum_of(block.weights());
    }
    return sum / synapses;
}

std::vector<Moments> moments_over(std::size_t count, const std::function<std::vector<double>(std::size_t)>& f) {
    const auto results = repeat(count, f);
    std::vector<Moments> moments;
    for (std::size_t figure = 0; figure < results[0].size(); ++figure) {
        std::vector<double> values;
        for (const auto& result : results) values.push_back(result[figure]);
        moments.push_back(moments_of(values));
    }
    return moments;
}

std::string toml_of(const PairWindow& w) {
    return fmt::format("rule = \"stdp\"\na_plus = {}\na_minus = {}\ntau_plus_ms = {}\ntau_minus_ms = {}\n", w.a_plus, w.a_minus,
                       w.tau_plus_ms, w.tau_minus_ms);
}

Moments scaled(Moments m, double factor) {
    m.mean *= factor;
    m.variance *= factor * factor;
    return m;
}

Series points(std::string name, std::vector<double> x, std::span<const Moments> y) {
    Series series{std::move(name), std::move(x), {}, {}, false};
    for (const auto& m : y) {
        series.y.push_back(m.mean);
        series.error.push_back(m.error());
    }
    return series;
}

Series line(std::string name, std::vector<double> x, const std::function<double(double)>& f) {
    Series series{std::move(name), std::move(x), {}, {}, true};
    for (const double v : series.x) series.y.push_back(f(v));
    return series;
}

std::vector<double> evenly(double low, double high, std::size_t count) {
    std::vector<double> x;
    for (std::size_t k = 0; k < count; ++k) x.push_back(low + (high - low) * static_cast<double>(k) / static_cast<double>(count - 1));
    return x;
}

}  // namespace ydot::verify
