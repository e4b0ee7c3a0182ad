#pragma once

namespace ydot {

/// A list of models as a type; each room has one, so that a model is named once.
template <class... Models>
struct TypeList {
    /// f.template operator()<Model>() for each, in order.
    template <class F>
    static void for_each(F&& f) {
        (f.template operator()<Models>(), ...);
    }
};

}  // namespace ydot
