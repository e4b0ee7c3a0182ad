#include "systems/catalogue.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "app/run.hpp"
#include "sim/error.hpp"
#include "systems/measured.hpp"
#include "systems/run_systems.hpp"
#include "tests/systems/support.hpp"

using namespace ydot;
using namespace ydot::systems;
using ydot::test::catalogue_text;
using ydot::test::Folder;

namespace {

/// What is said of a catalogue in which one text stands for another.
Error refusal_of(const std::string& from, const std::string& to) {
    const Folder folder;
    folder.write("net.toml", "");
    auto text = std::string(catalogue_text);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    try {
        read_catalogue(folder.write("catalogue.toml", text));
    } catch (const Error& error) {
        return error;
    }
    FAIL("accepted: " << to);
    throw Error("not reached");
}

}  // namespace

TEST_CASE("a catalogue is read with every key, and what it leaves out has its default") {
    const Folder folder;
    folder.write("net.toml", "");
    const auto catalogue = read_catalogue(folder.write("catalogue.toml", std::string(catalogue_text)));
    REQUIRE(catalogue.systems.size() == 2);
    CHECK(catalogue.quick == std::vector<std::string>{"data.train=40"});
    const auto& first = catalogue.systems[0];
    CHECK(first.id == "S7");
    CHECK(first.published_error_percent == 2.1);
    CHECK(first.paper == "What it says,\nin two lines.\n");
    REQUIRE(first.runs.size() == 3);
    CHECK(first.runs[0].mode == Mode::spiking);
    CHECK(first.runs[0].metric == "test_error_percent");
    CHECK(first.runs[0].bound == 3.2);
    CHECK(!first.runs[1].has_bound());
    CHECK(first.runs[2].mode == Mode::rate);
    CHECK(headline(first, Mode::spiking) == &first.runs[1]);
    CHECK(headline(first, Mode::rate) == &first.runs[2]);
    CHECK(std::isnan(catalogue.systems[1].published_error_percent));
    CHECK(catalogue.systems[1].runs.empty());
    CHECK(headline(catalogue.systems[1], Mode::rate) == nullptr);
}

TEST_CASE("a run changes its description by mode, then its own settings, then the quick ones") {
    const Folder folder;
    folder.write("net.toml", "");
    const auto catalogue = read_catalogue(folder.write("catalogue.toml", std::string(catalogue_text)));
    const auto& run = catalogue.systems[0].runs[1];
    CHECK(overrides_of(catalogue, run, false) == std::vector<std::string>{"run.mode=spiking", "a.b=[\"x y\"]"});
    CHECK(overrides_of(catalogue, run, true) == std::vector<std::string>{"run.mode=spiking", "a.b=[\"x y\"]", "data.train=40", "a.c=1"});
    CHECK(command_of(catalogue, run, false, 3, true) ==
          "ydot run examples/systems/net.toml --set run.mode=spiking --set 'a.b=[\"x y\"]' --data $MNIST --seed 3");
    CHECK(command_of(catalogue, catalogue.systems[0].runs[0], true, 1, false) ==
          "ydot run examples/systems/net.toml --set run.mode=spiking --set data.train=40 --seed 1");
}

TEST_CASE("a faulty catalogue is refused with the place, the key, what is wrong and what is allowed") {
    const auto refused = [](const std::string& from, const std::string& to, const std::string& key, const std::string& reason) {
        const auto error = refusal_of(from, to);
        CAPTURE(error.what());
        CHECK(error.kind() == Error::Kind::bad_input);
        CHECK(error.key() == key);
        CHECK(error.reason().find(reason) != std::string::npos);
        CHECK(std::string(error.what()).find("catalogue.toml:") != std::string::npos);
    };
    refused("source = \"A\"", "sorce = \"A\"", "systems.S7.source", "is missing: author and year (did you mean it by sorce?)");
    refused("source = \"A\"", "source = \"A\"\nlink = \"x\"", "systems.S7.link", "unknown key");
    refused("published_error_percent = 2.1", "published_error_percent = \"2.1\"", "systems.S7.published_error_percent",
            "must be a number >= 0 and <= 100, got \"2.1\"");
    refused("published_error_percent = 2.1", "published_error_percent = 210", "systems.S7.published_error_percent", "got 210");
    refused("id = \"S8\"", "id = \"S7\"", "systems.S7.id", "\"S7\" names an earlier system");
    refused("id = \"S8\"", "id = \"S 8\"", "systems.S 8.id", "must consist of letters and digits, got \"S 8\"");
    refused("name = \"learned\"", "name = \"fixed\"", "systems.S7.runs.fixed.name", "names an earlier run in mode spiking");
    refused("name = \"learned\"", "name = \"Learned\"", "systems.S7.runs.Learned.name", "must consist of lower-case letters, digits and -");
    refused("mode = \"rate\"", "mode = \"rates\"", "systems.S7.runs.fixed.mode",
            "must be one of spiking, rate, got \"rates\" (did you mean rate?)");
    refused("bound = 3.2", "bound = [3.2]", "systems.S7.runs.fixed.bound", "must be a number, got [3.2]");
    refused("set = ['a.b=[\"x y\"]']", "set = \"a.b=1\"", "systems.S7.runs.learned.set", "must be a list of texts, got \"a.b=1\"");
    refused("file = \"net.toml\"", "file = \"nets.toml\"", "systems.S7.runs.fixed.file",
            "there is no description \"nets.toml\" beside the catalogue");
    refused("headline = true", "headline = false", "systems.S7.runs", "exactly one run in mode spiking must say headline = true, got 0");
    refused("bound = 3.2", "headline = true", "systems.S7.runs", "exactly one run in mode spiking must say headline = true, got 2");
    refused("quick = [\"data.train=40\"]", "quik = []", "quik", "unknown key; did you mean quick?");
    refused("quick = [", "sytems = 1\nquick = [", "sytems", "unknown key; did you mean systems?");
    refused("source = \"B\"", "source = \"B\"\nruns = 3", "systems.S8.runs", "must be a list of tables, each [[systems.runs]], got 3");
    refused("id = \"S7\"", "id = ", "", "");
}

TEST_CASE("a system that the catalogue does not have is refused with the nearest one") {
    const Folder folder;
    folder.write("net.toml", "");
    const auto catalogue = read_catalogue(folder.write("catalogue.toml", std::string(catalogue_text)));
    CHECK(find_system(catalogue, "S8").id == "S8");
    CHECK_THROWS_WITH(find_system(catalogue, "S9"),
                      Catch::Matchers::Contains("there is no system \"S9\"") && Catch::Matchers::Contains("S7, S8"));
}

TEST_CASE("the runs that are meant: one or all systems, a mode, a name, seeds") {
    const Folder folder;
    folder.write("net.toml", "");
    const auto catalogue = read_catalogue(folder.write("catalogue.toml", std::string(catalogue_text)));
    const auto names = [&](const Choice& choice) {
        std::vector<std::string> all;
        for (const auto& task : tasks_of(catalogue, choice)) all.push_back(name_of(task));
        return all;
    };
    CHECK(names({"S7", Mode::spiking, "", 4, 2}) == std::vector<std::string>{"S7 spiking fixed, seed 4", "S7 spiking fixed, seed 5",
                                                                             "S7 spiking learned, seed 4", "S7 spiking learned, seed 5"});
    CHECK(names({"all", {}, "fixed", 1, 1}) == std::vector<std::string>{"S7 spiking fixed, seed 1", "S7 rate fixed, seed 1"});
    CHECK_THROWS_WITH(names({"S8", {}, "", 1, 1}), Catch::Matchers::Contains("no run of it yet"));
    CHECK_THROWS_WITH(names({"S7", Mode::rate, "learned", 1, 1}),
                      Catch::Matchers::Contains("S7 --run learned --mode rate: there is no such run"));
}

TEST_CASE("every run of the catalogue that comes with the program is sound, and so are its quick settings") {
    const auto catalogue = read_catalogue(default_catalogue());
    std::set<std::string> ids;
    for (const auto& system : catalogue.systems) {
        ids.insert(system.id);
        for (const auto& run : system.runs) {
            CAPTURE(system.id, run.name);
            auto description = describe(catalogue, run, true, 1, {});
            description.data.train = description.data.validation = description.data.test = 20;  // building is meant, not drawing digits
            CHECK(app::dry_run(description).network.neurons > 0);
            CHECK_NOTHROW(describe(catalogue, run, false, 1, "images"));
        }
    }
    for (int k = 1; k <= 23; ++k) CHECK(ids.contains("S" + std::to_string(k)));
}

TEST_CASE("the records that come with the program are counted: each was made by the command that the catalogue now gives") {
    const auto catalogue = read_catalogue(default_catalogue());
    for (const auto& reason : measured(catalogue, read_records(default_records())).not_counted) FAIL_CHECK(reason);
}
