#include "data/detail/hdf5.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "data/detail/output_file.hpp"

namespace ydot::data::detail {

namespace {

/// Innermost entry of HDF5's error stack; of a failed system call only what the system said ("No space left on device").
std::string last_reason() {
    std::string reason;
    const auto keep = [](unsigned, const H5E_error2_t* entry, void* text) -> herr_t {
        if (entry->desc) *static_cast<std::string*>(text) = entry->desc;
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep, &reason);
    constexpr std::string_view mark = "error message = '";
    const auto begin = reason.find(mark);
    if (begin == std::string::npos) return reason;
    const auto end = reason.find('\'', begin + mark.size());
    return reason.substr(begin + mark.size(), end - begin - mark.size());
}

PropertyHandle unlocked_access(const Hdf5Check& check) {
    auto access = check.own<PropertyHandle>(H5Pcreate(H5P_FILE_ACCESS), "prepare the file");
    check(H5Pset_file_locking(access, false, true), "prepare the file");
    check(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG), "prepare the file");
    return access;
}

}  // namespace

hid_t Hdf5Check::operator()(hid_t result, std::string_view doing) const {
    if (result >= 0) return result;
    const std::string reason = last_reason();
    fail("cannot " + std::string(doing) + (reason.empty() ? "" : ": " + reason));
}

FileHandle create_file(const Hdf5Check& check) {
    const auto access = unlocked_access(check);
    return check.own<FileHandle>(H5Fcreate(check.file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), "create the file");
}

FileHandle open_file(const Hdf5Check& check) {
    const auto access = unlocked_access(check);
    return check.own<FileHandle>(H5Fopen(check.file.c_str(), H5F_ACC_RDONLY, access), "open it as an HDF5 file");
}

void abandon_file(hid_t file) noexcept {
    any_file_abandoned = true;
    void* descriptor = nullptr;
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) < 0) return;
    const int memory = memfd_create("abandoned", MFD_CLOEXEC);
    if (memory < 0) return;
    dup2(memory, *static_cast<const int*>(descriptor));
    close(memory);
}

void write_whole_file(const std::string& path, const std::function<void(hid_t file, const Hdf5Check& check)>& write) {
    const QuietHdf5 quiet;
    TemporaryPath output(path);
    const Hdf5Check check{output.temporary(), Error::Kind::run_failure};
    auto file = create_file(check);
    try {
        write(file, check);
        check(H5Fflush(file, H5F_SCOPE_GLOBAL), "write the file");
    } catch (...) {
        abandon_file(file);
        throw;
    }
    check(file.reset(), "close the file");
    output.commit();
}

GrowingFile::GrowingFile(std::string path, std::span<const std::string> populations, std::string_view its_contents)
    : check{std::move(path), Error::Kind::run_failure}, contents(its_contents) {
    const QuietHdf5 quiet;
    check_names(populations, check.file, "population");
    file = create_file(check);
}

GroupHandle create_group(hid_t parent, const std::string& name, const Hdf5Check& check) {
    const auto creation = check.own<PropertyHandle>(H5Pcreate(H5P_GROUP_CREATE), "prepare a group");
    check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "prepare a group");
    check(H5Pset_obj_track_times(creation, false), "prepare a group");  // same run, same bytes
    return check.own<GroupHandle>(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT), "create group " + name);
}

GroupHandle open_group(hid_t parent, const std::string& name, const Hdf5Check& check) {
    return check.own<GroupHandle>(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), "open group " + name);
}

std::vector<std::string> member_names(hid_t group, const Hdf5Check& check) {
    const auto creation = check.own<PropertyHandle>(H5Gget_create_plist(group), "list a group");
    unsigned order = 0;
    check(H5Pget_link_creation_order(creation, &order), "list a group");
    const H5_index_t index = order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    H5G_info_t info;
    check(H5Gget_info(group, &info), "list a group");
    std::vector<std::string> names(info.nlinks);
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        const auto length = H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
        names[i].resize(static_cast<std::size_t>(check(length, "list a group")));
        H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, names[i].data(), names[i].size() + 1, H5P_DEFAULT);
    }
    return names;
}

void write_attribute(hid_t object, const char* name, hid_t type, std::span<const std::uint32_t> values, const Hdf5Check& check) {
    const hsize_t length = values.size();
    const auto space =
        check.own<SpaceHandle>(length == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &length, nullptr), "write an attribute");
    const auto attribute =
        check.own<AttributeHandle>(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), "write an attribute");
    check(H5Awrite(attribute, H5T_NATIVE_UINT32, values.data()), "write an attribute");
}

void write_attribute(hid_t object, const char* name, double value, const Hdf5Check& check) {
    const auto space = check.own<SpaceHandle>(H5Screate(H5S_SCALAR), "write an attribute");
    const auto attribute =
        check.own<AttributeHandle>(H5Acreate2(object, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT), "write an attribute");
    check(H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value), "write an attribute");
}

void write_sonata_header(hid_t file, const Hdf5Check& check) {
    constexpr std::uint32_t magic = 0x0A7A;
    constexpr std::array<std::uint32_t, 2> version{0, 1};
    write_attribute(file, "magic", H5T_STD_U32LE, {&magic, 1}, check);
    write_attribute(file, "version", H5T_STD_U32LE, version, check);
}

namespace {
TypeHandle text_type(const Hdf5Check& check) {
    auto type = check.own<TypeHandle>(H5Tcopy(H5T_C_S1), "make a text type");
    check(H5Tset_size(type, H5T_VARIABLE), "make a text type");
    check(H5Tset_cset(type, H5T_CSET_UTF8), "make a text type");
    return type;
}
}  // namespace

void write_text_attribute(hid_t object, const char* name, const std::string& text, const Hdf5Check& check) {
    const auto type = text_type(check);
    const auto space = check.own<SpaceHandle>(H5Screate(H5S_SCALAR), "write an attribute");
    const auto attribute =
        check.own<AttributeHandle>(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), "write an attribute");
    const char* characters = text.c_str();
    check(H5Awrite(attribute, type, &characters), "write an attribute");
}

bool has_attribute(hid_t object, const char* name, const Hdf5Check& check) { return check(H5Aexists(object, name), "read attributes") > 0; }

std::string read_text_attribute(hid_t object, const char* name, const Hdf5Check& check) {
    const std::string doing = std::string("read attribute ") + name;
    const auto attribute = check.own<AttributeHandle>(H5Aopen(object, name, H5P_DEFAULT), doing);
    const auto stored = check.own<TypeHandle>(H5Aget_type(attribute), doing);
    if (H5Tget_class(stored) != H5T_STRING) check.fail("attribute " + std::string(name) + " must be a text");
    if (H5Tis_variable_str(stored) > 0) {
        char* characters = nullptr;
        const auto type = text_type(check);
        check(H5Tset_cset(type, H5Tget_cset(stored)), doing);
        check(H5Aread(attribute, type, &characters), doing);
        std::string text = characters ? characters : "";
        H5free_memory(characters);
        return text;
    }
    std::string text(H5Tget_size(stored), '\0');
    check(H5Aread(attribute, stored, text.data()), doing);
    return text.substr(0, text.find('\0'));
}

namespace {
template <class T>
T read_number_attribute(hid_t object, const char* name, const Hdf5Check& check) {
    const std::string doing = std::string("read attribute ") + name;
    const auto attribute = check.own<AttributeHandle>(H5Aopen(object, name, H5P_DEFAULT), doing);
    const auto space = check.own<SpaceHandle>(H5Aget_space(attribute), doing);
    if (H5Sget_simple_extent_npoints(space) != 1) check.fail("attribute " + std::string(name) + " must be one number");
    T value = 0;
    check(H5Aread(attribute, hdf5_type<T>(), &value), doing);
    return value;
}
}  // namespace

std::uint32_t read_uint32_attribute(hid_t object, const char* name, const Hdf5Check& check) {
    return read_number_attribute<std::uint32_t>(object, name, check);
}
double read_double_attribute(hid_t object, const char* name, const Hdf5Check& check) {
    return read_number_attribute<double>(object, name, check);
}

PropertyHandle storage_of(hsize_t length, const Hdf5Check& check) {
    constexpr hsize_t longest_chunk = hsize_t{1} << 16;
    constexpr unsigned deflate_level = 1;
    auto creation = check.own<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE), "create a dataset");
    check(H5Pset_obj_track_times(creation, false), "create a dataset");
    if (length <= 1) return creation;
    const hsize_t chunk = std::min(length, longest_chunk);
    check(H5Pset_chunk(creation, 1, &chunk), "create a dataset");
    check(H5Pset_shuffle(creation), "create a dataset");
    check(H5Pset_deflate(creation, deflate_level), "create a dataset");
    return creation;
}

DatasetHandle open_dataset(hid_t group, const std::string& name, const Hdf5Check& check) {
    return check.own<DatasetHandle>(H5Dopen2(group, name.c_str(), H5P_DEFAULT), "open dataset " + name);
}

std::uint64_t length_of(hid_t dataset, const std::string& name, const Hdf5Check& check) {
    const auto space = check.own<SpaceHandle>(H5Dget_space(dataset), "read " + name);
    const int dimensions = H5Sget_simple_extent_ndims(space);
    if (dimensions != 1) check.fail("dataset " + name + " must have one dimension, has " + std::to_string(dimensions));
    return static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space));
}

std::vector<std::uint64_t> read_indices(hid_t group, const std::string& name, const Hdf5Check& check) {
    const auto dataset = open_dataset(group, name, check);
    const auto type = check.own<TypeHandle>(H5Dget_type(dataset), "read " + name);
    if (H5Tget_class(type) != H5T_INTEGER) check.fail("dataset " + name + " must hold integers");
    if (H5Tget_sign(type) == H5T_SGN_NONE) return read_vector<std::uint64_t>(group, name, check);
    const auto values = read_vector<std::int64_t>(group, name, check);
    const auto negative = std::find_if(values.begin(), values.end(), [](std::int64_t x) { return x < 0; });
    if (negative != values.end()) check.fail("dataset " + name + " must not hold negative numbers, has " + std::to_string(*negative));
    return {values.begin(), values.end()};
}

void check_names(std::span<const std::string> names, const std::string& file, std::string_view what) {
    std::set<std::string_view> seen;
    for (const auto& name : names) {
        const std::string described = "name of a " + std::string(what) + " ";
        if (name.empty() || name == "." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
            throw Error(file, described + "must not be empty, '.' or contain '/' or a zero byte, got '" + name + "'", {});
        if (!seen.insert(name).second) throw Error(file, described + "must not come twice, got '" + name + "'", {});
    }
}

}  // namespace ydot::data::detail
