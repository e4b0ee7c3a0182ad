#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/plasticity.hpp"
#include "sim/spikes.hpp"

namespace ydot {

/// What a presentation was like, step by step, for one plastic projection.
struct GateTrace {
    std::vector<std::uint8_t> open;        ///< the projection learns in this step
    std::vector<std::uint8_t> paired;      ///< spikes of this step count as partners
    std::vector<std::uint8_t> conducts{};  ///< spikes that arrive in this step reach the synapse; empty: all do
    std::vector<float> strength{};         ///< changes of arrivals in this step count so much; empty: 1. Gates on the pre spike only
    std::vector<std::uint8_t> pulled{};    ///< arrivals of this step also make the change `pull`; empty: none do. Pairing "all" only
    std::span<const float> pull{};         ///< by unit of the target population; empty: none
    std::size_t steps() const noexcept { return open.size(); }
    /// So many steps more, all alike.
    void append(Step count, bool opens, bool pairs, bool arrives) {
        const auto more = static_cast<std::size_t>(count);
        open.insert(open.end(), more, opens);
        paired.insert(paired.end(), more, pairs);
        conducts.insert(conducts.end(), more, arrives);
    }
};

/// Changes of one block summed over presentations. Integers, so that the sum does not depend on the order in which threads add, in units of
/// `unit` times the larger amplitude of the window; layout as SynapseBlock::weights(). A sum stops at `full`, a quarter
/// of a million full pairs, and one beyond half of that is taken for one that stopped.
struct ChangeSum {
    static constexpr float unit = 0x1p-12f;
    static constexpr std::int32_t full = (1 << 30) - 1;  ///< twice of it is an integer still
    std::vector<std::int32_t> sum;
};

/// Learning of one block from a whole presentation whose weights were constant: the changes that online traces would make, computed as
///   dw_ij = sum over arrivals t of i of D_j(t),
///   D_j(t) = a_plus sum_{post > t} exp(-(post - t)/tau_plus) - a_minus sum_{post < t} exp(-(t - post)/tau_minus)
/// with one backward and one forward sweep over the post spikes; then each arrival is one row operation. Spikes of one step count half in
/// each sum. Arrivals and gates are read in the time of the post unit: an axonal delay shifts the pre spike later, a dendritic one (behind
/// the synapse) earlier. A dendritic pre spike of the first d steps is read before the presentation began, when no gate was open. The gate
/// says which spike of a pair must fall into a step that is open: the arrival (pre), the post spike (post), the later one, or both.
class BatchLearner {
public:
    BatchLearner(const Plasticity& plasticity, DelaySite site, double dt_ms);

    /// Memory that a thread reuses from presentation to presentation.
    struct Scratch {
        std::vector<float> kernel;  ///< D_j(t): steps x stride; nearest neighbour: potentiation, then depression
        std::vector<float> trace, row, slope_row;
        std::vector<std::uint32_t> begin, next;  ///< of the arrivals of run source * delays + delay index
        std::vector<std::uint32_t> arrival;      ///< rows of the kernel (steps + lead), ascending within a run
    };
    /// @param pre, post  spikes of steps [0, gate.steps()); post spikes are counted from the start of the population
    /// @param slope      steps x stride: d(expected spikes)/du of the targets; empty without causal correction
    void accumulate(const SynapseBlock& block, const SpikeHistory& pre, const SpikeHistory& post, const GateTrace& gate,
                    std::span<const float> slope, Scratch& scratch, ChangeSum& changes) const;

    /// Makes room for the momentum of a block, if it has any.
    void prepare(const SynapseBlock& block, std::vector<float>& velocity) const;
    /// For the rows of sources [first, last): w <- bounds((1 - decay factor)^images w + learning_rate factor change); clears the sums.
    /// @param changes  of the threads that presented something, none of them empty
    /// @param factor   annealing, in [0, 1];  @param images  presentations in the sums
    /// @return false if a sum may have stopped, so that changes are lost
    bool apply(SynapseBlock& block, std::uint32_t first, std::uint32_t last, std::span<ChangeSum* const> changes,
               std::vector<float>& velocity, double factor, std::size_t images) const;

    /// The changes themselves, as the rule makes them: no learning rate, momentum, decay or bounds.
    /// @param sums  in units of ChangeSum, laid out as the weights
    /// @return one for each synapse, in the order of SynapseBlock::for_each
    std::vector<double> changes_in(const SynapseBlock& block, std::span<const std::int64_t> sums) const;

private:
    void sweep(const SynapseBlock&, const SpikeHistory& post, const GateTrace&, Scratch&) const;
    void sort_arrivals(const SynapseBlock&, const SpikeHistory& pre, const GateTrace&, Scratch&) const;
    void add_rows(std::span<const std::uint32_t> arrivals, const GateTrace&, std::size_t lead, std::size_t stride, Scratch&) const;
    /// Rows of the kernel before step 0, see above.
    std::size_t lead_of(const SynapseBlock& block) const noexcept {
        return site_ == DelaySite::dendritic && !block.delays().empty() ? block.delays().back() : 0;
    }
    static float strength(const GateTrace& g, Step n) noexcept {
        return g.strength.empty() || n < 0 ? 1 : g.strength[static_cast<std::size_t>(n)];
    }
    static bool open(const GateTrace& g, Step n) noexcept { return n >= 0 && g.open[static_cast<std::size_t>(n)]; }
    static bool paired(const GateTrace& g, Step n) noexcept { return g.paired[static_cast<std::size_t>(std::max<Step>(n, 0))]; }
    bool matters(const GateTrace& g, Step n) const noexcept { return nearest_ ? paired(g, n) : potentiates(g, n) || depresses(g, n); }
    bool potentiates(const GateTrace& g, Step n) const noexcept { return paired(g, n) && (!gate_on_pre_ || open(g, n)); }
    bool depresses(const GateTrace& g, Step n) const noexcept { return paired(g, n) && (plasticity_.gate == Gate::post || open(g, n)); }
    bool later_partner(const GateTrace& g, Step n) const noexcept { return paired(g, n) && (plasticity_.gate == Gate::pre || open(g, n)); }
    bool earlier_partner(const GateTrace& g, Step n) const noexcept {
        return paired(g, n) && (plasticity_.gate == Gate::pre || plasticity_.gate == Gate::later || open(g, n));
    }

    const Plasticity& plasticity_;
    PairWindow window_;
    DelaySite site_;
    double dt_ms_, amplitude_;
    bool gate_on_pre_, nearest_;
};

}  // namespace ydot
