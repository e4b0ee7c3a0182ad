# Compile flags of everything in this tree. Directory scope on purpose: the rooms' installed targets must not pass our
# warnings on to those who link them.
# psabi: our vector types stay inside functions that are inlined. restrict: GCC 12 warns of its own std::string (PR 105651).
# maybe-uninitialized: GCC 12 warns of its own AVX-512 intrinsics wherever Eigen uses them (PR 105593).
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wno-psabi -Wno-restrict -Wno-maybe-uninitialized)

# Floating point. A run must give the same bits on every instruction set, so that a seed means the same result with and
# without YDOT_NATIVE, in debug and in release:
#   -ffp-contract=off    no silent fused multiply-add where the CPU has one (GCC's default would use it under -march=native).
#   -fno-math-errno      sqrt and friends inline; errno is never read here. Values do not change.
#   -fno-trapping-math   lets loops with comparisons vectorise; floating point traps are never enabled. Values do not change.
# Never -ffast-math: it reorders sums and drops NaN and infinity, and the bits would depend on the vector width.
# Outside our reach: exp, pow, ... of the C library, which may select a variant by CPU (glibc's differ in the last bit at most).
add_compile_options(-ffp-contract=off)
add_compile_options($<$<CONFIG:Release,RelWithDebInfo>:-fno-math-errno> $<$<CONFIG:Release,RelWithDebInfo>:-fno-trapping-math>)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")

if(YDOT_NATIVE)
    include(CheckCXXCompilerFlag)
    check_cxx_compiler_flag(-march=native YDOT_HAS_MARCH_NATIVE)
    if(YDOT_HAS_MARCH_NATIVE)
        add_compile_options(-march=native)
    endif()
endif()

if(YDOT_SANITIZE)
    add_compile_options(-fsanitize=${YDOT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${YDOT_SANITIZE})
    if(YDOT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # GCC warns that it does not model atomic_thread_fence; the fences are in oneTBB's headers.
        add_compile_options(-Wno-tsan)
    endif()
endif()
