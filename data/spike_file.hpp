#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ydot::data {

/// The spikes of one population: spike i is the unit `ids[i]` (from 0, within the population) at `times_ms[i]`.
struct PopulationSpikes {
    std::string population;
    std::vector<double> times_ms;    ///< #spikes, in any order
    std::vector<std::uint64_t> ids;  ///< #spikes
    bool operator==(const PopulationSpikes&) const = default;
};
using SpikeTable = std::vector<PopulationSpikes>;

/// Attribute `sorting` of a SONATA population; the values are those of the file.
enum class Sorting : std::uint8_t { none = 0, by_id = 1, by_time = 2 };

/// Writes a SONATA spike file while a simulation runs. Memory is bounded: at most `buffered_spikes` spikes wait to be written.
///   /                             attributes magic = 0x0A7A (uint32), version = {0, 1} (uint32)
///   /spikes/<population>          attribute sorting (enum over uint8: none 0, by_id 1, by_time 2)
///   /spikes/<population>/timestamps   float64, ms; attribute units = "ms" (UTF-8, variable length)
///   /spikes/<population>/node_ids     uint64, from 0
/// The file can be read by others after every flush, which happens whenever the buffer is full, also while it is being
/// written; destroyed without close(), the writer leaves such a file with sorting = none. The same appended spikes give the
/// same bytes.
/// Reference: SONATA developer guide, https://github.com/AllenInstitute/sonata (spike trains).
class SonataWriter {
public:
    static constexpr std::size_t buffered_spikes = std::size_t{1} << 18;  ///< 4 MB, all populations together

    /// Creates the file, or replaces an older one.
    /// @param populations  names, in the order of the file; any characters except '/'
    /// @throws Error(bad_input) for a name that is empty, contains '/' or comes twice; Error(run_failure) if the file cannot be created
    SonataWriter(std::string path, const std::vector<std::string>& populations);
    SonataWriter(SonataWriter&&) noexcept;
    SonataWriter& operator=(SonataWriter&&) noexcept;
    ~SonataWriter();

    /// Adds spikes of one population.
    /// @param population  index into the names
    /// @param times_ms    #spikes
    /// @param ids         #spikes, from 0 within the population
    /// @throws Error(bad_input) for sizes that differ, an unknown population, a closed file;
    ///         Error(run_failure) when the disk is full: later calls throw the same
    void append(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> ids);

    /// Hands everything appended so far to the operating system. @throws Error(run_failure)
    void flush();

    /// Flushes, states the order of the spikes and closes. A population whose spikes are not in that order gets `none`: the file
    /// never promises what it does not hold. A second close does nothing.
    /// @throws Error(run_failure)
    void close(Sorting sorting = Sorting::by_time);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Spikes of a file; the extension says the format (see write_spikes). SONATA files of other programs are read too (any number
/// type; times in ms or without a unit).
/// @throws Error(bad_input) naming file, line, value and what is expected
SpikeTable read_spikes(const std::string& path);

/// Writes spikes; the extension says the format:
///   .h5   SONATA, see SonataWriter; sorting is by_time where the spikes are in that order, else none
///   .gdf  no header, one line `id<TAB>time_ms` a spike, id = first id of the population + id within it. Unless there is but one
///         population, called "spikes", PATH.populations.csv (population,first_id,size) says which ids are whose.
///   .csv  header population,id,time_ms. Populations without spikes are kept in PATH.populations.csv as well.
///   .npz  NumPy archive, not compressed: <population>/times_ms (float64), <population>/ids (uint64)
/// Reading the file back gives the same table, bit for bit. A file is complete or not there: it is renamed into place.
/// @param sizes  #populations numbers of units, for the ids of .gdf and the sidecar; empty: largest id + 1
/// @throws Error(bad_input) for an unknown extension or a table that is not consistent; Error(run_failure) when the disk is full
void write_spikes(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes = {});

/// write_spikes(out, read_spikes(in)).
void convert_spikes(const std::string& in, const std::string& out);

}  // namespace ydot::data
