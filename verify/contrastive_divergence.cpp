#include <cmath>

#include "sim/alignment.hpp"
#include "sim/rate_network.hpp"
#include "verify/list.hpp"

namespace ydot::verify {
namespace {

using Network = RateNetwork<double>;
using Matrix = Network::Matrix;
enum : std::size_t { data, hidden, reconstruction, hidden_again };  // populations
enum : std::size_t { encoder, decoder, encoder_again };             // projections

/// The chain v0 -> h0 -> v1 -> h1. The decoder gets the transpose of the encoder's weights, the second encoder the same weights.
constexpr std::string_view chain = R"(
[populations.data]
model = "image_source"
size = 12
[populations.hidden]
model = "poisson"
size = 8
phi = "logistic"
[populations.reconstruction]
model = "poisson"
size = 12
phi = "logistic"
[populations.hidden_again]
model = "poisson"
size = 8
phi = "logistic"
[projections.encoder]
from = "data"
to = "hidden"
weight = {distribution = "normal", std = 3.0, fan_in = true}
[projections.decoder]
from = "hidden"
to = "reconstruction"
weight = 0.0
[projections.encoder_again]
from = "reconstruction"
to = "hidden_again"
weight = 0.0
)";

/// One presentation of the chain in which the reconstruction moves only a fraction s of the way from the data.
struct Terms {
    Matrix v0, h0, dv, dh;
    std::vector<double> encoder_gradient, decoder_gradient;  ///< of the cross-entropy of the reconstruction, hidden x visible each
};

std::vector<double> flat(const Matrix& hidden_by_visible) {
    // The order of encoder synapses: by source (visible), then target (hidden), which is how Eigen stores hidden x visible.
    return {hidden_by_visible.data(), hidden_by_visible.data() + hidden_by_visible.size()};
}
/// Decoder synapses run by source (hidden), then target (visible).
std::vector<double> transposed(const std::vector<double>& decoder_order, Eigen::Index visible, Eigen::Index units) {
    return flat(Eigen::Map<const Matrix>(decoder_order.data(), visible, units).transpose());
}

Terms measure(const Context& context, double fraction) {
    const auto circuit = context.build(chain);
    Network network(*circuit);
    const auto n_visible = static_cast<Eigen::Index>(circuit->population(data).size()),
               n_hidden = static_cast<Eigen::Index>(circuit->population(hidden).size());
    std::vector<double> weights;  // of the encoder, by source and target
    circuit->projections()[encoder].blocks[0].for_each([&](auto, auto, auto, float w) { weights.push_back(static_cast<double>(w)); });
    network.change_weights(encoder_again, weights);
    network.change_weights(decoder, flat(Eigen::Map<const Matrix>(weights.data(), n_hidden, n_visible).transpose()));

    auto drive = network.no_drive();
    Draws draws(context.seed, stream_of("verify.contrastive_divergence", Purpose::image));
    drive.stimulus[data].resize(n_visible, 1);
    for (double& x : drive.stimulus[data].reshaped()) x = draws.uniform(0.05, 0.95);
    drive.stimulus[reconstruction] = drive.stimulus[data];
    drive.nudge[reconstruction] = 1 - fraction;
    const auto state = network.settle(drive, 0);

    Terms terms{state.activity[data],
                state.activity[hidden],
                state.activity[reconstruction] - state.activity[data],
                state.activity[hidden_again] - state.activity[hidden],
                {},
                {}};
    drive.nudge[reconstruction] = 0;
    const auto free = network.settle(drive, 0);
    const auto slope = network.loss_slope(Loss::binary_cross_entropy, free.activity[reconstruction], drive.stimulus[data]);
    const auto adjoint = network.adjoint(drive, free, reconstruction, slope, 0);
    terms.encoder_gradient = network.weight_gradient(encoder, adjoint, free);
    terms.decoder_gradient = transposed(network.weight_gradient(decoder, adjoint, free), n_visible, n_hidden);
    return terms;
}

double largest(const std::vector<double>& x) {
    return std::abs(*std::max_element(x.begin(), x.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
}

/// Largest entry of |a / s + b| over the largest of |b|.
double deviation(const Matrix& a, double s, const std::vector<double>& b) {
    auto x = flat(a);
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = x[k] / s + b[k];
    return largest(x) / largest(b);
}

CheckResult run(const Context& context) {
    CheckResult result;
    std::vector<double> fraction, encoder_deviation, second_order;
    double identity = 0, decoder_deviation = 0;
    for (int k = 0; k <= 12; ++k) {
        const double s = std::ldexp(1.0, -k);
        const auto t = measure(context, s);
        const Matrix v1 = t.v0 + t.dv, h1 = t.h0 + t.dh;
        const Matrix statistics = t.h0 * t.v0.transpose() - h1 * v1.transpose(),
                     terms = -t.dh * t.v0.transpose() - t.h0 * t.dv.transpose() - t.dh * t.dv.transpose();
        identity = std::max(identity, (statistics - terms).cwiseAbs().maxCoeff());
        decoder_deviation = std::max(decoder_deviation, deviation(-t.h0 * t.dv.transpose(), s, t.decoder_gradient) * s);
        fraction.push_back(s);
        encoder_deviation.push_back(deviation(-t.dh * t.v0.transpose(), s, t.encoder_gradient));
        second_order.push_back(largest(flat(t.dh * t.dv.transpose())) / s / largest(t.encoder_gradient));
    }
    const auto check_order = [&](const std::string& what, const std::vector<double>& y) {
        result.measurements.push_back(first_order(what + ": order in s", y));
        result.measurements.push_back(shown(what + " at s = 1", "1", y[0], "the full CD-1 update"));
    };
    result.measurements.push_back(
        at_most("statistics minus the three terms", "1", identity, 1e-15, "rounding of products of numbers below 1, three to a sum"));
    result.measurements.push_back(at_most("-h dv minus the decoder's gradient", "1", decoder_deviation, 1e-14,
                                          "rounding: dv is the difference of two numbers below 1, over gradients of about 0.1"));
    check_order("-v dh minus the encoder's gradient", encoder_deviation);
    check_order("-dv dh", second_order);
    result.figures.push_back({"contrastive_divergence",
                              "What contrastive divergence adds to backpropagation through the autoencoder, relative to the gradient, "
                              "against the step s of the reconstruction.",
                              {{"step s",
                                "largest entry over the gradient's",
                                true,
                                true,
                                {{"-v dh minus the encoder's gradient", fraction, encoder_deviation, {}, false},
                                 {"second-order term -dv dh", fraction, second_order, {}, false}}}}});
    return result;
}

}  // namespace

const Check contrastive_divergence{
    "contrastive_divergence", "V8", "Contrastive divergence is backpropagation through the autoencoder plus a second-order term",
    R"(CD-1 changes a weight by $\langle v h\rangle_0 - \langle v h\rangle_1$. With $\Delta v = v_1 - v_0$ and $\Delta h = h_1 - h_0$ this
is

$$v_0 h_0 - v_1 h_1 = -\,v_0\,\Delta h \;-\; h_0\,\Delta v \;-\; \Delta v\,\Delta h .$$

Let the reconstruction go a step $s$ of the way, $v_1 = v_0 + s\,(\sigma(W^\top h_0) - v_0)$. The second term is $-s$ times the gradient of
the cross-entropy of the reconstruction through the decoder, at any $s$; the first tends to that through the encoder, and the third is of
second order (Hinton 2007). Gradients come from the adjoint equations of check V1, in mean-field activities.)",
    run};

}  // namespace ydot::verify
