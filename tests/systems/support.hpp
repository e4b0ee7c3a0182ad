#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ydot::test {

/// A directory that is gone with the object.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "ydot_test_XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

inline constexpr std::string_view catalogue_text = R"(quick = ["data.train=40"]
[[systems]]
id = "S7"
name = "Feedback"
source = "A"
published = "2.1 % in the paper"
published_error_percent = 2.1
paper = """
What it says,
in two lines.
"""
differs = "Spikes."
lesson = "Look at feedback."
[[systems.runs]]
name = "fixed"
what = "fixed | random"
mode = "spiking"
file = "net.toml"
bound = 3.2
[[systems.runs]]
name = "learned"
what = "learned"
mode = "spiking"
file = "net.toml"
headline = true
set = ['a.b=["x y"]']
quick = ["a.c=1"]
[[systems.runs]]
name = "fixed"
what = "fixed"
mode = "rate"
file = "net.toml"
headline = true
[[systems]]
id = "S8"
name = "Loops"
source = "B"
)";

}  // namespace ydot::test
