#pragma once
#include <string>
#include <vector>

#include "sim/rate_network.hpp"
#include "sim/trainer.hpp"
#include "verify/check.hpp"

namespace ydot::verify {

/// The circuit of checks V2 and V3: 20 inputs, 15 hidden units, 10 at the top, in two top-down passes (system S3). Projections: up, read,
/// back.
inline constexpr std::size_t up = 0, read_out = 1, back = 2;
/// Populations.
inline constexpr std::size_t input = 0, hidden = 1, top = 2;
extern const std::string_view two_pass_circuit;

/// The layers that learn, by their incoming projection.
struct Layer {
    std::size_t projection;
    std::string name;
};
inline const std::vector<Layer> layers{{up, "hidden layer"}, {read_out, "top layer"}};

/// One image and its label, drawn from the seed.
struct Pattern {
    std::vector<std::uint8_t> image;
    std::uint8_t label;
    explicit Pattern(std::uint64_t seed);
    Presentation presentation(std::uint32_t trial) const { return {image, label, trial}; }
};

/// The rate reading of that circuit with that pattern.
class TwoPass {
public:
    TwoPass(const Circuit& circuit, const Pattern& pattern);
    /// Minus the gradient of the cross-entropy at the settled state of the loop, by synapse.
    std::vector<double> descent(std::size_t projection) const { return descent(projection, drive_); }
    /// The same for the network without feedback: plain backpropagation.
    std::vector<double> feedforward_descent(std::size_t projection) const;
    /// Change of post between the two settled passes times the mean of pre over them.
    std::vector<double> change(std::size_t projection, double nudge) const;

private:
    using Network = RateNetwork<double>;
    std::vector<double> descent(std::size_t projection, const Network::Drive&) const;
    Network::State settle(const Network::Drive&) const;
    Network network_;
    Network::Drive drive_;
};

}  // namespace ydot::verify
