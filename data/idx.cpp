#include "data/idx.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "sim/error.hpp"

namespace ydot::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

[[noreturn]] void refuse(const fs::path& file, std::string reason) { throw Error(file.string(), std::move(reason), {}); }
[[noreturn]] void fail(const fs::path& file, std::string reason) {
    throw Error(file.string(), std::move(reason), {}, Error::Kind::run_failure);
}

/// Of gzopen and its kin, which give errno 0 when they ran out of memory.
std::string system_reason() { return errno ? std::strerror(errno) : "out of memory"; }

constexpr std::uint32_t magic_of(std::size_t rank) { return 0x0800u + static_cast<std::uint32_t>(rank); }

struct CloseGzip {
    void operator()(gzFile file) const { gzclose(file); }
};
using GzipFile = std::unique_ptr<std::remove_pointer_t<gzFile>, CloseGzip>;

/// Bytes of a file, unpacked when they are gzip (zlib hands plain files through).
class Reader {
public:
    explicit Reader(const fs::path& file) : file_(file) {
        errno = 0;
        if (fs::is_directory(file)) refuse(file, "is a directory, not a file");
        gzip_.reset(gzopen(file.c_str(), "rb"));
        if (!gzip_) refuse(file, "cannot be opened: " + system_reason());
    }

    /// Fills `out` as far as the file goes; the number of bytes read.
    std::size_t read(std::span<std::uint8_t> out) {
        std::size_t done = 0;
        while (done < out.size()) {
            const auto want = static_cast<unsigned>(std::min(out.size() - done, chunk_bytes));
            const int got = gzread(gzip_.get(), out.data() + done, want);
            check();
            if (got <= 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    /// Up to `bytes` values; memory grows with what is there, not with what a wrong header announces.
    std::vector<std::uint8_t> read_up_to(std::uint64_t bytes) {
        std::vector<std::uint8_t> values;
        while (values.size() < bytes) {
            const std::size_t before = values.size();
            const std::size_t room = std::max(before, chunk_bytes);
            values.resize(before + static_cast<std::size_t>(std::min<std::uint64_t>(bytes - before, room)));
            const std::size_t got = read(std::span(values).subspan(before));
            values.resize(before + got);
            if (got == 0) break;
        }
        return values;
    }

    /// Reads to the end; the number of bytes there were.
    std::uint64_t count_rest() {
        std::vector<std::uint8_t> scratch(chunk_bytes);
        std::uint64_t total = 0;
        while (const std::size_t got = read(scratch)) total += got;
        return total;
    }

private:
    void check() {
        int code = Z_OK;
        const char* text = gzerror(gzip_.get(), &code);
        if (code == Z_OK || code == Z_STREAM_END) return;
        if (code == Z_ERRNO) fail(file_, "cannot be read: " + system_reason());
        if (code == Z_BUF_ERROR) refuse(file_, "is corrupt: the gzip data end too early");
        const std::string_view message(text);  // zlib puts the file name before it
        const auto colon = message.rfind(": ");
        refuse(file_, fmt::format("is corrupt gzip: {}", colon == message.npos ? message : message.substr(colon + 2)));
    }

    fs::path file_;
    GzipFile gzip_;
};

std::uint32_t big_endian(const std::uint8_t* b) {
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

void append_big_endian(std::vector<std::uint8_t>& out, std::uint32_t x) {
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(x >> shift));
}

/// Product of the lengths; the largest number when it does not fit.
std::uint64_t size_of(std::span<const std::uint32_t> shape) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    if (std::ranges::find(shape, 0u) != shape.end()) return 0;
    std::uint64_t size = 1;
    for (const std::uint32_t length : shape) size = size > most / length ? most : size * length;
    return size;
}

[[noreturn]] void refuse_truncated(const fs::path& file, std::string_view part, std::uint64_t expected, std::uint64_t found) {
    refuse(file, fmt::format("is truncated: {} bytes of {} expected, {} found", expected, part, found));
}

std::vector<std::uint32_t> read_shape(Reader& reader, const fs::path& file, unsigned rank) {
    std::vector<std::uint8_t> header(4 + std::size_t{4} * rank);
    const std::size_t got = reader.read(header);
    if (got < 4) refuse_truncated(file, "header", header.size(), got);
    if (const std::uint32_t magic = big_endian(header.data()); magic != magic_of(rank))
        refuse(file, fmt::format("is not an IDX file of {}: magic number 0x{:08x} found, 0x{:08x} expected",
                                 rank == 3   ? "images"
                                 : rank == 1 ? "labels"
                                             : "this rank",
                                 magic, magic_of(rank)));
    if (got < header.size()) refuse_truncated(file, "header", header.size(), got);
    std::vector<std::uint32_t> shape;
    for (unsigned d = 0; d < rank; ++d) shape.push_back(big_endian(header.data() + 4 + 4 * d));
    return shape;
}

/// A name next to `file` that becomes `file` by commit(), or is gone.
class TemporaryFile {
public:
    explicit TemporaryFile(const fs::path& file) : final_(file), path_(file.string() + fmt::format(".{}.tmp", getpid())) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    const fs::path& path() const { return path_; }
    void commit() const {
        std::error_code error;
        fs::rename(path_, final_, error);
        if (error) fail(final_, "cannot be written: " + error.message());
    }

private:
    fs::path final_, path_;
};

bool write_all(gzFile out, std::span<const std::uint8_t> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        const auto part = static_cast<unsigned>(std::min(bytes.size() - done, chunk_bytes));
        if (gzwrite(out, bytes.data() + done, part) != static_cast<int>(part)) return false;
        done += part;
    }
    return true;
}

}  // namespace

IdxArray read_idx(const fs::path& file, unsigned rank) {
    Reader reader(file);
    IdxArray array{read_shape(reader, file, rank), {}};
    const std::uint64_t expected = size_of(array.shape);
    array.values = reader.read_up_to(expected);
    if (array.values.size() < expected) refuse_truncated(file, "values", expected, array.values.size());
    if (const std::uint64_t rest = reader.count_rest(); rest > 0)
        refuse(file, fmt::format("has {} bytes after the {} values that its header announces", rest, expected));
    return array;
}

void write_idx(const fs::path& file, std::span<const std::uint32_t> shape, std::span<const std::uint8_t> values) {
    if (shape.empty() || shape.size() > 255) refuse(file, fmt::format("an IDX file has 1 to 255 dimensions, got {}", shape.size()));
    if (size_of(shape) != values.size())
        refuse(file, fmt::format("the dimensions ask for {} values, got {}", size_of(shape), values.size()));
    std::vector<std::uint8_t> header;
    append_big_endian(header, magic_of(shape.size()));
    for (const std::uint32_t length : shape) append_big_endian(header, length);

    const TemporaryFile temporary(file);
    errno = 0;
    GzipFile out(gzopen(temporary.path().c_str(), file.extension() == ".gz" ? "wb6" : "wbT"));  // T: no compression, no gzip header
    if (!out) fail(file, "cannot be written: " + system_reason());
    const bool written = write_all(out.get(), header) && write_all(out.get(), values);
    if (gzclose(out.release()) != Z_OK || !written) fail(file, "cannot be written: " + system_reason());
    temporary.commit();
}

}  // namespace ydot::data
