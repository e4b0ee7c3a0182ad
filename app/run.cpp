#include "app/run.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <numeric>
#include <thread>

#include "app/build.hpp"
#include "app/likelihood.hpp"
#include "app/recording.hpp"
#include "app/registry.hpp"
#include "app/toml_io.hpp"
#include "app/training.hpp"
#include "data/images.hpp"
#include "data/spike_file.hpp"
#include "sim/error.hpp"
#include "sim/rate_trainer.hpp"
#include "ydot_version.hpp"

namespace ydot::app {
namespace {

using Clock = std::chrono::steady_clock;
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }  // of all threads
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::uint32_t recorded_trials = 0xC0000000u;  // apart from those of training and its evaluations

/// Streams spikes to spikes.h5, shifted by what has been recorded before; counts them.
class SpikeWriter final : public SpikeObserver {
public:
    SpikeWriter(const Description& description, const std::filesystem::path& file) : counts_(description.populations.size()) {
        std::vector<std::string> names;
        for (std::size_t p = 0; p < description.populations.size(); ++p) {
            const auto& wanted = description.record.populations;
            const auto& name = description.populations[p].name;
            const bool chosen = std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w == "*" || w == name; });
            slots_.push_back(chosen ? names.size() : none);
            if (chosen) names.push_back(name);
        }
        if (description.record.spikes && description.run.mode == Mode::spiking && !file.empty())
            file_ = std::make_unique<data::SonataWriter>(file, names);
    }
    void set_offset_ms(double offset_ms) { offset_ms_ = offset_ms; }
    /// Spikes up to this time are neither counted nor written.
    void start_at_ms(double time_ms) { start_ms_ = time_ms; }

    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override {
        const auto skipped = std::upper_bound(times_ms.begin(), times_ms.end(), start_ms_) - times_ms.begin();
        times_ms = times_ms.subspan(static_cast<std::size_t>(skipped));
        units = units.subspan(static_cast<std::size_t>(skipped));
        counts_[population] += times_ms.size();
        if (!file_ || slots_[population] == none) return;
        shifted_.assign(times_ms.begin(), times_ms.end());
        for (double& t : shifted_) t += offset_ms_;
        file_->append(slots_[population], shifted_, units);
    }
    std::uint64_t count(std::size_t population) const { return counts_[population]; }
    void flush() {
        if (file_) file_->flush();
    }
    void close() {
        if (file_) file_->close(data::Sorting::by_time);
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::unique_ptr<data::SonataWriter> file_;
    std::vector<std::size_t> slots_;
    std::vector<std::uint64_t> counts_;
    std::vector<double> shifted_;
    double offset_ms_ = 0, start_ms_ = -1;
};

/// Hands spikes to several observers.
class All final : public SpikeObserver {
public:
    explicit All(std::vector<SpikeObserver*> observers) : observers_(std::move(observers)) {}
    void spikes(std::size_t population, std::span<const double> times_ms, std::span<const std::uint64_t> units) override {
        for (auto* observer : observers_) observer->spikes(population, times_ms, units);
    }

private:
    std::vector<SpikeObserver*> observers_;
};

/// Bins of the usual lengths, in whole steps: in others the number of steps would differ from bin to bin.
ActivityOptions activity_options(const RunSpec& run) {
    ActivityOptions options;
    options.start_ms = run.warmup_ms;
    for (double* width_ms : {&options.bin_ms, &options.window_ms, &options.correlation_bin_ms})
        *width_ms = std::max(1.0, std::round(*width_ms / run.dt_ms)) * run.dt_ms;
    return options;
}

SpikeStatistics statistics_of(const Circuit& circuit, const ActivityOptions& options) {
    std::vector<SpikeStatistics::PopulationSize> populations;
    for (std::size_t p = 0; p < circuit.population_count(); ++p)
        populations.push_back({circuit.population(p).name(), circuit.population(p).size()});
    return {populations, options};
}

data::Split load_images(const Description& d) {
    const auto train = static_cast<std::size_t>(d.data.train), validation = static_cast<std::size_t>(d.data.validation),
               test = static_cast<std::size_t>(d.data.test);
    if (!d.data.directory.empty()) {
        std::error_code none;
        if (!std::filesystem::is_directory(d.data.directory, none))
            throw Error("data.directory", "there is no directory " + to_text(d.data.directory), {});
        return data::load_idx_directory(d.data.directory, train, validation, test);
    }
    if (d.data.generator == Generator::one_hot) {
        const auto patterns = data::one_hot(static_cast<std::uint32_t>(d.population(d.schedule.input)->size));
        return {patterns, patterns, patterns, "patterns of one active pixel"};
    }
    for (const auto& [key, count] : {std::pair{"data.train", train}, std::pair{"data.test", test}})
        if (count == 0) throw Error(key, "must be > 0 for the built-in digits, got 0 (which means all, and there is no end of them)", {});
    return data::drawn_digits(train, validation, test, static_cast<std::uint64_t>(d.run.seed));
}

/// One run: what training and free running share.
class Run {
public:
    Run(const Description& description, const RunOptions& options)
        : description_(description),
          options_(options),
          limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads_used(description.run.threads))) {
        fill_defaults(description_);
        auto& summary = result_.summary;
        summary.version = YDOT_VERSION;
        summary.command = options.command;
        summary.seed = description.run.seed;
        summary.threads = threads_used(description.run.threads);
    }

    RunResult operator()() {
        const auto start = Clock::now();
        if (!options_.out.empty()) ResultsDirectory::check(options_.out);
        prepare();
        result_.summary.timing.build_s = seconds_since(start);
        if (!options_.out.empty()) {
            results_.emplace(options_.out);
            results_->write("config.toml", write_description(description_));
        }
        writer_ = std::make_unique<SpikeWriter>(description_, results_ ? results_->file("spikes.h5") : std::filesystem::path{});
        start_clocks();
        if (trains()) train();
        else run_freely();
        stop_clocks();
        save();
        return std::move(result_);
    }

    /// Finds everything that can be wrong with the description and the data.
    Summary check() {
        const auto start = Clock::now();
        prepare();
        result_.summary.timing.build_s = seconds_since(start);
        return result_.summary;
    }

private:
    bool trains() const { return !description_.schedule.phases.empty(); }

    void prepare() {
        circuit_ = build_circuit(description_);
        describe_network();
        if (trains()) prepare_training();
        else if (description_.run.mode == Mode::rate)
            throw Error("run.mode", "must be \"spiking\" for a run without a schedule, got \"rate\"", {});
        else prepare_free_run();
    }

    /// From here on the run is timed (again: a free run has warmed up).
    void start_clocks() {
        running_ = Clock::now();
        cpu_s_ = cpu_seconds();
    }
    void stop_clocks() {
        result_.summary.timing.run_s = seconds_since(running_);
        result_.summary.timing.cpu_s = cpu_seconds() - cpu_s_;
    }

    bool stopped() const { return options_.stop && options_.stop->load(); }
    void report(const Progress& progress) const {
        if (options_.progress) options_.progress(progress);
    }

    void describe_network() {
        auto& summary = result_.summary;
        summary.network.neurons = circuit_->neurons();
        summary.network.synapses = circuit_->synapses();
        summary.bytes_per_synapse =
            summary.network.synapses ? static_cast<double>(circuit_->synapse_bytes()) / static_cast<double>(summary.network.synapses) : 0;
    }

    // ---- without a schedule ----

    void prepare_free_run() {
        recorded_ = recorded_frames(description_, *circuit_);
        if (!(description_.run.duration_ms > 0))
            throw Error("run.duration_ms", "must be > 0 for a run without a schedule, got " + to_text(description_.run.duration_ms), {});
        for (std::size_t p = 0; p < description_.populations.size(); ++p) {
            if (description_.populations[p].model != "image_source") continue;
            if (images_.train.count() == 0) images_ = load_images(description_);
            if (images_.train.image_size() != circuit_->population(p).size())
                throw Error("populations." + description_.populations[p].name + ".size",
                            fmt::format("must be the number of pixels of an image, {}, got {}", images_.train.image_size(),
                                        circuit_->population(p).size()),
                            {});
        }
    }

    void run_freely() {
        const double dt_ms = description_.run.dt_ms;
        const Step warmup = to_steps(description_.run.warmup_ms, dt_ms), total = warmup + to_steps(description_.run.duration_ms, dt_ms);
        Replica replica(*circuit_);
        show_first_image(replica);
        replica.reset(0);
        replica.set_parallel(circuit_->neurons() > Circuit::shard_units / 4);
        if (std::any_of(circuit_->projections().begin(), circuit_->projections().end(),
                        [](const auto& p) { return p.plasticity.has_value(); }))
            replica.learn_online();
        writer_->start_at_ms(description_.run.warmup_ms);
        auto statistics = statistics_of(*circuit_, activity_options(description_.run));
        std::vector<SpikeObserver*> listening{writer_.get(), &statistics};
        std::optional<RateWriter> rates;
        if (results_ && description_.record.rates_bin_ms > 0)
            listening.push_back(
                &rates.emplace(*circuit_, description_.run.warmup_ms, description_.record.rates_bin_ms, results_->file("rates.csv")));
        std::optional<ReportWriter> reports;
        if (results_ && !recorded_.empty()) {
            std::vector<Probe> probes;
            for (const auto& frames : recorded_) probes.push_back(frames.probe);
            replica.set_probes(std::move(probes), &reports.emplace(recorded_, *circuit_, results_->path()));
        }
        All observers(std::move(listening));
        replica.set_observer(&observers);
        const auto start = Clock::now();
        // Whole windows, so that nothing depends on where the pieces end; about a tenth of a second each, so that Ctrl-C is heard.
        double windows = 1;
        const Step window = circuit_->window(), warm = std::min((warmup + window - 1) / window * window, total);
        while (replica.now() < total && !stopped()) {
            const auto begin = Clock::now();
            if (replica.now() == warm) start_clocks();
            replica.run(std::min(static_cast<Step>(windows) * window, (replica.now() < warm ? warm : total) - replica.now()));
            if (rates) rates->advance(static_cast<double>(replica.now()) * dt_ms);
            windows = std::max(1.0, windows * std::clamp(0.1 / seconds_since(begin), 0.5, 2.0));
            const double done = static_cast<double>(replica.now()) / static_cast<double>(total), elapsed = seconds_since(start);
            report({"running", done, static_cast<double>(replica.now()) * dt_ms / elapsed, "ms", elapsed / done * (1 - done), {}, {}});
        }
        if (reports) reports->close();
        result_.interrupted = replica.now() < total;
        result_.summary.timing.biological_s =
            static_cast<double>(replica.now() < warm ? replica.now() : replica.now() - warm) * dt_ms * 1e-3;
        if (replica.now() > warm)
            for (std::size_t p = 0; p < circuit_->population_count(); ++p)
                result_.summary.timing.synaptic_events += static_cast<double>(writer_->count(p)) *
                                                          static_cast<double>(circuit_->synapses_from(p)) / circuit_->population(p).size();
        const double recorded_s = static_cast<double>(replica.now() - warmup) * dt_ms * 1e-3;
        for (std::size_t p = 0; p < circuit_->population_count(); ++p)
            result_.summary.rates_Hz[circuit_->population(p).name()] =
                recorded_s > 0 ? static_cast<double>(writer_->count(p)) / recorded_s / circuit_->population(p).size() : 0;
        if (recorded_s > 0) result_.summary.activity = statistics.finish(static_cast<double>(replica.now()) * dt_ms);
    }

    /// Without a schedule, image sources show the first training image.
    void show_first_image(Replica& replica) const {
        for (std::size_t p = 0; p < description_.populations.size(); ++p) {
            if (description_.populations[p].model != "image_source") continue;
            std::vector<float> pixels;
            for (const auto pixel : images_.train.image(0)) pixels.push_back(stimulus_of<float>(pixel));
            replica.set_stimulus(p, pixels);
        }
    }

    // ---- with a schedule ----

    void prepare_training() {
        const auto& input = description_.schedule.input;
        if (input.empty()) throw Error("schedule.input", "is missing: the population that shows the images", {});
        const bool in_sequence = std::any_of(description_.schedule.phases.begin(), description_.schedule.phases.end(),
                                             [](const auto& phase) { return !phase.updates.empty(); });
        const bool is_source = description_.population(input)->model == "image_source";
        const bool is_clamped =
            description_.run.mode == Mode::spiking &&
            std::any_of(description_.schedule.phases.begin(), description_.schedule.phases.end(), [&](const auto& phase) {
                return std::find(phase.clamps.begin(), phase.clamps.end(), input) != phase.clamps.end();
            });
        if (!is_source && !in_sequence && !(is_clamped && circuit_->population(circuit_->find_population(input)).reads_activity()))
            throw Error(
                "schedule.input",
                "must name a population of model image_source, or of units with an intensity that phases clamp (run.mode = \"spiking\"), "
                "got \"" +
                    input + "\", which is " + description_.population(input)->model,
                {});
        if (description_.metrics.gradient_angle && !is_source && !in_sequence)
            throw Error("metrics.gradient_angle", "needs a schedule.input of model image_source", {});
        if (description_.metrics.gradient_angle && description_.run.mode == Mode::spiking && description_.schedule.stages.size() > 1)
            throw Error("metrics.gradient_angle", "needs a schedule of one stage", {});
        const auto& readout = description_.schedule.readout;
        if (readout.empty() && !in_sequence && is_source && description_.schedule.answer != AnswerBy::goodness)
            throw Error("schedule.readout", "is missing: the population that gives the answer", {});
        if (!readout.empty() && !circuit_->population(circuit_->find_population(readout)).reads_activity())
            throw Error("schedule.readout",
                        "must name a population whose units fire with an intensity, got \"" + readout + "\", which is " +
                            description_.population(readout)->model,
                        {});
        images_ = load_images(description_);
        const auto classes = 1 + std::size_t{*std::max_element(images_.train.labels.begin(), images_.train.labels.end())};
        schedule_ = build_schedule(description_, *circuit_, images_.train.image_size(), classes);
        if (description_.run.mode == Mode::rate) {
            learner_ = std::make_unique<RateTrainer>(*circuit_, schedule_, rate_specs(description_));
        } else {
            auto trainer = std::make_unique<Trainer>(*circuit_, schedule_);
            trainer_ = trainer.get();
            learner_ = std::move(trainer);
        }
        if (description_.metrics.likelihood) machine_of(description_, *circuit_);  // refuses what is none before anything runs
        if (description_.metrics.gradient_angle)
            probe_ = std::make_unique<GradientProbe>(description_, *circuit_, *learner_, schedule_, images_.train);
    }

    void train() {
        Training training(description_, schedule_.stages, *learner_, images_, probe_ ? &*probe_ : nullptr,
                          {[this](const Progress& progress) { report(progress); },
                           [this](const LearningPoint& point) {
                               if (results_) results_->append(point);
                           },
                           [this] { return stopped(); }});
        record_presentations("before learning");
        training.test("untrained_", "testing untrained");
        result_.interrupted = !training.learn();
        training.restore_best();
        double steps = trainer_ ? static_cast<double>(trainer_->take_activity().steps) : 0;
        if (!result_.interrupted) result_.interrupted = !training.test("", "testing");
        if (trainer_) {
            const auto activity = trainer_->take_activity();
            steps += static_cast<double>(activity.steps);
            if (!result_.interrupted) take_rates(activity);
        }
        if (!result_.interrupted) {
            training.metrics()["test_images"] = static_cast<double>(images_.test.count());
            if (description_.metrics.likelihood) measure_likelihood(training.metrics());
        }
        result_.summary.timing.biological_s = steps * description_.run.dt_ms * 1e-3;
        result_.summary.metrics = training.metrics();
        result_.curve = training.curve();
        record_presentations("after learning");
    }

    void measure_likelihood(std::map<std::string, double>& metrics) const {
        const auto found = likelihood_of(machine_of(description_, *circuit_), images_.test, images_.train, description_.metrics,
                                         static_cast<std::uint64_t>(description_.run.seed));
        metrics["test_log_likelihood_nats"] = found.nats;
        metrics["log_partition"] = found.log_partition.value;
        metrics["log_partition_error"] = found.log_partition.error;
    }

    void take_rates(const Trainer::Activity& activity) {
        const double tested_s = static_cast<double>(activity.steps) * description_.run.dt_ms * 1e-3;
        for (std::size_t p = 0; p < circuit_->population_count(); ++p)
            result_.summary.rates_Hz[circuit_->population(p).name()] =
                tested_s > 0 ? static_cast<double>(activity.spikes[p]) / tested_s / circuit_->population(p).size() : 0;
    }

    /// Shows the first training images with every phase of the schedule and writes the spikes one after another. Nothing learns. The rate
    /// reading has no spikes.
    void record_presentations(const std::string& when) {
        if (!trainer_) return;
        const auto count = std::min<std::size_t>(static_cast<std::size_t>(description_.record.presentations), images_.train.count());
        for (std::size_t k = 0; k < count && results_; ++k) {
            writer_->set_offset_ms(recorded_ms_);
            trainer_->show({images_.train.image(k), images_.train.labels[k], recorded_trials + static_cast<std::uint32_t>(k)}, true,
                           writer_.get());
            double at = recorded_ms_;
            for (const auto& phase : schedule_.phases) {
                const double length = static_cast<double>(phase.steps) * description_.run.dt_ms;
                intervals_.push_back({at, at + length, "phase", phase.name});
                at += length;
            }
            intervals_.push_back({recorded_ms_, at, "presentation", fmt::format("label {}, {}", images_.train.labels[k], when)});
            recorded_ms_ = at;
        }
        writer_->flush();
        if (results_ && !intervals_.empty()) results_->write_intervals(intervals_);
    }

    void save() {
        writer_->close();
        if (!results_) return;
        results_->write_weights(*circuit_);
        results_->write_summary(result_.summary);
        if (description_.plots) draw();
    }

    /// The results are complete by now: that there is nothing to draw, or nothing to draw with, is no failure of the run.
    void draw() {
        try {
            result_.pictures = draw_figures({"--all", results_->path().string()});
        } catch (const Error& error) {
            result_.no_pictures = error.reason();
        }
    }

    Description description_;
    const RunOptions& options_;
    tbb::global_control limit_;
    RunResult result_;
    std::unique_ptr<Circuit> circuit_;
    std::optional<ResultsDirectory> results_;
    std::unique_ptr<SpikeWriter> writer_;
    data::Split images_;
    std::unique_ptr<Learner> learner_;
    Trainer* trainer_ = nullptr;  ///< the learner, when it learns from spikes
    std::unique_ptr<GradientProbe> probe_;
    Schedule schedule_;
    Clock::time_point running_{};
    double cpu_s_ = 0;
    std::vector<RecordedInterval> intervals_;
    std::vector<RecordedFrames> recorded_;
    double recorded_ms_ = 0;
};

}  // namespace

std::int64_t threads_used(std::int64_t asked) {
    return asked > 0 ? asked : static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
}

RunResult run(const Description& description, const RunOptions& options) {
    try {
        return Run(description, options)();
    } catch (const Error& error) {
        throw located(error, description);
    }
}

Summary dry_run(const Description& description) {
    try {
        const RunOptions nothing_written;
        return Run(description, nothing_written).check();
    } catch (const Error& error) {
        throw located(error, description);
    }
}

}  // namespace ydot::app
