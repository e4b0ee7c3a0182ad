#include "systems/records.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "sim/error.hpp"
#include "systems/measured.hpp"
#include "systems/report.hpp"
#include "tests/systems/support.hpp"

using namespace ydot;
using namespace ydot::systems;
using ydot::test::catalogue_text;
using ydot::test::Folder;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

Catalogue read(const Folder& folder) {
    folder.write("net.toml", "");
    return read_catalogue(folder.write("catalogue.toml", std::string(catalogue_text)));
}

/// A record of a run as the catalogue has it, with this test error.
Record record_of(const Catalogue& catalogue, const Run& run, std::int64_t seed, double error, bool quick = false, bool drawn = false) {
    Record r;
    r.system = "S7";
    r.run = run.name;
    r.mode = run.mode;
    r.seed = seed;
    r.quick = quick;
    r.command = command_of(catalogue, run, quick, seed, !drawn);
    r.data = drawn ? drawn_digits : mnist;
    r.date = "2026-11-22";
    r.processor = "a processor";
    r.threads = 2;
    r.summary = {
        {"version", "0.1.0"},
        {"metrics", {{"test_error_percent", error}, {"validation_error_percent", error - 0.5}, {"chosen_epoch", 2}, {"epochs", 2}}},
        {"timing", {{"build_s", 600}, {"run_s", 3000}, {"cpu_s", 7200}}}};
    r.curve = {{0, 0, 0, nan_value, 90, 0, nan_value, {}},
               {100, 1, 1.5, 50.25, error, 0.75, nan_value, {{"up", 80, 2, 0.5, 0.6, nan_value}}},
               {200, 2, 3, 40, error - 0.5, 0.5, nan_value, {{"up", 60, 2, 0.5, 0.7, 12}}}};
    return r;
}

}  // namespace

TEST_CASE("a record that was written is read back the same, what is not a number included") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto r = record_of(catalogue, catalogue.systems[0].runs[1], 3, 2.5);
    const auto file = write_record(folder.path() / "made" / "here", r);
    CHECK(file.filename() == "S7-spiking-learned-seed3.json");
    const auto all = read_records(folder.path() / "made" / "here");
    REQUIRE(all.size() == 1);
    const auto& back = all[0];
    CHECK(to_json(back).dump() == to_json(r).dump());
    CHECK(back.mode == Mode::spiking);
    CHECK(back.metric("test_error_percent") == 2.5);
    CHECK(std::isnan(back.metric("no such metric")));
    CHECK(back.timing("run_s") == 3000);
    REQUIRE(back.curve.size() == 3);
    CHECK(std::isnan(back.curve[0].train_error_percent));
    CHECK(back.curve[1].train_error_percent == 50.25);
    REQUIRE(back.curve[1].gradient.size() == 1);
    CHECK(back.curve[1].gradient[0].projection == "up");
    CHECK(std::isnan(back.curve[1].gradient[0].mean_field_angle_degrees));
    CHECK(back.curve[2].gradient[0].angle_degrees == 60);
}

TEST_CASE("records of other images and of quick runs have names of their own") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[2];
    CHECK(file_name(record_of(catalogue, run, 1, 2, true, true)) == "S7-rate-fixed-drawn-quick-seed1.json");
    CHECK(file_name(record_of(catalogue, run, 1, 2, false, true)) == "S7-rate-fixed-drawn-seed1.json");
    CHECK(file_name(record_of(catalogue, run, 2, 2, true, false)) == "S7-rate-fixed-quick-seed2.json");
}

TEST_CASE("a file that is no record is refused by name, a directory that is not there has none") {
    const Folder folder;
    CHECK(read_records(folder.path() / "nowhere").empty());
    folder.write("a.txt", "not looked at");
    for (const auto* text : {"", "[]", "{\"system\": \"S7\"}", "{\"system\": 7}"}) {
        folder.write("broken.json", text);
        CHECK_THROWS_WITH(read_records(folder.path()), Catch::Matchers::Contains("broken.json: is no record of a run: "));
    }
}

TEST_CASE("figures are the mean and the standard deviation over seeds") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& runs = catalogue.systems[0].runs;
    std::vector<Record> records;
    for (const double error : {2.0, 3.0, 4.0}) records.push_back(record_of(catalogue, runs[1], static_cast<std::int64_t>(error), error));
    records.push_back(record_of(catalogue, runs[0], 1, 5));
    const auto result = measured(catalogue, records);
    const auto& s7 = result.systems[0];
    REQUIRE(s7.headline(Mode::spiking));
    const auto m = s7.headline(Mode::spiking)->figure();
    CHECK(m.mean == Approx(3));
    CHECK(std::sqrt(m.variance) == Approx(1));  // unbiased: (1 + 0 + 1) / (3 - 1)
    CHECK(m.count == 3);
    CHECK(figure_text(m, "test_error_percent") == "3.00 ± 1.00 (3)");
    CHECK(figure_text(s7.runs[0].figure(), "test_error_percent") == "5.00 (1)");
    CHECK(figure_text(s7.runs[2].figure(), "test_error_percent") == "-");
    CHECK(s7.headline(Mode::rate) == nullptr);
    CHECK(result.not_counted.empty());
}

TEST_CASE("full runs are not averaged with quick ones, nor MNIST with drawn digits") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[1];
    std::vector<Record> records{record_of(catalogue, run, 1, 20, true, true)};
    const auto mean = [&] { return measured(catalogue, records).systems[0].runs[1].figure(); };
    CHECK(mean().mean == 20);
    records.push_back(record_of(catalogue, run, 1, 15, true, false));
    CHECK(mean().mean == 15);
    records.push_back(record_of(catalogue, run, 1, 5, false, true));
    CHECK(mean().mean == 5);
    records.push_back(record_of(catalogue, run, 1, 2, false, false));
    CHECK(mean().mean == 2);
    CHECK(mean().count == 1);
}

TEST_CASE("a record that the catalogue's command would not make is not counted, and said so") {
    const Folder folder;
    const auto catalogue = read(folder);
    auto changed = record_of(catalogue, catalogue.systems[0].runs[1], 1, 2), stranger = changed;
    changed.command += " --set run.dt_ms=2";
    stranger.run = "forgotten";
    const auto result = measured(catalogue, {changed, stranger});
    CHECK(result.systems[0].headline(Mode::spiking) == nullptr);
    CHECK(result.not_counted == std::vector<std::string>{"S7-spiking-learned-seed1.json: made by another command than the catalogue's",
                                                         "S7-spiking-forgotten-seed1.json: the catalogue has no such run"});
}

TEST_CASE("a record of a description that has changed since is not counted, and said so") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[1];
    auto record = record_of(catalogue, run, 1, 2);
    const auto why_not = [&] { return measured(catalogue, {record}).not_counted; };
    CHECK(why_not().empty());  // older records do not know
    folder.write("net.toml", "[run]\nseed = 3\n");
    record.description = fingerprint_of(catalogue, run);
    CHECK(record.description.size() == 16);
    CHECK(why_not().empty());
    folder.write("net.toml", "# a word\n[run]\n  seed   = 3 # another\n\n");
    CHECK(why_not().empty());
    for (const auto* other :
         {"[run]\nseed = 4\n", "[run]\nseed = 3\nthreads = 1\n", "[runs]\nseed = 3\n", "run = {seed = 3, threads = 3}"}) {
        folder.write("net.toml", other);
        CHECK(why_not() == std::vector<std::string>{"S7-spiking-learned-seed1.json: net.toml said something else when it was made"});
    }
}

TEST_CASE("the list for programs has null where nothing was measured or published") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[1];
    const auto list =
        nlohmann::json::parse(to_json(measured(catalogue, {record_of(catalogue, run, 1, 2), record_of(catalogue, run, 2, 4)})).dump());
    REQUIRE(list.size() == 2);
    CHECK(list[0]["id"] == "S7");
    CHECK(list[0]["published_error_percent"] == 2.1);
    CHECK(list[0]["rate"].is_null());
    CHECK(list[0]["spiking"]["test_error_percent"]["mean"] == 3.0);
    CHECK(list[0]["spiking"]["test_error_percent"]["sd"] == Approx(std::sqrt(2.0)));
    CHECK(list[0]["spiking"]["test_error_percent"]["seeds"] == 2);
    CHECK(list[0]["spiking"]["run"] == "learned");
    CHECK(list[0]["spiking"]["command"] == command_of(catalogue, run, false, 1, true));
    CHECK(list[0]["runs"].size() == 3);
    CHECK(list[0]["runs"][0]["measured"].is_null());
    CHECK(list[1]["published_error_percent"].is_null());
    CHECK(list[1]["spiking"].is_null());
    const auto single = nlohmann::json::parse(to_json(measured(catalogue, {record_of(catalogue, run, 1, 2)})).dump());
    CHECK(single[0]["spiking"]["test_error_percent"]["sd"].is_null());
}

TEST_CASE("the list for a terminal is a table, and marks figures that are not to be compared with the published ones") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[1];
    const auto full = to_text(measured(catalogue, {record_of(catalogue, run, 1, 2)}));
    CHECK(full.find("S7  Feedback  A       2.1 %      -     2.00 (1)  ydot systems run S7\n") != std::string::npos);
    CHECK(full.find("S8  Loops     B       -          -     -         -\n") != std::string::npos);
    CHECK(full.find('*') == std::string::npos);
    const auto drawn = to_text(measured(catalogue, {record_of(catalogue, run, 1, 2, false, true)}));
    CHECK(drawn.find("2.00 (1)*") != std::string::npos);
    CHECK(drawn.find("* drawn digits") != std::string::npos);
}

TEST_CASE("the report holds the texts of the catalogue and the figures of the records") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& runs = catalogue.systems[0].runs;
    const auto result = measured(
        catalogue, {record_of(catalogue, runs[0], 1, 4), record_of(catalogue, runs[1], 1, 2), record_of(catalogue, runs[1], 2, 4)});
    const auto text = to_markdown(result, {"S7"});
    for (const auto* part :
         {"| [S7](#s7) | Feedback | A | 2.1 | - | 3.00 ± 1.41 (2) |", "## S7: Feedback",
          "**What the paper says.** What it says,\nin two lines.", "**What differs here.** Spikes.",
          "**What a neuroscientist learns from it.** Look at feedback.",
          "| fixed | spiking | 4.00 (1) | 3.50 | - | ≤ 3.2: **not reached** |",
          "| learned | spiking | up | - | 60° ± 1° | 12° | 60° ± 1° |", "![Learning curves of S7](images/systems/S7.png)",
          "3 runs, 3.00 hours in all, 6.00 of processor time; a processor, 2 threads", "## S8: Loops", "Not measured yet."})
        CHECK(text.find(part) != std::string::npos);
    CHECK(to_markdown(result, {}).find("![") == std::string::npos);
}

TEST_CASE("the learning curves of the report are means over seeds with their standard deviation, without the untrained network") {
    const Folder folder;
    const auto catalogue = read(folder);
    const auto& run = catalogue.systems[0].runs[1];
    const auto figures = figures_of(measured(catalogue, {record_of(catalogue, run, 1, 2), record_of(catalogue, run, 2, 4)}))["figures"];
    REQUIRE(figures.size() == 1);
    CHECK(figures[0]["name"] == "S7");
    REQUIRE(figures[0]["panels"].size() == 2);
    const auto& error = figures[0]["panels"][0]["series"][0];
    CHECK(error["name"] == "learned, spiking");
    CHECK(error["x"] == nlohmann::json{100, 200});
    CHECK(error["y"] == nlohmann::json{3.0, 2.5});
    CHECK(error["error"][0].get<double>() == Approx(std::sqrt(2.0)));
    const auto& angles = figures[0]["panels"][1]["series"];
    REQUIRE(angles.size() == 2);
    CHECK(angles[0]["name"] == "learned, spiking, measured");
    CHECK(angles[0]["y"] == nlohmann::json{80.0, 60.0});
    CHECK(angles[0]["error"][0].get<double>() == Approx(std::sqrt(2.0)));  // two seeds, 2 degrees each
    CHECK(angles[1]["name"] == "learned, spiking, without noise");
    CHECK(angles[1]["x"] == nlohmann::json{200});  // the other was not measured
}
