// Pooling over windows of images: `images` counts planes (one image's channel), groups, in and out
// are 1. The lanes of vectors are planes for the largest element, the windows of a row for sums.
#include <algorithm>

#include "halves.hpp"
#include "lanes.hpp"
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

// Planes as the lanes of vectors, WIDTH of them at a time.
int64_t lane_groups(const Conv& c) { return (c.images + WIDTH - 1) / WIDTH; }

template <class Float>
Planes<Float> lanes_of(const Conv& c, Float* x, int64_t group, int64_t high, int64_t wide) {
    return {x + group * WIDTH * high * wide, std::min<int64_t>(WIDTH, c.images - group * WIDTH),
            high * wide, wide};
}

// body(y, x, place of the window's first tap, ranges of its taps) for windows of rows begin .. end
// - 1.
template <class Body>
void for_lane_windows(const Conv& c, int64_t begin, int64_t end, const Body& body) {
    for (int64_t y = begin; y < end; ++y) {
        const int64_t top = y * c.stride_y - c.padding_y;
        const Range down = taps(top, c.kernel_y, c.dilation_y, c.height);
        for (int64_t x = 0; x < c.out_width; ++x) {
            const int64_t left = x * c.stride_x - c.padding_x;
            body(y * c.out_width + x, top * c.width + left, down,
                 taps(left, c.kernel_x, c.dilation_x, c.width));
        }
    }
}

// step(place) for the taps of a window.
template <class Step>
inline void for_places(const Conv& c, int64_t first, const Range& down, const Range& across,
                       const Step& step) {
    for (int64_t ky = down.begin; ky < down.end; ++ky)
        for (int64_t kx = across.begin; kx < across.end; ++kx)
            step(first + ky * c.dilation_y * c.width + kx * c.dilation_x);
}

}  // namespace

void max_pool(const Conv& c, const float* x, float* y) {
    if (halves(c)) return halve(c, x, y);
    // Bands of rows whose pixels stay in the L2 cache.
    const int64_t most = std::max<int64_t>(1, (1 << 11) / (c.width * c.stride_y));
    const int64_t bands = (c.out_height + most - 1) / most;
    for_rows(lane_groups(c) * bands, c.height * c.width * WIDTH / bands, [&](int64_t task) {
        const int64_t group = task / bands, begin = task % bands * c.out_height / bands,
                      end = (task % bands + 1) * c.out_height / bands;
        const int64_t top = std::max<int64_t>(0, begin * c.stride_y - c.padding_y);
        const int64_t bottom =
            std::clamp((end - 1) * c.stride_y - c.padding_y + (c.kernel_y - 1) * c.dilation_y + 1,
                       top, c.height);
        float* pixels = scratch(0, (bottom - top) * c.width * WIDTH);
        float* made = scratch(1, (end - begin) * c.out_width * WIDTH);
        to_lanes(lanes_of(c, x, group, c.height, c.width), {top, 0, bottom - top, c.width}, pixels,
                 c.width);
        for_lane_windows(c, begin, end, [&](int64_t at, int64_t first, Range down, Range across) {
            Vec largest = splat(LOWEST);
            for_places(c, first - top * c.width, down, across, [&](int64_t place) {
                largest = maximum(load(pixels + place * WIDTH), largest);
            });
            store(made + (at - begin * c.out_width) * WIDTH, largest);
        });
        from_lanes(made, c.out_width, lanes_of(c, y, group, c.out_height, c.out_width),
                   {begin, 0, end - begin, c.out_width});
    });
}

namespace {

// Rows of an image, those of the outputs whose windows reach into them, and all that these look at.
struct Band {
    Range rows, outputs, seen;

    Band(const Conv& c, int64_t begin, int64_t end) : rows{begin, end} {
        const int64_t reach = (c.kernel_y - 1) * c.dilation_y;
        outputs.end = std::min((end - 1 + c.padding_y) / c.stride_y + 1, c.out_height);
        outputs.begin = std::clamp<int64_t>(
            (begin + c.padding_y - reach + c.stride_y - 1) / c.stride_y, 0, outputs.end);
        seen.begin = std::clamp<int64_t>(outputs.begin * c.stride_y - c.padding_y, 0, c.height);
        seen.end = std::clamp((outputs.end - 1) * c.stride_y - c.padding_y + reach + 1, seen.begin,
                              c.height);
    }
};

// winners[window] = the place of its first largest element; NaN is larger than everything.
void find_winners(const Conv& c, const Band& band, const float* pixels, float* winners) {
    const int64_t top = band.seen.begin * c.width;
    for_lane_windows(
        c, band.outputs.begin, band.outputs.end,
        [&](int64_t at, int64_t first, Range down, Range across) {
            const int64_t begin = down.begin * c.dilation_y * c.width + across.begin * c.dilation_x;
            Vec largest = splat(LOWEST);
            Ints winner = Ints{} + int32_t(first + begin);
            for_places(c, first, down, across, [&](int64_t place) {
                const Vec value = load(pixels + (place - top) * WIDTH);
                const Ints wins = ~(value <= largest) & (largest == largest);
                largest = select(wins, value, largest);
                winner = wins ? Ints{} + int32_t(place) : winner;
            });
            store(winners + (at - band.outputs.begin * c.out_width) * WIDTH, (Vec)winner);
        });
}

// The windows that may have a row's or a column's pixels as taps, for one after another of these.
struct Around {
    int64_t stride, padding, reach, count;
    Range windows{0, 0};

    void move_to(int64_t pixel) {
        while (windows.end < count && windows.end * stride - padding <= pixel) ++windows.end;
        while (windows.begin < windows.end && windows.begin * stride - padding + reach < pixel)
            ++windows.begin;
    }
};

// made[pixel] = the sum of what the windows that it won have in `maps`.
void give_to_winners(const Conv& c, const Band& band, const float* winners, const float* maps,
                     float* made) {
    Around down{c.stride_y, c.padding_y, (c.kernel_y - 1) * c.dilation_y, c.out_height};
    for (int64_t y = band.rows.begin; y < band.rows.end; ++y) {
        down.move_to(y);
        Around across{c.stride_x, c.padding_x, (c.kernel_x - 1) * c.dilation_x, c.out_width};
        for (int64_t x = 0; x < c.width; ++x, made += WIDTH) {
            across.move_to(x);
            const int32_t place = int32_t(y * c.width + x);
            Vec sums{};
            for (int64_t wy = down.windows.begin; wy < down.windows.end; ++wy) {
                const int64_t row = (wy - band.outputs.begin) * c.out_width;
                for (int64_t wx = across.windows.begin; wx < across.windows.end; ++wx) {
                    const Ints winner = (Ints)load(winners + (row + wx) * WIDTH);
                    sums += select(winner == place, load(maps + (row + wx) * WIDTH), Vec{});
                }
            }
            store(made, sums);
        }
    }
}

}  // namespace

// g goes to the first largest element of its window.
void max_pool_grad(const Conv& c, const float* g, const float* x, float* x_grad) {
    if (halves(c)) return halve_grad(c, g, x, x_grad);
    // Bands that stay in the L2 cache, but are not small beside what they look at around them.
    const int64_t most = std::max((1 << 11) / c.width, 4 * c.kernel_y * c.dilation_y);
    const int64_t bands = (c.height + most - 1) / most;
    const bool past = streams(c.images * c.height * c.width);
    for_rows(lane_groups(c) * bands, c.height * c.width * WIDTH / bands, [&](int64_t task) {
        const int64_t group = task / bands, index = task % bands;
        const Band band(c, index * c.height / bands, (index + 1) * c.height / bands);
        const auto [rows, outputs, seen] = band;
        const int64_t windows = (outputs.end - outputs.begin) * c.out_width * WIDTH;
        float *pixels = scratch(0, (seen.end - seen.begin) * c.width * WIDTH),
              *maps = scratch(1, windows), *winners = scratch(2, windows),
              *made = scratch(3, (rows.end - rows.begin) * c.width * WIDTH);
        to_lanes(lanes_of(c, x, group, c.height, c.width),
                 {seen.begin, 0, seen.end - seen.begin, c.width}, pixels, c.width);
        to_lanes(lanes_of(c, g, group, c.out_height, c.out_width),
                 {outputs.begin, 0, outputs.end - outputs.begin, c.out_width}, maps, c.out_width);
        find_winners(c, band, pixels, winners);
        give_to_winners(c, band, winners, maps, made);
        from_lanes(made, c.width, lanes_of(c, x_grad, group, c.height, c.width),
                   {rows.begin, 0, rows.end - rows.begin, c.width}, past);
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
