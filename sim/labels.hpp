#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/description.hpp"

namespace ydot {

/// How a label is written on the units of a population and read off them: unit u stands for label u % labels.
struct LabelCode {
    std::size_t labels = 1, units_per_label = 1;
    float target = 1;  ///< activity of each unit of a label that is shown; those in one pool of a softmax share 1

    template <class Column>
    void write(std::size_t label, Column&& column) const {
        for (std::size_t k = 0; k < units_per_label; ++k) column[static_cast<std::ptrdiff_t>(k * labels + label)] = target;
    }
    /// How active the units of a label are: 1 when all of them have their target.
    template <class Column>
    double activity(const Column& column, std::size_t label) const {
        double sum = 0;
        for (std::size_t k = 0; k < units_per_label; ++k)
            sum += static_cast<double>(column[static_cast<std::ptrdiff_t>(k * labels + label)]);
        return sum / (static_cast<double>(units_per_label) * static_cast<double>(target));
    }
    /// The label whose units are most active, the first of equals.
    template <class Column>
    std::size_t answer(const Column& column) const {
        std::size_t best = 0;
        for (std::size_t label = 1; label < labels; ++label)
            if (activity(column, label) > activity(column, best)) best = label;
        return best;
    }
};

/// The label that a phase shows in place of `label`: itself, or another one that is the same at every call for a presentation.
/// @param target   label, wrong or hard
/// @param liking   by label, what the readout thinks of it; for hard
std::size_t shown_label(TargetLabel target, std::size_t label, std::size_t labels, std::span<const double> liking, std::uint64_t seed,
                        std::uint32_t trial);

}  // namespace ydot
