// Norms whose weights are one for each channel: batch norm, over images and pixels, a channel at a
// time; group norm, over some channels of an image, of which instance norm's are one; with their
// gradients.
//
// With h = (x - mean) r, r = 1 / sqrt(variance + epsilon), n elements in each group and d = g
// weight, the gradient by x is r (d - sum(d) / n - h sum(d h) / n). Batch norm may be followed by
// ReLU: then its result is at least 0, and g counts where it is above.
#include <cmath>

#include "moments.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr float LOWEST = -__builtin_huge_valf();

// to = (x - mean) scale + shift, at least `low`
void normalise(const Runs& runs, const float* x, float mean, float scale, float shift, float* to,
               float low = LOWEST) {
    runs.each_vector([&](int64_t i, int64_t count) {
        store_up_to(to + i, at_least(deviation(x + i, count, mean) * scale + shift, low), count);
    });
}

// g where batch norm gave what ReLU passed, else 0: it is computed again, as `normalise` does.
struct Passed {
    const float *g, *x;
    float mean, scale, shift;
    Vec operator()(int64_t i, int64_t count) const {
        const Vec y = deviation(x + i, count, mean) * scale + shift;
        return select(y > 0.0f, load_up_to(g + i, count), Vec{});
    }
};

// to = scale g - slope (x - mean) - level
template <class G>
void normalise_grad(const Runs& runs, const G& g, const float* x, float mean, float scale,
                    float slope, float level, float* to) {
    runs.each_vector([&](int64_t i, int64_t count) {
        const Vec flat = g(i, count) * scale - level;
        store_up_to(to + i, flat - slope * deviation(x + i, count, mean), count);
    });
}

}  // namespace

void batch_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t images, int64_t channels, int64_t size, float epsilon,
                bool relu) {
    for_rows(channels, images * size, [&](int64_t c) {
        const Runs runs{images, size, channels * size};
        const Moments found = moments(runs, x + c * size);
        mean[c] = found.mean, variance[c] = found.variance;
        const float scale = (weight ? weight[c] : 1) / std::sqrt(found.variance + epsilon);
        normalise(runs, x + c * size, found.mean, scale, bias ? bias[c] : 0, y + c * size,
                  relu ? 0 : LOWEST);
    });
}

void batch_norm_grad(const float* g, const float* x, const float* weight, const float* bias,
                     const float* mean, const float* variance, float* x_grad, float* weight_grad,
                     float* bias_grad, int64_t images, int64_t channels, int64_t size,
                     float epsilon, bool relu) {
    for_rows(channels, images * size, [&](int64_t c) {
        const Runs runs{images, size, channels * size};
        const int64_t at = c * size;
        const float root = std::sqrt(variance[c] + epsilon), r = 1 / root,
                    w = weight ? weight[c] : 1;
        auto channel = [&](const auto& d) {
            const GradSums sums(runs, d, x + at, mean[c]);
            weight_grad[c] = r * float(sums.along), bias_grad[c] = float(sums.level);
            const float n = float(runs.count()), scale = r * w;
            normalise_grad(runs, d, x + at, mean[c], scale, scale * r * weight_grad[c] / n,
                           scale * bias_grad[c] / n, x_grad + at);
        };
        if (relu)
            channel(Passed{g + at, x + at, mean[c], w / root, bias ? bias[c] : 0});
        else
            channel(Loaded{g + at});
    });
}

// y = x scale + shift, one of each for a channel; with `relu` at least 0.
void scale_shift(const float* x, const float* scale, const float* shift, float* y, int64_t images,
                 int64_t channels, int64_t size, bool relu) {
    const float low = relu ? 0 : LOWEST;
    for_rows(images * channels, size, [&](int64_t row) {
        const float *from = x + row * size, a = scale[row % channels], b = shift[row % channels];
        float* to = y + row * size;
        along(size, [&](int64_t i, int64_t count) {
            store_up_to(to + i, at_least(load_up_to(from + i, count) * a + b, low), count);
        });
    });
}

void group_norm(const float* x, const float* weight, const float* bias, float* y, float* mean,
                float* variance, int64_t images, int64_t groups, int64_t channels, int64_t size,
                float epsilon) {
    const int64_t length = channels * size;
    for_rows(images * groups, length, [&](int64_t row) {
        const Moments found = moments({1, length, 0}, x + row * length);
        mean[row] = found.mean, variance[row] = found.variance;
        const float r = 1 / std::sqrt(found.variance + epsilon);
        for (int64_t i = 0; i < channels; ++i) {
            const int64_t c = row % groups * channels + i, at = row * length + i * size;
            normalise({1, size, 0}, x + at, found.mean, r * (weight ? weight[c] : 1),
                      bias ? bias[c] : 0, y + at);
        }
    });
}

void group_norm_grad(const float* g, const float* x, const float* weight, const float* mean,
                     const float* variance, float* x_grad, float* weight_grad, float* bias_grad,
                     int64_t images, int64_t groups, int64_t channels, int64_t size,
                     float epsilon) {
    const int64_t length = channels * size, all = groups * channels;
    float* shares = scratch(0, 2 * images * all);  // [image][channel][by weight, by bias]
    for_rows(images * groups, length, [&](int64_t row) {
        const float r = 1 / std::sqrt(variance[row] + epsilon), n = float(length);
        double level = 0, along_h = 0;
        for (int64_t i = 0; i < channels; ++i) {
            const int64_t place = row * channels + i;
            const float w = weight ? weight[place % all] : 1;
            const Loaded d{g + place * size};
            const GradSums sums({1, size, 0}, d, x + place * size, mean[row]);
            shares[2 * place] = r * float(sums.along), shares[2 * place + 1] = float(sums.level);
            along_h += w * shares[2 * place], level += w * shares[2 * place + 1];
        }
        for (int64_t i = 0; i < channels; ++i) {
            const int64_t place = row * channels + i;
            const float w = weight ? weight[place % all] : 1;
            const Loaded d{g + place * size};
            normalise_grad({1, size, 0}, d, x + place * size, mean[row], r * w,
                           r * r * float(along_h) / n, r * float(level) / n, x_grad + place * size);
        }
    });
    std::fill_n(weight_grad, all, 0.0f);
    std::fill_n(bias_grad, all, 0.0f);
    for (int64_t place = 0; place < images * all; ++place) {
        weight_grad[place % all] += shares[2 * place];
        bias_grad[place % all] += shares[2 * place + 1];
    }
}

}  // namespace tallow::ISA
