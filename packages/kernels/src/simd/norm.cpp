// Batch norm (over images and pixels, a channel at a time) and layer norm (over the last axis),
// with their gradients.
//
// With h = (x - mean) r, r = 1 / sqrt(variance + epsilon), n elements in each group and d = g
// weight, the gradient by x is r (d - sum(d) / n - h sum(d h) / n).
#include <cmath>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t SPAN = 4096;  // elements summed in float; the sums of spans are summed in double

// The sum of f(i, count) over a row, in double every SPAN elements.
template <class F>
double accurate_total(int64_t n, const F& f) {
    double sums = 0;
    for (int64_t begin = 0; begin < n; begin += SPAN)
        sums += sum(total(std::min(SPAN, n - begin),
                          [&](int64_t i, int64_t count) { return f(begin + i, count); }));
    return sums;
}

// A vector of deviations from the mean; past the end of a row 0.
inline Vec deviation(const float* x, int64_t count, float mean) {
    return load_up_to(x, count, mean) - mean;
}

// One group's elements: `parts` runs of `size`, `step` apart. Batch norm's channel has a run in
// each image.
struct Runs {
    int64_t parts, size, step;
    int64_t count() const { return parts * size; }

    template <class F>
    double sum_of(const F& f) const {
        double sums = 0;
        for (int64_t p = 0; p < parts; ++p)
            sums += accurate_total(
                size, [&](int64_t i, int64_t count) { return f(p * step + i, count); });
        return sums;
    }
    template <class F>
    void each_vector(const F& f) const {
        for (int64_t p = 0; p < parts; ++p)
            along(size, [&](int64_t i, int64_t count) { f(p * step + i, count); });
    }
};

struct Moments {
    float mean, variance;
};

Moments moments(const Runs& runs, const float* x) {
    const double n = double(runs.count());
    const float mean =
        float(runs.sum_of([&](int64_t i, int64_t count) { return load_up_to(x + i, count); }) / n);
    const double squares = runs.sum_of([&](int64_t i, int64_t count) {
        const Vec d = deviation(x + i, count, mean);
        return d * d;
    });
    return {mean, float(squares / n)};
}

// weight or bias of layer norm: one for each place in the row; `rest` where there is none.
inline Vec factor(const float* values, int64_t i, int64_t count, float none) {
    return values ? load_up_to(values + i, count) : splat(none);
}

}  // namespace

void batch_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t images, int64_t channels, int64_t size, float epsilon) {
    for_rows(channels, images * size, [&](int64_t c) {
        const Runs runs{images, size, channels * size};
        const float* from = x + c * size;
        float* to = y + c * size;
        const Moments found = moments(runs, from);
        mean[c] = found.mean, variance[c] = found.variance;
        const float scale = (weight ? weight[c] : 1) / std::sqrt(found.variance + epsilon);
        const float shift = bias ? bias[c] : 0;
        runs.each_vector([&](int64_t i, int64_t count) {
            store_up_to(to + i, deviation(from + i, count, found.mean) * scale + shift, count);
        });
    });
}

void batch_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t images, int64_t channels, int64_t size, float epsilon) {
    for_rows(channels, images * size, [&](int64_t c) {
        const Runs runs{images, size, channels * size};
        const float *d = g + c * size, *from = x + c * size;
        float* to = x_grad + c * size;
        const float middle = mean[c], r = 1 / std::sqrt(variance[c] + epsilon),
                    n = float(runs.count());
        const float level =
            float(runs.sum_of([&](int64_t i, int64_t count) { return load_up_to(d + i, count); }));
        const float along_h =
            r * float(runs.sum_of([&](int64_t i, int64_t count) {
                return load_up_to(d + i, count) * deviation(from + i, count, middle);
            }));
        weight_grad[c] = along_h, bias_grad[c] = level;
        const float scale = r * (weight ? weight[c] : 1), slope = along_h * r / n,
                    mean_g = level / n;
        runs.each_vector([&](int64_t i, int64_t count) {
            const Vec centred = load_up_to(d + i, count) - mean_g;
            store_up_to(to + i, scale * (centred - slope * deviation(from + i, count, middle)),
                        count);
        });
    });
}

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
