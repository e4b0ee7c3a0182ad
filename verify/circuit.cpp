#include "verify/circuit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/run.hpp"
#include "app/toml_io.hpp"
#include "sim/error.hpp"

namespace ydot::verify {
namespace {

using app::GradientAlignment;
using app::LearningPoint;

Series series_of(const std::string& name, const std::vector<LearningPoint>& curve, std::size_t projection,
                 double GradientAlignment::*figure) {
    Series series{name, {}, {}, {}, false};
    for (const auto& point : curve) {
        series.x.push_back(point.epoch);
        series.y.push_back(point.gradient[projection].*figure);
    }
    return series;
}

Figure figure_of(const std::string& name, const std::vector<LearningPoint>& curve) {
    Panel angle{"epoch", "angle to the gradient (degrees)", false, false, {}},
        ratio{"epoch", "norm of the change / of the gradient", false, true, {}}, sign{"epoch", "share of right signs", false, false, {}};
    for (std::size_t p = 0; p < curve[0].gradient.size(); ++p) {
        const auto& projection = curve[0].gradient[p].projection;
        angle.series.push_back(series_of(projection, curve, p, &GradientAlignment::angle_degrees));
        for (const auto& point : curve) angle.series.back().error.push_back(point.gradient[p].angle_error_degrees);
        angle.series.push_back(series_of(projection + ", mean field", curve, p, &GradientAlignment::mean_field_angle_degrees));
        angle.series.back().line = true;
        ratio.series.push_back(series_of(projection, curve, p, &GradientAlignment::norm_ratio));
        sign.series.push_back(series_of(projection, curve, p, &GradientAlignment::sign_agreement));
    }
    return {
        "gradient_angle_" + name, "What plasticity does in " + name + " beside the exact gradient, over training.", {angle, ratio, sign}};
}

Measurement angle_of(const std::string& what, const GradientAlignment& g, bool learned, std::size_t trials, std::size_t comparisons) {
    const Moments angle{g.angle_degrees, g.angle_error_degrees * g.angle_error_degrees * static_cast<double>(trials), trials};
    if (learned)
        return surely_at_most(what + ": angle to the gradient", "degrees", angle, 90, comparisons,
                              "the trained network changes its weights downhill: below a right angle by more than luck can make it");
    auto measured =
        shown(what + ": angle to the gradient", "degrees", angle.mean, "noise-free estimate, error by jackknife over presentations");
    measured.standard_error = g.angle_error_degrees;
    return measured;
}

void require_schedule(const Description& description) {
    if (!description.schedule.phases.empty()) return;
    const Error error("schedule.phases", "is missing: without a schedule nothing is learned from images and there is no gradient to follow",
                      {});
    throw app::located(error, description);
}

}  // namespace

void check_description(Description description) {
    require_schedule(description);
    description.metrics.gradient_angle = true;
    app::dry_run(description);
}

CheckResult verify_circuit(Description description, const std::string& name, const Context& context) {
    require_schedule(description);
    description.metrics.gradient_angle = true;
    if (context.quick) description.schedule.epochs = 0;
    const auto run = app::run(description);
    CheckResult result;
    for (const auto& point : run.curve)
        for (const auto& g : point.gradient) {
            const auto what = fmt::format("epoch {:.3g}, {}", point.epoch, g.projection);
            const bool learned = &point == &run.curve.back() && point.epoch > 0;
            result.measurements.push_back(
                angle_of(what, g, learned, static_cast<std::size_t>(description.metrics.gradient_trials), point.gradient.size()));
            result.measurements.push_back(shown(what + ": the same in the mean field", "degrees", g.mean_field_angle_degrees,
                                                "rate reading in time: no noise, no causal term"));
            result.measurements.push_back(
                shown(what + ": norm over the gradient's", "1", g.norm_ratio, "learning rate included, momentum not"));
            result.measurements.push_back(shown(what + ": right signs", "1", g.sign_agreement, "of the measured mean change"));
        }
    if (!run.curve.empty() && !run.curve[0].gradient.empty()) result.figures.push_back(figure_of(name, run.curve));
    return result;
}

const Check circuit{"circuit", "FILE", "Plasticity of a user's circuit follows the exact gradient",
                    R"(
At every point of the learning curve, training images are shown with all phases of the schedule and the changes that plasticity would
make are compared with minus the exact gradient of the loss, at the settled state of the rate reading with the projections that conduct
in the read-out phase. The angle is that of the expected change: an estimate from several presentations of each image that the Poisson
noise does not bias. The mean field, the rate reading in time, says how much of it noise and the causal term of law L3 are not to blame
for.
)",
                    nullptr};

}  // namespace ydot::verify
