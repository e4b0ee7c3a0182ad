#include "app/registry.hpp"

#include <algorithm>

#include "data/spike_file.hpp"
#include "networks/list.hpp"
#include "neurons/list.hpp"
#include "plasticity/list.hpp"
#include "sim/quantiles.hpp"
#include "sim/random.hpp"
#include "sim/replay.hpp"

namespace ydot::app {
namespace {

template <class M>
constexpr bool replays = requires {
    M::replays;
};

template <class M>
ModelInfo info_of(std::string kind) {
    return {std::move(kind), std::string(M::name), std::string(M::summary), std::string(M::reference),
            describe_fields<typename M::Params>()};
}
template <class Spec>
ModelInfo table_of(std::string name, std::string summary) {
    return {"table", std::move(name), std::move(summary), "", describe_fields<Spec>()};
}

template <class List>
std::vector<std::string> names_of() {
    std::vector<std::string> names;
    List::for_each([&]<class M>() { names.emplace_back(M::name); });
    return names;
}

[[noreturn]] void refuse_name(const std::string& path, const std::string& what, const std::string& name,
                              const std::vector<std::string>& known, const Source& source) {
    throw Error(path, with_suggestion("unknown " + what + " \"" + name + '"', name, known, "Known:"), source.text());
}

/// Parameters of every unit; empty when all have the same. The draws of a unit are keyed by population, parameter and unit.
template <class Params>
std::vector<Params> spread_over_units(const PopulationSpec& spec, const Params& common, const RunSpec& run) {
    std::vector<Params> each(spec.spread.empty() ? 0 : static_cast<std::size_t>(spec.size), common);
    const auto infos = describe_fields<Params>();
    for (const auto& [key, distribution] : spec.spread) {
        const std::string path = "populations." + spec.name + '.' + key;
        const auto info = std::find_if(infos.begin(), infos.end(), [&key = key](const auto& i) { return i.key == key; });
        if (Params probe = common; info == infos.end() || !set_number(probe, key, 0))
            throw Error(path, "is no number of the model, so it cannot differ from unit to unit", spec.source.text());
        const Quantiles quantiles(distribution);
        const auto stream = stream_of(spec.name + '.' + key, Purpose::parameter);
        std::vector<std::uint32_t> words((each.size() + 63) / 64 * 64);
        fill_random_words(words, static_cast<std::uint64_t>(run.seed), 0, 0, 0, stream);
        for (std::size_t i = 0; i < each.size(); ++i) {
            const double x = static_cast<double>(quantiles(words[i]));
            if (!info->range.contains(x))
                throw Error(path,
                            "must be " + info->range.text() + "; unit " + std::to_string(i) + " drew " + to_text(x) + ": set low and high",
                            spec.source.text());
            set_number(each[i], key, x);
        }
    }
    return each;
}

std::vector<std::pair<double, std::uint32_t>> spikes_of(const neurons::SpikeTrains::Params& params, const PopulationSpec& spec) {
    const std::string path = "populations." + spec.name;
    std::vector<std::pair<double, std::uint32_t>> spikes;
    const auto add = [&](double time_ms, double unit) {
        if (unit >= static_cast<double>(spec.size))
            throw Error(path,
                        "a spike belongs to unit " + std::to_string(static_cast<std::int64_t>(unit)) + ", but the population has size " +
                            std::to_string(spec.size),
                        spec.source.text());
        spikes.emplace_back(time_ms, static_cast<std::uint32_t>(unit));
    };
    if (!params.file.empty()) {
        const auto table = data::read_spikes(params.file);
        for (const auto& population : table)
            if (population.population == params.population || (params.population.empty() && &population == &table.front())) {
                for (std::size_t k = 0; k < population.ids.size(); ++k) add(population.times_ms[k], static_cast<double>(population.ids[k]));
                return spikes;
            }
        throw Error(path + ".population", "the file " + params.file + " has no population \"" + params.population + "\"",
                    spec.source.text());
    }
    if (params.times_ms.size() != params.units.size())
        throw Error(path,
                    "times_ms and units must be of one length, got " + std::to_string(params.times_ms.size()) + " and " +
                        std::to_string(params.units.size()),
                    spec.source.text());
    for (std::size_t k = 0; k < params.units.size(); ++k) add(params.times_ms[k], params.units[k]);
    return spikes;
}

template <class M>
std::unique_ptr<const Population> make(const PopulationSpec& spec, const RunSpec& run) {
    const std::string path = "populations." + spec.name;
    const auto params = read_fields<typename M::Params>(spec.parameters, path, population_keys());
    const auto size = static_cast<std::uint32_t>(spec.size);
    const bool continuous = is_continuous(spec, run);
    if constexpr (requires { M::check(params, run.dt_ms, path); }) M::check(params, run.dt_ms, path);
    if (!spec.spread.empty() && (replays<M> || SourceModel<M>))
        throw Error(path + '.' + spec.spread.begin()->first, "must be one value for all units of a source", spec.source.text());
    if constexpr (replays<M>) return std::make_unique<ReplayPopulation>(spec.name, size, spikes_of(params, spec), run.dt_ms, continuous);
    else if constexpr (SourceModel<M>) return std::make_unique<SourcePopulation<M>>(spec.name, size, params, run.dt_ms, continuous);
    else {
        if (continuous && !ContinuousModel<M>)
            throw Error(path + ".model",
                        std::string(M::name) + " has no continuous-time propagator; set propagator = \"grid\" for this population",
                        spec.source.text());
        auto each = spread_over_units(spec, params, run);
        if constexpr (requires { M::check(params, run.dt_ms, path); })
            for (const auto& unit : each) M::check(unit, run.dt_ms, path);
        if (!each.empty() && (continuous || (StochasticModel<M> && !SpikeResponse<M>)))
            throw Error(path, "parameters that differ from unit to unit need a model with a membrane", spec.source.text());
        return std::make_unique<UnitPopulation<M>>(spec.name, size, params, run.dt_ms, continuous, std::move(each));
    }
}

}  // namespace

std::string phi_of(const PopulationSpec& spec) {
    const auto phi = spec.parameters.find("phi");
    return phi == spec.parameters.end() ? std::string() : std::get<std::string>(phi->second.value);
}

bool is_continuous(const PopulationSpec& spec, const RunSpec& run) {
    if (spec.propagator.empty()) return run.propagator == Propagator::continuous;
    if (spec.propagator != "grid" && spec.propagator != "continuous")
        throw Error("populations." + spec.name + ".propagator", "must be one of grid, continuous, got \"" + spec.propagator + "\"",
                    spec.source.text());
    return spec.propagator == "continuous";
}

std::vector<ModelInfo> all_models() {
    std::vector<ModelInfo> models;
    neurons::Units::for_each([&]<class M>() { models.push_back(info_of<M>(SourceModel<M> || replays<M> ? "source" : "neuron")); });
    neurons::Currents::for_each([&]<class C>() { models.push_back(info_of<C>("stimulus")); });
    plasticity::Rules::for_each([&]<class R>() { models.push_back(info_of<R>("rule")); });
    for (const auto& connector : networks::connectors()) models.push_back(connector.info);
    for (const auto& circuit : networks::circuits()) models.push_back(circuit.info);
    models.push_back(table_of<RunSpec>("run", "time, seed, threads"));
    models.push_back(table_of<PopulationSpec>("population", "[populations.NAME]: these keys and the parameters of the model"));
    models.push_back(table_of<RateSpec>("rate", "[populations.NAME.rate]: what units have beside their model in run.mode = \"rate\""));
    models.push_back(table_of<ProjectionSpec>(
        "projection", "[projections.NAME]: these keys, weight, delay_ms, plasticity and the parameters of the connector"));
    models.push_back(table_of<DistributionSpec>("distribution", "weight or delay_ms of a projection: a number, or a table of these keys"));
    models.push_back(table_of<PlasticitySpec>("plasticity", "[projections.NAME.plasticity]: these keys and the parameters of the rule"));
    models.push_back(table_of<StimulusSpec>("stimulus", "[stimuli.NAME]: these keys and the parameters of the current"));
    models.push_back(
        table_of<ShortTermSpec>("short_term", "[projections.NAME.short_term]: depression and facilitation (Tsodyks & Markram 1997)"));
    models.push_back(table_of<ScheduleSpec>("schedule", "training on images"));
    models.push_back(table_of<PhaseSpec>("phase", "[[schedule.phases]], in order"));
    models.push_back(table_of<StageSpec>("stage", "[[schedule.stages]], one after another; without them all phases are one stage"));
    models.push_back(table_of<DataSpec>("data", "images; training, validation and test apart"));
    models.push_back(table_of<RecordSpec>("record", "what is recorded"));
    models.push_back(table_of<ReportSpec>("report", "[[record.reports]]: frames of state variables or weights"));
    models.push_back(table_of<MetricsSpec>("metrics", "what is measured at every point of the learning curve"));
    return models;
}

std::unique_ptr<const Population> make_population(const PopulationSpec& spec, const RunSpec& run) {
    std::unique_ptr<const Population> made;
    neurons::Units::for_each([&]<class M>() {
        if (M::name == spec.model) made = make<M>(spec, run);
    });
    if (!made) refuse_name("populations." + spec.name + ".model", "model", spec.model, names_of<neurons::Units>(), spec.source);
    return made;
}

std::unique_ptr<const Current> make_current(const StimulusSpec& spec, const RunSpec& run) {
    const std::string path = "stimuli." + spec.name;
    std::unique_ptr<const Current> made;
    neurons::Currents::for_each([&]<class C>() {
        if (C::name != spec.model) return;
        const auto params = read_fields<typename C::Params>(spec.parameters, path, field_keys<StimulusSpec>());
        C::check(params, run.dt_ms, path);
        made = std::make_unique<CurrentOf<C>>(params, run.dt_ms);
    });
    if (!made) refuse_name(path + ".model", "current", spec.model, names_of<neurons::Currents>(), spec.source);
    return made;
}

void refuse_current(const StimulusSpec& spec, const std::string& model, bool continuous) {
    std::string driven;
    neurons::Units::for_each([&]<class M>() {
        if constexpr (!SourceModel<M> && !replays<M>)
            if constexpr (CurrentDriven<M>) driven += (driven.empty() ? "" : ", ") + std::string(M::name);
    });
    throw Error("stimuli." + spec.name + ".to",
                continuous ? spec.to + " runs in continuous time; only populations on the grid take currents"
                           : spec.to + " is " + model + ", which takes no current; models that do: " + driven,
                spec.source.text());
}

std::shared_ptr<const PairRule> make_rule(const PlasticitySpec& spec, const std::string& path, const Source& source) {
    std::shared_ptr<const PairRule> made;
    plasticity::Rules::for_each([&]<class R>() {
        if (R::name == spec.rule)
            made = std::make_shared<RuleOf<R>>(read_fields<typename R::Params>(spec.parameters, path, field_keys<PlasticitySpec>()));
    });
    if (!made) refuse_name(path + ".rule", "rule", spec.rule, names_of<plasticity::Rules>(), source);
    return made;
}

void fill_defaults(Description& description) {
    const auto complete = [](Parameters& parameters, const std::vector<ParameterInfo>& known) {
        for (const auto& info : known)
            if (info.default_value != Value{std::string{}}) parameters.try_emplace(info.key, Setting{info.default_value, {}});
    };
    const auto models = all_models();
    const auto fill = [&](Parameters& parameters, const std::string& name, auto... kinds) {
        for (const auto& model : models)
            if (model.name == name && ((model.kind == kinds) || ...)) complete(parameters, model.parameters);
    };
    fill(description.circuit.parameters, description.circuit.name, "circuit");
    for (auto& p : description.populations) {
        fill(p.parameters, p.model, "neuron", "source");
        for (const auto& [key, distribution] : p.spread) p.parameters.erase(key);
    }
    for (auto& s : description.stimuli) fill(s.parameters, s.model, "stimulus");
    for (auto& p : description.projections) {
        fill(p.connection, p.connector, "connector");
        fill(p.plasticity.parameters, p.plasticity.rule, "rule");
    }
}

}  // namespace ydot::app
