#include "data/images.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "data/digits.hpp"
#include "data/idx.hpp"
#include "sim/error.hpp"

namespace ydot::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, std::string reason) { throw Error(file.string(), std::move(reason), {}); }

/// directory/name or directory/name.gz, whichever is there; the plain one when both are.
fs::path find_file(const fs::path& directory, std::string_view name) {
    const fs::path plain = directory / name, gzip = directory / (std::string(name) + ".gz");
    for (const auto& file : {plain, gzip})
        if (fs::exists(file)) return file;
    refuse(plain, fmt::format("file does not exist, and neither does {}.gz", name));
}

/// Images and labels of one pair of files.
/// @param part  "train" or "t10k"
ImageSet read_pair(const fs::path& directory, std::string_view part) {
    const fs::path image_file = find_file(directory, fmt::format("{}-images-idx3-ubyte", part));
    const fs::path label_file = find_file(directory, fmt::format("{}-labels-idx1-ubyte", part));
    IdxArray images = read_idx(image_file, 3), labels = read_idx(label_file, 1);
    if (images.shape[0] != labels.shape[0])
        refuse(image_file,
               fmt::format("holds {} images, but {} holds {} labels", images.shape[0], label_file.filename().string(), labels.shape[0]));
    if (images.shape[1] == 0 || images.shape[2] == 0)
        refuse(image_file, fmt::format("holds images of {} x {} pixels", images.shape[1], images.shape[2]));
    return {images.shape[1], images.shape[2], std::move(images.values), std::move(labels.values)};
}

void write_pair(const fs::path& directory, std::string_view part, const ImageSet& set, bool gzip) {
    const std::string_view end = gzip ? ".gz" : "";
    const auto count = static_cast<std::uint32_t>(set.count());
    write_idx(directory / fmt::format("{}-images-idx3-ubyte{}", part, end), std::array{count, set.rows, set.columns}, set.pixels);
    write_idx(directory / fmt::format("{}-labels-idx1-ubyte{}", part, end), std::array{count}, set.labels);
}

/// `asked` of `available` images; 0 asks for all.
std::size_t take(const fs::path& directory, std::string_view what, std::size_t asked, std::size_t available) {
    if (asked > available) refuse(directory, fmt::format("{} {} images asked for, but there are {}", asked, what, available));
    if (available == 0) refuse(directory, fmt::format("there are no {} images", what));
    return asked == 0 ? available : asked;
}

ImageSet joined(ImageSet first, const ImageSet& second) {
    first.pixels.insert(first.pixels.end(), second.pixels.begin(), second.pixels.end());
    first.labels.insert(first.labels.end(), second.labels.begin(), second.labels.end());
    return first;
}

void require_same_size(const fs::path& directory, const ImageSet& train, const ImageSet& test) {
    if (train.rows != test.rows || train.columns != test.columns)
        refuse(directory, fmt::format("training images have {} x {} pixels, but test images {} x {}", train.rows, train.columns, test.rows,
                                      test.columns));
}

}  // namespace

ImageSet ImageSet::slice(std::size_t first, std::size_t number) const {
    const auto some_pixels = std::span(pixels).subspan(first * image_size(), number * image_size());
    const auto some_labels = std::span(labels).subspan(first, number);
    return {rows, columns, {some_pixels.begin(), some_pixels.end()}, {some_labels.begin(), some_labels.end()}};
}

void shift_image(std::span<const std::uint8_t> image, std::uint32_t columns, int x, int y, std::span<std::uint8_t> out) {
    const int width = static_cast<int>(columns), height = static_cast<int>(image.size()) / width;
    for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column) {
            const int from_row = row - y, from_column = column - x;
            const bool inside = from_row >= 0 && from_row < height && from_column >= 0 && from_column < width;
            out[static_cast<std::size_t>(row * width + column)] =
                inside ? image[static_cast<std::size_t>(from_row * width + from_column)] : 0;
        }
}

Split load_idx_directory(const fs::path& directory, std::size_t train, std::size_t validation, std::size_t test) {
    if (!fs::is_directory(directory)) refuse(directory, fmt::format("data directory {} does not exist", directory.string()));
    const ImageSet learning = read_pair(directory, "train"), testing = read_pair(directory, "t10k");
    require_same_size(directory, learning, testing);
    if (validation > 0) take(directory, "validation", validation, learning.count());
    const std::size_t rest = learning.count() - validation;
    const std::size_t train_count = take(directory, validation ? "training (after those for validation)" : "training", train, rest);
    const std::size_t test_count = take(directory, "test", test, testing.count());
    return {learning.slice(0, train_count), learning.slice(rest, validation), testing.slice(0, test_count), directory.string()};
}

void write_idx_directory(const fs::path& directory, const Split& split, bool gzip) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) throw Error(directory.string(), "directory cannot be made: " + error.message(), {}, Error::Kind::run_failure);
    write_pair(directory, "train", joined(split.train, split.validation), gzip);
    write_pair(directory, "t10k", split.test, gzip);
}

Split drawn_digits(std::size_t train, std::size_t validation, std::size_t test, std::uint64_t seed) {
    return {draw_digits(train, seed, "train"), draw_digits(validation, seed, "validation"), draw_digits(test, seed, "test"),
            fmt::format("drawn digits, seed {}", seed)};
}

ImageSet one_hot(std::uint32_t pixels) {
    if (pixels > 256) throw Error("data.generator", "one_hot has at most 256 pixels, got " + std::to_string(pixels), {});
    ImageSet set{1, pixels, std::vector<std::uint8_t>(std::size_t{pixels} * pixels), {}};
    for (std::uint32_t k = 0; k < pixels; ++k) {
        set.pixels[std::size_t{k} * pixels + k] = 255;
        set.labels.push_back(static_cast<std::uint8_t>(k));
    }
    return set;
}

}  // namespace ydot::data
