// Pooling over windows of images, a plane (one image's channel) at a time: `images` counts planes,
// groups, in and out are 1. Vectors run over the windows of a row.
#include <algorithm>

#include "rows.hpp"
#include "table.hpp"
#include "windows.hpp"

namespace tallow::ISA {
namespace {

// x[0], x[stride], ...: `count` of them, none at or past `end` being read.
inline Vec load_spaced(const float* x, int64_t stride, int64_t count, const float* end) {
    if (stride == 1) return load_up_to(x, count);
    if (stride == 2 && count == WIDTH && x + 2 * WIDTH <= end)
        return every_second(load(x), load(x + WIDTH));
    alignas(64) float lanes[WIDTH] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = x[i * stride];
    return load(lanes);
}

// Some windows of a row of which all taps lie within the image, or one window at its edge.
struct Windows {
    int64_t y, x, count;             // the first, among outputs
    int64_t ky, ky_end, kx, kx_end;  // the taps that count
};

struct Range {
    int64_t begin, end;
};

// The taps of one window that lie within the image, along one axis.
inline Range taps(int64_t start, int64_t kernel, int64_t dilation, int64_t size) {
    const int64_t begin = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    const int64_t end = start >= size ? 0 : (size - start - 1) / dilation + 1;
    return {begin, std::min(end, kernel)};
}

// body(windows) for all windows of a plane: vectors of those inside, single ones at the sides.
template <class Body>
void for_windows(const Conv& c, const Body& body) {
    const Span left = columns_of(c, 0), right = columns_of(c, c.kernel_x - 1);
    const int64_t begin = std::min(left.begin, c.out_width), end = std::max(right.end, begin);
    for (int64_t y = 0; y < c.out_height; ++y) {
        const Range down = taps(y * c.stride_y - c.padding_y, c.kernel_y, c.dilation_y, c.height);
        auto single = [&](int64_t x) {
            const Range across =
                taps(x * c.stride_x - c.padding_x, c.kernel_x, c.dilation_x, c.width);
            body(Windows{y, x, 1, down.begin, down.end, across.begin, across.end});
        };
        for (int64_t x = 0; x < begin; ++x) single(x);
        for (int64_t x = begin; x < end; x += WIDTH)
            body(Windows{y, x, std::min<int64_t>(WIDTH, end - x), down.begin, down.end, 0,
                         c.kernel_x});
        for (int64_t x = end; x < c.out_width; ++x) single(x);
    }
}

// step(values, place) for the taps of some windows: the place is relative to the first window's tap
// (0, 0), which may lie outside the image.
template <class Step>
inline void for_taps(const Conv& c, const Windows& w, const float* plane, const Step& step) {
    const float* end = plane + c.height * c.width;
    const int64_t start =
        (w.y * c.stride_y - c.padding_y) * c.width + w.x * c.stride_x - c.padding_x;
    for (int64_t ky = w.ky; ky < w.ky_end; ++ky)
        for (int64_t kx = w.kx; kx < w.kx_end; ++kx) {
            const int64_t place = ky * c.dilation_y * c.width + kx * c.dilation_x;
            step(load_spaced(plane + start + place, c.stride_x, w.count, end), int32_t(place));
        }
}

constexpr float LOWEST = -__builtin_huge_valf();

}  // namespace

void max_pool(const Conv& c, const float* x, float* y) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float* plane = x + image * c.height * c.width;
        float* map = y + image * c.out_height * c.out_width;
        for_windows(c, [&](const Windows& w) {
            Vec top = splat(LOWEST);
            for_taps(c, w, plane, [&](Vec value, int32_t) { top = maximum(value, top); });
            store_up_to(map + w.y * c.out_width + w.x, top, w.count);
        });
    });
}

// g goes to the first largest element of its window; NaN is larger than everything.
void max_pool_grad(const Conv& c, const float* g, const float* x, float* x_grad) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float *plane = x + image * c.height * c.width,
                    *map = g + image * c.out_height * c.out_width;
        float* to = x_grad + image * c.height * c.width;
        std::fill_n(to, c.height * c.width, 0.0f);
        for_windows(c, [&](const Windows& w) {
            Vec top{};
            Ints winner = Ints{} - 1;
            for_taps(c, w, plane, [&](Vec value, int32_t place) {
                const Ints wins = (winner < 0) | (value > top) | ((value != value) & (top == top));
                top = select(wins, value, top);
                winner = wins ? Ints{} + place : winner;
            });
            const float* d = map + w.y * c.out_width + w.x;
            const int64_t first =
                (w.y * c.stride_y - c.padding_y) * c.width + w.x * c.stride_x - c.padding_x;
            for (int64_t i = 0; i < w.count; ++i)
                if (winner[i] >= 0) to[first + i * c.stride_x + winner[i]] += d[i];
        });
    });
}

void pool_sum(const Conv& c, const float* x, float* y) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float* plane = x + image * c.height * c.width;
        float* map = y + image * c.out_height * c.out_width;
        for_windows(c, [&](const Windows& w) {
            Vec total{};
            for_taps(c, w, plane, [&](Vec value, int32_t) { total += value; });
            store_up_to(map + w.y * c.out_width + w.x, total, w.count);
        });
    });
}

// The adjoint of pool_sum.
void pool_spread(const Conv& c, const float* g, float* x_grad) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float* map = g + image * c.out_height * c.out_width;
        float* to = x_grad + image * c.height * c.width;
        std::fill_n(to, c.height * c.width, 0.0f);
        for (int64_t ky = 0; ky < c.kernel_y; ++ky) {
            const Span down = rows_of(c, ky);
            for (int64_t y = down.begin; y < down.end; ++y)
                for (int64_t kx = 0; kx < c.kernel_x; ++kx) {
                    const Span across = columns_of(c, kx);
                    const int64_t row = (y * c.stride_y + down.shift) * c.width;
                    add_spaced(map + y * c.out_width + across.begin, 1, across.end - across.begin,
                               to + row + across.begin * c.stride_x + across.shift, c.stride_x);
                }
        }
    });
}

}  // namespace tallow::ISA
