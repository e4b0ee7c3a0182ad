// What every unit, source and rule that a description can name has to obey.
#include <catch2/catch.hpp>

#include "app/registry.hpp"
#include "neurons/list.hpp"
#include "plasticity/list.hpp"
#include "sim/error.hpp"
#include "tests/support/network.hpp"
#include "tests/support/pairs.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

std::vector<ModelInfo> models_of(std::initializer_list<std::string> kinds) {
    std::vector<ModelInfo> chosen;
    for (auto& model : app::all_models())
        if (std::find(kinds.begin(), kinds.end(), model.kind) != kinds.end()) chosen.push_back(model);
    return chosen;
}
bool has(const ModelInfo& model, const std::string& key) {
    return std::any_of(model.parameters.begin(), model.parameters.end(), [&](const auto& p) { return p.key == key; });
}

PopulationSpec spec_of(const ModelInfo& model, std::int64_t size) {
    PopulationSpec spec;
    spec.name = "units";
    spec.model = model.name;
    spec.size = size;
    return spec;
}
/// Every model takes a step of 0.1 ms.
RunSpec run_of(Propagator propagator = Propagator::grid) {
    RunSpec run;
    run.dt_ms = 0.1;
    run.propagator = propagator;
    return run;
}
/// Parameters at which the model rests when nothing arrives and nothing is shown.
PopulationSpec resting(const ModelInfo& model) {
    auto spec = spec_of(model, 100);
    if (has(model, "phi")) spec.parameters["phi"] = {std::string("hard_sigmoid"), {}};
    for (const auto& p : model.parameters)
        if (p.key == "rate_Hz" && p.range.contains(0)) spec.parameters["rate_Hz"] = {0.0, {}};
    if (has(model, "rates_Hz")) spec.parameters["rates_Hz"] = {std::vector<double>{0}, {}};
    return spec;
}
/// Parameters at which it fires.
PopulationSpec firing(const ModelInfo& model) {
    auto spec = spec_of(model, 100);
    if (has(model, "i_e_pA")) spec.parameters["i_e_pA"] = {model.name == "adex" ? 900.0 : 500.0, {}};
    if (has(model, "i_e")) spec.parameters["i_e"] = {10.0, {}};
    if (has(model, "units")) {
        spec.parameters["times_ms"] = {std::vector<double>{3, 7.5, 100}, {}};
        spec.parameters["units"] = {std::vector<double>{0, 99, 5}, {}};
    }
    return spec;
}

template <class F>
std::string refusal(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::bad_input);
        return error.what();
    }
    return "";
}

/// Runs f(description of the case, function that makes the population) for every model in every propagator that it has.
template <class F>
void for_every_population(PopulationSpec (*choose)(const ModelInfo&), F&& f) {
    for (const auto& model : models_of({"neuron", "source"}))
        for (const auto propagator : {Propagator::grid, Propagator::continuous}) {
            const auto run = run_of(propagator);
            const auto spec = choose(model);
            if (const auto refused = refusal([&] { app::make_population(spec, run); }); !refused.empty()) {
                CHECK(propagator == Propagator::continuous);
                CHECK(refused.find("continuous-time") != std::string::npos);
                continue;
            }
            INFO(model.name << (propagator == Propagator::grid ? " on the grid" : " in continuous time"));
            f([&] { return circuit_of(run.dt_ms, 3, app::make_population(spec, run)); });
        }
}

SpikeTimes run_shown(Circuit& circuit, float shown, double duration_ms, std::uint32_t trial = 0) {
    Replica replica(circuit);
    replica.set_stimulus(0, std::vector<float>(circuit.population(0).size(), shown));
    replica.reset(trial);
    SpikeTimesLog log(circuit);
    replica.set_observer(&log);
    replica.run(static_cast<Step>(duration_ms / circuit.dt_ms()));
    return log.times;
}

/// A value that the parameter must refuse, if there is one.
std::vector<Value> bad_values(const ParameterInfo& p) {
    std::vector<Value> bad;
    const bool real = std::holds_alternative<double>(p.default_value), integer = std::holds_alternative<std::int64_t>(p.default_value),
               list = std::holds_alternative<std::vector<double>>(p.default_value);
    const auto add = [&](double x) {
        if (real) bad.emplace_back(x);
        if (integer) bad.emplace_back(static_cast<std::int64_t>(x));
        if (list) bad.emplace_back(std::vector<double>{x});
    };
    if (std::isfinite(p.range.low)) add(p.range.low - 1);
    if (p.range.low_open) add(p.range.low);
    if (std::isfinite(p.range.high)) add(p.range.high + 1);
    if (real) bad.insert(bad.end(), {std::nan(""), std::numeric_limits<double>::infinity(), std::string("many")});
    if (!p.choices.empty()) bad.insert(bad.end(), {std::string("no such choice"), 1.0});
    if (std::holds_alternative<std::string>(p.default_value)) bad.emplace_back(1.5);
    return bad;
}

}  // namespace

TEST_CASE("Every model and rule says what it is and has defaults that it accepts", "[contract]") {
    const auto models = models_of({"neuron", "source", "rule"});
    CHECK(models.size() >= 19);
    for (const auto& model : models) {
        INFO(model.name);
        CHECK(!model.summary.empty());
        CHECK(!model.reference.empty());
        std::vector<std::string> keys;
        for (const auto& p : model.parameters) {
            INFO(p.key);
            CHECK(!p.doc.empty());
            CHECK(std::find(keys.begin(), keys.end(), p.key) == keys.end());
            keys.push_back(p.key);
            if (const auto* x = std::get_if<double>(&p.default_value)) CHECK(p.range.contains(*x));
            if (!p.choices.empty())
                CHECK(std::find(p.choices.begin(), p.choices.end(), std::get<std::string>(p.default_value)) != p.choices.end());
        }
    }
}

TEST_CASE("Every model refuses unknown and impossible parameters and says where", "[contract]") {
    for (const auto& model : models_of({"neuron", "source"})) {
        INFO(model.name);
        const auto refused = [&](const std::string& key, const Value& value) {
            auto spec = spec_of(model, 10);
            spec.parameters[key] = {value, {"net.toml", 3, 7}};
            return refusal([&] { app::make_population(spec, run_of()); });
        };
        CHECK(refused("no_such_key", 1.0).find("net.toml:3:7: populations.units.no_such_key") == 0);
        for (const auto& p : model.parameters)
            for (const auto& bad : bad_values(p)) {
                INFO(p.key << " = " << to_text(bad));
                CHECK(refused(p.key, bad).find("net.toml:3:7: populations.units." + p.key) == 0);
            }
    }
    CHECK(refusal([] {
              app::make_population(
                  {.name = "x", .model = "poison", .propagator = {}, .parameters = {}, .spread = {}, .rate = {}, .source = {}}, {});
          }).find("did you mean poisson?") != std::string::npos);
}

TEST_CASE("Every rule refuses unknown and impossible parameters and says where", "[contract]") {
    for (const auto& model : models_of({"rule"})) {
        INFO(model.name);
        const auto refused = [&](const std::string& key, const Value& value) {
            PlasticitySpec spec;
            spec.rule = model.name;
            spec.parameters[key] = {value, {"net.toml", 3, 7}};
            return refusal([&] { app::make_rule(spec, "projections.p.plasticity", {}); });
        };
        CHECK(refused("no_such_key", 1.0).find("net.toml:3:7: projections.p.plasticity.no_such_key") == 0);
        for (const auto& p : model.parameters)
            for (const auto& bad : bad_values(p)) {
                INFO(p.key << " = " << to_text(bad));
                CHECK(refused(p.key, bad).find("net.toml:3:7: projections.p.plasticity." + p.key) == 0);
            }
    }
}

TEST_CASE("Every model rests without input", "[contract]") {
    for_every_population(resting, [](auto&& make) { CHECK(count_of(run_shown(*make(), 0, 500)[0]) == 0); });
}

TEST_CASE("Every model fires when it should, the same each time and again after a reset", "[contract]") {
    for_every_population(firing, [](auto&& make) {
        const auto circuit = make();
        const auto first = run_shown(*circuit, 0.5f, 200);
        CHECK(count_of(first[0]) > 0);
        CHECK((run_shown(*make(), 0.5f, 200) == first));

        Replica replica(*circuit);
        replica.set_stimulus(0, std::vector<float>(100, 0.5f));
        replica.reset(7);
        replica.run(83);
        replica.reset(0);
        SpikeTimesLog log(*circuit);
        replica.set_observer(&log);
        replica.run(2000);
        CHECK((log.times == first));
    });
}

TEST_CASE("Every model with a membrane fires with parameters that differ from unit to unit, and adaptively when it can", "[contract]") {
    for (const auto& model : models_of({"neuron"})) {
        if (!has(model, "v_0_above_rest_mV")) continue;
        INFO(model.name);
        auto spec = firing(model);
        const std::string current = has(model, "i_e") ? "i_e" : "i_e_pA";
        const double mean = std::get<double>(spec.parameters[current].value);
        const auto common = run_shown(*circuit_of(0.1, 3, app::make_population(spec, run_of())), 0, 100)[0];
        spec.spread[current] = {.distribution = Distribution::uniform, .low = 0.9 * mean, .high = 1.2 * mean};
        const auto mixed = run_shown(*circuit_of(0.1, 3, app::make_population(spec, run_of())), 0, 100)[0];
        CHECK(count_of(mixed) > 0);
        CHECK(std::any_of(mixed.begin(), mixed.end(), [&](const auto& train) { return train != mixed[0]; }));

        spec.spread.clear();
        spec.spread["v_0_above_rest_mV"] = {.distribution = Distribution::uniform, .low = 0, .high = 5};  // at the start alone
        const auto started = run_shown(*circuit_of(0.1, 3, app::make_population(spec, run_of())), 0, 100)[0];
        CHECK(std::any_of(started.begin(), started.end(), [&](const auto& train) { return train != started[0]; }));
        if (!has(model, "integrator")) continue;
        spec.spread.clear();
        spec.parameters["integrator"] = {std::string("adaptive"), {}};
        const auto reference = run_shown(*circuit_of(0.1, 3, app::make_population(spec, run_of())), 0, 100)[0];
        CHECK(std::abs(static_cast<double>(reference[0].size()) - static_cast<double>(common[0].size())) <= 1);
    }
}

TEST_CASE("A part of a population does what it does in the whole", "[contract]") {
    // shards: the same units in populations of two sizes, one of them of several shards; softmax and image slots apart
    for_every_population(firing, [](auto&& make) {
        const auto circuit = make();
        const auto& population = circuit->population(0);
        if (population.coupled() || population.continuous()) return;
        CHECK(circuit->shards_of(0).size() == 1);
    });
    for (const auto& model : models_of({"neuron", "source"})) {
        auto small = firing(model), large = firing(model);
        small.size = 4096;
        large.size = 9000;
        const auto a = run_shown(*circuit_of(0.1, 3, app::make_population(small, run_of())), 0.5f, 30),
                   b = run_shown(*circuit_of(0.1, 3, app::make_population(large, run_of())), 0.5f, 30);
        INFO(model.name);
        CHECK(std::equal(a[0].begin(), a[0].end(), b[0].begin()));
    }
}

TEST_CASE("Every rule changes nothing without spikes of both sides", "[contract]") {
    for (const auto& model : models_of({"rule"})) {
        const bool acts_alone = model.name == "homeostatic_inhibition";  // a pre spike alone says that the post unit is too slow
        PlasticitySpec spec;
        spec.rule = model.name;
        auto plasticity = plasticity_of({}, 5);
        plasticity.rule = app::make_rule(spec, "plasticity", {});
        if (plasticity.rule->eligibility()) plasticity.third_factor = 0;  // the pre units reward
        for (const bool fires_pre : {false, true})
            for (const bool fires_post : {false, true}) {
                Script pre, post;
                for (Step n = 1; n < 80; n += 6) {
                    if (fires_pre) pre.emplace_back(n, static_cast<std::uint32_t>(n % 5));
                    if (fires_post) post.emplace_back(n + 3, static_cast<std::uint32_t>(n % 4));
                }
                const auto circuit =
                    circuit_of(1, 1, std::make_unique<const Scripted>("pre", 5, pre), std::make_unique<const Scripted>("post", 4, post));
                circuit->connect("line", 0, 1,
                                 every_pair(
                                     5, 4, [](auto, auto) { return 0.5; }, [](auto, auto) { return 1; }),
                                 DelaySite::axonal);
                circuit->projections()[0].plasticity = plasticity;
                Replica replica(*circuit);
                replica.learn_online();
                replica.run(100);
                const auto w = weights_of(circuit->projections()[0]);
                INFO(model.name << ' ' << fires_pre << fires_post);
                CHECK(std::all_of(w.begin(), w.end(), [](float x) { return x == 0.5f; }) == !(fires_pre && (fires_post || acts_alone)));
            }
    }
}

TEST_CASE("Every additive rule changes weights as its window says and the antisymmetric ones antisymmetrically", "[contract]") {
    for (const auto& model : models_of({"rule"})) {
        PlasticitySpec spec;
        spec.rule = model.name;
        const auto rule = app::make_rule(spec, "plasticity", {});
        if (!rule->additive()) continue;  // tests/plasticity/rules_test.cpp
        const auto window = rule->window();
        const auto change = [&](Step lag) {
            auto plasticity = plasticity_of({}, 1);
            plasticity.rule = rule;
            const auto circuit = circuit_of(1, 1, std::make_unique<const Scripted>("pre", 1, Script{{49, 0}}),
                                            std::make_unique<const Scripted>("post", 1, Script{{50 + lag, 0}}));
            circuit->connect("line", 0, 1, one_synapse(0, 1), DelaySite::axonal);
            circuit->projections()[0].plasticity = plasticity;
            Replica replica(*circuit);
            replica.learn_online();
            replica.run(100);
            return static_cast<double>(weights_of(circuit->projections()[0])[0]);
        };
        INFO(model.name);
        for (const Step lag : {0, 1, 2, 10, 40}) {
            CHECK(change(lag) == Approx(pair_sum(window, 1, {50}, {50 + lag})).epsilon(1e-5).margin(1e-9));
            CHECK(change(-lag) == Approx(pair_sum(window, 1, {50}, {50 - lag})).epsilon(1e-5).margin(1e-9));
            if (model.name == "derivative" || model.name == "recirculation")
                CHECK(change(lag) == Approx(-change(-lag)).epsilon(1e-5).margin(1e-9));
        }
    }
}
