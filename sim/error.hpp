#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace ydot {

/// The one exception type of the library. `what()` is a complete sentence for the user:
/// "net.toml:12:9: populations.exc.tau_m_ms: must be > 0, got -3".
/// A place that names the key itself ("--set run.dt_ms") is not followed by it.
/// `key()`, `reason()` and `where()` carry the parts for programs.
class Error : public std::runtime_error {
public:
    enum class Kind {
        bad_input,   ///< the user can mend it: exit code 2
        run_failure  ///< disk full, out of memory, ...: exit code 3
    };

    explicit Error(std::string reason, Kind kind = Kind::bad_input) : Error({}, std::move(reason), {}, kind) {}
    /// @param key     dotted path of the offending key or the file name; may be empty
    /// @param where   "file:line:column", "--set key" or empty
    Error(std::string key, std::string reason, std::string where, Kind kind = Kind::bad_input)
        : std::runtime_error(join(where, key, reason)),
          key_(std::move(key)),
          reason_(std::move(reason)),
          where_(std::move(where)),
          kind_(kind) {}

    const std::string& key() const noexcept { return key_; }
    const std::string& reason() const noexcept { return reason_; }
    const std::string& where() const noexcept { return where_; }
    Kind kind() const noexcept { return kind_; }

private:
    static std::string join(const std::string& where, const std::string& key, const std::string& reason) {
        std::string text = where.empty() ? "" : where + ": ";
        if (!key.empty() && where != "--set " + key) text += key + ": ";
        return text + reason;
    }
    std::string key_, reason_, where_;
    Kind kind_;
};

}  // namespace ydot
