#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/parameters.hpp"

namespace ydot {

// The description of an experiment: one plain value that can be copied, compared, saved and read back (app/toml_io.hpp). It names
// models, rules and connectors as text; the application looks them up. Every struct lists its keys once, in `fields`;
// reading, writing, defaults, errors and `ydot models` all follow that list.

enum class Mode { spiking, rate };
template <>
struct EnumNames<Mode> {
    static constexpr std::array<std::string_view, 2> names{"spiking", "rate"};
};
enum class Propagator { grid, continuous };
template <>
struct EnumNames<Propagator> {
    static constexpr std::array<std::string_view, 2> names{"grid", "continuous"};
};

/// [run]
struct RunSpec {
    Mode mode = Mode::spiking;
    double dt_ms = 1, duration_ms = 0, warmup_ms = 0;
    std::int64_t seed = 1, threads = 0;
    Propagator propagator = Propagator::grid;
    static constexpr std::tuple fields{Field{"mode", &RunSpec::mode, "how the description is read"},
                                       Field{"dt_ms", &RunSpec::dt_ms, "time step", positive},
                                       Field{"duration_ms", &RunSpec::duration_ms, "length of a run without a schedule", not_negative},
                                       Field{"warmup_ms", &RunSpec::warmup_ms, "simulated before recording starts", not_negative},
                                       Field{"seed", &RunSpec::seed, "of every random number", not_negative},
                                       Field{"threads", &RunSpec::threads, "0: one a core; never changes the result", not_negative},
                                       Field{"propagator", &RunSpec::propagator, "of populations that do not say their own"}};
    bool operator==(const RunSpec&) const = default;
};

enum class Distribution { constant, uniform, normal, lognormal };
template <>
struct EnumNames<Distribution> {
    static constexpr std::array<std::string_view, 4> names{"constant", "uniform", "normal", "lognormal"};
};

/// weight = 0.5, or weight = {distribution = "normal", mean = 0, std = 1.4, fan_in = true}; the same for delay_ms and for a parameter of a
/// model.
struct DistributionSpec {
    Distribution distribution = Distribution::constant;
    double mean = 0, std = 0, low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
    bool fan_in = false;
    static constexpr std::tuple fields{
        Field{"distribution", &DistributionSpec::distribution, "shape"},
        Field{"mean", &DistributionSpec::mean, "mean (constant: the value; uniform: to be left out)"},
        Field{"std", &DistributionSpec::std, "standard deviation of normal and lognormal", not_negative},
        Field{"low", &DistributionSpec::low, "smallest value; draws outside are repeated"},
        Field{"high", &DistributionSpec::high, "largest value"},
        Field{"fan_in", &DistributionSpec::fan_in, "divide every draw by the square root of the mean number of inputs a unit receives"}};
    bool operator==(const DistributionSpec&) const = default;
};

enum class Normalisation { none, batch, length };
template <>
struct EnumNames<Normalisation> {
    static constexpr std::array<std::string_view, 3> names{"none", "batch", "length"};
};
enum class RateNoise { none, poisson, gaussian, bernoulli };
template <>
struct EnumNames<RateNoise> {
    static constexpr std::array<std::string_view, 4> names{"none", "poisson", "gaussian", "bernoulli"};
};

/// [populations.NAME.rate]: what units have beside their model in run.mode = "rate".
struct RateSpec {
    Normalisation normalisation = Normalisation::none;
    RateNoise noise = RateNoise::none;
    double spikes = 1, dropout = 0, gain = 1;
    static constexpr std::tuple fields{
        Field{"normalisation", &RateSpec::normalisation,
              "batch: of each unit's potential over the minibatch, before its bias; length: what is sent has mean square 1 over the units"},
        Field{"noise", &RateSpec::noise,
              "of what is sent while learning: Poisson spikes, Gaussian noise of their variance, or one spike with probability y"},
        Field{"spikes", &RateSpec::spikes,
              "Poisson and Gaussian noise: mean number of spikes at activity 1, so that the variance is y / spikes", positive},
        Field{"dropout", &RateSpec::dropout, "share of the units that are silent for an image while learning; the others send more",
              Range{0, 1, false, true}},
        Field{"gain", &RateSpec::gain, "factor on what is sent, after normalisation and noise"}};
    bool operator==(const RateSpec&) const = default;
};

/// [populations.NAME]
struct PopulationSpec {
    std::string name;
    std::string model;
    std::int64_t size = 1;
    std::string propagator;  ///< "", "grid" or "continuous"; "" takes run.propagator
    double background_rate_Hz = 0, background_weight = 0;
    Parameters parameters;                           ///< of the model
    std::map<std::string, DistributionSpec> spread;  ///< parameters of the model that differ from unit to unit
    RateSpec rate;
    Source source;
    static constexpr std::tuple fields{Field{"model", &PopulationSpec::model, "name of a neuron model or source"},
                                       Field{"size", &PopulationSpec::size, "number of units", Range{1, 4e9}},
                                       Field{"propagator", &PopulationSpec::propagator, "grid or continuous; empty: as run.propagator"},
                                       Field{"background_rate_Hz", &PopulationSpec::background_rate_Hz,
                                             "independent Poisson spikes from outside, of all sources of a unit together", not_negative},
                                       Field{"background_weight", &PopulationSpec::background_weight, "of a spike from outside"}};
    bool operator==(const PopulationSpec& o) const {
        return std::tie(name, model, size, propagator, background_rate_Hz, background_weight, parameters, spread, rate) ==
               std::tie(o.name, o.model, o.size, o.propagator, o.background_rate_Hz, o.background_weight, o.parameters, o.spread, o.rate);
    }
};

/// What every [populations.NAME] may hold; its other keys are parameters of the model.
inline std::vector<std::string> population_keys() {
    auto keys = field_keys<PopulationSpec>();
    keys.emplace_back("rate");
    return keys;
}

/// [stimuli.NAME]: a current into units; the other keys are parameters of its model.
struct StimulusSpec {
    std::string name;
    std::string model, to;
    std::vector<double> units, unit_range;
    Parameters parameters;  ///< of the model
    Source source;
    static constexpr std::tuple fields{
        Field{"model", &StimulusSpec::model, "name of a current"}, Field{"to", &StimulusSpec::to, "population that receives it"},
        Field{"units", &StimulusSpec::units, "the units that receive it, in place of all", not_negative},
        Field{"unit_range", &StimulusSpec::unit_range, "first and last of them, in place of a list", not_negative}};
    bool operator==(const StimulusSpec& o) const {
        return std::tie(name, model, to, units, unit_range, parameters) ==
               std::tie(o.name, o.model, o.to, o.units, o.unit_range, o.parameters);
    }
};

enum class DelaySite { axonal, dendritic };
template <>
struct EnumNames<DelaySite> {
    static constexpr std::array<std::string_view, 2> names{"axonal", "dendritic"};
};

/// Which spike of a pair must fall into a phase that learns (shared by every pair rule).
enum class Gate { pre, post, later, both };
template <>
struct EnumNames<Gate> {
    static constexpr std::array<std::string_view, 4> names{"pre", "post", "later", "both"};
};

enum class CausalCorrection { none, analytic };
template <>
struct EnumNames<CausalCorrection> {
    static constexpr std::array<std::string_view, 2> names{"none", "analytic"};
};

/// [projections.NAME.plasticity]: what every plastic projection has beside the parameters of its rule.
struct PlasticitySpec {
    std::string rule;  ///< "" : static
    double learning_rate = 1, decay = 0, momentum = 0;
    double w_min = -std::numeric_limits<double>::infinity(), w_max = std::numeric_limits<double>::infinity();
    bool dale = false, manhattan = false;
    Gate gate = Gate::later;
    CausalCorrection causal_correction = CausalCorrection::none;
    Parameters parameters;  ///< of the rule
    static constexpr std::tuple fields{
        Field{"rule", &PlasticitySpec::rule, "name of a plasticity rule; empty: static synapses"},
        Field{"learning_rate", &PlasticitySpec::learning_rate, "factor on every change"},
        Field{"decay", &PlasticitySpec::decay, "fraction of the weight lost: per second (online), per presented image (schedule)",
              unit_interval},
        Field{"momentum", &PlasticitySpec::momentum, "of the changes from minibatch to minibatch (schedules only)",
              Range{0, 1, false, true}},
        Field{"w_min", &PlasticitySpec::w_min, "lower bound of the weights"},
        Field{"w_max", &PlasticitySpec::w_max, "upper bound of the weights"},
        Field{"dale", &PlasticitySpec::dale, "no weight changes its sign, and all outgoing weights of a unit have one"},
        Field{"manhattan", &PlasticitySpec::manhattan,
              "a minibatch moves every weight by the same amount: only the sign of its change counts (run.mode = \"rate\")"},
        Field{"gate", &PlasticitySpec::gate, "which spike of a pair must fall into a phase that learns"},
        Field{"causal_correction", &PlasticitySpec::causal_correction,
              "subtract the drift that a pre spike causes by raising the post rate"}};
    bool operator==(const PlasticitySpec&) const = default;
};

/// [projections.NAME.short_term]; the defaults leave every spike as it is.
struct ShortTermSpec {
    double U = 1, tau_rec_ms = 0, tau_facil_ms = 0;
    static constexpr std::tuple fields{
        Field{"U", &ShortTermSpec::U, "utilisation of the resources by a spike after rest", unit_interval},
        Field{"tau_rec_ms", &ShortTermSpec::tau_rec_ms, "recovery of the resources (depression); 0: at once", not_negative},
        Field{"tau_facil_ms", &ShortTermSpec::tau_facil_ms, "decay of the utilisation (facilitation); 0: at once", not_negative}};
    bool operator==(const ShortTermSpec&) const = default;
};

/// Sizes of feedback weights that follow only the signs of the forward weights (Liao, Leibo & Poggio 2016: uSF, frSF, brSF).
enum class Magnitudes {
    equal,   ///< all one
    fixed,   ///< uniform between 0 and twice the mean, drawn once
    redrawn  ///< the same, drawn anew for every minibatch
};
template <>
struct EnumNames<Magnitudes> {
    static constexpr std::array<std::string_view, 3> names{"equal", "fixed", "redrawn"};
};

/// [projections.NAME]
struct ProjectionSpec {
    std::string name;
    std::string from, to, receptor, connector = "all_to_all";
    DelaySite delay_site = DelaySite::axonal;
    double drift = 0;
    Parameters connection;  ///< parameters of the connector
    DistributionSpec weight{.mean = 1}, delay_ms{.mean = 1};
    PlasticitySpec plasticity;
    ShortTermSpec short_term;
    Source source;
    static constexpr std::tuple fields{
        Field{"from", &ProjectionSpec::from, "population whose spikes are sent"},
        Field{"to", &ProjectionSpec::to, "population that receives them"},
        Field{"receptor", &ProjectionSpec::receptor, "which input of the target is meant, where its model has several"},
        Field{"connector", &ProjectionSpec::connector, "who is connected to whom"},
        Field{"delay_site", &ProjectionSpec::delay_site,
              "whether the delay lies before (axonal) or behind (dendritic) the synapse; matters to plasticity"},
        Field{"drift", &ProjectionSpec::drift,
              "rate mode: share of each weight's deviation from the mean that a minibatch replaces at random; the spread stays as it was",
              unit_interval}};
    bool operator==(const ProjectionSpec& o) const {
        return std::tie(name, from, to, receptor, connector, delay_site, drift, connection, weight, delay_ms, plasticity, short_term) ==
               std::tie(o.name, o.from, o.to, o.receptor, o.connector, o.delay_site, o.drift, o.connection, o.weight, o.delay_ms,
                        o.plasticity, o.short_term);
    }
};

/// What every [projections.NAME] may hold; its other keys are parameters of the connector.
inline std::vector<std::string> projection_keys() {
    auto keys = field_keys<ProjectionSpec>();
    keys.insert(keys.end(), {"weight", "delay_ms", "plasticity", "short_term"});
    return keys;
}

/// What a phase shows to the populations that it clamps.
enum class TargetLabel {
    label,    ///< the right one
    wrong,    ///< any other, with equal probability
    hard,     ///< another one, drawn with the probability that the readout gives it
    neutral,  ///< all labels alike
};
template <>
struct EnumNames<TargetLabel> {
    static constexpr std::array<std::string_view, 4> names{"label", "wrong", "hard", "neutral"};
};

/// [[schedule.phases]]
struct PhaseSpec {
    std::string name;
    double duration_ms = 0;
    std::vector<std::string> conducts{"*"}, learns, clamps;
    double nudge = 1;
    bool paired = true;
    bool readout = false;
    double stop_above = std::numeric_limits<double>::infinity();
    std::vector<std::string> updates, unlearns;
    double keeps = 0;
    std::string keeps_of;
    std::int64_t repeats = 1;
    bool samples = true, persists = false;
    TargetLabel target = TargetLabel::label;
    Source source;
    static constexpr std::tuple fields{
        Field{"name", &PhaseSpec::name, "for messages and pictures"},
        Field{"duration_ms", &PhaseSpec::duration_ms, "length", positive},
        Field{"conducts", &PhaseSpec::conducts, "projections that deliver spikes; \"*\": all"},
        Field{"learns", &PhaseSpec::learns, "plastic projections whose gate is open; \"*\": all"},
        Field{"clamps", &PhaseSpec::clamps,
              "populations moved toward their target: the readout and the label population to the label, an input population of neurons to "
              "the image"},
        Field{"nudge", &PhaseSpec::nudge, "how far clamped activity is moved: 0 not at all, 1 onto the target", unit_interval},
        Field{"paired", &PhaseSpec::paired, "whether the spikes of this phase take part in pairs"},
        Field{"readout", &PhaseSpec::readout, "the answer of the network is the mean activity of the readout population over this phase"},
        Field{"stop_above", &PhaseSpec::stop_above,
              "read-out phase: end the presentation after it, without learning, if the target's mean activity exceeds this", not_negative},
        Field{"updates", &PhaseSpec::updates,
              "rate mode: populations that take a new activity, one after another; the others keep theirs. Where any phase has this, the "
              "phases are gone through in turn and rules read what changes in each"},
        Field{"unlearns", &PhaseSpec::unlearns, "plastic projections whose gate is open and that change the other way; \"*\": all"},
        Field{"keeps", &PhaseSpec::keeps, "rate mode, with updates: share of the old activity in the new one", unit_interval},
        Field{"keeps_of", &PhaseSpec::keeps_of, "the earlier phase whose activity that is; empty: the one before this phase"},
        Field{"repeats", &PhaseSpec::repeats, "rate mode, with updates: how often; 0: the phase is left out", Range{0, 10000}},
        Field{"samples", &PhaseSpec::samples,
              "rate mode: whether the noise of the populations acts while learning; for populations that no phase changes the first phase "
              "decides"},
        Field{"persists", &PhaseSpec::persists,
              "rate mode, with updates: while learning, the populations in updates start from where this phase left them in the minibatch "
              "before (persistent contrastive divergence; Tieleman 2008)"},
        Field{"target", &PhaseSpec::target,
              "what clamped populations are shown: the label, a wrong one, a hard wrong one, or all labels alike"}};
    bool operator==(const PhaseSpec& o) const {
        return std::tie(name, duration_ms, conducts, learns, clamps, nudge, paired, readout, stop_above) ==
                   std::tie(o.name, o.duration_ms, o.conducts, o.learns, o.clamps, o.nudge, o.paired, o.readout, o.stop_above) &&
               std::tie(updates, unlearns, keeps, keeps_of, repeats, samples, persists, target) ==
                   std::tie(o.updates, o.unlearns, o.keeps, o.keeps_of, o.repeats, o.samples, o.persists, o.target);
    }
};

enum class Annealing { none, cosine, linear_after_half };
template <>
struct EnumNames<Annealing> {
    static constexpr std::array<std::string_view, 3> names{"none", "cosine", "linear_after_half"};
};

/// How the answer to an image is found.
enum class AnswerBy {
    readout,    ///< the most active unit of the readout population
    goodness,   ///< the label with which the network is best, tried one after another (Hinton 2022)
    short_list  ///< the best of the three that the readout likes most
};
template <>
struct EnumNames<AnswerBy> {
    static constexpr std::array<std::string_view, 3> names{"readout", "goodness", "short_list"};
};

/// [[schedule.stages]]: some of the phases, for some epochs; then come those of the next stage.
struct StageSpec {
    std::string name;
    std::vector<std::string> phases;
    double epochs = 1, learning_factor = 1;
    std::string rule;
    Source source;
    static constexpr std::tuple fields{
        Field{"name", &StageSpec::name, "for messages"},
        Field{"phases", &StageSpec::phases, "of a presentation, in the order of the schedule"},
        Field{"epochs", &StageSpec::epochs, "passes through the training images; fractions allowed", not_negative},
        Field{"rule", &StageSpec::rule, "of all projections that learn, with its defaults and gate = \"pre\", in place of their own"},
        Field{"learning_factor", &StageSpec::learning_factor, "on every learning rate"}};
    bool operator==(const StageSpec& o) const {
        return std::tie(name, phases, epochs, rule, learning_factor) == std::tie(o.name, o.phases, o.epochs, o.rule, o.learning_factor);
    }
};

/// [schedule]; without phases the network simply runs for run.duration_ms.
struct ScheduleSpec {
    std::string input, readout, label;
    AnswerBy answer = AnswerBy::readout;
    double epochs = 1;
    std::int64_t minibatch = 32;
    Annealing annealing = Annealing::none;
    std::int64_t units_per_label = 1;
    double test_readout_ms = 0;
    std::int64_t evaluations = 10;
    std::vector<PhaseSpec> phases;
    std::vector<StageSpec> stages;
    static constexpr std::tuple fields{
        Field{"input", &ScheduleSpec::input, "population that shows the image: an image source, or units that the network drives too"},
        Field{"readout", &ScheduleSpec::readout, "population that gives the answer and receives the target"},
        Field{"units_per_label", &ScheduleSpec::units_per_label,
              "readout units that stand for one label: with L labels, units 0, L, 2 L, ... for label 0", Range{1, 65536}},
        Field{"label", &ScheduleSpec::label, "source that shows a label to the network, where phases clamp it"},
        Field{"answer", &ScheduleSpec::answer, "how the answer to an image is found"},
        Field{"epochs", &ScheduleSpec::epochs, "passes through the training images; fractions allowed", not_negative},
        Field{"minibatch", &ScheduleSpec::minibatch, "replicas that share weights and run in parallel; their changes are added",
              Range{1, 65536}},
        Field{"annealing", &ScheduleSpec::annealing,
              "of every learning rate over the whole run: none, half a cosine to 0, or a straight line to 0 over the second half"},
        Field{"test_readout_ms", &ScheduleSpec::test_readout_ms, "length of the readout phase in validation and test; 0: as in training",
              not_negative},
        Field{"evaluations", &ScheduleSpec::evaluations, "number of points of the learning curve on the validation images", Range{1, 1e6}}};
    bool operator==(const ScheduleSpec&) const = default;
};

/// Images that need no files.
enum class Generator { digits, one_hot };
template <>
struct EnumNames<Generator> {
    static constexpr std::array<std::string_view, 2> names{"digits", "one_hot"};
};

/// [data]
struct DataSpec {
    std::string directory;
    Generator generator = Generator::digits;
    std::int64_t train = 20000, validation = 2000, test = 2000, jitter_pixels = 0;
    double label_noise = 0;
    static constexpr std::tuple fields{
        Field{"directory", &DataSpec::directory, "folder with IDX files (MNIST names, plain or .gz); empty: the built-in drawn digits"},
        Field{"generator", &DataSpec::generator,
              "digits: those of the directory, or drawn ones; one_hot: the patterns of one active pixel, all of which are in every set"},
        Field{"train", &DataSpec::train, "training images; 0: all that the validation split leaves", not_negative},
        Field{"validation", &DataSpec::validation, "images held out of the training set", not_negative},
        Field{"test", &DataSpec::test, "test images; 0: all", not_negative},
        Field{"jitter_pixels", &DataSpec::jitter_pixels,
              "a training image is moved by up to so many pixels, anew every time, along each axis", Range{0, 1000}},
        Field{"label_noise", &DataSpec::label_noise,
              "share of the training presentations with a label drawn from those of the training set at random", unit_interval}};
    bool operator==(const DataSpec&) const = default;
};

/// [[record.reports]]: frames of state variables, or of weights, for runs without a schedule.
struct ReportSpec {
    std::string name;
    std::string population, projection;
    std::vector<std::string> variables;
    std::vector<double> units, unit_range;
    double interval_ms = 0, start_ms = 0, stop_ms = 0;
    Source source;
    static constexpr std::tuple fields{
        Field{"name", &ReportSpec::name, "begins the names of the files: NAME_VARIABLE.h5"},
        Field{"population", &ReportSpec::population, "whose state is recorded"},
        Field{"variables", &ReportSpec::variables, "of the model; stimulus_pA is the current from outside"},
        Field{"projection", &ReportSpec::projection, "plastic projection whose weights are recorded, in place of a population"},
        Field{"units", &ReportSpec::units, "units, or targets of the synapses, in place of all", not_negative},
        Field{"unit_range", &ReportSpec::unit_range, "first and last of them, in place of a list", not_negative},
        Field{"interval_ms", &ReportSpec::interval_ms, "from frame to frame; 0: every step", not_negative},
        Field{"start_ms", &ReportSpec::start_ms, "time of the first frame, from the start of the warm-up; not before its end",
              not_negative},
        Field{"stop_ms", &ReportSpec::stop_ms, "no frame from here on; 0: the end of the run", not_negative}};
    bool operator==(const ReportSpec& o) const {
        return std::tie(name, population, projection, variables, units, unit_range, interval_ms, start_ms, stop_ms) ==
               std::tie(o.name, o.population, o.projection, o.variables, o.units, o.unit_range, o.interval_ms, o.start_ms, o.stop_ms);
    }
};

/// [record]
struct RecordSpec {
    bool spikes = true;
    std::vector<std::string> populations{"*"};
    std::int64_t presentations = 3;
    double rates_bin_ms = 0;
    std::vector<ReportSpec> reports;
    static constexpr std::tuple fields{
        Field{"spikes", &RecordSpec::spikes, "write spikes.h5"},  //
        Field{"populations", &RecordSpec::populations, "whose spikes; \"*\": all"},
        Field{"presentations", &RecordSpec::presentations,
              "of a schedule: so many training images are shown and recorded, with all phases, before and after learning", not_negative},
        Field{"rates_bin_ms", &RecordSpec::rates_bin_ms, "write rates.csv, the rates of the populations in bins of this length; 0: do not",
              not_negative}};
    bool operator==(const RecordSpec&) const = default;
};

/// [metrics]: what is measured at every point of the learning curve, beside the errors.
struct MetricsSpec {
    bool gradient_angle = false;
    std::int64_t gradient_images = 32, gradient_trials = 16;
    bool likelihood = false;
    std::int64_t likelihood_temperatures = 10000, likelihood_chains = 100;
    static constexpr std::tuple fields{
        Field{"gradient_angle", &MetricsSpec::gradient_angle,
              "compare what plasticity does with the exact gradient, projection by projection"},
        Field{"gradient_images", &MetricsSpec::gradient_images, "training images of the comparison", Range{1, 1e6}},
        Field{"gradient_trials", &MetricsSpec::gradient_trials, "presentations of each; noise is told from change by comparing them",
              Range{3, 1e6}},
        Field{"likelihood", &MetricsSpec::likelihood,
              "log probability of the test images under the Boltzmann machine of schedule.input, by annealed importance sampling"},
        Field{"likelihood_temperatures", &MetricsSpec::likelihood_temperatures, "steps from independent pixels to the machine",
              Range{1, 1e7}},
        Field{"likelihood_chains", &MetricsSpec::likelihood_chains, "of the sampling", Range{2, 1e6}}};
    bool operator==(const MetricsSpec&) const = default;
};

/// [circuit]: a circuit of the library; its populations and projections come before those of the description.
struct CircuitSpec {
    std::string name;
    bool expanded = false;
    Parameters parameters;  ///< of the circuit
    Source source;
    static constexpr std::tuple fields{
        Field{"name", &CircuitSpec::name, "of the circuit; empty: the description lists all populations and projections"},
        Field{"expanded", &CircuitSpec::expanded, "whether the description lists those of the circuit too (as the record of a run does)"}};
    bool operator==(const CircuitSpec& o) const {
        return std::tie(name, expanded, parameters) == std::tie(o.name, o.expanded, o.parameters);
    }
};

/// A whole experiment.
struct Description {
    RunSpec run;
    CircuitSpec circuit;
    std::vector<PopulationSpec> populations;  ///< in the order of the file
    std::vector<ProjectionSpec> projections;
    std::vector<StimulusSpec> stimuli;
    ScheduleSpec schedule;
    DataSpec data;
    RecordSpec record;
    MetricsSpec metrics;
    bool plots = true;
    /// Dotted path ("run.dt_ms", "schedule.phases.NAME.nudge") -> where it was written. No part of the comparison.
    std::map<std::string, Source> sources;
    bool operator==(const Description& o) const {
        return std::tie(run, circuit, populations, projections, stimuli, schedule, data, record, metrics, plots) ==
               std::tie(o.run, o.circuit, o.populations, o.projections, o.stimuli, o.schedule, o.data, o.record, o.metrics, o.plots);
    }

    const PopulationSpec* population(std::string_view name) const {
        for (const auto& p : populations)
            if (p.name == name) return &p;
        return nullptr;
    }
    const ProjectionSpec* projection(std::string_view name) const {
        for (const auto& p : projections)
            if (p.name == name) return &p;
        return nullptr;
    }
};

}  // namespace ydot
