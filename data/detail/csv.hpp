#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/error.hpp"

namespace ydot::data::detail {

/// @throws Error for a file that cannot be opened
inline std::string whole_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw Error(path, "cannot be opened", {});
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// Where a value stands, for errors.
struct Place {
    const std::string& file;
    std::size_t line;
    [[noreturn]] void refuse(const std::string& what, const std::string& expected, std::string_view got) const {
        throw Error(what, "must be " + expected + ", got '" + std::string(got.substr(0, 60)) + "'", file + ':' + std::to_string(line));
    }
};

template <class Number>
std::optional<Number> to_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

inline std::uint64_t integer(std::string_view text, const std::string& what, const Place& place) {
    if (const auto value = to_number<std::uint64_t>(text)) return *value;
    place.refuse(what, "an integer >= 0", text);
}

/// Rows of comma-separated values, quoted or not; knows its line.
class CsvReader {
public:
    CsvReader(const std::string& file, std::string_view text) : file_(file), rest_(text) {}

    static std::string joined(const std::vector<std::string>& row) {
        std::string text;
        for (const auto& field : row) text += (&field == row.data() ? "" : ",") + field;
        return text;
    }
    Place place() const { return {file_, row_line_}; }

    /// The next row that is not blank, or nothing at the end.
    /// @throws Error when it does not have as many fields as the header
    std::optional<std::vector<std::string>> next(std::string_view header) {
        auto row = next();
        if (row && row->size() != static_cast<std::size_t>(std::count(header.begin(), header.end(), ',') + 1))
            place().refuse("row", "'" + std::string(header) + "'", joined(*row));
        return row;
    }
    /// The same with any number of fields.
    std::optional<std::vector<std::string>> next() {
        while (!rest_.empty()) {
            row_line_ = line_;
            auto row = read_row();
            if (row.size() > 1 || !row[0].empty()) return row;
        }
        return {};
    }

    void expect_header(std::string_view header) {
        const auto row = next(header);
        if (!row || joined(*row) != header) Place{file_, 1}.refuse("header", "'" + std::string(header) + "'", row ? joined(*row) : "");
    }

private:
    std::vector<std::string> read_row() {
        std::vector<std::string> row(1);
        bool quoted = false;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            line_ += c == '\n';
            if (quoted && c == '"' && rest_.starts_with('"')) row.back() += take();
            else if (c == '"' && (quoted || row.back().empty())) quoted = !quoted;
            else if (!quoted && c == ',') row.emplace_back();
            else if (!quoted && (c == '\n' || (c == '\r' && rest_.starts_with('\n')))) {
                if (c == '\n') break;
            } else row.back() += c;
        }
        return row;
    }
    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    const std::string& file_;
    std::string_view rest_;
    std::size_t line_ = 1, row_line_ = 1;
};

}  // namespace ydot::data::detail
