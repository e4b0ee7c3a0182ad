#include "app/synapse_stream.hpp"

#include "networks/sampling.hpp"

namespace ydot::app {

DescribedSynapses::DescribedSynapses(const ProjectionSpec& spec, const RunSpec& run, networks::TargetsOf targets, double scale)
    : targets_(std::move(targets)),
      seed_(static_cast<std::uint64_t>(run.seed)),
      weight_stream_(stream_of(spec.name, Purpose::weight)),
      delay_stream_(stream_of(spec.name, Purpose::delay)),
      weight_(spec.weight, scale),
      delay_(spec.delay_ms, 1 / run.dt_ms) {}

void DescribedSynapses::draw(std::uint32_t source, std::vector<DrawnSynapse>& out) const {
    thread_local std::vector<std::uint32_t> drawn;
    drawn.clear();
    targets_(source, drawn);
    const auto weights = networks::words_of(seed_, weight_stream_, source, drawn.size()),
               delays = networks::words_of(seed_, delay_stream_, source, drawn.size());
    for (std::size_t k = 0; k < drawn.size(); ++k) out.push_back({drawn[k], to_delay(delay_(delays[k])), weight_(weights[k])});
}

}  // namespace ydot::app
