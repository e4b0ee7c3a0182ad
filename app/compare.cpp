#include "app/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "data/activity_file.hpp"
#include "data/spike_file.hpp"
#include "sim/error.hpp"
#include "sim/statistics.hpp"

namespace ydot::app {
namespace fs = std::filesystem;
namespace {

/// What a path held: an activity, or spikes whose activity is still to be taken.
struct Loaded {
    fs::path path;
    std::optional<Activity> activity;
    data::SpikeTable spikes;

    double last_spike_ms() const {
        double last = 0;
        for (const auto& p : spikes)
            for (const double t : p.times_ms) last = std::max(last, t);
        return last;
    }
    std::map<std::string, std::uint64_t> sizes() const {
        std::map<std::string, std::uint64_t> sizes;
        if (activity)
            for (const auto& p : activity->populations) sizes[p.name] = p.rate_Hz.size();
        for (const auto& p : spikes) sizes[p.population] = p.ids.empty() ? 0 : *std::max_element(p.ids.begin(), p.ids.end()) + 1;
        return sizes;
    }
};

Loaded load(const fs::path& path) {
    Loaded loaded{path, {}, {}};
    std::error_code none;
    if (!fs::exists(path, none)) throw Error(path.string(), "there is no such file or directory", {});
    if (!fs::is_directory(path, none)) {
        loaded.spikes = data::read_spikes(path.string());
        return loaded;
    }
    if (!fs::exists(path / "activity.h5", none))
        throw Error(path.string(), "holds no activity.h5, which runs without a schedule write; a spike file can be compared as well", {});
    loaded.activity = data::read_activity((path / "activity.h5").string());
    return loaded;
}

/// The spikes from start to stop, in order of time.
void feed(SpikeStatistics& statistics, std::size_t population, const data::PopulationSpikes& spikes, double start_ms, double stop_ms) {
    std::vector<std::size_t> order;
    for (std::size_t k = 0; k < spikes.times_ms.size(); ++k)
        if (spikes.times_ms[k] > start_ms && spikes.times_ms[k] <= stop_ms) order.push_back(k);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return spikes.times_ms[x] < spikes.times_ms[y]; });
    std::vector<double> times_ms;
    std::vector<std::uint64_t> ids;
    for (const auto k : order) {
        times_ms.push_back(spikes.times_ms[k]);
        ids.push_back(spikes.ids[k]);
    }
    statistics.spikes(population, times_ms, ids);
}

void take_activity(Loaded& loaded, const ActivityOptions& options, double stop_ms, const std::map<std::string, std::uint64_t>& sizes) {
    constexpr std::uint64_t most_units = 1u << 28;  // an id beyond is a mistake in the file, not a population
    std::vector<SpikeStatistics::PopulationSize> populations;
    for (const auto& p : loaded.spikes) {
        const auto units = sizes.at(p.population);
        if (units > most_units)
            throw Error(loaded.path.string(),
                        fmt::format("population {} has a spike of unit {}; ids must be below {}", p.population, units - 1, most_units), {});
        populations.push_back({p.population, static_cast<std::uint32_t>(units)});
    }
    SpikeStatistics statistics(populations, options);
    for (std::size_t p = 0; p < populations.size(); ++p) feed(statistics, p, loaded.spikes[p], options.start_ms, stop_ms);
    loaded.activity = statistics.finish(stop_ms);
    loaded.spikes.clear();
}

/// Takes the statistics of spike files as those of the other result were taken.
void complete(Loaded& a, Loaded& b, const CompareOptions& asked) {
    if (a.activity && b.activity && (asked.start_ms || asked.stop_ms))
        throw Error("start and stop are for spike files; the statistics of results directories were taken already");
    const Activity* known = a.activity ? &*a.activity : b.activity ? &*b.activity : nullptr;
    ActivityOptions options = known ? known->options : ActivityOptions{};
    options.start_ms = asked.start_ms.value_or(options.start_ms);
    const double stop_ms = asked.stop_ms.value_or(known ? known->stop_ms : std::max(a.last_spike_ms(), b.last_spike_ms()));
    if (!(stop_ms > options.start_ms))
        throw Error(fmt::format("the recording must end after its start, got {} to {} ms", options.start_ms, stop_ms));
    auto sizes = a.sizes();
    for (const auto& [name, units] : b.sizes()) sizes[name] = std::max(sizes[name], units);
    for (Loaded* loaded : {&a, &b})
        if (!loaded->activity) take_activity(*loaded, options, stop_ms, sizes);
}

void check_same_bins(const Loaded& a, const Loaded& b) {
    const auto &x = a.activity->options, &y = b.activity->options;
    if (std::abs(x.correlation_bin_ms - y.correlation_bin_ms) > 1e-9 || x.least_intervals != y.least_intervals)
        throw Error(b.path.string(),
                    fmt::format("its correlations are of bins of {:g} ms, those of {} of {:g} ms; compare the spike files",
                                y.correlation_bin_ms, a.path.string(), x.correlation_bin_ms),
                    {});
}

/// Units share pairs, so pairs of n units say no more than floor(n / 2) disjoint ones: an average over the ways to divide the units into
/// such pairs is what they are (Hoeffding 1963, J. Am. Stat. Assoc. 58:13-30, section 5b).
std::size_t disjoint_pairs(std::size_t pairs) {
    const auto units = static_cast<std::size_t>(std::llround((1 + std::sqrt(1 + 8 * static_cast<double>(pairs))) / 2));
    return units / 2;
}

Comparison compare_quantity(const std::string& name, const std::vector<double>& a, const std::vector<double>& b, double alpha) {
    const auto x = finite_values(a), y = finite_values(b);
    const bool pairs = name == "correlation";
    const double limit = x.empty() || y.empty() ? std::numeric_limits<double>::quiet_NaN()
                         : pairs                ? ks_two_sample_limit(disjoint_pairs(x.size()), disjoint_pairs(y.size()), alpha)
                                                : ks_two_sample_limit(x.size(), y.size(), alpha);
    return {name, {x.size(), finite_mean(x)}, {y.size(), finite_mean(y)}, ks_two_samples(x, y), limit};
}

const PopulationActivity* find(const Activity& activity, const std::string& name) {
    const auto found =
        std::find_if(activity.populations.begin(), activity.populations.end(), [&](const auto& p) { return p.name == name; });
    return found == activity.populations.end() ? nullptr : &*found;
}

ComparedResult describe(const Loaded& loaded, const Activity& other) {
    ComparedResult result{loaded.path.string(), loaded.activity->options.start_ms, loaded.activity->stop_ms, {}};
    for (const auto& p : loaded.activity->populations)
        if (!find(other, p.name)) result.only_here.push_back(p.name);
    return result;
}

}  // namespace

double CompareResult::largest_ks() const {
    double largest = 0;
    for (const auto& p : populations)
        for (const auto& q : p.quantities)
            if (q.ks > largest) largest = q.ks;
    return largest;
}

CompareResult compare(const fs::path& path_a, const fs::path& path_b, const CompareOptions& options) {
    auto a = load(path_a), b = load(path_b);
    complete(a, b, options);
    check_same_bins(a, b);
    CompareResult result{describe(a, *b.activity), describe(b, *a.activity), {}};
    for (const auto& p : a.activity->populations)
        if (const auto* q = find(*b.activity, p.name))
            result.populations.push_back(
                {p.name,
                 {compare_quantity("rate_Hz", p.rate_Hz, q->rate_Hz, options.alpha), compare_quantity("cv", p.cv, q->cv, options.alpha),
                  compare_quantity("correlation", p.correlation, q->correlation, options.alpha)}});
    if (result.populations.empty()) throw Error(path_b.string(), "has no population in common with " + path_a.string(), {});
    return result;
}

double SpreadResult::largest_ks() const {
    double largest = 0;
    for (const auto& p : populations)
        for (const auto& q : p.quantities)
            if (q.largest_ks > largest) largest = q.largest_ks;
    return largest;
}

namespace {

/// @param ks  of the pairs, in any order
void take_distances(QuantitySpread& spread, std::vector<double> ks) {
    std::sort(ks.begin(), ks.end());
    const std::size_t n = ks.size();
    spread.median_ks = n == 0 ? std::numeric_limits<double>::quiet_NaN() : 0.5 * (ks[(n - 1) / 2] + ks[n / 2]);
    spread.largest_ks = n == 0 ? spread.median_ks : ks.back();
}

}  // namespace

SpreadResult compare_all(const std::vector<std::string>& paths, const CompareOptions& options) {
    SpreadResult result;
    std::map<std::string, std::size_t> seen;                                       // in how many pairs a population is
    std::map<std::pair<std::string, std::string>, std::vector<double>> means, ks;  // by population and quantity
    std::map<std::pair<std::string, std::string>, std::size_t> above;
    std::vector<CompareResult> pairs;
    for (std::size_t a = 0; a < paths.size(); ++a)
        for (std::size_t b = a + 1; b < paths.size(); ++b) {
            pairs.push_back(compare(paths[a], paths[b], options));
            result.missing |= !pairs.back().a.only_here.empty() || !pairs.back().b.only_here.empty();
            for (const auto& p : pairs.back().populations) {
                ++seen[p.name];
                for (const auto& q : p.quantities) {
                    const std::pair key{p.name, q.quantity};
                    if (a == 0 && b == 1) means[key].push_back(q.a.mean);
                    if (a == 0) means[key].push_back(q.b.mean);
                    if (std::isfinite(q.ks)) ks[key].push_back(q.ks);
                    above[key] += q.ks > q.limit;
                }
            }
        }
    for (const auto& p : pairs.front().populations) {
        if (seen[p.name] < pairs.size()) continue;
        auto& population = result.populations.emplace_back(PopulationSpread{p.name, {}});
        for (const auto& q : p.quantities) {
            const std::pair key{p.name, q.quantity};
            const auto known = finite_values(means[key]);
            QuantitySpread spread{.quantity = q.quantity, .mean = finite_mean(known), .pairs = pairs.size(), .above_limit = above[key]};
            spread.lowest_mean = known.empty() ? spread.mean : *std::min_element(known.begin(), known.end());
            spread.highest_mean = known.empty() ? spread.mean : *std::max_element(known.begin(), known.end());
            take_distances(spread, std::move(ks[key]));
            population.quantities.push_back(spread);
        }
    }
    return result;
}

}  // namespace ydot::app
