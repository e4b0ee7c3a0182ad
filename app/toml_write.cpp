#include <fmt/format.h>

#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "app/toml_io.hpp"

namespace ydot::app {
namespace {

using Lines = std::vector<std::string>;

std::string real_toml(double x) {
    std::string text = fmt::format("{}", x);
    return std::isfinite(x) && text.find_first_of(".e") == std::string::npos ? text + ".0" : text;  // 3.0 must not come back as an integer
}

std::string value_toml(const Value& value) {
    const auto* x = std::get_if<double>(&value);
    return x ? real_toml(*x) : to_text(value);
}

std::string key_toml(const std::string& key) {
    constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return !key.empty() && key.find_first_not_of(bare) == std::string::npos ? key : to_text(key);
}

/// "key = value" for every field, in their order; a bound at infinity has no text.
template <class Struct>
Lines field_lines(const Struct& spec) {
    Lines lines;
    const auto add = [&](const auto& field) {
        const Value value = detail::to_value(spec.*field.member);
        if (const auto* x = std::get_if<double>(&value); x && std::isinf(*x)) return;
        lines.push_back(fmt::format("{} = {}", field.key, value_toml(value)));
    };
    std::apply([&](const auto&... field) { (add(field), ...); }, Struct::fields);
    return lines;
}

Lines parameter_lines(const Parameters& parameters) {
    Lines lines;
    for (const auto& [key, setting] : parameters) lines.push_back(fmt::format("{} = {}", key_toml(key), value_toml(setting.value)));
    return lines;
}

std::string inline_table(const Lines& lines) { return fmt::format("{{{}}}", fmt::join(lines, ", ")); }

std::string distribution_toml(const DistributionSpec& spec) {
    if (spec == DistributionSpec{.mean = spec.mean}) return real_toml(spec.mean);
    return inline_table(field_lines(spec));
}

void append(Lines& lines, const Lines& more) { lines.insert(lines.end(), more.begin(), more.end()); }

void write_table(std::string& out, const std::string& header, const Lines& lines) {
    out += '\n' + header + '\n';
    for (const auto& line : lines) out += line + '\n';
}

void write_circuit(std::string& out, const CircuitSpec& spec) {
    Lines lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    write_table(out, "[circuit]", lines);
}

void write_population(std::string& out, const PopulationSpec& spec) {
    Lines lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    for (const auto& [key, distribution] : spec.spread)
        lines.push_back(fmt::format("{} = {}", key_toml(key), inline_table(field_lines(distribution))));
    const std::string table = "populations." + key_toml(spec.name);
    write_table(out, '[' + table + ']', lines);
    if (spec.rate != RateSpec{}) write_table(out, '[' + table + ".rate]", field_lines(spec.rate));
}

void write_stimulus(std::string& out, const StimulusSpec& spec) {
    Lines lines = field_lines(spec);
    append(lines, parameter_lines(spec.parameters));
    write_table(out, fmt::format("[stimuli.{}]", key_toml(spec.name)), lines);
}

void write_projection(std::string& out, const ProjectionSpec& spec) {
    const std::string table = "projections." + key_toml(spec.name);
    Lines lines = field_lines(spec);
    append(lines, parameter_lines(spec.connection));
    append(lines, {"weight = " + distribution_toml(spec.weight), "delay_ms = " + distribution_toml(spec.delay_ms)});
    write_table(out, '[' + table + ']', lines);
    if (spec.short_term != ShortTermSpec{}) write_table(out, '[' + table + ".short_term]", field_lines(spec.short_term));
    if (spec.plasticity == PlasticitySpec{}) return;
    lines = field_lines(spec.plasticity);
    append(lines, parameter_lines(spec.plasticity.parameters));
    write_table(out, '[' + table + ".plasticity]", lines);
}

}  // namespace

std::string write_description(const Description& d) {
    std::string out = fmt::format("plots = {}\n", d.plots);
    write_table(out, "[run]", field_lines(d.run));
    if (!d.circuit.name.empty()) write_circuit(out, d.circuit);
    write_table(out, "[data]", field_lines(d.data));
    for (const auto& p : d.populations) write_population(out, p);
    for (const auto& p : d.projections) write_projection(out, p);
    for (const auto& s : d.stimuli) write_stimulus(out, s);
    write_table(out, "[schedule]", field_lines(d.schedule));
    for (const auto& phase : d.schedule.phases) write_table(out, "[[schedule.phases]]", field_lines(phase));
    for (const auto& stage : d.schedule.stages) write_table(out, "[[schedule.stages]]", field_lines(stage));
    write_table(out, "[record]", field_lines(d.record));
    for (const auto& report : d.record.reports) write_table(out, "[[record.reports]]", field_lines(report));
    write_table(out, "[metrics]", field_lines(d.metrics));
    return out;
}

}  // namespace ydot::app
