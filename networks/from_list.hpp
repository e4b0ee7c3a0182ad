#pragma once
#include <numeric>

#include "networks/edges.hpp"

namespace ydot::networks {

/// The synapses that a list names, one by one, with weights and delays of their own where it has them. A pair listed twice is two synapses.
///   E = {(sources[k], targets[k])}
/// The list stands in the description or in a file (which the application reads: ConnectRequest::listed).
struct FromList {
    static constexpr std::string_view name = "from_list";
    static constexpr std::string_view summary = "the pairs of two arrays or of a file, with their weights and delays";
    static constexpr std::string_view reference = "Davison et al. 2008, Front Neuroinform 2:11 (PyNN's connector of this name)";
    static constexpr WeightTie tie = WeightTie::none;

    struct Params {
        std::vector<double> sources{}, targets{}, weights{}, delays_ms{};
        std::string file{};
        static constexpr std::tuple fields{Field{"sources", &Params::sources, "source unit of each synapse, from 0"},
                                           Field{"targets", &Params::targets, "target unit of each synapse"},
                                           Field{"weights", &Params::weights, "of each synapse; empty: the projection's weight"},
                                           Field{"delays_ms", &Params::delays_ms, "of each synapse; empty: the projection's delay_ms"},
                                           Field{"file", &Params::file,
                                                 "in place of the arrays: .csv with columns source, target and, if wanted, weight, "
                                                 "delay_ms; or the weights.h5 of a run, of which "
                                                 "the projection of this name is taken"}};
    };

    static EdgeList connect(const Params& params, const ConnectRequest& request) {
        if (params.file.empty()) return sorted(from_arrays(params, request));
        if (!params.sources.empty() || !params.targets.empty() || !params.weights.empty() || !params.delays_ms.empty())
            refuse_at(request, "file", "takes the place of sources, targets, weights and delays_ms; both are given");
        if (!request.listed) refuse_at(request, "file", "has not been read");
        check_file(*request.listed, request);
        return sorted(request.listed->edges);
    }

private:
    [[noreturn]] static void refuse_at(const ConnectRequest& request, const char* key, std::string reason) {
        throw Error("projections." + request.name + '.' + key, std::move(reason), request.source.text());
    }

    static EdgeList from_arrays(const Params& params, const ConnectRequest& request) {
        const std::size_t synapses = params.sources.size();
        const auto require_length = [&](const char* key, std::size_t length) {
            if (length != synapses)
                refuse_at(request, key,
                          "must have as many elements as sources, " + std::to_string(synapses) + ", got " + std::to_string(length));
        };
        require_length("targets", params.targets.size());
        if (!params.weights.empty()) require_length("weights", params.weights.size());
        if (!params.delays_ms.empty()) require_length("delays_ms", params.delays_ms.size());
        for (std::size_t k = 0; k < params.delays_ms.size(); ++k)
            if (!(params.delays_ms[k] > 0)) refuse_element(request, "delays_ms", k, "> 0", params.delays_ms[k]);
        return {units_of(request, "sources", params.sources, request.sources),
                units_of(request, "targets", params.targets, request.targets), params.weights, params.delays_ms};
    }

    [[noreturn]] static void refuse_element(const ConnectRequest& request, const char* key, std::size_t k, const std::string& allowed,
                                            double got) {
        refuse_at(request, key, "element " + std::to_string(k) + " (from 0) must be " + allowed + ", got " + to_text(Value{got}));
    }
    static std::vector<std::uint32_t> units_of(const ConnectRequest& request, const char* key, const std::vector<double>& numbers,
                                               std::uint32_t units) {
        std::vector<std::uint32_t> result;
        for (std::size_t k = 0; k < numbers.size(); ++k) {
            if (!(numbers[k] >= 0 && numbers[k] < units && std::floor(numbers[k]) == numbers[k]))
                refuse_element(request, key, k, "an integer >= 0 and < " + std::to_string(units), numbers[k]);
            result.push_back(static_cast<std::uint32_t>(numbers[k]));
        }
        return result;
    }

    static void check_file(const ListedEdges& listed, const ConnectRequest& request) {
        const auto require_below = [&](std::size_t k, const char* column, std::uint32_t unit, std::uint32_t units,
                                       const std::string& population) {
            if (unit >= units)
                refuse_row(listed, k, column, "< " + std::to_string(units) + ", the units of " + population, std::to_string(unit));
        };
        for (std::size_t k = 0; k < listed.edges.size(); ++k) {
            require_below(k, "source", listed.edges.source[k], request.sources, request.from);
            require_below(k, "target", listed.edges.target[k], request.targets, request.to);
            if (!listed.edges.delay_ms.empty() && !(listed.edges.delay_ms[k] > 0))
                refuse_row(listed, k, "delay_ms", "> 0", to_text(Value{listed.edges.delay_ms[k]}));
        }
    }
    [[noreturn]] static void refuse_row(const ListedEdges& listed, std::size_t k, const char* column, const std::string& allowed,
                                        const std::string& got) {
        throw Error(column, "must be " + allowed + ", got " + got, listed.place_of(k));
    }

    /// By (source, target); synapses of one pair stay in the order of the list.
    static EdgeList sorted(const EdgeList& edges) {
        std::vector<std::size_t> order(edges.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair{edges.source[a], edges.target[a]} < std::pair{edges.source[b], edges.target[b]};
        });
        const auto in_order = [&](const auto& column) {
            auto result = column;
            for (std::size_t k = 0; k < column.size(); ++k) result[k] = column[order[k]];
            return result;
        };
        return {in_order(edges.source), in_order(edges.target), in_order(edges.weight), in_order(edges.delay_ms)};
    }
};

}  // namespace ydot::networks
