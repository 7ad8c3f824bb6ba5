// Convolution as matrix products over windows that are gathered while they are packed: the matrix
// of windows (in * kernel_y * kernel_x, pixels) is never formed. Chellapilla et al., "High
// Performance Convolutional Neural Networks for Document Processing", 2006, for the product; the 3
// x 3 case at stride 1 is in winograd.cpp.
#include "depthwise.hpp"
#include "gemm.hpp"
#include "table.hpp"
#include "windows.hpp"
#include "winograd.hpp"

namespace tallow::ISA {
namespace {

int64_t places(const Conv& c) { return c.kernel_y * c.kernel_x; }
int64_t pixels(const Conv& c) { return c.out_height * c.out_width; }
int64_t image_size(const Conv& c) { return c.in * c.height * c.width; }
int64_t map_size(const Conv& c) { return c.out * pixels(c); }

// A tap: the place (channel, y, x) of the kernel, as row `k` of the matrix of windows.
struct Tap {
    int64_t channel, y, x;
};

Tap tap_of(const Conv& c, int64_t k) {
    const int64_t place = k % places(c);
    return {k / places(c), place / c.kernel_x, place % c.kernel_x};
}

// One tap's values for output pixels first .. first + count - 1 of one image, written `step` apart.
void gather(const Conv& c, const float* image, const Tap& tap, int64_t first, int64_t count,
            float* to, int64_t step) {
    const float* plane = image + tap.channel * c.height * c.width;
    const int64_t left = tap.x * c.dilation_x - c.padding_x;
    int64_t oy = first / c.out_width, ox = first % c.out_width;
    while (count > 0) {
        const int64_t run = std::min(count, c.out_width - ox);
        const int64_t y = oy * c.stride_y - c.padding_y + tap.y * c.dilation_y;
        const float* row = plane + y * c.width;
        const bool inside = y >= 0 && y < c.height;
        int64_t x = ox * c.stride_x + left;
        if (inside && step == 1 && c.stride_x == 1 && x >= 0 && x + run <= c.width) {
            std::memcpy(to, row + x, size_t(run) * sizeof(float));
        } else {
            for (int64_t i = 0; i < run; ++i, x += c.stride_x)
                to[i * step] = inside && x >= 0 && x < c.width ? row[x] : 0;
        }
        to += run * step, count -= run;
        ++oy, ox = 0;
    }
}

// The matrix of windows (taps, pixels) as B of a product.
struct PackWindows {
    const Conv& c;
    const float* image;
    void operator()(int64_t pixel, int64_t columns, int64_t tap, int64_t depth, float* to) const {
        for (int64_t k = 0; k < depth; ++k, to += COLUMNS) {
            gather(c, image, tap_of(c, tap + k), pixel, columns, to, 1);
            for (int64_t j = columns; j < COLUMNS; ++j) to[j] = 0;
        }
    }
};

// Its transpose (pixels, taps).
struct PackTaps {
    const Conv& c;
    const float* image;
    void operator()(int64_t tap, int64_t columns, int64_t pixel, int64_t depth, float* to) const {
        for (int64_t j = 0; j < columns; ++j)
            gather(c, image, tap_of(c, tap + j), pixel, depth, to + j, COLUMNS);
        for (int64_t j = columns; j < COLUMNS; ++j)
            for (int64_t k = 0; k < depth; ++k) to[k * COLUMNS + j] = 0;
    }
};

void fill_bias(const Conv& c, const float* bias, float* y, int64_t first, int64_t count) {
    for (int64_t o = 0; o < c.out; ++o) std::fill_n(y + o * pixels(c) + first, count, bias[o]);
}

// The weights of all groups, packed once: (groups, strips).
const float* pack_weights(const Conv& c, const float* weight) {
    const int64_t depth = c.in * places(c), each_group = PackedRows::size(c.out, depth);
    float* packed = scratch(2, each_group * c.groups);
    parallel(c.groups, [&](int64_t group) {
        PackedRows::pack({weight + group * c.out * depth, depth, 1}, c.out, depth,
                         packed + group * each_group);
    });
    return packed;
}

// y of one image's group, for a band of pixels.
void convolve(const Conv& c, const float* x, const float* packed, const float* bias, float* y,
              int64_t first, int64_t count) {
    const int64_t depth = c.in * places(c);
    const PackedRows rows{packed, PackedRows::round_up(c.out)};
    if (bias) fill_bias(c, bias, y, first, count);
    auto columns = [&](int64_t pixel, int64_t wide, int64_t tap, int64_t deep, float* to) {
        PackWindows{c, x}(first + pixel, wide, tap, deep, to);
    };
    multiply(c.out, count, depth, rows, columns, y + first, pixels(c), bias != nullptr);
}

// How many bands the pixels of an image are cut into, so that there is work for all threads.
int64_t bands_of(const Conv& c) {
    const int64_t tasks = c.images * c.groups, threads = get_threads();
    const int64_t wanted = tasks >= 2 * threads ? 1 : (2 * threads + tasks - 1) / tasks;
    return std::max<int64_t>(1, std::min(wanted, pixels(c) / (4 * COLUMNS)));
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

// The adjoint of gather: adds one tap's values of rows first .. of the output to an image.
void scatter(const Conv& c, const float* from, const Tap& tap, int64_t first, int64_t rows,
             float* image) {
    float* plane = image + tap.channel * c.height * c.width;
    const Span down = rows_of(c, tap.y), across = columns_of(c, tap.x);
    for (int64_t oy = std::max(first, down.begin); oy < std::min(first + rows, down.end); ++oy) {
        float* row = plane + (oy * c.stride_y + down.shift) * c.width + across.begin * c.stride_x +
                     across.shift;
        add_spaced(from + (oy - first) * c.out_width + across.begin, 1, across.end - across.begin,
                   row, c.stride_x);
    }
}

// x_grad of one image's group: columns = weight^T g for some rows, then added where they were
// gathered.
void spread(const Conv& c, const float* g, const float* weight, float* x_grad) {
    const int64_t depth = c.in * places(c), all = pixels(c);
    const int64_t rows = std::clamp<int64_t>((1 << 16) / depth / c.out_width, 1, c.out_height);
    float* columns = scratch(2, depth * rows * c.out_width);
    std::fill_n(x_grad, image_size(c), 0.0f);
    for (int64_t first = 0; first < c.out_height; first += rows) {
        const int64_t high = std::min(rows, c.out_height - first), count = high * c.out_width;
        const Matrix maps{g + first * c.out_width, all, 1};
        multiply(depth, count, c.out, PackRows{{weight, 1, depth}}, PackColumns{maps}, columns,
                 count, false);
        for (int64_t k = 0; k < depth; ++k)
            scatter(c, columns + k * count, tap_of(c, k), first, high, x_grad);
    }
}

}  // namespace

void conv(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    if (is_depthwise(c)) return depthwise(c, x, weight, bias, y);
    if (suits_winograd(c) && pays_to_transform_weights(c)) return winograd(c, x, weight, bias, y);
    const float* packed = pack_weights(c, weight);
    const int64_t each_group = PackedRows::size(c.out, c.in * places(c)), bands = bands_of(c);
    const int64_t wide = band(pixels(c), bands, COLUMNS);
    parallel(c.images * c.groups * bands, [&](int64_t block) {
        const int64_t place = block / bands, group = place % c.groups, first = block % bands * wide;
        const int64_t count = std::min(wide, pixels(c) - first);
        if (count <= 0) return;
        convolve(c, x + place * image_size(c), packed + group * each_group,
                 bias ? bias + group * c.out : nullptr, y + place * map_size(c), first, count);
    });
}

void conv_by_input(const Conv& c, const float* g, const float* weight, float* x_grad) {
    const Conv t = turned(c);
    const bool each = is_depthwise(c), inside = t.padding_y >= 0 && t.padding_x >= 0;
    const bool narrow = c.in * 2 < ROWS;  // a product with so few rows would be mostly padding
    if (inside && suits_winograd(t) && pays_to_transform_weights(t))
        return winograd_turned(t, g, weight, x_grad);
    if (c.stride_y == 1 && c.stride_x == 1 && (each ? inside : !narrow)) {
        float* turned_weight = scratch(3, c.groups * c.out * c.in * places(c));
        rotate(c, weight, turned_weight);
        return conv(t, g, turned_weight, nullptr, x_grad);
    }
    if (each) return depthwise_by_input(c, g, weight, x_grad);
    const int64_t weights = c.out * c.in * places(c);
    parallel(c.images * c.groups, [&](int64_t place) {
        spread(c, g + place * map_size(c), weight + place % c.groups * weights,
               x_grad + place * image_size(c));
    });
}

void conv_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    if (is_depthwise(c)) return depthwise_by_weight(c, g, x, weight_grad);
    if (suits_winograd(c)) return winograd_by_weight(c, g, x, weight_grad);
    const int64_t taps = c.in * places(c);
    const int64_t parts = std::max<int64_t>(1, (2 * get_threads() + c.groups - 1) / c.groups);
    const Grid grid = cut(c.out, taps, parts);
    const int64_t high = band(c.out, grid.rows, ROWS), wide = band(taps, grid.columns, COLUMNS);
    const int64_t rows = (c.out + high - 1) / high, columns = (taps + wide - 1) / wide;
    parallel(c.groups * rows * columns, [&](int64_t block) {
        const int64_t group = block / (rows * columns), place = block % (rows * columns);
        const int64_t o = place / columns * high, tap = place % columns * wide;
        float* to = weight_grad + (group * c.out + o) * taps + tap;
        for (int64_t image = 0; image < c.images; ++image) {
            const float* maps = g + (image * c.groups + group) * map_size(c) + o * pixels(c);
            const float* picture = x + (image * c.groups + group) * image_size(c);
            auto pack = [&](int64_t k, int64_t count, int64_t pixel, int64_t deep, float* strip) {
                PackTaps{c, picture}(tap + k, count, pixel, deep, strip);
            };
            multiply(std::min(high, c.out - o), std::min(wide, taps - tap), pixels(c),
                     PackRows{{maps, pixels(c), 1}}, pack, to, taps, image > 0);
        }
    });
}

}  // namespace tallow::ISA
