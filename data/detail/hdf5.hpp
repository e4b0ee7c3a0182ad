#pragma once
#include <hdf5.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/error.hpp"

// What the files of this room need of HDF5's C library: handles that close themselves, errors that are ours.

namespace ydot::data::detail {

/// Owns an HDF5 identifier.
template <auto close>
class Hdf5Handle {
public:
    Hdf5Handle() = default;
    explicit Hdf5Handle(hid_t id) noexcept : id_(id) {}
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    ~Hdf5Handle() { reset(); }

    operator hid_t() const noexcept { return id_; }
    /// Closes now. @return negative on failure, as HDF5 does
    herr_t reset() noexcept {
        const hid_t id = std::exchange(id_, -1);
        return id >= 0 ? close(id) : 0;
    }

private:
    hid_t id_ = -1;
};
using FileHandle = Hdf5Handle<H5Fclose>;
using GroupHandle = Hdf5Handle<H5Gclose>;
using DatasetHandle = Hdf5Handle<H5Dclose>;
using AttributeHandle = Hdf5Handle<H5Aclose>;
using SpaceHandle = Hdf5Handle<H5Sclose>;
using TypeHandle = Hdf5Handle<H5Tclose>;
using PropertyHandle = Hdf5Handle<H5Pclose>;

/// Whether a file had to be abandoned: HDF5 1.10 then leaks and would complain on stderr when the program ends.
inline std::atomic<bool> any_file_abandoned = false;

/// Keeps HDF5 from printing its error stack while it lives; puts the user's handler back afterwards, unless a file was abandoned.
class QuietHdf5 {
public:
    QuietHdf5() noexcept {
        H5Eget_auto2(H5E_DEFAULT, &handler_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    QuietHdf5(const QuietHdf5&) = delete;
    QuietHdf5& operator=(const QuietHdf5&) = delete;
    ~QuietHdf5() {
        if (!any_file_abandoned) H5Eset_auto2(H5E_DEFAULT, handler_, data_);
    }

private:
    H5E_auto2_t handler_ = nullptr;
    void* data_ = nullptr;
};

/// Turns negative return values into Error: which file, and what was being done.
struct Hdf5Check {
    std::string file;
    Error::Kind kind;

    /// @throws Error("FILE: cannot DOING: REASON") when `result` is negative
    hid_t operator()(hid_t result, std::string_view doing) const;
    /// The same, with an owner for the result.
    template <class Handle>
    Handle own(hid_t result, std::string_view doing) const {
        return Handle((*this)(result, doing));
    }
    [[noreturn]] void fail(const std::string& reason) const { throw Error(file, reason, {}, kind); }
};

/// The HDF5 type of T in memory.
template <class T>
hid_t hdf5_type();
template <>
inline hid_t hdf5_type<double>() {
    return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t hdf5_type<float>() {
    return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t hdf5_type<std::uint64_t>() {
    return H5T_NATIVE_UINT64;
}
template <>
inline hid_t hdf5_type<std::int64_t>() {
    return H5T_NATIVE_INT64;
}
template <>
inline hid_t hdf5_type<std::uint32_t>() {
    return H5T_NATIVE_UINT32;
}

/// A new file, replacing an older one; readers may open it while it is written (no file lock).
FileHandle create_file(const Hdf5Check& check);
/// An existing file, to read. @throws Error when it is missing or not HDF5
FileHandle open_file(const Hdf5Check& check);

/// Makes a file that could not be written safe to close: what HDF5 still wants to write goes to memory and is lost.
/// Without this H5Fclose fails on a full disk, keeps a dangling identifier, and the library crashes at exit (HDF5 1.10).
void abandon_file(hid_t file) noexcept;

/// Writes a file that appears under its name only when complete. @param write  makes what is in it
void write_whole_file(const std::string& path, const std::function<void(hid_t file, const Hdf5Check& check)>& write);

/// A file that grows while a run goes on, one group for each population. What is stored in it is for those who derive from it to say; they
/// close their datasets before the file.
struct GrowingFile {
    Hdf5Check check;
    FileHandle file;
    std::string_view contents;  ///< "spikes": what a closed file can take no more of
    std::optional<Error> failure;

    /// @throws Error for names that cannot be those of populations, and when the file cannot be created
    GrowingFile(std::string path, std::span<const std::string> populations, std::string_view its_contents);

    /// After a failure the file is left alone and every later call says the same.
    template <class Action>
    void attempt(Action action) {
        if (failure) throw *failure;
        if (file < 0) throw Error(check.file, "is closed: no more " + std::string(contents) + " can be written", {});
        const QuietHdf5 quiet;
        try {
            action();
        } catch (const Error& error) {
            failure = error;
            abandon_file(file);
            throw;
        }
    }
    /// The last attempt, of a destructor, which has nobody to tell.
    template <class Action>
    void attempt_silently(Action action) noexcept {
        try {
            if (file >= 0) attempt(action);
        } catch (const Error&) {
        }
    }
};

/// A new group whose members are listed in the order of their creation.
GroupHandle create_group(hid_t parent, const std::string& name, const Hdf5Check& check);
GroupHandle open_group(hid_t parent, const std::string& name, const Hdf5Check& check);
/// Names of the members: in order of creation if the file keeps it, else sorted.
std::vector<std::string> member_names(hid_t group, const Hdf5Check& check);

void write_attribute(hid_t object, const char* name, hid_t type, std::span<const std::uint32_t> values, const Hdf5Check& check);
/// UTF-8, of variable length: what every SONATA reader understands.
void write_text_attribute(hid_t object, const char* name, const std::string& text, const Hdf5Check& check);
void write_attribute(hid_t object, const char* name, double value, const Hdf5Check& check);
/// What tells a SONATA file: magic number and version.
void write_sonata_header(hid_t file, const Hdf5Check& check);
bool has_attribute(hid_t object, const char* name, const Hdf5Check& check);
std::string read_text_attribute(hid_t object, const char* name, const Hdf5Check& check);
std::uint32_t read_uint32_attribute(hid_t object, const char* name, const Hdf5Check& check);
double read_double_attribute(hid_t object, const char* name, const Hdf5Check& check);

/// How a dataset of this length is stored: shuffled and compressed (deflate level 1), unless it is a single number or empty. Without times:
/// same values, same bytes.
PropertyHandle storage_of(hsize_t length, const Hdf5Check& check);

/// A new one-dimensional dataset. @param type  in the file
template <class T>
void write_vector(hid_t group, const char* name, hid_t type, const std::vector<T>& values, const Hdf5Check& check) {
    const hsize_t length = values.size();
    const auto space = check.own<SpaceHandle>(H5Screate_simple(1, &length, nullptr), "create a dataset");
    const auto creation = storage_of(length, check);
    const auto dataset =
        check.own<DatasetHandle>(H5Dcreate2(group, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), "create a dataset");
    check(H5Dwrite(dataset, hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), std::string("write ") + name);
}

DatasetHandle open_dataset(hid_t group, const std::string& name, const Hdf5Check& check);
/// Length of a one-dimensional dataset. @throws Error for any other shape
std::uint64_t length_of(hid_t dataset, const std::string& name, const Hdf5Check& check);

/// A whole one-dimensional dataset of numbers.
template <class T>
std::vector<T> read_vector(hid_t group, const std::string& name, const Hdf5Check& check) {
    const auto dataset = open_dataset(group, name, check);
    std::vector<T> values(length_of(dataset, name, check));
    check(H5Dread(dataset, hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "read " + name);
    return values;
}

/// read_vector for indices: the dataset must hold integers, none negative.
std::vector<std::uint64_t> read_indices(hid_t group, const std::string& name, const Hdf5Check& check);

/// @throws Error(bad_input) for a name that cannot be a member of an HDF5 group, or comes twice
void check_names(std::span<const std::string> names, const std::string& file, std::string_view what);

}  // namespace ydot::data::detail
