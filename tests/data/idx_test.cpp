#include "data/idx.hpp"

#include <unistd.h>
#include <zlib.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "data/images.hpp"
#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot;
using namespace ydot::data;
using Bytes = std::vector<std::uint8_t>;

namespace {

/// A new empty directory that goes away with the test.
struct Scratch {
    fs::path path;
    Scratch() {
        std::string name = (fs::temp_directory_path() / "ydot-idx-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { fs::remove_all(path); }
    fs::path operator/(const char* name) const { return path / name; }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator())); }
};

Bytes read_bytes(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const Bytes& bytes) {
    std::ofstream out(file, std::ios::binary);
    for (const std::uint8_t byte : bytes) out.put(static_cast<char>(byte));
}

/// The Error that `action` throws; fails the test when it throws none.
template <class Action>
Error error_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    FAIL("no Error was thrown");
    return Error("");
}

/// Images of 2 x 3 pixels that count upwards, labels 0, 1, 2, ...
ImageSet counting_images(std::size_t count, std::uint8_t first = 0) {
    ImageSet set{2, 3, Bytes(count * 6), Bytes(count)};
    std::iota(set.pixels.begin(), set.pixels.end(), first);
    std::iota(set.labels.begin(), set.labels.end(), first);
    return set;
}

const std::array<std::uint32_t, 3> shape{2, 2, 3};
const Bytes values{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255};
const Bytes file_of_values{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255};

/// What read_idx says of a file with these bytes.
std::string reason_for(const Bytes& bytes, unsigned rank = 3) {
    const Scratch scratch;
    const fs::path file = scratch / "file";
    write_bytes(file, bytes);
    const Error error = error_of([&] { read_idx(file, rank); });
    CHECK(error.key() == file.string());
    CHECK(error.kind() == Error::Kind::bad_input);
    return error.reason();
}

/// What load_idx_directory says of 10 training and 4 test images.
std::string reason_for_numbers(std::size_t train, std::size_t validation, std::size_t test) {
    const Scratch scratch;
    write_idx_directory(scratch.path, {counting_images(10), counting_images(0), counting_images(4), ""});
    return error_of([&] { load_idx_directory(scratch.path, train, validation, test); }).reason();
}

}  // namespace

TEST_CASE("an IDX file is written byte for byte as the format says", "[data][idx]") {
    const Scratch scratch;
    write_idx(scratch / "images", shape, values);
    CHECK(read_bytes(scratch / "images") == file_of_values);
}

TEST_CASE("an IDX file is read back as it was written, plain and by gzip", "[data][idx]") {
    const Scratch scratch;
    for (const char* name : {"images", "images.gz"}) {
        write_idx(scratch / name, shape, values);
        const IdxArray array = read_idx(scratch / name, 3);
        CHECK(array.shape == std::vector<std::uint32_t>{2, 2, 3});
        CHECK(array.values == values);
        write_idx(scratch / name, std::array{12u}, values);  // over the old one
        CHECK(read_idx(scratch / name, 1).values == values);
    }
    CHECK(read_bytes(scratch / "images.gz").at(0) == 0x1F);
    CHECK(scratch.files() == 2);  // no temporary file stays
}

TEST_CASE("an array larger than the read buffer survives the round trip", "[data][idx]") {
    const Scratch scratch;
    Bytes many(5'000'001);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::uint8_t>(i * i >> 8);
    for (const char* name : {"many", "many.gz"}) {
        write_idx(scratch / name, std::array{5'000'001u}, many);
        CHECK(read_idx(scratch / name, 1).values == many);
    }
}

TEST_CASE("an array without values survives the round trip", "[data][idx]") {
    const Scratch scratch;
    write_idx(scratch / "none", std::array{0u, 28u, 28u}, {});
    CHECK(read_idx(scratch / "none", 3).values.empty());
}

TEST_CASE("gzip is known by its content, whatever the name", "[data][idx]") {
    const Scratch scratch;
    write_idx(scratch / "a.gz", shape, values);
    fs::rename(scratch / "a.gz", scratch / "a");
    CHECK(read_idx(scratch / "a", 3).values == values);
    write_bytes(scratch / "b.gz", file_of_values);
    CHECK(read_idx(scratch / "b.gz", 3).values == values);
}

TEST_CASE("a wrong magic number is refused with the value found and expected", "[data][idx]") {
    CHECK(reason_for(file_of_values, 1) == "is not an IDX file of labels: magic number 0x00000803 found, 0x00000801 expected");
    CHECK(reason_for({'P', '5', '\n', '2', ' ', '3'}) ==
          "is not an IDX file of images: magic number 0x50350a32 found, 0x00000803 expected");
    CHECK(reason_for({0, 0, 0x0D, 3, 0, 0, 0, 0}) ==
          "is not an IDX file of images: magic number 0x00000d03 found, 0x00000803 expected");  // floats
}

TEST_CASE("a truncated file is refused with the bytes expected and found", "[data][idx]") {
    const auto first = [](std::ptrdiff_t n) { return Bytes(file_of_values.begin(), file_of_values.begin() + n); };
    CHECK(reason_for({}) == "is truncated: 16 bytes of header expected, 0 found");
    CHECK(reason_for(first(3)) == "is truncated: 16 bytes of header expected, 3 found");
    CHECK(reason_for(first(15)) == "is truncated: 16 bytes of header expected, 15 found");
    CHECK(reason_for(first(16)) == "is truncated: 12 bytes of values expected, 0 found");
    CHECK(reason_for(first(27)) == "is truncated: 12 bytes of values expected, 11 found");
}

TEST_CASE("a header that announces more than memory holds is refused like any truncated file", "[data][idx]") {
    Bytes huge(file_of_values);
    std::fill(huge.begin() + 4, huge.begin() + 16, std::uint8_t{0xFF});
    CHECK(reason_for(huge) == "is truncated: 18446744073709551615 bytes of values expected, 12 found");
}

TEST_CASE("bytes after the last value are refused", "[data][idx]") {
    Bytes longer(file_of_values);
    longer.insert(longer.end(), {7, 7, 7});
    CHECK(reason_for(longer) == "has 3 bytes after the 12 values that its header announces");
}

TEST_CASE("corrupt gzip is refused", "[data][idx]") {
    const Scratch scratch;
    write_idx(scratch / "a.gz", std::array{1000u}, Bytes(1000, 9));
    const Bytes good = read_bytes(scratch / "a.gz");

    CHECK(reason_for({good.begin(), good.end() - 9}, 1) == "is corrupt: the gzip data end too early");
    Bytes wrong_sum(good);
    wrong_sum[good.size() - 8] ^= 1;  // CRC-32 of the content
    CHECK_THAT(reason_for(wrong_sum, 1), Catch::StartsWith("is corrupt gzip: ") && Catch::Contains("incorrect data check"));
    Bytes wrong_block(good);
    wrong_block[10] = 0xFF;  // type of the first block
    CHECK_THAT(reason_for(wrong_block, 1), Catch::StartsWith("is corrupt gzip: "));
}

TEST_CASE("a file that is not there or not a file is refused", "[data][idx]") {
    const Scratch scratch;
    CHECK(error_of([&] { read_idx(scratch / "none", 3); }).reason() == "cannot be opened: No such file or directory");
    CHECK(error_of([&] { read_idx(scratch.path, 3); }).reason() == "is a directory, not a file");
}

TEST_CASE("writing refuses numbers that do not agree and says when it cannot write", "[data][idx]") {
    const Scratch scratch;
    CHECK(error_of([&] { write_idx(scratch / "a", std::array{13u}, values); }).reason() == "the dimensions ask for 13 values, got 12");
    CHECK(error_of([&] { write_idx(scratch / "a", {}, {}); }).reason() == "an IDX file has 1 to 255 dimensions, got 0");
    const Error error = error_of([&] { write_idx(scratch / "no/such/a", shape, values); });
    CHECK(error.reason() == "cannot be written: No such file or directory");
    CHECK(error.kind() == Error::Kind::run_failure);
    CHECK(scratch.files() == 0);
}

TEST_CASE("a write that fails at its end leaves the old state and no temporary file", "[data][idx]") {
    const Scratch scratch;
    fs::create_directories(scratch / "taken/inside");  // a directory that is not empty cannot be replaced
    const Error error = error_of([&] { write_idx(scratch / "taken", shape, values); });
    CHECK_THAT(error.reason(), Catch::StartsWith("cannot be written: "));
    CHECK(fs::is_directory(scratch / "taken/inside"));
    CHECK(scratch.files() == 1);
}

TEST_CASE("a split is read back as it was written, plain and by gzip", "[data][images]") {
    const Scratch scratch;
    const Split split{counting_images(5), counting_images(3, 100), counting_images(4, 200), ""};
    for (const bool gzip : {false, true}) {
        const fs::path directory = scratch.path / (gzip ? "gzip" : "plain") / "made";
        write_idx_directory(directory, split, gzip);
        CHECK(fs::exists(directory / (gzip ? "t10k-labels-idx1-ubyte.gz" : "t10k-labels-idx1-ubyte")));
        const Split read = load_idx_directory(directory, 0, 3, 0);
        CHECK(read.train == split.train);
        CHECK(read.validation == split.validation);
        CHECK(read.test == split.test);
        CHECK(read.source == directory.string());
    }
}

TEST_CASE("validation takes the last training images, training the first of the rest, test the first", "[data][images]") {
    const Scratch scratch;
    write_idx_directory(scratch.path, {counting_images(10), counting_images(0), counting_images(4), ""});
    const Split some = load_idx_directory(scratch.path, 5, 2, 3);
    CHECK(some.train.labels == Bytes{0, 1, 2, 3, 4});
    CHECK(some.validation.labels == Bytes{8, 9});
    CHECK(some.test.labels == Bytes{0, 1, 2});
    CHECK(some.validation.image(1)[0] == 9 * 6);
    CHECK(some.train.image(4).size() == 6);
    const Split all = load_idx_directory(scratch.path, 0, 0, 0);
    CHECK(all.train == counting_images(10));
    CHECK(all.validation.count() == 0);
    CHECK(all.test == counting_images(4));
}

TEST_CASE("asking for more images than there are says how many there are", "[data][images]") {
    CHECK(reason_for_numbers(11, 0, 0) == "11 training images asked for, but there are 10");
    CHECK(reason_for_numbers(9, 2, 0) == "9 training (after those for validation) images asked for, but there are 8");
    CHECK(reason_for_numbers(0, 11, 0) == "11 validation images asked for, but there are 10");
    CHECK(reason_for_numbers(0, 10, 0) == "there are no training (after those for validation) images");
    CHECK(reason_for_numbers(0, 0, 5) == "5 test images asked for, but there are 4");
}

TEST_CASE("a missing directory or file is named", "[data][images]") {
    const Scratch scratch;
    const fs::path none = scratch / "none";
    CHECK(error_of([&] { load_idx_directory(none, 0, 0, 0); }).reason() == "data directory " + none.string() + " does not exist");
    const Error error = error_of([&] { load_idx_directory(scratch.path, 0, 0, 0); });
    CHECK(error.key() == (scratch / "train-images-idx3-ubyte").string());
    CHECK(error.reason() == "file does not exist, and neither does train-images-idx3-ubyte.gz");
}

TEST_CASE("files that do not fit together are refused", "[data][images]") {
    const Scratch scratch;
    write_idx_directory(scratch.path, {counting_images(10), counting_images(0), counting_images(4), ""});
    const auto reason = [&] { return error_of([&] { load_idx_directory(scratch.path, 0, 0, 0); }).reason(); };

    write_idx(scratch / "t10k-images-idx3-ubyte", std::array{4u, 3u, 3u}, Bytes(36));
    CHECK(reason() == "training images have 2 x 3 pixels, but test images 3 x 3");
    write_idx(scratch / "t10k-images-idx3-ubyte", std::array{4u, 0u, 3u}, {});
    CHECK(reason() == "holds images of 0 x 3 pixels");
    write_idx(scratch / "train-labels-idx1-ubyte", std::array{9u}, Bytes(9));
    CHECK(reason() == "holds 10 images, but train-labels-idx1-ubyte holds 9 labels");
}
