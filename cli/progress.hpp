#pragma once
#include <chrono>
#include <string>

#include "app/run.hpp"

namespace ydot::cli {

/// Shows how far a run is, on stderr.
///   bar    one line that is redrawn: share, rate, time left, current error (terminals)
///   plain  a line for each point of the learning curve and each tenth of the run (logs)
///   json   one object a line, ten a second and each point of the learning curve (programs)
///   off    nothing
/// `automatic` is bar on a terminal, off otherwise.
class ProgressDisplay {
public:
    enum class Style { automatic, plain, json, off, bar };
    /// What --progress means by "auto", "plain", "json" or "off". @throws Error for another name
    static Style style_named(const std::string& name);
    explicit ProgressDisplay(Style style);
    ~ProgressDisplay();
    void show(const app::Progress& progress);
    /// What is to come, where several runs follow one another.
    void announce(const std::string& what);

private:
    void draw_bar(const app::Progress& progress);
    void print_plain(const app::Progress& progress);
    void print_json(const app::Progress& progress);
    bool due(const app::Progress& progress);
    void clear_line();

    Style style_;
    std::chrono::steady_clock::time_point last_{};
    int tenth_ = -1;
    bool drawn_ = false;
};

}  // namespace ydot::cli
