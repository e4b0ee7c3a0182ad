#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/registry.hpp"
#include "app/results.hpp"
#include "cli/commands.hpp"
#include "data/images.hpp"
#include "data/spike_file.hpp"
#include "sim/error.hpp"

namespace ydot::cli {
namespace {

nlohmann::ordered_json to_json(const Value& value) {
    return std::visit([](const auto& v) -> nlohmann::ordered_json { return v; }, value);
}

nlohmann::ordered_json to_json(const ModelInfo& model) {
    nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
    for (const auto& p : model.parameters)
        parameters.push_back(
            {{"key", p.key}, {"unit", p.unit()}, {"default", to_json(p.default_value)}, {"allowed", p.allowed()}, {"doc", p.doc}});
    return {
        {"kind", model.kind}, {"name", model.name}, {"summary", model.summary}, {"reference", model.reference}, {"parameters", parameters}};
}

void print_one(const ModelInfo& model) {
    fmt::print("{} ({}): {}\n", model.name, model.kind, model.summary);
    if (!model.reference.empty()) fmt::print("  {}\n", model.reference);
    std::size_t key = 3, value = 7, unit = 4;  // of the words that head the columns
    for (const auto& p : model.parameters) {
        key = std::max(key, p.key.size());
        value = std::max(value, to_text(p.default_value).size());
        unit = std::max(unit, p.unit().size());
    }
    if (!model.parameters.empty()) fmt::print("\n  {:<{}}  {:<{}}  {:<{}}  meaning; allowed\n", "key", key, "default", value, "unit", unit);
    for (const auto& p : model.parameters)
        fmt::print("  {:<{}}  {:<{}}  {:<{}}  {}; {}\n", p.key, key, to_text(p.default_value), value, p.unit() == "1" ? "-" : p.unit(),
                   unit, p.doc, p.allowed());
    fmt::print("\n");
}

void models_command(const std::string& name, bool json) {
    std::vector<ModelInfo> chosen;
    std::vector<std::string> names;
    for (auto& model : app::all_models()) {
        names.push_back(model.name);
        if (name.empty() || model.name == name) chosen.push_back(std::move(model));
    }
    if (chosen.empty()) throw Error(name, "no model, stimulus, rule, connector or table has this name" + suggestion(name, names), {});
    if (json) {
        nlohmann::ordered_json all = nlohmann::ordered_json::array();
        for (const auto& model : chosen) all.push_back(to_json(model));
        fmt::print("{}\n", all.dump(2));
    } else if (name.empty()) {
        for (const auto& model : chosen) fmt::print("{:<13} {:<22} {}\n", model.kind, model.name, model.summary);
        fmt::print("\nydot models NAME shows parameters, units, defaults, what is allowed, and the reference.\n");
    } else {
        for (const auto& model : chosen) print_one(model);
    }
}

}  // namespace

void add_models(CLI::App& app) {
    struct Arguments {
        std::string name;
        bool json = false;
    };
    auto arguments = std::make_shared<Arguments>();
    auto* models = app.add_subcommand("models", "List every neuron, source, stimulus, rule, connector and table of a description");
    models->footer("Example: ydot models poisson");
    models->add_option("NAME", arguments->name, "one of them, with its parameters")->type_name("");
    models->add_flag("--json", arguments->json, "for programs");
    models->callback([arguments] { models_command(arguments->name, arguments->json); });
}

void add_plot(CLI::App& app) {
    struct Arguments {
        std::vector<std::string> results;
        std::string what = "raster", out;
    };
    auto arguments = std::make_shared<Arguments>();
    auto* plot = app.add_subcommand(
        "plot", "Draw results: raster, rates, intervals, correlations, potentials, learning curve, fields, weights, digits");
    plot->footer("Example: ydot plot results/demo --what raster -o raster.svg");
    plot->add_option("RESULTS", arguments->results, "results directories, or single files of one")->required()->type_name("");
    plot->add_option("--what", arguments->what,
                     "one or more of raster, rates, isi, correlation, potentials, learning, fields, weights, digits, with commas "
                     "(default: raster)")
        ->type_name("NAMES");
    plot->add_option("-o,--output", arguments->out, "picture file (.png, .svg, .pdf)")->required()->type_name("FILE");
    plot->callback([arguments] {
        auto words = arguments->results;
        words.insert(words.end(), {"--what", arguments->what, "-o", arguments->out});
        for (const auto& name : app::draw_figures(words)) fmt::print("{}\n", name);
    });
}

void add_convert(CLI::App& app) {
    auto files = std::make_shared<std::pair<std::string, std::string>>();
    auto* convert = app.add_subcommand("convert", "Convert a spike file: .h5 (SONATA), .gdf, .csv, .npz");
    convert->footer("Example: ydot convert results/demo/spikes.h5 spikes.gdf");
    convert->add_option("IN", files->first, "spike file to read")->required()->type_name("");
    convert->add_option("OUT", files->second, "spike file to write; the end of its name is its format")->required()->type_name("");
    convert->callback([files] { data::convert_spikes(files->first, files->second); });
}

void add_data(CLI::App& app) {
    struct Arguments {
        std::string out;
        std::size_t train = 42000, test = 2000;
        std::uint64_t seed = 1;
    };
    auto arguments = std::make_shared<Arguments>();
    auto* data = app.add_subcommand("data", "Make data sets");
    data->footer("Example: ydot data digits digits --train 60000 --test 10000");
    data->require_subcommand(1);
    auto* digits = data->add_subcommand("digits", "Write the built-in drawn digits as IDX files with the names of MNIST");
    digits->footer("Example: ydot data digits digits --train 60000 --test 10000 --seed 1");
    auto positive = CLI::PositiveNumber;
    positive.description("");
    digits->add_option("OUT", arguments->out, "directory; must be new or empty")->required()->type_name("");
    digits->add_option("--train", arguments->train, "training images (default: 20000)")->check(positive)->type_name("N");
    digits->add_option("--test", arguments->test, "test images (default: 2000)")->check(positive)->type_name("N");
    digits->add_option("--seed", arguments->seed, "another seed, other digits (default: 1)")->type_name("N");
    digits->callback([arguments] {
        app::ResultsDirectory::check(arguments->out);
        data::write_idx_directory(arguments->out, ydot::data::drawn_digits(arguments->train, 0, arguments->test, arguments->seed));
        fmt::print("{} training and {} test digits in {}\n", arguments->train, arguments->test, arguments->out);
    });
}

}  // namespace ydot::cli
