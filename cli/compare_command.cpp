#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/compare.hpp"
#include "cli/commands.hpp"

namespace ydot::cli {
namespace {

struct CompareArguments {
    std::vector<std::string> results;
    app::CompareOptions options;
    std::optional<double> max_ks;
    bool json = false;
};

std::string text(double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : "-"; }

void print_table(const app::CompareResult& result, const CompareArguments& arguments) {
    std::size_t width = 10;
    for (const auto& p : result.populations) width = std::max(width, p.name.size());
    for (const auto& [letter, side] : {std::pair{"A", &result.a}, {"B", &result.b}})
        fmt::print("{}: {}, {:g} to {:g} ms\n", letter, side->path, side->start_ms, side->stop_ms);
    fmt::print("\n{:<{}}  {:<11}  {:>9}  {:>9}  {:>7}  {:>7}  {:>7}  {:>7}\n", "population", width, "quantity", "mean A", "mean B", "n A",
               "n B", "KS", "limit");
    for (const auto& p : result.populations)
        for (const auto& q : p.quantities)
            fmt::print("{:<{}}  {:<11}  {:>9}  {:>9}  {:>7}  {:>7}  {:>7}  {:>7}{}\n", &q == &p.quantities.front() ? p.name : "", width,
                       q.quantity, text(q.a.mean), text(q.b.mean), q.a.count, q.b.count, text(q.ks), text(q.limit),
                       q.ks > q.limit ? "  *" : "");
    for (const auto& [letter, side] : {std::pair{"A", &result.a}, {"B", &result.b}})
        if (!side->only_here.empty()) fmt::print("only in {}: {}\n", letter, fmt::join(side->only_here, ", "));
    const double length_a = result.a.stop_ms - result.a.start_ms, length_b = result.b.stop_ms - result.b.start_ms;
    if (std::abs(length_a - length_b) > 0.01 * length_a)
        fmt::print("the recordings differ in length, and so do their distributions: a short one scatters more and has few CVs\n");
    fmt::print("\n* above the limit, which results of one distribution exceed with probability {:g} at most if units are independent\n",
               arguments.options.alpha);
}

nlohmann::ordered_json to_json(const app::ComparedResult& side) {
    return {{"path", side.path}, {"start_ms", side.start_ms}, {"stop_ms", side.stop_ms}, {"only_here", side.only_here}};
}

nlohmann::ordered_json to_json(const app::Sample& sample) { return {{"mean", sample.mean}, {"count", sample.count}}; }

void print_json(const app::CompareResult& result, const CompareArguments& arguments, bool exceeded) {
    nlohmann::ordered_json json{{"a", to_json(result.a)}, {"b", to_json(result.b)}, {"alpha", arguments.options.alpha}};
    auto& populations = json["populations"] = nlohmann::ordered_json::object();
    for (const auto& p : result.populations)
        for (const auto& q : p.quantities)
            populations[p.name][q.quantity] = {{"ks", q.ks}, {"limit", q.limit}, {"a", to_json(q.a)}, {"b", to_json(q.b)}};
    json["largest_ks"] = result.largest_ks();
    if (arguments.max_ks) json["max_ks"] = *arguments.max_ks;
    json["exceeded"] = exceeded;
    fmt::print("{}\n", json.dump(2));
}

void print_table(const app::SpreadResult& result, const CompareArguments& arguments) {
    std::size_t width = 10, pairs = 0;
    for (const auto& p : result.populations) width = std::max(width, p.name.size()), pairs = p.quantities.front().pairs;
    fmt::print("{} results, {} pairs\n\n{:<{}}  {:<11}  {:>11}  {:>9}  {:>12}  {:>9}  {:>10}  {:>11}\n", arguments.results.size(), pairs,
               "population", width, "quantity", "lowest mean", "mean", "highest mean", "median KS", "largest KS", "above limit");
    for (const auto& p : result.populations)
        for (const auto& q : p.quantities)
            fmt::print("{:<{}}  {:<11}  {:>11}  {:>9}  {:>12}  {:>9}  {:>10}  {:>11}\n", &q == &p.quantities.front() ? p.name : "", width,
                       q.quantity, text(q.lowest_mean), text(q.mean), text(q.highest_mean), text(q.median_ks), text(q.largest_ks),
                       q.above_limit);
    fmt::print("\nthe limit: what a pair of results of one distribution exceeds with probability {:g} at most if units are independent\n",
               arguments.options.alpha);
}

void print_json(const app::SpreadResult& result, const CompareArguments& arguments, bool exceeded) {
    nlohmann::ordered_json json{{"results", arguments.results}, {"alpha", arguments.options.alpha}};
    auto& populations = json["populations"] = nlohmann::ordered_json::object();
    for (const auto& p : result.populations)
        for (const auto& q : p.quantities)
            populations[p.name][q.quantity] = {
                {"lowest_mean", q.lowest_mean}, {"mean", q.mean},   {"highest_mean", q.highest_mean}, {"median_ks", q.median_ks},
                {"largest_ks", q.largest_ks},   {"pairs", q.pairs}, {"above_limit", q.above_limit}};
    json["largest_ks"] = result.largest_ks();
    if (arguments.max_ks) json["max_ks"] = *arguments.max_ks;
    json["exceeded"] = exceeded;
    fmt::print("{}\n", json.dump(2));
}

/// @param missing  a population is not everywhere: that differs as much as can be
template <class Result>
void show(const Result& result, bool missing, const CompareArguments& arguments, int& exit_code) {
    const bool exceeded = arguments.max_ks && (missing || result.largest_ks() > *arguments.max_ks);
    if (arguments.json) print_json(result, arguments, exceeded);
    else print_table(result, arguments);
    if (exceeded) {
        if (missing) fmt::print(stderr, "ydot: not all populations are in all results\n");
        else fmt::print(stderr, "ydot: the largest KS distance, {:.4g}, is above --max-ks {:g}\n", result.largest_ks(), *arguments.max_ks);
        exit_code = 1;
    }
}

void compare_command(const CompareArguments& arguments, int& exit_code) {
    const auto& results = arguments.results;
    if (results.size() == 2) {
        const auto result = app::compare(results[0], results[1], arguments.options);
        show(result, !result.a.only_here.empty() || !result.b.only_here.empty(), arguments, exit_code);
    } else {
        const auto result = app::compare_all(results, arguments.options);
        show(result, result.missing, arguments, exit_code);
    }
}

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
    auto arguments = std::make_shared<CompareArguments>();
    auto* compare =
        app.add_subcommand("compare", "Compare the activity of results: distributions of rate, CV and correlation of two, or of all pairs");
    compare->footer("Example: ydot compare results/seed1 results/seed2 --max-ks 0.1");
    compare
        ->add_option("RESULT", arguments->results,
                     "two or more: results directory of a run without a schedule, or spike file (.h5, .gdf, .csv, .npz)")
        ->required()
        ->expected(2, 1000)
        ->type_name("");
    compare->add_flag("--json", arguments->json, "for programs");
    compare
        ->add_option("--max-ks", arguments->max_ks, "exit with 1 when a Kolmogorov-Smirnov distance is above X, or a population is missing")
        ->check(CLI::Range(0.0, 1.0).description(""))
        ->type_name("X");
    compare->add_option("--alpha", arguments->options.alpha, "of the limit that is printed with each distance (default: 0.001)")
        ->check(CLI::Range(1e-300, 1.0).description(""))
        ->type_name("P");
    compare->add_option("--start", arguments->options.start_ms, "of a spike file, in ms (default: that of the other result, or 0)")
        ->type_name("MS");
    compare
        ->add_option("--stop", arguments->options.stop_ms, "of a spike file, in ms (default: that of the other result, or the last spike)")
        ->type_name("MS");
    compare->callback([arguments, &exit_code] { compare_command(*arguments, exit_code); });
}

}  // namespace ydot::cli
