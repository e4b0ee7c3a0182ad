#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/replica.hpp"

namespace ydot {

/// How the statistics of spikes are taken. A bin from t to t + width is open below and closed above: on the grid a spike has the time of
/// the end of its step. Only whole bins and windows count.
struct ActivityOptions {
    double start_ms = 0;                   ///< spikes up to this time do not count
    double bin_ms = 3;                     ///< of the histogram of a population
    double window_ms = 100;                ///< of the spike counts whose Fano factor is taken
    double correlation_bin_ms = 2;         ///< of the spike counts whose correlation is taken
    std::uint32_t sampled_units = 1000;    ///< drawn from each population for the histogram of a sample; the same for every run
    std::uint32_t correlated_units = 100;  ///< the first of them, whose pairs are taken
    std::uint32_t least_intervals = 10;    ///< a unit with fewer has no CV
    bool operator==(const ActivityOptions&) const = default;
};

/// The activity of one population.
struct PopulationActivity {
    std::string name;
    std::vector<double> rate_Hz;  ///< #units
    std::vector<double> cv;       ///< #units: SD / mean of the intervals between spikes; NaN for a unit with fewer than `least_intervals`
    std::vector<double> fano;     ///< #units: variance / mean of the counts in windows; NaN without spikes in them, or below two windows
    /// #pairs of the first `correlated_units` units drawn both of whose counts vary: Pearson's coefficient of the counts in bins
    std::vector<double> correlation;
    std::vector<std::uint64_t> bins_with;         ///< [k]: number of bins in which the population fired k spikes
    std::vector<std::uint64_t> sample_bins_with;  ///< the same of the units drawn

    /// Variance / mean of the histogram of the population: 1 for independent Poisson units, more with the number of units when they are
    /// correlated (Potjans & Diesmann 2014, Cereb. Cortex 24:785-806). NaN without spikes.
    double synchrony() const;
    /// That of the units drawn: to compare populations of different sizes.
    double sample_synchrony() const;
    bool operator==(const PopulationActivity&) const = default;
};

struct Activity {
    ActivityOptions options;
    double stop_ms = 0;  ///< end of the recording
    std::vector<PopulationActivity> populations;
};

/// The values that are numbers.
std::vector<double> finite_values(std::span<const double> values);
/// Mean of the values that are numbers; NaN when there are none.
double finite_mean(std::span<const double> values);

/// Takes the statistics of spikes while they are fired, in memory that does not depend on how long: 64 bytes a unit and 8 bytes for each
/// pair drawn. The spikes of a population must come in order of time.
class SpikeStatistics final : public SpikeObserver {
public:
    struct PopulationSize {
        std::string name;
        std::uint32_t units;
    };
    SpikeStatistics(const std::vector<PopulationSize>& populations, const ActivityOptions& options);

    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override;
    /// Of everything seen, when the recording ends at `stop_ms`. No spikes may follow.
    Activity finish(double stop_ms);

private:
    static constexpr std::uint32_t not_drawn = 0xFFFFFFFFu;
    static constexpr std::size_t batch = 512;  ///< spikes of a population that wait: a window has too few to hide where their units lie
    /// One cache line, as spikes come from anywhere in the population.
    struct alignas(64) Unit {
        double first_ms = 0, last_ms = 0, squared_intervals_ms2 = 0;
        std::int64_t window = 0;                      ///< that of the last spike
        std::uint64_t squared_counts = 0;             ///< summed over the windows before it
        std::uint32_t spikes = 0, window_spikes = 0;  ///< all; in `window`
        std::uint32_t drawn = not_drawn;              ///< place among the units drawn
    };
    struct Population {
        std::string name;
        std::vector<Unit> units;
        std::vector<double> waiting_ms;
        std::vector<std::uint64_t> waiting_units;
        std::int64_t bin = 0, correlation_bin = 0;               ///< those of the last spike
        std::uint64_t bin_spikes = 0, sample_spikes = 0;         ///< in `bin`
        std::vector<std::uint64_t> bins_with, sample_bins_with;  ///< bins before it, but for those without spikes
        std::vector<std::uint32_t> active, counts;  ///< correlated units that fired in `correlation_bin`; spikes there, #correlated units
        std::vector<std::uint64_t> sums, products;  ///< #correlated units, and #pairs (i, j <= i): over the bins before it
    };

    std::int64_t index_of(double time_ms, double width_ms) const noexcept;
    std::int64_t whole(double stop_ms, double width_ms) const noexcept;
    void draw(Population&) const;
    void absorb(Population&) const;
    static void enter_bin(Population&, std::int64_t bin);
    static void enter_correlation_bin(Population&, std::int64_t bin);
    static void count(Population&, Unit&, double time_ms, std::int64_t window);
    void close_bins(Population&, double stop_ms) const;
    PopulationActivity summarise(const Population&, double stop_ms) const;
    double cv_of(const Unit&) const;
    static double fano_of(const Unit&, std::int64_t windows);
    static std::vector<double> correlations(const Population&, std::int64_t bins);

    ActivityOptions options_;
    std::vector<Population> populations_;
};

}  // namespace ydot
