#include "data/activity_file.hpp"

#include "data/detail/hdf5.hpp"
#include "data/detail/input_file.hpp"
#include "sim/error.hpp"

namespace ydot::data {
namespace {

using namespace detail;

void write_population(hid_t parent, const PopulationActivity& p, const Hdf5Check& check) {
    const auto group = create_group(parent, p.name, check);
    write_vector(group, "rate_Hz", H5T_IEEE_F64LE, p.rate_Hz, check);
    write_vector(group, "cv", H5T_IEEE_F64LE, p.cv, check);
    write_vector(group, "fano", H5T_IEEE_F64LE, p.fano, check);
    write_vector(group, "correlation", H5T_IEEE_F64LE, p.correlation, check);
    write_vector(group, "bins_with", H5T_STD_U64LE, p.bins_with, check);
    write_vector(group, "sample_bins_with", H5T_STD_U64LE, p.sample_bins_with, check);
}

PopulationActivity read_population(hid_t parent, const std::string& name, const Hdf5Check& check) {
    const auto group = open_group(parent, name, check);
    PopulationActivity p;
    p.name = name;
    p.rate_Hz = read_vector<double>(group, "rate_Hz", check);
    p.cv = read_vector<double>(group, "cv", check);
    p.fano = read_vector<double>(group, "fano", check);
    p.correlation = read_vector<double>(group, "correlation", check);
    p.bins_with = read_indices(group, "bins_with", check);
    p.sample_bins_with = read_indices(group, "sample_bins_with", check);
    for (const auto& [key, length] : {std::pair{"cv", p.cv.size()}, std::pair{"fano", p.fano.size()}})
        if (length != p.rate_Hz.size())
            check.fail("activity/" + name + "/" + key + " must have one value for each of " + std::to_string(p.rate_Hz.size()) +
                       " units, has " + std::to_string(length));
    return p;
}

void write_contents(hid_t file, const Activity& activity, const Hdf5Check& check) {
    const auto& o = activity.options;
    write_attribute(file, "start_ms", o.start_ms, check);
    write_attribute(file, "stop_ms", activity.stop_ms, check);
    write_attribute(file, "bin_ms", o.bin_ms, check);
    write_attribute(file, "window_ms", o.window_ms, check);
    write_attribute(file, "correlation_bin_ms", o.correlation_bin_ms, check);
    write_attribute(file, "sampled_units", H5T_STD_U32LE, {&o.sampled_units, 1}, check);
    write_attribute(file, "correlated_units", H5T_STD_U32LE, {&o.correlated_units, 1}, check);
    write_attribute(file, "least_intervals", H5T_STD_U32LE, {&o.least_intervals, 1}, check);
    const auto parent = create_group(file, "activity", check);
    for (const auto& p : activity.populations) write_population(parent, p, check);
}

}  // namespace

void write_activity(const std::string& path, const Activity& activity) {
    std::vector<std::string> names;
    for (const auto& p : activity.populations) names.push_back(p.name);
    check_names(names, path, "population");
    write_whole_file(path, [&](hid_t file, const Hdf5Check& check) { write_contents(file, activity, check); });
}

Activity read_activity(const std::string& path) {
    require_file(path);
    const QuietHdf5 quiet;
    const Hdf5Check check{path, Error::Kind::bad_input};
    const auto file = open_file(check);
    Activity activity;
    auto& o = activity.options;
    o.start_ms = read_double_attribute(file, "start_ms", check);
    activity.stop_ms = read_double_attribute(file, "stop_ms", check);
    o.bin_ms = read_double_attribute(file, "bin_ms", check);
    o.window_ms = read_double_attribute(file, "window_ms", check);
    o.correlation_bin_ms = read_double_attribute(file, "correlation_bin_ms", check);
    o.sampled_units = read_uint32_attribute(file, "sampled_units", check);
    o.correlated_units = read_uint32_attribute(file, "correlated_units", check);
    o.least_intervals = read_uint32_attribute(file, "least_intervals", check);
    const auto parent = open_group(file, "activity", check);
    for (const auto& name : member_names(parent, check)) activity.populations.push_back(read_population(parent, name, check));
    return activity;
}

}  // namespace ydot::data
