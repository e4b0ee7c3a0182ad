#include "data/spike_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "data/detail/hdf5.hpp"
#include "data/detail/input_file.hpp"
#include "data/detail/spike_formats.hpp"
#include "sim/error.hpp"

namespace ydot::data {

namespace {

enum class Format { sonata, gdf, csv, npz };

Format format_of(const std::string& path) {
    const std::string extension = std::filesystem::path(path).extension().string();
    constexpr std::array<std::string_view, 4> extensions{".h5", ".gdf", ".csv", ".npz"};
    const auto found = std::find(extensions.begin(), extensions.end(), extension);
    if (found == extensions.end()) throw Error(path, "a spike file must end in .h5, .gdf, .csv or .npz, got '" + extension + "'", {});
    return static_cast<Format>(found - extensions.begin());
}

void check_population(const PopulationSpikes& p, const std::string& path) {
    if (p.times_ms.size() != p.ids.size())
        throw Error(path,
                    "population " + p.population + " must have as many ids as times, has " + std::to_string(p.ids.size()) + " and " +
                        std::to_string(p.times_ms.size()),
                    {});
    const auto bad = std::find_if_not(p.times_ms.begin(), p.times_ms.end(), [](double t) { return std::isfinite(t); });
    if (bad != p.times_ms.end())
        throw Error(path,
                    "population " + p.population + ": times must be finite numbers in ms, spike " +
                        std::to_string(bad - p.times_ms.begin()) + " has " + std::to_string(*bad),
                    {});
}

void check_table(const SpikeTable& spikes, const std::string& path) {
    if (spikes.empty()) throw Error(path, "there must be at least one population", {});
    std::vector<std::string> names;
    for (const auto& p : spikes) names.push_back(p.population);
    detail::check_names(names, path, "population");
    for (const auto& p : spikes) check_population(p, path);
}

std::uint64_t smallest_size(const PopulationSpikes& p) { return p.ids.empty() ? 0 : *std::max_element(p.ids.begin(), p.ids.end()) + 1; }

/// The sizes given, or those that the ids need.
std::vector<std::uint64_t> population_sizes(const SpikeTable& spikes, std::span<const std::uint64_t> given, const std::string& path) {
    if (!given.empty() && given.size() != spikes.size())
        throw Error(
            path, "there must be a size for each of " + std::to_string(spikes.size()) + " populations, got " + std::to_string(given.size()),
            {});
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 0; i < spikes.size(); ++i) {
        const std::uint64_t needed = smallest_size(spikes[i]);
        if (!given.empty() && given[i] < needed)
            throw Error(path,
                        "population " + spikes[i].population + " has " + std::to_string(given[i]) + " units, got a spike of unit " +
                            std::to_string(needed - 1),
                        {});
        sizes.push_back(given.empty() ? needed : given[i]);
    }
    return sizes;
}

}  // namespace

SpikeTable read_spikes(const std::string& path) {
    const Format format = format_of(path);
    detail::require_file(path);
    SpikeTable spikes;
    switch (format) {
        case Format::sonata: spikes = detail::read_sonata(path); break;
        case Format::gdf: spikes = detail::read_gdf(path); break;
        case Format::csv: spikes = detail::read_csv(path); break;
        case Format::npz: spikes = detail::read_npz(path); break;
    }
    check_table(spikes, path);
    return spikes;
}

void write_spikes(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes) {
    const Format format = format_of(path);
    check_table(spikes, path);
    const auto all_sizes = population_sizes(spikes, sizes, path);
    switch (format) {
        case Format::sonata: return detail::write_sonata(path, spikes);
        case Format::gdf: return detail::write_gdf(path, spikes, all_sizes);
        case Format::csv: return detail::write_csv(path, spikes, all_sizes);
        case Format::npz: return detail::write_npz(path, spikes);
    }
}

void convert_spikes(const std::string& in, const std::string& out) {
    format_of(out);  // before reading what may be large
    write_spikes(out, read_spikes(in));
}

}  // namespace ydot::data
