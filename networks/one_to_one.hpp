#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Unit k to unit k, between populations of one size: private inputs, copies, delay lines.
///   E = {(k, k) : 0 <= k < sources}, sources = targets
struct OneToOne {
    static constexpr std::string_view name = "one_to_one";
    static constexpr std::string_view summary = "unit k to unit k, populations of one size";
    static constexpr std::string_view reference = "Djurfeldt 2012, Neuroinformatics 10:287 (connection-set algebra, the set delta)";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        static constexpr std::tuple<> fields{};
    };
    static double expected_synapses(const Params& /*params*/, const ConnectRequest& request) { return request.sources; }

    static TargetsOf stream(const Params&, const ConnectRequest& request) {
        if (request.sources != request.targets)
            refuse(request, "one_to_one needs populations of one size, got " + std::to_string(request.sources) + " sources and " +
                                std::to_string(request.targets) + " targets");
        return [](std::uint32_t s, auto& out) { out.push_back(s); };
    }

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        return edges_of(stream(params, request), request.sources, request.sources);
    }
};

}  // namespace ydot::networks
