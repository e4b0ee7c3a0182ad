#include "sim/matrix_product.hpp"

#include <dnnl.h>
#include <omp.h>

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

/// oneDNN counts by rows: it is told of the transposed product, out^T += factor b^T a^T.
void add(float factor, const ConstMatrixBlock& a, char transpose_a, const ConstMatrixBlock& b, char transpose_b, Eigen::Index inner,
         MatrixBlock& out) {
    if (out.size() == 0 || inner == 0) return;
    const OneThread alone;
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
