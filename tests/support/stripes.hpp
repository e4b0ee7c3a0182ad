#pragma once
#include <string>
#include <vector>

#include "app/build.hpp"
#include "app/toml_io.hpp"
#include "sim/trainer.hpp"

namespace ydot::test {

/// Noisy images of 16 pixels: of class 0 the first half is bright, of class 1 the second.
struct Stripes {
    std::vector<std::vector<std::uint8_t>> images;
    std::vector<std::uint8_t> labels;
    explicit Stripes(std::uint32_t count, std::uint32_t key = 0) {
        Draws draws(13, stream_of("stripes", Purpose::image), key);
        for (std::uint32_t k = 0; k < count; ++k) {
            const auto label = static_cast<std::uint8_t>(draws.below(2));
            std::vector<std::uint8_t> image;
            for (std::uint32_t pixel = 0; pixel < 16; ++pixel)
                image.push_back(static_cast<std::uint8_t>((pixel / 8 == label ? 170 : 0) + draws.below(80)));
            images.push_back(image);
            labels.push_back(label);
        }
    }
    std::vector<Presentation> presentations(std::size_t from, std::size_t count, std::uint32_t first_trial = 1) const {
        std::vector<Presentation> shown;
        for (std::size_t k = from; k < from + count; ++k)
            shown.push_back({images[k % images.size()], labels[k % images.size()], first_trial + static_cast<std::uint32_t>(k)});
        return shown;
    }
};

/// A loop of two layers that learns the stripes; `extra` goes to the end.
inline std::string stripes_network(const std::string& extra = {}) {
    return R"(
[populations.input]
model = "image_source"
size = 16
rate_Hz = 200.0
[populations.hidden]
model = "poisson"
size = 40
phi = "hard_sigmoid"
lambda_max_Hz = 500.0
grid_probability = "linear"
tau_syn_ms = 5.0
[populations.top]
model = "poisson"
size = 2
phi = "softmax"
lambda_max_Hz = 500.0
grid_probability = "linear"
tau_syn_ms = 5.0
[projections.up]
from = "input"
to = "hidden"
connector = "fixed_probability"
probability = 0.7
weight = {distribution = "normal", std = 1.0, fan_in = true}
[projections.up.plasticity]
rule = "derivative"
tau_ms = 20.0
gate = "pre"
learning_rate = 2e-4
momentum = 0.5
decay = 0.0001
[projections.read]
from = "hidden"
to = "top"
weight = {distribution = "normal", std = 0.3, fan_in = true}
[projections.read.plasticity]
rule = "derivative"
tau_ms = 20.0
gate = "pre"
causal_correction = "analytic"
learning_rate = 2e-4
w_min = -3.0
w_max = 3.0
[projections.sparse]
from = "hidden"
to = "hidden"
connector = "fixed_probability"
probability = 0.1
weight = {distribution = "normal", std = 0.1, fan_in = true}
delay_ms = {distribution = "uniform", low = 1.0, high = 5.0}
[projections.sparse.plasticity]
rule = "stdp"
gate = "later"
learning_rate = 1e-3
[projections.back]
from = "top"
to = "hidden"
connector = "transpose"
of = "read"
[schedule]
input = "input"
readout = "top"
[[schedule.phases]]
name = "settle"
duration_ms = 15.0
paired = false
[[schedule.phases]]
name = "predict"
duration_ms = 20.0
readout = true
stop_above = 0.8
[[schedule.phases]]
name = "first"
duration_ms = 20.0
learns = ["*"]
[[schedule.phases]]
name = "second"
duration_ms = 20.0
learns = ["*"]
clamps = ["top"]
[[schedule.phases]]
name = "rest"
duration_ms = 20.0
clamps = ["top"]
)" + extra;
}

struct Experiment {
    Description description;
    std::unique_ptr<Circuit> circuit;
    Trainer trainer;
    explicit Experiment(const std::string& text, std::vector<std::string> overrides = {})
        : description(app::parse_description(text, "test.toml", overrides)),
          circuit(app::build_circuit(description)),
          trainer(*circuit, app::build_schedule(description, *circuit, 16, 2)) {}
    std::vector<std::vector<float>> weights() const {
        std::vector<std::vector<float>> all;
        for (const auto& p : circuit->projections())
            for (const auto& b : p.blocks) all.emplace_back(b.weights().begin(), b.weights().end());
        return all;
    }
};

}  // namespace ydot::test
