// Max pooling by windows of 2 x 2 that lie side by side: vectors of the windows of a row.
#pragma once

#include "../kernels.hpp"
#include "lanes.hpp"

namespace tallow::ISA {

// x[0] y[0] x[1] y[1] ...: the first half, and the second.
struct MixedLow {
    constexpr int operator()(int i) const { return i / 2 + i % 2 * WIDTH; }
};
struct MixedHigh {
    constexpr int operator()(int i) const { return MixedLow{}(i) + WIDTH / 2; }
};

// True for such windows, if a row has enough of them.
inline bool halves(const Conv& c) {
    return c.kernel_y == 2 && c.kernel_x == 2 && c.stride_y == 2 && c.stride_x == 2 &&
           c.padding_y == 0 && c.padding_x == 0 && 2 * c.out_height <= c.height &&
           c.dilation_y == 1 && c.dilation_x == 1 && 2 * c.out_width <= c.width &&
           2 * c.out_width >= WIDTH;
}

// The elements of `count` windows, whose upper rows begin at `from`, in their order.
struct Quarters {
    Vec at[4];

    Quarters(const float* from, int64_t width, int64_t count) {
        const int64_t first = std::min<int64_t>(WIDTH, 2 * count), second = 2 * count - first;
        for (int row = 0; row < 2; ++row, from += width) {
            const Vec low = load_up_to(from, first);
            const Vec high = second ? load_up_to(from + WIDTH, second) : Vec{};
            at[2 * row] = every_second(low, high), at[2 * row + 1] = shuffled<Odds>(low, high);
        }
    }

    void put(float* to, int64_t width, int64_t count) const {
        const int64_t first = std::min<int64_t>(WIDTH, 2 * count), second = 2 * count - first;
        for (int row = 0; row < 2; ++row, to += width) {
            store_up_to(to, shuffled<MixedLow>(at[2 * row], at[2 * row + 1]), first);
            if (second)
                store_up_to(to + WIDTH, shuffled<MixedHigh>(at[2 * row], at[2 * row + 1]), second);
        }
    }
};

inline void halve(const Conv& c, const float* x, float* y) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        for (int64_t row = 0; row < c.out_height; ++row) {
            const float* from = x + (image * c.height + 2 * row) * c.width;
            float* to = y + (image * c.out_height + row) * c.out_width;
            along(c.out_width, [&](int64_t i, int64_t count) {
                const Quarters q(from + 2 * i, c.width, count);
                const Vec upper = maximum(q.at[0], q.at[1]), lower = maximum(q.at[2], q.at[3]);
                store_up_to(to + i, maximum(upper, lower), count);
            });
        }
    });
}

// As max_pool_grad.
inline void halve_grad(const Conv& c, const float* g, const float* x, float* x_grad) {
    for_rows(c.images, c.height * c.width, [&](int64_t image) {
        const int64_t plane = image * c.height * c.width, rest = c.width - 2 * c.out_width;
        for (int64_t row = 0; row < c.out_height; ++row) {
            const int64_t place = plane + 2 * row * c.width;
            const float* d = g + (image * c.out_height + row) * c.out_width;
            along(c.out_width, [&](int64_t i, int64_t count) {
                Quarters q(x + place + 2 * i, c.width, count);
                Vec top = q.at[0];
                Ints winner{};
                for (int k = 1; k < 4; ++k) {
                    const Vec v = q.at[k];
                    const Ints wins = (v > top) | ((v != v) & (top == top));
                    top = select(wins, v, top), winner = wins ? Ints{} + k : winner;
                }
                const Vec part = load_up_to(d + i, count);
                for (int k = 0; k < 4; ++k) q.at[k] = select(winner == k, part, Vec{});
                q.put(x_grad + place + 2 * i, c.width, count);
            });
            for (int64_t y = 0; y < 2; ++y)
                std::fill_n(x_grad + place + (y + 1) * c.width - rest, rest, 0.0f);
        }
        const int64_t done = 2 * c.out_height * c.width;
        std::fill_n(x_grad + plane + done, c.height * c.width - done, 0.0f);
    });
}

}  // namespace tallow::ISA
