// Which way a convolution and its gradients are computed.
#include "depthwise.hpp"
#include "direct.hpp"
#include "gemm.hpp"
#include "rows.hpp"
#include "table.hpp"
#include "winograd.hpp"

namespace tallow::ISA {
namespace {

int64_t places(const Conv& c) { return c.kernel_y * c.kernel_x; }
int64_t pixels(const Conv& c) { return c.out_height * c.out_width; }

// 1 x 1, not spread: a product of matrices for each image, and one for all where they are a pixel.
bool is_product(const Conv& c) {
    return places(c) == 1 && c.groups == 1 && c.stride_y == 1 && c.stride_x == 1 &&
           c.padding_y == 0 && c.padding_x == 0;
}

// y (images, out, pixels) = W x, element (o, i) of W at out_step and in_step.
void multiply_pixels(int64_t images, int64_t in, int64_t out, int64_t count, const float* x,
                     const Matrix& w, const float* bias, float* y) {
    if (count == 1)
        return multiply_batch(
            {1, images, out, in, {x, in, 1, 0}, {w.data, w.column, w.row, 0}, y, bias});
    multiply_batch({images,
                    out,
                    count,
                    in,
                    {w.data, w.row, w.column, 0},
                    {x, count, 1, in * count},
                    y,
                    nullptr});
    if (bias)
        for_rows(images * out, count, [&](int64_t row) {
            for (int64_t k = 0; k < count; ++k) y[row * count + k] += bias[row % out];
        });
}

// At stride 1 the gradient by the input is a convolution of g with the turned weights.
Conv turned(const Conv& c) {
    Conv t = c;
    t.in = c.out, t.out = c.in;
    t.height = c.out_height, t.width = c.out_width;
    t.out_height = c.height, t.out_width = c.width;
    t.padding_y = c.dilation_y * (c.kernel_y - 1) - c.padding_y;
    t.padding_x = c.dilation_x * (c.kernel_x - 1) - c.padding_x;
    return t;
}

// weight (groups, out, in, ky, kx) -> (groups, in, out, ky, kx), turned by half a turn.
void rotate(const Conv& c, const float* weight, float* to) {
    const int64_t n = places(c);
    for (int64_t g = 0; g < c.groups; ++g)
        for (int64_t i = 0; i < c.in; ++i)
            for (int64_t o = 0; o < c.out; ++o) {
                const float* from = weight + ((g * c.out + o) * c.in + i) * n;
                for (int64_t k = 0; k < n; ++k) *to++ = from[n - 1 - k];
            }
}

}  // namespace

void conv(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    if (is_depthwise(c)) return depthwise(c, x, weight, bias, y);
    if (suits_winograd(c) && pays_to_transform_weights(c)) return winograd(c, x, weight, bias, y);
    if (is_product(c))
        return multiply_pixels(c.images, c.in, c.out, pixels(c), x, {weight, c.in, 1}, bias, y);
    direct(c, x, weight, bias, y);
}

void conv_by_input(const Conv& c, const float* g, const float* weight, float* x_grad) {
    const Conv t = turned(c);
    const bool inside = t.padding_y >= 0 && t.padding_x >= 0;
    if (is_depthwise(c)) {
        if (c.stride_y != 1 || c.stride_x != 1 || !inside)
            return depthwise_by_input(c, g, weight, x_grad);
        float* turned_weight = scratch(3, c.groups * places(c));
        rotate(c, weight, turned_weight);
        return depthwise(t, g, turned_weight, nullptr, x_grad);
    }
    if (inside && suits_winograd(t) && pays_to_transform_weights(t))
        return winograd_turned(t, g, weight, x_grad);
    if (is_product(c))
        return multiply_pixels(c.images, c.out, c.in, pixels(c), g, {weight, 1, c.in}, nullptr,
                               x_grad);
    direct_by_input(c, g, weight, x_grad);
}

void conv_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    if (is_depthwise(c)) return depthwise_by_weight(c, g, x, weight_grad);
    if (suits_winograd(c)) return winograd_by_weight(c, g, x, weight_grad);
    direct_by_weight(c, g, x, weight_grad);
}

}  // namespace tallow::ISA
