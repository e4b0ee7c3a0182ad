#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "data/spike_file.hpp"

// One pair a format; data/spike_file.hpp says what is in the files and checks the tables.

namespace ydot::data::detail {

/// @param sizes  #populations numbers of units
void write_gdf(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes);
SpikeTable read_gdf(const std::string& path);

void write_csv(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes);
SpikeTable read_csv(const std::string& path);

void write_npz(const std::string& path, const SpikeTable& spikes);
SpikeTable read_npz(const std::string& path);

void write_sonata(const std::string& path, const SpikeTable& spikes);
SpikeTable read_sonata(const std::string& path);

}  // namespace ydot::data::detail
