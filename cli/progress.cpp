#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace ydot::cli {
namespace {

std::string clock_text(double seconds) {
    const auto s = static_cast<long>(std::lround(std::max(seconds, 0.0)));
    return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) : fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string point_text(const app::LearningPoint& p) {
    if (p.images == 0) return fmt::format("untrained       validation error {:5.2f} %", p.validation_error_percent);
    return fmt::format("epoch {:6.2f}  {:8} images  training error {:5.2f} %  validation error {:5.2f} %  {:.0f} s", p.epoch, p.images, p.train_error_percent, p.validation_error_percent,
                       p.seconds);
}

}  // namespace

ProgressDisplay::ProgressDisplay(Style style) : style_(style == Style::automatic ? (isatty(STDERR_FILENO) ? Style::bar : Style::off) : style) {}
ProgressDisplay::~ProgressDisplay() { clear_line(); }

void ProgressDisplay::show(const app::Progress& progress) {
    switch (style_) {
        case Style::bar: return draw_bar(progress);
        case Style::plain: return print_plain(progress);
        case Style::json: return print_json(progress);
        case Style::automatic:
        case Style::off: return;
    }
}

void ProgressDisplay::clear_line() {
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
}

void ProgressDisplay::draw_bar(const app::Progress& p) {
    if (p.point) {
        clear_line();
        std::fprintf(stderr, "%s\n", point_text(*p.point).c_str());
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100) && p.fraction < 1) return;
    last_ = now;
    constexpr int width = 24;
    const int full = static_cast<int>(std::clamp(p.fraction, 0.0, 1.0) * width);
    std::string line = fmt::format("\r{} [{}{}] {:3.0f} %  {:.0f} {}/s  {} left", p.stage, std::string(static_cast<std::size_t>(full), '='),
                                   std::string(static_cast<std::size_t>(width - full), ' '), 100 * p.fraction, p.rate, p.rate_unit, clock_text(p.seconds_left));
    if (p.error_percent) line += fmt::format("  error {:.1f} %", *p.error_percent);
    std::fprintf(stderr, "%s\033[K", line.c_str());
    std::fflush(stderr);
    drawn_ = true;
}

void ProgressDisplay::print_plain(const app::Progress& p) {
    if (p.point) {
        std::fprintf(stderr, "%s\n", point_text(*p.point).c_str());
        return;
    }
    if (p.stage != stage_) tenth_ = -1;
    stage_ = p.stage;
    const int tenth = static_cast<int>(p.fraction * 10);
    if (p.stage != "training" && p.stage != "running") return;
    if (tenth == tenth_ || tenth == 0) return;
    tenth_ = tenth;
    std::fprintf(stderr, "%s %3d %%  %.0f %s/s  %s left\n", p.stage.c_str(), tenth * 10, p.rate, p.rate_unit.c_str(), clock_text(p.seconds_left).c_str());
}

void ProgressDisplay::print_json(const app::Progress& p) const {
    nlohmann::ordered_json json{{"stage", p.stage}, {"fraction", p.fraction}, {"rate", p.rate}, {"rate_unit", p.rate_unit}, {"seconds_left", p.seconds_left}};
    if (p.error_percent) json["error_percent"] = *p.error_percent;
    if (p.point) json["validation_error_percent"] = p.point->validation_error_percent, json["images"] = p.point->images;
    std::fprintf(stderr, "%s\n", json.dump().c_str());
}

}  // namespace ydot::cli
