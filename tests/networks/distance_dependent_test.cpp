#include "networks/distance_dependent.hpp"

#include <catch2/catch.hpp>

#include "networks/graph.hpp"
#include "tests/networks/support.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

struct Case {
    const char* name;
    DistanceDependent::Params params;
    bool within = false;
};
std::vector<Case> cases() {
    const auto random = Layout::random, grid = Layout::grid;
    return {
        {"exponential", {.profile = Profile::exponential, .p_max = 0.8, .length_mm = 0.15}},
        {"gaussian, periodic", {.profile = Profile::gaussian, .p_max = 0.7, .length_mm = 0.2, .periodic = true}},
        {"disc", {.profile = Profile::disc, .p_max = 0.6, .length_mm = 0.3}},
        {"disc, periodic, oblong", {.profile = Profile::disc, .p_max = 0.6, .length_mm = 0.3, .width_mm = 2, .periodic = true}},
        {"exponential, periodic, random places",
         {.profile = Profile::exponential,
          .p_max = 1,
          .length_mm = 0.1,
          .periodic = true,
          .source_layout = random,
          .target_layout = random}},
        {"gaussian, from a grid to random places",
         {.profile = Profile::gaussian, .p_max = 0.9, .length_mm = 0.08, .height_mm = 0.5, .source_layout = grid, .target_layout = random}},
        {"exponential, one population, no autapses",
         {.profile = Profile::exponential,
          .p_max = 0.9,
          .length_mm = 0.15,
          .source_layout = random,
          .target_layout = random,
          .autapses = false},
         true},
        {"exponential, longer than the sheet", {.profile = Profile::exponential, .p_max = 0.5, .length_mm = 3}}};
}

constexpr std::uint32_t sources = 144, targets = 225, bins = 24;
ConnectRequest request_of(const Case& c, std::uint64_t seed) {
    ConnectRequest request = c.within ? recurrent("p", targets) : networks::request_of("p", sources, targets);
    request.from = "a";
    request.to = c.within ? "a" : "b";
    request.seed = seed;
    return request;
}

/// Sums of p and p (1 - p) of the pairs that fall into a bin, and the edges found there: independent trials.
struct Tally {
    double expected = 0, variance = 0, found = 0;
    void add(double p, double count) {
        expected += p;
        variance += p * (1 - p);
        found += count;
    }
};
/// Bins of a variance below 5 are left out: their counts are not normal.
double p_of(const std::vector<Tally>& tallies) {
    double statistic = 0, degrees = 0;
    for (const auto& t : tallies)
        if (t.variance >= 5) statistic += (t.found - t.expected) * (t.found - t.expected) / t.variance, degrees += 1;
    REQUIRE(degrees >= 5);
    return chi_square_p(statistic, degrees);
}

struct Tallies {
    std::vector<Tally> by_distance, by_source, by_target;
    bool impossible = false;  ///< an edge where p = 0

    Tallies(const Case& c, std::uint64_t seed) : by_distance(bins) {
        const auto request = request_of(c, seed);
        const auto& p = c.params;
        const Plane plane{p.width_mm, p.height_mm, p.periodic};
        const auto from = places_of("source", request.from, request.sources, p.source_layout, p.source_columns, plane, request);
        const auto to = places_of("target", request.to, request.targets, p.target_layout, p.target_columns, plane, request);
        by_source.resize(request.sources);
        by_target.resize(request.targets);
        const EdgeList edges = DistanceDependent::connect(p, request);
        const double longest = std::hypot(p.width_mm, p.height_mm);
        std::size_t next = 0;
        for (std::uint32_t s = 0; s < request.sources; ++s)
            for (std::uint32_t t = 0; t < request.targets; ++t) {
                const bool found = next < edges.size() && edges.source[next] == s && edges.target[next] == t;
                next += found;
                const double d = distance_mm(plane, from[s], to[t]);
                const double probability = c.within && s == t && !p.autapses ? 0 : DistanceDependent::probability(p, d);
                impossible = impossible || (found && probability == 0);
                by_distance[std::min(bins - 1, static_cast<std::uint32_t>(2 * d / longest * bins))].add(probability, found);
                by_source[s].add(probability, found);
                by_target[t].add(probability, found);
            }
        REQUIRE(next == edges.size());  // so none is listed twice
    }
};

}  // namespace

TEST_CASE("distance_dependent: edges per distance, and both degrees, are those of independent pairs", "[statistical]") {
    for (const auto& c : cases()) {
        INFO(c.name);
        std::vector<Tallies> networks;
        for (std::uint64_t seed = 1; seed <= 150; ++seed) networks.emplace_back(c, seed);
        const auto of = [&](std::uint64_t seed) -> const Tallies& { return networks[seed - 1]; };
        CHECK(uniform_over_seeds(150, [&](auto seed) { return p_of(of(seed).by_distance); }));
        CHECK(uniform_over_seeds(150, [&](auto seed) { return p_of(of(seed).by_source); }));
        CHECK(uniform_over_seeds(150, [&](auto seed) { return p_of(of(seed).by_target); }));
        CHECK(std::none_of(networks.begin(), networks.end(), [](const auto& t) { return t.impossible; }));
    }
}

TEST_CASE("distance_dependent of probability 1 on a disc connects exactly the pairs within the radius", "[exact]") {
    DistanceDependent::Params params{.profile = Profile::disc, .p_max = 1, .length_mm = 1.01, .width_mm = 4, .height_mm = 3};
    params.source_columns = params.target_columns = 4;
    const EdgeList edges = DistanceDependent::connect(params, recurrent("p", 12));
    CHECK(targets_of(edges, 0) == std::vector<std::uint32_t>{0, 1, 4});
    CHECK(targets_of(edges, 5) == std::vector<std::uint32_t>{1, 4, 5, 6, 9});
    params.periodic = true;
    CHECK(targets_of(DistanceDependent::connect(params, recurrent("p", 12)), 0) == std::vector<std::uint32_t>{0, 1, 3, 4, 8});
    params.length_mm = 100;
    CHECK(DistanceDependent::connect(params, recurrent("p", 12)).size() == 144);
    params.p_max = 0;
    CHECK(DistanceDependent::connect(params, recurrent("p", 12)).size() == 0);
}

TEST_CASE("the random places of a population are the same for all its projections and differ between populations", "[exact]") {
    const Plane plane;
    auto up = networks::request_of("up", 50, 50), down = networks::request_of("down", 50, 50);
    const auto places = [&](const std::string& population, const ConnectRequest& request) {
        std::vector<double> numbers;
        for (const auto& p : places_of("source", population, 50, Layout::random, 0, plane, request))
            numbers.insert(numbers.end(), {p.x_mm, p.y_mm});
        return numbers;
    };
    CHECK(places("a", up) == places("a", down));
    CHECK(places("a", up) != places("b", up));
    down.seed = 8;
    CHECK(places("a", up) != places("a", down));
}

TEST_CASE("distance_dependent refuses units that fill no grid, and two layouts of one population", "[exact]") {
    CHECK_THROWS_WITH(DistanceDependent::connect({}, networks::request_of("p", 36, 37)),
                      "projections.p: 37 target units do not fill a grid of 6 columns: set target_columns, or target_layout = \"random\"");
    CHECK_THROWS_WITH(DistanceDependent::connect({.source_layout = Layout::random}, recurrent("p", 36)),
                      "projections.p: source and target are one population: their layout and columns must be the same");
}
