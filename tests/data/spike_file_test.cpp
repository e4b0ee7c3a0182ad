#include "data/spike_file.hpp"

#include <hdf5.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>

#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot::data;
using Catch::Matchers::Contains;
using ydot::Error;

namespace {

/// A folder of its own that goes with the test.
struct Folder {
    fs::path path;
    Folder() : path(fs::temp_directory_path() / ("ydot_spikes_" + std::to_string(std::random_device{}()))) { fs::create_directories(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {})); }
};

std::string contents(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// Times with awkward digits; a population without spikes; names that need care in every format; ids not sorted.
SpikeTable sample() {
    const double tiny = std::numeric_limits<double>::denorm_min(), large = std::numeric_limits<double>::max();
    return {{"L2/3 exc", {}, {}},
            {"b", {0.1, 0.30000000000000004, 1.0 / 3, 1e-7, 123456789.125}, {3, 0, 3, 7, 1}},
            {"a, \"quoted\"\nü", {tiny, large, -0.0, -2.5}, {4000000000, 0, 0, 1}},
            {"silent", {}, {}}};
}
SpikeTable valid_sample() {
    auto table = sample();
    table[0].population = "L23 exc";
    return table;
}

PopulationSpikes random_spikes(const std::string& name, std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    PopulationSpikes p{name, {}, {}};
    double time_ms = 0;
    for (std::size_t i = 0; i < count; ++i) {
        p.times_ms.push_back(time_ms += std::exponential_distribution<>(10)(random));
        p.ids.push_back(random() % 1000);
    }
    return p;
}

/// Spikes through the writer in pieces of `piece`.
void stream(const std::string& path, const SpikeTable& spikes, std::size_t piece) {
    std::vector<std::string> names;
    for (const auto& p : spikes) names.push_back(p.population);
    SonataWriter writer(path, names);
    for (std::size_t p = 0; p < spikes.size(); ++p)
        for (std::size_t i = 0; i < spikes[p].ids.size(); i += piece) {
            const std::size_t count = std::min(piece, spikes[p].ids.size() - i);
            writer.append(p, std::span(spikes[p].times_ms).subspan(i, count), std::span(spikes[p].ids).subspan(i, count));
        }
    writer.close();
}

int sorting_of(const std::string& path, const std::string& population) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t attribute = H5Aopen_by_name(file, ("/spikes/" + population).c_str(), "sorting", H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute);
    signed char value = -1;
    H5Aread(attribute, type, &value);
    CHECK(H5Tget_class(type) == H5T_ENUM);
    char name[16] = "";
    H5Tenum_nameof(type, &value, name, sizeof name);
    CHECK(std::string(name) == (value == 0 ? "none" : value == 1 ? "by_id" : "by_time"));
    H5Tclose(type);
    H5Aclose(attribute);
    H5Fclose(file);
    return value;
}

template <class Action>
std::string message_of(Action action, Error::Kind kind = Error::Kind::bad_input) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.kind() == kind);
        return error.what();
    }
    return "nothing was thrown";
}

/// Lets no file of this process grow beyond `bytes`: what a full disk looks like.
struct FullDisk {
    rlimit before{};
    explicit FullDisk(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        const rlimit limit{bytes, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before); }
};

}  // namespace

TEST_CASE("A spike table survives every format bit for bit", "[contract]") {
    const Folder folder;
    const std::string extension = GENERATE(".h5", ".gdf", ".csv", ".npz");
    const auto table = valid_sample();
    write_spikes(folder / ("spikes" + extension), table);
    const auto back = read_spikes(folder / ("spikes" + extension));
    CHECK(back == table);
    CHECK(std::signbit(back[2].times_ms[2]));  // -0.0 == 0.0, hence the extra look
}

TEST_CASE("One population without spikes survives every format", "[contract]") {
    const Folder folder;
    const std::string extension = GENERATE(".h5", ".gdf", ".csv", ".npz");
    const SpikeTable table{{"spikes", {}, {}}};
    write_spikes(folder / ("spikes" + extension), table);
    CHECK(read_spikes(folder / ("spikes" + extension)) == table);
}

TEST_CASE("Spikes converted round all formats come back bit for bit") {
    const Folder folder;
    const SpikeTable table{random_spikes("exc", 5000, 1), random_spikes("inh", 300, 2)};
    write_spikes(folder / "0.h5", table);
    convert_spikes(folder / "0.h5", folder / "1.gdf");
    convert_spikes(folder / "1.gdf", folder / "2.npz");
    convert_spikes(folder / "2.npz", folder / "3.csv");
    convert_spikes(folder / "3.csv", folder / "4.h5");
    CHECK(read_spikes(folder / "4.h5") == table);
    CHECK(contents(folder / "4.h5") == contents(folder / "0.h5"));
}

TEST_CASE("A gdf file has global ids, and the sidecar says whose they are") {
    const Folder folder;
    const SpikeTable table{{"exc", {1.5, 2}, {1, 0}}, {"inh", {0.1}, {2}}};
    const std::vector<std::uint64_t> sizes{10, 5};
    write_spikes(folder / "s.gdf", table, sizes);
    CHECK(contents(folder / "s.gdf") == "1\t1.5\n0\t2\n12\t0.1\n");
    CHECK(contents(folder / "s.gdf.populations.csv") == "population,first_id,size\nexc,0,10\ninh,10,5\n");
    write_spikes(folder / "t.gdf", table);
    CHECK(contents(folder / "t.gdf") == "1\t1.5\n0\t2\n4\t0.1\n");
}

TEST_CASE("A gdf file without a sidecar is one population called spikes") {
    const Folder folder;
    write_text(folder / "s.gdf", "# from elsewhere\n7 0.5 \r\n\n3\t1e2");
    CHECK(read_spikes(folder / "s.gdf") == SpikeTable{{"spikes", {0.5, 100}, {7, 3}}});
    write_spikes(folder / "s.gdf", {{"spikes", {0.5}, {7}}});
    CHECK(folder.files() == 1);
}

TEST_CASE("The sidecar of an older gdf file does not outlive it") {
    const Folder folder;
    write_spikes(folder / "s.gdf", {{"exc", {1}, {1}}, {"inh", {1}, {1}}});
    CHECK(folder.files() == 2);
    write_spikes(folder / "s.gdf", {{"spikes", {1}, {30}}});
    CHECK(read_spikes(folder / "s.gdf") == SpikeTable{{"spikes", {1}, {30}}});
}

TEST_CASE("A csv file has a header and one line a spike") {
    const Folder folder;
    write_spikes(folder / "s.csv", {{"a,b", {0.1}, {2}}, {"c", {5}, {0}}});
    CHECK(contents(folder / "s.csv") == "population,id,time_ms\n\"a,b\",2,0.1\nc,0,5\n");
    CHECK(folder.files() == 1);
}

TEST_CASE("Spikes streamed in small pieces and in one piece make the same file") {
    const Folder folder;
    const SpikeTable table{random_spikes("big", SonataWriter::buffered_spikes + 20000, 3), random_spikes("small", 10, 4)};
    stream(folder / "one.h5", table, std::numeric_limits<std::size_t>::max());
    const std::size_t piece = GENERATE(7, 4096, 100001);
    stream(folder / "pieces.h5", table, piece);
    CHECK(read_spikes(folder / "pieces.h5") == table);
    CHECK(contents(folder / "pieces.h5") == contents(folder / "one.h5"));
}

TEST_CASE("The file says by_time or by_id only where the spikes are in that order") {
    const Folder folder;
    SonataWriter writer(folder / "s.h5", {"ordered", "later", "across", "none"});
    writer.append(0, std::vector{1.0, 1.0, 2.0}, std::vector<std::uint64_t>{0, 1, 1});
    writer.append(1, std::vector{2.0, 1.0}, std::vector<std::uint64_t>{0, 1});
    writer.append(2, std::vector{2.0}, std::vector<std::uint64_t>{5});
    writer.append(2, std::vector{1.0}, std::vector<std::uint64_t>{4});
    const bool by_time = GENERATE(true, false);
    writer.close(by_time ? Sorting::by_time : Sorting::by_id);
    const int asked = by_time ? 2 : 1;
    CHECK(sorting_of(folder / "s.h5", "ordered") == asked);
    CHECK(sorting_of(folder / "s.h5", "later") == (by_time ? 0 : asked));
    CHECK(sorting_of(folder / "s.h5", "across") == 0);
    CHECK(sorting_of(folder / "s.h5", "none") == asked);
}

TEST_CASE("A file that is being written can be read after a flush") {
    const Folder folder;
    SonataWriter writer(folder / "s.h5", {"exc"});
    CHECK(read_spikes(folder / "s.h5") == SpikeTable{{"exc", {}, {}}});
    writer.append(0, std::vector{1.0}, std::vector<std::uint64_t>{4});
    writer.flush();
    // A copy: HDF5 shares what it has in memory when one process opens a file twice.
    fs::copy(folder / "s.h5", folder / "copy.h5");
    CHECK(read_spikes(folder / "copy.h5") == SpikeTable{{"exc", {1}, {4}}});
}

TEST_CASE("A writer that is destroyed without close leaves a readable file without a promise of order") {
    const Folder folder;
    {
        SonataWriter writer(folder / "s.h5", {"exc"});
        writer.append(0, std::vector{1.0, 2.0}, std::vector<std::uint64_t>{4, 5});
    }
    CHECK(read_spikes(folder / "s.h5") == SpikeTable{{"exc", {1, 2}, {4, 5}}});
    CHECK(sorting_of(folder / "s.h5", "exc") == 0);
}

TEST_CASE("The writer refuses misuse and says why") {
    const Folder folder;
    CHECK_THAT(message_of([&] { SonataWriter(folder / "s.h5", {"a/b"}); }), Contains("s.h5") && Contains("'a/b'"));
    CHECK_THAT(message_of([&] { SonataWriter(folder / "s.h5", {"a", "a"}); }), Contains("twice"));
    CHECK_THAT(message_of([&] { SonataWriter(folder / "no/s.h5", {"a"}); }, Error::Kind::run_failure),
               Contains("no/s.h5") && Contains("No such file or directory"));
    SonataWriter writer(folder / "s.h5", {"a"});
    CHECK_THAT(message_of([&] { writer.append(0, std::vector{1.0}, {}); }), Contains("as many ids as times"));
    CHECK_THAT(message_of([&] { writer.append(1, {}, {}); }), Contains("no population number 1"));
    writer.close();
    writer.close();
    CHECK_THAT(message_of([&] { writer.append(0, {}, {}); }), Contains("is closed"));
}

TEST_CASE("A full disk is an error that names the file, and nothing crashes afterwards") {
    const Folder folder;
    const auto spikes = random_spikes("exc", SonataWriter::buffered_spikes, 5);
    {
        SonataWriter writer(folder / "s.h5", {"exc"});
        const FullDisk full(100000);  // ends before the writer: the limit would also hold for the memory that an abandoned file goes to
        const auto failing = [&] { writer.append(0, spikes.times_ms, spikes.ids); };
        CHECK_THAT(message_of(failing, Error::Kind::run_failure), Contains("s.h5") && Contains("File too large"));
        CHECK_THAT(message_of(failing, Error::Kind::run_failure), Contains("File too large"));
        CHECK_THAT(message_of([&] { writer.close(); }, Error::Kind::run_failure), Contains("File too large"));
    }
    if (fs::exists("/dev/full"))
        CHECK_THAT(message_of([&] { SonataWriter("/dev/full", {"exc"}); }, Error::Kind::run_failure), Contains("No space left on device"));
    write_spikes(folder / "after.h5", {spikes});
    CHECK(read_spikes(folder / "after.h5") == SpikeTable{spikes});
}

TEST_CASE("A conversion that fails leaves nothing behind and keeps an older file") {
    const Folder folder;
    const std::string extension = GENERATE(".gdf", ".csv", ".npz");
    const SpikeTable older{{"spikes", {1}, {2}}}, large{random_spikes("spikes", 200000, 6)};
    write_spikes(folder / ("s" + extension), older);
    {
        const FullDisk full(100000);
        CHECK_THAT(message_of([&] { write_spikes(folder / ("s" + extension), large); }, Error::Kind::run_failure),
                   Contains("s" + extension));
    }
    CHECK(folder.files() == 1);
    CHECK(read_spikes(folder / ("s" + extension)) == older);
}

TEST_CASE("Errors in text files name file, line, value and what is expected") {
    const Folder folder;
    const auto refusal = [&](const std::string& name, const std::string& text) {
        write_text(folder / name, text);
        return message_of([&] { read_spikes(folder / name); });
    };
    CHECK_THAT(refusal("s.gdf", "1\t2\n1\tx\n"), Contains("s.gdf:2: time_ms: must be a finite number, got 'x'"));
    CHECK_THAT(refusal("s.gdf", "-1\t2\n"), Contains("s.gdf:1: id: must be an integer >= 0, got '-1'"));
    CHECK_THAT(refusal("s.gdf", "1\n"), Contains("s.gdf:1: line: must be an id, a tab and a time in ms, got '1'"));
    CHECK_THAT(refusal("s.gdf", "1 2 3\n"), Contains("s.gdf:1"));
    CHECK_THAT(refusal("s.csv", "id,time\n"), Contains("s.csv:1: ") && Contains("population,id,time_ms"));
    CHECK_THAT(refusal("s.csv", "population,id,time_ms\na,1,nan\n"), Contains("s.csv:2: time_ms: must be a finite number, got 'nan'"));
    CHECK_THAT(refusal("s.csv", "population,id,time_ms\n\"a\nb\",1,2\na,1\n"), Contains("s.csv:4: row"));
    CHECK_THAT(refusal("s.csv", ""), Contains("header"));
    write_text(folder / "s.gdf.populations.csv", "population,first_id,size\na,0,3\n");
    CHECK_THAT(refusal("s.gdf", "3\t1\n"), Contains("s.gdf:1: id: must be of a population in"));
}

TEST_CASE("Errors in binary files name the file and what is wrong") {
    const Folder folder;
    write_text(folder / "s.h5", "not HDF5");
    CHECK_THAT(message_of([&] { read_spikes(folder / "s.h5"); }), Contains("s.h5: cannot open it as an HDF5 file"));
    write_text(folder / "s.npz", "not a zip");
    CHECK_THAT(message_of([&] { read_spikes(folder / "s.npz"); }), Contains("s.npz: cannot be opened as an .npz archive"));
    CHECK_THAT(message_of([&] { read_spikes(folder / "no.h5"); }), Contains("no.h5: there is no such file"));
    CHECK_THAT(message_of([&] { read_spikes(folder / "s.txt"); }), Contains(".h5, .gdf, .csv or .npz"));
    write_spikes(folder / "s.npz", {random_spikes("a", 100, 7)});
    auto bytes = contents(folder / "s.npz");
    bytes[300] = static_cast<char>(bytes[300] ^ 1);
    write_text(folder / "s.npz", bytes);
    CHECK_THAT(message_of([&] { read_spikes(folder / "s.npz"); }), Contains("a/times_ms.npy is damaged"));
}

TEST_CASE("Tables that are not consistent are refused before anything is written") {
    const Folder folder;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<std::uint64_t> sizes{3};
    CHECK_THAT(message_of([&] { write_spikes(folder / "s.csv", {}); }), Contains("at least one population"));
    CHECK_THAT(message_of([&] { write_spikes(folder / "s.csv", {{"a", {1, 2}, {1}}}); }), Contains("as many ids as times"));
    CHECK_THAT(message_of([&] { write_spikes(folder / "s.csv", {{"a", {nan}, {1}}}); }), Contains("finite"));
    CHECK_THAT(message_of([&] { write_spikes(folder / "s.csv", sample()); }), Contains("'L2/3 exc'"));
    CHECK_THAT(message_of([&] { write_spikes(folder / "s.gdf", {{"a", {1}, {3}}}, sizes); }), Contains("3 units, got a spike of unit 3"));
    CHECK(folder.files() == 0);
}
