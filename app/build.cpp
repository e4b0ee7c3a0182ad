#include "app/build.hpp"

#include <fmt/format.h>

#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "app/connect_request.hpp"
#include "app/memory.hpp"
#include "app/registry.hpp"
#include "app/synapse_stream.hpp"
#include "app/toml_io.hpp"
#include "data/edge_file.hpp"
#include "data/weight_file.hpp"
#include "networks/list.hpp"
#include "sim/quantiles.hpp"

namespace ydot::app {
namespace {

double draw_once(const DistributionSpec& spec, Draws& draws) {
    switch (spec.distribution) {
        case Distribution::constant: return spec.mean;
        case Distribution::uniform: return draws.uniform(spec.low, spec.high);
        case Distribution::normal: return spec.mean + spec.std * draws.normal();
        case Distribution::lognormal: {
            const auto [mean, std] = normal_behind(spec);
            return std::exp(mean + std * draws.normal());
        }
    }
    return spec.mean;
}

/// Draws outside of the bounds are repeated. @throws Error for bounds that 1000 draws miss
double draw(const DistributionSpec& spec, Draws& draws, const ProjectionSpec& of, std::string_view key) {
    for (int tries = 0; tries < 1000; ++tries)
        if (const double x = draw_once(spec, draws); x >= spec.low && x <= spec.high) return x;
    throw Error(fmt::format("projections.{}.{}", of.name, key),
                fmt::format("1000 draws in a row fell outside of low = {} and high = {}", spec.low, spec.high), of.source.text());
}

/// Weights and delays of the edges: their own, else drawn. The draws of a synapse are keyed by projection and source, in the order of
/// targets.
Connectivity draw_synapses(const ProjectionSpec& spec, networks::EdgeList edges, const RunSpec& run, std::uint32_t targets) {
    const auto seed = static_cast<std::uint64_t>(run.seed);
    const double inputs = static_cast<double>(edges.size()) / targets,
                 factor = spec.weight.fan_in && inputs > 0 ? 1 / std::sqrt(inputs) : 1;
    const bool one_delay = edges.delay_ms.empty() && spec.delay_ms.distribution == Distribution::constant;
    Connectivity synapses{std::move(edges.source), std::move(edges.target), {}, {}};
    const auto& source = synapses.source;
    synapses.weight.reserve(source.size());
    if (one_delay) synapses.delay = {static_cast<std::uint16_t>(to_steps(spec.delay_ms.mean, run.dt_ms))};
    Draws weights(seed, 0), delays(seed, 0);
    for (std::size_t k = 0; k < source.size(); ++k) {
        if (k == 0 || source[k] != source[k - 1]) {
            weights = Draws(seed, stream_of(spec.name, Purpose::weight), source[k]);
            delays = Draws(seed, stream_of(spec.name, Purpose::delay), source[k]);
        }
        synapses.weight.push_back(
            static_cast<float>(edges.weight.empty() ? factor * draw(spec.weight, weights, spec, "weight") : edges.weight[k]));
        if (one_delay) continue;
        const double delay_ms = edges.delay_ms.empty() ? draw(spec.delay_ms, delays, spec, "delay_ms") : edges.delay_ms[k];
        synapses.delay.push_back(static_cast<std::uint16_t>(std::clamp(std::round(delay_ms / run.dt_ms), 1.0, 65535.0)));
    }
    if (const auto& d = edges.delay_ms; !d.empty() && std::equal(d.begin() + 1, d.end(), d.begin())) synapses.delay.resize(1);
    return synapses;
}

/// A delay that is written down is taken as it is or refused; only drawn ones are rounded.
bool is_delay(double delay_ms, double dt_ms) {
    const double steps = std::round(delay_ms / dt_ms);
    return steps >= 1 && steps <= 65535 && std::abs(steps * dt_ms - delay_ms) <= 1e-9 * delay_ms;
}
std::string allowed_delay(double dt_ms) { return fmt::format("must be 1 to 65535 times run.dt_ms = {}", dt_ms); }

networks::ListedEdges read_table(const std::string& file) {
    auto table = data::read_edges(file);
    return {{std::move(table.source), std::move(table.target), std::move(table.weight), std::move(table.delay_ms)},
            file,
            std::move(table.line)};
}

/// One projection of the weights.h5 of a run. The file keeps delays as float: those of whole steps are recognised.
networks::ListedEdges read_results(const std::string& file, const ProjectionSpec& spec, double dt_ms) {
    for (auto& p : data::read_weights(file)) {
        if (p.name != spec.name) continue;
        networks::ListedEdges listed{{std::move(p.source), std::move(p.target), {p.weight.begin(), p.weight.end()}, {}}, file, {}};
        if (p.delay_ms.size() == 1) p.delay_ms.resize(listed.edges.size(), p.delay_ms[0]);
        for (const double delay : p.delay_ms) {
            const double whole = std::round(delay / dt_ms) * dt_ms;
            listed.edges.delay_ms.push_back(std::abs(delay - whole) <= 1e-6 * delay ? whole : delay);
        }
        return listed;
    }
    throw Error("projections." + spec.name + ".file", "the file " + file + " has no projection of this name", spec.source.text());
}

/// The file of a connector that reads one.
std::optional<networks::ListedEdges> read_listed(const networks::Connector& connector, const ProjectionSpec& spec, double dt_ms) {
    const std::string file = connector.file ? connector.file(spec.connection, "projections." + spec.name) : "";
    if (file.empty()) return {};
    auto listed = file.ends_with(".h5") ? read_results(file, spec, dt_ms) : read_table(file);
    for (std::size_t k = 0; k < listed.edges.delay_ms.size(); ++k)
        if (const double delay = listed.edges.delay_ms[k]; !is_delay(delay, dt_ms))
            throw Error("delay_ms", allowed_delay(dt_ms) + ", got " + to_text(delay), listed.place_of(k));
    return listed;
}

void require_delays(const ProjectionSpec& spec, const networks::EdgeList& edges, double dt_ms) {
    for (std::size_t k = 0; k < edges.delay_ms.size(); ++k)
        if (!is_delay(edges.delay_ms[k], dt_ms))
            throw Error(
                "projections." + spec.name + ".delays_ms",
                fmt::format("{}, got {} from unit {} to {}", allowed_delay(dt_ms), edges.delay_ms[k], edges.source[k], edges.target[k]),
                spec.source.text());
}

/// Connections of every projection, forward ones before the feedback that answers to them.
class Wiring {
public:
    Wiring(const Description& description, const Circuit& circuit) : description_(description), circuit_(circuit) {}

    const networks::EdgeList& edges_of(const ProjectionSpec& spec) {
        if (const auto known = edges_.find(spec.name); known != edges_.end()) return known->second;
        const std::string path = "projections." + spec.name;
        if (!visiting_.insert({spec.name, true}).second) throw Error(path + ".of", "goes round in a circle", spec.source.text());
        const auto& connector = networks::find_connector(spec.connector, path + ".connector", spec.source);
        const networks::EdgeList* forward = nullptr;
        if (const auto* answered = forward_of(spec)) {
            if (answered->from != spec.to || answered->to != spec.from)
                throw Error(path + ".of",
                            answered->name + " runs from " + answered->from + " to " + answered->to + ", so its feedback must run from " +
                                answered->to + " to " + answered->from,
                            spec.source.text());
            forward = &edges_of(*answered);
        }
        const auto listed = read_listed(connector, spec, circuit_.dt_ms());
        auto request = request_for(spec, circuit_);
        request.forward = forward;
        request.listed = listed ? &*listed : nullptr;
        auto edges = connector.connect(spec.connection, path, request);
        require_delays(spec, edges, circuit_.dt_ms());
        return edges_.emplace(spec.name, std::move(edges)).first->second;
    }

    /// The same for the last time: what no feedback answers to is not kept.
    networks::EdgeList take_edges(const ProjectionSpec& spec) {
        edges_of(spec);
        const auto answers = [&](const auto& other) { return forward_of(other) == &spec; };
        if (std::any_of(description_.projections.begin(), description_.projections.end(), answers)) return edges_.at(spec.name);
        visiting_.erase(spec.name);
        return std::move(edges_.extract(spec.name).mapped());
    }

    const ProjectionSpec* forward_of(const ProjectionSpec& spec) const {
        const std::string path = "projections." + spec.name;
        const auto& connector = networks::find_connector(spec.connector, path + ".connector", spec.source);
        if (!connector.feedback) return nullptr;
        const auto feedback = connector.feedback(spec.connection, path);
        const auto* answered = description_.projection(feedback.of);
        if (!answered) throw Error(path + ".of", "no projection is named \"" + feedback.of + "\"", spec.source.text());
        return answered;
    }

private:
    const Description& description_;
    const Circuit& circuit_;
    std::map<std::string, networks::EdgeList> edges_;
    std::map<std::string, bool> visiting_;
};

/// Dale's law: the sign of a unit is that of the sum of its weights in all projections of its population that obey the law.
std::vector<float> dale_signs(const Description& description, const std::map<std::string, Connectivity>& synapses,
                              const std::string& population, std::uint32_t size) {
    std::vector<float> sum(size, 0), sign;
    for (const auto& p : description.projections)
        if (p.from == population && p.plasticity.dale)
            for (std::size_t k = 0; k < synapses.at(p.name).size(); ++k)
                sum[synapses.at(p.name).source[k]] += synapses.at(p.name).weight[k];
    for (const float s : sum) sign.push_back(s >= 0 ? 1.0f : -1.0f);
    return sign;
}

Plasticity make_plasticity(const ProjectionSpec& spec, const Projection& projection, const Circuit& circuit,
                           const std::vector<float>& signs, bool scheduled) {
    const std::string path = "projections." + spec.name + ".plasticity";
    Plasticity plasticity;
    plasticity.rule = make_rule(spec.plasticity, path, spec.source);
    if (scheduled && !plasticity.rule->additive())
        throw Error(path + ".rule",
                    spec.plasticity.rule +
                        " reads more than pairs of spikes (the weight, triplets, single spikes or a reward); a schedule needs an additive "
                        "pair rule",
                    spec.source.text());
    if (const auto* eligibility = plasticity.rule->eligibility()) {
        if (circuit.population(projection.to).continuous() || spec.plasticity.decay > 0)
            throw Error(path + ".rule", spec.plasticity.rule + " needs targets on the grid and decay = 0", spec.source.text());
        if (eligibility->population.empty())
            throw Error(path + ".reward", "missing: the population whose spikes are the reward", spec.source.text());
        const auto is_named = [&](std::size_t p) { return circuit.population(p).name() == eligibility->population; };
        for (std::size_t p = 0; p < circuit.population_count(); ++p)
            if (is_named(p)) plasticity.third_factor = p;
        if (!plasticity.third_factor)
            throw Error(path + ".reward", "no population is named \"" + eligibility->population + "\"", spec.source.text());
    }
    plasticity.learning_rate = spec.plasticity.learning_rate;
    plasticity.decay = spec.plasticity.decay;
    plasticity.momentum = spec.plasticity.momentum;
    plasticity.manhattan = spec.plasticity.manhattan;
    plasticity.gate = spec.plasticity.gate;
    const auto domain = plasticity.rule->domain();
    const float low = std::max(static_cast<float>(spec.plasticity.w_min), domain.low),
                high = std::min(static_cast<float>(spec.plasticity.w_max), domain.high);
    for (const auto& block : projection.blocks)
        block.for_each([&](auto, auto, auto, float w) {
            if (!(w >= domain.low && w <= domain.high))
                throw Error("projections." + spec.name + ".weight",
                            fmt::format("{} is for weights from {} to {}, drew {}", spec.plasticity.rule, domain.low, domain.high, w),
                            spec.source.text());
        });
    for (std::uint32_t i = 0; i < circuit.population(projection.from).size(); ++i) {
        Bounds bounds{low, high};
        if (!signs.empty()) (signs[i] > 0 ? bounds.low : bounds.high) = signs[i] > 0 ? std::max(low, 0.0f) : std::min(high, 0.0f);
        plasticity.of_source.push_back(bounds);
    }
    if (spec.plasticity.causal_correction == CausalCorrection::analytic) {
        const auto& target = circuit.population(projection.to);
        if (!plasticity.rule->additive())
            throw Error(path + ".causal_correction", "needs an additive rule, got " + spec.plasticity.rule, spec.source.text());
        if (!target.reads_activity())
            throw Error(path + ".causal_correction", "needs units that fire with an intensity; " + spec.to + " has none",
                        spec.source.text());
        if (scheduled && (spec.plasticity.gate != Gate::pre || target.continuous()))
            throw Error(path + ".causal_correction", "in a schedule needs gate = \"pre\" and a target population on the grid",
                        spec.source.text());
        if (spec.delay_site == DelaySite::dendritic) throw Error(path + ".causal_correction", "needs axonal delays", spec.source.text());
        const auto window = plasticity.rule->window();
        const auto response =
            target.impulse_response(static_cast<std::size_t>(std::ceil(20 * std::max(window.tau_plus_ms, 50.0) / circuit.dt_ms())));
        plasticity.causal_factor = causal_factor_of(window, response, static_cast<double>(projection.scale), circuit.dt_ms());
    }
    return plasticity;
}

void check_dendritic(const ProjectionSpec& spec, const Circuit& circuit, const Projection& projection, const Connectivity& synapses) {
    if (spec.delay_site != DelaySite::dendritic || spec.plasticity.rule.empty()) return;
    const bool one_delay = spec.delay_ms.distribution == Distribution::constant && synapses.delay.size() <= 1;
    if (!one_delay || circuit.population(projection.to).continuous() || circuit.population(projection.from).continuous())
        throw Error("projections." + spec.name + ".delay_site",
                    "dendritic delays of plastic synapses must be constant, and both populations on the grid", spec.source.text());
}

/// Networks that may have more static synapses than this are streamed, and so are all projections of fixed_total_number, the connector of
/// data-driven circuits. In smaller ones weights keep their full precision and are written to weights.h5.
constexpr std::uint64_t few_pairs = std::uint64_t{1} << 22;

bool weights_are_followed(const ProjectionSpec& spec, const Description& description) {
    return std::any_of(description.projections.begin(), description.projections.end(), [&](const auto& p) {
        const std::string path = "projections." + p.name;
        const auto& connector = networks::find_connector(p.connector, path + ".connector", p.source);
        return connector.tie != networks::WeightTie::none && connector.feedback(p.connection, path).of == spec.name;
    });
}

/// A projection that can be streamed: static, drawn source by source, on the grid, its weights used by nobody else.
bool can_stream(const ProjectionSpec& spec, const Description& description, const Circuit& circuit) {
    if (!spec.plasticity.rule.empty() || spec.plasticity.dale || spec.short_term != ShortTermSpec{} || spec.weight.fan_in ||
        !description.schedule.phases.empty())
        return false;
    if (!networks::find_connector(spec.connector, "projections." + spec.name + ".connector", spec.source).stream) return false;
    const auto &source = circuit.population(circuit.find_population(spec.from)),
               &target = circuit.population(circuit.find_population(spec.to));
    return !source.continuous() && !target.continuous() && !weights_are_followed(spec, description);
}

std::set<std::string> streamed_projections(const Description& description, const Circuit& circuit) {
    std::set<std::string> streamed;
    std::uint64_t pairs = 0;
    bool many = false;
    for (const auto& spec : description.projections) {
        if (!can_stream(spec, description, circuit)) continue;
        streamed.insert(spec.name);
        pairs += std::uint64_t{circuit.population(circuit.find_population(spec.from)).size()} *
                 circuit.population(circuit.find_population(spec.to)).size();
        many |= spec.connector == networks::FixedTotalNumber::name;
    }
    if (!many && pairs <= few_pairs) streamed.clear();
    return streamed;
}

/// The receptor of the target that a projection ends on.
std::uint32_t port_of(const ProjectionSpec& spec, const Population& target) {
    const auto names = target.receptors();
    const std::string path = "projections." + spec.name + ".receptor";
    if (names.empty() && spec.receptor.empty()) return 0;
    if (names.empty())
        throw Error(path, fmt::format("must be left out as population {} has one kind of input, got \"{}\"", spec.to, spec.receptor),
                    spec.source.text());
    const auto found = std::find(names.begin(), names.end(), spec.receptor);
    if (found == names.end())
        throw Error(
            path,
            fmt::format("must be one of {}, the receptors of population {}, got \"{}\"", fmt::join(names, ", "), spec.to, spec.receptor),
            spec.source.text());
    return static_cast<std::uint32_t>(found - names.begin());
}

void connect_stream(const ProjectionSpec& spec, const RunSpec& run, Circuit& circuit) {
    const auto from = circuit.find_population(spec.from), to = circuit.find_population(spec.to);
    const auto& target = circuit.population(to);
    if (!target.receives())
        throw Error("projections." + spec.name + ".to", spec.to + " is a source and receives no spikes", spec.source.text());
    auto targets =
        networks::find_connector(spec.connector, {}).stream(spec.connection, "projections." + spec.name, request_for(spec, circuit));
    circuit.connect_static(spec.name, from, to,
                           std::make_unique<DescribedSynapses>(spec, run, std::move(targets), circuit.input_scale(from, to)),
                           port_of(spec, target));
}

void set_backgrounds(const Description& description, Circuit& circuit) {
    for (std::size_t p = 0; p < description.populations.size(); ++p)
        if (const auto& spec = description.populations[p]; spec.background_rate_Hz > 0)
            circuit.set_background(p, BackgroundInput::make(spec.name, spec.background_rate_Hz, spec.background_weight, circuit.dt_ms()));
}

void add_stimuli(const Description& description, Circuit& circuit) {
    for (const auto& spec : description.stimuli) {
        const auto to = circuit.find_population(spec.to);
        const auto& population = circuit.population(to);
        if (!population.takes_current()) refuse_current(spec, description.population(spec.to)->model, population.continuous());
        circuit.add_stimulus(
            {spec.name, to, chosen_units(spec.units, spec.unit_range, population.size()), make_current(spec, description.run)});
    }
}

}  // namespace

Step to_steps(double time_ms, double dt_ms) {
    const double steps = std::round(time_ms / dt_ms);
    if (std::abs(steps * dt_ms - time_ms) > 1e-9 * std::max(std::abs(time_ms), dt_ms))
        throw Error(to_text(time_ms) + " ms is not a multiple of run.dt_ms = " + to_text(dt_ms));
    return static_cast<Step>(steps);
}

std::vector<std::uint32_t> chosen_units(const std::vector<double>& units, const std::vector<double>& range, std::int64_t size) {
    std::vector<std::uint32_t> chosen(units.begin(), units.end());
    std::sort(chosen.begin(), chosen.end());
    if (!range.empty())
        for (auto unit = static_cast<std::int64_t>(range[0]); unit <= static_cast<std::int64_t>(range[1]) && unit < size; ++unit)
            chosen.push_back(static_cast<std::uint32_t>(unit));
    return chosen;
}

std::unique_ptr<Circuit> build_circuit(const Description& description) {
    validate(description);
    std::vector<std::unique_ptr<const Population>> populations;
    for (const auto& spec : description.populations) populations.push_back(make_population(spec, description.run));
    auto circuit =
        std::make_unique<Circuit>(description.run.dt_ms, static_cast<std::uint64_t>(description.run.seed), std::move(populations));

    set_backgrounds(description, *circuit);
    add_stimuli(description, *circuit);

    const auto streamed = streamed_projections(description, *circuit);
    require_memory(memory_needed(description, *circuit, streamed), available_memory_bytes());
    Wiring wiring(description, *circuit);
    const auto draw = [&](const ProjectionSpec& spec) {
        return draw_synapses(spec, wiring.take_edges(spec), description.run, circuit->population(circuit->find_population(spec.to)).size());
    };
    std::map<std::string, Connectivity> synapses;  ///< drawn ahead where Dale's law looks at them; others one projection after another
    for (const auto& spec : description.projections) {
        if (streamed.contains(spec.name)) continue;
        const auto& target = circuit->population(circuit->find_population(spec.to));
        if (!target.receives() && spec.plasticity.rule.empty())  // plastic synapses onto a source learn from spikes that they do not cause
            throw Error("projections." + spec.name + ".to", spec.to + " is a source and receives no spikes", spec.source.text());
        if (spec.plasticity.dale) synapses[spec.name] = draw(spec);
    }
    std::map<std::string, std::vector<float>> signs;
    for (const auto& spec : description.projections)
        if (spec.plasticity.dale)
            signs.try_emplace(
                spec.from, dale_signs(description, synapses, spec.from, circuit->population(circuit->find_population(spec.from)).size()));

    for (const auto& spec : description.projections) {
        if (streamed.contains(spec.name)) {
            connect_stream(spec, description.run, *circuit);
            continue;
        }
        auto& drawn = synapses[spec.name];
        if (!spec.plasticity.dale) drawn = draw(spec);
        const std::vector<float> none, &sign = spec.plasticity.dale ? signs[spec.from] : none;
        if (spec.plasticity.dale)
            for (std::size_t k = 0; k < drawn.size(); ++k) drawn.weight[k] = std::copysign(drawn.weight[k], sign[drawn.source[k]]);
        const auto from = circuit->find_population(spec.from), to = circuit->find_population(spec.to);
        auto& projection = circuit->connect(spec.name, from, to, drawn, spec.delay_site, port_of(spec, circuit->population(to)));
        projection.drift = static_cast<float>(spec.drift);
        if (const auto& s = spec.short_term; s != ShortTermSpec{}) projection.short_term = ShortTerm{s.U, s.tau_rec_ms, s.tau_facil_ms};
        if (!spec.plasticity.rule.empty())
            projection.plasticity = make_plasticity(spec, projection, *circuit, sign, !description.schedule.phases.empty());
        if (description.schedule.phases.empty() && projection.plasticity && projection.plasticity->rule->layer_factor())
            throw Error("projections." + spec.name + ".plasticity.rule",
                        "needs a schedule: " + spec.plasticity.rule + " waits for what its whole layer says of an image",
                        spec.source.text());
        check_dendritic(spec, *circuit, projection, drawn);
        drawn = {};
    }
    const auto index_of = [&](const std::string& name) {
        return static_cast<std::size_t>(
            std::find_if(description.projections.begin(), description.projections.end(), [&](const auto& p) { return p.name == name; }) -
            description.projections.begin());
    };
    for (const auto& spec : description.projections) {
        const auto& connector = networks::find_connector(spec.connector, {}, {});
        if (connector.tie == networks::WeightTie::none) continue;
        const auto refuse = [&](const char* key, const std::string& verb) {
            throw Error("projections." + spec.name + key,
                        "the weights of connector " + spec.connector + " follow those of the forward projection and cannot " + verb,
                        spec.source.text());
        };
        if (!spec.plasticity.rule.empty()) refuse(".plasticity", "learn");
        if (spec.drift > 0) refuse(".drift", "drift");
        const auto feedback = connector.feedback(spec.connection, "projections." + spec.name);
        circuit->follow(index_of(spec.name), index_of(feedback.of),
                        connector.tie == networks::WeightTie::transpose ? Follows::transpose : Follows::sign,
                        static_cast<float>(feedback.factor), feedback.magnitudes);
    }
    circuit->build_static_synapses(static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()));
    return circuit;
}

namespace {

std::size_t index_of_phase(const ScheduleSpec& spec, const std::string& name) {
    return static_cast<std::size_t>(std::find_if(spec.phases.begin(), spec.phases.end(), [&](const auto& p) { return p.name == name; }) -
                                    spec.phases.begin());
}

/// Up to the end of the read-out nothing may show the label. A presentation without one answers nothing.
void refuse_leak(const Schedule& schedule, const ScheduleSpec& spec) {
    for (const auto& stage : schedule.stages) {
        const auto reads_out = [&](std::size_t k) { return schedule.phases[k].readout; };
        const auto readout = std::find_if(stage.phases.begin(), stage.phases.end(), reads_out);
        if (readout == stage.phases.end()) continue;
        for (const auto k : stage.phases) {
            const auto& phase = schedule.phases[k];
            const bool shows_target =
                std::any_of(phase.clamps.begin(), phase.clamps.end(), [&](std::size_t p) { return p != schedule.input; });
            if (shows_target && phase.target != TargetLabel::neutral)
                throw Error("schedule.phases." + phase.name + ".clamps",
                            "a target up to the end of the read-out would leak the label into the answer", spec.phases[k].source.text());
            if (k == *readout) break;
        }
    }
}

/// The units that share a softmax share 1; others are as active as they can be.
LabelCode label_code(const ScheduleSpec& spec, const PopulationSpec& readout) {
    const auto value = [&](const char* key, auto otherwise) {
        const auto found = readout.parameters.find(key);
        return found == readout.parameters.end() ? otherwise : std::get<decltype(otherwise)>(found->second.value);
    };
    const auto each = static_cast<std::size_t>(spec.units_per_label), labels = static_cast<std::size_t>(readout.size) / each;
    if (value("phi", std::string{}) != "softmax") return {labels, each, 1};
    const auto pool = static_cast<std::size_t>(value("pool_size", std::int64_t{0}));
    const std::size_t together = pool == 0 ? each : std::max<std::size_t>(pool / std::max<std::size_t>(labels, 1), 1);
    return {labels, each, 1 / static_cast<float>(together)};
}

}  // namespace

std::vector<RateSpec> rate_specs(const Description& description) {
    std::vector<RateSpec> specs;
    for (const auto& population : description.populations) specs.push_back(population.rate);
    return specs;
}

Schedule build_schedule(const Description& description, const Circuit& circuit, std::size_t image_size, std::size_t classes) {
    const auto& spec = description.schedule;
    Schedule schedule;
    schedule.input = circuit.find_population(spec.input);
    if (!spec.readout.empty()) schedule.readout = circuit.find_population(spec.readout);
    if (!spec.label.empty()) schedule.label = circuit.find_population(spec.label);
    schedule.answer = spec.answer;
    if (circuit.population(schedule.input).size() != image_size)
        throw Error("populations." + spec.input + ".size",
                    "must be the number of pixels of an image, " + std::to_string(image_size) + ", got " +
                        std::to_string(circuit.population(schedule.input).size()),
                    description.population(spec.input)->source.text());
    const auto check_room = [&](const std::string& name, std::size_t units_per_label) {
        if (name.empty() || circuit.population(circuit.find_population(name)).size() >= classes * units_per_label) return;
        const std::string each = units_per_label > 1 ? " times schedule.units_per_label" : "";
        throw Error("populations." + name + ".size",
                    "must be at least the number of classes" + each + ", " + std::to_string(classes * units_per_label) + ", got " +
                        std::to_string(description.population(name)->size),
                    description.population(name)->source.text());
    };
    check_room(spec.readout, static_cast<std::size_t>(spec.units_per_label));
    check_room(spec.label, 1);
    if (!spec.readout.empty()) schedule.code = label_code(spec, *description.population(spec.readout));
    schedule.test_readout_steps = to_steps(spec.test_readout_ms, description.run.dt_ms);
    for (const auto& p : spec.phases) {
        const auto named = [](const std::vector<std::string>& names, const std::string& name) {
            return std::any_of(names.begin(), names.end(), [&](const auto& n) { return n == "*" || n == name; });
        };
        Phase phase;
        phase.name = p.name;
        phase.steps = to_steps(p.duration_ms, description.run.dt_ms);
        phase.nudge = static_cast<float>(p.nudge);
        phase.paired = p.paired;
        phase.readout = p.readout;
        phase.stop_above = p.stop_above;
        for (const auto& projection : description.projections) {
            phase.conducts.push_back(named(p.conducts, projection.name));
            phase.learns.push_back(!projection.plasticity.rule.empty() && named(p.learns, projection.name));
            phase.unlearns.push_back(!projection.plasticity.rule.empty() && named(p.unlearns, projection.name));
        }
        for (const auto& name : p.clamps) {
            const bool is_image =
                name == spec.input && description.run.mode == Mode::spiking && circuit.population(schedule.input).receives();
            if (name != spec.readout && name != spec.label && !is_image)
                throw Error("schedule.phases." + p.name + ".clamps", clamp_text(description, name), p.source.text());
            phase.clamps.push_back(circuit.find_population(name));
        }
        for (const auto& name : p.updates) phase.updates.push_back(circuit.find_population(name));
        phase.keeps = static_cast<float>(p.keeps);
        if (!p.keeps_of.empty()) phase.keeps_of = index_of_phase(spec, p.keeps_of);
        phase.repeats = static_cast<std::size_t>(p.repeats);
        phase.samples = p.samples;
        phase.persists = p.persists;
        phase.target = p.target;
        if (!p.readout && std::isfinite(p.stop_above))
            throw Error("schedule.phases." + p.name + ".stop_above", "acts only on a phase with readout = true", p.source.text());
        schedule.phases.push_back(std::move(phase));
    }
    for (const auto& stage : spec.stages) {
        auto& made = schedule.stages.emplace_back(Stage{stage.name, {}, stage.epochs, stage.learning_factor});
        if (!stage.rule.empty()) {
            PlasticitySpec rule;
            rule.rule = stage.rule;
            made.rule = make_rule(rule, "schedule.stages." + stage.name, stage.source);
        }
        for (const auto& name : stage.phases) made.phases.push_back(index_of_phase(spec, name));
        std::sort(made.phases.begin(), made.phases.end());
    }
    if (schedule.stages.empty()) {
        schedule.stages.push_back({"", std::vector<std::size_t>(schedule.phases.size()), spec.epochs});
        std::iota(schedule.stages[0].phases.begin(), schedule.stages[0].phases.end(), std::size_t{0});
    }
    const bool in_sequence = std::any_of(schedule.phases.begin(), schedule.phases.end(), [](const auto& p) { return !p.updates.empty(); });
    if (!in_sequence && !spec.readout.empty() &&
        std::none_of(schedule.phases.begin(), schedule.phases.end(), [](const auto& p) { return p.readout; }))
        throw Error("schedule.phases", "one phase must have readout = true", {});
    if (schedule.label && circuit.population(*schedule.label).receives())
        throw Error("schedule.label",
                    "must name a source, which shows what it is given, got \"" + spec.label + "\", which is " +
                        description.population(spec.label)->model,
                    {});
    refuse_leak(schedule, spec);
    return schedule;
}

}  // namespace ydot::app
