#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ydot::data {

/// Grey images of one size with a label each. Plain data: it can be copied, cut, compared.
struct ImageSet {
    std::uint32_t rows = 0, columns = 0;
    std::vector<std::uint8_t> pixels;  ///< count x rows x columns, row-major, 0 background, 255 full ink
    std::vector<std::uint8_t> labels;  ///< count

    std::size_t count() const { return labels.size(); }
    std::size_t image_size() const { return std::size_t{rows} * columns; }
    /// The rows x columns pixels of image `n` < count().
    std::span<const std::uint8_t> image(std::size_t n) const { return std::span(pixels).subspan(n * image_size(), image_size()); }
    /// Images first .. first + number - 1, in a set of their own.
    ImageSet slice(std::size_t first, std::size_t number) const;
    friend bool operator==(const ImageSet&, const ImageSet&) = default;
};

/// Three sets that share no image: learn from `train`, choose by `validation`, report `test`.
struct Split {
    ImageSet train, validation, test;
    std::string source;  ///< where they are from, for logs: a directory, or "drawn digits, seed 7"
};

/// The image moved right by `x` and down by `y` pixels; what comes in from the edge is background.
/// @param image, out  rows x columns pixels each, not the same memory
void shift_image(std::span<const std::uint8_t> image, std::uint32_t columns, int x, int y, std::span<std::uint8_t> out);

/// Reads a directory with the four files of MNIST, each plain or with .gz after its name:
/// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
/// @param train       the first `train` images of the training files that are not for validation; 0: all of them
/// @param validation  the last `validation` images of the training files; 0: none
/// @param test        the first `test` images of the test files; 0: all
/// @throws Error for a directory, file or number of images that is not there, and for what read_idx() refuses; the key is the file
Split load_idx_directory(const std::filesystem::path& directory, std::size_t train, std::size_t validation, std::size_t test);

/// Writes `split` under the names that load_idx_directory() reads; the validation images are the last of the training files.
/// Makes the directory when it does not exist.
/// @param gzip  compress, and end the names in .gz
/// @throws Error (run_failure) when a file cannot be written
void write_idx_directory(const std::filesystem::path& directory, const Split& split, bool gzip = false);

/// Built-in digits of 28 x 28 pixels from three independent streams of draw_digits(): no download, as many as asked for (0: none).
/// The sets are prefixes: a larger `train` begins with the images of a smaller one, and changes no other set.
Split drawn_digits(std::size_t train, std::size_t validation, std::size_t test, std::uint64_t seed);

/// Pattern k of `pixels` has pixel k full, all others empty, and label k. What encoders are tried on (Ackley, Hinton & Sejnowski 1985).
/// @throws Error for more than 256 pixels, as a label is a byte
ImageSet one_hot(std::uint32_t pixels);

}  // namespace ydot::data
