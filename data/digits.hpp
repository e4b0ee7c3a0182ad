#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "data/images.hpp"

namespace ydot::data {

/// Rows and columns of a drawn digit.
inline constexpr std::uint32_t digit_side = 28;

/// Draws image `n` of the stream: a pure function of the arguments.
/// A digit is drawn as a hand would: strokes through control points (several habits of writing a class), shaken, warped smoothly, turned,
/// slanted and stretched, then traced by a soft round pen whose pressure varies. As in MNIST (LeCun et al. 1998) the digit fits a box
/// of about 20 x 20 pixels and its centre of mass is near the middle of the image.
/// The same bytes for any number of threads and any order. Between processors the same up to the rounding of a grey level, unless
/// digits.cpp is compiled with -ffp-contract=off: then exactly the same (it uses only +, -, *, / and sqrt on floats).
/// @param pixels  28 x 28, row-major; 0 background, 255 full ink
/// @param stream  name of a sequence of images, e.g. "train"; sequences of different names are independent
/// @return the label, 0 to 9; every ten images 10 k .. 10 k + 9 hold each class once, in random order
std::uint8_t draw_digit(std::span<std::uint8_t, digit_side * digit_side> pixels, std::uint64_t seed, std::string_view stream,
                        std::uint32_t n);

/// Images 0 .. count - 1 of the stream, drawn in parallel.
ImageSet draw_digits(std::size_t count, std::uint64_t seed, std::string_view stream);

}  // namespace ydot::data
