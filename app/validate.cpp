#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "app/detail/keys.hpp"
#include "app/toml_io.hpp"

namespace ydot::app {
namespace {

using namespace detail;

/// "a.b" of "a.b.c", "" of "a".
std::string parent_of(const std::string& path) {
    const auto dot = path.rfind('.');
    return dot == std::string::npos ? "" : path.substr(0, dot);
}

/// The position of the value, else of the innermost table around it that has one.
Source nearest_source(std::string path, const std::map<std::string, Source>& sources) {
    for (; !path.empty(); path = parent_of(path))
        if (const auto found = sources.find(path); found != sources.end()) return found->second;
    return {};
}

/// The file that a description was read from.
Source file_of(const std::map<std::string, Source>& sources) {
    for (const auto& [key, source] : sources)
        if (source.line > 0) return {source.file, 0, 0};
    return {};
}

bool is_multiple(double x, double dt) { return std::abs(x - std::round(x / dt) * dt) <= 1e-9 * std::abs(x); }

class Validator {
public:
    explicit Validator(const Description& description) : d_(description) {
        for (const auto& p : d_.populations) populations_.push_back(p.name);
        for (const auto& p : d_.projections) projections_.push_back(p.name);
        for (const auto& s : d_.stimuli) stimuli_.push_back(s.name);
    }

    void check() const {
        if (d_.populations.empty()) fail("populations", "a description needs at least one [populations.NAME]");
        check_names("populations", populations_);
        check_names("projections", projections_);
        check_names("stimuli", stimuli_);
        check_run();
        for (const auto& p : d_.populations) check_population(p);
        for (const auto& p : d_.projections) check_projection(p);
        for (const auto& s : d_.stimuli) check_stimulus(s);
        check_schedule();
        check_ranges(d_.data, "data");
        check_ranges(d_.record, "record");
        check_ranges(d_.metrics, "metrics");
        check_record();
    }

private:
    Source source(const std::string& path) const { return nearest_source(path, d_.sources); }

    [[noreturn]] void fail(const std::string& path, std::string reason) const { refuse(path, std::move(reason), source(path)); }

    /// What reading has refused already, for values made in code. A default is right even where a file could not say it (infinity).
    template <class Struct>
    void check_ranges(const Struct& spec, const std::string& path) const {
        const Struct defaults{};
        const auto check = [&](const auto& field) {
            using T = std::remove_cvref_t<decltype(spec.*field.member)>;
            const T& x = spec.*field.member;
            if (x == defaults.*field.member || ydot::detail::from_value<T>(ydot::detail::to_value(x), field.range)) return;
            refuse_value(path, ydot::detail::info_of(field, defaults), {ydot::detail::to_value(x), source(dotted(path, field.key))});
        };
        std::apply([&](const auto&... field) { (check(field), ...); }, Struct::fields);
    }

    /// Names become parts of dotted paths, of file names and of HDF5 paths.
    void check_names(const std::string& path, const Names& names) const {
        constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        std::set<std::string_view> seen;
        for (const auto& name : names) {
            if (name.empty() || name.find_first_not_of(allowed) != std::string::npos)
                fail(dotted(path, name), fmt::format("a name must consist of letters, digits, _ and -, got {}", to_text(name)));
            if (!seen.insert(name).second) fail(dotted(path, name), "the name is used twice");
        }
    }

    void check_reference(const std::string& path, std::string_view what, const std::string& name, const Names& known, bool star) const {
        if ((star && name == "*") || contains(known, name)) return;
        refuse_name(path, what, name, known, source(path));
    }

    void check_multiple(const std::string& path, double x) const {
        if (!is_multiple(x, d_.run.dt_ms)) fail(path, fmt::format("must be a multiple of run.dt_ms = {}, got {}", d_.run.dt_ms, x));
    }

    void check_step_or_more(const std::string& path, double x) const {
        if (!(x > 0 && (x >= d_.run.dt_ms || is_multiple(x, d_.run.dt_ms))))
            fail(path, fmt::format("must be >= run.dt_ms = {}, got {}", d_.run.dt_ms, x));
        check_multiple(path, x);
    }

    void check_order(const std::string& path, std::string_view low, double a, std::string_view high, double b) const {
        if (!(a <= b)) fail(dotted(path, low), fmt::format("must be <= {} = {}, got {}", high, b, a));
    }

    void check_run() const {
        check_ranges(d_.run, "run");
        check_multiple("run.duration_ms", d_.run.duration_ms);
        check_multiple("run.warmup_ms", d_.run.warmup_ms);
    }

    void check_population(const PopulationSpec& spec) const {
        const std::string path = "populations." + spec.name;
        if (spec.model.empty()) fail(path + ".model", "must not be empty");
        check_ranges(spec, path);
        check_ranges(spec.rate, path + ".rate");
        if (d_.run.mode != Mode::rate && spec.rate != RateSpec{})
            fail(path + ".rate", "is for run.mode = \"rate\"; write it under [when.rate] in a description that is read in both modes");
        require_propagator(path, spec.propagator, source(path + ".propagator"));
        for (const auto& [key, distribution] : spec.spread) {
            check_distribution(distribution, dotted(path, key));
            if (distribution.fan_in) fail(dotted(path, key) + ".fan_in", "applies to weights only");
        }
    }

    void check_projection(const ProjectionSpec& spec) const {
        const std::string path = "projections." + spec.name;
        check_ranges(spec, path);
        check_reference(path + ".from", "population", spec.from, populations_, false);
        check_reference(path + ".to", "population", spec.to, populations_, false);
        check_distribution(spec.weight, path + ".weight");
        check_distribution(spec.delay_ms, path + ".delay_ms");
        check_delay(spec.delay_ms, path + ".delay_ms");
        check_ranges(spec.plasticity, path + ".plasticity");
        check_ranges(spec.short_term, path + ".short_term");
        if (spec.short_term != ShortTermSpec{} && d_.metrics.gradient_angle)
            fail(path + ".short_term", "the mean field and the gradient know no short-term plasticity: leave out metrics.gradient_angle");
        if (d_.run.mode != Mode::rate && spec.plasticity.manhattan) fail(path + ".plasticity.manhattan", "needs run.mode = \"rate\"");
        check_drift(spec, path + ".drift");
        if (const auto& p = spec.plasticity; p.rule.empty() && !p.parameters.empty())
            fail(path + ".plasticity." + p.parameters.begin()->first, "belongs to a rule, and there is no plasticity.rule");
        check_order(path + ".plasticity", "w_min", spec.plasticity.w_min, "w_max", spec.plasticity.w_max);
    }

    void check_drift(const ProjectionSpec& spec, const std::string& path) const {
        if (spec.drift == 0) return;
        if (d_.run.mode != Mode::rate) fail(path, "needs run.mode = \"rate\"");
        if (!spec.plasticity.rule.empty()) fail(path, "is for synapses that do not learn: leave out the plasticity");
    }

    void check_distribution(const DistributionSpec& spec, const std::string& path) const {
        check_ranges(spec, path);
        check_order(path, "low", spec.low, "high", spec.high);
        if (spec.distribution == Distribution::constant) check_constant(spec, path);
        if (spec.distribution == Distribution::uniform) check_uniform(spec, path);
        if (spec.distribution == Distribution::lognormal && !(spec.mean > 0))
            fail(path + ".mean", fmt::format("of a lognormal distribution must be > 0, got {}", spec.mean));
    }

    void check_uniform(const DistributionSpec& spec, const std::string& path) const {
        if (!(std::isfinite(spec.low) && std::isfinite(spec.high))) fail(path, "a uniform distribution needs low and high");
        for (const auto& [key, x] : {std::pair{".mean", spec.mean}, std::pair{".std", spec.std}})
            if (x != 0) fail(path + key, fmt::format("must be left out as low and high say all of a uniform distribution, got {}", x));
    }

    void check_constant(const DistributionSpec& spec, const std::string& path) const {
        if (spec.std != 0) fail(path + ".std", fmt::format("must be 0 as the distribution is constant, got {}", spec.std));
        if (!(spec.low <= spec.mean && spec.mean <= spec.high))
            fail(path + ".mean", fmt::format("must lie between low and high, got {}", spec.mean));
    }

    void check_delay(const DistributionSpec& spec, const std::string& path) const {
        if (spec.fan_in) fail(path + ".fan_in", "applies to weights only");
        if (spec.distribution == Distribution::constant) return check_step_or_more(path, spec.mean);
        if (spec.distribution != Distribution::uniform && !(spec.mean > 0))
            fail(path + ".mean", fmt::format("must be > 0, got {}", spec.mean));
        if (std::isfinite(spec.low) && spec.low < 0) fail(path + ".low", fmt::format("must be >= 0, got {}", spec.low));
        if (spec.high < d_.run.dt_ms) fail(path + ".high", fmt::format("must be >= run.dt_ms = {}, got {}", d_.run.dt_ms, spec.high));
    }

    void check_stimulus(const StimulusSpec& spec) const {
        const std::string path = "stimuli." + spec.name;
        if (spec.model.empty()) fail(path + ".model", "must not be empty");
        check_ranges(spec, path);
        check_reference(path + ".to", "population", spec.to, populations_, false);
        check_units(path, spec.units, spec.unit_range, d_.population(spec.to)->size);
    }

    void check_units(const std::string& path, const std::vector<double>& units, const std::vector<double>& range, std::int64_t size) const {
        if (!units.empty() && !range.empty()) fail(path + ".unit_range", "must be left out as units says all");
        if (!range.empty() && range.size() != 2) fail(path + ".unit_range", fmt::format("must be [first, last], got {}", to_text(range)));
        if (!range.empty() && range[0] > range[1]) fail(path + ".unit_range", fmt::format("must not descend, got {}", to_text(range)));
        std::set<double> seen;
        for (const auto& [key, numbers] : {std::pair{".units", &units}, std::pair{".unit_range", &range}})
            for (const double unit : *numbers) {
                if (unit != std::floor(unit) || unit >= static_cast<double>(size))
                    fail(path + key, fmt::format("must hold integers below the size of the population, {}, got {}", size, unit));
                if (numbers == &units && !seen.insert(unit).second) fail(path + key, fmt::format("unit {} comes twice", unit));
            }
    }

    void check_record() const {
        for (const auto& name : d_.record.populations) check_reference("record.populations", "population", name, populations_, true);
        check_multiple("record.rates_bin_ms", d_.record.rates_bin_ms);
        if (d_.record.rates_bin_ms > 0 && !d_.schedule.phases.empty()) fail("record.rates_bin_ms", "is for runs without a schedule");
        Names names;
        for (const auto& report : d_.record.reports) names.push_back(report.name);
        check_names("record.reports", names);
        for (const auto& report : d_.record.reports) check_report(report, "record.reports." + report.name);
    }

    void check_report(const ReportSpec& spec, const std::string& path) const {
        check_ranges(spec, path);
        if (!d_.schedule.phases.empty()) fail(path, "reports are for runs without a schedule");
        if (spec.population.empty() == spec.projection.empty()) fail(path, "needs a population or a projection, and not both");
        if (spec.projection.empty()) check_reference(path + ".population", "population", spec.population, populations_, false);
        else check_reference(path + ".projection", "projection", spec.projection, projections_, false);
        if (spec.variables.empty() == spec.projection.empty())
            fail(path + ".variables", spec.projection.empty() ? "is missing: which variables of the model are recorded"
                                                              : "must be left out for a projection: its weights are recorded");
        const std::string& units_of = spec.projection.empty() ? spec.population : d_.projection(spec.projection)->to;
        check_units(path, spec.units, spec.unit_range, d_.population(units_of)->size);
        for (const auto& [key, time_ms] :
             {std::pair{".interval_ms", spec.interval_ms}, std::pair{".start_ms", spec.start_ms}, std::pair{".stop_ms", spec.stop_ms}})
            check_multiple(path + key, time_ms);
        const double end_ms = d_.run.warmup_ms + d_.run.duration_ms;
        if (spec.start_ms >= end_ms)
            fail(path + ".start_ms", fmt::format("must be < {}, the end of the run, got {}", end_ms, spec.start_ms));
        if (spec.stop_ms != 0 && spec.stop_ms <= std::max(spec.start_ms, d_.run.warmup_ms))
            fail(path + ".stop_ms", fmt::format("must be > {}, where the recording starts, or 0 for the end of the run, got {}",
                                                std::max(spec.start_ms, d_.run.warmup_ms), spec.stop_ms));
    }

    void check_schedule() const {
        const auto& s = d_.schedule;
        check_ranges(s, "schedule");
        if (!s.input.empty()) check_reference("schedule.input", "population", s.input, populations_, false);
        if (!s.readout.empty()) check_reference("schedule.readout", "population", s.readout, populations_, false);
        if (!s.label.empty()) check_reference("schedule.label", "population", s.label, populations_, false);
        if (s.answer != AnswerBy::readout && s.label.empty())
            fail("schedule.answer", "needs schedule.label, the population that shows the labels that are tried");
        if (s.answer == AnswerBy::short_list && d_.run.mode == Mode::spiking)
            fail("schedule.answer", "\"short_list\" needs run.mode = \"rate\"");
        check_multiple("schedule.test_readout_ms", s.test_readout_ms);
        Names names;
        for (const auto& phase : s.phases) {
            if (phase.name.empty()) fail("schedule.phases", "every phase needs a name");
            if (contains(names, phase.name)) fail("schedule.phases." + phase.name, "the name is used twice");
            names.push_back(phase.name);
            check_phase(phase, "schedule.phases." + phase.name);
        }
        check_stages();
    }

    void check_phase(const PhaseSpec& phase, const std::string& path) const {
        check_ranges(phase, path);
        if (d_.run.mode == Mode::spiking) {
            check_step_or_more(path + ".duration_ms", phase.duration_ms);
            check_no_sequence(phase, path);
        }
        for (const auto& name : phase.conducts) check_reference(path + ".conducts", "projection", name, projections_, true);
        for (const auto& name : phase.clamps) check_clamp(path + ".clamps", name);
        for (const auto& name : phase.updates) check_reference(path + ".updates", "population", name, populations_, false);
        for (const auto& name : phase.learns) check_learns(path + ".learns", name);
        for (const auto& name : phase.unlearns) check_learns(path + ".unlearns", name);
        if (phase.readout && d_.schedule.readout.empty())
            fail(path + ".readout", "needs schedule.readout, the population that gives the answer");
        if (!phase.readout && std::isfinite(phase.stop_above)) fail(path + ".stop_above", "acts only on a phase with readout = true");
        if (phase.keeps_of.empty()) return;
        Names earlier;
        for (const auto& other : d_.schedule.phases) {
            if (&other == &phase) break;
            earlier.push_back(other.name);
        }
        check_reference(path + ".keeps_of", "earlier phase", phase.keeps_of, earlier, false);
    }

    /// What only the rate reading in sequence knows.
    void check_no_sequence(const PhaseSpec& phase, const std::string& path) const {
        const PhaseSpec none;
        const auto refuse_unless = [&](bool is_default, const char* key) {
            if (!is_default) fail(dotted(path, key), "needs run.mode = \"rate\"");
        };
        refuse_unless(phase.updates == none.updates, "updates");
        refuse_unless(phase.keeps == none.keeps, "keeps");
        refuse_unless(phase.keeps_of == none.keeps_of, "keeps_of");
        refuse_unless(phase.repeats == none.repeats, "repeats");
        refuse_unless(phase.samples == none.samples, "samples");
        refuse_unless(phase.persists == none.persists, "persists");
    }

    void check_stages() const {
        const auto& s = d_.schedule;
        Names names, phases;
        for (const auto& phase : s.phases) phases.push_back(phase.name);
        for (const auto& stage : s.stages) {
            const std::string path = "schedule.stages." + stage.name;
            if (d_.run.mode == Mode::spiking && !stage.rule.empty()) fail(path + ".rule", "needs run.mode = \"rate\"");
            if (contains(names, stage.name)) fail(path, "the name is used twice");
            names.push_back(stage.name);
            check_ranges(stage, path);
            if (stage.phases.empty()) fail(path + ".phases", "must not be empty");
            for (const auto& name : stage.phases) check_reference(path + ".phases", "phase", name, phases, false);
        }
    }

    void check_clamp(const std::string& path, const std::string& name) const {
        const auto& s = d_.schedule;
        if (s.readout.empty() && s.label.empty() && name != s.input) fail(path, "needs schedule.readout, the population that has a target");
        if (name != "*") check_reference(path, "population", name, populations_, false);
        if (name == "*") fail(path, clamp_text(d_, name));
    }

    void check_learns(const std::string& path, const std::string& name) const {
        check_reference(path, "projection", name, projections_, true);
        if (name == "*" || !d_.projection(name)->plasticity.rule.empty()) return;
        fail(path, fmt::format("projection \"{}\" cannot learn: it has no plasticity.rule", name));
    }

    const Description& d_;
    Names populations_, projections_, stimuli_;
};

}  // namespace

std::string clamp_text(const Description& d, const std::string& name) {
    const auto& s = d.schedule;
    std::vector<std::string> known;
    if (!s.readout.empty()) known.push_back("the readout population, " + s.readout);
    if (!s.label.empty()) known.push_back("the label population, " + s.label);
    const auto* input = d.population(s.input);
    if (d.run.mode == Mode::spiking && input && !input->model.ends_with("source")) known.push_back("the input population, " + s.input);
    return fmt::format("only {}, {} a target, got {}", fmt::join(known, ", and "), known.size() == 1 ? "has" : "have", to_text(name));
}

void validate(const Description& description) { Validator(description).check(); }

Error located(const Error& error, const Description& description) {
    const auto& where = error.where();
    const bool is_key = contains(top_keys(), error.key().substr(0, error.key().find('.')));
    bool is_vague = where.empty();
    for (std::string path = error.key(); !path.empty(); path = parent_of(path))
        if (const auto around = description.sources.find(path); around != description.sources.end())
            is_vague |= around->second.text() == where;
    if (!is_key || !is_vague) return error;
    auto source = nearest_source(error.key(), description.sources);
    if (source.file.empty()) source = file_of(description.sources);
    return Error(error.key(), error.reason(), source.text(), error.kind());
}

}  // namespace ydot::app
