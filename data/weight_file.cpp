#include "data/weight_file.hpp"

#include <algorithm>

#include "data/detail/hdf5.hpp"
#include "data/detail/input_file.hpp"
#include "sim/error.hpp"

namespace ydot::data {

namespace {

using namespace detail;

void check_indices(const std::vector<std::uint32_t>& indices, std::uint32_t size, const std::string& what, const std::string& file) {
    const auto bad = std::find_if(indices.begin(), indices.end(), [&](std::uint32_t i) { return i >= size; });
    if (bad != indices.end()) throw Error(file, what + " must be below " + std::to_string(size) + ", got " + std::to_string(*bad), {});
}

void check_length(std::size_t length, std::size_t synapses, const std::string& what, const std::string& file) {
    if (length != synapses)
        throw Error(file,
                    what + " must have one value for each of " + std::to_string(synapses) + " synapses, has " + std::to_string(length), {});
}

void check_projection(const ProjectionWeights& p, const std::string& file) {
    const std::string path = "projections/" + p.name + '/';
    const std::size_t synapses = p.source.size();
    check_length(p.target.size(), synapses, path + "target", file);
    check_length(p.weight.size(), synapses, path + "weight", file);
    if (p.delay_ms.size() != 1) check_length(p.delay_ms.size(), synapses, path + "delay_ms", file);
    check_indices(p.source, p.sources, path + "source", file);
    check_indices(p.target, p.targets, path + "target", file);
}

void write_projection(hid_t parent, const ProjectionWeights& p, const Hdf5Check& check) {
    const auto group = create_group(parent, p.name, check);
    write_text_attribute(group, "from", p.from, check);
    write_text_attribute(group, "to", p.to, check);
    write_attribute(group, "sources", H5T_STD_U32LE, {&p.sources, 1}, check);
    write_attribute(group, "targets", H5T_STD_U32LE, {&p.targets, 1}, check);
    write_vector(group, "source", H5T_STD_U32LE, p.source, check);
    write_vector(group, "target", H5T_STD_U32LE, p.target, check);
    write_vector(group, "weight", H5T_IEEE_F32LE, p.weight, check);
    write_vector(group, "delay_ms", H5T_IEEE_F32LE, p.delay_ms, check);
}

ProjectionWeights read_projection(hid_t parent, const std::string& name, const Hdf5Check& check) {
    const auto group = open_group(parent, name, check);
    ProjectionWeights p;
    p.name = name;
    p.from = read_text_attribute(group, "from", check);
    p.to = read_text_attribute(group, "to", check);
    p.sources = read_uint32_attribute(group, "sources", check);
    p.targets = read_uint32_attribute(group, "targets", check);
    p.source = read_vector<std::uint32_t>(group, "source", check);
    p.target = read_vector<std::uint32_t>(group, "target", check);
    p.weight = read_vector<float>(group, "weight", check);
    p.delay_ms = read_vector<float>(group, "delay_ms", check);
    check_projection(p, check.file);
    return p;
}

}  // namespace

void write_weights(const std::string& path, std::span<const ProjectionWeights> projections) {
    std::vector<std::string> names;
    for (const auto& p : projections) names.push_back(p.name);
    check_names(names, path, "projection");
    for (const auto& p : projections) check_projection(p, path);
    write_whole_file(path, [&](hid_t file, const Hdf5Check& check) {
        const auto parent = create_group(file, "projections", check);
        for (const auto& p : projections) write_projection(parent, p, check);
    });
}

std::vector<ProjectionWeights> read_weights(const std::string& path) {
    require_file(path);
    const QuietHdf5 quiet;
    const Hdf5Check check{path, Error::Kind::bad_input};
    const auto file = open_file(check);
    const auto parent = open_group(file, "projections", check);
    std::vector<ProjectionWeights> projections;
    for (const auto& name : member_names(parent, check)) projections.push_back(read_projection(parent, name, check));
    return projections;
}

}  // namespace ydot::data
