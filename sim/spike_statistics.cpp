#include "sim/spike_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/random.hpp"

namespace ydot {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Of a bin: a time that lies this close above an edge is at it, whatever the rounding of multiples of 0.1.
constexpr double tolerance = 1e-6;

constexpr std::size_t pair_index(std::size_t i, std::size_t j) noexcept { return i * (i + 1) / 2 + j; }

double synchrony_of(std::span<const std::uint64_t> bins_with) {
    double bins = 0, sum = 0, squares = 0;
    for (std::size_t k = 0; k < bins_with.size(); ++k) {
        const auto n = static_cast<double>(bins_with[k]), spikes = static_cast<double>(k);
        bins += n;
        sum += n * spikes;
        squares += n * spikes * spikes;
    }
    return sum > 0 ? (squares - sum * sum / bins) / sum : nan;
}

/// A bin with so many spikes; those with none are what is missing in the end.
void enter(std::vector<std::uint64_t>& bins_with, std::uint64_t spikes) {
    if (spikes == 0) return;
    if (bins_with.size() <= spikes) bins_with.resize(spikes + 1, 0);
    ++bins_with[spikes];
}

void add_empty_bins(std::vector<std::uint64_t>& bins_with, std::int64_t bins) {
    if (bins_with.empty()) bins_with.resize(1, 0);
    bins_with[0] = static_cast<std::uint64_t>(bins) - std::accumulate(bins_with.begin(), bins_with.end(), std::uint64_t{0});
}

}  // namespace

double PopulationActivity::synchrony() const { return synchrony_of(bins_with); }
double PopulationActivity::sample_synchrony() const { return synchrony_of(sample_bins_with); }

std::vector<double> finite_values(std::span<const double> values) {
    std::vector<double> finite;
    std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](double v) { return std::isfinite(v); });
    return finite;
}

double finite_mean(std::span<const double> values) {
    const auto finite = finite_values(values);
    return finite.empty() ? nan : std::accumulate(finite.begin(), finite.end(), 0.0) / static_cast<double>(finite.size());
}

SpikeStatistics::SpikeStatistics(const std::vector<PopulationSize>& populations, const ActivityOptions& options) : options_(options) {
    for (const auto& [name, units] : populations) {
        Population p;
        p.name = name;
        p.units.resize(units);
        draw(p);
        populations_.push_back(std::move(p));
    }
}

/// The first of a shuffled list. Keyed by the name alone, so that runs of one network with other seeds speak of the same pairs.
void SpikeStatistics::draw(Population& p) const {
    std::vector<std::uint32_t> order(p.units.size());
    std::iota(order.begin(), order.end(), 0u);
    Draws draws(0, stream_of(p.name, Purpose::shuffle));
    shuffle(std::span(order), draws);
    for (std::uint32_t k = 0; k < std::min<std::size_t>(order.size(), options_.sampled_units); ++k) p.units[order[k]].drawn = k;
    const auto correlated = std::min({order.size(), std::size_t{options_.sampled_units}, std::size_t{options_.correlated_units}});
    p.counts.assign(correlated, 0);
    p.sums.assign(correlated, 0);
    p.products.assign(pair_index(correlated, 0), 0);
}

std::int64_t SpikeStatistics::index_of(double time_ms, double width_ms) const noexcept {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil((time_ms - options_.start_ms) / width_ms - tolerance)) - 1);
}

std::int64_t SpikeStatistics::whole(double stop_ms, double width_ms) const noexcept {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor((stop_ms - options_.start_ms) / width_ms + tolerance)));
}

void SpikeStatistics::spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) {
    auto& p = populations_[population];
    const auto first = std::upper_bound(times_ms.begin(), times_ms.end(), options_.start_ms) - times_ms.begin();
    p.waiting_ms.insert(p.waiting_ms.end(), times_ms.begin() + first, times_ms.end());
    p.waiting_units.insert(p.waiting_units.end(), units.begin() + first, units.end());
    if (p.waiting_ms.size() >= batch) absorb(p);
}

void SpikeStatistics::absorb(Population& p) const {
    constexpr std::size_t ahead = 16;  // spikes: enough to hide a miss of the cache
    double time_ms = -std::numeric_limits<double>::infinity();
    std::int64_t window = 0;
    for (std::size_t k = 0; k < p.waiting_ms.size(); ++k) {
        if (k + ahead < p.waiting_units.size()) __builtin_prefetch(&p.units[p.waiting_units[k + ahead]], 1);
        if (p.waiting_ms[k] != time_ms) {  // on the grid many spikes share a time
            time_ms = p.waiting_ms[k];
            window = index_of(time_ms, options_.window_ms);
            enter_bin(p, index_of(time_ms, options_.bin_ms));
            enter_correlation_bin(p, index_of(time_ms, options_.correlation_bin_ms));
        }
        count(p, p.units[p.waiting_units[k]], time_ms, window);
    }
    p.waiting_ms.clear();
    p.waiting_units.clear();
}

void SpikeStatistics::count(Population& p, Unit& unit, double time_ms, std::int64_t window) {
    ++p.bin_spikes;
    if (unit.spikes++ == 0) {
        unit.first_ms = unit.last_ms = time_ms;
        unit.window = window;
    }
    const double interval_ms = time_ms - unit.last_ms;
    unit.squared_intervals_ms2 += interval_ms * interval_ms;
    unit.last_ms = time_ms;
    if (unit.window != window) {
        unit.squared_counts += std::uint64_t{unit.window_spikes} * unit.window_spikes;
        unit.window = window;
        unit.window_spikes = 0;
    }
    ++unit.window_spikes;
    if (unit.drawn == not_drawn) return;
    ++p.sample_spikes;
    if (unit.drawn < p.counts.size() && p.counts[unit.drawn]++ == 0) p.active.push_back(unit.drawn);
}

void SpikeStatistics::enter_bin(Population& p, std::int64_t bin) {
    if (bin == p.bin) return;
    enter(p.bins_with, p.bin_spikes);
    enter(p.sample_bins_with, p.sample_spikes);
    p.bin = bin;
    p.bin_spikes = p.sample_spikes = 0;
}

void SpikeStatistics::enter_correlation_bin(Population& p, std::int64_t bin) {
    if (bin == p.correlation_bin) return;
    p.correlation_bin = bin;
    for (const auto i : p.active) {
        p.sums[i] += p.counts[i];
        for (const auto j : p.active)
            if (j <= i) p.products[pair_index(i, j)] += std::uint64_t{p.counts[i]} * p.counts[j];
    }
    for (const auto i : p.active) p.counts[i] = 0;
    p.active.clear();
}

/// The last bins count if they are whole.
void SpikeStatistics::close_bins(Population& p, double stop_ms) const {
    const auto bins = whole(stop_ms, options_.bin_ms);
    if (p.bin < bins) enter_bin(p, bins);
    if (p.correlation_bin < whole(stop_ms, options_.correlation_bin_ms)) enter_correlation_bin(p, -1);
    add_empty_bins(p.bins_with, bins);
    add_empty_bins(p.sample_bins_with, bins);
}

double SpikeStatistics::cv_of(const Unit& unit) const {
    if (unit.spikes < 2 || unit.spikes <= options_.least_intervals) return nan;
    const double intervals = unit.spikes - 1, mean = (unit.last_ms - unit.first_ms) / intervals;
    return std::sqrt(std::max(0.0, unit.squared_intervals_ms2 / intervals - mean * mean)) / mean;
}

double SpikeStatistics::fano_of(const Unit& unit, std::int64_t windows) {
    const bool last_is_whole = unit.window < windows;
    const double n = static_cast<double>(windows), sum = last_is_whole ? unit.spikes : unit.spikes - unit.window_spikes;
    if (windows < 2 || sum == 0) return nan;
    const double last = last_is_whole ? unit.window_spikes : 0;
    return (static_cast<double>(unit.squared_counts) + last * last - sum * sum / n) / (n - 1) / (sum / n);
}

std::vector<double> SpikeStatistics::correlations(const Population& p, std::int64_t bins) {
    std::vector<double> all;
    const auto n = static_cast<double>(bins);
    const auto covariance = [&](std::size_t i, std::size_t j) {  // times n^2
        return n * static_cast<double>(p.products[pair_index(i, j)]) - static_cast<double>(p.sums[i]) * static_cast<double>(p.sums[j]);
    };
    for (std::size_t i = 0; i < p.sums.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (const double variances = covariance(i, i) * covariance(j, j); variances > 0)
                all.push_back(covariance(i, j) / std::sqrt(variances));
    return all;
}

PopulationActivity SpikeStatistics::summarise(const Population& p, double stop_ms) const {
    PopulationActivity activity;
    activity.name = p.name;
    activity.bins_with = p.bins_with;
    activity.sample_bins_with = p.sample_bins_with;
    const double duration_s = (stop_ms - options_.start_ms) * 1e-3;
    const auto windows = whole(stop_ms, options_.window_ms);
    for (const auto& unit : p.units) {
        activity.rate_Hz.push_back(unit.spikes / duration_s);
        activity.cv.push_back(cv_of(unit));
        activity.fano.push_back(fano_of(unit, windows));
    }
    activity.correlation = correlations(p, whole(stop_ms, options_.correlation_bin_ms));
    return activity;
}

Activity SpikeStatistics::finish(double stop_ms) {
    Activity activity{options_, stop_ms, {}};
    for (auto& p : populations_) {
        absorb(p);
        close_bins(p, stop_ms);
        activity.populations.push_back(summarise(p, stop_ms));
    }
    return activity;
}

}  // namespace ydot
