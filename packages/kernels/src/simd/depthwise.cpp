// Depthwise convolution, each channel with a kernel of its own: a pass over the rows for every tap.
#include "depthwise.hpp"

#include "rows.hpp"
#include "windows.hpp"

namespace tallow::ISA {
namespace {

// body(y, x, g row, x row, count) for each tap and each pair of rows that it joins: `count`
// elements of the output row from `g`, and of the input row from `x`, stride_x apart.
template <class Body>
void for_taps(const Conv& c, const float* map, const float* plane, const Body& body) {
    for (int64_t ky = 0; ky < c.kernel_y; ++ky) {
        const Span rows = rows_of(c, ky);
        for (int64_t oy = rows.begin; oy < rows.end; ++oy)
            for (int64_t kx = 0; kx < c.kernel_x; ++kx) {
                const Span columns = columns_of(c, kx);
                const int64_t at = oy * c.out_width + columns.begin;
                const int64_t from =
                    (oy * c.stride_y + rows.shift) * c.width + columns.begin * c.stride_x;
                body(ky * c.kernel_x + kx, map + at, plane + from + columns.shift,
                     columns.end - columns.begin);
            }
    }
}

// The sum of g[i] x[i * stride].
float dot(const float* g, const float* x, int64_t count, int64_t stride) {
    if (count <= 0) return 0;
    if (stride == 1)
        return sum(total(count, [&](int64_t i, int64_t n) {
            return load_up_to(g + i, n) * load_up_to(x + i, n);
        }));
    float sums[4] = {};
    for (int64_t i = 0; i < count; ++i) sums[i % 4] += g[i] * x[i * stride];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

bool is_depthwise(const Conv& c) { return c.in == 1 && c.out == 1; }

void depthwise(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    const int64_t size = c.height * c.width, out = c.out_height * c.out_width,
                  taps = c.kernel_y * c.kernel_x;
    for_rows(c.images * c.groups, out * taps, [&](int64_t plane) {
        const int64_t channel = plane % c.groups;
        float* map = y + plane * out;
        std::fill_n(map, out, bias ? bias[channel] : 0.0f);
        for_taps(c, map, x + plane * size,
                 [&](int64_t tap, const float* at, const float* from, int64_t count) {
                     const float factor = weight[channel * taps + tap];
                     float* to = map + (at - map);
                     if (c.stride_x == 1)
                         for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
                     else
                         for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i * c.stride_x];
                 });
    });
}

void depthwise_by_input(const Conv& c, const float* g, const float* weight, float* x_grad) {
    const int64_t size = c.height * c.width, out = c.out_height * c.out_width,
                  taps = c.kernel_y * c.kernel_x;
    for_rows(c.images * c.groups, out * taps, [&](int64_t plane) {
        const float* factors = weight + plane % c.groups * taps;
        float* to = x_grad + plane * size;
        std::fill_n(to, size, 0.0f);
        for_taps(c, g + plane * out, to,
                 [&](int64_t tap, const float* from, const float* at, int64_t count) {
                     add_spaced(from, factors[tap], count, to + (at - to), c.stride_x);
                 });
    });
}

void depthwise_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    const int64_t size = c.height * c.width, out = c.out_height * c.out_width,
                  taps = c.kernel_y * c.kernel_x;
    for_rows(c.groups, c.images * out * taps, [&](int64_t channel) {
        float* to = weight_grad + channel * taps;
        std::fill_n(to, taps, 0.0f);
        for (int64_t image = 0; image < c.images; ++image) {
            const int64_t plane = image * c.groups + channel;
            for_taps(c, g + plane * out, x + plane * size,
                     [&](int64_t tap, const float* at, const float* from, int64_t count) {
                         to[tap] += dot(at, from, count, c.stride_x);
                     });
        }
    });
}

}  // namespace tallow::ISA
