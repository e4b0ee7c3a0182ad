#include "sim/labels.hpp"

#include "sim/random.hpp"

namespace ydot {

std::size_t shown_label(TargetLabel target, std::size_t label, std::size_t labels, std::span<const double> liking, std::uint64_t seed,
                        std::uint32_t trial) {
    if (target == TargetLabel::label) return label;
    Draws draws(seed, stream_of("schedule", Purpose::target), 0, trial);  // one wrong label a presentation
    if (target == TargetLabel::hard) {
        double others = 0;
        for (std::size_t c = 0; c < liking.size(); ++c) others += c == label ? 0 : liking[c];
        double left = draws.uniform() * others;
        for (std::size_t c = 0; c < liking.size(); ++c)
            if (c != label && (left -= liking[c]) < 0) return c;
    }
    const auto other = draws.below(static_cast<std::uint32_t>(labels) - 1);
    return other < label ? other : other + std::size_t{1};
}

}  // namespace ydot
