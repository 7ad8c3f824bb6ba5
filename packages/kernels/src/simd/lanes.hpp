// Channels as the lanes of vectors: planes of pixels turned into lines of vectors, one for each
// pixel, and back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "rows.hpp"

namespace tallow::ISA {

template <class Index, size_t... I>
inline Vec shuffled(Vec x, Vec y, Index index, std::index_sequence<I...>) {
    return __builtin_shufflevector(x, y, index(int(I))...);
}

// Of each four lanes: x[0] y[0] x[1] y[1], and the same of 2 and 3; x[0] x[1] y[0] y[1], and so on.
struct SinglesLow {
    constexpr int operator()(int i) const { return i / 4 * 4 + i % 4 / 2 + i % 2 * WIDTH; }
};
struct SinglesHigh {
    constexpr int operator()(int i) const { return SinglesLow{}(i) + 2; }
};
struct PairsLow {
    constexpr int operator()(int i) const { return i / 4 * 4 + i % 2 + i % 4 / 2 * WIDTH; }
};
struct PairsHigh {
    constexpr int operator()(int i) const { return PairsLow{}(i) + 2; }
};
// Lanes 1, 3, ... of x, then of y.
struct Odds {
    constexpr int operator()(int i) const { return 2 * i + 1; }
};
// Fours of lanes 0, 2, ... of x, then of y; and 1, 3, ...
struct EvenFours {
    constexpr int operator()(int i) const { return i / 4 * 8 + i % 4; }
};
struct OddFours {
    constexpr int operator()(int i) const { return EvenFours{}(i) + 4; }
};

template <class Index>
inline Vec shuffled(Vec x, Vec y) {
    return shuffled(x, y, Index{}, std::make_index_sequence<WIDTH>{});
}

// The transpose of a square whose elements are fours of lanes: vectors j, 4 + j, 8 + j, 12 + j.
inline void turn_fours(Vec* x) {
    if constexpr (WIDTH > 4) {
        Vec even[WIDTH / 2], odd[WIDTH / 2];
        for (int i = 0; i < WIDTH / 8; ++i)
            for (int j = 0; j < 4; ++j) {
                even[4 * i + j] = shuffled<EvenFours>(x[8 * i + j], x[8 * i + 4 + j]);
                odd[4 * i + j] = shuffled<OddFours>(x[8 * i + j], x[8 * i + 4 + j]);
            }
        if constexpr (WIDTH == 8) {
            for (int j = 0; j < 4; ++j) x[j] = even[j], x[4 + j] = odd[j];
        } else {
            for (int j = 0; j < 4; ++j) {
                x[j] = shuffled<EvenFours>(even[j], even[4 + j]);
                x[4 + j] = shuffled<EvenFours>(odd[j], odd[4 + j]);
                x[8 + j] = shuffled<OddFours>(even[j], even[4 + j]);
                x[12 + j] = shuffled<OddFours>(odd[j], odd[4 + j]);
            }
        }
    }
}

// The transpose of a square.
inline void turn(Vec (&x)[WIDTH]) {
    for (int i = 0; i < WIDTH; i += 4) {
        const Vec low = shuffled<SinglesLow>(x[i], x[i + 1]);
        const Vec high = shuffled<SinglesHigh>(x[i], x[i + 1]);
        const Vec low2 = shuffled<SinglesLow>(x[i + 2], x[i + 3]);
        const Vec high2 = shuffled<SinglesHigh>(x[i + 2], x[i + 3]);
        x[i] = shuffled<PairsLow>(low, low2), x[i + 1] = shuffled<PairsHigh>(low, low2);
        x[i + 2] = shuffled<PairsLow>(high, high2), x[i + 3] = shuffled<PairsHigh>(high, high2);
    }
    turn_fours(x);
}

inline int64_t whole_vectors(int64_t channels) { return (channels + WIDTH - 1) / WIDTH * WIDTH; }

// Some channels' planes, and a rectangle of them.
template <class Float>
struct Planes {
    Float* data;
    int64_t channels, size, width;  // channels: at most WIDTH; size and width: of a plane
};
struct Rectangle {
    int64_t y, x, high, wide;
};

// body(planes, count, line, x) for runs of pixels that are neighbours in memory, at most WIDTH: the
// first one's planes, and where in the rectangle it is.
template <class Float, class Body>
inline void for_pixels(const Planes<Float>& p, const Rectangle& r, const Body& body) {
    const bool whole = r.wide == p.width;  // its rows are one line
    const int64_t lines = whole ? 1 : r.high, length = whole ? r.high * r.wide : r.wide;
    for (int64_t line = 0; line < lines; ++line) {
        Float* from = p.data + (r.y + line) * p.width + r.x;
        int64_t y = line, x = 0;
        for (int64_t i = 0; i < length; i += WIDTH) {
            body(from + i, std::min<int64_t>(WIDTH, length - i), y, x);
            for (x += WIDTH; x >= r.wide; x -= r.wide) ++y;
        }
    }
}

// body(first, count, y, x): the pixels of a run by the rows that they are in.
template <class Body>
inline void split_run(int64_t count, int64_t wide, int64_t y, int64_t x, const Body& body) {
    for (int64_t i = 0; i < count; ++y, x = 0) {
        const int64_t some = std::min(count - i, wide - x);
        body(i, some, y, x);
        i += some;
    }
}

// to[(y * row + x) * step + channel] = pixel (y, x) of the rectangle; 0 for channels that are not.
inline void to_lanes(const Planes<const float>& p, const Rectangle& r, float* to, int64_t row,
                     int64_t step = WIDTH) {
    for_pixels(p, r, [&](const float* from, int64_t count, int64_t y, int64_t x) {
        Vec square[WIDTH];
        if (p.channels == WIDTH && count == WIDTH)
            for (int i = 0; i < WIDTH; ++i) square[i] = load(from + i * p.size);
        else
            for (int i = 0; i < WIDTH; ++i)
                square[i] = i < p.channels ? load_up_to(from + i * p.size, count) : Vec{};
        turn(square);
        float* line = to + (y * row + x) * step;
        if (count == WIDTH && x + WIDTH <= r.wide) {
            for (int i = 0; i < WIDTH; ++i) store(line + i * step, square[i]);
            return;
        }
        alignas(64) float lanes[WIDTH * WIDTH];
        std::memcpy(lanes, &square, sizeof lanes);
        split_run(count, r.wide, y, x, [&](int64_t i, int64_t some, int64_t at_y, int64_t at_x) {
            float* there = to + (at_y * row + at_x) * step;
            for (int64_t k = 0; k < some; ++k)
                store(there + k * step, load(lanes + (i + k) * WIDTH));
        });
    });
}

// The reverse; past the caches where that goes by whole vectors.
inline void from_lanes(const float* from, int64_t row, const Planes<float>& p, const Rectangle& r,
                       bool past = false) {
    past = past && p.size % WIDTH == 0;
    for_pixels(p, r, [&](float* to, int64_t count, int64_t y, int64_t x) {
        Vec square[WIDTH];
        if (count == WIDTH && x + WIDTH <= r.wide) {
            for (int i = 0; i < WIDTH; ++i) square[i] = load(from + (y * row + x + i) * WIDTH);
        } else {
            alignas(64) float lanes[WIDTH * WIDTH];
            split_run(count, r.wide, y, x,
                      [&](int64_t i, int64_t some, int64_t at_y, int64_t at_x) {
                          std::memcpy(lanes + i * WIDTH, from + (at_y * row + at_x) * WIDTH,
                                      size_t(some) * sizeof(Vec));
                      });
            std::memcpy(&square, lanes, sizeof lanes);
        }
        turn(square);
        if (past && count == WIDTH && reinterpret_cast<intptr_t>(to) % sizeof(Vec) == 0)
            for (int64_t i = 0; i < p.channels; ++i) stream(to + i * p.size, square[i]);
        else if (p.channels == WIDTH && count == WIDTH)
            for (int i = 0; i < WIDTH; ++i) store(to + i * p.size, square[i]);
        else
            for (int64_t i = 0; i < p.channels; ++i) store_up_to(to + i * p.size, square[i], count);
    });
}

}  // namespace tallow::ISA
