#include "app/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "app/build.hpp"
#include "sim/error.hpp"

namespace ydot::app {
namespace {

constexpr std::string_view current_name = "stimulus_pA";

std::size_t variable_of(const Population& population, const std::string& model, const std::string& name, const std::string& path,
                        const Source& source) {
    const auto known = population.state_names();
    if (const auto found = std::find(known.begin(), known.end(), name); found != known.end())
        return static_cast<std::size_t>(found - known.begin());
    std::vector<std::string> names(known.begin(), known.end());
    if (population.takes_current()) names.emplace_back(current_name);
    if (names.empty()) throw Error(path, model + " has no variables to record", source.text());
    throw Error(path, with_suggestion(fmt::format("{} has no variable \"{}\"", model, name), name, names, "It has"), source.text());
}

Probe frames_of(const ReportSpec& spec, const RunSpec& run, std::int64_t size) {
    Probe probe;
    probe.units = chosen_units(spec.units, spec.unit_range, size);
    if (probe.units.empty()) probe.units = chosen_units({}, {0, static_cast<double>(size - 1)}, size);
    const double end_ms = run.warmup_ms + run.duration_ms;
    probe.first = to_steps(std::max(spec.start_ms, run.warmup_ms), run.dt_ms);
    probe.every = std::max(to_steps(spec.interval_ms, run.dt_ms), Step{1});
    probe.last = to_steps(spec.stop_ms == 0 ? end_ms : std::min(spec.stop_ms, end_ms), run.dt_ms);
    return probe;
}

RecordedFrames weights_of(const ReportSpec& spec, const Description& description, const Circuit& circuit) {
    const std::string path = "record.reports." + spec.name;
    const auto& all = circuit.projections();
    const auto projection = static_cast<std::size_t>(
        std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == spec.projection; }) - all.begin());
    if (!all[projection].plasticity)
        throw Error(path + ".projection", spec.projection + " has no plasticity: its weights are those of weights.h5", spec.source.text());
    const auto& target = circuit.population(all[projection].to);
    if (target.continuous())
        throw Error(path + ".projection", "weights onto a population in continuous time cannot be recorded", spec.source.text());
    auto probe = frames_of(spec, description.run, target.size());
    probe.population = all[projection].to;
    probe.projection = projection;
    return {std::move(probe), spec.name + "_weight.h5", target.name(), "1"};
}

data::FrameMapping mapping_of(const Probe& probe, const Circuit& circuit) {
    data::FrameMapping mapping;
    const auto synapses =
        probe.projection ? synapses_onto(circuit.projections()[*probe.projection], probe.units) : std::vector<RecordedSynapse>{};
    mapping.index_pointers.push_back(0);
    for (std::size_t k = 0; const auto unit : probe.units) {
        mapping.node_ids.push_back(unit);
        if (!probe.projection) mapping.element_ids.push_back(0);
        for (; k < synapses.size() && synapses[k].target == unit; ++k) {
            mapping.element_ids.push_back(static_cast<std::uint32_t>(synapses[k].index));
            mapping.source_ids.push_back(synapses[k].source);
        }
        mapping.index_pointers.push_back(mapping.element_ids.size());
    }
    return mapping;
}

}  // namespace

std::vector<RecordedFrames> recorded_frames(const Description& description, const Circuit& circuit) {
    std::vector<RecordedFrames> all;
    for (const auto& spec : description.record.reports) {
        const std::string path = "record.reports." + spec.name;
        if (!spec.projection.empty()) all.push_back(weights_of(spec, description, circuit));
        for (const auto& name : spec.variables) {
            const auto p = circuit.find_population(spec.population);
            const auto& population = circuit.population(p);
            if (population.continuous())
                throw Error(path + ".population", spec.population + " runs in continuous time; only populations on the grid have frames",
                            spec.source.text());
            auto probe = frames_of(spec, description.run, population.size());
            probe.population = p;
            probe.variable =
                name == current_name && population.takes_current()
                    ? Probe::current
                    : variable_of(population, description.population(spec.population)->model, name, path + ".variables", spec.source);
            all.push_back(
                {std::move(probe), fmt::format("{}_{}.h5", spec.name, name), spec.population, ParameterInfo{name, {}, {}, {}, {}}.unit()});
        }
    }
    std::set<std::string> files;
    for (const auto& frames : all)
        if (!files.insert(frames.file).second) throw Error("record.reports", "two of them would be called " + frames.file, {});
    return all;
}

ReportWriter::ReportWriter(const std::vector<RecordedFrames>& recorded, const Circuit& circuit, const std::filesystem::path& directory) {
    const double dt_ms = circuit.dt_ms();
    for (const auto& [probe, file, population, units] : recorded)
        files_.emplace_back((directory / file).string(), population, units, mapping_of(probe, circuit),
                            static_cast<double>(probe.first) * dt_ms, static_cast<double>(probe.every) * dt_ms);
}

void ReportWriter::close() {
    for (auto& file : files_) file.close();
}

RateWriter::RateWriter(const Circuit& circuit, double start_ms, double bin_ms, std::filesystem::path file)
    : start_ms_(start_ms), bin_ms_(bin_ms), path_(std::move(file)), out_(path_) {
    out_ << "start_ms";
    for (std::size_t p = 0; p < circuit.population_count(); ++p) {
        sizes_.push_back(circuit.population(p).size());
        out_ << ',' << circuit.population(p).name();
    }
    out_ << '\n';
}

void RateWriter::spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t>) {
    for (const double t : times_ms) {
        const double bins = (t - start_ms_) / bin_ms_;
        if (bins < 1e-9) continue;
        const auto bin = static_cast<std::size_t>(std::ceil(bins - 1e-9)) - 1;  // the end of a step belongs to it: 0.3 / 0.1 is not 3
        if (bin - written_ >= open_.size()) open_.resize(bin - written_ + 1, std::vector<std::uint64_t>(sizes_.size()));
        ++open_[bin - written_][population];
    }
}

void RateWriter::advance(double time_ms) {
    const auto ended = static_cast<std::size_t>(std::max(0.0, std::floor((time_ms - start_ms_) / bin_ms_ + 1e-9)));
    if (ended <= written_) return;
    open_.resize(std::max(open_.size(), ended - written_), std::vector<std::uint64_t>(sizes_.size()));
    const auto rows = static_cast<std::ptrdiff_t>(ended - written_);
    for (auto row = open_.begin(); row != open_.begin() + rows; ++row, ++written_) {
        out_ << fmt::format("{}", start_ms_ + static_cast<double>(written_) * bin_ms_);
        for (std::size_t p = 0; p < sizes_.size(); ++p)
            out_ << fmt::format(",{:.6g}", static_cast<double>((*row)[p]) / sizes_[p] / bin_ms_ * 1e3);
        out_ << '\n';
    }
    open_.erase(open_.begin(), open_.begin() + rows);
    if (!out_.flush()) throw Error(path_.string(), "cannot be written", {}, Error::Kind::run_failure);
}

}  // namespace ydot::app
