#include <zip.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>

#include "data/detail/spike_formats.hpp"
#include "sim/error.hpp"

// A .npz file is a zip archive of .npy arrays. libzip does the archive (also compressed ones and those above 4 GB), this file the
// arrays. Reference: NumPy enhancement proposal 1, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

namespace ydot::data::detail {

namespace {

static_assert(std::endian::native == std::endian::little, "the arrays are written as they lie in memory");

constexpr std::string_view npy_magic = "\x93NUMPY";
constexpr std::string_view times_name = "/times_ms.npy", ids_name = "/ids.npy";

struct DiscardZip {
    void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
using Zip = std::unique_ptr<zip_t, DiscardZip>;

struct CloseEntry {
    void operator()(zip_file_t* entry) const noexcept { zip_fclose(entry); }
};

Zip open_zip(const std::string& path, int flags, Error::Kind kind) {
    int code = 0;
    Zip archive(zip_open(path.c_str(), flags, &code));
    if (archive) return archive;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error(path, "cannot be opened as an .npz archive: " + reason, {}, kind);
}

// ---- writing

/// Everything of a one-dimensional .npy file before its numbers; its length is a multiple of 64 bytes.
std::string npy_header(std::string_view type, std::size_t length) {
    std::string text = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" + std::to_string(length) + ",), }";
    const std::size_t fixed = npy_magic.size() + 4;
    text.append(63 - (fixed + text.size()) % 64, ' ');
    text += '\n';
    const auto size = static_cast<std::uint16_t>(text.size());
    const std::string start{'\x01', '\x00', static_cast<char>(size & 0xff), static_cast<char>(size >> 8)};
    return std::string(npy_magic) + start + text;
}

/// An archive that is being written. What is added must live until close().
class NpzWriter {
public:
    explicit NpzWriter(const std::string& path)
        : path_(path), archive_(open_zip(path, ZIP_CREATE | ZIP_TRUNCATE, Error::Kind::run_failure)) {}

    template <class T>
    void add(const std::string& name, std::string_view type, const std::vector<T>& values) {
        const auto& header = *headers_.emplace_back(std::make_unique<std::string>(npy_header(type, values.size())));
        const std::array<zip_buffer_fragment_t, 2> parts{fragment(header.data(), header.size()),
                                                         fragment(values.data(), values.size() * sizeof(T))};
        zip_source_t* source = zip_source_buffer_fragment(archive_.get(), parts.data(), parts.size(), 0);
        const auto index = source ? zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
        if (index < 0) {
            zip_source_free(source);
            fail();
        }
        const auto entry = static_cast<zip_uint64_t>(index);
        constexpr zip_uint16_t first_of_1980 = 1 << 5 | 1;  // same spikes, same bytes
        if (zip_set_file_compression(archive_.get(), entry, ZIP_CM_STORE, 0) < 0) fail();
        if (zip_file_set_dostime(archive_.get(), entry, 0, first_of_1980, 0) < 0) fail();
    }

    /// Writes a temporary file and renames it.
    void close() {
        if (zip_close(archive_.get()) < 0) fail();
        (void)archive_.release();
    }

private:
    static zip_buffer_fragment_t fragment(const void* data, std::size_t bytes) {
        return {static_cast<zip_uint8_t*>(const_cast<void*>(data)), bytes};  // libzip's type is not const; it only reads
    }
    [[noreturn]] void fail() const {
        throw Error(path_, std::string("cannot be written: ") + zip_strerror(archive_.get()), {}, Error::Kind::run_failure);
    }
    std::string path_;
    std::vector<std::unique_ptr<std::string>> headers_;
    Zip archive_;
};

// ---- reading

/// One member of an archive, for errors.
struct Member {
    const std::string& file;
    std::string name;
    [[noreturn]] void refuse(const std::string& reason) const { throw Error(file, name + ' ' + reason, {}); }
};

std::string read_member(zip_t* archive, zip_uint64_t index, const Member& member) {
    zip_stat_t info;
    if (zip_stat_index(archive, index, 0, &info) < 0) member.refuse("cannot be read");
    const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive, index, 0));
    if (!entry) member.refuse(std::string("cannot be read: ") + zip_strerror(archive));
    std::string bytes(info.size, '\0');
    zip_uint64_t done = 0;
    while (done < info.size) {
        const auto count = zip_fread(entry.get(), bytes.data() + done, info.size - done);
        if (count <= 0) member.refuse("is damaged");
        done += static_cast<zip_uint64_t>(count);
    }
    if (char beyond = 0; zip_fread(entry.get(), &beyond, 1) != 0) member.refuse("is damaged");  // the check sum is compared at the end
    return bytes;
}

/// An array as it lies in the file.
struct Npy {
    std::string_view type, numbers;
    std::size_t length = 0;
};

/// What follows `key` in the header up to one of `ends`.
std::string_view header_value(std::string_view header, std::string_view key, std::string_view ends, const Member& member) {
    const auto begin = header.find(key);
    if (begin == std::string_view::npos) member.refuse("is not a .npy array");
    const auto rest = header.substr(begin + key.size());
    return rest.substr(0, rest.find_first_of(ends));
}

Npy parse_npy(std::string_view bytes, const Member& member) {
    if (bytes.size() < 12 || !bytes.starts_with(npy_magic)) member.refuse("is not a .npy array");
    const bool wide = bytes[6] >= 2;  // versions 2 and 3: four bytes of length
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + 8, wide ? 4 : 2);
    const std::size_t start = wide ? 12 : 10;
    if (bytes.size() - start < size) member.refuse("is damaged");
    const auto header = bytes.substr(start, size);
    const auto shape = header_value(header, "'shape': (", ")", member);
    Npy array{header_value(header, "'descr': '", "'", member), bytes.substr(start + size)};
    const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), array.length);
    if (error != std::errc{} || std::string_view(end, shape.data() + shape.size()) != ",")
        member.refuse("must have one dimension, has shape (" + std::string(shape) + ")");
    return array;
}

template <class T>
std::vector<T> numbers_of(const Npy& array, const Member& member) {
    if (array.numbers.size() != array.length * sizeof(T)) member.refuse("is damaged");
    std::vector<T> values(array.length);
    if (!values.empty()) std::memcpy(values.data(), array.numbers.data(), array.numbers.size());
    return values;
}

std::vector<double> read_times(std::string_view bytes, const Member& member) {
    const Npy array = parse_npy(bytes, member);
    if (array.type != "<f8") member.refuse("must be of type float64 (<f8), is " + std::string(array.type));
    return numbers_of<double>(array, member);
}

std::vector<std::uint64_t> read_ids(std::string_view bytes, const Member& member) {
    const Npy array = parse_npy(bytes, member);
    if (array.type == "<u8") return numbers_of<std::uint64_t>(array, member);
    if (array.type != "<i8") member.refuse("must be of type uint64 (<u8) or int64 (<i8), is " + std::string(array.type));
    const auto values = numbers_of<std::int64_t>(array, member);
    for (const auto id : values)
        if (id < 0) member.refuse("must hold ids >= 0, has " + std::to_string(id));
    return {values.begin(), values.end()};
}

/// Counts which halves of a population have been seen.
struct Halves {
    std::size_t index;
    bool times = false, ids = false;
};

}  // namespace

void write_npz(const std::string& path, const SpikeTable& spikes) {
    NpzWriter writer(path);
    for (const auto& p : spikes) {
        writer.add(p.population + std::string(times_name), "<f8", p.times_ms);
        writer.add(p.population + std::string(ids_name), "<u8", p.ids);
    }
    writer.close();
}

SpikeTable read_npz(const std::string& path) {
    const Zip archive = open_zip(path, ZIP_RDONLY, Error::Kind::bad_input);
    SpikeTable table;
    std::map<std::string, Halves> seen;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
        const auto index = static_cast<zip_uint64_t>(i);
        const Member member{path, zip_get_name(archive.get(), index, 0)};
        const bool times = member.name.ends_with(times_name);
        if (!times && !member.name.ends_with(ids_name))
            member.refuse("is not expected: an array is called <population>/times_ms or <population>/ids");
        const std::string population = member.name.substr(0, member.name.size() - (times ? times_name : ids_name).size());
        auto& halves = seen.try_emplace(population, Halves{table.size()}).first->second;
        if (halves.index == table.size()) table.push_back({population, {}, {}});
        const std::string bytes = read_member(archive.get(), index, member);
        if (times) table[halves.index].times_ms = read_times(bytes, member);
        else table[halves.index].ids = read_ids(bytes, member);
        (times ? halves.times : halves.ids) = true;
    }
    for (const auto& [population, halves] : seen)
        if (!halves.times || !halves.ids) throw Error(path, "lacks the array " + population + (halves.times ? "/ids" : "/times_ms"), {});
    return table;
}

}  // namespace ydot::data::detail
