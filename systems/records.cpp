#include "systems/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "app/share.hpp"
#include "app/toml_tree.hpp"

namespace ydot::systems {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// JSON knows no NaN: the file says null.
double number_of(const Json& json) { return json.is_null() ? nan : json.get<double>(); }

Json to_json(const app::GradientAlignment& g) {
    return {{"projection", g.projection}, {"angle_degrees", g.angle_degrees},   {"angle_error_degrees", g.angle_error_degrees},
            {"norm_ratio", g.norm_ratio}, {"sign_agreement", g.sign_agreement}, {"mean_field_angle_degrees", g.mean_field_angle_degrees}};
}

app::GradientAlignment alignment_from(const Json& json) {
    return {json.at("projection").get<std::string>(), number_of(json.at("angle_degrees")),  number_of(json.at("angle_error_degrees")),
            number_of(json.at("norm_ratio")),         number_of(json.at("sign_agreement")), number_of(json.at("mean_field_angle_degrees"))};
}

Json to_json(const app::LearningPoint& p) {
    Json json{{"images", p.images},
              {"epoch", p.epoch},
              {"seconds", p.seconds},
              {"train_error_percent", p.train_error_percent},
              {"validation_error_percent", p.validation_error_percent},
              {"learning_fraction", p.learning_fraction}};
    if (p.gradient.empty()) return json;
    auto& gradient = json["gradient"] = Json::array();
    for (const auto& g : p.gradient) gradient.push_back(to_json(g));
    return json;
}

app::LearningPoint point_from(const Json& json) {
    app::LearningPoint p;
    p.images = json.at("images").get<std::size_t>();
    p.epoch = number_of(json.at("epoch"));
    p.seconds = number_of(json.at("seconds"));
    p.train_error_percent = number_of(json.at("train_error_percent"));
    p.validation_error_percent = number_of(json.at("validation_error_percent"));
    p.learning_fraction = number_of(json.at("learning_fraction"));
    if (const auto gradient = json.find("gradient"); gradient != json.end())
        for (const auto& g : *gradient) p.gradient.push_back(alignment_from(g));
    return p;
}

Mode mode_from(const std::string& name) {
    const auto mode = detail::from_value<Mode>(Value(name), any_number);
    if (!mode) throw Error("mode must be one of rate, spiking, got " + to_text(Value(name)));
    return *mode;
}

Record record_from(const Json& json) {
    Record r;
    r.system = json.at("system").get<std::string>();
    r.run = json.at("run").get<std::string>();
    r.mode = mode_from(json.at("mode").get<std::string>());
    r.seed = json.at("seed").get<std::int64_t>();
    r.quick = json.at("quick").get<bool>();
    r.command = json.at("command").get<std::string>();
    r.description = json.value("description", "");
    r.data = json.at("data").get<std::string>();
    r.date = json.at("date").get<std::string>();
    r.processor = json.at("machine").at("processor").get<std::string>();
    r.threads = json.at("machine").at("threads").get<std::int64_t>();
    r.summary = json.at("summary");
    if (!r.summary.is_object()) throw Error("summary must be an object");
    for (const auto& p : json.at("curve")) r.curve.push_back(point_from(p));
    return r;
}

}  // namespace

double Record::number(const char* table, const std::string& key) const {
    const auto found = summary.find(table);
    if (found == summary.end()) return nan;
    const auto value = found->find(key);
    return value == found->end() || !value->is_number() ? nan : value->get<double>();
}

Json to_json(const Record& r) {
    Json json{{"system", r.system},
              {"run", r.run},
              {"mode", std::string(name_of(r.mode))},
              {"seed", r.seed},
              {"quick", r.quick},
              {"command", r.command},
              {"description", r.description},
              {"data", r.data},
              {"date", r.date},
              {"machine", {{"processor", r.processor}, {"threads", r.threads}}},
              {"summary", r.summary},
              {"curve", Json::array()}};
    for (const auto& p : r.curve) json["curve"].push_back(to_json(p));
    return json;
}

Record record_from(const std::string& text, const std::string& file_name) {
    try {
        return record_from(Json::parse(text));
    } catch (const std::exception& error) {
        throw Error(file_name, fmt::format("is no record of a run: {}", error.what()), {});
    }
}

std::string file_name(const Record& r) {
    return fmt::format("{}-{}-{}{}{}-seed{}.json", r.system, name_of(r.mode), r.run, r.data == drawn_digits ? "-drawn" : "",
                       r.quick ? "-quick" : "", r.seed);
}

fs::path write_record(const fs::path& directory, const Record& record) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) throw Error(directory.string(), "cannot be made: " + error.message(), {}, Error::Kind::run_failure);
    const auto file = directory / file_name(record);
    app::write_file(file, to_json(record).dump(1) + "\n");
    return file;
}

std::vector<Record> read_records(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<Record> records;
    for (const auto& file : files) records.push_back(record_from(app::tree::read_text(file), file.string()));
    return records;
}

fs::path default_records() { return app::share().directory / "docs" / "results"; }

}  // namespace ydot::systems
