#pragma once
#include <Eigen/Dense>

namespace ydot {

/// A matrix or a block of one, column by column.
using ConstMatrixBlock = Eigen::Ref<const Eigen::MatrixXf, 0, Eigen::OuterStride<>>;
using MatrixBlock = Eigen::Ref<Eigen::MatrixXf, 0, Eigen::OuterStride<>>;

/// out += factor a b;  a: m x k, b: k x n, out: m x n. On the calling thread alone (oneDNN), so that whoever calls decides what runs where;
/// the bits depend on the sizes, not on threads.
void add_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out);
/// out += factor a^T b;  a: k x m.
void add_transposed_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out);
/// out += factor a b^T;  b: n x k.
void add_outer_product(float factor, const ConstMatrixBlock& a, const ConstMatrixBlock& b, MatrixBlock out);

}  // namespace ydot
