#pragma once
#include <string>

namespace ydot::app {

/// The word as a shell reads it back: in quotes where it holds anything but letters, digits and -_=./,:+@%.
inline std::string shell_word(const std::string& text) {
    constexpr auto plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

}  // namespace ydot::app
