#pragma once
#include "networks/sheet.hpp"

namespace ydot::networks {

/// Each target sees the `field` x `field` sources around its own place, without weight sharing.
/// Units lie on sheets, unit = (map * height + y) * width + x; sheets of different size are stretched over one another.
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
        const Sheet from = sheet_of("source", request.sources, params.source_width, params.source_maps, request);
        const Sheet to = sheet_of("target", request.targets, params.target_width, params.target_maps, request);
        if (params.periodic && (params.field > from.width || params.field > from.height))
            refuse(request, "a periodic field of side " + std::to_string(params.field) + " does not fit on a sheet of " + from.text());
        const bool without_self = request.same_population && !params.autapses;
        EdgeList inputs;  // (target, source)
        for (std::uint32_t t = 0; t < request.targets; ++t) {
            const auto rows = places_seen(t / to.width % to.height, to.height, from.height, params.field, params.periodic);
            const auto columns = places_seen(t % to.width, to.width, from.width, params.field, params.periodic);
            for (std::uint32_t map = 0; map < params.source_maps; ++map)
                for (const auto y : rows)
                    for (const auto x : columns)
                        if (const auto s = (map * from.height + y) * from.width + x; !without_self || s != t) inputs.add(t, s);
        }
        return reversed(inputs, request.sources);
    }
};

}  // namespace ydot::networks
