#include "data/edge_file.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "sim/error.hpp"

namespace fs = std::filesystem;
using namespace ydot::data;

namespace {

struct File {
    std::string path;
    explicit File(const std::string& text)
        : path(fs::temp_directory_path() / ("ydot_edges_" + std::to_string(std::random_device{}()) + ".csv")) {
        std::ofstream(path, std::ios::binary) << text;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { fs::remove(path); }
};

}  // namespace

TEST_CASE("A list of synapses is read with its columns in any order, and knows its lines", "[exact]") {
    CHECK(read_edges(File("source,target\n0,1\n2,3\n").path) == EdgeTable{{0, 2}, {1, 3}, {}, {}, {2, 3}});
    CHECK(read_edges(File("delay_ms, target,weight,source\r\n1.5, 1 ,-2e3,7\r\n\r\n2,4294967295,0.25,0").path) ==
          EdgeTable{{7, 0}, {1, 4294967295}, {-2000, 0.25}, {1.5, 2}, {2, 4}});
    CHECK(read_edges(File("source,target,weight\n").path) == EdgeTable{});
}

TEST_CASE("A bad list of synapses is refused with file, line, value and what is allowed", "[contract]") {
    const auto refused = [](const std::string& text, const std::string& line, const std::string& message) {
        const File file(text);
        INFO(text);
        CHECK_THROWS_WITH(read_edges(file.path), file.path + ':' + line + ": " + message);
    };
    const std::string columns = "source,target and, if wanted, weight and delay_ms, each once, in any order";
    refused("", "1", "header: must be " + columns + ", got ''");
    refused("0,1\n2,3\n", "1", "header: must be " + columns + ", got '0,1'");
    refused("source,target,target\n", "1", "header: must be " + columns + ", got 'source,target,target'");
    refused("source,target\n0,1\n-1,3\n", "3", "source: must be an integer >= 0 and < 2^32, got '-1'");
    refused("source,target\n0,1.5\n", "2", "target: must be an integer >= 0 and < 2^32, got '1.5'");
    refused("source,target\n0,4294967296\n", "2", "target: must be an integer >= 0 and < 2^32, got '4294967296'");
    refused("source,target,weight\n0,1,heavy\n", "2", "weight: must be a finite number, got 'heavy'");
    refused("source,target,delay_ms\n0,1,inf\n", "2", "delay_ms: must be a finite number, got 'inf'");
    refused("source,target,weight\n0,1\n", "2", "row: must be 3 values as in the header, got '0,1'");
    CHECK_THROWS_WITH(read_edges("no such file.csv"), "no such file.csv: cannot be opened");
}
