// What is shown while learning.
#include "app/training.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

using namespace ydot;

namespace {

/// Learns nothing and writes down what it sees.
class Witness final : public Learner {
public:
    struct Seen {
        std::vector<std::uint8_t> image;
        std::uint8_t label;
        std::uint32_t trial;
        bool operator==(const Seen&) const = default;
    };
    std::vector<Seen> learned, tested;

    void begin_stage(std::size_t) override {}
    std::vector<Answer> learn(std::span<const Presentation> batch, double) override { return write_down(batch, learned); }
    std::vector<std::vector<double>> measure(std::span<const Presentation>) override { return {}; }
    std::vector<Answer> test(std::span<const Presentation> images) override { return write_down(images, tested); }
    void update_circuit() override {}
    std::vector<std::vector<float>> state() const override { return {}; }
    void restore(const std::vector<std::vector<float>>&) override {}

private:
    static std::vector<Answer> write_down(std::span<const Presentation> shown, std::vector<Seen>& list) {
        std::vector<Answer> answers;
        for (const auto& p : shown) {
            list.push_back({{p.image.begin(), p.image.end()}, p.label, p.trial});
            answers.push_back({.label = p.label, .answer = p.label});
        }
        return answers;
    }
};

struct Shown {
    data::Split images = data::drawn_digits(300, 20, 20, 4);
    Witness witness;
    Shown(std::int64_t jitter_pixels, double label_noise) {
        Description description;
        description.schedule.minibatch = 32;
        description.schedule.evaluations = 2;
        description.data.jitter_pixels = jitter_pixels;
        description.data.label_noise = label_noise;
        const std::vector<Stage> stages{{"", {}, 4.0}};
        app::Training training(description, stages, witness, images, nullptr,
                               {[](const auto&) {}, [](const auto&) {}, [] { return false; }});
        REQUIRE(training.learn());
        training.test("", "testing");
    }
};

}  // namespace

TEST_CASE("Jitter moves training images, every time anew, and no other", "[contract]") {
    const Shown plain(0, 0), jittered(2, 0);
    REQUIRE(plain.witness.learned.size() == 1200);
    REQUIRE(jittered.witness.learned.size() == 1200);
    CHECK((jittered.witness.tested == plain.witness.tested));
    std::set<std::pair<int, int>> moves;
    std::vector<std::uint8_t> moved(28 * 28);
    for (std::size_t k = 0; k < 1200; ++k) {
        const auto &from = plain.witness.learned[k], &to = jittered.witness.learned[k];
        CHECK((to.label == from.label && to.trial == from.trial));
        std::set<std::pair<int, int>> found;
        for (int x = -2; x <= 2; ++x)
            for (int y = -2; y <= 2; ++y) {
                data::shift_image(from.image, 28, x, y, moved);
                if (moved == to.image) found.insert({x, y});
            }
        REQUIRE(!found.empty());
        moves.merge(found);
    }
    CHECK(moves.size() == 25);
}

TEST_CASE("Label noise draws labels from those of the training set", "[statistical]") {
    const Shown plain(0, 0), noisy(0, 0.5);
    CHECK((noisy.witness.tested == plain.witness.tested));
    std::vector<double> share(10);
    for (const auto label : plain.images.train.labels) share[label] += 1.0 / 300;
    double kept = 0;  // a drawn label may be the right one
    for (const double s : share) kept += s * s;
    double other = 0;
    for (std::size_t k = 0; k < 1200; ++k) {
        CHECK((noisy.witness.learned[k].image == plain.witness.learned[k].image));
        other += noisy.witness.learned[k].label != plain.witness.learned[k].label;
    }
    const double p = 0.5 * (1 - kept);
    CHECK(std::abs(other / 1200 - p) <= 4 * std::sqrt(p * (1 - p) / 1200));
}
