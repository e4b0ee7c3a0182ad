// Circuits of static synapses: streamed construction, background, parameters that differ from unit to unit, named circuits.
#include <boost/math/distributions/poisson.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <numeric>

#include "app/build.hpp"
#include "app/memory.hpp"
#include "app/registry.hpp"
#include "app/toml_io.hpp"
#include "sim/statistics.hpp"
#include "tests/support/network.hpp"
#include "tests/support/statistics.hpp"
#include "tests/support/threads.hpp"

using namespace ydot;
using namespace ydot::test;

namespace {

Description described(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return app::parse_description(text, "net.toml", overrides);
}

const std::string column = "[run]\ndt_ms = 0.1\n[circuit]\nname = \"microcircuit\"\nscale = 0.06\n";

std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
        app::build_circuit(described(text, overrides));
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

/// Of every projection that learns.
std::vector<std::vector<float>> plastic_weights(const Circuit& circuit) {
    std::vector<std::vector<float>> weights;
    for (const auto& projection : circuit.projections()) {
        if (!projection.plasticity) continue;
        auto& all = weights.emplace_back();
        for (const auto& block : projection.blocks) block.for_each([&all](auto, auto, auto, float weight) { all.push_back(weight); });
    }
    return weights;
}

}  // namespace

TEST_CASE("Every named circuit has the same bits for any number of threads", "[contract]") {
    struct Case {
        std::string circuit;
        double duration_ms;
        std::size_t least_spikes;
    };
    const auto named = [](const std::string& text) { return "[run]\ndt_ms = 0.1\n[circuit]\nname = " + text; };
    const Case cases[] = {
        {column + "background = \"poisson\"\n", 60, 100},
        {column + "background = \"dc\"\n", 60, 4},  // smaller circuits with a constant current are nearly silent
        {named("\"brunel\"\nexcitatory = 9000\ninputs = 100\n"), 60, 1000},
        {named("\"vogels_abbott\"\nsynapses = \"coba\"\n"), 100, 1000},
        {named("\"vogels_abbott\"\nsynapses = \"cuba\"\n"), 100, 1000},
        {named("\"balanced_stdp\"\nscale = 0.6\ninputs = 400\n"), 60, 1000},
    };
    for (const auto& [text, duration_ms, least_spikes] : cases) {
        INFO(text);
        struct Outcome {
            SpikeTimes times;
            std::vector<std::vector<float>> weights;
            std::size_t partitions;
        };
        const auto run = [&text = text, duration_ms = duration_ms] {
            const auto circuit = app::build_circuit(described(text));
            SpikeTimesLog log(*circuit);
            Replica replica(*circuit);
            replica.set_parallel(true);
            replica.set_observer(&log);
            replica.learn_online();
            replica.run(std::llround(duration_ms / circuit->dt_ms()));
            return Outcome{std::move(log.times), plastic_weights(*circuit), circuit->static_synapses().size()};
        };
        const auto one = with_threads(1, run);
        CHECK(std::accumulate(one.times.begin(), one.times.end(), std::size_t{0},
                              [](std::size_t sum, const auto& trains) { return sum + count_of(trains); }) >= least_spikes);
        for (const auto& weights : one.weights)
            CHECK(std::adjacent_find(weights.begin(), weights.end(), std::not_equal_to<>()) != weights.end());
        CHECK(one.weights.empty() == (text.find("stdp") == std::string::npos));
        for (const int threads : {2, 5}) {
            const auto many = with_threads(threads, run);
            CHECK(many.partitions > one.partitions);
            CHECK((many.times == one.times));
            CHECK((many.weights == one.weights));
        }
    }
}

TEST_CASE("A second run of a replica repeats the first", "[contract]") {
    const auto circuit = app::build_circuit(described(column));
    Replica replica(*circuit);
    SpikeTimesLog first(*circuit), second(*circuit);
    replica.set_observer(&first);
    replica.run(300);
    replica.reset(0);
    replica.set_observer(&second);
    replica.run(300);
    CHECK((first.times == second.times));
}

TEST_CASE("The microcircuit has the populations, synapses and weights of the paper", "[golden]") {
    const auto full = described("[circuit]\nname = \"microcircuit\"\n[run]\ndt_ms = 0.1\n");
    std::int64_t neurons = 0, synapses = 0;
    for (const auto& p : full.populations) neurons += p.size;
    for (const auto& p : full.projections) synapses += std::get<std::int64_t>(p.connection.at("number").value);
    CHECK(neurons == 77169);
    CHECK(synapses == 298880970);  // 0.3 billion (Potjans & Diesmann 2014, table 5 and eq. 3)
    CHECK(full.populations.size() == 8);
    CHECK(full.projections.size() == 55);  // of 64 pairs nine are not connected
    const auto* l4 = full.projection("L4E_to_L23E");
    CHECK(l4->weight.mean == 2 * 87.8);
    CHECK(full.projection("L23I_to_L5E")->weight.mean == -4 * 87.8);
    CHECK(full.projection("L23I_to_L5E")->weight.high == 0);
    CHECK(full.projection("L23I_to_L5E")->delay_ms.mean == 0.75);
    CHECK(full.population("L6E")->background_rate_Hz == 2900 * 8);
    CHECK(full.population("L6E")->background_weight == 87.8);
}

TEST_CASE("A smaller microcircuit keeps the mean and the variance of every input", "[analytic]") {
    const auto input_of = [](const Description& d, const std::string& name, const std::map<std::string, double>& rates) {
        const auto number = [](const PopulationSpec& p, const char* key) { return std::get<double>(p.parameters.at(key).value); };
        const auto* p = d.population(name);
        double mean = number(*p, "i_e_pA"), variance = 0;  // of the current: K w r tau, K w^2 r tau / 2
        const auto add = [&](double indegree, double weight, double rate) {
            mean += indegree * weight * rate * 0.5e-3;
            variance += indegree * weight * weight * rate * 0.25e-3;
        };
        add(1, p->background_weight, p->background_rate_Hz);
        for (const auto& q : d.projections)
            if (q.to == name)
                add(static_cast<double>(std::get<std::int64_t>(q.connection.at("number").value)) / static_cast<double>(p->size),
                    q.weight.mean, rates.at(q.from));
        return std::pair{mean, variance};
    };
    const std::map<std::string, double> rates{{"L23E", 0.903}, {"L23I", 2.965}, {"L4E", 4.414}, {"L4I", 5.876},
                                              {"L5E", 7.569},  {"L5I", 8.633},  {"L6E", 1.105}, {"L6I", 7.829}};
    const auto full = described("[circuit]\nname = \"microcircuit\"\n"),
               small = described("[circuit]\nname = \"microcircuit\"\nscale = 0.1\n");
    for (const auto& p : full.populations) {
        const auto [mean, variance] = input_of(full, p.name, rates);
        const auto [small_mean, small_variance] = input_of(small, p.name, rates);
        INFO(p.name);
        CHECK(small_mean == Approx(mean).epsilon(0.01));  // sizes and numbers of synapses are rounded
        CHECK(small_variance == Approx(variance).epsilon(0.01));
    }
}

TEST_CASE("Background spikes of a unit in a step are Poisson counts", "[statistical]") {
    const double rate_Hz = 15000, dt_ms = 0.1, mean = 1.5;
    const auto background = BackgroundInput::make("x", rate_Hz, 1, dt_ms);
    std::vector<std::uint32_t> words(128'000);
    fill_random_words(words, 3, 0, 0, 0, background.stream);
    std::vector<float> input(words.size());
    add_counts(words.data(), background.thresholds, 1, input.data(), words.size());
    std::map<int, double> seen;
    for (const float k : input) ++seen[static_cast<int>(k)];
    const boost::math::poisson law(mean);
    double statistic = 0;
    for (int k = 0; k <= 8; ++k) {
        const double expected = static_cast<double>(words.size()) * (k < 8 ? pdf(law, k) : cdf(complement(law, 7)));
        double count = seen[k];
        if (k == 8)
            for (const auto& [more, n] : seen) count += more > 8 ? n : 0;
        statistic += (count - expected) * (count - expected) / expected;
    }
    CHECK(chi_square_p(statistic, 8) > 1e-6);
}

TEST_CASE("Background input arrives at its rate and with its weight", "[statistical]") {
    const auto circuit = app::build_circuit(described(R"(
[run]
dt_ms = 0.1
[populations.a]
model = "lif"
size = 300
v_th_mV = 1e6
tau_syn_ms = 0.5
background_rate_Hz = 8000
background_weight = 50.0
)"));
    Replica replica(*circuit);
    UnitShard shard(0, 300, circuit->population(0).variables());
    circuit->population(0).reset(shard, {1, 0});
    const auto& background = circuit->background(0);
    double sum = 0, squares = 0;
    const int steps = 2000;
    for (int n = 0; n < steps; ++n) {
        std::fill(shard.input.begin(), shard.input.end(), 0.0f);
        fill_random_words(shard.words, 1, 0, static_cast<std::uint32_t>(n), 0, background.stream);
        add_counts(shard.words.data(), background.thresholds, background.weight, shard.input.data(), shard.padded);
        for (std::uint32_t i = 0; i < 300; ++i)
            sum += static_cast<double>(shard.input[i]),
                squares += static_cast<double>(shard.input[i]) * static_cast<double>(shard.input[i]);
    }
    const double draws = 300.0 * steps, mean = sum / draws, variance = squares / draws - mean * mean;
    CHECK(std::abs(mean - 0.8 * 50) < five_sigma * std::sqrt(0.8 * 2500 / draws));
    CHECK(variance == Approx(0.8 * 2500).epsilon(0.02));  // five standard errors of a variance are 1.3 %
}

TEST_CASE("A parameter that is a distribution differs from unit to unit", "[contract]") {
    const std::string text = R"(
[run]
dt_ms = 0.1
[populations.a]
model = "lif"
size = 2000
i_e_pA = {distribution = "normal", mean = 500.0, std = 100.0, low = 300.0}
t_ref_ms = 0.0
)";
    const auto description = described(text);
    CHECK(described(app::write_description(description)) == description);
    const auto circuit = app::build_circuit(description);
    const auto times = spike_times(*circuit, 500)[0];
    std::vector<double> rates;
    for (const auto& train : times) rates.push_back(static_cast<double>(train.size()) / 0.5);
    // 10 ms * ln(I R / (I R - 15 mV)) between spikes, I R = 20 mV at 500 pA: 72 Hz; none below 375 pA, which a tenth of the units gets
    const auto silent = static_cast<double>(std::count(rates.begin(), rates.end(), 0.0)) / 2000;
    const double p = (0.10565 - 0.02275) / (1 - 0.02275);
    CHECK(std::abs(silent - p) < five_sigma * std::sqrt(p * (1 - p) / 2000));
    CHECK(*std::max_element(rates.begin(), rates.end()) > 100);
    CHECK(refusal(text, {"populations.a.i_e_pA.std=-1"}).find("populations.a.i_e_pA") != std::string::npos);
    CHECK(refusal("[populations.a]\nmodel = \"lif\"\nsize = 100\ntau_m_ms = {distribution = \"normal\", mean = 1.0, std = 2.0}\n")
              .find("populations.a.tau_m_ms: must be > 0; unit ") != std::string::npos);
    CHECK(refusal("[populations.a]\nmodel = \"poisson\"\nbias = {distribution = \"normal\", mean = 1.0, std = 2.0}\n")
              .find("need a model with a membrane") != std::string::npos);
}

TEST_CASE("Circuits are refused by name and by parameter", "[contract]") {
    CHECK(refusal("[circuit]\nname = \"microcircuits\"\n").find("unknown circuit \"microcircuits\"; did you mean microcircuit?") !=
          std::string::npos);
    CHECK(refusal("[circuit]\nname = \"microcircuit\"\nscale = 1.5\n").find("net.toml:3:9: circuit.scale: must be > 0 and <= 1, got 1.5") !=
          std::string::npos);
    CHECK(refusal("[circuit]\nname = \"microcircuit\"\nbackground = \"none\"\n")
              .find("circuit.background: must be one of poisson, dc, got \"none\"") != std::string::npos);
}

TEST_CASE("A description adds populations and projections to a circuit", "[contract]") {
    const auto d = described(column +
                             "[populations.thalamus]\nmodel = \"poisson_source\"\nsize = 9\n"
                             "[projections.input]\nfrom = \"thalamus\"\nto = \"L4E\"\n");
    CHECK(d.populations.size() == 9);
    CHECK(d.projections.size() == 56);
    CHECK(described(app::write_description(d)) == d);
    CHECK(refusal(column + "[populations.L4E]\nmodel = \"lif\"\n").find("populations.L4E: the name is used twice") != std::string::npos);
}

TEST_CASE("Memory is asked for before anything is built", "[contract]") {
    const auto need_of = [](const Description& d, const std::set<std::string>& streamed) {
        std::vector<std::unique_ptr<const Population>> populations;
        for (const auto& spec : d.populations) populations.push_back(app::make_population(spec, d.run));
        return app::memory_needed(d, Circuit(d.run.dt_ms, 1, std::move(populations)), streamed);
    };
    const auto full = described("[circuit]\nname = \"microcircuit\"\n[run]\ndt_ms = 0.1\n");
    std::set<std::string> all;
    for (const auto& p : full.projections) all.insert(p.name);
    const auto need = need_of(full, all);
    CHECK(need.synapses == 298880970);
    CHECK(need.bytes > 4 * need.synapses);
    CHECK(need.bytes < 1.3e9);
    CHECK_NOTHROW(app::require_memory(need, 1'300'000'000));
    CHECK_THROWS_WITH(app::require_memory(need, 800'000'000),
                      "the network needs about 1.24 GB of memory, 0.8 GB are free: it has 7.717e+04 neurons and about 2.989e+08 synapses");
    CHECK(refusal("[populations.a]\nmodel = \"lif\"\nsize = 1000000\n[projections.p]\nfrom = \"a\"\nto = \"a\"\n")
              .find("the network needs about 4e+03 GB of memory, ") == 0);
    CHECK(app::available_memory_bytes() > 100'000'000);
}

TEST_CASE("A receptor that the target does not have is refused", "[contract]") {
    CHECK(refusal("[populations.a]\nmodel = \"lif\"\n[projections.p]\nfrom = \"a\"\nto = \"a\"\nreceptor = \"inhibitory\"\n")
              .find("projections.p.receptor: must be left out") != std::string::npos);
}
