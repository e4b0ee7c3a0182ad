#include "data/activity_file.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot::data;
using Catch::Matchers::Contains;
using ydot::Activity;

namespace {

struct Folder {
    fs::path path;
    Folder() : path(fs::temp_directory_path() / ("ydot_activity_" + std::to_string(std::random_device{}()))) {
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
};

Activity example() {
    Activity activity{{100, 3.5, 70, 2.1, 300, 12, 7}, 1234.5, {}};
    activity.populations.push_back({"z first", {1, 2.5, 0}, {0.7, 0.1 + 0.2, 3}, {1, 0.5, 2}, {-0.25, 0, 1}, {0, 5, 7}, {1, 2}});
    activity.populations.push_back({"a -> b", {}, {}, {}, {}, {0}, {}});
    return activity;
}

}  // namespace

TEST_CASE("An activity survives a file bit for bit, in the order it was given", "[contract]") {
    const Folder folder;
    const auto activity = example();
    write_activity(folder / "a.h5", activity);
    const auto read = read_activity(folder / "a.h5");
    CHECK(read.options == activity.options);
    CHECK(read.stop_ms == activity.stop_ms);
    CHECK(read.populations == activity.populations);
}

TEST_CASE("What there is none of stays a NaN, and the same activity makes the same bytes") {
    const Folder folder;
    auto activity = example();
    activity.populations[0].cv[1] = std::nan("");
    for (const auto* name : {"a.h5", "b.h5"}) write_activity(folder / name, activity);
    CHECK(std::isnan(read_activity(folder / "a.h5").populations[0].cv[1]));
    std::ifstream a(folder / "a.h5", std::ios::binary), b(folder / "b.h5", std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(a), {}) == std::string(std::istreambuf_iterator<char>(b), {}));
}

TEST_CASE("Activities that cannot be read or written are refused and leave no file") {
    const Folder folder;
    auto activity = example();
    activity.populations[0].cv.pop_back();
    write_activity(folder / "short.h5", activity);
    CHECK_THROWS_WITH(read_activity(folder / "short.h5"),
                      Contains("short.h5: activity/z first/cv must have one value for each of 3 units, has 2"));
    std::ofstream(folder / "bad.h5") << "text";
    CHECK_THROWS_WITH(read_activity(folder / "bad.h5"), Contains("bad.h5: cannot open it as an HDF5 file"));
    CHECK_THROWS_WITH(read_activity(folder / "no.h5"), Contains("there is no such file"));
    activity.populations[1].name = activity.populations[0].name;
    CHECK_THROWS_WITH(write_activity(folder / "twice.h5", activity), Contains("twice"));
    CHECK_THROWS_WITH(write_activity(folder / "no/a.h5", example()), Contains("No such file or directory"));
    CHECK_FALSE(fs::exists(folder / "twice.h5"));
}
