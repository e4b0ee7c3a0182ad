#include "sim/batch_learning.hpp"

#include <algorithm>
#include <numeric>

namespace ydot {
namespace {

void scale(std::span<float> x, float factor) noexcept {
    for (float& v : x) v *= factor;
}
void add_scaled(float* out, const float* x, float factor, std::size_t n) noexcept {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) out[j] += factor * x[j];
}
void add_four(float* out, const float* a, const float* b, const float* c, const float* d, std::size_t n) noexcept {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) out[j] += (a[j] + b[j]) + (c[j] + d[j]);
}
std::int32_t rounded(float x) noexcept { return static_cast<std::int32_t>(x + (x >= 0 ? 0.5f : -0.5f)); }

/// f(target) for the spikes of a step that fall on the block's targets.
template <class F>
void for_targets(const SynapseBlock& block, const SpikeList& spikes, F&& f) {
    for (const auto unit : spikes.unit)
        if (unit - block.first_target() < block.targets()) f(unit - block.first_target());
}

}  // namespace

BatchLearner::BatchLearner(const Plasticity& plasticity, DelaySite site, double dt_ms)
    : plasticity_(plasticity), window_(plasticity.rule->window()), site_(site), dt_ms_(dt_ms),
      gate_on_pre_(plasticity.gate == Gate::pre || plasticity.gate == Gate::both), nearest_(window_.pairing == Pairing::nearest) {}

/// Law of one step: a post spike of the step itself counts half, then the step's spikes enter the trace.
void BatchLearner::sweep(const SynapseBlock& block, const SpikeHistory& post, const GateTrace& gate, Scratch& s) const {
    const std::size_t stride = block.stride(), steps = gate.steps();
    s.kernel.assign((nearest_ ? 2 : 1) * steps * stride, 0);
    const auto a_plus = static_cast<float>(window_.a_plus), a_minus = static_cast<float>(window_.a_minus);
    const auto keep_plus = static_cast<float>(std::exp(-dt_ms_ / window_.tau_plus_ms)), keep_minus = static_cast<float>(std::exp(-dt_ms_ / window_.tau_minus_ms));

    s.trace.assign(stride, 0);
    for (std::size_t n = steps; n-- > 0;) {
        const bool partners = later_partner(gate, n);
        const auto& spikes = post.at(static_cast<Step>(n));
        if (partners) for_targets(block, spikes, [&](std::uint32_t j) { s.trace[j] += 0.5f; });
        if (nearest_ ? gate.paired[n] != 0 : potentiates(gate, n)) add_scaled(s.kernel.data() + n * stride, s.trace.data(), a_plus, stride);
        if (partners) for_targets(block, spikes, [&](std::uint32_t j) { s.trace[j] += 0.5f; });
        scale(s.trace, keep_plus);
    }
    std::fill(s.trace.begin(), s.trace.end(), 0.0f);
    float* const depression = s.kernel.data() + (nearest_ ? steps * stride : 0);
    for (std::size_t n = 0; n < steps; ++n) {
        const bool partners = earlier_partner(gate, n);
        const auto& spikes = post.at(static_cast<Step>(n));
        if (partners) for_targets(block, spikes, [&](std::uint32_t j) { s.trace[j] = nearest_ ? 0.5f * (s.trace[j] + 1) : s.trace[j] + 0.5f; });
        if (depresses(gate, n)) add_scaled(depression + n * stride, s.trace.data(), -a_minus, stride);
        if (partners) for_targets(block, spikes, [&](std::uint32_t j) { s.trace[j] = nearest_ ? 1 : s.trace[j] + 0.5f; });
        scale(s.trace, keep_minus);
    }
}

/// Counting sort of the arrivals that matter by (source, delay). An axonal delay shifts the pre spike later; a dendritic one delays the post
/// spike on its way back to the synapse, which is the same as shifting the pre spike earlier. Gates are read in the time of the post unit.
void BatchLearner::sort_arrivals(const SynapseBlock& block, const SpikeHistory& pre, const GateTrace& gate, Scratch& s) const {
    const auto delays = block.delays();
    const auto steps = static_cast<Step>(gate.steps());
    s.begin.assign(static_cast<std::size_t>(block.sources()) * delays.size() + 1, 0);
    const auto for_arrivals = [&](auto&& f) {
        for (std::size_t d = 0; d < delays.size(); ++d)
            for (Step emitted = 0; emitted < steps; ++emitted) {
                const Step n = site_ == DelaySite::axonal ? emitted + delays[d] : emitted - delays[d];
                if (n < 0 || n >= steps || !matters(gate, static_cast<std::size_t>(n))) continue;
                for (const auto source : pre.at(emitted).unit) f(source * delays.size() + d, static_cast<std::uint32_t>(n));
            }
    };
    for_arrivals([&](std::size_t run, std::uint32_t) { ++s.begin[run + 1]; });
    std::partial_sum(s.begin.begin(), s.begin.end(), s.begin.begin());
    s.next.assign(s.begin.begin(), s.begin.end());
    s.arrival.resize(s.begin.back());
    for_arrivals([&](std::size_t run, std::uint32_t n) { s.arrival[s.next[run]++] = n; });
}

/// row = sum of D over the arrivals. Nearest neighbour: the potentiation of an arrival ends with the next arrival of the same source.
void BatchLearner::add_rows(std::span<const std::uint32_t> arrivals, const GateTrace& gate, std::size_t stride, Scratch& s) const {
    const auto kernel = [&](std::size_t n) { return s.kernel.data() + n * stride; };
    s.row.assign(stride, 0);
    if (nearest_) {
        for (std::size_t k = 0; k < arrivals.size(); ++k) {
            double share = potentiates(gate, arrivals[k]);
            if (k > 0 && potentiates(gate, arrivals[k - 1])) share -= std::exp(-(arrivals[k] - arrivals[k - 1]) * dt_ms_ / window_.tau_plus_ms);
            add_scaled(s.row.data(), kernel(arrivals[k]), static_cast<float>(share), stride);
            add_scaled(s.row.data(), kernel(gate.steps() + arrivals[k]), 1, stride);
        }
        return;
    }
    std::size_t k = 0;
    for (; k + 4 <= arrivals.size(); k += 4)
        add_four(s.row.data(), kernel(arrivals[k]), kernel(arrivals[k + 1]), kernel(arrivals[k + 2]), kernel(arrivals[k + 3]), stride);
    for (; k < arrivals.size(); ++k) add_scaled(s.row.data(), kernel(arrivals[k]), 1, stride);
}

void BatchLearner::accumulate(const SynapseBlock& block, const SpikeHistory& pre, const SpikeHistory& post, const GateTrace& gate,
                              std::span<const float> slope, Scratch& s, ChangeSum& changes) const {
    const std::size_t stride = block.stride(), delays = block.delays().size();
    sweep(block, post, gate, s);
    sort_arrivals(block, pre, gate, s);
    if (changes.sum.empty()) changes.sum.assign(block.weights().size(), 0);
    const auto causal = static_cast<float>(plasticity_.causal_factor);
    for (std::uint32_t source = 0; source < block.sources(); ++source)
        for (std::size_t d = 0; d < delays; ++d) {
            const std::size_t run = source * delays + d;
            const std::span<const std::uint32_t> arrivals(s.arrival.data() + s.begin[run], s.begin[run + 1] - s.begin[run]);
            if (arrivals.empty()) continue;
            add_rows(arrivals, gate, stride, s);
            const auto row = block.row(source, d);
            const std::size_t first = block.index_of(row);
            if (!slope.empty()) {
                s.slope_row.assign(stride, 0);
                for (const auto n : arrivals)
                    if (potentiates(gate, n)) add_scaled(s.slope_row.data(), slope.data() + n * stride, -causal, stride);
                for (std::size_t k = 0; k < row.weight.size(); ++k) {
                    const std::size_t j = row.target ? row.target[k] : k;
                    changes.sum[first + k] += rounded(s.slope_row[j] * row.weight[k] / ChangeSum::unit);
                }
            }
            std::int32_t* const sum = changes.sum.data() + first;
            if (row.target)
                for (std::size_t k = 0; k < row.weight.size(); ++k) sum[k] += rounded(s.row[row.target[k]] * (1 / ChangeSum::unit));
            else
                for (std::size_t k = 0; k < stride; ++k) sum[k] += rounded(s.row[k] * (1 / ChangeSum::unit));
        }
}

void BatchLearner::prepare(const SynapseBlock& block, std::vector<float>& velocity) const {
    if (plasticity_.momentum > 0 && velocity.empty()) velocity.assign(block.weights().size(), 0);
}

void BatchLearner::apply(SynapseBlock& block, std::uint32_t first_source, std::uint32_t last_source, std::span<ChangeSum* const> changes,
                         std::vector<float>& velocity, double factor, std::size_t images) const {
    const auto rate = static_cast<float>(plasticity_.learning_rate * factor), momentum = static_cast<float>(plasticity_.momentum);
    const auto keep = static_cast<float>(std::pow(1 - plasticity_.decay * factor, static_cast<double>(images)));
    for (std::uint32_t source = first_source; source < last_source; ++source)
        for (std::size_t d = 0; d < block.delays().size(); ++d) {
            const auto row = block.row(source, d);
            const std::size_t first = block.index_of(row);
            const Bounds bounds = plasticity_.of_source[source];
            for (std::size_t k = 0; k < row.weight.size(); ++k) {
                std::int32_t total = 0;
                for (auto* change : changes) {
                    if (change->sum.empty()) continue;
                    total += change->sum[first + k];
                    change->sum[first + k] = 0;
                }
                float dw = static_cast<float>(total) * ChangeSum::unit;
                if (!velocity.empty()) dw = velocity[first + k] = momentum * velocity[first + k] + dw;
                const float changed = keep * row.weight[k] + rate * dw * (row.mask ? row.mask[k] : 1.0f);
                row.weight[k] = std::min(std::max(changed, bounds.low), bounds.high);
            }
        }
}

}  // namespace ydot
