// Max pooling over windows of images, a plane (one image's channel) at a time: `images` counts
// planes, groups, in and out are 1.
#include <algorithm>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// A window's rows and columns that lie within the image.
struct Window {
    int64_t y, y_end, x, x_end;
};

// The first place at or after 0 that a window starting at `begin` visits, going by `step`.
inline int64_t first_inside(int64_t begin, int64_t step) {
    return begin >= 0 ? begin : begin + (-begin + step - 1) / step * step;
}

inline Window window(const Conv& c, int64_t oy, int64_t ox) {
    const int64_t y = oy * c.stride_y - c.padding_y, x = ox * c.stride_x - c.padding_x;
    return {
        first_inside(y, c.dilation_y), std::min(c.height, y + (c.kernel_y - 1) * c.dilation_y + 1),
        first_inside(x, c.dilation_x), std::min(c.width, x + (c.kernel_x - 1) * c.dilation_x + 1)};
}

// Where the first largest element of a window is; NaN is larger than everything.
inline int64_t winner(const Conv& c, const Window& w, const float* plane) {
    int64_t best = w.y * c.width + w.x;
    for (int64_t y = w.y; y < w.y_end; y += c.dilation_y)
        for (int64_t x = w.x; x < w.x_end; x += c.dilation_x) {
            const float value = plane[y * c.width + x], top = plane[best];
            if (value > top || (value != value && top == top)) best = y * c.width + x;
        }
    return best;
}

inline float larger(float a, float b) { return a > b || a != a ? a : b; }

bool is_halving(const Conv& c) {
    return c.kernel_y == 2 && c.kernel_x == 2 && c.stride_y == 2 && c.stride_x == 2 &&
           c.padding_y == 0 && c.padding_x == 0 && c.dilation_y == 1 && c.dilation_x == 1 &&
           c.out_height * 2 <= c.height && c.out_width * 2 <= c.width;
}

}  // namespace

void max_pool(const Conv& c, const float* x, float* y) {
    const bool halving = is_halving(c);
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float* plane = x + image * c.height * c.width;
        float* to = y + image * c.out_height * c.out_width;
        for (int64_t oy = 0; oy < c.out_height; ++oy) {
            const float *upper = plane + 2 * oy * c.width, *lower = upper + c.width;
            for (int64_t ox = 0; ox < c.out_width; ++ox) {
                if (halving)
                    *to++ = larger(larger(upper[2 * ox], upper[2 * ox + 1]),
                                   larger(lower[2 * ox], lower[2 * ox + 1]));
                else
                    *to++ = plane[winner(c, window(c, oy, ox), plane)];
            }
        }
    });
}

void max_pool_grad(const Conv& c, const float* g, const float* x, float* x_grad) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const float *plane = x + image * c.height * c.width,
                    *d = g + image * c.out_height * c.out_width;
        float* to = x_grad + image * c.height * c.width;
        std::fill_n(to, c.height * c.width, 0.0f);
        for (int64_t oy = 0; oy < c.out_height; ++oy)
            for (int64_t ox = 0; ox < c.out_width; ++ox)
                to[winner(c, window(c, oy, ox), plane)] += *d++;
    });
}

}  // namespace tallow::ISA
