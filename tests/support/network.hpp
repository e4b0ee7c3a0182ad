#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "neurons/list.hpp"
#include "sim/replay.hpp"
#include "sim/replica.hpp"
#include "sim/spike_times.hpp"
#include "tests/support/script.hpp"

namespace ydot::test {

using Member = std::unique_ptr<const Population>;

template <UnitModel M>
Member population_of(const std::string& name, std::uint32_t size, const typename M::Params& params, double dt_ms, bool continuous) {
    return std::make_unique<UnitPopulation<M>>(name, size, params, dt_ms, continuous);
}
template <SourceModel S>
Member population_of(const std::string& name, std::uint32_t size, const typename S::Params& params, double dt_ms, bool continuous) {
    return std::make_unique<SourcePopulation<S>>(name, size, params, dt_ms, continuous);
}

template <class... Members>
std::unique_ptr<Circuit> circuit_of(double dt_ms, std::uint64_t seed, Members... members) {
    std::vector<Member> all;
    (all.push_back(std::move(members)), ...);
    return std::make_unique<Circuit>(dt_ms, seed, std::move(all));
}

inline std::size_t count_of(const std::vector<std::vector<double>>& trains) {
    std::size_t count = 0;
    for (const auto& train : trains) count += train.size();
    return count;
}

}  // namespace ydot::test
