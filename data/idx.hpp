#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace ydot::data {

/// Array of unsigned bytes of an IDX file, row-major: rank 3 for images (count x rows x columns), rank 1 for labels (count).
/// Format (LeCun, Cortes & Burges, the MNIST database), all numbers big-endian:
///   00 00 08 rank | rank lengths of 32 bits | the bytes
struct IdxArray {
    std::vector<std::uint32_t> shape;
    std::vector<std::uint8_t> values;  ///< product of `shape`
};

/// Reads a file, plain or gzip: the content decides, not the name.
/// @param rank  number of dimensions that the caller expects, 1 to 255
/// @throws Error (key: the file) when it cannot be opened, is corrupt gzip, is no IDX file of bytes of this rank (the magic number found
/// and
///         expected), is truncated (bytes expected and found), or has bytes after the last value
IdxArray read_idx(const std::filesystem::path& file, unsigned rank);

/// Writes a file, by gzip when its name ends in .gz. Atomic: the name appears, or is replaced, only when all is on disk.
/// @param shape   1 to 255 lengths
/// @param values  product of `shape` bytes
/// @throws Error (key: the file) when the numbers do not agree, or (run_failure) when the file cannot be written
void write_idx(const std::filesystem::path& file, std::span<const std::uint32_t> shape, std::span<const std::uint8_t> values);

}  // namespace ydot::data
