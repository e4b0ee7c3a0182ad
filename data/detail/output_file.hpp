#pragma once
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "sim/error.hpp"

namespace ydot::data::detail {

/// A path to write to that takes the place of `path` on commit(). Without commit the temporary file is removed and an older
/// file at `path` stays as it was.
class TemporaryPath {
public:
    explicit TemporaryPath(std::string path) : path_(std::move(path)), temporary_(path_ + ".partial") {}
    TemporaryPath(const TemporaryPath&) = delete;
    TemporaryPath& operator=(const TemporaryPath&) = delete;
    ~TemporaryPath() {
        std::error_code ignored;
        if (!committed_) std::filesystem::remove(temporary_, ignored);
    }

    const std::string& path() const noexcept { return path_; }
    const std::string& temporary() const noexcept { return temporary_; }

    /// @throws Error when the file cannot be renamed
    void commit() {
        std::error_code error;
        std::filesystem::rename(temporary_, path_, error);
        if (error) throw Error(path_, "cannot be replaced: " + error.message(), {}, Error::Kind::run_failure);
        committed_ = true;
    }

private:
    std::string path_, temporary_;
    bool committed_ = false;
};

/// A text file that appears under its name only when complete.
class OutputFile {
public:
    /// @throws Error when the file cannot be created
    explicit OutputFile(std::string path) : path_(std::move(path)), stream_(std::fopen(path_.temporary().c_str(), "wb")) {
        if (!stream_) fail();
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        if (stream_) std::fclose(stream_);
    }

    /// @throws Error when the disk is full
    void write(std::string_view text) {
        if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) fail();
    }

    void commit() {
        const bool closed = std::fclose(std::exchange(stream_, nullptr)) == 0;
        if (!closed) fail();
        path_.commit();
    }

private:
    [[noreturn]] void fail() const {
        throw Error(path_.path(), std::string("cannot be written: ") + std::strerror(errno), {}, Error::Kind::run_failure);
    }
    TemporaryPath path_;
    std::FILE* stream_;
};

}  // namespace ydot::data::detail
