#include "app/share.hpp"

#include "ydot_paths.hpp"

namespace ydot::app {
namespace fs = std::filesystem;
namespace {

fs::path beside_the_program(const char* relative) {
    std::error_code none;
    return fs::read_symlink("/proc/self/exe", none).parent_path() / relative;
}

}  // namespace

Share share() {
    std::error_code none;
    const auto installed = beside_the_program(YDOT_SHARE_INSTALL);
    if (fs::exists(installed / "examples", none)) return {fs::weakly_canonical(installed, none), true};
    return {YDOT_SOURCE, false};
}

fs::path figure_script() {
    const auto [directory, installed] = share();
    return installed ? directory / "ydot_figures.py" : directory / "python" / "ydot_figures.py";
}

}  // namespace ydot::app
