#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace ydot {

/// The one exception type of the library. `what()` is a complete sentence for the user:
/// "net.toml:12:9: populations.exc.tau_m_ms: must be > 0, got -3".
/// `key()` and `reason()` carry the parts for programs.
class Error : public std::runtime_error {
public:
    enum class Kind {
        bad_input,   ///< the user can mend it: exit code 2
        run_failure  ///< disk full, out of memory, ...: exit code 3
    };

    explicit Error(std::string reason, Kind kind = Kind::bad_input) : Error({}, std::move(reason), {}, kind) {}
    /// @param key     dotted path of the offending key or the file name; may be empty
    /// @param where   "file:line:column" or empty
    Error(std::string key, std::string reason, std::string where, Kind kind = Kind::bad_input)
        : std::runtime_error(join(where, key, reason)), key_(std::move(key)), reason_(std::move(reason)), kind_(kind) {}

    const std::string& key() const noexcept { return key_; }
    const std::string& reason() const noexcept { return reason_; }
    Kind kind() const noexcept { return kind_; }

private:
    static std::string join(const std::string& where, const std::string& key, const std::string& reason) {
        std::string text;
        for (const auto* part : {&where, &key})
            if (!part->empty()) text += *part + ": ";
        return text + reason;
    }
    std::string key_, reason_;
    Kind kind_;
};

}  // namespace ydot
