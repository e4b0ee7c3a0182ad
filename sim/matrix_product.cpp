#include "sim/matrix_product.hpp"

#include <dnnl.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>

#include <new>

namespace ydot {
namespace {

/// oneDNN would start threads of OpenMP beside those of oneTBB.
class OneThread {
public:
    OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~OneThread() { omp_set_num_threads(before_); }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    int before_;
};

/// Some of oneDNN's kernels run with the stack pointer inside a buffer of theirs on the heap. A signal handler that is called meanwhile has
/// its frame, some kilobytes with the wide registers, written over whatever lies below it; so signals wait until the product is done.
class SignalsWait {
public:
    SignalsWait() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsWait() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsWait(const SignalsWait&) = delete;
    SignalsWait& operator=(const SignalsWait&) = delete;

private:
    sigset_t before_;
};

/// oneDNN counts by rows: it is told of the transposed product, out^T += factor b^T a^T.
void add(float factor, const ConstMatrixBlock& a, char transpose_a, const ConstMatrixBlock& b, char transpose_b, Eigen::Index inner,
         MatrixBlock& out) {
    if (out.size() == 0 || inner == 0) return;
    const OneThread alone;
    const SignalsWait undisturbed;
    if (dnnl_sgemm(transpose_b, transpose_a, out.cols(), out.rows(), inner, factor, b.data(), b.outerStride(), a.data(), a.outerStride(),
                   1.0f, out.data(), out.outerStride()) != dnnl_success)
        throw std::bad_alloc();  // sizes are right, so that only memory for packed blocks can be missing
}

}  // namespace

void add_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out) {
    add(factor, a, 'N', b, 'N', a.cols(), out);
}

void add_transposed_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out) {
    add(factor, a, 'T', b, 'N', a.rows(), out);
}

void add_outer_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out) {
    add(factor, a, 'N', b, 'T', a.cols(), out);
}

}  // namespace ydot
