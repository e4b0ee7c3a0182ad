#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
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

std::size_t terminal_columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

std::string point_text(const app::LearningPoint& p) {
    std::string text = fmt::format("epoch {:6.2f}  {:8} images", p.epoch, p.images);
    if (std::isfinite(p.train_error_percent)) text += fmt::format("  training error {:5.2f} %", p.train_error_percent);
    else text += fmt::format("  {:<22}", p.learning_fraction > 0 ? "" : "untrained");
    if (std::isfinite(p.validation_error_percent)) text += fmt::format("  validation error {:5.2f} %", p.validation_error_percent);
    if (std::isfinite(p.reconstruction_error)) text += fmt::format("  error of reconstruction {:.4g}", p.reconstruction_error);
    return text + fmt::format("  {}", clock_text(p.seconds));
}

}  // namespace

ProgressDisplay::Style ProgressDisplay::style_named(const std::string& name) {
    for (const auto& [known, style] :
         {std::pair{"auto", Style::automatic}, {"plain", Style::plain}, {"json", Style::json}, {"off", Style::off}})
        if (name == known) return style;
    throw Error("--progress", "must be one of auto, plain, json, off, got \"" + name + "\"", {});
}

ProgressDisplay::ProgressDisplay(Style style)
    : style_(style == Style::automatic ? (isatty(STDERR_FILENO) ? Style::bar : Style::off) : style) {}
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

void ProgressDisplay::announce(const std::string& what) {
    if (style_ == Style::bar || style_ == Style::plain) std::fprintf(stderr, "%s\n", what.c_str());
    if (style_ == Style::json) std::fprintf(stderr, "%s\n", nlohmann::ordered_json{{"run", what}}.dump().c_str());
}

void ProgressDisplay::clear_line() {
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
}

/// Ten times a second, and at the end of a stage.
bool ProgressDisplay::due(const app::Progress& p) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100) && p.fraction < 1) return false;
    last_ = now;
    return true;
}

void ProgressDisplay::draw_bar(const app::Progress& p) {
    if (p.point) {
        clear_line();
        std::fprintf(stderr, "%s\n", point_text(*p.point).c_str());
        return;
    }
    if (!due(p)) return;
    constexpr int width = 24;
    const int full = static_cast<int>(std::clamp(p.fraction, 0.0, 1.0) * width);
    std::string line = fmt::format("{} [{}{}] {:3.0f} %", p.stage, std::string(static_cast<std::size_t>(full), '='),
                                   std::string(static_cast<std::size_t>(width - full), ' '), 100 * p.fraction);
    if (!p.rate_unit.empty()) line += fmt::format("  {:.0f} {}/s  {} left", p.rate, p.rate_unit, clock_text(p.seconds_left));
    if (p.error_percent) line += fmt::format("  error {:.1f} %", *p.error_percent);
    std::fprintf(stderr, "\r%s\033[K", line.substr(0, terminal_columns() - 1).c_str());  // a line that wraps could not be redrawn
    std::fflush(stderr);
    drawn_ = true;
}

void ProgressDisplay::print_plain(const app::Progress& p) {
    if (p.point) {
        std::fprintf(stderr, "%s\n", point_text(*p.point).c_str());
        return;
    }
    if (p.stage != "training" && p.stage != "running") return;
    const int tenth = static_cast<int>(p.fraction * 10);
    if (tenth == tenth_ || tenth == 0) return;
    tenth_ = tenth;
    std::fprintf(stderr, "%s %3d %%  %.0f %s/s  %s left\n", p.stage.c_str(), tenth * 10, p.rate, p.rate_unit.c_str(),
                 clock_text(p.seconds_left).c_str());
}

void ProgressDisplay::print_json(const app::Progress& p) {
    if (!p.point && !due(p)) return;
    nlohmann::ordered_json json{
        {"stage", p.stage}, {"fraction", p.fraction}, {"rate", p.rate}, {"rate_unit", p.rate_unit}, {"seconds_left", p.seconds_left}};
    if (p.error_percent) json["error_percent"] = *p.error_percent;
    if (p.point) {
        json["images"] = p.point->images;
        json["epoch"] = p.point->epoch;
        json["train_error_percent"] = p.point->train_error_percent;
        json["validation_error_percent"] = p.point->validation_error_percent;
    }
    std::fprintf(stderr, "%s\n", json.dump().c_str());
}

}  // namespace ydot::cli
