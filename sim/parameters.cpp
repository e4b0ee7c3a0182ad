#include "sim/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace ydot {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += {'\\', c};
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        else out += c;
    }
    return out + '"';
}

std::string element_text(double x) { return fmt::format("{}", x); }
std::string element_text(const std::string& x) { return quoted(x); }

struct TextOf {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(std::int64_t x) const { return fmt::format("{}", x); }
    std::string operator()(double x) const { return element_text(x); }
    std::string operator()(const std::string& x) const { return quoted(x); }
    template <class T>
    std::string operator()(const std::vector<T>& list) const {
        std::string out = "[";
        for (const auto& x : list) out += (out.size() > 1 ? ", " : "") + element_text(x);
        return out + ']';
    }
};

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1 each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

/// "ms" of "tau_m_ms"; empty when the key has no unit.
std::string_view unit_suffix(std::string_view key) {
    constexpr std::array<std::string_view, 21> units{"ms", "s",  "us", "Hz", "kHz", "mV", "V",    "pA",   "nA",  "pF",     "nF",
                                                     "nS", "uS", "pS", "um", "mm",  "pC", "MOhm", "GOhm", "deg", "percent"};
    const auto mark = key.rfind('_');
    if (mark == std::string_view::npos || mark == 0) return {};
    const auto suffix = key.substr(mark + 1);
    return std::find(units.begin(), units.end(), suffix) == units.end() ? std::string_view{} : suffix;
}

std::string_view without_unit(std::string_view key) {
    const auto suffix = unit_suffix(key);
    return suffix.empty() ? key : key.substr(0, key.size() - suffix.size() - 1);
}

/// Edits that make one of the other; none when they have too little in common.
std::optional<std::size_t> near_distance(std::string_view name, std::string_view candidate) {
    const std::size_t limit = std::clamp<std::size_t>(candidate.size() / 3, 1, 3), distance = edit_distance(name, candidate);
    if (distance > limit || distance >= std::max(name.size(), candidate.size())) return {};
    return distance;
}

std::string kind_text(const Value& value) {
    constexpr std::array<std::string_view, 6> kinds{"true or false", "an integer",        "a number",
                                                    "a text",        "a list of numbers", "a list of texts"};
    return std::string(kinds[value.index()]);
}

bool is_number(const Value& value) { return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value); }

/// Whether the type is right, so that only the range can be wrong.
bool fits_type(const ParameterInfo& info, const Value& value) {
    if (!info.choices.empty()) return false;
    if (std::holds_alternative<double>(info.default_value)) return is_number(value);
    return info.default_value.index() == value.index();
}

double number_of(const Value& value) {
    if (const auto* n = std::get_if<std::int64_t>(&value)) return static_cast<double>(*n);
    return std::get<double>(value);
}

/// What a value of the right type violates.
std::string violated(const ParameterInfo& info, const Value& value) {
    if (!is_number(value)) return info.allowed();
    if (!std::isfinite(number_of(value))) return "a finite number";
    return info.range.contains(number_of(value)) ? "an integer that fits its type" : info.range.text();
}

std::string hint(const ParameterInfo& info, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    const std::string near = text ? nearest_name(*text, info.choices) : std::string{};
    return near.empty() ? near : fmt::format(" (did you mean {}?)", near);
}

}  // namespace

std::string dotted(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + '.' + std::string(key);
}

std::string to_text(const Value& value) { return std::visit(TextOf{}, value); }

std::string Range::text() const {
    std::string out;
    if (std::isfinite(low)) out += fmt::format("{} {}", low_open ? ">" : ">=", low);
    if (std::isfinite(high)) out += fmt::format("{}{} {}", out.empty() ? "" : " and ", high_open ? "<" : "<=", high);
    return out.empty() ? "any number" : out;
}

std::string ParameterInfo::unit() const {
    const auto suffix = unit_suffix(key);
    if (suffix.empty()) return "1";
    const bool inverse = std::string_view(key).substr(0, key.size() - suffix.size()).ends_with("_per_");
    return (inverse ? "1/" : "") + std::string(suffix);
}

std::string ParameterInfo::allowed() const {
    if (!choices.empty()) return "one of " + joined(choices);
    const bool ranged = is_number(default_value) || std::holds_alternative<std::vector<double>>(default_value);
    const bool bounded = std::isfinite(range.low) || std::isfinite(range.high);
    return kind_text(default_value) + (ranged && bounded ? ' ' + range.text() : "");
}

void refuse_value(const std::string& path, const ParameterInfo& info, const Setting& setting) {
    const std::string wanted = fits_type(info, setting.value) ? violated(info, setting.value) : info.allowed();
    throw Error(dotted(path, info.key), fmt::format("must be {}, got {}{}", wanted, to_text(setting.value), hint(info, setting.value)),
                setting.source.text());
}

void refuse_key(const std::string& path, std::string_view key, const std::vector<std::string>& allowed, const Source& source) {
    if (allowed.empty()) throw Error(dotted(path, key), "unknown key; nothing can be set here", source.text());
    throw Error(dotted(path, key), with_suggestion("unknown key", key, allowed, "Allowed:"), source.text());
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t least = std::string::npos;
    for (const auto& candidate : candidates)
        for (const auto spelling : {std::string_view(candidate), without_unit(candidate)})
            if (const auto distance = near_distance(name, spelling); distance && *distance < least) {
                best = candidate;
                least = *distance;
            }
    return best;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
    const std::string near = nearest_name(name, candidates);
    return near.empty() ? near : fmt::format("; did you mean {}?", near);
}

std::string with_suggestion(std::string complaint, std::string_view name, const std::vector<std::string>& known, std::string_view lead) {
    const std::string near = suggestion(name, known);
    return fmt::format("{}{} {} {}", complaint, near.empty() ? "." : near, lead, joined(known));
}

}  // namespace ydot
