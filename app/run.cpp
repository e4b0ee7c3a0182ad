#include "app/run.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include "app/build.hpp"
#include "app/registry.hpp"
#include "app/toml_io.hpp"
#include "data/images.hpp"
#include "data/spike_file.hpp"
#include "sim/error.hpp"
#include "ydot_version.hpp"

namespace ydot::app {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Presentations draw from disjoint ranges of trial numbers, so that no evaluation changes what training draws.
constexpr std::uint32_t validation_trials = 0x80000000u, test_trials = 0xA0000000u, recorded_trials = 0xC0000000u;

std::int64_t threads_of(const RunSpec& run) { return run.threads > 0 ? run.threads : static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency())); }

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
        if (description.record.spikes && !file.empty()) file_ = std::make_unique<data::SonataWriter>(file, names);
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

data::Split load_images(const Description& d) {
    const auto train = static_cast<std::size_t>(d.data.train), validation = static_cast<std::size_t>(d.data.validation), test = static_cast<std::size_t>(d.data.test);
    if (!d.data.directory.empty()) return data::load_idx_directory(d.data.directory, train, validation, test);
    if (train == 0 || test == 0) throw Error("data", "drawn digits need data.train > 0 and data.test > 0", {});
    return data::drawn_digits(train, validation, test, static_cast<std::uint64_t>(d.run.seed));
}

/// One run: what training and free running share.
class Run {
public:
    Run(const Description& description, const RunOptions& options)
        : description_(description), options_(options), limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads_of(description.run))) {
        fill_defaults(description_);
        auto& summary = result_.summary;
        summary.version = YDOT_VERSION;
        summary.command = options.command;
        summary.seed = description.run.seed;
        summary.threads = threads_of(description.run);
    }

    RunResult operator()() {
        const auto start = Clock::now();
        if (!options_.out.empty()) ResultsDirectory::check(options_.out);
        circuit_ = build_circuit(description_);
        describe_network();
        const bool trains = !description_.schedule.phases.empty();
        if (trains) prepare_training();
        result_.summary.timing.build_s = seconds_since(start);
        if (!options_.out.empty()) {
            results_.emplace(options_.out);
            results_->write("config.toml", write_description(description_));
        }
        writer_ = std::make_unique<SpikeWriter>(description_, results_ ? results_->file("spikes.h5") : std::filesystem::path{});
        const auto running = Clock::now();
        if (trains) train();
        else run_freely();
        result_.summary.timing.run_s = seconds_since(running);
        save();
        return std::move(result_);
    }

private:
    bool stopped() const { return options_.stop && options_.stop->load(); }
    void report(Progress progress) const {
        if (options_.progress) options_.progress(progress);
    }

    void describe_network() {
        auto& summary = result_.summary;
        summary.network.neurons = circuit_->neurons();
        summary.network.synapses = circuit_->synapses();
        summary.bytes_per_synapse = summary.network.synapses ? static_cast<double>(circuit_->synapse_bytes()) / static_cast<double>(summary.network.synapses) : 0;
    }

    // ---- without a schedule ----

    void run_freely() {
        const double dt_ms = description_.run.dt_ms;
        const Step warmup = to_steps(description_.run.warmup_ms, dt_ms), total = warmup + to_steps(description_.run.duration_ms, dt_ms);
        Replica replica(*circuit_);
        show_first_image(replica);
        replica.reset(0);
        replica.set_parallel(circuit_->neurons() > Circuit::shard_units / 4);
        if (std::any_of(circuit_->projections().begin(), circuit_->projections().end(), [](const auto& p) { return p.plasticity.has_value(); })) replica.learn_online();
        writer_->start_at_ms(description_.run.warmup_ms);
        replica.set_observer(writer_.get());
        const auto start = Clock::now();
        const Step piece = std::max<Step>(circuit_->window(), total / 200);
        while (replica.now() < total && !stopped()) {
            replica.run(std::min(piece, total - replica.now()));
            const double done = static_cast<double>(replica.now()) / static_cast<double>(total), elapsed = seconds_since(start);
            report({"running", done, static_cast<double>(replica.now()) * dt_ms / elapsed, "ms", elapsed / done * (1 - done), {}, {}});
        }
        result_.interrupted = replica.now() < total;
        result_.summary.timing.biological_s = static_cast<double>(replica.now()) * dt_ms * 1e-3;
        const double recorded_s = static_cast<double>(replica.now() - warmup) * dt_ms * 1e-3;
        for (std::size_t p = 0; p < circuit_->population_count(); ++p)
            result_.summary.rates_Hz[circuit_->population(p).name()] = recorded_s > 0 ? static_cast<double>(writer_->count(p)) / recorded_s / circuit_->population(p).size() : 0;
    }

    /// Without a schedule, image sources show the first training image.
    void show_first_image(Replica& replica) {
        for (std::size_t p = 0; p < description_.populations.size(); ++p) {
            if (description_.populations[p].model != "image_source") continue;
            const auto images = load_images(description_).train;
            if (images.image_size() != circuit_->population(p).size())
                throw Error("populations." + description_.populations[p].name + ".size", fmt::format("must be the number of pixels of an image, {}, got {}", images.image_size(), circuit_->population(p).size()), {});
            std::vector<float> pixels;
            for (const auto byte : images.image(0)) pixels.push_back(static_cast<float>(byte) / 255);
            replica.set_stimulus(p, pixels);
        }
    }

    // ---- with a schedule ----

    void prepare_training() {
        images_ = load_images(description_);
        const auto classes = 1 + std::size_t{*std::max_element(images_.train.labels.begin(), images_.train.labels.end())};
        trainer_ = std::make_unique<Trainer>(*circuit_, build_schedule(description_, *circuit_, images_.train.image_size(), classes));
    }

    void train() {
        const auto start = Clock::now();
        const auto count = images_.train.count(), batch = static_cast<std::size_t>(description_.schedule.minibatch);
        const auto total = static_cast<std::size_t>(std::llround(description_.schedule.epochs * static_cast<double>(count)));
        record_presentations("before learning");
        result_.summary.metrics["untrained_test_error_percent"] = error_percent(images_.test, test_trials, "testing the untrained network");
        add_point(0, 0, 0, 0, 0);

        std::vector<std::uint32_t> order(count);
        double training_s = 0;
        std::size_t shown = 0, wrong = 0, learned = 0, since = 0, next_evaluation = 1;
        const auto evaluations = static_cast<std::size_t>(description_.schedule.evaluations);
        while (shown < total && !stopped()) {
            const auto begin = Clock::now();
            const auto answers = trainer_->learn(next_batch(order, shown, std::min(batch, total - shown)), annealing(shown, total));
            training_s += seconds_since(begin);
            for (const auto& a : answers) {
                wrong += a.answer != a.label;
                learned += a.learned;
            }
            shown += answers.size();
            since += answers.size();
            const double done = static_cast<double>(shown) / static_cast<double>(total), elapsed = seconds_since(start);
            const double error = 100.0 * static_cast<double>(wrong) / static_cast<double>(since);
            report({"training", done, static_cast<double>(shown) / training_s, "images", elapsed / done * (1 - done), error, {}});
            if (shown * evaluations < total * next_evaluation) continue;
            while (next_evaluation * total <= shown * evaluations) ++next_evaluation;
            add_point(shown, training_s, error, 100.0 * static_cast<double>(learned) / static_cast<double>(since) / 100, seconds_since(start));
            wrong = learned = since = 0;
        }
        result_.interrupted = shown < total;
        finish_training(shown, training_s);
    }

    void finish_training(std::size_t shown, double training_s) {
        auto& metrics = result_.summary.metrics;
        restore(best_weights_);
        auto activity = trainer_->take_activity();
        double steps = static_cast<double>(activity.steps);
        metrics["epochs"] = static_cast<double>(shown) / static_cast<double>(images_.train.count());
        metrics["chosen_epoch"] = best_.epoch;
        metrics["validation_error_percent"] = best_.validation_error_percent;
        metrics["images_per_s"] = training_s > 0 ? static_cast<double>(shown) / training_s : 0;
        metrics["training_s"] = training_s;
        metrics["test_error_percent"] = error_percent(images_.test, test_trials, "testing");
        metrics["test_images"] = static_cast<double>(images_.test.count());
        activity = trainer_->take_activity();
        const double tested_s = static_cast<double>(activity.steps) * description_.run.dt_ms * 1e-3;
        for (std::size_t p = 0; p < circuit_->population_count(); ++p)
            result_.summary.rates_Hz[circuit_->population(p).name()] = tested_s > 0 ? static_cast<double>(activity.spikes[p]) / tested_s / circuit_->population(p).size() : 0;
        steps += static_cast<double>(activity.steps);
        result_.summary.timing.biological_s = steps * description_.run.dt_ms * 1e-3;
        record_presentations("after learning");
    }

    double annealing(std::size_t shown, std::size_t total) const {
        if (description_.schedule.annealing == Annealing::none) return 1;
        return 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(shown) / static_cast<double>(total)));
    }

    /// The training images in an order of each epoch's own.
    std::vector<Presentation> next_batch(std::vector<std::uint32_t>& order, std::size_t shown, std::size_t size) const {
        std::vector<Presentation> batch;
        for (std::size_t k = shown; k < shown + size; ++k) {
            if (k % order.size() == 0) {
                std::iota(order.begin(), order.end(), 0u);
                Draws draws(static_cast<std::uint64_t>(description_.run.seed), stream_of("schedule", Purpose::shuffle), static_cast<std::uint32_t>(k / order.size()));
                shuffle(std::span(order), draws);
            }
            const auto image = order[k % order.size()];
            batch.push_back({images_.train.image(image), images_.train.labels[image], static_cast<std::uint32_t>(k)});
        }
        return batch;
    }

    double error_percent(const data::ImageSet& set, std::uint32_t first_trial, const std::string& stage) {
        std::vector<Presentation> all;
        for (std::size_t k = 0; k < set.count(); ++k) all.push_back({set.image(k), set.labels[k], first_trial + static_cast<std::uint32_t>(k)});
        std::size_t wrong = 0;
        const auto start = Clock::now();
        constexpr std::size_t piece = 256;
        for (std::size_t k = 0; k < all.size(); k += piece) {
            for (const auto& a : trainer_->test(std::span(all).subspan(k, std::min(piece, all.size() - k)))) wrong += a.answer != a.label;
            const double done = static_cast<double>(std::min(k + piece, all.size())) / static_cast<double>(all.size()), elapsed = seconds_since(start);
            report({stage, done, static_cast<double>(k + piece) / elapsed, "images", elapsed / done * (1 - done), {}, {}});
        }
        return all.empty() ? 0 : 100.0 * static_cast<double>(wrong) / static_cast<double>(all.size());
    }

    void add_point(std::size_t shown, double training_s, double train_error, double fraction, double /*elapsed*/) {
        LearningPoint point{shown, static_cast<double>(shown) / static_cast<double>(images_.train.count()), training_s, train_error,
                            error_percent(images_.validation, validation_trials, "validating"), fraction};
        if (shown == 0) point.train_error_percent = std::nan("");
        if (result_.curve.empty() || point.validation_error_percent <= best_.validation_error_percent) {
            best_ = point;
            best_weights_ = weights();
        }
        result_.curve.push_back(point);
        if (results_) results_->append(point);
        Progress progress{"training", 0, 0, "images", 0, {}, point};
        report(progress);
    }

    std::vector<std::vector<float>> weights() const {
        std::vector<std::vector<float>> all;
        for (const auto& p : circuit_->projections())
            for (const auto& block : p.blocks) all.emplace_back(block.weights().begin(), block.weights().end());
        return all;
    }
    void restore(const std::vector<std::vector<float>>& saved) {
        std::size_t k = 0;
        for (auto& p : circuit_->projections())
            for (auto& block : p.blocks) {
                std::copy(saved[k].begin(), saved[k].end(), block.weights().begin());
                ++k;
            }
    }

    /// Shows the first training images with every phase of the schedule and writes the spikes one after another. Nothing learns.
    void record_presentations(const std::string& when) {
        const auto count = std::min<std::size_t>(static_cast<std::size_t>(description_.record.presentations), images_.train.count());
        for (std::size_t k = 0; k < count && results_; ++k) {
            writer_->set_offset_ms(recorded_ms_);
            trainer_->show({images_.train.image(k), images_.train.labels[k], recorded_trials + static_cast<std::uint32_t>(k)}, true, writer_.get());
            double at = recorded_ms_;
            for (const auto& phase : trainer_->schedule().phases) {
                const double length = static_cast<double>(phase.steps) * description_.run.dt_ms;
                intervals_.push_back({at, at + length, "phase", phase.name});
                at += length;
            }
            intervals_.push_back({recorded_ms_, at, "presentation", fmt::format("{} {}", images_.train.labels[k], when)});
            recorded_ms_ = at;
        }
    }

    void save() {
        writer_->close();
        if (!results_) return;
        if (!intervals_.empty()) results_->write_intervals(intervals_);
        results_->write_weights(*circuit_);
        results_->write_summary(result_.summary);
        if (description_.plots) result_.pictures = draw_figures({results_->path().string(), "--all", results_->path().string()});
    }

    Description description_;
    const RunOptions& options_;
    tbb::global_control limit_;
    RunResult result_;
    std::unique_ptr<Circuit> circuit_;
    std::optional<ResultsDirectory> results_;
    std::unique_ptr<SpikeWriter> writer_;
    data::Split images_;
    std::unique_ptr<Trainer> trainer_;
    LearningPoint best_;
    std::vector<std::vector<float>> best_weights_;
    std::vector<RecordedInterval> intervals_;
    double recorded_ms_ = 0;
};

}  // namespace

RunResult run(const Description& description, const RunOptions& options) { return Run(description, options)(); }

Summary dry_run(const Description& description) {
    Summary summary;
    summary.version = YDOT_VERSION;
    summary.seed = description.run.seed;
    summary.threads = threads_of(description.run);
    const auto start = Clock::now();
    const auto circuit = build_circuit(description);
    if (!description.schedule.phases.empty()) {
        const auto images = load_images(description);
        build_schedule(description, *circuit, images.train.image_size(), 1 + std::size_t{*std::max_element(images.train.labels.begin(), images.train.labels.end())});
    }
    summary.network.neurons = circuit->neurons();
    summary.network.synapses = circuit->synapses();
    summary.bytes_per_synapse = summary.network.synapses ? static_cast<double>(circuit->synapse_bytes()) / static_cast<double>(summary.network.synapses) : 0;
    summary.timing.build_s = seconds_since(start);
    return summary;
}

}  // namespace ydot::app
