#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Each target sees the `field` x `field` sources around its own place, without weight sharing.
/// Units lie on sheets, unit = (map * height + y) * width + x; one place holds one unit of every map (e.g. three colours). Sheets of
/// different size are stretched over one another; the leftmost column that target column x sees is, exactly in integers,
///   first = floor(((2 x + 1) source_width - (field - 1) target_width) / (2 target_width)),  likewise for rows.
/// At the border the square is clipped: units there have fewer inputs. With `periodic` it goes on at the opposite side.
struct LocalReceptiveField {
    static constexpr std::string_view name = "local_receptive_field";
    static constexpr std::string_view summary = "each target from a square of sources around its place on a sheet";
    static constexpr std::string_view reference = "LeCun 1989, TR CRG-TR-89-4, Univ Toronto; Hinton 2022, arXiv:2212.13345";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::uint32_t field = 11, source_width = 0, target_width = 0, source_maps = 1, target_maps = 1;
        bool periodic = false, autapses = true;
        static constexpr std::tuple fields{
            Field{"field", &Params::field, "side of the square, in source units", Range{1, 65536}},
            Field{"source_width", &Params::source_width, "columns of the sheet of sources; 0: the sheet is square", Range{0, 4e9}},
            Field{"target_width", &Params::target_width, "columns of the sheet of targets; 0: the sheet is square", Range{0, 4e9}},
            Field{"source_maps", &Params::source_maps, "sources at each place of their sheet", Range{1, 65536}},
            Field{"target_maps", &Params::target_maps, "targets at each place of their sheet", Range{1, 65536}},
            Field{"periodic", &Params::periodic, "whether the sheet of sources closes on itself"},
            Field{"autapses", &Params::autapses, "whether a unit may be connected to itself (within one population)"}};
    };

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        const Sheet from = sheet("source", request.sources, params.source_width, params.source_maps, request);
        const Sheet to = sheet("target", request.targets, params.target_width, params.target_maps, request);
        if (params.periodic && (params.field > from.width || params.field > from.height))
            refuse(request, "a periodic field of side " + std::to_string(params.field) + " does not fit on a sheet of " + from.text());
        const bool without_self = request.same_population && !params.autapses;
        EdgeList inputs;  // (target, source)
        for (std::uint32_t t = 0; t < request.targets; ++t) {
            const auto rows = seen(t / to.width % to.height, to.height, from.height, params);
            const auto columns = seen(t % to.width, to.width, from.width, params);
            for (std::uint32_t map = 0; map < params.source_maps; ++map)
                for (const auto y : rows)
                    for (const auto x : columns)
                        if (const auto s = (map * from.height + y) * from.width + x; !without_self || s != t) inputs.add(t, s);
        }
        return reversed(inputs, request.sources);
    }

private:
    struct Sheet {
        std::uint32_t width, height;
        std::string text() const { return std::to_string(width) + " x " + std::to_string(height); }
    };

    static Sheet sheet(const std::string& side, std::uint32_t units, std::uint32_t width, std::uint32_t maps,
                       const ConnectRequest& request) {
        const std::uint32_t places = units / maps;
        if (width == 0) width = static_cast<std::uint32_t>(std::lround(std::sqrt(places)));
        const Sheet result{width, width ? places / width : 0};
        if (std::uint64_t{result.width} * result.height * maps == units && units > 0) return result;
        refuse(request, std::to_string(units) + ' ' + side + " units in " + std::to_string(maps) + (maps == 1 ? " map" : " maps") +
                            " do not fill a sheet of width " + std::to_string(width) + ": set " + side + "_width and " + side + "_maps");
    }
    /// The rows or columns of the sources that row or column `place` of the targets sees.
    static std::vector<std::uint32_t> seen(std::uint32_t place, std::int64_t targets, std::int64_t sources, const Params& params) {
        const std::int64_t twice = (2 * std::int64_t{place} + 1) * sources - (std::int64_t{params.field} - 1) * targets;
        const std::int64_t first = (twice - (twice < 0 ? 2 * targets - 1 : 0)) / (2 * targets);  // rounds down
        std::vector<std::uint32_t> result;
        for (std::int64_t k = first; k < first + params.field; ++k)
            if (params.periodic || (k >= 0 && k < sources)) result.push_back(static_cast<std::uint32_t>((k % sources + sources) % sources));
        return result;
    }
};

}  // namespace ydot::networks
