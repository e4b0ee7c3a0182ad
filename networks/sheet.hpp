#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "networks/edges.hpp"

namespace ydot::networks {

/// Where the units of a population lie: unit = (map * height + y) * width + x. One place holds one unit of every map (e.g. three colours).
struct Sheet {
    std::uint32_t width, height;
    std::string text() const { return std::to_string(width) + " x " + std::to_string(height); }
};

/// @param side   "source" or "target", for the error
/// @param width  0: the sheet is square
/// @throws Error when the units do not fill a sheet
inline Sheet sheet_of(const std::string& side, std::uint32_t units, std::uint32_t width, std::uint32_t maps,
                      const ConnectRequest& request) {
    const std::uint32_t places = units / maps;
    if (width == 0) width = static_cast<std::uint32_t>(std::lround(std::sqrt(places)));
    const Sheet result{width, width ? places / width : 0};
    if (std::uint64_t{result.width} * result.height * maps == units && units > 0) return result;
    refuse(request, std::to_string(units) + ' ' + side + " units in " + std::to_string(maps) + (maps == 1 ? " map" : " maps") +
                        " do not fill a sheet of width " + std::to_string(width) + ": set " + side + "_width and " + side + "_maps");
}

/// The rows or columns of `sources` that row or column `place` of `targets` sees through a field: those around its own place when one sheet
/// is stretched over the other. The first is, exactly in integers,
///   floor(((2 place + 1) sources - (field - 1) targets) / (2 targets)).
/// @param periodic  whether the field goes on at the opposite side; else it is clipped
inline std::vector<std::uint32_t> places_seen(std::uint32_t place, std::int64_t targets, std::int64_t sources, std::int64_t field,
                                              bool periodic) {
    const std::int64_t twice = (2 * std::int64_t{place} + 1) * sources - (field - 1) * targets;
    const std::int64_t first = (twice - (twice < 0 ? 2 * targets - 1 : 0)) / (2 * targets);  // rounds down
    std::vector<std::uint32_t> result;
    for (std::int64_t k = first; k < first + field; ++k)
        if (periodic || (k >= 0 && k < sources)) result.push_back(static_cast<std::uint32_t>((k % sources + sources) % sources));
    return result;
}

}  // namespace ydot::networks
