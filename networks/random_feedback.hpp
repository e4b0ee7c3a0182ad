#pragma once
#include "networks/sampling.hpp"

namespace ydot::networks {

/// Feedback alignment: the reverse of forward synapses, with weights of its own.
///   P((s, t) in E) = probability if (t, s) in forward, else 0;  B is independent of W
struct RandomFeedback {
    static constexpr std::string_view name = "random_feedback";
    static constexpr std::string_view summary = "the reverse of forward synapses (or of a share of them), with weights of its own";
    static constexpr std::string_view reference = "Lillicrap, Cownden, Tweed & Akerman 2016, Nat Commun 7:13276";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::string of{};
        double probability = 1;
        static constexpr std::tuple fields{
            Field{"of", &Params::of, "name of the forward projection"},
            Field{"probability", &Params::probability, "share of the forward synapses that are answered", unit_interval}};
    };

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        const EdgeList all = reversed_forward(request);
        const auto offsets = offsets_of(all.source, request.sources);
        EdgeList edges;
        for (std::uint32_t s = 0; s < request.sources; ++s) {
            const auto count = static_cast<std::uint32_t>(offsets[s + std::size_t{1}] - offsets[s]);
            visit_share(draws_of(request, s), params.probability, count,
                        [&](std::uint32_t rank) { edges.add(s, all.target[offsets[s] + rank]); });
        }
        return edges;
    }
};

}  // namespace ydot::networks
