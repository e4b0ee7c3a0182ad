#include "sim/learner.hpp"

#include "sim/circuit.hpp"

namespace ydot {
namespace {

constexpr float usual_weight = 0.1f;  // of the newest minibatch in the running mean of activities

bool contains(const std::vector<std::size_t>& list, std::size_t x) { return std::find(list.begin(), list.end(), x) != list.end(); }

}  // namespace

bool Phase::clamps_population(std::size_t population) const noexcept { return contains(clamps, population); }

bool Phase::teaches() const noexcept {
    const auto any = [](const auto& list) { return std::find(list.begin(), list.end(), 1) != list.end(); };
    return any(learns) || any(unlearns);
}

Step Schedule::longest() const noexcept {
    Step steps = 0;
    for (const auto& phase : phases) steps += phase.readout || shows_label(phase) ? std::max(phase.steps, test_readout_steps) : phase.steps;
    return steps;
}

bool Schedule::shows_label(const Phase& phase) const noexcept {
    return label && phase.target == TargetLabel::label && phase.clamps_population(*label);
}

std::vector<std::size_t> Schedule::label_phases(const Stage& stage) const {
    std::vector<std::size_t> shown;
    for (const auto k : stage.phases) {
        if (shows_label(phases[k])) shown.push_back(k);
        else if (!shown.empty()) break;
    }
    return shown;
}

std::vector<std::uint8_t> Schedule::learning(const Stage& stage) const {
    std::vector<std::uint8_t> learning(phases.empty() ? 0 : phases[0].learns.size());
    for (const auto k : stage.phases)
        for (std::size_t p = 0; p < learning.size(); ++p) learning[p] |= phases[k].learns[p] | phases[k].unlearns[p];
    return learning;
}

void UsualActivity::add(const Eigen::VectorXf& mean) {
    if (usual_.size() == 0) usual_ = mean;
    else usual_ += usual_weight * (mean - usual_);
}

Eigen::VectorXf UsualActivity::below_peers() const {
    if (usual_.size() == 0) return {};
    return usual_.mean() - usual_.array();
}

Jury jury_of(const Circuit& circuit, std::span<const LayerFactor* const> factors) {
    Jury jury;
    for (std::size_t p = 0; p < factors.size(); ++p) {
        if (!factors[p]) continue;
        const auto to = circuit.projections()[p].to;
        if (!contains(jury.populations, to)) jury.populations.push_back(to);
        jury.direction = factors[p]->sharpness > 0 ? 1.0f : -1.0f;
    }
    const auto hears_another = [&](const Projection& projection) {
        return projection.to == jury.populations.front() && contains(jury.populations, projection.from);
    };
    if (jury.populations.size() > 1 && std::none_of(circuit.projections().begin(), circuit.projections().end(), hears_another))
        jury.populations.erase(jury.populations.begin());
    return jury;
}

}  // namespace ydot
