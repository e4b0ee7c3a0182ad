#include "app/toml_io.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

using namespace ydot;
using namespace ydot::app;

namespace {

using Overrides = std::vector<std::string>;

constexpr std::string_view rich = R"(plots = false

[run]
dt_ms = 0.1
duration_ms = 1000
warmup_ms = 12.3
seed = 42
threads = 2
propagator = "continuous"

[populations.pixels]
model = "image"
size = 784
gain_Hz = 100

[populations.hidden]
model = "poisson"
size = 100
propagator = "grid"
slope = 2.0
shape = "sigmoid"
on = true
times_ms = [1, 2.5]
tags = ["a", "b"]
nothing = []

[populations.answer]
model = "poisson"
size = 10

[projections.up]
from = "pixels"
to = "hidden"
connector = "random"
p = 0.1
weight = {distribution = "normal", mean = 0, std = 1.4, fan_in = true}

[projections.out]
from = "hidden"
to = "answer"
delay_site = "dendritic"
weight = 0.25
delay_ms = {distribution = "uniform", low = 1, high = 2.5}

[projections.out.plasticity]
rule = "stdp"
learning_rate = 1e-3
w_min = -1
dale = true
gate = "both"
tau_plus_ms = 20.0

[schedule]
input = "pixels"
readout = "answer"
epochs = 0.5
annealing = "cosine"

[[schedule.phases]]
name = "pass1"
duration_ms = 50
readout = true

[[schedule.phases]]
name = "pass2"
duration_ms = 20.5
conducts = ["up"]
learns = ["out"]
clamps = ["answer"]
nudge = 0.5
paired = false

[data]
directory = "a \"b\" \\ c"
train = 100

[record]
populations = ["hidden", "answer"]
)";

Description parse(std::string_view text, const Overrides& overrides = {}) { return parse_description(text, "net.toml", overrides); }

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::bad_input);
        return error.what();
    }
    return "no error";
}

std::string fault(std::string_view text, const Overrides& overrides = {}) {
    return message([&] { parse(text, overrides); });
}

/// The fault of the rich description with one text replaced.
std::string fault_with(std::string_view before, std::string_view after) {
    std::string text(rich);
    const auto at = text.find(before);
    REQUIRE(at != std::string::npos);
    text.replace(at, before.size(), after);
    return message([&] { validate(parse(text)); });
}

std::string fault_set(const Overrides& overrides) {
    return message([&] { validate(parse(rich, overrides)); });
}

/// The fault of a description changed in code.
template <class F>
std::string fault_of(F&& change) {
    auto d = parse(rich);
    d.sources.clear();
    change(d);
    return message([&] { validate(d); });
}

double number(const Setting& setting) {
    if (const auto* n = std::get_if<std::int64_t>(&setting.value)) return static_cast<double>(*n);
    return std::get<double>(setting.value);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------------
// Reading

TEST_CASE("a description is read with its defaults, its own keys and those of its models") {
    const auto d = parse(rich);
    CHECK_FALSE(d.plots);
    CHECK(d.run == RunSpec{Mode{}, 0.1, 1000, 12.3, 42, 2, Propagator::continuous});
    REQUIRE(d.populations.size() == 3);
    CHECK(d.population("hidden")->propagator == "grid");
    CHECK(d.population("hidden")->parameters == Parameters{{"slope", {2.0, {}}},
                                                           {"shape", {std::string("sigmoid"), {}}},
                                                           {"on", {true, {}}},
                                                           {"times_ms", {std::vector<double>{1, 2.5}, {}}},
                                                           {"tags", {std::vector<std::string>{"a", "b"}, {}}},
                                                           {"nothing", {std::vector<double>{}, {}}}});
    CHECK(d.projection("up")->connection == Parameters{{"p", {0.1, {}}}});
    CHECK(d.projection("up")->weight == DistributionSpec{.distribution = Distribution::normal, .std = 1.4, .fan_in = true});
    CHECK(d.projection("up")->delay_ms == DistributionSpec{.mean = 1});
    CHECK(d.projection("out")->connector == "all_to_all");
    CHECK(d.projection("out")->weight == DistributionSpec{.mean = 0.25});
    CHECK(d.projection("out")->plasticity.parameters == Parameters{{"tau_plus_ms", {20.0, {}}}});
    CHECK(d.projection("out")->plasticity.w_max == std::numeric_limits<double>::infinity());
    REQUIRE(d.schedule.phases.size() == 2);
    CHECK(d.schedule.phases[0].conducts == std::vector<std::string>{"*"});
    CHECK(d.schedule.phases[1].duration_ms == 20.5);
    CHECK(d.data.directory == "a \"b\" \\ c");
    CHECK(d.data.test == 2000);
    CHECK_NOTHROW(validate(d));
}

TEST_CASE("populations and projections keep the order of the file") {
    const auto d = parse(rich);
    CHECK(d.populations[0].name == "pixels");
    CHECK(d.populations[1].name == "hidden");
    CHECK(d.populations[2].name == "answer");
    CHECK(d.projections[0].name == "up");
    CHECK(d.projections[1].name == "out");
}

TEST_CASE("every value knows where it was written") {
    const auto d = parse(rich);
    CHECK(d.sources.at("run.dt_ms").text() == "net.toml:4:9");
    CHECK(d.sources.at("schedule.phases.pass2.nudge").text() == "net.toml:70:9");
    CHECK(d.sources.at("projections.up.weight.std").text() == "net.toml:36:52");
    CHECK(d.population("pixels")->parameters.at("gain_Hz").source.text() == "net.toml:14:11");
    CHECK(d.population("hidden")->source.text() == "net.toml:16:1");
    CHECK(d.projection("up")->source.text() == "net.toml:31:1");
    CHECK(d.schedule.phases[1].source.text() == "net.toml:64:1");
}

TEST_CASE("two descriptions are equal when they say the same at different places") {
    CHECK(parse(rich) == parse("\n\n" + std::string(rich)));
    CHECK_FALSE(parse(rich) == parse(rich, {"run.seed=43"}));
}

TEST_CASE("a file is read and is named in its errors") {
    const auto file = std::filesystem::temp_directory_path() / "ydot_toml_io_test.toml";
    std::ofstream(file) << rich;
    CHECK(read_description(file) == parse(rich));
    std::ofstream(file) << "run = 3\n";
    CHECK(message([&] { read_description(file); }) == file.string() + ":1:7: run: must be a table, got 3");
    std::filesystem::remove(file);
    CHECK(message([&] { read_description(file); }) == file.string() + ": cannot read the file: No such file or directory");
    const auto folder = std::filesystem::temp_directory_path();
    CHECK(message([&] { read_description(folder); }) == folder.string() + ": cannot read the file: Is a directory");
}

TEST_CASE("an infinite bound may be written out") {
    const auto d =
        parse("[projections.p]\nfrom = \"a\"\nto = \"b\"\nplasticity = {w_min = -inf, w_max = inf}\nweight = {mean = 1, low = -inf}");
    CHECK(d.projections[0].plasticity == PlasticitySpec{});
    CHECK(d.projections[0].weight == DistributionSpec{.mean = 1});
}

// ---------------------------------------------------------------------------------------------------------------------------
// Errors of reading

TEST_CASE("a syntax error is told with its place") {
    CHECK(fault("[run]\ndt_ms = \n") == "net.toml:2:9: Error while parsing key-value pair: expected value, saw '\\n'");
    CHECK(fault("[run]\ndt_ms = 1\n[run]\n") == "net.toml:3:1: Error while parsing table header: cannot redefine existing table 'run'");
    CHECK(fault("[run]\ndt_ms = 1\ndt_ms = 2\n") ==
          "net.toml:3:9: Error while parsing key-value pair: cannot redefine existing integer 'dt_ms'");
}

TEST_CASE("an empty file is refused") {
    const std::string text = "net.toml: is empty; a description needs at least one [populations.NAME]";
    CHECK(fault("") == text);
    CHECK(fault("# nothing\n") == text);
    CHECK(fault("", {"run.seed=1"}) == text);
}

TEST_CASE("an unknown key is refused at every level") {
    CHECK(fault("[runs]\n") ==
          "net.toml:1:2: runs: unknown key; did you mean run? Allowed: plots, run, data, populations, projections, plasticity, "
          "stimuli, schedule, record, metrics, circuit, when");
    CHECK(
        fault_with("seed =", "sede =") ==
        "net.toml:7:1: run.sede: unknown key; did you mean seed? Allowed: mode, dt_ms, duration_ms, warmup_ms, seed, threads, propagator");
    CHECK(
        fault_with("epochs", "epocs") ==
        "net.toml:56:1: schedule.epocs: unknown key; did you mean epochs? Allowed: input, readout, units_per_label, label, answer, epochs, "
        "minibatch, annealing, test_readout_ms, evaluations, phases, stages");
    CHECK(fault_with("learns", "learn") ==
          "net.toml:68:1: schedule.phases.pass2.learn: unknown key; did you mean learns? Allowed: name, "
          "duration_ms, conducts, learns, clamps, nudge, paired, readout, stop_above, updates, unlearns, keeps, keeps_of, repeats, "
          "samples, persists, "
          "target");
    CHECK(fault_with("std", "sd") ==
          "net.toml:36:46: projections.up.weight.sd: unknown key; did you mean std? Allowed: distribution, mean, std, low, high, fan_in");
    CHECK(fault_with("train", "colour") ==
          "net.toml:75:1: data.colour: unknown key. Allowed: directory, generator, train, validation, test, jitter_pixels, label_noise");
    CHECK(
        fault("[record]\nspike = true") ==
        "net.toml:2:1: record.spike: unknown key; did you mean spikes? Allowed: spikes, populations, presentations, rates_bin_ms, reports");
}

TEST_CASE("a wrong type is refused at every level") {
    CHECK(fault("plots = 1") == "net.toml:1:9: plots: must be true or false, got 1");
    CHECK(fault("[plots]") == "net.toml:1:1: plots: must be true or false, got a table");
    CHECK(fault("populations = 3") == "net.toml:1:15: populations: must be a table, got 3");
    CHECK(fault("[populations]\nexc = 3") == "net.toml:2:7: populations.exc: must be a table, got 3");
    CHECK(fault("[projections]\np = 3") == "net.toml:2:5: projections.p: must be a table, got 3");
    CHECK(fault("[[run]]") == "net.toml:1:1: run: must be a table, got a list of tables");
    CHECK(fault_with("dt_ms = 0.1", "dt_ms = \"fast\"") == "net.toml:4:9: run.dt_ms: must be a number > 0, got \"fast\"");
    CHECK(fault_with("dt_ms = 0.1", "dt_ms = {}") == "net.toml:4:9: run.dt_ms: must be a number > 0, got a table");
    CHECK(fault_with("size = 784", "size = 7.5") ==
          "net.toml:13:8: populations.pixels.size: must be an integer >= 1 and <= 4000000000, got 7.5");
    CHECK(fault_with("gain_Hz = 100", "gain_Hz = {a = 1}") ==
          "net.toml:14:12: populations.pixels.gain_Hz.a: unknown key. Allowed: distribution, mean, std, low, high, fan_in");
    CHECK(fault_with("weight = 0.25", "weight = true") ==
          "net.toml:42:10: projections.out.weight: must be a number or a table {distribution, mean, std, low, high, fan_in}, got true");
    CHECK(fault_with("dale = true", "dale = 1") == "net.toml:49:8: projections.out.plasticity.dale: must be true or false, got 1");
    CHECK(fault("[schedule.phases]") == "net.toml:1:1: schedule.phases: must be a list of tables, each [[schedule.phases]], got a table");
    CHECK(fault("[projections.p]\nfrom=\"a\"\nto=\"b\"\nplasticity = \"stdp\"") ==
          "net.toml:4:14: projections.p.plasticity: there is no table plasticity \"stdp\"; there are none at all");
}

TEST_CASE("a value out of range is refused at every level") {
    CHECK(fault_with("dt_ms = 0.1", "dt_ms = 0") == "net.toml:4:9: run.dt_ms: must be > 0, got 0");
    CHECK(fault_with("size = 784", "size = 0") == "net.toml:13:8: populations.pixels.size: must be >= 1 and <= 4000000000, got 0");
    CHECK(fault_with("nudge = 0.5", "nudge = 1.5") == "net.toml:70:9: schedule.phases.pass2.nudge: must be >= 0 and <= 1, got 1.5");
    CHECK(fault_with("std = 1.4", "std = -1.4") == "net.toml:36:52: projections.up.weight.std: must be >= 0, got -1.4");
    CHECK(fault_with("seed = 42", "seed = -1") == "net.toml:7:8: run.seed: must be >= 0, got -1");
    CHECK(fault_with("w_min = -1", "decay = 2") == "net.toml:48:9: projections.out.plasticity.decay: must be >= 0 and <= 1, got 2");
    CHECK(fault_with("dt_ms = 0.1", "dt_ms = inf") == "net.toml:4:9: run.dt_ms: must be a finite number, got inf");
}

TEST_CASE("a choice that does not exist is refused with the nearest one") {
    CHECK(fault_with("\"continuous\"", "\"gird\"") ==
          "net.toml:9:14: run.propagator: must be one of grid, continuous, got \"gird\" (did you mean grid?)");
    CHECK(fault_with("\"grid\"", "\"gird\"") ==
          "net.toml:19:14: populations.hidden.propagator: must be one of grid, continuous, got \"gird\" (did you mean grid?)");
    CHECK(fault_with("\"uniform\"", "\"flat\"") ==
          "net.toml:43:28: projections.out.delay_ms.distribution: must be one of constant, uniform, normal, lognormal, got \"flat\"");
}

TEST_CASE("a missing key is told with its meaning") {
    CHECK(fault("[populations.exc]\nsize = 3") == "net.toml:1:1: populations.exc.model: is missing: name of a neuron model or source");
    CHECK(fault("[populations.exc]\nmodle = \"lif\"") ==
          "net.toml:1:1: populations.exc.model: is missing: name of a neuron model or source (did you mean it by modle?)");
    CHECK(fault("[populations.exc]\nmodel = \"\"") == "net.toml:2:9: populations.exc.model: must not be empty");
    CHECK(fault_with("from = \"pixels\"", "") == "net.toml:31:1: projections.up.from: is missing: population whose spikes are sent");
    CHECK(fault_with("to = \"hidden\"", "") == "net.toml:31:1: projections.up.to: is missing: population that receives them");
    CHECK(fault_with("name = \"pass1\"", "") == "net.toml:59:1: schedule.phases.0.name: is missing: for messages and pictures");
    CHECK(fault_with("duration_ms = 50\n", "\n") == "net.toml:59:1: schedule.phases.pass1.duration_ms: is missing: length");
    CHECK(fault_with("weight = 0.25", "weight = {fan_in = true}") ==
          "net.toml:42:10: projections.out.weight.mean: is missing: mean (constant: the value; uniform: to be left out)");
}

TEST_CASE("a list of several kinds is refused") {
    CHECK(fault_with("[1, 2.5]", "[1, \"a\"]") ==
          "net.toml:23:16: populations.hidden.times_ms: a list must hold only numbers or only texts");
    CHECK(fault_with("[1, 2.5]", "[\"a\", 1]") ==
          "net.toml:23:18: populations.hidden.times_ms: a list must hold only numbers or only texts");
    CHECK(fault_with("[1, 2.5]", "[true]") == "net.toml:23:13: populations.hidden.times_ms: a list must hold only numbers or only texts");
    CHECK(fault_with("[1, 2.5]", "[[1]]") == "net.toml:23:13: populations.hidden.times_ms: a list must hold only numbers or only texts");
    CHECK(fault("[schedule]\nphases = [{name = \"a\"}, 3]") == "net.toml:2:25: schedule.phases: a list of tables must hold only tables");
}

TEST_CASE("a date is refused") {
    CHECK(fault_with("gain_Hz = 100", "gain_Hz = 2020-01-01") ==
          "net.toml:14:11: populations.pixels.gain_Hz: dates and times are not used in a description; a text needs quotes");
}

TEST_CASE("stimuli and reports are read, written and overridden") {
    const std::string text = std::string(rich) + R"(
[stimuli.clamp]
model = "step_current"
to = "hidden"
unit_range = [3, 5]
times_ms = [1, 2]
[[record.reports]]
name = "v"
population = "hidden"
variables = ["v_mV"]
units = [7]
[[record.reports]]
name = "w"
projection = "out"
interval_ms = 2
)";
    const auto d = parse_description(
        text, "net.toml", Overrides{"record.reports.w.stop_ms=4", "record.reports.0.variables=[\"a\", \"b\"]", "stimuli.clamp.to=answer"});
    REQUIRE(d.stimuli.size() == 1);
    CHECK(d.stimuli[0].name == "clamp");
    CHECK(d.stimuli[0].to == "answer");
    CHECK(d.stimuli[0].unit_range == std::vector<double>{3, 5});
    CHECK(d.stimuli[0].parameters.at("times_ms").value == Value{std::vector<double>{1, 2}});
    REQUIRE(d.record.reports.size() == 2);
    CHECK(d.record.reports[0].variables == std::vector<std::string>{"a", "b"});
    CHECK(d.record.reports[1].stop_ms == 4);
    CHECK(parse_description(write_description(d), "") == d);
    CHECK(parse_description(text, "net.toml", Overrides{"stimuli.clamp.model=noise_current"}).stimuli[0].parameters.empty());
    CHECK_THROWS_WITH(parse_description(text, "net.toml", Overrides{"record.reports.x.stop_ms=4"}),
                      Catch::Contains("there is no report \"x\""));
    CHECK_THROWS_WITH(parse_description(text, "net.toml", Overrides{"stimuli.clmp.to=hidden"}),
                      Catch::Contains("there is no stimulus \"clmp\"; did you mean clamp?"));
}

TEST_CASE("two phases of one name are refused") {
    CHECK(fault_with("pass2", "pass1") == "net.toml:65:8: schedule.phases.1.name: \"pass1\" names an earlier phase");
}

// ---------------------------------------------------------------------------------------------------------------------------
// Writing

TEST_CASE("a description comes back from its text") {
    const auto d = parse(rich);
    const auto text = write_description(d);
    CHECK(parse_description(text, "config.toml") == d);
    CHECK(write_description(parse_description(text, "config.toml")) == text);
}

TEST_CASE("a description made in code comes back from its text to the last bit") {
    Description d;
    PopulationSpec odd;
    odd.name = "L2/3 \"e\"";
    odd.model = "m";
    odd.parameters["third"] = {1.0 / 3, {}};
    odd.parameters["whole"] = {1e15, {}};
    odd.parameters["large"] = {1e300, {}};
    odd.parameters["tiny"] = {std::numeric_limits<double>::denorm_min(), {}};
    odd.parameters["zero"] = {-0.0, {}};
    odd.parameters["endless"] = {-std::numeric_limits<double>::infinity(), {}};
    odd.parameters["count"] = {std::numeric_limits<std::int64_t>::min(), {}};
    odd.parameters["odd key"] = {std::string("tab\t newline\n quote\" \\ \x01 \x7f ü"), {}};
    d.populations.push_back(odd);
    d.run.dt_ms = 0.1 + 0.2;
    ProjectionSpec p;
    p.name = "p";
    p.from = "a";
    p.to = "b";
    p.weight = {.distribution = Distribution::lognormal, .mean = 2, .std = 0.5, .high = 7};
    d.projections.push_back(p);
    CHECK(parse_description(write_description(d), "") == d);
    const auto back = parse_description(write_description(d), "");
    CHECK(std::signbit(std::get<double>(back.populations[0].parameters.at("zero").value)));
    CHECK(parse_description(write_description(Description{}), "") == Description{});
}

TEST_CASE("the table of a mode is read in that mode only, before overrides") {
    const std::string text = std::string(rich) + R"(
[when.rate]
plots = true
schedule.epochs = 20.0
[when.rate.run]
seed = 7
[when.rate.populations.hidden]
size = 50
[when.rate.populations.hidden.rate]
dropout = 0.5
[when.rate.populations.bias]
model = "poisson_source"
[when.rate.projections.up]
weight = 0.5
[when.rate.projections.out]
weight.mean = 0.75
connector = "transpose"
of = "up"
[when.rate.projections.out.plasticity]
rule = "derivative"
[when.rate.schedule.phases.pass2]
nudge = 0.25
[when.spiking.run]
seed = 8
)";
    const auto spiking = parse(text), rate = parse(text, {"run.mode=rate", "run.seed=9"});
    CHECK(spiking.run.seed == 8);
    CHECK((parse(text, {"run.mode=rate"}).run.seed == 7));
    CHECK((rate.run.seed == 9 && rate.run.mode == Mode::rate && rate.plots && rate.schedule.epochs == 20));
    CHECK((rate.population("hidden")->size == 50 && rate.population("hidden")->rate.dropout == 0.5));
    CHECK((spiking.population("hidden")->size == 100 && spiking.population("hidden")->rate == RateSpec{}));
    CHECK((rate.population("bias") && !spiking.population("bias")));
    CHECK((rate.projection("up")->weight == DistributionSpec{.mean = 0.5}));
    CHECK((rate.projection("out")->weight == DistributionSpec{.mean = 0.75} && spiking.projection("out")->weight.mean == 0.25));
    CHECK((rate.projection("out")->connector == "transpose" && rate.projection("out")->connection.contains("of")));
    CHECK((!rate.projection("out")->plasticity.parameters.contains("tau_plus_ms") && rate.projection("out")->plasticity.dale));
    CHECK((rate.schedule.phases[1].nudge == 0.25 && spiking.schedule.phases[1].nudge == 0.5));
    CHECK((parse(write_description(rate)) == rate));
    CHECK(rate.sources.at("populations.hidden.size").line > 0);  // an error points into the file

    CHECK(fault("[when.rates.run]\nseed = 1\n") == "net.toml:1:7: when.rates: unknown key; did you mean rate? Allowed: spiking, rate");
    CHECK(fault("[when.rate.run]\nmode = \"rate\"\n") == "net.toml:2:8: when.rate.run.mode: cannot depend on the mode");
    CHECK(fault("when = 3\n") == "net.toml:1:8: when: must be a table, got 3");
    CHECK(fault("[when]\nrate = 3\n") == "net.toml:2:8: when.rate: must be a table, got 3");
    CHECK(fault(std::string(rich) + "[when.spiking.populations.hidden]\nsize = 0\n").find("populations.hidden.size: must be") !=
          std::string::npos);
}

TEST_CASE("what only one mode knows is refused in the other") {
    const auto refused = [](const std::string& setting) {
        return message([&] { validate(parse(rich, {"run.propagator=grid", setting})); });
    };
    for (const std::string key : {"updates=[\"hidden\"]", "keeps=0.5", "repeats=2", "samples=false", "persists=true"})
        CHECK(refused("schedule.phases.pass2." + key).ends_with(": needs run.mode = \"rate\""));
    CHECK(refused("projections.out.plasticity.manhattan=true").ends_with(": needs run.mode = \"rate\""));
    CHECK(refused("populations.hidden.rate.dropout=0.5").find("is for run.mode = \"rate\"") != std::string::npos);
}

TEST_CASE("a written description is complete and readable") {
    const auto d = parse(
        "[populations.a]\nmodel = \"lif\"\ntau_m_ms = 10.0\n[projections.p]\nfrom = \"a\"\nto = \"a\"\n"
        "weight = {distribution = \"normal\", std = 2, high = 4}\n[projections.p.plasticity]\nrule = \"stdp\"\n"
        "[projections.q]\nfrom = \"a\"\nto = \"a\"\n[[schedule.phases]]\nname = \"x\"\nduration_ms = 5\n");
    CHECK(write_description(d) == R"(plots = true

[run]
mode = "spiking"
dt_ms = 1.0
duration_ms = 0.0
warmup_ms = 0.0
seed = 1
threads = 0
propagator = "grid"

[data]
directory = ""
generator = "digits"
train = 20000
validation = 2000
test = 2000
jitter_pixels = 0
label_noise = 0.0

[populations.a]
model = "lif"
size = 1
propagator = ""
background_rate_Hz = 0.0
background_weight = 0.0
tau_m_ms = 10.0

[projections.p]
from = "a"
to = "a"
receptor = ""
connector = "all_to_all"
delay_site = "axonal"
drift = 0.0
weight = {distribution = "normal", mean = 0.0, std = 2.0, high = 4.0, fan_in = false}
delay_ms = 1.0

[projections.p.plasticity]
rule = "stdp"
learning_rate = 1.0
decay = 0.0
momentum = 0.0
dale = false
manhattan = false
gate = "later"
causal_correction = "none"

[projections.q]
from = "a"
to = "a"
receptor = ""
connector = "all_to_all"
delay_site = "axonal"
drift = 0.0
weight = 1.0
delay_ms = 1.0

[schedule]
input = ""
readout = ""
units_per_label = 1
label = ""
answer = "readout"
epochs = 1.0
minibatch = 32
annealing = "none"
test_readout_ms = 0.0
evaluations = 10

[[schedule.phases]]
name = "x"
duration_ms = 5.0
conducts = ["*"]
learns = []
clamps = []
nudge = 1.0
paired = true
readout = false
updates = []
unlearns = []
keeps = 0.0
keeps_of = ""
repeats = 1
samples = true
persists = false
target = "label"

[record]
spikes = true
populations = ["*"]
presentations = 3
rates_bin_ms = 0.0

[metrics]
gradient_angle = false
gradient_images = 32
gradient_trials = 16
likelihood = false
likelihood_temperatures = 10000
likelihood_chains = 100
)");
}

// ---------------------------------------------------------------------------------------------------------------------------
// Overrides

TEST_CASE("an override is TOML, or bare text when it is not") {
    const auto d = parse(rich, {"run.dt_ms=0.5", "run.seed = 7", "plots=true", "run.propagator=grid", "schedule.annealing=\"none\"",
                                "populations.hidden.times_ms=[3, 4]", "data.directory=/some/where", "record.populations=[\"pixels\"]"});
    CHECK(d.run.dt_ms == 0.5);
    CHECK(d.run.seed == 7);
    CHECK(d.plots);
    CHECK(d.run.propagator == Propagator::grid);
    CHECK(d.schedule.annealing == Annealing::none);
    CHECK(d.population("hidden")->parameters.at("times_ms") == Setting{std::vector<double>{3, 4}, {}});
    CHECK(d.data.directory == "/some/where");
    CHECK(d.record.populations == std::vector<std::string>{"pixels"});
    CHECK(parse(rich, {"data.directory="}).data.directory.empty());
    CHECK(parse(rich, {"data.directory=2020-01-01"}).data.directory == "2020-01-01");
    CHECK(parse(rich, {"data.directory=a=b"}).data.directory == "a=b");
}

TEST_CASE("the last of several overrides of one key wins") {
    CHECK(parse(rich, {"run.seed=7", "run.seed=8"}).run.seed == 8);
    CHECK(parse(rich, {"run={seed=7}"}).run == RunSpec{.seed = 7});
}

TEST_CASE("an override makes the tables that the file leaves out") {
    constexpr std::string_view small = "[populations.a]\nmodel = \"lif\"\n[projections.p]\nfrom = \"a\"\nto = \"a\"\n";
    const auto d = parse(small, {"run.seed=7", "record.spikes=false", "projections.p.plasticity.rule=stdp", "projections.p.plasticity.a=2",
                                 "populations.a.tau_m_ms=20"});
    CHECK(d.run.seed == 7);
    CHECK_FALSE(d.record.spikes);
    CHECK(d.projections[0].plasticity.rule == "stdp");
    CHECK(number(d.projections[0].plasticity.parameters.at("a")) == 2);
    CHECK(d.populations[0].parameters.at("tau_m_ms").source.text() == "--set populations.a.tau_m_ms");
}

TEST_CASE("an override reaches into a weight that is a number, a table or left out") {
    const auto d = parse(rich, {"projections.out.weight.fan_in=true", "projections.up.weight.std=3", "projections.up.delay_ms.mean=2"});
    CHECK(d.projection("out")->weight == DistributionSpec{.mean = 0.25, .fan_in = true});
    CHECK(d.projection("up")->weight.std == 3);
    CHECK(d.projection("up")->delay_ms == DistributionSpec{.mean = 2});
    CHECK(parse(rich, {"projections.up.weight=2"}).projection("up")->weight == DistributionSpec{.mean = 2});
    CHECK(parse(rich, {"projections.up.delay_ms={mean=3}"}).projection("up")->delay_ms == DistributionSpec{.mean = 3});
}

TEST_CASE("a phase is overridden by name or by index") {
    CHECK(parse(rich, {"schedule.phases.pass2.duration_ms=80"}).schedule.phases[1].duration_ms == 80);
    CHECK(parse(rich, {"schedule.phases.1.duration_ms=80"}).schedule.phases[1].duration_ms == 80);
    CHECK(parse(rich, {"schedule.phases=[]"}).schedule.phases.empty());
    CHECK(parse(rich, {"schedule.phases=[{name=\"x\", duration_ms=3}]"}).schedule.phases[0].name == "x");
}

TEST_CASE("another connector drops the file's parameters and keeps those of overrides, in any order") {
    for (const Overrides& overrides : {Overrides{"projections.up.connector=pairwise", "projections.up.n=3"},
                                       {"projections.up.n=3", "projections.up.connector=pairwise"}}) {
        const auto d = parse(rich, overrides);
        CHECK(d.projection("up")->connector == "pairwise");
        CHECK(d.projection("up")->connection == Parameters{{"n", {std::int64_t{3}, {}}}});
        CHECK(d.projection("up")->weight.std == 1.4);  // belongs to every connector
    }
}

TEST_CASE("another rule or model drops the file's parameters and keeps those of overrides, in any order") {
    const Overrides one{"projections.out.plasticity.rule=pair", "projections.out.plasticity.a=1", "populations.hidden.model=lif",
                        "populations.hidden.tau_m_ms=5"};
    for (const Overrides& overrides : {one, Overrides(one.rbegin(), one.rend())}) {
        const auto d = parse(rich, overrides);
        CHECK(d.projection("out")->plasticity.parameters == Parameters{{"a", {std::int64_t{1}, {}}}});
        CHECK(d.projection("out")->plasticity.learning_rate == 1e-3);
        CHECK(d.population("hidden")->parameters == Parameters{{"tau_m_ms", {std::int64_t{5}, {}}}});
        CHECK(d.population("hidden")->size == 100);
    }
    CHECK(parse(rich, {"projections.out.plasticity.rule="}).projection("out")->plasticity.parameters.empty());
}

TEST_CASE("projections share a table plasticity, and their own keys win") {
    const std::string shared = R"(
[populations.a]
model = "poisson"
[plasticity.slow]
rule = "stdp"
learning_rate = 0.1
a_plus = 2.0
[projections.one]
from = "a"
to = "a"
plasticity = "slow"
[projections.two]
from = "a"
to = "a"
plasticity = {like = "slow", learning_rate = 0.2}
)";
    const auto d = parse(shared);
    CHECK(d.projection("one")->plasticity.rule == "stdp");
    CHECK(d.projection("one")->plasticity.learning_rate == 0.1);
    CHECK(d.projection("two")->plasticity.learning_rate == 0.2);
    CHECK(d.projection("two")->plasticity.parameters.at("a_plus").value == Value{2.0});
    CHECK(parse(write_description(d)) == d);  // each has its own there

    const auto faster = parse(shared, {"plasticity.slow.learning_rate=0.3", "projections.one.plasticity.w_max=1"});
    CHECK(faster.projection("one")->plasticity.learning_rate == 0.3);
    CHECK(faster.projection("one")->plasticity.w_max == 1);
    CHECK(faster.projection("two")->plasticity.learning_rate == 0.2);
    const auto other = parse(shared, {"projections.one.plasticity.rule=hebbian"});
    CHECK(other.projection("one")->plasticity.rule == "hebbian");
    CHECK(other.projection("one")->plasticity.learning_rate == 0.1);
    CHECK(other.projection("one")->plasticity.parameters.empty());

    CHECK(fault(shared, {"projections.one.plasticity=slo"}) ==
          "--set projections.one.plasticity: there is no table plasticity \"slo\"; did you mean slow? Known: slow");
    CHECK(fault(shared, {"plasticity.slo.rule=stdp"}) ==
          "--set plasticity.slo.rule: plasticity.slo: there is no table plasticity \"slo\"; did you mean slow? Known: slow");
    CHECK(fault(shared + "[plasticity.fast]\nrule = \"stdp\"\n") ==
          "net.toml:16:13: plasticity.fast: no projection refers to it, by plasticity = \"fast\"");
}

TEST_CASE("naming the choice of the file again changes nothing") {
    CHECK(parse(rich, {"projections.up.connector=random", "projections.out.plasticity.rule=stdp", "populations.hidden.model=poisson"}) ==
          parse(rich));
    CHECK(parse(rich, {"projections.up.connector=pairwise", "projections.up.connector=random"}) == parse(rich));
}

TEST_CASE("an override that cannot be applied is refused") {
    CHECK(fault_set({"run.dt_ms"}) == "--set: must look like key.path=value, got \"run.dt_ms\"");
    CHECK(fault_set({"=3"}) == "--set: must look like key.path=value, got \"=3\"");
    CHECK(fault_set({"run..dt_ms=3"}) == "--set: must look like key.path=value, got \"run..dt_ms=3\"");
    CHECK(fault_set({"run.dt_ms=-1"}) == "--set run.dt_ms: must be > 0, got -1");
    CHECK(fault_set({"run.dt_m=1"}) ==
          "--set run.dt_m: unknown key; did you mean dt_ms? Allowed: mode, dt_ms, duration_ms, warmup_ms, seed, threads, "
          "propagator");
    CHECK(fault_set({"rnu.dt_ms=1"}) ==
          "--set rnu.dt_ms: rnu: unknown key; did you mean run? Allowed: plots, run, data, populations, projections, plasticity, "
          "stimuli, schedule, record, metrics, circuit, when");
    CHECK(fault_set({"populations.hiden.size=3"}) ==
          "--set populations.hiden.size: populations.hiden: there is no population \"hiden\"; did you mean hidden? Known: pixels, hidden, "
          "answer");
    CHECK(fault_set({"populations.new={model=\"lif\"}"}) ==
          "--set populations.new: there is no population \"new\". Known: pixels, hidden, answer");
    CHECK(fault_set({"projections.back.plasticity.rule=stdp"}) ==
          "--set projections.back.plasticity.rule: projections.back: there is no projection \"back\". Known: up, out");
    CHECK(fault("[run]", {"projections.back.weight=1"}) ==
          "--set projections.back.weight: projections.back: there is no projection \"back\"; there are none at all");
    CHECK(fault_set({"schedule.phases.pas2.nudge=1"}) ==
          "--set schedule.phases.pas2.nudge: schedule.phases.pas2: there is no phase \"pas2\"; did you mean pass2? Known: pass1, pass2");
    CHECK(fault_set({"schedule.phases.2.nudge=1"}) ==
          "--set schedule.phases.2.nudge: schedule.phases.2: there is no phase \"2\". Known: pass1, pass2");
    CHECK(fault_set({"run.dt_ms.x=1"}) == "--set run.dt_ms.x: run.dt_ms: is 0.1, which has no key x");
    CHECK(fault_set({"schedule.phases.0=5"}) == "--set schedule.phases.0: must be a table, got 5");
    CHECK(fault_set({"populations.hidden.times_ms=[1, \"a\"]"}) ==
          "--set populations.hidden.times_ms: a list must hold only numbers or only texts");
}

// ---------------------------------------------------------------------------------------------------------------------------
// Validation

TEST_CASE("a name that refers to nothing is refused") {
    CHECK(fault_with("from = \"pixels\"", "from = \"pixel\"") ==
          "net.toml:32:8: projections.up.from: there is no population \"pixel\"; did you mean pixels? Known: pixels, hidden, answer");
    CHECK(fault_with("to = \"answer\"", "to = \"x\"") ==
          "net.toml:40:6: projections.out.to: there is no population \"x\". Known: pixels, hidden, answer");
    CHECK(fault_with("input = \"pixels\"", "input = \"x\"") ==
          "net.toml:54:9: schedule.input: there is no population \"x\". Known: pixels, hidden, answer");
    CHECK(fault_with("readout = \"answer\"", "readout = \"x\"") ==
          "net.toml:55:11: schedule.readout: there is no population \"x\". Known: pixels, hidden, answer");
    CHECK(fault_with("conducts = [\"up\"]", "conducts = [\"upp\"]") ==
          "net.toml:67:12: schedule.phases.pass2.conducts: there is no projection \"upp\"; did you mean up? Known: up, out");
    CHECK(fault_with("clamps = [\"answer\"]", "clamps = [\"out\"]") ==
          "net.toml:69:10: schedule.phases.pass2.clamps: there is no population \"out\". Known: pixels, hidden, answer");
    CHECK(fault_with("[\"hidden\", \"answer\"]", "[\"hidden\", \"x\"]") ==
          "net.toml:78:15: record.populations: there is no population \"x\". Known: pixels, hidden, answer");
    CHECK(fault_with("learns = [\"out\"]", "learns = [\"x\"]") ==
          "net.toml:68:10: schedule.phases.pass2.learns: there is no projection \"x\". Known: up, out");
    CHECK(fault_set({"schedule.phases.pass2.learns=[\"*\"]", "record.populations=[\"*\"]"}) == "no error");
}

TEST_CASE("only the readout population has a target") {
    CHECK(fault_with("clamps = [\"answer\"]", "clamps = [\"*\"]") ==
          "net.toml:69:10: schedule.phases.pass2.clamps: only the readout population, answer, and the input population, pixels, have a "
          "target, "
          "got \"*\"");
    CHECK(fault_of([](auto& d) {
              d.schedule.readout.clear();
              d.schedule.phases[0].readout = false;
          }) == "schedule.phases.pass2.clamps: needs schedule.readout, the population that has a target");
}

TEST_CASE("a projection without a rule cannot learn") {
    CHECK(fault_with("learns = [\"out\"]", "learns = [\"up\"]") ==
          "net.toml:68:10: schedule.phases.pass2.learns: projection \"up\" cannot learn: it has no plasticity.rule");
    CHECK(fault_with("rule = \"stdp\"", "") ==
          "net.toml:51:15: projections.out.plasticity.tau_plus_ms: belongs to a rule, and there is no plasticity.rule");
}

TEST_CASE("a readout phase needs a readout population") {
    CHECK(fault_with("readout = \"answer\"", "") ==
          "net.toml:62:11: schedule.phases.pass1.readout: needs schedule.readout, the population that gives the answer");
}

TEST_CASE("a time that is no multiple of the step is refused") {
    CHECK(fault_set({"projections.up.delay_ms=0.25"}) == "--set projections.up.delay_ms: must be a multiple of run.dt_ms = 0.1, got 0.25");
    CHECK(fault_set({"projections.up.delay_ms={mean=0.25}"}) ==
          "--set projections.up.delay_ms: must be a multiple of run.dt_ms = 0.1, got 0.25");
    CHECK(fault_set({"projections.up.delay_ms=0"}) == "--set projections.up.delay_ms: must be >= run.dt_ms = 0.1, got 0");
    CHECK(fault_set({"projections.up.delay_ms=-1"}) == "--set projections.up.delay_ms: must be >= run.dt_ms = 0.1, got -1");
    CHECK(fault_with("duration_ms = 20.5", "duration_ms = 20.55") ==
          "net.toml:66:15: schedule.phases.pass2.duration_ms: must be a multiple of run.dt_ms = 0.1, got 20.55");
    CHECK(fault_with("warmup_ms = 12.3", "warmup_ms = 12.34") ==
          "net.toml:6:13: run.warmup_ms: must be a multiple of run.dt_ms = 0.1, got 12.34");
    CHECK(fault_with("duration_ms = 1000", "duration_ms = 0.05") ==
          "net.toml:5:15: run.duration_ms: must be a multiple of run.dt_ms = 0.1, got 0.05");
    CHECK(fault_set({"schedule.test_readout_ms=0.33"}) ==
          "--set schedule.test_readout_ms: must be a multiple of run.dt_ms = 0.1, got 0.33");
}

TEST_CASE("a multiple is decided to a billionth of the time") {
    CHECK(fault_set({"projections.up.delay_ms=0.30000000000000004"}) == "no error");
    CHECK(fault_set({"run.duration_ms=1000.0000001"}) == "no error");
    CHECK(fault_set({"run.duration_ms=1000.00001"}) == "--set run.duration_ms: must be a multiple of run.dt_ms = 0.1, got 1000.00001");
    CHECK(fault_set({"run.dt_ms=0.001", "run.duration_ms=86400000"}) == "no error");
}

TEST_CASE("bounds out of order are refused") {
    CHECK(fault_with("low = 1, high = 2.5", "low = 3, high = 2.5") ==
          "net.toml:43:45: projections.out.delay_ms.low: must be <= high = 2.5, got 3");
    CHECK(fault_with("w_min = -1", "w_min = 1\nw_max = 0.5") ==
          "net.toml:48:9: projections.out.plasticity.w_min: must be <= w_max = 0.5, got 1");
}

TEST_CASE("a distribution that makes no sense is refused") {
    CHECK(fault_set({"projections.up.weight.distribution=constant"}) ==
          "net.toml:36:52: projections.up.weight.std: must be 0 as the distribution is constant, got 1.4");
    CHECK(fault_set({"projections.out.weight.low=1"}) ==
          "net.toml:42:10: projections.out.weight.mean: must lie between low and high, got 0.25");
    CHECK(fault_with("low = 1, high = 2.5", "low = 1") ==
          "net.toml:43:12: projections.out.delay_ms: a uniform distribution needs low and high");
    CHECK(fault_with("low = 1, high = 2.5", "low = -1, high = 2.5") ==
          "net.toml:43:45: projections.out.delay_ms.low: must be >= 0, got -1");
    CHECK(fault_with("low = 1, high = 2.5", "low = 0, high = 0.05") ==
          "net.toml:43:55: projections.out.delay_ms.high: must be >= run.dt_ms = 0.1, got 0.05");
    CHECK(fault_set({"projections.out.delay_ms={distribution=\"normal\", mean=-1}"}) ==
          "--set projections.out.delay_ms: projections.out.delay_ms.mean: must be > 0, got -1");
    CHECK(fault_set({"projections.out.delay_ms.fan_in=true"}) == "--set projections.out.delay_ms.fan_in: applies to weights only");
}

TEST_CASE("a uniform distribution takes only low and high") {
    CHECK(fault_with("low = 1, high = 2.5", "low = 1, high = 2.5, mean = 2") ==
          "net.toml:43:67: projections.out.delay_ms.mean: must be left out as low and high say all of a uniform distribution, got 2");
    CHECK(fault_set({"projections.up.weight={distribution=\"uniform\", low=0, high=1, std=0.3}"}) ==
          "--set projections.up.weight: projections.up.weight.std: must be left out as low and high say all of a uniform distribution, got "
          "0.3");
    CHECK(fault_set({"projections.up.weight.distribution=uniform", "projections.up.weight.low=0", "projections.up.weight.high=1"}) ==
          "net.toml:36:52: projections.up.weight.std: must be left out as low and high say all of a uniform distribution, got 1.4");
    // a number, or nothing, stands for a mean that nobody gave
    const Overrides out{"projections.out.weight.distribution=uniform", "projections.out.weight.low=0", "projections.out.weight.high=1"},
        up{"projections.up.delay_ms.low=1", "projections.up.delay_ms.high=2", "projections.up.delay_ms.distribution=uniform"};
    for (const auto& overrides : {out, up}) CHECK(fault_set(overrides) == "no error");
    CHECK(parse(rich, out).projection("out")->weight == DistributionSpec{.distribution = Distribution::uniform, .low = 0, .high = 1});
    CHECK(fault_set({out[0], out[1], out[2], "projections.out.weight.mean=0.5"}) ==
          "--set projections.out.weight.mean: must be left out as low and high say all of a uniform distribution, got 0.5");
}

TEST_CASE("the mean of a lognormal distribution is positive") {
    CHECK(fault_set({"projections.up.weight.distribution=lognormal"}) ==
          "net.toml:36:43: projections.up.weight.mean: of a lognormal distribution must be > 0, got 0");
}

TEST_CASE("a name that cannot be part of a path is refused") {
    CHECK(fault("[populations.\"a/b\"]\nmodel = \"lif\"") == "no error");
    CHECK(message([] { validate(parse("[populations.\"a/b\"]\nmodel = \"lif\"")); }) ==
          "net.toml:1:1: populations.a/b: a name must consist of letters, digits, _ and -, got \"a/b\"");
}

TEST_CASE("a description without populations is refused") {
    CHECK(message([] { validate(parse("[run]\nseed = 1")); }) == "populations: a description needs at least one [populations.NAME]");
}

TEST_CASE("a description made in code is checked like a file") {
    CHECK(fault_of([](auto&) {}) == "no error");
    CHECK(fault_of([](auto& d) { d.run.dt_ms = -1; }) == "run.dt_ms: must be > 0, got -1");
    CHECK(fault_of([](auto& d) { d.run.warmup_ms = -1; }) == "run.warmup_ms: must be >= 0, got -1");
    CHECK(fault_of([](auto& d) { d.populations[0].size = 0; }) == "populations.pixels.size: must be >= 1 and <= 4000000000, got 0");
    CHECK(fault_of([](auto& d) { d.populations[0].model = ""; }) == "populations.pixels.model: must not be empty");
    CHECK(fault_of([](auto& d) { d.populations[0].propagator = "gird"; }) ==
          "populations.pixels.propagator: must be one of grid, continuous, got \"gird\" (did you mean grid?)");
    CHECK(fault_of([](auto& d) { d.populations[1].name = "pixels"; }) == "populations.pixels: the name is used twice");
    CHECK(fault_of([](auto& d) { d.projections[0].weight.std = -1; }) == "projections.up.weight.std: must be >= 0, got -1");
    CHECK(fault_of([](auto& d) { d.projections[1].plasticity.decay = 2; }) ==
          "projections.out.plasticity.decay: must be >= 0 and <= 1, got 2");
    CHECK(fault_of([](auto& d) { d.schedule.phases[0].duration_ms = 0; }) ==
          "schedule.phases.pass1.duration_ms: must be >= run.dt_ms = 0.1, got 0");
    CHECK(fault_of([](auto& d) { d.schedule.phases[0].name = ""; }) == "schedule.phases: every phase needs a name");
    CHECK(fault_of([](auto& d) { d.schedule.phases[1].name = "pass1"; }) == "schedule.phases.pass1: the name is used twice");
    CHECK(fault_of([](auto& d) { d.data.train = -1; }) == "data.train: must be >= 0, got -1");
    CHECK(fault_of([](auto& d) { d.run.duration_ms = std::nan(""); }) == "run.duration_ms: must be a finite number, got nan");
}
