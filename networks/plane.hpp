#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "networks/edges.hpp"
#include "sim/random.hpp"

namespace ydot::networks {

/// How the units of a population are spread over a rectangle.
enum class Layout {
    grid,   ///< unit = y * columns + x, in the middle of its share of the rectangle
    random  ///< uniform and independent; the same places for every projection of the population
};

/// A rectangle of cortex; with `periodic`, opposite sides are one.
struct Plane {
    double width_mm = 1, height_mm = 1;
    bool periodic = false;
};
struct Place {
    double x_mm, y_mm;
};

inline double distance_mm(const Plane& plane, Place a, Place b) noexcept {
    double x = std::abs(a.x_mm - b.x_mm), y = std::abs(a.y_mm - b.y_mm);
    if (plane.periodic) x = std::min(x, plane.width_mm - x), y = std::min(y, plane.height_mm - y);
    return std::sqrt(x * x + y * y);
}

/// The places of the units of one population.
/// @param side     "source" or "target", for the error
/// @param columns  of a grid; 0: the grid is square
/// @throws Error when the units do not fill a grid
inline std::vector<Place> places_of(const std::string& side, const std::string& population, std::uint32_t units, Layout layout,
                                    std::uint32_t columns, const Plane& plane, const ConnectRequest& request) {
    std::vector<Place> places;
    places.reserve(units);
    if (layout == Layout::random) {
        const std::uint32_t stream = stream_of(population, Purpose::place);
        for (std::uint32_t u = 0; u < units; ++u) {
            Draws draws(request.seed, stream, u);
            const double x = draws.uniform(), y = draws.uniform();
            places.push_back({x * plane.width_mm, y * plane.height_mm});
        }
        return places;
    }
    if (columns == 0) columns = static_cast<std::uint32_t>(std::lround(std::sqrt(units)));
    if (columns == 0 || units % columns != 0)
        refuse(request, std::to_string(units) + ' ' + side + " units do not fill a grid of " + std::to_string(columns) + " columns: set " +
                            side + "_columns, or " + side + "_layout = \"random\"");
    const std::uint32_t rows = units / columns;
    for (std::uint32_t u = 0; u < units; ++u)
        places.push_back({(u % columns + 0.5) / columns * plane.width_mm, (u / columns + 0.5) / rows * plane.height_mm});
    return places;
}

/// A plane cut into columns x rows of equal cells, with the units in each of them.
class Cells {
public:
    /// @param side_mm  wanted side of a cell; cells are larger when there are few units
    Cells(const Plane& plane, const std::vector<Place>& places, double side_mm) : plane_(plane) {
        const double most = std::clamp(std::sqrt(static_cast<double>(places.size()) / 8), 1.0, 1024.0);
        columns_ = static_cast<std::uint32_t>(std::clamp(std::floor(plane.width_mm / side_mm), 1.0, most));
        rows_ = static_cast<std::uint32_t>(std::clamp(std::floor(plane.height_mm / side_mm), 1.0, most));
        std::vector<std::uint32_t> cell;
        for (const auto& place : places) cell.push_back(row(place) * columns_ + column(place));
        offset_ = offsets_of(cell, columns_ * rows_);
        auto next = offset_;
        unit_.resize(places.size());
        for (std::uint32_t u = 0; u < places.size(); ++u) unit_[next[cell[u]]++] = u;
    }

    std::uint32_t columns() const noexcept { return columns_; }
    std::uint32_t rows() const noexcept { return rows_; }
    std::uint32_t column(Place p) const noexcept { return index(p.x_mm, plane_.width_mm, columns_); }
    std::uint32_t row(Place p) const noexcept { return index(p.y_mm, plane_.height_mm, rows_); }
    std::span<const std::uint32_t> units(std::uint32_t column, std::uint32_t row) const noexcept {
        const std::size_t cell = std::size_t{row} * columns_ + column;
        return std::span(unit_).subspan(offset_[cell], offset_[cell + 1] - offset_[cell]);
    }
    std::uint32_t most_units() const noexcept {
        std::size_t most = 0;
        for (std::size_t c = 0; c + 1 < offset_.size(); ++c) most = std::max(most, offset_[c + 1] - offset_[c]);
        return static_cast<std::uint32_t>(most);
    }
    /// No unit of a cell is nearer than this to a unit of the cell so many columns and rows away.
    double least_distance_mm(std::uint32_t columns_away, std::uint32_t rows_away) const noexcept {
        const double x = least(columns_away, columns_, plane_.width_mm), y = least(rows_away, rows_, plane_.height_mm);
        return std::sqrt(x * x + y * y) * (1 - 1e-12);  // places are rounded
    }

private:
    static std::uint32_t index(double x, double extent, std::uint32_t cells) noexcept {
        return std::min(static_cast<std::uint32_t>(x / extent * cells), cells - 1);
    }
    double least(std::uint32_t away, std::uint32_t cells, double extent) const noexcept {
        if (plane_.periodic) away = std::min(away, cells - away);
        return away == 0 ? 0 : (away - 1) * extent / cells;
    }

    Plane plane_;
    std::uint32_t columns_, rows_;
    std::vector<std::size_t> offset_;
    std::vector<std::uint32_t> unit_;  ///< by cell
};

}  // namespace ydot::networks

template <>
struct ydot::EnumNames<ydot::networks::Layout> {
    static constexpr std::array<std::string_view, 2> names{"grid", "random"};
};
