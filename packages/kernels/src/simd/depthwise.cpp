// Depthwise convolution, each channel with a kernel of its own. Forward, sums of some rows stay in
// registers while the taps go by, over a copy of the plane in a frame of zeros; by weight, the sums
// of some taps do while the rows go by; by input, there is a pass over the rows for every tap.
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

constexpr int64_t DOWN = 4;    // output rows at a time: sums that need not wait for each other
constexpr int64_t ACROSS = 3;  // taps of a row at a time

// from[0], from[stride], ...: a vector, of which `count` elements matter.
template <int STRIDE>
inline Vec spaced(const float* from, int64_t stride, int64_t count) {
    if constexpr (STRIDE == 1) return load(from);
    if constexpr (STRIDE == 2) return every_second(load(from), load(from + WIDTH));
    alignas(64) float lanes[WIDTH] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = from[i * stride];
    return load(lanes);
}

// A plane in its frame of zeros; vectors may read past the end, where there are zeros too.
const float* framed(const Conv& c, const float* plane) {
    const int64_t width = c.width + 2 * c.padding_x, height = c.height + 2 * c.padding_y;
    float* to = scratch(0, height * width + 2 * WIDTH);
    std::fill_n(to, height * width + 2 * WIDTH, 0.0f);
    for (int64_t y = 0; y < c.height; ++y)
        std::copy_n(plane + y * c.width, c.width, to + (c.padding_y + y) * width + c.padding_x);
    return to;
}

template <int STRIDE>
void convolve_plane(const Conv& c, const float* plane, const float* weight, float shift,
                    float* map) {
    const int64_t width = c.width + 2 * c.padding_x;
    for (int64_t oy = 0; oy < c.out_height; oy += DOWN)
        for (int64_t ox = 0; ox < c.out_width; ox += WIDTH) {
            const int64_t count = std::min<int64_t>(WIDTH, c.out_width - ox);
            const float* rows[DOWN];
            Vec sums[DOWN];
            for (int64_t r = 0; r < DOWN; ++r) {
                const int64_t y = std::min(oy + r, c.out_height - 1) * c.stride_y;
                rows[r] = plane + y * width + ox * c.stride_x;
                sums[r] = splat(shift);
            }
            for (int64_t ky = 0; ky < c.kernel_y; ++ky)
                for (int64_t kx = 0; kx < c.kernel_x; ++kx) {
                    const int64_t at = ky * c.dilation_y * width + kx * c.dilation_x;
                    const Vec factor = splat(weight[ky * c.kernel_x + kx]);
                    for (int64_t r = 0; r < DOWN; ++r)
                        sums[r] += factor * spaced<STRIDE>(rows[r] + at, c.stride_x, count);
                }
            for (int64_t r = 0; r < std::min(DOWN, c.out_height - oy); ++r)
                store_up_to(map + (oy + r) * c.out_width + ox, sums[r], count);
        }
}

// Adds to `sums` what each tap gathers of a plane: the sum of output elements times its inputs.
template <int STRIDE>
void correlate_plane(const Conv& c, const float* plane, const float* map, float* sums) {
    const int64_t width = c.width + 2 * c.padding_x;
    for (int64_t ky = 0; ky < c.kernel_y; ++ky)
        for (int64_t kx = 0; kx < c.kernel_x; kx += ACROSS) {
            const int64_t taps = std::min(ACROSS, c.kernel_x - kx);
            Vec parts[DOWN][ACROSS] = {};
            for (int64_t oy = 0; oy < c.out_height; oy += DOWN)
                for (int64_t ox = 0; ox < c.out_width; ox += WIDTH) {
                    const int64_t count = std::min<int64_t>(WIDTH, c.out_width - ox);
                    for (int64_t r = 0; r < DOWN; ++r) {
                        const int64_t y = std::min(oy + r, c.out_height - 1);
                        const Vec g =
                            y < oy + r ? Vec{} : load_up_to(map + y * c.out_width + ox, count);
                        const float* row =
                            plane + (y * c.stride_y + ky * c.dilation_y) * width + ox * c.stride_x;
                        for (int64_t j = 0; j < ACROSS; ++j) {
                            const int64_t at = (kx + std::min(j, taps - 1)) * c.dilation_x;
                            parts[r][j] += g * spaced<STRIDE>(row + at, c.stride_x, count);
                        }
                    }
                }
            for (int64_t j = 0; j < taps; ++j) {
                const Vec upper = parts[0][j] + parts[1][j], lower = parts[2][j] + parts[3][j];
                sums[ky * c.kernel_x + kx + j] += sum(upper + lower);
            }
        }
}

}  // namespace

bool is_depthwise(const Conv& c) { return c.in == 1 && c.out == 1; }

void depthwise(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    const int64_t size = c.height * c.width, out = c.out_height * c.out_width,
                  taps = c.kernel_y * c.kernel_x;
    const auto convolve = c.stride_x == 1   ? convolve_plane<1>
                          : c.stride_x == 2 ? convolve_plane<2>
                                            : convolve_plane<0>;
    for_rows(c.images * c.groups, out * taps, [&](int64_t plane) {
        const int64_t channel = plane % c.groups;
        convolve(c, framed(c, x + plane * size), weight + channel * taps,
                 bias ? bias[channel] : 0.0f, y + plane * out);
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
    const auto correlate = c.stride_x == 1   ? correlate_plane<1>
                           : c.stride_x == 2 ? correlate_plane<2>
                                             : correlate_plane<0>;
    for_rows(c.groups, c.images * out * taps, [&](int64_t channel) {
        float* to = weight_grad + channel * taps;
        std::fill_n(to, taps, 0.0f);
        for (int64_t image = 0; image < c.images; ++image) {
            const int64_t plane = image * c.groups + channel;
            correlate(c, framed(c, x + plane * size), g + plane * out, to);
        }
    });
}

}  // namespace tallow::ISA
