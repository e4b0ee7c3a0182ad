#include "networks/list.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/networks/support.hpp"

using namespace ydot;
using namespace ydot::networks;

namespace {

constexpr std::uint32_t side = 6, units = side * side;

/// The smallest request that suits every connector: square sheets of one size, and a forward projection.
struct Case {
    EdgeList forward = random_edges("ff", units, units, 0.3);
    ConnectRequest request = answer_to(forward, "p", units, units);
    Case() = default;
    Case(const Case&) = delete;
    Case& operator=(const Case&) = delete;
};
/// What has no default that connects anything.
Parameters settings_for(const Connector& connector) {
    if (connector.feedback) return {{"of", {"ff", {}}}};
    if (connector.info.name == "fixed_total_number") return {{"number", {std::int64_t{200}, {}}}};
    if (connector.info.name == "from_list")
        return {{"sources", {std::vector{3.0, 0.0, 3.0}, {}}}, {"targets", {std::vector{35.0, 1.0, 0.0}, {}}}};
    return {};
}
bool has(const Connector& connector, std::string_view key) {
    return std::any_of(connector.info.parameters.begin(), connector.info.parameters.end(), [&](const auto& p) { return p.key == key; });
}
EdgeList connect(const Connector& connector, const ConnectRequest& request) {
    return connector.connect(settings_for(connector), "projections.p", request);
}
bool draws_numbers(const Connector& connector) {
    return std::set<std::string>{"fixed_probability",  "fixed_indegree",     "fixed_outdegree",
                                 "fixed_total_number", "distance_dependent", "disjoint"}
               .count(connector.info.name) == 1;
}

}  // namespace

TEST_CASE("every connector gives sorted edges between existing units, without multapses by default", "[contract]") {
    const Case c;
    for (const auto& connector : connectors()) {
        INFO(connector.info.name);
        const EdgeList edges = connect(connector, c.request);
        REQUIRE(edges.size() > 0);
        REQUIRE(edges.source.size() == edges.target.size());
        for (std::size_t k = 0; k < edges.size(); ++k) {
            REQUIRE(edges.source[k] < units);
            REQUIRE(edges.target[k] < units);
            if (k > 0) REQUIRE(std::pair{edges.source[k - 1], edges.target[k - 1]} < std::pair{edges.source[k], edges.target[k]});
        }
    }
}

TEST_CASE("every connector is deterministic, and its draws depend on seed and projection alone", "[contract]") {
    const Case c;
    for (const auto& connector : connectors()) {
        INFO(connector.info.name);
        const EdgeList edges = connect(connector, c.request);
        random_edges("another", 50, 50, 0.5);
        CHECK(connect(connector, c.request) == edges);
        ConnectRequest renamed = c.request, reseeded = c.request;
        renamed.name = "q";
        reseeded.seed = 8;
        CHECK((connect(connector, renamed) != edges) == draws_numbers(connector));
        CHECK((connect(connector, reseeded) != edges) == draws_numbers(connector));
    }
}

TEST_CASE("every connector that has the choice can leave out autapses", "[contract]") {
    Case c;
    c.request.same_population = true;
    for (const auto& connector : connectors()) {
        auto settings = settings_for(connector);
        settings["autapses"] = {false, {}};
        if (!has(connector, "autapses")) continue;
        INFO(connector.info.name);
        const EdgeList edges = connector.connect(settings, "projections.p", c.request);
        for (std::size_t k = 0; k < edges.size(); ++k) REQUIRE(edges.source[k] != edges.target[k]);
    }
}

TEST_CASE("every connector that draws a fixed number has the choice of multapses", "[contract]") {
    Case c;
    c.request.same_population = true;
    for (const auto& connector : connectors()) {
        const bool fixed_number = connector.info.name.starts_with("fixed_") && connector.info.name != "fixed_probability";
        INFO(connector.info.name);
        REQUIRE(has(connector, "multapses") == fixed_number);
        if (!fixed_number) continue;
        for (const bool autapses : {true, false})
            for (const bool multapses : {true, false}) {
                auto settings = settings_for(connector);
                settings["autapses"] = {autapses, {}};
                settings["multapses"] = {multapses, {}};
                const EdgeList edges = connector.connect(settings, "projections.p", c.request);
                std::size_t repeated = 0, self = 0;
                for (std::size_t k = 0; k < edges.size(); ++k) {
                    repeated += k > 0 && edges.source[k] == edges.source[k - 1] && edges.target[k] == edges.target[k - 1];
                    self += edges.source[k] == edges.target[k];
                }
                CHECK((repeated > 0) == multapses);  // about 15 of 200 drawn among 1296 pairs and more of 36 x 10, with this seed
                CHECK((self > 0) == autapses);
            }
    }
}

TEST_CASE("every connector that can be asked source by source gives the edges of connect, in any order and from several threads",
          "[contract]") {
    const Case c;
    std::set<std::string> streamed;
    for (const auto& connector : connectors()) {
        if (!connector.stream) continue;
        INFO(connector.info.name);
        streamed.insert(connector.info.name);
        for (const bool recurrent : {false, true})
            for (const bool multapses : {false, true}) {
                ConnectRequest request = c.request;
                request.same_population = recurrent;
                auto settings = settings_for(connector);
                if (has(connector, "autapses")) settings["autapses"] = {false, {}};
                if (has(connector, "multapses")) settings["multapses"] = {multapses, {}};
                const EdgeList edges = connector.connect(settings, "projections.p", request);
                const auto targets = connector.stream(settings, "projections.p", request);
                const auto collect = [&](EdgeList& found) {
                    std::vector<std::vector<std::uint32_t>> of(units);
                    for (std::uint32_t s = units; s-- > 0;) targets(s, of[s]);
                    for (std::uint32_t s = 0; s < units; ++s) {
                        std::sort(of[s].begin(), of[s].end());
                        for (const auto t : of[s]) found.add(s, t);
                    }
                };
                std::vector<EdgeList> found(3);
                {
                    std::vector<std::jthread> threads;
                    for (auto& f : found) threads.emplace_back([&] { collect(f); });
                }
                for (const auto& f : found) CHECK(f == edges);
            }
    }
    CHECK(streamed == std::set<std::string>{"all_to_all", "one_to_one", "fixed_probability", "fixed_indegree", "fixed_outdegree",
                                            "fixed_total_number", "distance_dependent"});
}

TEST_CASE("every connector says what it is and documents its parameters", "[contract]") {
    std::set<std::string> names;
    for (const auto& connector : connectors()) {
        INFO(connector.info.name);
        CHECK(connector.info.kind == "connector");
        CHECK(names.insert(connector.info.name).second);
        CHECK_FALSE(connector.info.summary.empty());
        CHECK_FALSE(connector.info.reference.empty());
        for (const auto& parameter : connector.info.parameters) CHECK_FALSE(parameter.doc.empty());
        CHECK(&find_connector(connector.info.name, "projections.p.connector") == &connector);
    }
}

TEST_CASE("every connector refuses keys it does not know", "[contract]") {
    const Case c;
    for (const auto& connector : connectors()) {
        auto settings = settings_for(connector);
        settings["colour"] = {std::int64_t{3}, {"net.toml", 4, 1}};
        CHECK_THROWS_WITH(connector.connect(settings, "projections.p", c.request),
                          Catch::StartsWith("net.toml:4:1: projections.p.colour: unknown key"));
    }
}

TEST_CASE("every feedback connector needs the name of its forward projection", "[contract]") {
    for (const auto& connector : connectors()) {
        if (!connector.feedback) continue;
        INFO(connector.info.name);
        CHECK(connector.feedback({{"of", {"ff", {}}}}, "projections.p") == Feedback{"ff", 1});
        CHECK_THROWS_WITH(connector.feedback({}, "projections.p"), "projections.p.of: missing: the name of the forward projection");
    }
}

TEST_CASE("a bad value is refused with its key and what is allowed", "[exact]") {
    const Case c;
    const auto& connector = find_connector("fixed_probability", "");
    CHECK_THROWS_WITH(connector.connect({{"probability", {1.5, {"net.toml", 12, 9}}}}, "projections.p", c.request),
                      "net.toml:12:9: projections.p.probability: must be >= 0 and <= 1, got 1.5");
}

TEST_CASE("an unknown connector is refused with the nearest name and the list", "[exact]") {
    const std::string list =
        "Allowed: all_to_all, one_to_one, fixed_probability, fixed_indegree, fixed_outdegree, fixed_total_number, distance_dependent, "
        "local_receptive_field, from_list, transpose, random_feedback, sign_concordant, disjoint";
    CHECK_THROWS_WITH(find_connector("al_to_all", "projections.ff.connector", {"net.toml", 12, 9}),
                      "net.toml:12:9: projections.ff.connector: unknown connector \"al_to_all\"; did you mean all_to_all? " + list);
    CHECK_THROWS_WITH(find_connector("magic", "projections.ff.connector"),
                      "projections.ff.connector: unknown connector \"magic\". " + list);
}

TEST_CASE("gain and magnitude are the factors of tied weights", "[exact]") {
    const Parameters of{{"of", {"ff", {}}}};
    auto gain = of, magnitude = of;
    gain["gain"] = {0.5, {}};
    magnitude["magnitude"] = {0.25, {}};
    CHECK(find_connector("transpose", "").tie == WeightTie::transpose);
    CHECK(find_connector("transpose", "").feedback(gain, "p").factor == 0.5);
    CHECK(find_connector("sign_concordant", "").tie == WeightTie::sign);
    CHECK(find_connector("sign_concordant", "").feedback(magnitude, "p").factor == 0.25);
    CHECK(find_connector("disjoint", "").tie == WeightTie::none);
}
