#include "sim/alignment.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace ydot {
namespace {

double dot(std::span<const double> a, std::span<const double> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }
double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }
constexpr double degrees = 180 / std::numbers::pi;

}  // namespace

double angle_degrees(std::span<const double> a, std::span<const double> b) {
    const double length_a = norm(a), length_b = norm(b);
    double difference = 0, sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double x = a[k] / length_a, y = b[k] / length_b;
        difference += (x - y) * (x - y);
        sum += (x + y) * (x + y);
    }
    return 2 * std::atan2(std::sqrt(difference), std::sqrt(sum)) * degrees;
}

Alignment alignment_of(std::span<const double> change, std::span<const double> direction) {
    double agree = 0, count = 0;
    for (std::size_t k = 0; k < change.size(); ++k) {
        count += direction[k] != 0;
        agree += change[k] * direction[k] > 0;
    }
    return {angle_degrees(change, direction), norm(change) / norm(direction), agree / count};
}

Moments noise_free_angle_degrees(std::span<const std::vector<double>> changes, std::span<const double> direction) {
    const auto n = static_cast<double>(changes.size());
    std::vector<double> sum(direction.size()), along, length, with_sum;
    for (const auto& change : changes)
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += change[k];
    for (const auto& change : changes) {
        along.push_back(dot(change, direction));
        length.push_back(dot(change, change));
        with_sum.push_back(dot(change, sum));
    }
    const double all_along = std::accumulate(along.begin(), along.end(), 0.0),
                 all_length = std::accumulate(length.begin(), length.end(), 0.0);
    const auto angle = [&](double count, double product, double squared, double own) {
        const double pairs = (squared - own) / (count * (count - 1));  // mean product of two different measurements
        const double cosine = product / count / (norm(direction) * std::sqrt(pairs));
        // Beyond 1 the odd continuation.
        return cosine <= 1 ? std::acos(std::max(cosine, -1.0)) * degrees : -std::acos(std::max(2 - cosine, -1.0)) * degrees;
    };
    const double squared = dot(sum, sum), whole = angle(n, all_along, squared, all_length);
    if (changes.size() == 2) return {whole, std::nan(""), 2};
    std::vector<double> pseudo;
    for (std::size_t k = 0; k < changes.size(); ++k)
        pseudo.push_back(n * whole -
                         (n - 1) * angle(n - 1, all_along - along[k], squared - 2 * with_sum[k] + length[k], all_length - length[k]));
    return moments_of(pseudo);
}

}  // namespace ydot
