#include "data/frame_report.hpp"

#include <algorithm>
#include <array>

#include "data/detail/hdf5.hpp"

namespace ydot::data {
namespace {

using namespace detail;

constexpr hsize_t chunk_values = 16384, widest_chunk = 1024;  // 64 KB; narrow enough that the trace of one unit is read fast

/// Frames x columns, to grow by frames. A report without columns holds nothing and does not grow.
DatasetHandle create_frames(hid_t group, hsize_t columns, const Hdf5Check& check) {
    const std::array<hsize_t, 2> none{0, columns}, most{H5S_UNLIMITED, columns};
    const hsize_t across = std::clamp<hsize_t>(columns, 1, widest_chunk);
    const std::array<hsize_t, 2> chunk{std::max<hsize_t>(chunk_values / across, 1), across};
    const auto space = check.own<SpaceHandle>(H5Screate_simple(2, none.data(), most.data()), "create a dataset");
    const auto creation = check.own<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE), "create a dataset");
    check(H5Pset_chunk(creation, 2, chunk.data()), "create a dataset");
    check(H5Pset_obj_track_times(creation, false), "create a dataset");
    return check.own<DatasetHandle>(H5Dcreate2(group, "data", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT),
                                    "create a dataset");
}

/// A whole vector that may be written again.
DatasetHandle create_times(hid_t mapping, const Hdf5Check& check) {
    constexpr hsize_t length = 3;
    const auto space = check.own<SpaceHandle>(H5Screate_simple(1, &length, nullptr), "create a dataset");
    const auto creation = check.own<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE), "create a dataset");
    check(H5Pset_obj_track_times(creation, false), "create a dataset");
    auto times = check.own<DatasetHandle>(H5Dcreate2(mapping, "time", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT),
                                          "create a dataset");
    write_text_attribute(times, "units", "ms", check);
    return times;
}

void mark_sorted(hid_t mapping, const Hdf5Check& check) {
    const auto ids = open_dataset(mapping, "node_ids", check);
    const auto space = check.own<SpaceHandle>(H5Screate(H5S_SCALAR), "write an attribute");
    const auto attribute =
        check.own<AttributeHandle>(H5Acreate2(ids, "sorted", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT), "write an attribute");
    constexpr std::uint8_t sorted = 1;
    check(H5Awrite(attribute, H5T_NATIVE_UINT8, &sorted), "write an attribute");
}

}  // namespace

struct FrameWriter::State : GrowingFile {
    DatasetHandle frames, times;
    hsize_t columns, written = 0;
    double start_ms, step_ms;
    std::vector<float> waiting;

    State(std::string path, const std::string& population, const std::string& units, const FrameMapping& m, double start, double step)
        : GrowingFile(std::move(path), {&population, 1}, "frames"), columns(m.element_ids.size()), start_ms(start), step_ms(step) {
        attempt([&] {
            write_sonata_header(file, check);
            const auto report = create_group(file, "report", check), group = create_group(report, population, check);
            frames = create_frames(group, columns, check);
            write_text_attribute(frames, "units", units, check);
            const auto mapping = create_group(group, "mapping", check);
            write_vector(mapping, "node_ids", H5T_STD_U64LE, m.node_ids, check);
            mark_sorted(mapping, check);
            write_vector(mapping, "index_pointers", H5T_STD_U64LE, m.index_pointers, check);
            write_vector(mapping, "element_ids", H5T_STD_U32LE, m.element_ids, check);
            if (!m.source_ids.empty()) write_vector(mapping, "source_ids", H5T_STD_U64LE, m.source_ids, check);
            times = create_times(mapping, check);
            write_buffer();
        });
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        const QuietHdf5 quiet;
        attempt_silently([&] { write_buffer(); });
        release();
    }

    /// Closes everything, the file last. @return whether all of it was written
    bool release() noexcept {
        frames.reset();
        times.reset();
        return file.reset() >= 0;
    }

    void write_buffer() {
        if (const std::array<hsize_t, 2> count{columns ? waiting.size() / columns : 0, columns}; count[0] > 0) {
            const std::array<hsize_t, 2> size{written + count[0], columns}, from{written, 0};
            check(H5Dset_extent(frames, size.data()), "extend a dataset");
            const auto in_file = check.own<SpaceHandle>(H5Dget_space(frames), "extend a dataset");
            check(H5Sselect_hyperslab(in_file, H5S_SELECT_SET, from.data(), nullptr, count.data(), nullptr), "extend a dataset");
            const auto in_memory = check.own<SpaceHandle>(H5Screate_simple(2, count.data(), nullptr), "extend a dataset");
            check(H5Dwrite(frames, H5T_NATIVE_FLOAT, in_memory, in_file, H5P_DEFAULT, waiting.data()), "write frames");
            written = size[0];
            waiting.clear();
        }
        const std::array<double, 3> time{start_ms, start_ms + static_cast<double>(written) * step_ms, step_ms};
        check(H5Dwrite(times, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, time.data()), "write times");
        check(H5Fflush(file, H5F_SCOPE_GLOBAL), "write the file");
    }
};

FrameWriter::FrameWriter(std::string path, const std::string& population, const std::string& units, const FrameMapping& mapping,
                         double start_ms, double step_ms)
    : state_(std::make_unique<State>(std::move(path), population, units, mapping, start_ms, step_ms)) {}
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;
FrameWriter& FrameWriter::operator=(FrameWriter&&) noexcept = default;
FrameWriter::~FrameWriter() = default;

void FrameWriter::append(std::span<const float> values) {
    State& s = *state_;
    if (values.size() != s.columns)
        throw Error(s.check.file, "a frame must have " + std::to_string(s.columns) + " values, got " + std::to_string(values.size()), {});
    if (s.failure || s.file < 0) s.attempt([] {});
    s.waiting.insert(s.waiting.end(), values.begin(), values.end());
    if (s.waiting.size() * sizeof(float) >= buffered_bytes) flush();
}

void FrameWriter::flush() {
    state_->attempt([&] { state_->write_buffer(); });
}

void FrameWriter::close() {
    State& s = *state_;
    if (s.file < 0 && !s.failure) return;
    s.attempt([&] {
        s.write_buffer();
        if (!s.release()) s.check.fail("cannot close the file");
    });
}

}  // namespace ydot::data
