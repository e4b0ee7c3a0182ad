#pragma once
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cstddef>
#include <utility>

namespace ydot::test {

/// f() with so many threads, also where the machine has fewer cores.
template <class F>
auto with_threads(int threads, F&& f) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    tbb::task_arena arena(threads);
    return arena.execute(std::forward<F>(f));
}

}  // namespace ydot::test
