#include "systems/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/error.hpp"

namespace ydot::systems {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view how_to_read =
    R"(Every table is made from the records in [results](results), one file a run and seed, which hold the command that repeats the
run, its `summary.json` and its learning curve. `ydot systems` lists them; `ydot systems run ID --data $MNIST` makes them again, where `MNIST` is a directory with the four IDX files
of MNIST. The same seed gives the same figures for any number of threads.

Of the 60,000 training images the last 5,000 are held out; the weights of the point of the learning curve with the smallest error on them are those that are tested, once, on the 10,000
test images. Errors are in percent: mean ± standard deviation over seeds (number of seeds). "Angle" is the angle between what plasticity does to the weights of a projection and minus the
exact gradient of the rate reading, measured on a few dozen images; 0° is gradient descent, below 90° the error falls. "Without noise" is that of the mean field, with expected
spikes in place of spikes. Late in learning few of these images still have an error to learn from, and the measured angle is uncertain. A feedback projection that learns has a goal of its own, to agree with its
forward partner, so its angle need not be small.

)";

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \n"), end = text.find_last_not_of(" \n");
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

/// Stands in a cell of a table, which | would end.
std::string cell(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c == '\n' ? ' ' : c);
    return result;
}

std::string number_text(const Moments& m, const char* format) { return m.count ? fmt::format(fmt::runtime(format), m.mean) : "-"; }

bool has_records(const MeasuredSystem& s) {
    return std::any_of(s.runs.begin(), s.runs.end(), [](const auto& m) { return !m.records.empty(); });
}

std::string link_to(const System& system) {
    std::string anchor = system.id;
    std::transform(anchor.begin(), anchor.end(), anchor.begin(), [](unsigned char c) { return std::tolower(c); });
    return fmt::format("[{}](#{})", system.id, anchor);
}

std::string anchor(const System& system) {
    auto link = link_to(system);
    return fmt::format("<a name=\"{}\"></a>\n\n", link.substr(link.find('#') + 1, link.size() - link.find('#') - 2));
}

/// What the figures were measured on, where that is not what the papers speak of.
std::string caveat(const MeasuredRun& m) {
    if (m.records.empty()) return {};
    const auto& r = m.records.front();
    return (r.data == drawn_digits ? " on drawn digits" : "") + std::string(r.quick ? ", quick" : "");
}

std::string headline_cell(const MeasuredSystem& s, Mode mode) {
    const auto* m = s.headline(mode);
    return m ? m->figure_text() + caveat(*m) : "-";
}

std::string overview(const Measured& measured) {
    std::string text = "| id | system | source | published, % | rate | spiking |\n|---|---|---|---|---|---|\n";
    for (const auto& s : measured.systems)
        text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", link_to(*s.system), cell(s.system->name), cell(s.system->source),
                            std::isfinite(s.system->published_error_percent) ? fmt::format("{}", s.system->published_error_percent) : "-",
                            headline_cell(s, Mode::rate), headline_cell(s, Mode::spiking));
    return text + "\n";
}

/// Hours of all records that are counted, and the machines they were made on.
std::string machine_time(const Measured& measured) {
    double wall_s = 0, cpu_s = 0;
    std::size_t count = 0;
    std::set<std::string> machines, dates, versions;
    for (const auto& s : measured.systems)
        for (const auto& m : s.runs)
            for (const auto& r : m.records) {
                ++count;
                const auto add = [](double& sum, double x) { sum += std::isfinite(x) ? x : 0; };
                add(wall_s, r.timing("build_s"));
                add(wall_s, r.timing("run_s"));
                add(cpu_s, r.timing("cpu_s"));
                machines.insert(fmt::format("{}, {} thread{}", r.processor, r.threads, r.threads == 1 ? "" : "s"));
                dates.insert(r.date);
                versions.insert(r.summary.value("version", std::string("?")));
            }
    if (count == 0) return "There are no records yet.\n\n";
    return fmt::format("{} run{}, {:.2f} hours in all, {:.2f} of processor time; {}; {}; Ydot {}.\n\n", count, count == 1 ? "" : "s",
                       wall_s / 3600, cpu_s / 3600, fmt::join(machines, "; "),
                       dates.size() > 1 ? *dates.begin() + " to " + *dates.rbegin() : *dates.begin(), fmt::join(versions, ", "));
}

std::string bound_text(const MeasuredRun& m) {
    if (!m.run->has_bound()) return "-";
    const auto figure = m.figure();
    if (figure.count == 0) return fmt::format("≤ {}", m.run->bound);
    return fmt::format("≤ {}: {}", m.run->bound, figure.mean <= m.run->bound ? "reached" : "**not reached**");
}

std::string run_row(const MeasuredRun& m) {
    const auto minutes = m.metric("training_s");
    return fmt::format("| {} | {} | {}{} | {} | {} | {} | {} | {} | {} |\n", m.run->name, name_of(m.run->mode), m.figure_text(), caveat(m),
                       number_text(m.metric("validation_error_percent"), "{:.2f}"),
                       number_text(m.metric("untrained_test_error_percent"), "{:.1f}"), bound_text(m),
                       number_text(m.metric("chosen_epoch"), "{:.1f}") + " of " + number_text(m.metric("epochs"), "{:.3g}"),
                       number_text(m.metric("images_per_s"), "{:.0f}"), minutes.count ? fmt::format("{:.1f}", minutes.mean / 60) : "-");
}

std::string results_table(const MeasuredSystem& s) {
    if (!has_records(s)) return "Not measured yet.\n\n";
    std::string text =
        "| run | mode | test error | validation | untrained | bound | best epoch | images/s | training, min |\n"
        "|---|---|---|---|---|---|---|---|---|\n";
    for (const auto& m : s.runs)
        if (!m.records.empty()) text += run_row(m);
    return text + "\n";
}

std::string runs_list(const MeasuredSystem& s) {
    std::string text;
    for (const auto& m : s.runs) {
        text += fmt::format("- **{}** ({}): {}. Description: [{}](../examples/systems/{}).\n", m.run->name, name_of(m.run->mode),
                            m.run->what, m.run->file, m.run->file);
        if (!m.records.empty()) text += fmt::format("  `{}`\n", m.records.front().command);
    }
    return text + (text.empty() ? "" : "\n");
}

// ---- angles

using Alignment = app::GradientAlignment;

const Alignment* find_projection(const app::LearningPoint& point, const std::string& projection) {
    for (const auto& g : point.gradient)
        if (g.projection == projection) return &g;
    return nullptr;
}

/// The point whose weights were tested: that of the smallest validation error, the last of several.
const app::LearningPoint& chosen(const Record& r) {
    const auto* best = &r.curve.front();
    for (const auto& p : r.curve)
        if (!(p.validation_error_percent > best->validation_error_percent)) best = &p;
    return *best;
}

/// Names of the projections in the order of the description.
std::vector<std::string> projections_with_angles(const MeasuredRun& m) {
    std::vector<std::string> names;
    for (const auto& r : m.records)
        if (!r.curve.empty() && names.empty())
            for (const auto& g : r.curve.back().gradient) names.push_back(g.projection);
    return names;
}

/// Mean of independent measurements, and its standard error.
struct Estimate {
    double sum = 0, squares = 0;
    std::size_t count = 0;
    void add(double value, double error) {
        if (!std::isfinite(value)) return;
        sum += value;
        squares += std::isfinite(error) ? error * error : 0;
        ++count;
    }
    double mean() const { return sum / static_cast<double>(count); }
    double error() const { return std::sqrt(squares) / static_cast<double>(count); }
};

/// Over seeds, at the point of each learning curve that `point` picks.
template <class Point>
Estimate angle_at(const MeasuredRun& m, const std::string& projection, bool mean_field, Point&& point) {
    Estimate e;
    for (const auto& r : m.records)
        if (const auto* g = r.curve.empty() ? nullptr : find_projection(point(r), projection))
            e.add(mean_field ? g->mean_field_angle_degrees : g->angle_degrees, mean_field ? 0 : g->angle_error_degrees);
    return e;
}

std::string angle_text(const Estimate& e) {
    if (e.count == 0) return "-";
    return fmt::format("{:.0f}°", e.mean()) + (e.error() > 0 ? fmt::format(" ± {:.0f}°", e.error()) : "");
}

std::string angle_table(const MeasuredSystem& s) {
    const auto first = [](const Record& r) -> auto& { return r.curve.front(); };
    const auto tested = [](const Record& r) -> auto& { return chosen(r); };
    const auto last = [](const Record& r) -> auto& { return r.curve.back(); };
    std::string rows;
    for (const auto& m : s.runs)
        for (const auto& projection : projections_with_angles(m))
            rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", m.run->name, name_of(m.run->mode), cell(projection),
                                angle_text(angle_at(m, projection, false, first)), angle_text(angle_at(m, projection, false, tested)),
                                angle_text(angle_at(m, projection, true, tested)), angle_text(angle_at(m, projection, false, last)));
    if (rows.empty()) return {};
    return "Angle to the exact gradient, ± its standard error:\n\n"
           "| run | mode | projection | untrained | at the weights tested | the same, without noise | at the end "
           "|\n|---|---|---|---|---|---|---|\n" +
           rows + "\n";
}

// ---- figures

Json series_of(const std::string& name, bool line) {
    return {{"name", name}, {"x", Json::array()}, {"y", Json::array()}, {"error", Json::array()}, {"line", line}};
}

void add_point(Json& series, std::size_t images, double value, double error) {
    series["x"].push_back(images);
    series["y"].push_back(value);
    series["error"].push_back(error);
}

std::string curve_name(const MeasuredRun& m) { return fmt::format("{}, {}", m.run->name, name_of(m.run->mode)); }

/// Mean over seeds of the validation error at each number of images; the error is the standard deviation, where there is more than one.
Json error_curve(const MeasuredRun& m) {
    std::map<std::size_t, std::vector<double>> by_images;
    for (const auto& r : m.records)
        for (const auto& p : r.curve)
            if (std::isfinite(p.validation_error_percent) && p.images > 0) by_images[p.images].push_back(p.validation_error_percent);
    auto series = series_of(curve_name(m), true);
    for (const auto& [images, values] : by_images) {
        const auto moments = moments_of(values);
        add_point(series, images, moments.mean, moments.count > 1 ? std::sqrt(moments.variance) : 0);
    }
    return series;
}

constexpr double telling_degrees = 30;  ///< an angle with a larger standard error is not drawn

/// Mean over seeds of an angle and its standard error: points. Without noise, that of the mean field: a line.
Json angle_curve(const MeasuredRun& m, const std::string& projection, bool mean_field) {
    std::map<std::size_t, Estimate> by_images;
    for (const auto& r : m.records)
        for (const auto& p : r.curve)
            if (const auto* g = find_projection(p, projection); g && p.images > 0)
                by_images[p.images].add(mean_field ? g->mean_field_angle_degrees : g->angle_degrees,
                                        mean_field ? 0 : g->angle_error_degrees);
    auto series = series_of(curve_name(m) + (mean_field ? ", without noise" : ", measured"), mean_field);
    for (const auto& [images, e] : by_images)
        if (e.count > 0 && e.error() <= telling_degrees) add_point(series, images, e.mean(), e.error());
    return series;
}

Json panel(const std::string& y_label, bool y_log) {
    return {{"x_label", "training images shown"}, {"y_label", y_label}, {"x_log", false}, {"y_log", y_log}, {"series", Json::array()}};
}

void add_series(Json& to, Json series) {
    if (!series["x"].empty()) to["series"].push_back(std::move(series));
}

/// Beside the errors the angles of the first projection that has any: what feedback does shows where it ends.
Json figure_of(const MeasuredSystem& s) {
    Json errors = panel("validation error (%)", true), angles;
    for (const auto& m : s.runs) {
        add_series(errors, error_curve(m));
        const auto projections = projections_with_angles(m);
        if (projections.empty()) continue;
        if (angles.is_null()) angles = panel("angle to the gradient (degrees)", false);
        for (const bool mean_field : {false, true}) add_series(angles, angle_curve(m, projections.front(), mean_field));
    }
    Json panels = Json::array();
    for (const auto& p : {errors, angles})
        if (!p.is_null() && !p["series"].empty()) panels.push_back(p);
    return {{"name", s.system->id}, {"panels", panels}};
}

std::string picture_of(const MeasuredSystem& s, const std::vector<std::string>& pictures) {
    const auto& id = s.system->id;
    if (std::find(pictures.begin(), pictures.end(), id) == pictures.end()) return {};
    const auto caption =
        "Error on the held-out images, mean over seeds and standard deviation (band). Where angles to the exact gradient were measured, "
        "that of the first plastic projection stands beside it: points with their standard error (none above 30 degrees is drawn), and "
        "as a line the angle without noise.";
    return fmt::format("![Learning curves of {}](images/systems/{}.png)\n\n*{}*\n\n", id, id, caption);
}

std::string paragraph(std::string_view heading, std::string_view text) {
    return trimmed(text).empty() ? "" : fmt::format("**{}** {}\n\n", heading, trimmed(text));
}

std::string section(const MeasuredSystem& s, const std::vector<std::string>& pictures) {
    const auto& system = *s.system;
    std::string text = anchor(system) + fmt::format("## {}: {}\n\n{}.", system.id, system.name, system.source);
    if (!system.published.empty()) text += fmt::format(" Published: {}.", system.published);
    return text + "\n\n" + paragraph("What the paper says.", system.paper) + paragraph("What differs here.", system.differs) +
           results_table(s) + picture_of(s, pictures) + angle_table(s) + runs_list(s) +
           paragraph("What a neuroscientist learns from it.", system.lesson);
}

/// A directory that is gone with the object.
class Scratch {
public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "ydot_XXXXXX").string();
        if (!mkdtemp(name.data())) throw Error(name, "cannot be made", {}, Error::Kind::run_failure);
        path_ = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// @return the ids of the systems that were drawn
std::vector<std::string> draw(const Json& figures, const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) throw Error(directory.string(), "cannot be made: " + error.message(), {}, Error::Kind::run_failure);
    const Scratch scratch;
    const auto file = scratch.path() / "figures.json";
    app::write_file(file, figures.dump());
    std::vector<std::string> ids;
    for (const auto& name : app::draw_figures({"--panels", file.string(), directory.string()}))
        ids.push_back(fs::path(name).stem().string());
    return ids;
}

}  // namespace

nlohmann::ordered_json figures_of(const Measured& measured) {
    Json figures = Json::array();
    for (const auto& s : measured.systems)
        if (auto figure = figure_of(s); !figure["panels"].empty()) figures.push_back(std::move(figure));
    return {{"figures", figures}};
}

std::string to_markdown(const Measured& measured, const std::vector<std::string>& pictures) {
    std::string text =
        "# Systems\n\n*Made by `ydot systems report` from the catalogue (`examples/systems/catalogue.toml`) and the records; not to be "
        "edited.*\n\n";
    text += overview(measured) + machine_time(measured) + std::string(how_to_read);
    if (!measured.not_counted.empty()) {
        text += "Records that are not counted:\n\n";
        for (const auto& reason : measured.not_counted) text += "- " + reason + "\n";
        text += "\n";
    }
    for (const auto& s : measured.systems) text += section(s, pictures);
    text.pop_back();  // one of the two line ends
    return text;
}

WrittenReport write_report(const Measured& measured, const fs::path& file) {
    WrittenReport written;
    std::vector<std::string> pictures;
    const auto figures = figures_of(measured);
    try {
        if (!figures["figures"].empty()) pictures = draw(figures, fs::absolute(file).parent_path() / "images" / "systems");
    } catch (const Error& error) {  // the figures are measured: that there is nothing to draw with is no failure of theirs
        written.no_pictures = error.reason();
    }
    app::write_file(file, to_markdown(measured, pictures));
    written.files.push_back(file.string());
    for (const auto& id : pictures) written.files.push_back((file.parent_path() / "images" / "systems" / (id + ".png")).string());
    return written;
}

}  // namespace ydot::systems
