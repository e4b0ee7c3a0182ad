#include "systems/measured.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace ydot::systems {
namespace {

using Json = nlohmann::ordered_json;

/// The smaller, the sooner it stands for the run.
int kind_of(const Record& r) { return (r.quick ? 2 : 0) + (r.data == drawn_digits ? 1 : 0); }

template <class Value>
Moments moments_over(const std::vector<Record>& records, Value&& value) {
    std::vector<double> x;
    for (const auto& r : records)
        if (const double v = value(r); std::isfinite(v)) x.push_back(v);
    return x.empty() ? Moments{none, none, 0} : moments_of(x);
}

const Run* run_of(const System& system, const Record& record) {
    for (const auto& run : system.runs)
        if (run.name == record.run && run.mode == record.mode) return &run;
    return nullptr;
}

/// Why a record says nothing of the catalogue as it is; empty: it counts.
std::string why_not(const Catalogue& catalogue, const Record& record) {
    const auto system =
        std::find_if(catalogue.systems.begin(), catalogue.systems.end(), [&](const auto& s) { return s.id == record.system; });
    const Run* run = system == catalogue.systems.end() ? nullptr : run_of(*system, record);
    if (!run) return "the catalogue has no such run";
    if (record.command != command_of(catalogue, *run, record.quick, record.seed, record.data == mnist))
        return "made by another command than the catalogue's";
    if (!record.description.empty() && record.description != fingerprint_of(catalogue, *run))
        return fmt::format("{} said something else when it was made", run->file);
    return {};
}

std::vector<Record> counted(const std::vector<Record>& all, const System& system, const Run& run) {
    std::map<int, std::map<std::int64_t, Record>> by_kind;
    for (const auto& r : all)
        if (r.system == system.id && r.run == run.name && r.mode == run.mode) by_kind[kind_of(r)].emplace(r.seed, r);
    std::vector<Record> records;
    if (!by_kind.empty())
        for (const auto& [seed, record] : by_kind.begin()->second) records.push_back(record);
    return records;
}

std::size_t letters_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

using Row = std::array<std::string, 7>;

std::string table(const std::vector<Row>& rows) {
    Row::size_type columns = rows.front().size();
    std::array<std::size_t, 7> width{};
    for (const auto& row : rows)
        for (std::size_t c = 0; c < columns; ++c) width[c] = std::max(width[c], letters_of(row[c]));
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t c = 0; c + 1 < columns; ++c) text += row[c] + std::string(width[c] - letters_of(row[c]) + 2, ' ');
        text += row.back() + "\n";
    }
    return text;
}

std::string published_text(const System& system) {
    return std::isfinite(system.published_error_percent) ? fmt::format("{} %", system.published_error_percent) : "-";
}

std::string headline_text(const MeasuredSystem& s, Mode mode) {
    const auto* m = s.headline(mode);
    return m ? m->figure_text() : "-";
}

/// NaN is null in JSON, and an error there would be taken for one of 0.
Json figure_json(const Moments& m) {
    return {{"mean", m.mean}, {"sd", m.count > 1 ? Json(std::sqrt(m.variance)) : Json()}, {"seeds", m.count}};
}

Json to_json(const MeasuredRun& m) {
    Json json{{"run", m.run->name}};
    json[m.run->metric] = figure_json(m.figure());
    if (m.run->has_bound()) json["bound"] = m.run->bound;
    json["data"] = m.records.front().data;
    json["quick"] = m.records.front().quick;
    json["command"] = m.records.front().command;
    return json;
}

Json headline_json(const MeasuredSystem& s, Mode mode) {
    const auto* m = s.headline(mode);
    return m ? to_json(*m) : Json();
}

Json to_json(const MeasuredSystem& s) {
    const auto& system = *s.system;
    Json runs = Json::array();
    for (const auto& m : s.runs) {
        Json run{{"name", m.run->name}, {"mode", std::string(name_of(m.run->mode))}, {"what", m.run->what}, {"headline", m.run->headline}};
        run["measured"] = m.records.empty() ? Json() : to_json(m);
        runs.push_back(run);
    }
    return {{"id", system.id},
            {"name", system.name},
            {"source", system.source},
            {"published", system.published},
            {"published_error_percent", system.published_error_percent},
            {"rate", headline_json(s, Mode::rate)},
            {"spiking", headline_json(s, Mode::spiking)},
            {"command", system.runs.empty() ? Json() : Json("ydot systems run " + system.id)},
            {"runs", runs}};
}

}  // namespace

Moments MeasuredRun::metric(const std::string& key) const {
    return moments_over(records, [&](const Record& r) { return r.metric(key); });
}

std::string MeasuredRun::figure_text() const {
    const auto text = systems::figure_text(figure(), run->metric);
    return run->metric == test_error ? text : run->metric + " " + text;
}

Moments MeasuredRun::timing(const std::string& key) const {
    return moments_over(records, [&](const Record& r) { return r.timing(key); });
}

const MeasuredRun* MeasuredSystem::headline(Mode mode) const {
    for (const auto& m : runs)
        if (m.run->mode == mode && m.run->headline && !m.records.empty()) return &m;
    return nullptr;
}

Measured measured(const Catalogue& catalogue, const std::vector<Record>& records) {
    Measured result;
    std::vector<Record> sound;
    for (const auto& r : records) {
        const auto reason = why_not(catalogue, r);
        if (reason.empty()) sound.push_back(r);
        else result.not_counted.push_back(fmt::format("{}: {}", file_name(r), reason));
    }
    for (const auto& system : catalogue.systems) {
        auto& s = result.systems.emplace_back(MeasuredSystem{&system, {}});
        for (const auto& run : system.runs) s.runs.push_back({&run, counted(sound, system, run)});
    }
    return result;
}

std::string unit_of(const std::string& metric) {
    if (metric.ends_with("_percent")) return " %";
    for (const auto* unit : {"degrees", "ms", "Hz", "s"})
        if (metric.ends_with(std::string("_") + unit)) return std::string(" ") + unit;
    return {};
}

std::string figure_text(const Moments& m, const std::string& metric) {
    if (m.count == 0) return "-";
    const auto number = [&](double x) { return metric.ends_with("_percent") ? fmt::format("{:.2f}", x) : fmt::format("{:.4g}", x); };
    return number(m.mean) + (m.count > 1 ? " ± " + number(std::sqrt(m.variance)) : "") + fmt::format(" ({})", m.count);
}

std::string to_text(const Measured& measured) {
    std::vector<Row> rows{{"id", "system", "source", "published", "rate", "spiking", "command"}};
    bool other = false;
    for (const auto& s : measured.systems) {
        rows.push_back({s.system->id, s.system->name, s.system->source, published_text(*s.system), headline_text(s, Mode::rate),
                        headline_text(s, Mode::spiking), s.system->runs.empty() ? "-" : "ydot systems run " + s.system->id});
        for (const Mode mode : {Mode::rate, Mode::spiking})
            if (const auto* m = s.headline(mode); m && kind_of(m->records.front()) != 0) {
                rows.back()[mode == Mode::rate ? 4 : 5] += "*";
                other = true;
            }
    }
    return table(rows) +
           "\nTest error in percent on MNIST where nothing else is said: mean ± standard deviation over seeds (number of seeds).\n" +
           (other ? "* drawn digits, or a quick run: not to be compared with the published figure; --json says which.\n" : "");
}

nlohmann::ordered_json to_json(const Measured& measured) {
    Json list = Json::array();
    for (const auto& s : measured.systems) list.push_back(to_json(s));
    return list;
}

}  // namespace ydot::systems
