#include "sim/parameters.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <utility>

using namespace ydot;

namespace {

enum class Shape { round, square };

struct Sample {
    double tau_m_ms = 10, v_rest_mV = -70;
    std::int64_t count = 1;
    std::int8_t small = 0;
    bool on = false;
    std::string label;
    Shape shape = Shape::round;
    std::vector<double> times_ms;
    std::vector<std::string> names;
};

}  // namespace

template <>
struct ydot::EnumNames<Shape> {
    static constexpr std::array<std::string_view, 2> names{"round", "square"};
};

namespace {

struct Pair {
    double tau_ms = 1;
    std::int64_t count = 2;
    static constexpr std::tuple fields{Field{"tau_ms", &Pair::tau_ms, "time constant", positive}, Field{"count", &Pair::count, "how many"}};
    bool operator==(const Pair&) const = default;
};

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

const Source here{"net.toml", 12, 9};

/// What a parameter says to a value.
template <class T>
std::string refusal(T Sample::*member, const char* key, Range range, Value value) {
    if (detail::from_value<T>(value, range)) return "accepted";
    const auto info = detail::info_of(Field{key, member, "", range}, Sample{});
    return message([&] { refuse_value("populations.exc", info, {std::move(value), here}); });
}

std::string after_place(const std::string& text) {
    const std::string place = "net.toml:12:9: populations.exc.";
    REQUIRE(text.substr(0, place.size()) == place);
    return text.substr(place.size());
}

}  // namespace

TEST_CASE("values are shown as a user would write them") {
    CHECK(to_text(true) == "true");
    CHECK(to_text(std::int64_t{3}) == "3");
    CHECK(to_text(3.0) == "3");
    CHECK(to_text(0.1) == "0.1");
    CHECK(to_text(1e-12) == "1e-12");
    CHECK(to_text(std::string("a \"b\"\n\\\x01")) == "\"a \\\"b\\\"\\n\\\\\\u0001\"");
    CHECK(to_text(std::vector<double>{1, 2.5}) == "[1, 2.5]");
    CHECK(to_text(std::vector<std::string>{"a", "b"}) == "[\"a\", \"b\"]");
    CHECK(to_text(std::vector<double>{}) == "[]");
}

TEST_CASE("a range says what it allows") {
    CHECK(any_number.text() == "any number");
    CHECK(positive.text() == "> 0");
    CHECK(not_negative.text() == ">= 0");
    CHECK(unit_interval.text() == ">= 0 and <= 1");
    CHECK(Range{0, 1, true, true}.text() == "> 0 and < 1");
    CHECK(Range{1, 4e9}.text() == ">= 1 and <= 4000000000");
}

TEST_CASE("the unit of a parameter is the suffix of its key") {
    const auto unit = [](const char* key) { return ParameterInfo{key, {}, 0.0, {}, {}}.unit(); };
    CHECK(unit("tau_m_ms") == "ms");
    CHECK(unit("rate_Hz") == "Hz");
    CHECK(unit("v_rest_mV") == "mV");
    CHECK(unit("weight_pA") == "pA");
    CHECK(unit("c_m_pF") == "pF");
    CHECK(unit("g_l_nS") == "nS");
    CHECK(unit("period_s") == "s");
    CHECK(unit("gain_per_mV") == "1/mV");
    CHECK(unit("learning_rate") == "1");
    CHECK(unit("size") == "1");
    CHECK(unit("s") == "1");
}

TEST_CASE("a parameter says what it allows") {
    const Sample s;
    CHECK(detail::info_of(Field{"tau_m_ms", &Sample::tau_m_ms, "", positive}, s).allowed() == "a number > 0");
    CHECK(detail::info_of(Field{"v_rest_mV", &Sample::v_rest_mV, ""}, s).allowed() == "a number");
    CHECK(detail::info_of(Field{"count", &Sample::count, "", Range{1}}, s).allowed() == "an integer >= 1");
    CHECK(detail::info_of(Field{"on", &Sample::on, ""}, s).allowed() == "true or false");
    CHECK(detail::info_of(Field{"label", &Sample::label, ""}, s).allowed() == "a text");
    CHECK(detail::info_of(Field{"shape", &Sample::shape, ""}, s).allowed() == "one of round, square");
    CHECK(detail::info_of(Field{"times_ms", &Sample::times_ms, "", not_negative}, s).allowed() == "a list of numbers >= 0");
    CHECK(detail::info_of(Field{"names", &Sample::names, ""}, s).allowed() == "a list of texts");
}

TEST_CASE("a refused number is told what is allowed, what it was and where") {
    const auto tau = [](Value value) { return after_place(refusal(&Sample::tau_m_ms, "tau_m_ms", positive, std::move(value))); };
    CHECK(tau(std::int64_t{-3}) == "tau_m_ms: must be > 0, got -3");
    CHECK(tau(-0.5) == "tau_m_ms: must be > 0, got -0.5");
    CHECK(tau(std::string("fast")) == "tau_m_ms: must be a number > 0, got \"fast\"");
    CHECK(tau(true) == "tau_m_ms: must be a number > 0, got true");
    CHECK(tau(std::vector<double>{1}) == "tau_m_ms: must be a number > 0, got [1]");
    CHECK(tau(std::numeric_limits<double>::infinity()) == "tau_m_ms: must be a finite number, got inf");
    CHECK(tau(std::nan("")) == "tau_m_ms: must be a finite number, got nan");
}

TEST_CASE("a refused integer is told from a number that is none") {
    const auto count = [](Value value) { return after_place(refusal(&Sample::count, "count", Range{1, 4e9}, std::move(value))); };
    CHECK(count(std::int64_t{0}) == "count: must be >= 1 and <= 4000000000, got 0");
    CHECK(count(2.5) == "count: must be an integer >= 1 and <= 4000000000, got 2.5");
    CHECK(after_place(refusal(&Sample::small, "small", any_number, std::int64_t{300})) ==
          "small: must be an integer that fits its type, got 300");
}

TEST_CASE("a refused choice, switch, text or list is told the allowed ones") {
    CHECK(after_place(refusal(&Sample::shape, "shape", any_number, std::string("suqare"))) ==
          "shape: must be one of round, square, got \"suqare\" (did you mean square?)");
    CHECK(after_place(refusal(&Sample::shape, "shape", any_number, std::string("blue"))) ==
          "shape: must be one of round, square, got \"blue\"");
    CHECK(after_place(refusal(&Sample::on, "on", any_number, std::int64_t{1})) == "on: must be true or false, got 1");
    CHECK(after_place(refusal(&Sample::label, "label", any_number, std::int64_t{1})) == "label: must be a text, got 1");
    CHECK(after_place(refusal(&Sample::times_ms, "times_ms", not_negative, std::vector<double>{1, -2})) ==
          "times_ms: must be a list of numbers >= 0, got [1, -2]");
    CHECK(after_place(refusal(&Sample::names, "names", any_number, std::string("a"))) == "names: must be a list of texts, got \"a\"");
}

TEST_CASE("an error carries its key and its reason for programs") {
    try {
        refuse_value("run", {"dt_ms", {}, 1.0, positive, {}}, {0.0, {}});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.key() == "run.dt_ms");
        CHECK(error.reason() == "must be > 0, got 0");
        CHECK(std::string(error.what()) == "run.dt_ms: must be > 0, got 0");
        CHECK(error.kind() == Error::Kind::bad_input);
    }
}

TEST_CASE("an error names its key once") {
    const Error set("run.dt_ms", "must be > 0", "--set run.dt_ms"), table("run", "must be a table", "--set run.dt_ms");
    CHECK(std::string(set.what()) == "--set run.dt_ms: must be > 0");
    CHECK(set.key() == "run.dt_ms");
    CHECK(set.where() == "--set run.dt_ms");
    CHECK(std::string(table.what()) == "--set run.dt_ms: run: must be a table");
}

TEST_CASE("an unknown key is told the nearest and all known ones") {
    const auto refused = [](const char* key, const std::vector<std::string>& known) {
        return message([&] { refuse_key("populations.exc", key, known, here); });
    };
    CHECK(refused("tau_ms", {"c_m_pF", "tau_m_ms"}) ==
          "net.toml:12:9: populations.exc.tau_ms: unknown key; did you mean tau_m_ms? Allowed: c_m_pF, tau_m_ms");
    CHECK(refused("colour", {"c_m_pF", "tau_m_ms"}) == "net.toml:12:9: populations.exc.colour: unknown key. Allowed: c_m_pF, tau_m_ms");
    CHECK(refused("colour", {}) == "net.toml:12:9: populations.exc.colour: unknown key; nothing can be set here");
    CHECK(message([] { refuse_key({}, "plot", {"plots"}, {}); }) == "plot: unknown key; did you mean plots? Allowed: plots");
}

TEST_CASE("the nearest name lies within a third of its length") {
    CHECK(nearest_name("gird", {"grid", "continuous"}) == "grid");  // a swap is one edit
    CHECK(nearest_name("continuuos", {"grid", "continuous"}) == "continuous");
    CHECK(nearest_name("contnus", {"grid", "continuous"}) == "continuous");  // three edits in ten letters
    CHECK(nearest_name("contns", {"grid", "continuous"}).empty());           // four
    CHECK(nearest_name("exd", {"exc", "inh"}) == "exc");                     // at least one edit is forgiven
    CHECK(nearest_name("b", {"a"}).empty());                                 // nothing in common
    CHECK(nearest_name("ab", {"xab", "abc", "ab"}) == "ab");                 // the nearest of all
    CHECK(nearest_name("x", {}).empty());
}

TEST_CASE("the nearest name is found without its unit") {
    const std::vector<std::string> keys{"size", "gate", "tau_m_ms", "tau_syn_ms", "rate_Hz", "lambda_max_Hz", "x_mV"};
    CHECK(nearest_name("tau_m", keys) == "tau_m_ms");
    CHECK(nearest_name("rate", keys) == "rate_Hz");  // nearer than gate
    CHECK(nearest_name("lambda_max", keys) == "lambda_max_Hz");
    CHECK(nearest_name("lamda_max", keys) == "lambda_max_Hz");
    CHECK(nearest_name("tau_m_s", keys) == "tau_m_ms");
    CHECK(nearest_name("y", keys).empty());
}

TEST_CASE("a struct comes back from its settings") {
    CHECK(read_fields<Pair>(write_fields(Pair{3.5, 4}), "pair") == Pair{3.5, 4});
    CHECK(read_fields<Pair>({}, "pair") == Pair{});
    CHECK(read_fields<Pair>({{"tau_ms", {std::int64_t{5}, {}}}}, "pair") == Pair{5, 2});  // an integer is a number
    CHECK(message([] { read_fields<Pair>({{"tau_ms", {0.0, here}}}, "pair"); }) == "net.toml:12:9: pair.tau_ms: must be > 0, got 0");
    CHECK(message([] {
              read_fields<Pair>({{"tau", {0.0, here}}}, "pair");
          }) == "net.toml:12:9: pair.tau: unknown key; did you mean tau_ms? Allowed: tau_ms, count");
}

TEST_CASE("a struct is described in the order of its fields with its defaults") {
    const auto infos = describe_fields<Pair>();
    REQUIRE(infos.size() == 2);
    CHECK(infos[0].key == "tau_ms");
    CHECK(infos[0].default_value == Value{1.0});
    CHECK(infos[1].key == "count");
    CHECK(infos[1].default_value == Value{std::int64_t{2}});
}
