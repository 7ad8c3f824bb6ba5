// Layer norm, over the last axis, with its gradient.
//
// With h = (x - mean) r, r = 1 / sqrt(variance + epsilon), n elements in each group and d = g
// weight, the gradient by x is r (d - sum(d) / n - h sum(d h) / n).
#include <cmath>

#include "moments.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// weight or bias of layer norm: one for each place in the row; `rest` where there is none.
inline Vec factor(const float* values, int64_t i, int64_t count, float none) {
    return values ? load_up_to(values + i, count) : splat(none);
}

}  // namespace

void layer_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t outer, int64_t length, float epsilon, bool centre) {
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        float* to = y + row * length;
        const Moments found = moments({1, length, length}, from);
        const float middle = centre ? found.mean : 0;
        mean[row] = found.mean;
        variance[row] = found.variance + (centre ? 0 : found.mean * found.mean);
        const float r = 1 / std::sqrt(variance[row] + epsilon);
        along(length, [&](int64_t i, int64_t count) {
            const Vec h = deviation(from + i, count, middle) * r;
            store_up_to(to + i, h * factor(weight, i, count, 1) + factor(bias, i, count, 0), count);
        });
    });
}

void layer_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t outer, int64_t length, float epsilon, bool centre) {
    // Rows in a number of groups that depends on the shape alone, each with its sums by weight and
    // bias.
    const int64_t groups =
        std::max<int64_t>(1, std::min<int64_t>({16, outer, outer * length >> 14}));
    float* sums = scratch(0, groups * length * 2);
    parallel(groups, [&](int64_t group) {
        float *by_weight = sums + group * length * 2, *by_bias = by_weight + length;
        std::fill_n(by_weight, length * 2, 0.0f);
        for (int64_t row = group * outer / groups; row < (group + 1) * outer / groups; ++row) {
            const float *d = g + row * length, *from = x + row * length;
            float* to = x_grad + row * length;
            const float middle = centre ? mean[row] : 0, r = 1 / std::sqrt(variance[row] + epsilon),
                        n = float(length);
            Vec along_h{};
            const float level_sum = sum(total(length, [&](int64_t i, int64_t count) {
                const Vec v = load_up_to(d + i, count), h = deviation(from + i, count, middle) * r;
                const Vec scaled = v * factor(weight, i, count, 1);
                store_up_to(by_weight + i, load_up_to(by_weight + i, count) + v * h, count);
                store_up_to(by_bias + i, load_up_to(by_bias + i, count) + v, count);
                along_h += scaled * h;
                return scaled;
            }));
            const float level = centre ? level_sum / n : 0, slope = sum(along_h) / n;
            along(length, [&](int64_t i, int64_t count) {
                const Vec scaled = load_up_to(d + i, count) * factor(weight, i, count, 1);
                const Vec h = deviation(from + i, count, middle) * r;
                store_up_to(to + i, (scaled - level - h * slope) * r, count);
            });
        }
    });
    std::fill_n(weight_grad, length, 0.0f);
    std::fill_n(bias_grad, length, 0.0f);
    for (int64_t group = 0; group < groups; ++group) {
        const float *by_weight = sums + group * length * 2, *by_bias = by_weight + length;
        along(length, [&](int64_t i, int64_t count) {
            store_up_to(weight_grad + i,
                        load_up_to(weight_grad + i, count) + load_up_to(by_weight + i, count),
                        count);
            store_up_to(bias_grad + i,
                        load_up_to(bias_grad + i, count) + load_up_to(by_bias + i, count), count);
        });
    }
}

}  // namespace tallow::ISA
