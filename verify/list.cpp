#include "verify/list.hpp"

#include <array>

namespace ydot::verify {

std::span<const Check* const> checks() {
    static constexpr std::array<const Check*, 13> all{&pairing,
                                                      &bode,
                                                      &ramps,
                                                      &gates,
                                                      &causal,  //
                                                      &gradient,
                                                      &nudge,
                                                      &trials,
                                                      &contrastive_divergence,  //
                                                      &poisson,
                                                      &time_step,
                                                      &exact_integration,
                                                      &brunel};
    return all;
}

const Check& find_check(const std::string& name) {
    std::vector<std::string> known;
    for (const auto* check : checks()) {
        if (check->name == name || check->law == name) return *check;
        known.emplace_back(check->name);
        known.emplace_back(check->law);
    }
    std::string list;
    for (const auto* check : checks()) list += (list.empty() ? "" : ", ") + std::string(check->name);
    const auto near = suggestion(name, known);  // of names and laws; the list is of names
    throw Error(name, "is no check and no file" + (near.empty() ? "." : near) + " Known: all, " + list, {});
}

}  // namespace ydot::verify
