// Products against double precision, for whole matrices and blocks of larger ones.
#include "sim/matrix_product.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <random>

#include "sim/parallel.hpp"

using namespace ydot;

namespace {

Eigen::MatrixXf numbers(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
    std::mt19937 engine(seed);
    Eigen::MatrixXf m(rows, columns);
    for (auto& x : m.reshaped()) x = static_cast<float>(engine()) / 4294967296.0f - 0.5f;
    return m;
}

/// Of sums of so many products of numbers below 1/2, each rounded: far more than the error that random roundings add up to.
double allowed(Eigen::Index terms) { return 0.25 * static_cast<double>(terms) * 6e-8; }

volatile sig_atomic_t signals_heard = 0, frames_off_stack = 0;
std::uintptr_t stack_low = 0, stack_high = 0;

extern "C" void note_frame(int) {
    const volatile char here = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(&here);
    signals_heard = signals_heard + 1;
    if (address < stack_low || address >= stack_high) frames_off_stack = frames_off_stack + 1;
}

}  // namespace

TEST_CASE("Products of matrices and of their transposes are added with their factor", "[analytic]") {
    for (const auto& [m, k, n] :
         {std::tuple<Eigen::Index, Eigen::Index, Eigen::Index>{1, 1, 1}, {10, 500, 100}, {129, 65, 3}, {500, 784, 1}, {17, 1, 33}}) {
        INFO(m << ' ' << k << ' ' << n);
        const Eigen::MatrixXf a = numbers(m, k, 1), b = numbers(k, n, 2), start = numbers(m, n, 3), at = a.transpose(), bt = b.transpose();
        const Eigen::MatrixXd wanted = start.cast<double>() - 2 * a.cast<double>() * b.cast<double>();
        Eigen::MatrixXf plain = start, transposed = start, outer = start;
        add_product(-2, a, b, plain);
        add_transposed_product(-2, at, b, transposed);
        add_outer_product(-2, a, bt, outer);
        for (const auto* out : {&plain, &transposed, &outer})
            CHECK((out->cast<double>() - wanted).cwiseAbs().maxCoeff() < 2 * allowed(k + 1));
    }
    Eigen::MatrixXf nothing(3, 0), kept = numbers(3, 2, 4);
    const Eigen::MatrixXf before = kept;
    add_product(1, nothing, Eigen::MatrixXf(0, 2), kept);
    CHECK(kept == before);
}

TEST_CASE("Blocks of matrices are multiplied where they lie, with the same bits on any thread", "[contract]") {
    const Eigen::MatrixXf a = numbers(300, 200, 1), b = numbers(200, 40, 2);
    Eigen::MatrixXf whole = Eigen::MatrixXf::Zero(300, 40), other = whole;
    const auto by_rows = [&](Eigen::MatrixXf& out) {
        parallel_for(300, 64, [&](std::size_t begin, std::size_t end) {
            const auto first = static_cast<Eigen::Index>(begin), count = static_cast<Eigen::Index>(end - begin);
            add_product(1, a.middleRows(first, count), b, out.middleRows(first, count));
        });
    };
    by_rows(whole);
    CHECK((whole.cast<double>() - a.cast<double>() * b.cast<double>()).cwiseAbs().maxCoeff() < allowed(200));
    tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    by_rows(other);
    CHECK(whole == other);
}

// oneDNN's kernels borrow the stack pointer: a handler that ran meanwhile (Ctrl-C) would write its frame over the heap.
TEST_CASE("Signal handlers do not run on memory of a product", "[contract]") {
    pthread_attr_t attributes;
    REQUIRE(pthread_getattr_np(pthread_self(), &attributes) == 0);
    void* low = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    stack_low = reinterpret_cast<std::uintptr_t>(low);
    stack_high = stack_low + size;

    struct sigaction noting {};
    struct sigaction before {};
    noting.sa_handler = note_frame;
    noting.sa_flags = SA_RESTART;
    REQUIRE(sigaction(SIGALRM, &noting, &before) == 0);
    const itimerval every_millisecond{{0, 1000}, {0, 1000}};
    const itimerval never{};
    setitimer(ITIMER_REAL, &every_millisecond, nullptr);
    const Eigen::MatrixXf a = numbers(500, 784, 1), b = numbers(784, 100, 2);
    Eigen::MatrixXf out = Eigen::MatrixXf::Zero(500, 100);
    for (int k = 0; k < 100'000 && signals_heard < 100; ++k) add_product(1e-3f, a, b, out);
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before, nullptr);
    CHECK(signals_heard >= 100);
    CHECK(frames_off_stack == 0);
}
