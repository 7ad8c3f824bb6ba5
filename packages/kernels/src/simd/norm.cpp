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
    const bool past = streams(outer * length);
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        const Moments found = moments({1, length, length}, from);
        const float middle = centre ? found.mean : 0;
        mean[row] = found.mean;
        variance[row] = found.variance + (centre ? 0 : found.mean * found.mean);
        const float r = 1 / std::sqrt(variance[row] + epsilon);
        fill_row(y + row * length, length, past, [&](int64_t i, int64_t count) {
            prefetch(from + length + i);
            const Vec h = deviation(from + i, count, middle) * r;
            return h * factor(weight, i, count, 1) + factor(bias, i, count, 0);
        });
    });
}

namespace {

// The gradient of some rows, and what they add to the sums by weight and bias: several rows at
// once, so that these sums are loaded and stored once for all.
struct GradRows {
    const float *g, *x, *weight, *mean, *variance;
    float *x_grad, *by_weight, *by_bias;
    int64_t length;
    float epsilon;
    bool centre, past;

    template <int ROWS>
    void take(int64_t row) const {
        const float *d[ROWS], *from[ROWS];
        Vec level[ROWS] = {}, slope[ROWS] = {};
        float middle[ROWS], r[ROWS];
        for (int k = 0; k < ROWS; ++k) {
            d[k] = g + (row + k) * length, from[k] = x + (row + k) * length;
            middle[k] = centre ? mean[row + k] : 0;
            r[k] = 1 / std::sqrt(variance[row + k] + epsilon);
        }
        along(length, [&](int64_t i, int64_t count) {
            const Vec w = factor(weight, i, count, 1);
            Vec on_weight = load_up_to(by_weight + i, count),
                on_bias = load_up_to(by_bias + i, count);
            for (int k = 0; k < ROWS; ++k) {
                prefetch(d[k] + ROWS * length + i);
                const Vec v = load_up_to(d[k] + i, count),
                          h = deviation(from[k] + i, count, middle[k]) * r[k], scaled = v * w;
                on_weight += v * h, on_bias += v;
                level[k] += scaled, slope[k] += scaled * h;
            }
            store_up_to(by_weight + i, on_weight, count);
            store_up_to(by_bias + i, on_bias, count);
        });
        for (int k = 0; k < ROWS; ++k) {
            const float n = float(length), mean_slope = sum(slope[k]) / n,
                        mean_level = centre ? sum(level[k]) / n : 0;
            fill_row(x_grad + (row + k) * length, length, past, [&](int64_t i, int64_t count) {
                prefetch(from[k] + ROWS * length + i);
                const Vec scaled = load_up_to(d[k] + i, count) * factor(weight, i, count, 1);
                const Vec h = deviation(from[k] + i, count, middle[k]) * r[k];
                return (scaled - mean_level - h * mean_slope) * r[k];
            });
        }
    }
};

}  // namespace

void layer_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t outer, int64_t length, float epsilon, bool centre) {
    // Rows in a number of groups that depends on the shape alone, each with its sums by weight and
    // bias.
    const int64_t groups =
        std::max<int64_t>(1, std::min<int64_t>({16, outer, outer * length >> 14}));
    float* sums = scratch(0, groups * length * 2);
    const bool past = streams(outer * length);
    parallel(groups, [&](int64_t group) {
        float *by_weight = sums + group * length * 2, *by_bias = by_weight + length;
        std::fill_n(by_weight, length * 2, 0.0f);
        const GradRows rows{g,         x,       weight, mean,    variance, x_grad,
                            by_weight, by_bias, length, epsilon, centre,   past};
        const int64_t end = (group + 1) * outer / groups;
        int64_t row = group * outer / groups;
        for (; row + 2 <= end; row += 2) rows.take<2>(row);
        for (; row < end; ++row) rows.take<1>(row);
        settle();
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
