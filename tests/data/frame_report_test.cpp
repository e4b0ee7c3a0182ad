#include "data/frame_report.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "data/detail/hdf5.hpp"
#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot::data;
using Catch::Matchers::Contains;

namespace {

struct Folder {
    fs::path path;
    Folder() : path(fs::temp_directory_path() / ("ydot_frames_" + std::to_string(std::random_device{}()))) { fs::create_directories(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
};

FrameMapping units(std::uint32_t count) {
    FrameMapping mapping{{}, {0}, std::vector<std::uint32_t>(count), {}};
    for (std::uint32_t i = 0; i < count; ++i) {
        mapping.node_ids.push_back(i);
        mapping.index_pointers.push_back(i + 1);
    }
    return mapping;
}

/// Rows of a report of one population, "p".
std::vector<float> rows_of(const std::string& path, std::size_t& frames, std::vector<double>& time) {
    const detail::Hdf5Check check{path, ydot::Error::Kind::bad_input};
    const auto file = detail::open_file(check);
    const auto group = detail::open_group(file, "/report/p", check), mapping = detail::open_group(group, "mapping", check);
    time = detail::read_vector<double>(mapping, "time", check);
    const auto data = detail::open_dataset(group, "data", check);
    const auto space = check.own<detail::SpaceHandle>(H5Dget_space(data), "read");
    hsize_t size[2];
    H5Sget_simple_extent_dims(space, size, nullptr);
    frames = size[0];
    std::vector<float> values(size[0] * size[1]);
    H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    return values;
}

}  // namespace

TEST_CASE("Frames come back, however many there are and however wide", "[contract]") {
    const Folder folder;
    for (const std::uint32_t width : {1u, 3u, 5000u})
        for (const std::size_t count : {0u, 1u, 700u}) {
            std::vector<float> all;
            FrameWriter writer(folder / "a.h5", "p", "mV", units(width), 2, 0.5);
            for (std::size_t k = 0; k < count; ++k) {
                std::vector<float> frame(width);
                for (std::size_t i = 0; i < width; ++i) frame[i] = static_cast<float>(k * width + i);
                writer.append(frame);
                all.insert(all.end(), frame.begin(), frame.end());
            }
            writer.close();
            std::size_t frames = 0;
            std::vector<double> time;
            CHECK((rows_of(folder / "a.h5", frames, time) == all));
            CHECK(frames == count);
            CHECK(time == std::vector<double>{2, 2 + 0.5 * static_cast<double>(count), 0.5});
        }
}

TEST_CASE("A report can be read while it is written", "[contract]") {
    const Folder folder;
    FrameWriter writer(folder / "a.h5", "p", "mV", units(2), 0, 1);
    const std::vector<float> frame{1, 2};
    writer.append(frame);
    writer.flush();
    fs::copy_file(folder / "a.h5", folder / "copy.h5");
    std::size_t frames = 0;
    std::vector<double> time;
    CHECK(rows_of(folder / "copy.h5", frames, time) == frame);
    CHECK(time == std::vector<double>{0, 1, 1});
}

TEST_CASE("The same frames give the same bytes", "[contract]") {
    const Folder folder;
    std::vector<std::string> bytes;
    for (const auto* name : {"a.h5", "b.h5"}) {
        FrameWriter writer(folder / name, "p", "mV", units(2), 0, 1);
        writer.append(std::vector<float>{1, 2});
        writer.close();
        std::ifstream in(folder / name, std::ios::binary);
        bytes.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    CHECK((bytes[0] == bytes[1]));
}

TEST_CASE("What cannot be appended or made is refused", "[contract]") {
    const Folder folder;
    FrameWriter writer(folder / "a.h5", "p", "mV", units(2), 0, 1);
    CHECK_THROWS_WITH(writer.append(std::vector<float>{1}), Contains("a frame must have 2 values, got 1"));
    writer.close();
    writer.close();
    CHECK_THROWS_WITH(writer.append(std::vector<float>{1, 2}), Contains("is closed"));
    CHECK_THROWS_AS(FrameWriter(folder / "none/a.h5", "p", "mV", units(2), 0, 1), ydot::Error);
}

TEST_CASE("A full disk is an error that is told once more by every later call", "[contract]") {
    if (!fs::exists("/dev/full")) return;
    const Folder folder;
    fs::create_symlink("/dev/full", folder / "full.h5");
    CHECK_THROWS_AS(FrameWriter(folder / "full.h5", "p", "mV", units(2), 0, 1), ydot::Error);
}
