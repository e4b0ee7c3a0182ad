#include "sim/mean_field.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "sim/error.hpp"
#include "sim/rate_network.hpp"

namespace ydot {

MeanField::MeanField(const Circuit& circuit, const Schedule& schedule) : circuit_(circuit), schedule_(schedule) {
    require_rates(circuit);
    for (std::size_t k = 0; k < circuit.projections().size(); ++k) {
        const auto& projection = circuit.projections()[k];
        if (projection.plasticity &&
            (projection.site != DelaySite::axonal || projection.plasticity->rule->window().pairing != Pairing::all))
            throw Error("projections." + projection.name, "the rate reading needs axonal delays and pairing = \"all\"", {});
        const bool unlearns =
            std::any_of(schedule.phases.begin(), schedule.phases.end(), [&](const Phase& phase) { return phase.unlearns[k]; });
        if (projection.plasticity && (unlearns || projection.plasticity->rule->layer_factor()))
            throw Error("projections." + projection.name,
                        "the rate reading of a schedule of spikes knows neither unlearning nor layer factors", {});
        std::map<Step, Matrix> by_delay;
        for (const auto& block : projection.blocks)
            block.for_each([&](std::uint32_t source, std::uint32_t target, std::uint16_t delay, float w) {
                auto& weight = by_delay
                                   .try_emplace(delay, Matrix::Zero(circuit.population(projection.to).size(),
                                                                    circuit.population(projection.from).size()))
                                   .first->second;
                weight(block.first_target() + target, source) += w;
            });
        for (auto& [delay, weight] : by_delay) deliveries_.push_back({k, delay, std::move(weight)});
    }
}

/// One shard for each population, at the start of the presentation.
std::vector<UnitShard> MeanField::start(const Presentation& shown) const {
    std::vector<UnitShard> units;
    for (std::size_t p = 0; p < circuit_.population_count(); ++p)
        units.emplace_back(0, circuit_.population(p).size(), circuit_.population(p).variables());
    for (std::size_t i = 0; i < shown.image.size(); ++i) units[schedule_.input].stimulus[i] = stimulus_of<float>(shown.image[i]);
    schedule_.code.write(shown.label, units[schedule_.readout].stimulus);
    for (std::size_t p = 0; p < units.size(); ++p) circuit_.population(p).reset(units[p], {circuit_.seed(), 0});
    return units;
}

void MeanField::step(std::vector<UnitShard>& units, const Phase& phase, Step n, std::vector<Matrix>& expected) const {
    const auto all = [](const UnitShard& shard, std::vector<float>& x) {
        return Eigen::Map<Eigen::VectorXf>(x.data(), static_cast<Eigen::Index>(shard.count));
    };
    for (auto& shard : units) all(shard, shard.input).setZero();
    for (const auto& d : deliveries_) {
        const auto& projection = circuit_.projections()[d.projection];
        if (!phase.conducts[d.projection] || n < d.delay) continue;
        auto& to = units[projection.to];
        all(to, to.input) += projection.scale * (d.weight * expected[projection.from].col(n - d.delay));
    }
    for (std::size_t p = 0; p < units.size(); ++p) {
        circuit_.population(p).expect(units[p], n);
        expected[p].col(n) = all(units[p], units[p].activity);
    }
}

/// By population, units x steps.
std::vector<MeanField::Matrix> MeanField::expected_spikes(const Presentation& shown) const {
    const auto steps = std::accumulate(schedule_.phases.begin(), schedule_.phases.end(), Step{0},
                                       [](Step sum, const Phase& phase) { return sum + phase.steps; });
    auto units = start(shown);
    std::vector<Matrix> expected;
    for (const auto& shard : units) expected.emplace_back(Matrix::Zero(shard.count, steps));
    Step n = 0;
    for (const auto& phase : schedule_.phases) {
        units[schedule_.readout].nudge = phase.clamps_population(schedule_.readout) ? phase.nudge : 0;
        for (const Step end = n + phase.steps; n < end; ++n) step(units, phase, n, expected);
    }
    return expected;
}

GateTrace MeanField::gate_of(std::size_t projection) const {
    GateTrace gate;
    for (const auto& phase : schedule_.phases) gate.append(phase.steps, phase.learns[projection], phase.paired, phase.conducts[projection]);
    return gate;
}

/// D_j(n) of BatchLearner with expected post spikes, targets x steps; 0 where an arrival does not matter.
MeanField::Matrix MeanField::kernel(const Plasticity& plasticity, const GateTrace& gate, const Matrix& post) const {
    const auto window = plasticity.rule->window();
    const auto steps = static_cast<Step>(gate.steps());
    const auto is_open = [&](Step n) { return gate.open[static_cast<std::size_t>(n)] != 0; };
    const auto counts = [&](Step n, bool needs_gate) { return gate.paired[static_cast<std::size_t>(n)] && (!needs_gate || is_open(n)); };
    const bool pre = plasticity.gate == Gate::pre, on_post = plasticity.gate == Gate::post, both = plasticity.gate == Gate::both;
    Matrix kernel = Matrix::Zero(post.rows(), post.cols());
    const auto sweep = [&](Step first, Step last, Step step, double amplitude, double tau_ms, bool arrival_gated, bool partner_gated) {
        Eigen::VectorXf trace = Eigen::VectorXf::Zero(post.rows());
        const auto keep = static_cast<float>(std::exp(-circuit_.dt_ms() / tau_ms));
        for (Step n = first; n != last; n += step) {
            const bool partner = counts(n, partner_gated);
            if (partner) trace += 0.5f * post.col(n);
            if (gate.conducts[static_cast<std::size_t>(n)] && counts(n, arrival_gated))
                kernel.col(n) += static_cast<float>(amplitude) * trace;
            if (partner) trace += 0.5f * post.col(n);
            trace *= keep;
        }
    };
    sweep(steps - 1, -1, -1, window.a_plus, window.tau_plus_ms, pre || both, !pre);       // potentiation: the post spike is the later one
    sweep(0, steps, 1, -window.a_minus, window.tau_minus_ms, !on_post, on_post || both);  // depression: the arrival is
    return kernel;
}

std::vector<std::vector<double>> MeanField::changes(const Presentation& shown) const {
    const auto expected = expected_spikes(shown);
    std::vector<std::vector<double>> changes(circuit_.projections().size());
    for (std::size_t k = 0; k < changes.size(); ++k) {
        const auto& projection = circuit_.projections()[k];
        if (!projection.plasticity) continue;
        const Matrix d = kernel(*projection.plasticity, gate_of(k), expected[projection.to]);
        std::map<Step, Matrix> by_delay;  // targets x sources
        for (const auto& delivery : deliveries_)
            if (delivery.projection == k) {
                const auto arriving = std::max<Step>(d.cols() - delivery.delay, 0);  // steps whose spikes arrive before the end
                by_delay[delivery.delay] = d.rightCols(arriving) * expected[projection.from].leftCols(arriving).transpose();
            }
        for (const auto& block : projection.blocks)
            block.for_each([&](std::uint32_t source, std::uint32_t target, std::uint16_t delay, float) {
                changes[k].push_back(static_cast<double>(by_delay[delay](block.first_target() + target, source)));
            });
    }
    return changes;
}

}  // namespace ydot
