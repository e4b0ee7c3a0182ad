#include "app/likelihood.hpp"

#include <algorithm>
#include <cmath>

#include "app/registry.hpp"
#include "sim/error.hpp"
#include "sim/random.hpp"
#include "sim/rate_link.hpp"

namespace ydot::app {
namespace {

Eigen::VectorXf bias_of(const Circuit& circuit, std::size_t population) {
    const auto& units = circuit.population(population);
    Eigen::VectorXf bias = Eigen::VectorXf::Constant(static_cast<Eigen::Index>(units.size()), static_cast<float>(units.bias()));
    for (std::size_t k = 0; k < circuit.projections().size(); ++k)
        if (const auto& p = circuit.projections()[k]; p.to == population && !circuit.population(p.from).receives())
            bias += RateLink(circuit, k).weights().rowwise().sum();
    return bias;
}

/// Spikes of a source are no constant input.
void refuse_sources(const Circuit& circuit, std::initializer_list<std::size_t> machine) {
    for (const auto& p : circuit.projections())
        for (const auto population : machine)
            if (p.to == population && !circuit.population(p.from).receives())
                throw Error("metrics.likelihood",
                            "needs run.mode = \"rate\" with a source such as that of projections." + p.name +
                                ": with spikes, biases are those of [populations.NAME]",
                            {});
}

}  // namespace

BoltzmannMachine machine_of(const Description& description, const Circuit& circuit) {
    const auto visible = circuit.find_population(description.schedule.input);
    for (const auto& down : circuit.projections()) {
        if (down.to != visible || down.follows != Follows::transpose || down.gain != 1) continue;
        const auto& up = circuit.projections()[down.forward];
        const auto is_logistic = [&](std::size_t population) { return phi_of(description.populations[population]) == "logistic"; };
        if (up.from != visible || !is_logistic(up.from) || !is_logistic(up.to)) continue;
        if (description.run.mode == Mode::spiking) refuse_sources(circuit, {up.from, up.to});
        return {RateLink(circuit, down.forward).weights(), bias_of(circuit, up.from), bias_of(circuit, up.to)};
    }
    throw Error(
        "metrics.likelihood",
        "needs a restricted Boltzmann machine: schedule.input and another population, both with phi = \"logistic\", and between them a "
        "projection and its transpose with gain 1",
        {});
}

Likelihood likelihood_of(const BoltzmannMachine& machine, const data::ImageSet& images, const data::ImageSet& base, const MetricsSpec& spec,
                         std::uint64_t seed) {
    const auto pixels = static_cast<Eigen::Index>(images.image_size());
    Eigen::VectorXf mean = Eigen::VectorXf::Zero(pixels);
    for (std::size_t k = 0; k < base.count(); ++k)
        for (Eigen::Index i = 0; i < pixels; ++i) mean(i) += base.image(k)[static_cast<std::size_t>(i)];
    mean = (mean + Eigen::VectorXf::Constant(pixels, 128)) / (255 * static_cast<float>(base.count() + 1));  // nowhere 0 or 1
    const Eigen::VectorXf base_bias = (mean.array() / (1 - mean.array())).log();

    Eigen::MatrixXf shown(pixels, static_cast<Eigen::Index>(images.count()));
    for (std::size_t k = 0; k < images.count(); ++k) {
        Draws draws(seed, stream_of("likelihood", Purpose::image), static_cast<std::uint32_t>(k));
        for (Eigen::Index i = 0; i < pixels; ++i)
            shown(i, static_cast<Eigen::Index>(k)) = draws.below(255) < images.image(k)[static_cast<std::size_t>(i)] ? 1.0f : 0.0f;
    }
    Likelihood result;
    result.log_partition = estimate_log_partition(machine, base_bias, static_cast<std::size_t>(spec.likelihood_temperatures),
                                                  static_cast<std::size_t>(spec.likelihood_chains), seed);
    result.nats = log_unnormalised(machine, shown).mean() - result.log_partition.value;
    return result;
}

}  // namespace ydot::app
