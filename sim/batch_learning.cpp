#include "sim/batch_learning.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "sim/lanes.hpp"

namespace ydot {
namespace {

void scale(std::span<float> x, float factor) noexcept {
    for (float& v : x) v *= factor;
}
void add_scaled(float* out, const float* x, float factor, std::size_t n) noexcept {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) out[j] += factor * x[j];
}
void set_scaled(float* out, const float* x, float factor, std::size_t n) noexcept {
#pragma GCC ivdep
    for (std::size_t j = 0; j < n; ++j) out[j] = factor * x[j];
}
std::int32_t saturating_sum(std::int32_t a, std::int32_t b) noexcept {
    return std::min(std::max(a + b, -ChangeSum::full), ChangeSum::full);
}
/// Moves the sums of one thread into those of another.
void take(std::int32_t* from, std::int32_t* into, std::size_t n) noexcept {
    for (std::size_t k = 0; k < n; ++k) into[k] = saturating_sum(into[k], from[k]);
    std::fill_n(from, n, 0);
}
/// A change in units of ChangeSum, within half of what an integer can hold.
std::int32_t in_units(float x) noexcept {
    x = std::min(std::max(x * (1 / ChangeSum::unit), -0x1p30f), 0x1p30f);  // one more than full: harmless
    return static_cast<std::int32_t>(x + (x >= 0 ? 0.5f : -0.5f));
}

/// f(target) for the spikes of a step that fall on the block's targets.
template <class F>
void for_targets(const SynapseBlock& block, const SpikeList& spikes, F&& f) {
    for (const auto unit : spikes.unit)
        if (unit - block.first_target() < block.targets()) f(unit - block.first_target());
}

}  // namespace

BatchLearner::BatchLearner(const Plasticity& plasticity, DelaySite site, double dt_ms)
    : plasticity_(plasticity),
      window_(plasticity.rule->window()),
      site_(site),
      dt_ms_(dt_ms),
      amplitude_(std::max({std::abs(window_.a_plus), std::abs(window_.a_minus), std::numeric_limits<double>::min()})),
      gate_on_pre_(plasticity.gate == Gate::pre || plasticity.gate == Gate::both),
      nearest_(window_.pairing == Pairing::nearest) {}

/// Law of one step: a post spike of the step itself counts half, then the step's spikes enter the trace. Rows of steps that do not matter
/// are left as they are; nobody reads them. Nearest neighbour: a later spike of the post unit hides the earlier ones, gate open or not.
void BatchLearner::sweep(const SynapseBlock& block, const SpikeHistory& post, const GateTrace& gate, Scratch& s) const {
    const std::size_t stride = block.stride(), lead = lead_of(block), rows = gate.steps() + lead;
    const auto steps = static_cast<Step>(gate.steps()), start = -static_cast<Step>(lead);
    s.kernel.resize((nearest_ ? 2 : 1) * rows * stride);
    Step first = start, last = steps;  // of the steps that matter
    while (first < last && !matters(gate, first)) ++first;
    while (last > first && !matters(gate, last - 1)) --last;
    const auto a_plus = static_cast<float>(window_.a_plus / amplitude_), a_minus = static_cast<float>(window_.a_minus / amplitude_);
    const auto keep_plus = static_cast<float>(std::exp(-dt_ms_ / window_.tau_plus_ms)),
               keep_minus = static_cast<float>(std::exp(-dt_ms_ / window_.tau_minus_ms));
    const auto row = [&](Step n) { return s.kernel.data() + static_cast<std::size_t>(n - start) * stride; };

    s.trace.assign(stride, 0);
    for (Step n = steps; n-- > first;) {
        const bool partners = n >= 0 && later_partner(gate, n);
        if (n < last && matters(gate, n)) {
            const float amplitude = (nearest_ || potentiates(gate, n) ? a_plus : 0) * strength(gate, n);
            set_scaled(row(n), s.trace.data(), amplitude, stride);
            if (partners) for_targets(block, post.at(n), [&](std::uint32_t j) { row(n)[j] += 0.5f * amplitude; });
        }
        if (partners) for_targets(block, post.at(n), [&](std::uint32_t j) { s.trace[j] += 1; });
        scale(s.trace, keep_plus);
    }
    std::fill(s.trace.begin(), s.trace.end(), 0.0f);
    if (nearest_) std::fill_n(s.kernel.data() + rows * stride, lead * stride, 0.0f);
    Step begin = 0;
    while (begin < last && !paired(gate, begin)) ++begin;  // no partners yet
    for (Step n = begin; n < last; ++n) {
        const bool partners = earlier_partner(gate, n), seen = partners || (nearest_ && paired(gate, n));
        const float counts = partners ? 1 : 0;
        if (matters(gate, n)) {
            const float amplitude = (depresses(gate, n) ? -a_minus : 0) * strength(gate, n);
            float* const to = row(n) + (nearest_ ? rows * stride : 0);
            (nearest_ ? set_scaled : add_scaled)(to, s.trace.data(), amplitude, stride);
            if (seen)
                for_targets(block, post.at(n), [&](std::uint32_t j) { to[j] += 0.5f * amplitude * (nearest_ ? counts - s.trace[j] : 1); });
        }
        if (seen) for_targets(block, post.at(n), [&](std::uint32_t j) { s.trace[j] = nearest_ ? counts : s.trace[j] + 1; });
        scale(s.trace, keep_minus);
    }
    if (gate.pull.empty()) return;
    for (Step n = std::max<Step>(first, 0); n < last; ++n)
        if (gate.pulled[static_cast<std::size_t>(n)] && matters(gate, n))
            add_scaled(row(n), gate.pull.data() + block.first_target(), static_cast<float>(1 / amplitude_), block.targets());
}

/// Counting sort of the arrivals that matter by (source, delay).
void BatchLearner::sort_arrivals(const SynapseBlock& block, const SpikeHistory& pre, const GateTrace& gate, Scratch& s) const {
    const auto delays = block.delays();
    const auto steps = static_cast<Step>(gate.steps()), lead = static_cast<Step>(lead_of(block));
    s.begin.assign(static_cast<std::size_t>(block.sources()) * delays.size() + 1, 0);
    const auto for_arrivals = [&](auto&& f) {
        for (std::size_t d = 0; d < delays.size(); ++d)
            for (Step emitted = 0; emitted < steps; ++emitted) {
                const Step arrives = emitted + delays[d], n = site_ == DelaySite::axonal ? arrives : emitted - delays[d];
                if (n >= steps || !matters(gate, n)) continue;
                if (!gate.conducts.empty() && arrives < steps && !gate.conducts[static_cast<std::size_t>(arrives)]) continue;
                for (const auto source : pre.at(emitted).unit) f(source * delays.size() + d, static_cast<std::uint32_t>(n + lead));
            }
    };
    for_arrivals([&](std::size_t run, std::uint32_t) { ++s.begin[run + 1]; });
    std::partial_sum(s.begin.begin(), s.begin.end(), s.begin.begin());
    s.next.assign(s.begin.begin(), s.begin.end());
    s.arrival.resize(s.begin.back());
    for_arrivals([&](std::size_t run, std::uint32_t n) { s.arrival[s.next[run]++] = n; });
}

/// row = sum of D over the arrivals. Nearest neighbour: the potentiation of an arrival ends with the next arrival of the same source.
void BatchLearner::add_rows(std::span<const std::uint32_t> arrivals, const GateTrace& gate, std::size_t lead, std::size_t stride,
                            Scratch& s) const {
    const auto kernel = [&](std::size_t n) { return s.kernel.data() + n * stride; };
    s.row.assign(stride, 0);
    if (!nearest_) return ydot::add_rows(s.row.data(), 1, arrivals.size(), stride, [&](std::size_t k) { return kernel(arrivals[k]); });
    const auto counts = [&](std::uint32_t arrival) { return potentiates(gate, static_cast<Step>(arrival) - static_cast<Step>(lead)); };
    for (std::size_t k = 0; k < arrivals.size(); ++k) {
        double share = counts(arrivals[k]);
        if (k > 0 && counts(arrivals[k - 1]))
            share -= std::exp(-static_cast<double>(arrivals[k] - arrivals[k - 1]) * dt_ms_ / window_.tau_plus_ms);
        add_scaled(s.row.data(), kernel(arrivals[k]), static_cast<float>(share), stride);
        add_scaled(s.row.data(), kernel(gate.steps() + lead + arrivals[k]), 1, stride);
    }
}

void BatchLearner::accumulate(const SynapseBlock& block, const SpikeHistory& pre, const SpikeHistory& post, const GateTrace& gate,
                              std::span<const float> slope, Scratch& s, ChangeSum& changes) const {
    const std::size_t stride = block.stride(), delays = block.delays().size();
    sweep(block, post, gate, s);
    sort_arrivals(block, pre, gate, s);
    if (changes.sum.empty()) changes.sum.assign(block.weights().size(), 0);
    const auto causal = static_cast<float>(plasticity_.causal_factor / amplitude_);
    for (std::uint32_t source = 0; source < block.sources(); ++source)
        for (std::size_t d = 0; d < delays; ++d) {
            const std::size_t run = source * delays + d;
            const std::span<const std::uint32_t> arrivals(s.arrival.data() + s.begin[run], s.begin[run + 1] - s.begin[run]);
            if (arrivals.empty()) continue;
            add_rows(arrivals, gate, lead_of(block), stride, s);
            const auto row = block.row(source, d);
            const std::size_t first = block.index_of(row);
            if (!slope.empty()) {  // gated on the pre spike: every arrival that matters potentiates
                s.slope_row.assign(stride, 0);
                const auto slope_of = [&](std::uint32_t arrival) { return slope.data() + arrival * stride; };
                if (gate.strength.empty())
                    ydot::add_rows(s.slope_row.data(), -causal, arrivals.size(), stride,
                                   [&](std::size_t k) { return slope_of(arrivals[k]); });
                else
                    for (const auto n : arrivals) add_scaled(s.slope_row.data(), slope_of(n), -causal * gate.strength[n], stride);
            }
            std::int32_t* const sum = changes.sum.data() + first;
            const float *const w = row.weight.data(), *const pairs = s.row.data(),
                               *const drift = slope.empty() ? nullptr : s.slope_row.data();
            const auto add = [&](const auto& target_of) {
                if (drift)
                    for (std::size_t k = 0; k < row.weight.size(); ++k)
                        sum[k] = saturating_sum(sum[k], in_units(pairs[target_of(k)] + drift[target_of(k)] * w[k]));
                else
                    for (std::size_t k = 0; k < row.weight.size(); ++k) sum[k] = saturating_sum(sum[k], in_units(pairs[target_of(k)]));
            };
            if (row.target) add([target = row.target](std::size_t k) { return target[k]; });
            else add([](std::size_t k) { return k; });
        }
}

void BatchLearner::prepare(const SynapseBlock& block, std::vector<float>& velocity) const {
    if (plasticity_.momentum > 0 && velocity.empty()) velocity.assign(block.weights().size(), 0);
}

bool BatchLearner::apply(SynapseBlock& block, std::uint32_t first_source, std::uint32_t last_source, std::span<ChangeSum* const> changes,
                         std::vector<float>& velocity, double factor, std::size_t images) const {
    const auto rate = static_cast<float>(plasticity_.learning_rate * factor * amplitude_) * ChangeSum::unit,
               momentum = static_cast<float>(plasticity_.momentum);
    const auto keep = static_cast<float>(std::pow(1 - plasticity_.decay * factor, static_cast<double>(images)));
    if (changes.empty()) return true;
    bool lost = false;
    for (std::uint32_t source = first_source; source < last_source; ++source)
        for (std::size_t d = 0; d < block.delays().size(); ++d) {
            const auto row = block.row(source, d);
            const std::size_t first = block.index_of(row), n = row.weight.size();
            std::int32_t* const sum = changes[0]->sum.data() + first;
            for (auto* change : changes.subspan(1)) take(change->sum.data() + first, sum, n);
            for (std::size_t k = 0; k < n; ++k) lost |= std::abs(sum[k]) > ChangeSum::full / 2;
            float* const w = row.weight.data();
            if (velocity.empty()) {
                for (std::size_t k = 0; k < n; ++k) w[k] = keep * w[k] + rate * static_cast<float>(sum[k]);
            } else {
                float* const v = velocity.data() + first;
                for (std::size_t k = 0; k < n; ++k) {
                    v[k] = momentum * v[k] + static_cast<float>(sum[k]);
                    w[k] = keep * w[k] + rate * v[k];
                }
            }
            std::fill_n(sum, n, 0);
            const Bounds bounds = plasticity_.of_source[source];
            if (std::isfinite(bounds.low) || std::isfinite(bounds.high))
                for (std::size_t k = 0; k < n; ++k) w[k] = std::min(std::max(w[k], bounds.low), bounds.high);
            if (row.mask)
                for (std::size_t k = 0; k < n; ++k) w[k] *= row.mask[k];
        }
    block.refresh_halves(first_source, last_source);
    return !lost;
}

std::vector<double> BatchLearner::changes_in(const SynapseBlock& block, std::span<const std::int64_t> sums) const {
    std::vector<double> changes;
    block.for_each([&](auto, auto, auto, const float& w) {
        const auto sum = sums[static_cast<std::size_t>(&w - block.weights().data())];
        changes.push_back(static_cast<double>(sum) * amplitude_ * static_cast<double>(ChangeSum::unit));
    });
    return changes;
}

}  // namespace ydot
