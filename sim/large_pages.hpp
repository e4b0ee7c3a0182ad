#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace ydot {

/// Puts arrays of several megabytes on large pages: synapses are read at random places, and large pages spare the processor most of
/// its address translation.
template <class T>
struct LargePages {
    using value_type = T;
    LargePages() = default;
    template <class U>
    LargePages(const LargePages<U>&) noexcept {}

    T* allocate(std::size_t count) {
        constexpr std::size_t page = std::size_t{1} << 21;
        const bool large = count * sizeof(T) >= 2 * page;
        const std::size_t unit = large ? page : 64, bytes = (count * sizeof(T) + unit - 1) / unit * unit;
        void* const memory = std::aligned_alloc(unit, bytes);
        if (!memory) throw std::bad_alloc();
        if (large) madvise(memory, bytes, MADV_HUGEPAGE);
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) noexcept { std::free(memory); }
    bool operator==(const LargePages&) const = default;
};

}  // namespace ydot
