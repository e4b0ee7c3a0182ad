#include "app/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "app/connect_request.hpp"
#include "networks/list.hpp"
#include "sim/error.hpp"

namespace ydot::app {
namespace {

constexpr double unit_bytes = 120;         // state, input, words of a step and history of a unit
constexpr double listed_bytes = 34;        // edge (8), connectivity (16), block (8), index of plastic ones
constexpr double streamed_bytes = 4;       // StaticSynapses
constexpr double words_of_a_source = 100;  // of four bytes: lengths of the runs in every partition, cursors

double synapses_of(const ProjectionSpec& spec, const Circuit& circuit) {
    const auto& connector = networks::find_connector(spec.connector, "projections." + spec.name + ".connector", spec.source);
    if (!connector.expected_synapses) return 0;
    return connector.expected_synapses(spec.connection, "projections." + spec.name, request_for(spec, circuit));
}

/// The first number of a file; nothing for a missing file or the word "max".
double number_in(const char* path) {
    std::ifstream file(path);
    double x = std::numeric_limits<double>::infinity();
    return file >> x ? x : std::numeric_limits<double>::infinity();
}

/// A line "MemAvailable:  123 kB".
double available_kB() {
    std::ifstream file("/proc/meminfo");
    for (std::string key, rest; file >> key; std::getline(file, rest))
        if (double kB = 0; key == "MemAvailable:" && file >> kB) return kB;
    return std::numeric_limits<double>::infinity();
}

/// What the limit on the address space (ulimit -v) leaves.
double address_space_left() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<double>::infinity();
    return static_cast<double>(limit.rlim_cur) - number_in("/proc/self/statm") * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryNeed memory_needed(const Description& description, const Circuit& circuit, const std::set<std::string>& streamed) {
    MemoryNeed need;
    for (const auto& spec : description.populations) need.neurons += static_cast<double>(spec.size);
    need.bytes = unit_bytes * need.neurons + (streamed.empty() ? 0 : 4 * words_of_a_source * need.neurons);
    for (const auto& spec : description.projections) {
        const double synapses = synapses_of(spec, circuit);
        need.synapses += synapses;
        need.bytes += synapses * (streamed.contains(spec.name) ? streamed_bytes : listed_bytes);
    }
    return need;
}

std::size_t available_memory_bytes() {
    const double group = number_in("/sys/fs/cgroup/memory.max") - number_in("/sys/fs/cgroup/memory.current");
    const double bytes =
        std::min({1024 * available_kB(), group > 0 ? group : std::numeric_limits<double>::infinity(), address_space_left()});
    return bytes < 1e18 ? static_cast<std::size_t>(std::max(bytes, 0.0)) : std::numeric_limits<std::size_t>::max();
}

void require_memory(const MemoryNeed& need, std::size_t available_bytes) {
    if (need.bytes <= static_cast<double>(available_bytes)) return;
    throw Error(
        fmt::format("the network needs about {:.3g} GB of memory, {:.3g} GB are free: it has {:.4g} neurons and about {:.4g} synapses",
                    1e-9 * need.bytes, 1e-9 * static_cast<double>(available_bytes), need.neurons, need.synapses));
}

}  // namespace ydot::app
