#include "data/digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/parallel.hpp"
#include "sim/random.hpp"

namespace ydot::data {
namespace {

// ---- Templates -------------------------------------------------------------------------------------------------------------------------
// Points that the pen passes, x to the right and y down, about 60 wide and 100 high. The curve between them is smooth (Catmull-Rom);
// a point given twice is a corner.

struct Point {
    float x, y;
};
using Stroke = std::vector<Point>;

/// One habit of writing a class; `share` is how common it is, relative to the other habits of the class.
struct Habit {
    float share;
    std::vector<Stroke> strokes;
};

// clang-format off
const std::array<std::vector<Habit>, 10>& habits() {
    static const std::array<std::vector<Habit>, 10> all{{
        // 0: from the upper right; with overlap; round with an open end; narrow
        {{3, {{{40, 5}, {18, 8}, {4, 36}, {5, 68}, {22, 97}, {44, 92}, {59, 62}, {56, 28}, {40, 5}}}},
         {2, {{{30, 0}, {10, 14}, {1, 50}, {12, 86}, {33, 100}, {53, 82}, {60, 48}, {48, 14}, {28, 2}, {16, 9}}}},
         {2, {{{50, 12}, {30, 0}, {6, 20}, {-4, 54}, {12, 92}, {44, 97}, {68, 66}, {66, 28}, {48, 7}, {34, 10}}}},
         {1, {{{38, 2}, {24, 16}, {14, 52}, {16, 86}, {30, 100}, {44, 78}, {50, 42}, {48, 12}, {36, 0}}}}},
        // 1: a line; bowed; with a flag; with flag and base
        {{4, {{{30, 0}, {30, 33}, {29, 66}, {29, 100}}}},
         {2, {{{36, 0}, {31, 30}, {27, 65}, {26, 100}}}},
         {2, {{{19, 18}, {26, 11}, {33, 0}, {33, 0}, {32, 50}, {31, 100}}}},
         {1, {{{16, 20}, {32, 0}, {32, 0}, {32, 50}, {31, 98}}, {{10, 99}, {30, 98}, {52, 98}}}}},
        // 2: sharp foot; loop at the foot; wavy foot; hooked start and a low foot
        {{3, {{{5, 24}, {20, 3}, {46, 4}, {54, 28}, {36, 60}, {3, 97}, {3, 97}, {30, 95}, {63, 96}}}},
         {3, {{{6, 20}, {26, 0}, {50, 12}, {48, 40}, {28, 76}, {8, 95}, {0, 84}, {14, 75}, {36, 90}, {66, 95}}}},
         {2, {{{4, 28}, {10, 8}, {34, 0}, {54, 16}, {44, 46}, {18, 80}, {0, 98}, {0, 98}, {18, 88}, {42, 99}, {68, 88}}}},
         {1, {{{14, 26}, {6, 14}, {24, 0}, {50, 8}, {50, 38}, {30, 74}, {6, 96}, {6, 96}, {34, 100}, {58, 94}}}}},
        // 3: two bows; flat top; small loop in the middle; flowing
        {{3, {{{6, 14}, {28, 0}, {50, 12}, {46, 36}, {20, 46}, {20, 46}, {50, 54}, {58, 76}, {36, 99}, {3, 90}}}},
         {1, {{{6, 5}, {30, 4}, {54, 2}, {54, 2}, {40, 20}, {24, 42}, {24, 42}, {52, 54}, {56, 82}, {28, 100}, {2, 86}}}},
         {2, {{{8, 12}, {34, 0}, {52, 18}, {36, 42}, {18, 50}, {22, 42}, {46, 50}, {58, 74}, {38, 98}, {4, 92}}}},
         {2, {{{8, 8}, {32, 0}, {48, 14}, {38, 36}, {26, 46}, {44, 54}, {56, 74}, {40, 96}, {12, 100}, {0, 88}}}}},
        // 4: open, angular; closed; open, round; open with a short stem
        {{3, {{{12, 2}, {8, 26}, {3, 54}, {3, 54}, {30, 55}, {62, 50}}, {{50, 8}, {48, 52}, {44, 100}}}},
         {2, {{{46, 0}, {24, 30}, {0, 64}, {0, 64}, {30, 66}, {66, 62}}, {{46, 0}, {46, 50}, {43, 100}}}},
         {3, {{{8, 4}, {3, 34}, {14, 52}, {36, 50}, {54, 40}}, {{56, 0}, {52, 30}, {48, 64}, {46, 100}}}},
         {1, {{{16, 0}, {8, 30}, {2, 58}, {2, 58}, {34, 58}, {66, 56}}, {{42, 32}, {40, 64}, {36, 100}}}}},
        // 5: with a separate hat; in one go; like an S; with a short hat
        {{3, {{{14, 4}, {12, 22}, {10, 44}, {10, 44}, {34, 36}, {56, 54}, {52, 84}, {26, 100}, {2, 90}}, {{14, 4}, {36, 5}, {62, 2}}}},
         {3, {{{60, 3}, {36, 4}, {16, 6}, {16, 6}, {8, 44}, {8, 44}, {34, 40}, {52, 60}, {46, 88}, {22, 100}, {0, 92}}}},
         {2, {{{58, 5}, {34, 4}, {16, 14}, {16, 36}, {40, 52}, {50, 76}, {30, 98}, {0, 94}}}},
         {1, {{{20, 10}, {18, 30}, {14, 48}, {14, 48}, {42, 46}, {52, 70}, {36, 96}, {6, 96}}, {{20, 8}, {40, 4}, {54, 0}}}}},
        // 6: bowed; straight back; wide; narrow with a small loop
        {{3, {{{44, 0}, {22, 22}, {7, 54}, {7, 84}, {26, 100}, {50, 88}, {53, 64}, {34, 52}, {10, 68}}}},
         {2, {{{36, 0}, {22, 34}, {8, 74}, {20, 98}, {44, 96}, {54, 74}, {38, 60}, {14, 74}}}},
         {2, {{{54, 6}, {28, 8}, {6, 42}, {2, 76}, {22, 100}, {50, 92}, {56, 66}, {36, 48}, {12, 58}, {5, 72}}}},
         {1, {{{34, 0}, {16, 32}, {8, 70}, {16, 96}, {34, 98}, {42, 80}, {30, 68}, {12, 82}}}}},
        // 7: plain; with a bar; with a hook at the start; round shoulder
        {{4, {{{2, 7}, {30, 6}, {57, 2}, {57, 2}, {44, 34}, {30, 68}, {24, 100}}}},
         {2, {{{2, 7}, {30, 5}, {58, 3}, {58, 3}, {42, 36}, {30, 68}, {22, 100}}, {{16, 53}, {36, 50}, {58, 48}}}},
         {2, {{{3, 24}, {6, 5}, {6, 5}, {30, 8}, {58, 2}, {58, 2}, {40, 40}, {30, 100}}}},
         {2, {{{0, 16}, {14, 4}, {36, 8}, {55, 8}, {52, 32}, {38, 66}, {30, 100}}}}},
        // 8: one stroke from the upper right; two rings; open at the top; from the middle
        {{4, {{{48, 12}, {28, 0}, {8, 14}, {16, 38}, {42, 56}, {53, 80}, {30, 100}, {6, 84}, {16, 58}, {44, 38}, {52, 16}, {42, 4}}}},
         {1,
          {{{30, 0}, {10, 12}, {12, 36}, {30, 46}, {48, 36}, {50, 12}, {30, 0}},
           {{30, 46}, {6, 62}, {6, 90}, {30, 100}, {54, 90}, {54, 62}, {30, 46}}}},
         {2, {{{56, 8}, {34, 0}, {12, 16}, {24, 42}, {45, 64}, {40, 94}, {16, 98}, {8, 76}, {30, 46}, {58, 12}}}},
         {1, {{{30, 44}, {10, 28}, {20, 2}, {46, 4}, {48, 30}, {28, 48}, {8, 72}, {18, 98}, {44, 96}, {50, 70}, {28, 44}}}}},
        // 9: straight stem; curved tail; slanted stem; loop and stem apart
        {{3, {{{50, 12}, {28, 0}, {6, 18}, {8, 44}, {30, 48}, {49, 30}, {52, 8}, {52, 8}, {50, 50}, {46, 100}}}},
         {2, {{{50, 12}, {28, 0}, {5, 20}, {12, 46}, {36, 46}, {52, 26}, {54, 16}, {54, 44}, {44, 84}, {14, 100}}}},
         {3, {{{46, 6}, {20, 3}, {4, 26}, {16, 47}, {38, 36}, {51, 6}, {51, 6}, {43, 50}, {28, 100}}}},
         {1, {{{44, 8}, {20, 2}, {4, 22}, {14, 44}, {40, 38}, {48, 16}, {40, 2}}, {{52, 4}, {50, 50}, {48, 100}}}}},
    }};
    return all;
}

// clang-format on

// ---- The hand --------------------------------------------------------------------------------------------------------------------------

/// Standard deviations unless said otherwise; lengths relative to the height of the digit, pen sizes in pixels.
/// Set so that learning these digits is about as hard as MNIST (tests/data/digits_test.cpp guards the bounds).
namespace spread {
constexpr float point_shake = 0.030f;
constexpr float end_shake = 0.026f;     // more, at the ends of a stroke
constexpr float stroke_shift = 0.022f;  // of a stroke as a whole
constexpr float warp = 0.115f;
constexpr float turn = 0.13f, slant = 0.27f, mean_slant = 0.12f, aspect = 0.19f;  // tangents; ratio
constexpr float pressure = 0.13f;                                                 // ratio
constexpr float box_px = 20, box_spread_px = 0.7f, centre_px = 0.45f;             // the largest box is 22.4 px
constexpr float least_radius_px = 0.65f, most_radius_px = 1.95f;
}  // namespace spread

float uniform(Draws& draws) { return to_unit_float(draws()); }

/// Nearly standard normal, within 3.46: the sum of the four bytes of one word, scaled. Without a library function, the same on every
/// machine.
float normal(Draws& draws) {
    const std::uint32_t word = draws();
    const std::uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
    return (static_cast<float>(sum) - 510.0f) / 147.801f;
}

Point shifted(Point p, float spread, Draws& draws) {
    const float dx = normal(draws), dy = normal(draws);
    return {p.x + spread * dx, p.y + spread * dy};
}

/// A point of the pen's way, and its pressure (ratio of the radius).
struct Node {
    float x, y, pressure;
};
using Path = std::vector<Node>;

/// Neat to sloppy; most hands are neat. Multiplies what shakes and warps.
float draw_sloppiness(Draws& draws) {
    const float u = uniform(draws);
    return 0.6f + 0.9f * u * u * u;
}

const Habit& draw_habit(unsigned digit, Draws& draws) {
    const auto& choices = habits()[digit];
    float total = 0;
    for (const Habit& habit : choices) total += habit.share;
    float left = uniform(draws) * total;
    for (const Habit& habit : choices)
        if ((left -= habit.share) < 0) return habit;
    return choices.back();
}

bool same(Point a, Point b) { return a.x == b.x && a.y == b.y; }

/// The stroke in the square [-1, 1] x [-1, 1] of the template, every point shaken; corners stay corners.
void shake(const Stroke& stroke, float sloppiness, Draws& draws, Path& out) {
    out.clear();
    const Point shift = shifted({0, 0}, 2 * spread::stroke_shift * sloppiness, draws);
    for (std::size_t i = 0; i < stroke.size(); ++i) {
        if (i > 0 && same(stroke[i], stroke[i - 1])) {
            out.push_back(out.back());
            continue;
        }
        const bool end = i == 0 || i + 1 == stroke.size();
        const float size = 2 * sloppiness * (spread::point_shake + (end ? spread::end_shake : 0));
        const Point p = shifted({(stroke[i].x - 30) / 50 + shift.x, (stroke[i].y - 50) / 50 + shift.y}, size, draws);
        out.push_back({p.x, p.y, (end ? 0.9f : 1.0f) + spread::pressure * normal(draws)});
    }
}

/// Smooth random displacement of the plane: quadratic B-spline on a grid of 5 x 5 nodes (three intervals a side over [-1.2, 1.2]).
class Warp {
public:
    Warp(float sloppiness, Draws& draws) {
        for (Point& node : nodes_) node = shifted({0, 0}, 2 * spread::warp * sloppiness, draws);
    }
    Point at(float x, float y) const {
        const Cell column(x), row(y);
        Point sum{0, 0};
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t i = 0; i < 3; ++i) {
                const float weight = column.weight[i] * row.weight[j];
                const Point node = nodes_[(row.first + j) * side + column.first + i];
                sum.x += weight * node.x;
                sum.y += weight * node.y;
            }
        return sum;
    }

private:
    static constexpr std::size_t side = 5;
    /// The three nodes that a coordinate feels.
    struct Cell {
        explicit Cell(float x) {
            const float u = std::clamp((x + 1.2f) * 1.25f, 0.0f, 2.999f);
            first = static_cast<std::size_t>(u);
            const float t = u - static_cast<float>(first);
            weight = {0.5f * (1 - t) * (1 - t), 0.5f + t - t * t, 0.5f * t * t};
        }
        std::size_t first;
        std::array<float, 3> weight;
    };
    std::array<Point, side * side> nodes_;
};

/// Rotation, slant and aspect as one matrix; the size does not matter here, fit() sets it.
struct Affine {
    float xx, xy, yx, yy;
    explicit Affine(Draws& draws) {
        const float turn = spread::turn * normal(draws);
        const float slant = spread::mean_slant + spread::slant * normal(draws);
        const float aspect = 1 + spread::aspect * normal(draws);
        xx = aspect, xy = -slant - turn;  // y points down: a positive slant leans to the right
        yx = aspect * turn, yy = 1 - turn * slant;
    }
    Point operator()(float x, float y) const { return {xx * x + xy * y, yx * x + yy * y}; }
};

/// Catmull-Rom (1974) between b and c.
Node spline(const Node& a, const Node& b, const Node& c, const Node& d, float t) {
    const float t2 = t * t, t3 = t2 * t;
    const float wa = 0.5f * (2 * t2 - t3 - t), wb = 0.5f * (3 * t3 - 5 * t2 + 2), wc = 0.5f * (4 * t2 - 3 * t3 + t), wd = 0.5f * (t3 - t2);
    return {wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y,
            wa * a.pressure + wb * b.pressure + wc * c.pressure + wd * d.pressure};
}

/// A straight piece of the pen's way.
struct Segment {
    Node from, to;
};
using Drawing = std::vector<Segment>;

/// Cuts the curve through `nodes` into straight pieces and bends them by the warp and the matrix.
void trace(const Path& nodes, const Warp& warp, const Affine& affine, Drawing& out) {
    constexpr int pieces = 5;
    const auto bent = [&](const Node& p) {
        const Point shift = warp.at(p.x, p.y), q = affine(p.x + shift.x, p.y + shift.y);
        return Node{q.x, q.y, p.pressure};
    };
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        const Node &b = nodes[i], &c = nodes[i + 1];
        if (b.x == c.x && b.y == c.y) continue;
        const Node &a = nodes[i > 0 ? i - 1 : 0], &d = nodes[std::min(i + 2, nodes.size() - 1)];
        Node from = bent(b);
        for (int k = 1; k <= pieces; ++k) {
            const Node to = bent(spline(a, b, c, d, static_cast<float>(k) / pieces));
            out.push_back({from, to});
            from = to;
        }
    }
}

void draw_strokes(unsigned digit, Draws& draws, Drawing& out) {
    thread_local Path path;
    out.clear();
    const Habit& habit = draw_habit(digit, draws);
    const float sloppiness = draw_sloppiness(draws);
    const Warp warp(sloppiness, draws);
    const Affine affine(draws);
    for (const Stroke& stroke : habit.strokes) {
        shake(stroke, sloppiness, draws, path);
        trace(path, warp, affine, out);
    }
}

// ---- The paper -------------------------------------------------------------------------------------------------------------------------

/// Size in pixels.
struct Pen {
    float radius_px, soft_px, ink;
    explicit Pen(Draws& draws) {
        const float u = 0.5f * (uniform(draws) + uniform(draws));
        radius_px = spread::least_radius_px + (spread::most_radius_px - spread::least_radius_px) * u;
        soft_px = 1.0f + 0.8f * uniform(draws);
        ink = 1.02f + 0.25f * uniform(draws);
    }
};

/// Around the pen's way.
struct Box {
    float left, right, top, bottom;
    explicit Box(const Drawing& drawing) : left(drawing[0].from.x), right(left), top(drawing[0].from.y), bottom(top) {
        for (const auto& [from, to] : drawing) {
            left = std::min({left, from.x, to.x});
            right = std::max({right, from.x, to.x});
            top = std::min({top, from.y, to.y});
            bottom = std::max({bottom, from.y, to.y});
        }
    }
    float longer_side() const { return std::max(right - left, bottom - top); }
};

/// Of the strokes, by length.
Point centre_of_mass(const Drawing& drawing) {
    float mass = 1e-6f, x = 0, y = 0;
    for (const auto& [a, b] : drawing) {
        const float length = std::sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
        mass += length;
        x += 0.5f * length * (a.x + b.x);
        y += 0.5f * length * (a.y + b.y);
    }
    return {x / mass, y / mass};
}

/// Pixels instead of template lengths, and radii instead of pressures: fits the ink into its box and puts its centre of mass near the
/// middle, as far as the ink stays on the paper.
void fit(Drawing& drawing, const Pen& pen, Draws& draws) {
    constexpr float side = digit_side;
    const Box box(drawing);
    const float scale = (spread::box_px + spread::box_spread_px * normal(draws) - 2 * pen.radius_px) / box.longer_side();
    const Point centre = centre_of_mass(drawing);
    const Point middle = shifted({0.5f * side, 0.5f * side}, spread::centre_px, draws);
    const float margin = 1 + pen.radius_px;
    const float x = std::clamp(middle.x - scale * centre.x, margin - scale * box.left, side - margin - scale * box.right);
    const float y = std::clamp(middle.y - scale * centre.y, margin - scale * box.top, side - margin - scale * box.bottom);
    for (auto& [from, to] : drawing)
        for (Node* p : {&from, &to}) *p = {x + scale * p->x, y + scale * p->y, pen.radius_px * std::max(p->pressure, 0.4f)};
}

/// How deep each pixel's centre lies in the ink: radius minus distance from the pen's way, in pixels; negative outside.
using Depth = std::array<float, digit_side * digit_side>;
constexpr float outside = -4;

/// First and one past the last pixel whose centre is within `reach` of [a, b].
std::pair<int, int> pixel_range(float a, float b, float reach) {
    const auto side = static_cast<float>(digit_side);
    return {static_cast<int>(std::clamp(std::min(a, b) - reach, 0.0f, side)),
            static_cast<int>(std::clamp(std::max(a, b) + reach + 1, 0.0f, side))};
}

void press(const Segment& segment, float soft_px, Depth& depth) {
    const auto& [a, b] = segment;
    const float reach = std::max(a.pressure, b.pressure) + soft_px;
    const auto [left, right] = pixel_range(a.x, b.x, reach);
    const auto [top, bottom] = pixel_range(a.y, b.y, reach);
    const float dx = b.x - a.x, dy = b.y - a.y, widening = b.pressure - a.pressure;
    const float per_length2 = 1 / (dx * dx + dy * dy + 1e-9f);
    for (int row = top; row < bottom; ++row) {
        float* line = depth.data() + row * static_cast<int>(digit_side);
        const float py = static_cast<float>(row) + 0.5f - a.y;
        for (int column = left; column < right; ++column) {
            const float px = static_cast<float>(column) + 0.5f - a.x;
            const float t = std::min(std::max((px * dx + py * dy) * per_length2, 0.0f), 1.0f);
            const float ex = px - t * dx, ey = py - t * dy;
            line[column] = std::max(line[column], a.pressure + t * widening - std::sqrt(ex * ex + ey * ey));
        }
    }
}

/// The edge of the ink is a ramp `soft_px` wide; ink above 1 saturates.
void develop(const Depth& depth, const Pen& pen, std::span<std::uint8_t, digit_side * digit_side> pixels) {
    const float gain = 1 / pen.soft_px;
    for (std::size_t i = 0; i < depth.size(); ++i) {
        const float cover = std::min(std::max(0.5f + gain * depth[i], 0.0f), 1.0f);
        pixels[i] = static_cast<std::uint8_t>(255 * std::min(pen.ink * cover, 1.0f) + 0.5f);  // NOLINT(bugprone-incorrect-roundings): >= 0
    }
}

/// Every ten images hold each class once.
std::uint8_t label_of(std::uint64_t seed, std::uint32_t stream, std::uint32_t n) {
    constexpr std::uint32_t trial_of_labels = 1;  // the images use trial 0
    std::array<std::uint8_t, 10> order{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    Draws draws(seed, stream, n / 10, trial_of_labels);
    shuffle(std::span<std::uint8_t>(order), draws);
    return order[n % 10];
}

}  // namespace

std::uint8_t draw_digit(std::span<std::uint8_t, digit_side * digit_side> pixels, std::uint64_t seed, std::string_view stream,
                        std::uint32_t n) {
    thread_local Drawing drawing;
    const std::uint32_t key = stream_of(stream, Purpose::image);
    const std::uint8_t label = label_of(seed, key, n);
    Draws draws(seed, key, n);
    draw_strokes(label, draws, drawing);
    const Pen pen(draws);
    fit(drawing, pen, draws);
    Depth depth;
    depth.fill(outside);
    for (const Segment& segment : drawing) press(segment, pen.soft_px, depth);
    develop(depth, pen, pixels);
    return label;
}

ImageSet draw_digits(std::size_t count, std::uint64_t seed, std::string_view stream) {
    constexpr std::size_t size = digit_side * digit_side;
    ImageSet set{digit_side, digit_side, std::vector<std::uint8_t>(count * size), std::vector<std::uint8_t>(count)};
    parallel_for(count, 64, [&](std::size_t begin, std::size_t end) {
        for (std::size_t n = begin; n < end; ++n) {
            const std::span<std::uint8_t, size> pixels(set.pixels.data() + n * size, size);
            set.labels[n] = draw_digit(pixels, seed, stream, static_cast<std::uint32_t>(n));
        }
    });
    return set;
}

}  // namespace ydot::data
