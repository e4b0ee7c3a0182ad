#include "app/gradient_probe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "app/registry.hpp"
#include "sim/alignment.hpp"
#include "sim/parallel.hpp"

namespace ydot::app {
namespace {

Loss loss_of(const PopulationSpec& readout) {
    const auto name = phi_of(readout);
    return name == "softmax" ? Loss::cross_entropy : name == "logistic" ? Loss::binary_cross_entropy : Loss::squared;
}

void add(std::vector<double>& sum, const std::vector<double>& more, double factor) {
    sum.resize(more.size());
    for (std::size_t k = 0; k < more.size(); ++k) sum[k] += factor * more[k];
}

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

}  // namespace

GradientProbe::GradientProbe(const Description& description, Circuit& circuit, Learner& learner, const Schedule& schedule,
                             const data::ImageSet& images)
    : circuit_(circuit),
      learner_(learner),
      schedule_(schedule),
      spiking_(description.run.mode == Mode::spiking),
      set_(images),
      images_(std::min(static_cast<std::size_t>(description.metrics.gradient_images), images.count())),
      trials_(spiking_ ? static_cast<std::size_t>(description.metrics.gradient_trials) : 1),
      loss_(loss_of(*description.population(description.schedule.readout))) {
    for (const auto& projection : description.projections) learning_rate_.push_back(projection.plasticity.learning_rate);
    const auto readout = std::find_if(schedule.phases.begin(), schedule.phases.end(), [](const Phase& phase) { return phase.readout; });
    if (readout != schedule.phases.end()) conducts_ = readout->conducts;
    else conducts_.assign(circuit.projections().size(), 1);
    for (std::size_t p = 0; p < conducts_.size() && !spiking_; ++p)
        if (const auto& link = circuit.projections()[p]; link.from >= link.to && circuit.population(link.from).receives()) conducts_[p] = 0;
    if (spiking_) MeanField(circuit, schedule);  // refuses what has no rate reading before anything runs
}

std::vector<Presentation> GradientProbe::presentations(std::uint32_t first_trial) const {
    std::vector<Presentation> all;
    for (std::size_t k = 0; k < images_; ++k) all.push_back({set_.image(k), set_.labels[k], first_trial + static_cast<std::uint32_t>(k)});
    return all;
}

/// By projection; empty where nothing is plastic. Nothing at all where there is no fixed point: learning may leave the weights in such a
/// place for a while, and must not end for it.
std::optional<std::vector<std::vector<double>>> GradientProbe::descent() const {
    const RateNetwork<double> network(circuit_);
    const auto& schedule = schedule_;
    auto drive = network.no_drive();
    const auto count = static_cast<Eigen::Index>(images_);
    auto& pixels = drive.stimulus[schedule.input];
    pixels.resize(circuit_.population(schedule.input).size(), count);
    Eigen::MatrixXd target = Eigen::MatrixXd::Zero(circuit_.population(schedule.readout).size(), count);
    for (Eigen::Index k = 0; k < count; ++k) {
        const auto image = set_.image(static_cast<std::size_t>(k));
        for (std::size_t i = 0; i < image.size(); ++i) pixels(static_cast<Eigen::Index>(i), k) = stimulus_of<double>(image[i]);
        schedule.code.write(set_.labels[static_cast<std::size_t>(k)], target.col(k));
    }
    if (circuit_.population(schedule.input).receives()) drive.nudge[schedule.input] = 1;  // units that hold the image, as in the read-out
    for (const auto conducts : conducts_) drive.conducts.push_back(conducts != 0);

    constexpr double tolerance = 1e-9;
    const auto state = network.settle(drive, tolerance);
    if (!state.settled) return {};
    const auto adjoint =
        network.adjoint(drive, state, schedule.readout, network.loss_slope(loss_, state.activity[schedule.readout], target), tolerance);
    std::vector<std::vector<double>> descent(circuit_.projections().size());
    for (std::size_t p = 0; p < descent.size(); ++p)
        if (circuit_.projections()[p].plasticity)
            add(descent[p], network.weight_gradient(p, adjoint, state), -1.0 / static_cast<double>(images_));
    return descent;
}

std::vector<std::vector<double>> GradientProbe::mean_field() const {
    const MeanField field(circuit_, schedule_);
    const auto shown = presentations(0);
    std::vector<std::vector<std::vector<double>>> changes(images_);
    std::vector<std::vector<double>> mean(circuit_.projections().size());
    constexpr std::size_t piece = 4;  // images at a time: each takes as much memory as the weights
    for (std::size_t first = 0; first < images_; first += piece) {
        const std::size_t last = std::min(first + piece, images_);
        parallel_for(last - first, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t k = first + begin; k < first + end; ++k) changes[k] = field.changes(shown[k]);
        });
        for (std::size_t k = first; k < last; ++k) {
            for (std::size_t p = 0; p < mean.size(); ++p) add(mean[p], changes[k][p], 1.0 / static_cast<double>(images_));
            changes[k] = {};
        }
    }
    return mean;
}

/// In the rate reading, what carries no activity has no gradient.
bool GradientProbe::names(std::size_t projection) const {
    return circuit_.projections()[projection].plasticity && (spiking_ || conducts_[projection]);
}

std::vector<GradientAlignment> GradientProbe::nothing() const {
    std::vector<GradientAlignment> alignments;
    for (std::size_t p = 0; p < conducts_.size(); ++p)
        if (constexpr double nan = std::numeric_limits<double>::quiet_NaN(); names(p))
            alignments.push_back({circuit_.projections()[p].name, nan, nan, nan, nan, nan});
    return alignments;
}

std::vector<GradientAlignment> GradientProbe::measure(std::uint32_t first_trial) const {
    learner_.update_circuit();
    const auto descends = descent();
    if (!descends) return nothing();
    std::vector<std::vector<std::vector<double>>> changes(circuit_.projections().size());  // by projection, trial and synapse
    for (std::size_t trial = 0; trial < trials_; ++trial) {
        auto measured = learner_.measure(presentations(first_trial + static_cast<std::uint32_t>(trial * images_)));
        for (std::size_t p = 0; p < measured.size(); ++p)
            if (!measured[p].empty()) changes[p].push_back(std::move(measured[p]));
    }
    const auto field = spiking_ ? mean_field() : std::vector<std::vector<double>>{};
    std::vector<GradientAlignment> alignments;
    for (std::size_t p = 0; p < changes.size(); ++p) {
        if (!names(p)) continue;
        const auto& wanted = (*descends)[p];
        std::vector<double> mean;
        for (const auto& change : changes[p]) add(mean, change, learning_rate_[p] / static_cast<double>(trials_ * images_));
        const auto angle = spiking_ ? noise_free_angle_degrees(changes[p], wanted) : Moments{.mean = angle_degrees(mean, wanted)};
        const double along = dot(mean, wanted) / dot(wanted, wanted);
        alignments.push_back({circuit_.projections()[p].name, angle.mean, spiking_ ? angle.error() : 0,
                              along / std::cos(angle.mean * std::numbers::pi / 180), alignment_of(mean, wanted).sign_agreement,
                              spiking_ ? angle_degrees(field[p], wanted) : std::nan("")});
    }
    return alignments;
}

}  // namespace ydot::app
