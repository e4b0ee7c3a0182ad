#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "data/detail/csv.hpp"
#include "data/detail/output_file.hpp"
#include "data/detail/spike_formats.hpp"
#include "sim/error.hpp"

namespace ydot::data::detail {

namespace {

constexpr std::string_view csv_header = "population,id,time_ms";
constexpr std::string_view sidecar_header = "population,first_id,size";
constexpr std::size_t block_bytes = std::size_t{1} << 20;

// ---- writing

/// The fewest digits that read back as the same number.
template <class Number>
void append_number(std::string& text, Number value) {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// RFC 4180: quotes around a name with a comma, a quote, a line break or a space at an end; quotes inside are doubled.
std::string csv_field(const std::string& name) {
    const bool plain = name.find_first_of(",\"\r\n") == std::string::npos && name.front() != ' ' && name.back() != ' ';
    if (plain) return name;
    std::string field = "\"";
    for (const char c : name) field += c == '"' ? std::string(2, c) : std::string(1, c);
    return field + '"';
}

/// Writes `text` in blocks; the last one with `all`.
void drain(OutputFile& file, std::string& text, bool all = false) {
    if (!all && text.size() < block_bytes) return;
    file.write(text);
    text.clear();
}

// ---- reading

double time_of(std::string_view text, const Place& place) {
    if (const auto value = to_number<double>(text); value && std::isfinite(*value)) return *value;
    place.refuse("time_ms", "a finite number", text);
}

// ---- the sidecar: which ids are whose

struct Block {
    std::string population;
    std::uint64_t first_id, size;
};

std::string sidecar_path(const std::string& path) { return path + ".populations.csv"; }

std::vector<Block> blocks_of(const SpikeTable& spikes, std::span<const std::uint64_t> sizes) {
    std::vector<Block> blocks;
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < spikes.size(); first += sizes[i++]) blocks.push_back({spikes[i].population, first, sizes[i]});
    return blocks;
}

std::string sidecar_text(const std::vector<Block>& blocks) {
    std::string text = std::string(sidecar_header) + '\n';
    for (const auto& b : blocks) text += csv_field(b.population) + ',' + std::to_string(b.first_id) + ',' + std::to_string(b.size) + '\n';
    return text;
}

/// Renames the spikes and, if needed, the sidecar into place; a sidecar of an older file goes.
void commit(OutputFile& file, const std::string& path, const std::vector<Block>& blocks, bool with_sidecar) {
    if (with_sidecar) {
        OutputFile sidecar(sidecar_path(path));
        sidecar.write(sidecar_text(blocks));
        sidecar.commit();
    } else {
        std::error_code ignored;
        std::filesystem::remove(sidecar_path(path), ignored);
    }
    file.commit();
}

/// Empty when there is no sidecar.
std::vector<Block> read_sidecar(const std::string& path) {
    const std::string name = sidecar_path(path);
    if (!std::filesystem::exists(name)) return {};
    const std::string text = whole_file(name);
    CsvReader reader(name, text);
    reader.expect_header(sidecar_header);
    std::vector<Block> blocks;
    while (auto row = reader.next(sidecar_header))
        blocks.push_back({(*row)[0], integer((*row)[1], "first_id", reader.place()), integer((*row)[2], "size", reader.place())});
    return blocks;
}

SpikeTable empty_table(const std::vector<Block>& blocks) {
    SpikeTable table;
    for (const auto& b : blocks) table.push_back({b.population, {}, {}});
    return table;
}

// ---- lines of .gdf

struct GdfSpike {
    std::uint64_t id;
    double time_ms;
};

constexpr std::string_view blanks = " \t\r";

/// Cuts the first word off a line.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const auto word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

/// Nothing for a line that is blank or a comment (#).
std::optional<GdfSpike> parse_gdf(std::string_view line, const Place& place) {
    std::string_view rest = line;
    const auto id = take_word(rest), time = take_word(rest);
    if (id.empty() || id.front() == '#') return {};
    if (time.empty() || !take_word(rest).empty()) place.refuse("line", "an id, a tab and a time in ms", line);
    return GdfSpike{integer(id, "id", place), time_of(time, place)};
}

std::size_t block_with(const std::vector<Block>& blocks, std::uint64_t id, const Place& place) {
    const auto owner =
        std::find_if(blocks.begin(), blocks.end(), [&](const Block& b) { return id >= b.first_id && id - b.first_id < b.size; });
    if (owner == blocks.end()) place.refuse("id", "of a population in " + sidecar_path(place.file), std::to_string(id));
    return static_cast<std::size_t>(owner - blocks.begin());
}

}  // namespace

void write_gdf(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes) {
    const auto blocks = blocks_of(spikes, sizes);
    OutputFile file(path);
    std::string text;
    for (std::size_t p = 0; p < spikes.size(); ++p)
        for (std::size_t i = 0; i < spikes[p].ids.size(); ++i) {
            append_number(text, blocks[p].first_id + spikes[p].ids[i]);
            text += '\t';
            append_number(text, spikes[p].times_ms[i]);
            text += '\n';
            drain(file, text);
        }
    drain(file, text, true);
    commit(file, path, blocks, spikes.size() > 1 || spikes.front().population != "spikes");
}

SpikeTable read_gdf(const std::string& path) {
    const auto blocks = read_sidecar(path);
    SpikeTable table = blocks.empty() ? SpikeTable{{"spikes", {}, {}}} : empty_table(blocks);
    const std::string text = whole_file(path);
    std::string_view rest = text;
    for (std::size_t line = 1; !rest.empty(); ++line) {
        const auto length = std::min(rest.find('\n'), rest.size());
        const Place place{path, line};
        if (const auto spike = parse_gdf(rest.substr(0, length), place)) {
            const std::size_t p = blocks.empty() ? 0 : block_with(blocks, spike->id, place);
            table[p].ids.push_back(spike->id - (blocks.empty() ? 0 : blocks[p].first_id));
            table[p].times_ms.push_back(spike->time_ms);
        }
        rest.remove_prefix(std::min(length + 1, rest.size()));
    }
    return table;
}

void write_csv(const std::string& path, const SpikeTable& spikes, std::span<const std::uint64_t> sizes) {
    OutputFile file(path);
    std::string text = std::string(csv_header) + '\n';
    for (const auto& p : spikes) {
        const std::string name = csv_field(p.population) + ',';
        for (std::size_t i = 0; i < p.ids.size(); ++i) {
            append_number(text += name, p.ids[i]);
            append_number(text += ',', p.times_ms[i]);
            text += '\n';
            drain(file, text);
        }
    }
    drain(file, text, true);
    const bool silent = std::any_of(spikes.begin(), spikes.end(), [](const auto& p) { return p.ids.empty(); });
    commit(file, path, blocks_of(spikes, sizes), silent);
}

SpikeTable read_csv(const std::string& path) {
    SpikeTable table = empty_table(read_sidecar(path));
    std::map<std::string, std::size_t, std::less<>> index;
    for (std::size_t i = 0; i < table.size(); ++i) index[table[i].population] = i;
    const std::string text = whole_file(path);
    CsvReader reader(path, text);
    reader.expect_header(csv_header);
    while (auto row = reader.next(csv_header)) {
        const auto [entry, is_new] = index.try_emplace((*row)[0], table.size());
        if (is_new) table.push_back({(*row)[0], {}, {}});
        table[entry->second].ids.push_back(integer((*row)[1], "id", reader.place()));
        table[entry->second].times_ms.push_back(time_of((*row)[2], reader.place()));
    }
    return table;
}

}  // namespace ydot::data::detail
