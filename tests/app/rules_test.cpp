// Rules and short-term plasticity as a description names them.
#include <catch2/catch.hpp>

#include "app/build.hpp"
#include "app/registry.hpp"
#include "app/toml_io.hpp"
#include "sim/error.hpp"
#include "tests/support/network.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

const std::string network = R"(
[populations.a]
model = "poisson_source"
size = 20
[populations.b]
model = "poisson"
size = 30
phi = "hard_sigmoid"
[projections.p]
from = "a"
to = "b"
weight = 0.5
)";

std::string refusal(const std::string& text) {
    try {
        app::build_circuit(app::parse_description(text, "test.toml"));
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}
bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("The third factor of a rule is a population by name") {
    const auto text = network + "[projections.p.plasticity]\nrule = \"reward_stdp\"\n";
    CHECK(mentions(refusal(text), "projections.p.plasticity.reward"));
    CHECK(mentions(refusal(text + "reward = \"c\"\n"), "no population is named \"c\""));
    CHECK(mentions(refusal(text + "reward = \"a\"\ndecay = 0.1\n"), "decay = 0"));
    const auto circuit = app::build_circuit(app::parse_description(text + "reward = \"a\"\n", "test.toml"));
    CHECK(circuit->projections()[0].plasticity->third_factor == std::size_t{0});
}

TEST_CASE("Rules refuse weights that they are not defined for") {
    const auto with = [](const std::string& rule, const std::string& weight) {
        auto text = network + "[projections.p.plasticity]\nrule = \"" + rule + "\"\n";
        return refusal(text.replace(text.find("0.5"), 3, weight));
    };
    for (const auto* rule : {"stdp_power_law", "stdp_multiplicative"}) {
        CHECK(with(rule, "0.5").empty());
        CHECK(mentions(with(rule, "-0.5"), "projections.p.weight"));
    }
    CHECK(mentions(with("stdp_multiplicative", "1.5"), "from 0 to 1"));
    CHECK(with("stdp_triplet", "-0.5").empty());
}

TEST_CASE("A causal correction needs an additive rule") {
    const auto text = network + "[projections.p.plasticity]\nrule = \"stdp_triplet\"\ncausal_correction = \"analytic\"\n";
    CHECK(mentions(refusal(text), "needs an additive rule"));
}

TEST_CASE("Short-term plasticity is read, written, checked, and keeps a projection out of the static synapses") {
    const auto text = network + "connector = \"fixed_probability\"\nprobability = 0.3\n";
    const auto with = [&](const std::string& values) { return text + "[projections.p.short_term]\n" + values; };
    CHECK(mentions(refusal(with("U = 1.5\n")), "projections.p.short_term.U"));
    CHECK(mentions(refusal(with("tau_ms = 1.5\n")), "tau_rec_ms"));
    const auto description = app::parse_description(with("U = 0.4\ntau_rec_ms = 700.0\ntau_facil_ms = 20.0\n"), "test.toml");
    CHECK(description.projections[0].short_term == ShortTermSpec{0.4, 700, 20});
    CHECK(app::parse_description(app::write_description(description), "again.toml") == description);
    const auto circuit = app::build_circuit(description);
    CHECK(circuit->static_synapses().empty());
    CHECK(circuit->projections()[0].short_term.has_value());
    CHECK(!app::build_circuit(app::parse_description(text, "test.toml"))->projections()[0].short_term);
}
