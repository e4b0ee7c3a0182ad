#include "data/weight_file.hpp"

#include <hdf5.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot::data;
using Catch::Matchers::Contains;
using ydot::Error;

namespace {

struct Folder {
    fs::path path;
    Folder() : path(fs::temp_directory_path() / ("ydot_weights_" + std::to_string(std::random_device{}()))) {
        fs::create_directories(path);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
};

ProjectionWeights dense(const std::string& name, std::uint32_t sources, std::uint32_t targets) {
    ProjectionWeights p{name, "from " + name, "to", {}, {}, {}, {1.5f}, sources, targets};
    std::mt19937 random(1);
    for (std::uint32_t s = 0; s < sources; ++s)
        for (std::uint32_t t = 0; t < targets; ++t) {
            p.source.push_back(s);
            p.target.push_back(t);
            p.weight.push_back(std::normal_distribution<float>()(random));
        }
    return p;
}

std::string refusal_of(const std::string& path, const std::vector<ProjectionWeights>& projections) {
    try {
        write_weights(path, projections);
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::bad_input);
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("Weights survive a file bit for bit, in the order they were given", "[contract]") {
    const Folder folder;
    std::vector<ProjectionWeights> projections{
        dense("z first", 784, 100), dense("a -> b", 3, 1), {"empty", "x", "y", {}, {}, {}, {}, 5, 5}};
    projections[1].delay_ms = {0.1f, 2, 30};
    projections[2].delay_ms = {1};
    write_weights(folder / "w.h5", projections);
    CHECK(read_weights(folder / "w.h5") == projections);
}

TEST_CASE("A file without projections is read as one") {
    const Folder folder;
    write_weights(folder / "w.h5", {});
    CHECK(read_weights(folder / "w.h5").empty());
}

TEST_CASE("Arrays of synapses are compressed and a common delay is stored once") {
    const Folder folder;
    const std::vector<ProjectionWeights> projections{dense("p", 784, 100)};
    write_weights(folder / "w.h5", projections);
    CHECK(fs::file_size(folder / "w.h5") < 784 * 100 * 12 / 2);  // raw: 12 bytes a synapse; the indices alone shrink to almost nothing
    const hid_t file = H5Fopen((folder / "w.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t delay = H5Dopen2(file, "/projections/p/delay_ms", H5P_DEFAULT), space = H5Dget_space(delay);
    CHECK(H5Sget_simple_extent_npoints(space) == 1);
    H5Sclose(space);
    H5Dclose(delay);
    H5Fclose(file);
}

TEST_CASE("The same weights make the same bytes") {
    const Folder folder;
    const std::vector<ProjectionWeights> projections{dense("p", 20, 30)};
    for (const auto* name : {"a.h5", "b.h5"}) write_weights(folder / name, projections);
    std::ifstream a(folder / "a.h5", std::ios::binary), b(folder / "b.h5", std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(a), {}) == std::string(std::istreambuf_iterator<char>(b), {}));
}

TEST_CASE("Weights that are not consistent are refused and leave no file") {
    const Folder folder;
    auto p = dense("p", 4, 5);
    SECTION("length of weight") {
        p.weight.pop_back();
        CHECK_THAT(refusal_of(folder / "w.h5", {p}), Contains("projections/p/weight must have one value for each of 20 synapses, has 19"));
    }
    SECTION("length of delay_ms") {
        p.delay_ms = {1, 2};
        CHECK_THAT(refusal_of(folder / "w.h5", {p}), Contains("projections/p/delay_ms"));
    }
    SECTION("target outside the population") {
        p.target.back() = 5;
        CHECK_THAT(refusal_of(folder / "w.h5", {p}), Contains("projections/p/target must be below 5, got 5"));
    }
    SECTION("name twice") { CHECK_THAT(refusal_of(folder / "w.h5", {p, p}), Contains("twice")); }
    SECTION("name with a slash") {
        p.name = "a/b";
        CHECK_THAT(refusal_of(folder / "w.h5", {p}), Contains("'a/b'"));
    }
    CHECK(fs::is_empty(folder.path));
}

TEST_CASE("Files that cannot be read or written are named") {
    const Folder folder;
    CHECK_THROWS_WITH(read_weights(folder / "no.h5"), Contains("no.h5: there is no such file"));
    std::ofstream(folder / "bad.h5") << "text";
    CHECK_THROWS_WITH(read_weights(folder / "bad.h5"), Contains("bad.h5: cannot open it as an HDF5 file"));
    CHECK_THROWS_WITH(write_weights(folder / "no/w.h5", {}), Contains("no/w.h5") && Contains("No such file or directory"));
}
