// What the connectors of networks/ become in a circuit: files read, weights and delays taken over, large projections streamed.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "data/weight_file.hpp"
#include "networks/list.hpp"

namespace fs = std::filesystem;
using namespace ydot;

namespace {

struct Folder {
    fs::path path;
    Folder() : path(fs::temp_directory_path() / ("ydot_connectors_" + std::to_string(std::random_device{}()))) {
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return *this / name;
    }
};

std::unique_ptr<Circuit> build(const std::string& projection, std::size_t sources = 4, std::size_t targets = 5,
                               const std::string& more = "") {
    return app::build_circuit(
        app::parse_description("[run]\ndt_ms = 0.5\n[populations.a]\nmodel = \"poisson_source\"\nsize = " + std::to_string(sources) +
                                   "\n[populations.b]\nmodel = \"lif\"\nsize = " + std::to_string(targets) +
                                   "\n[projections.p]\nfrom = \"a\"\nto = \"b\"\n" + projection + '\n' + more,
                               "net.toml"));
}

struct Synapse {
    std::uint32_t source, target;
    double delay_ms;
    float weight;
    auto operator<=>(const Synapse&) const = default;
};
std::vector<Synapse> synapses_of(const Circuit& circuit) {
    std::vector<Synapse> result;
    for (const auto& block : circuit.projections()[0].blocks)
        block.for_each([&](std::uint32_t source, std::uint32_t target, std::uint16_t delay, float weight) {
            result.push_back({source, block.first_target() + target, delay * circuit.dt_ms(), weight});
        });
    for (const auto& part : circuit.static_synapses())
        part.for_each([&](auto, std::uint32_t source, auto, std::uint32_t target, auto, std::uint16_t delay, float weight) {
            result.push_back({source, target, delay * circuit.dt_ms(), weight});
        });
    std::sort(result.begin(), result.end());
    return result;
}

}  // namespace

TEST_CASE("from_list: weights and delays of a list override those of the projection", "[exact]") {
    const std::string rest = "\nweight = 7.0\ndelay_ms = 3.0";
    const auto synapses = [&](const std::string& lists) { return synapses_of(*build("connector = \"from_list\"\n" + lists + rest)); };
    const std::string pairs = "sources = [3, 0]\ntargets = [4, 1]\n";
    CHECK(synapses(pairs) == std::vector<Synapse>{{0, 1, 3, 7}, {3, 4, 3, 7}});
    CHECK(synapses(pairs + "weights = [0.5, -2]") == std::vector<Synapse>{{0, 1, 3, -2}, {3, 4, 3, 0.5}});
    CHECK(synapses(pairs + "delays_ms = [1.5, 0.5]") == std::vector<Synapse>{{0, 1, 0.5, 7}, {3, 4, 1.5, 7}});
    const Folder folder;
    const auto file = folder.write("edges.csv", "source,target,weight,delay_ms\n3,4,0.5,1.5\n0,1,-2,0.5\n0,1,4,2\n");
    CHECK(synapses("file = \"" + file + '"') == std::vector<Synapse>{{0, 1, 0.5, -2}, {0, 1, 2, 4}, {3, 4, 1.5, 0.5}});
}

TEST_CASE("from_list: the weights.h5 of a run gives its projection of the same name back", "[exact]") {
    const Folder folder;
    const std::string dt = "[run]\ndt_ms = 0.1\n";
    data::write_weights(folder / "weights.h5",
                        std::vector<data::ProjectionWeights>{{"other", "a", "b", {0}, {0}, {9}, {1}, 4, 5},
                                                             {"p", "a", "b", {0, 3}, {2, 1}, {0.3f, -1}, {0.5f, 1.5f}, 4, 5}});
    CHECK(synapses_of(*build("connector = \"from_list\"\nfile = \"" + folder / "weights.h5" + '"')) ==
          std::vector<Synapse>{{0, 2, 0.5, 0.3f}, {3, 1, 1.5, -1}});
    data::write_weights(folder / "none.h5", std::vector<data::ProjectionWeights>{{"other", "a", "b", {0}, {0}, {9}, {1}, 4, 5}});
    CHECK_THROWS_WITH(build("connector = \"from_list\"\nfile = \"" + folder / "none.h5" + '"'),
                      Catch::EndsWith("projections.p.file: the file " + folder / "none.h5" + " has no projection of this name"));
}

TEST_CASE("from_list: bad rows and delays are refused with their place", "[contract]") {
    const Folder folder;
    const auto refused = [&](const std::string& text, const std::string& message) {
        const auto file = folder.write("edges.csv", text);
        CHECK_THROWS_WITH(build("connector = \"from_list\"\nfile = \"" + file + '"'), file + message);
    };
    refused("source,target\n0,1\n4,1\n", ":3: source: must be < 4, the units of a, got 4");
    refused("source,target\n0,5\n", ":2: target: must be < 5, the units of b, got 5");
    refused("source,target,delay_ms\n0,1,0.7\n", ":2: delay_ms: must be 1 to 65535 times run.dt_ms = 0.5, got 0.7");
    refused("source,target,delay_ms\n0,1,0\n", ":2: delay_ms: must be 1 to 65535 times run.dt_ms = 0.5, got 0");
    CHECK_THROWS_WITH(build("connector = \"from_list\"\nsources = [1]\ntargets = [2]\ndelays_ms = [0.7]"),
                      Catch::Contains("projections.p.delays_ms: must be 1 to 65535 times run.dt_ms = 0.5, got 0.7 from unit 1 to 2"));
    const auto dendritic = [](const std::string& delays) {
        build("connector = \"from_list\"\nsources = [1, 0]\ntargets = [2, 2]\ndelay_site = \"dendritic\"\ndelays_ms = " + delays, 4, 5,
              "[projections.p.plasticity]\nrule = \"stdp\"");
    };
    CHECK_NOTHROW(dendritic("[1.5, 1.5]"));
    CHECK_THROWS_WITH(dendritic("[1.5, 2]"), Catch::Contains("delay_site: dendritic delays of plastic synapses must be constant"));
    CHECK_THROWS_WITH(build("connector = \"from_list\"\nfile = \"no such file.csv\""), "no such file.csv: cannot be opened");
}

TEST_CASE("large static projections of every connector that can stream have the pairs of connect, and small ones keep their blocks",
          "[contract]") {
    const std::uint32_t side = 2116;  // 46 x 46, and more than 2^22 pairs
    const std::map<std::string, std::string> settings{{"one_to_one", ""},
                                                      {"fixed_probability", "probability = 0.01"},
                                                      {"fixed_indegree", "indegree = 20\nmultapses = true"},
                                                      {"fixed_outdegree", "outdegree = 20"},
                                                      {"fixed_total_number", "number = 40000"},
                                                      {"distance_dependent", "length_mm = 0.05\np_max = 0.8\nsource_layout = \"random\""}};
    for (const auto& [name, keys] : settings) {
        INFO(name);
        const std::string text = "connector = \"" + name + "\"\n" + keys + "\nweight = 1.0\ndelay_ms = 1.0";
        const auto circuit = build(text, side, side);
        CHECK(circuit->projections()[0].blocks.empty());
        const auto description = app::parse_description("[projections.p]\nfrom = \"a\"\nto = \"b\"\n" + text, "net.toml");
        const auto edges = networks::find_connector(name, "").connect(
            description.projections[0].connection, "p", {.name = "p", .sources = side, .targets = side, .seed = 1, .from = "a", .to = "b"});
        const auto synapses = synapses_of(*circuit);
        REQUIRE(synapses.size() == edges.size());
        REQUIRE(edges.size() > 1000);
        std::size_t different = 0;
        for (std::size_t k = 0; k < edges.size(); ++k)
            different +=
                synapses[k].source != edges.source[k] || synapses[k].target != edges.target[k] || std::abs(synapses[k].weight - 1) > 1e-6f;
        CHECK(different == 0);
    }
    CHECK_FALSE(build("connector = \"fixed_probability\"\nprobability = 0.01", 2000, 2000)->projections()[0].blocks.empty());
}

TEST_CASE("a projection whose weights a feedback projection follows is not streamed", "[contract]") {
    const std::string text = R"([populations.a]
model = "lif"
size = 2100
[populations.b]
model = "lif"
size = 2100
[projections.p]
from = "a"
to = "b"
connector = "fixed_probability"
probability = 0.001
[projections.back]
from = "b"
to = "a"
connector = "transpose"
of = "p"
)";
    CHECK_FALSE(app::build_circuit(app::parse_description(text, "net.toml"))->projections()[0].blocks.empty());
}
