#include "data/edge_file.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "data/detail/csv.hpp"

namespace ydot::data {
namespace {

using detail::Place;
using Row = std::vector<std::string>;

constexpr std::array<std::string_view, 4> names{"source", "target", "weight", "delay_ms"};
constexpr std::string_view allowed_header = "source,target and, if wanted, weight and delay_ms, each once, in any order";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Where each of `names` stands in the rows; -1: nowhere.
std::array<int, 4> columns_of(const Row& header, const Place& place) {
    std::array<int, 4> columns{-1, -1, -1, -1};
    for (std::size_t k = 0; k < header.size(); ++k) {
        const auto found = static_cast<std::size_t>(std::find(names.begin(), names.end(), trimmed(header[k])) - names.begin());
        if (found == names.size() || columns[found] >= 0)
            place.refuse("header", std::string(allowed_header), detail::CsvReader::joined(header));
        columns[found] = static_cast<int>(k);
    }
    if (columns[0] < 0 || columns[1] < 0) place.refuse("header", std::string(allowed_header), detail::CsvReader::joined(header));
    return columns;
}

std::uint32_t unit_of(const std::string& field, std::string_view column, const Place& place) {
    const auto value = detail::to_number<std::uint32_t>(trimmed(field));
    if (!value) place.refuse(std::string(column), "an integer >= 0 and < 2^32", field);
    return *value;
}

double number_of(const std::string& field, std::string_view column, const Place& place) {
    const auto value = detail::to_number<double>(trimmed(field));
    if (!value || !std::isfinite(*value)) place.refuse(std::string(column), "a finite number", field);
    return *value;
}

}  // namespace

EdgeTable read_edges(const std::string& path) {
    const std::string text = detail::whole_file(path);
    detail::CsvReader reader(path, text);
    const auto header = reader.next();
    if (!header) Place{path, 1}.refuse("header", std::string(allowed_header), "");
    const auto columns = columns_of(*header, reader.place());
    EdgeTable table;
    while (const auto row = reader.next()) {
        const auto place = reader.place();
        if (row->size() != header->size())
            place.refuse("row", std::to_string(header->size()) + " values as in the header", detail::CsvReader::joined(*row));
        const auto field = [&](std::size_t k) -> const std::string& { return (*row)[static_cast<std::size_t>(columns[k])]; };
        table.source.push_back(unit_of(field(0), names[0], place));
        table.target.push_back(unit_of(field(1), names[1], place));
        if (columns[2] >= 0) table.weight.push_back(number_of(field(2), names[2], place));
        if (columns[3] >= 0) table.delay_ms.push_back(number_of(field(3), names[3], place));
        table.line.push_back(place.line);
    }
    return table;
}

}  // namespace ydot::data
