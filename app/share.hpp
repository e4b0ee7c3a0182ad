#pragma once
#include <filesystem>

namespace ydot::app {

/// What belongs to the program beside its code: examples/ and docs/results/. Of the installation, if the program that runs is an
/// installed one, else the source tree it was built from.
struct Share {
    std::filesystem::path directory;
    bool installed = false;
};
Share share();

/// The script that draws the figures.
std::filesystem::path figure_script();

}  // namespace ydot::app
