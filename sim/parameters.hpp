#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "sim/error.hpp"

namespace ydot {

/// Where a value was written: file "net.toml" line 12 column 9, or "--set" without a line. Empty for values made in code.
struct Source {
    std::string file;
    int line = 0, column = 0;
    std::string text() const {
        if (file.empty() || line == 0) return file;
        return file + ':' + std::to_string(line) + ':' + std::to_string(column);
    }
};

/// A value of a description. Integers are kept apart from floats so that a description is written back as it was read.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>, std::vector<std::string>>;

/// Equality ignores the source: two descriptions are equal when they say the same.
struct Setting {
    Value value;
    Source source;
    friend bool operator==(const Setting& a, const Setting& b) { return a.value == b.value; }
};
using Parameters = std::map<std::string, Setting, std::less<>>;

/// "run.dt_ms" of "run" and "dt_ms"; the key alone at the top.
std::string dotted(const std::string& path, std::string_view key);

/// As the user would write it: 3, 0.5, "text", [1, 2], true.
std::string to_text(const Value& value);

/// Allowed interval of a number; the text says it to the user ("must be > 0").
struct Range {
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
    bool low_open = false, high_open = false;
    constexpr bool contains(double x) const { return (low_open ? x > low : x >= low) && (high_open ? x < high : x <= high); }
    std::string text() const;  ///< "any number", "> 0", ">= 0 and <= 1"
};
inline constexpr Range any_number{};
inline constexpr Range positive{0, std::numeric_limits<double>::infinity(), true};
inline constexpr Range not_negative{0};
inline constexpr Range unit_interval{0, 1};

/// Specialise for an enum to make it a parameter type: `static constexpr std::array<std::string_view, N> names`, in the order of the
/// enumerators.
template <class E>
struct EnumNames;

/// One parameter of a struct: its key (the unit is the suffix of the key: tau_m_ms, rate_Hz), where it lives, what is allowed, what it
/// means.
template <class Struct, class T>
struct Field {
    std::string_view key;
    T Struct::*member;
    std::string_view doc;
    Range range = any_number;
};
template <class Struct, class T>
Field(std::string_view, T Struct::*, std::string_view) -> Field<Struct, T>;
template <class Struct, class T>
Field(std::string_view, T Struct::*, std::string_view, Range) -> Field<Struct, T>;

/// What `ydot models`, the documentation and error messages know of a parameter.
struct ParameterInfo {
    std::string key, doc;
    Value default_value;
    Range range;
    std::vector<std::string> choices;  ///< for enumerations, else empty
    std::string unit() const;          ///< from the suffix of the key, e.g. "ms"; "1" when it has none
    std::string allowed() const;       ///< "a number > 0", "one of a, b, c", "true or false", ...
};

namespace detail {

template <class T>
Value to_value(const T& x) {
    if constexpr (std::is_enum_v<T>) return std::string(EnumNames<T>::names[static_cast<std::size_t>(x)]);
    else if constexpr (std::integral<T> && !std::same_as<T, bool>) return static_cast<std::int64_t>(x);
    else if constexpr (std::floating_point<T>) return static_cast<double>(x);
    else return x;
}

/// The C++ value, or nothing when the type or the range is wrong (the caller words the error).
template <class T>
std::optional<T> from_value(const Value& value, const Range& range) {
    if constexpr (std::is_enum_v<T>) {
        if (const auto* text = std::get_if<std::string>(&value))
            for (std::size_t i = 0; i < EnumNames<T>::names.size(); ++i)
                if (EnumNames<T>::names[i] == *text) return static_cast<T>(i);
    } else if constexpr (std::same_as<T, bool>) {
        if (const auto* x = std::get_if<bool>(&value)) return *x;
    } else if constexpr (std::integral<T>) {
        if (const auto* x = std::get_if<std::int64_t>(&value))
            if (range.contains(static_cast<double>(*x)) && std::in_range<T>(*x)) return static_cast<T>(*x);
    } else if constexpr (std::floating_point<T>) {
        const auto* x = std::get_if<double>(&value);
        const auto* n = std::get_if<std::int64_t>(&value);
        if (x || n)
            if (const double v = x ? *x : static_cast<double>(*n); std::isfinite(v) && range.contains(v)) return static_cast<T>(v);
    } else if constexpr (std::same_as<T, std::vector<double>>) {
        if (const auto* x = std::get_if<std::vector<double>>(&value)) {
            for (const double v : *x)
                if (!range.contains(v)) return {};
            return *x;
        }
        if (const auto* x = std::get_if<std::vector<std::string>>(&value); x && x->empty()) return T{};
    } else if constexpr (std::same_as<T, std::vector<std::string>>) {
        if (const auto* x = std::get_if<std::vector<std::string>>(&value)) return *x;
        if (const auto* x = std::get_if<std::vector<double>>(&value); x && x->empty()) return T{};  // an empty array has no element type
    } else {
        if (const auto* x = std::get_if<T>(&value)) return *x;
    }
    return {};
}

template <class Struct, class T>
ParameterInfo info_of(const Field<Struct, T>& field, const Struct& defaults) {
    ParameterInfo info{std::string(field.key), std::string(field.doc), to_value(defaults.*field.member), field.range, {}};
    if constexpr (std::is_enum_v<T>) info.choices.assign(EnumNames<T>::names.begin(), EnumNames<T>::names.end());
    return info;
}

}  // namespace detail

/// The parameters of `Struct`, in the order of its `fields` tuple, with the defaults of `Struct{}`.
template <class Struct>
std::vector<ParameterInfo> describe_fields() {
    const Struct defaults{};
    return std::apply([&defaults](const auto&... field) { return std::vector<ParameterInfo>{detail::info_of(field, defaults)...}; },
                      Struct::fields);
}

/// Their keys.
template <class Struct>
std::vector<std::string> field_keys() {
    std::vector<std::string> keys;
    std::apply([&](const auto&... field) { (keys.emplace_back(field.key), ...); }, Struct::fields);
    return keys;
}

/// Throws Error for a value that is not allowed: key, value, what is allowed, and where.
[[noreturn]] void refuse_value(const std::string& path, const ParameterInfo& info, const Setting& setting);
/// Throws Error for a key that is not known, with the nearest known one ("did you mean tau_m_ms?") and the list of allowed keys.
[[noreturn]] void refuse_key(const std::string& path, std::string_view key, const std::vector<std::string>& allowed, const Source& source);
/// The candidate within a third of its length in edit distance (at least 1, at most 3), or empty. Its unit may be missing: tau_m finds
/// tau_m_ms.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);
/// "; did you mean NEAREST?", or empty when no candidate is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);
/// The complaint about a name, the suggestion, and behind `lead` all that it might have been:
/// "there is no rule "sdtp"; did you mean stdp? Known: stdp, hebb", or "... "x". Known: stdp, hebb".
std::string with_suggestion(std::string complaint, std::string_view name, const std::vector<std::string>& known, std::string_view lead);

/// Fills a struct from settings; keys that are absent keep their default.
/// @param path   dotted path of the table, for errors: "populations.exc"
/// @param other  keys that the table may hold beside these; only for the suggestion in the error for an unknown one
/// @throws Error for an unknown key, a wrong type, a value out of range
template <class Struct>
Struct read_fields(const Parameters& settings, const std::string& path, const std::vector<std::string>& other = {}) {
    Struct result{};
    const Struct defaults{};
    for (const auto& entry : settings) {
        const auto& key = entry.first;  // not a structured binding: clang cannot capture those
        const auto& setting = entry.second;
        bool known = false;
        const auto try_field = [&](const auto& field) {
            if (field.key != key) return;
            known = true;
            using T = std::remove_cvref_t<decltype(result.*field.member)>;
            if (auto value = detail::from_value<T>(setting.value, field.range)) result.*field.member = std::move(*value);
            else refuse_value(path, detail::info_of(field, defaults), setting);
        };
        std::apply([&](const auto&... field) { (try_field(field), ...); }, Struct::fields);
        if (!known) {
            auto keys = field_keys<Struct>();
            keys.insert(keys.end(), other.begin(), other.end());
            refuse_key(path, key, keys, setting.source);
        }
    }
    return result;
}

/// Sets a number of a struct. @returns false when it has no number of this key
template <class Struct>
bool set_number(Struct& value, std::string_view key, double x) {
    bool known = false;
    const auto try_field = [&](const auto& field) {
        if constexpr (std::floating_point<std::remove_cvref_t<decltype(value.*field.member)>>)
            if (field.key == key) known = true, value.*field.member = x;
    };
    std::apply([&](const auto&... field) { (try_field(field), ...); }, Struct::fields);
    return known;
}

/// The settings that give back `value`: every field, defaults included.
template <class Struct>
Parameters write_fields(const Struct& value) {
    Parameters settings;
    std::apply(
        [&](const auto&... field) {
            ((settings[std::string(field.key)] = {detail::to_value(value.*field.member), {}}), ...);
        },
        Struct::fields);
    return settings;
}

/// A named thing that a description can choose: neuron model, plasticity rule, connector, stimulus.
struct ModelInfo {
    std::string kind, name, summary, reference;
    std::vector<ParameterInfo> parameters;
};

}  // namespace ydot
