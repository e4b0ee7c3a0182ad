#pragma once
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstddef>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace ydot {

/// How many threads parallel_for() may use here. A loop that is entered ten thousand times a second asks first.
inline std::size_t threads_at_hand() noexcept {
    return std::min(static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()),
                    tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

/// body(begin, end) over [0, count) in pieces of at most `grain`, on the threads of oneTBB, whose idle threads yield and sleep instead of
/// spinning. The one place where loops fork and join: Debian's libtbb is not instrumented, so ThreadSanitizer is told of both here.
template <class Body>
void parallel_for(std::size_t count, std::size_t grain, const Body& body) {
    using Block = tbb::blocked_range<std::size_t>;
#if defined(__SANITIZE_THREAD__)
    struct Loop {
        const Body& body;
        char fork, join;
    } loop{body, 0, 0};
    __tsan_release(&loop.fork);
    tbb::parallel_for(
        Block(0, count, grain),
        [p = &loop](const Block& range) __attribute__((no_sanitize("thread"))) {
            __tsan_acquire(&p->fork);
            p->body(range.begin(), range.end());
            __tsan_release(&p->join);
        },
        tbb::simple_partitioner{});
    __tsan_acquire(&loop.join);
#else
    tbb::parallel_for(
        Block(0, count, grain), [&body](const Block& range) { body(range.begin(), range.end()); }, tbb::simple_partitioner{});
#endif
}

}  // namespace ydot
