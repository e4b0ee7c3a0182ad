#include <algorithm>
#include <array>
#include <optional>

#include "data/detail/hdf5.hpp"
#include "data/detail/output_file.hpp"
#include "data/detail/spike_formats.hpp"
#include "data/spike_file.hpp"

namespace ydot::data {

namespace {

using namespace detail;

constexpr hsize_t chunk_length = 4096;  // 32 KB a dataset: small populations stay small files

TypeHandle sorting_type(const Hdf5Check& check) {
    auto type = check.own<TypeHandle>(H5Tenum_create(H5T_STD_U8LE), "make an enum");
    constexpr std::array<const char*, 3> names{"none", "by_id", "by_time"};
    std::uint8_t value = 0;
    for (const char* name : names) {
        check(H5Tenum_insert(type, name, &value), "make an enum");
        ++value;
    }
    return type;
}

/// An empty dataset that can grow.
DatasetHandle create_column(hid_t group, const char* name, hid_t type, const Hdf5Check& check) {
    constexpr hsize_t none = 0, unlimited = H5S_UNLIMITED;
    const auto space = check.own<SpaceHandle>(H5Screate_simple(1, &none, &unlimited), "create a dataset");
    const auto creation = check.own<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE), "create a dataset");
    check(H5Pset_chunk(creation, 1, &chunk_length), "create a dataset");
    check(H5Pset_obj_track_times(creation, false), "create a dataset");
    return check.own<DatasetHandle>(H5Dcreate2(group, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), "create a dataset");
}

template <class T>
void extend(hid_t dataset, hsize_t old_length, std::span<const T> values, const Hdf5Check& check) {
    const hsize_t count = values.size(), length = old_length + count;
    check(H5Dset_extent(dataset, &length), "extend a dataset");
    const auto file_space = check.own<SpaceHandle>(H5Dget_space(dataset), "extend a dataset");
    check(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &old_length, nullptr, &count, nullptr), "extend a dataset");
    const auto memory_space = check.own<SpaceHandle>(H5Screate_simple(1, &count, nullptr), "extend a dataset");
    check(H5Dwrite(dataset, hdf5_type<T>(), memory_space, file_space, H5P_DEFAULT, values.data()), "write spikes");
}

/// One population of a file that is being written.
struct Column {
    GroupHandle group;
    DatasetHandle timestamps, node_ids;
    AttributeHandle sorting;
    std::vector<double> times_ms;
    std::vector<std::uint64_t> ids;
    hsize_t written = 0;
    std::optional<double> last_time_ms;
    std::optional<std::uint64_t> last_id;
    bool by_time = true, by_id = true;

    void add(std::span<const double> new_times_ms, std::span<const std::uint64_t> new_ids) {
        follow(new_times_ms, last_time_ms, by_time);
        follow(new_ids, last_id, by_id);
        times_ms.insert(times_ms.end(), new_times_ms.begin(), new_times_ms.end());
        ids.insert(ids.end(), new_ids.begin(), new_ids.end());
    }

    void write(const Hdf5Check& check) {
        if (times_ms.empty()) return;
        extend<double>(timestamps, written, times_ms, check);
        extend<std::uint64_t>(node_ids, written, ids, check);
        written += times_ms.size();
        times_ms.clear();
        ids.clear();
    }

    /// The order asked for, if the spikes are in it.
    Sorting held(Sorting asked) const {
        const bool holds = (asked == Sorting::by_time && by_time) || (asked == Sorting::by_id && by_id);
        return holds ? asked : Sorting::none;
    }

private:
    template <class T>
    static void follow(std::span<const T> values, std::optional<T>& last, bool& sorted) {
        if (values.empty()) return;
        sorted = sorted && !(last && values.front() < *last) && std::is_sorted(values.begin(), values.end());
        last = values.back();
    }
};

void set_sorting(const Column& column, Sorting sorting, const Hdf5Check& check) {
    const auto type = sorting_type(check);
    const auto value = static_cast<std::uint8_t>(sorting);
    check(H5Awrite(column.sorting, type, &value), "write an attribute");
}

Column create_population(hid_t spikes, const std::string& name, const Hdf5Check& check) {
    Column column;
    column.group = create_group(spikes, name, check);
    const auto type = sorting_type(check);
    const auto space = check.own<SpaceHandle>(H5Screate(H5S_SCALAR), "write an attribute");
    column.sorting =
        check.own<AttributeHandle>(H5Acreate2(column.group, "sorting", type, space, H5P_DEFAULT, H5P_DEFAULT), "write an attribute");
    set_sorting(column, Sorting::none, check);
    column.timestamps = create_column(column.group, "timestamps", H5T_IEEE_F64LE, check);
    write_text_attribute(column.timestamps, "units", "ms", check);
    column.node_ids = create_column(column.group, "node_ids", H5T_STD_U64LE, check);
    return column;
}

}  // namespace

struct SonataWriter::State : GrowingFile {
    std::vector<Column> columns;
    std::size_t buffered = 0;

    State(std::string path, const std::vector<std::string>& populations) : GrowingFile(std::move(path), populations, "spikes") {
        attempt([&] {
            write_sonata_header(file, check);
            const auto spikes = create_group(file, "spikes", check);
            for (const auto& name : populations) columns.push_back(create_population(spikes, name, check));
            check(H5Fflush(file, H5F_SCOPE_GLOBAL), "write the file");
        });
    }

    ~State() {
        const QuietHdf5 quiet;
        attempt_silently([&] { write_buffers(); });
        release();
    }

    /// Closes everything, files last. @return whether all of it was written
    bool release() noexcept {
        columns.clear();
        return file.reset() >= 0;
    }

    void write_buffers() {
        for (auto& column : columns) column.write(check);
        check(H5Fflush(file, H5F_SCOPE_GLOBAL), "write the file");
        buffered = 0;
    }
};

SonataWriter::SonataWriter(std::string path, const std::vector<std::string>& populations)
    : state_(std::make_unique<State>(std::move(path), populations)) {}
SonataWriter::SonataWriter(SonataWriter&&) noexcept = default;
SonataWriter& SonataWriter::operator=(SonataWriter&&) noexcept = default;
SonataWriter::~SonataWriter() = default;

void SonataWriter::append(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> ids) {
    State& s = *state_;
    if (population >= s.columns.size() && s.file >= 0)
        throw Error(s.check.file, "has no population number " + std::to_string(population), {});
    if (times_ms.size() != ids.size())
        throw Error(s.check.file,
                    "there must be as many ids as times, got " + std::to_string(ids.size()) + " and " + std::to_string(times_ms.size()),
                    {});
    s.attempt([&] {
        while (!times_ms.empty()) {
            const std::size_t count = std::min(times_ms.size(), buffered_spikes - s.buffered);
            s.columns[population].add(times_ms.first(count), ids.first(count));
            times_ms = times_ms.subspan(count);
            ids = ids.subspan(count);
            if ((s.buffered += count) == buffered_spikes) s.write_buffers();
        }
    });
}

void SonataWriter::flush() {
    state_->attempt([&] { state_->write_buffers(); });
}

void SonataWriter::close(Sorting sorting) {
    State& s = *state_;
    if (s.file < 0 && !s.failure) return;
    s.attempt([&] {
        s.write_buffers();
        for (const auto& column : s.columns) set_sorting(column, column.held(sorting), s.check);
        s.check(H5Fflush(s.file, H5F_SCOPE_GLOBAL), "write the file");
        if (!s.release()) s.check.fail("cannot close the file");
    });
}

namespace detail {

void write_sonata(const std::string& path, const SpikeTable& spikes) {
    std::vector<std::string> names;
    for (const auto& p : spikes) names.push_back(p.population);
    TemporaryPath file(path);
    SonataWriter writer(file.temporary(), names);
    for (std::size_t i = 0; i < spikes.size(); ++i) writer.append(i, spikes[i].times_ms, spikes[i].ids);
    writer.close(Sorting::by_time);
    file.commit();
}

namespace {

void check_units(hid_t group, const std::string& population, const Hdf5Check& check) {
    const auto timestamps = open_dataset(group, "timestamps", check);
    if (!has_attribute(timestamps, "units", check)) return;
    const std::string units = read_text_attribute(timestamps, "units", check);
    if (units != "ms") check.fail("units of /spikes/" + population + "/timestamps must be \"ms\", got \"" + units + "\"");
}

}  // namespace

SpikeTable read_sonata(const std::string& path) {
    const QuietHdf5 quiet;
    const Hdf5Check check{path, Error::Kind::bad_input};
    const auto file = open_file(check);
    const auto spikes = open_group(file, "spikes", check);
    SpikeTable table;
    for (const auto& name : member_names(spikes, check)) {
        const auto group = open_group(spikes, name, check);
        check_units(group, name, check);
        table.push_back({name, read_vector<double>(group, "timestamps", check), read_indices(group, "node_ids", check)});
    }
    return table;
}

}  // namespace detail
}  // namespace ydot::data
