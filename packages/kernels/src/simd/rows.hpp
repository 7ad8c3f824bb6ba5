// Sums over rows of floats, and a loop over many rows on all threads.
#pragma once

#include <algorithm>

#include "../threads.hpp"
#include "vec.hpp"

namespace tallow::ISA {

// The sum of f(i, count) over a row: vectors of elements i .. i + count - 1, those past the end
// counting as `rest`.
template <class F>
inline Vec total(int64_t n, const F& f) {
    Vec sums[4] = {};
    int64_t i = 0;
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH)
        for (int j = 0; j < 4; ++j) sums[j] += f(i + j * WIDTH, int64_t(WIDTH));
    for (; i < n; i += WIDTH) sums[0] += f(i, std::min<int64_t>(WIDTH, n - i));
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

inline Vec load_up_to(const float* from, int64_t count, float rest = 0) {
    return count == WIDTH ? load(from) : load_some(from, count, rest);
}

inline void store_up_to(float* to, Vec x, int64_t count) {
    if (count == WIDTH)
        store(to, x);
    else
        store_some(to, x, count);
}

// f(i, count) for the vectors of a row.
template <class F>
inline void along(int64_t n, const F& f) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) f(i, int64_t(WIDTH));
    if (i < n) f(i, n - i);
}

// Results of so many elements are stored past the caches, in which they would not stay until they
// are read: a store through them first reads the line that it then overwrites.
inline bool streams(int64_t elements) { return elements >= int64_t(1) << 21; }

// to[i ...] = f(i, count) along a row; past the caches in whole vectors that are aligned.
template <class F>
inline void fill_row(float* to, int64_t n, bool past, const F& f) {
    if (!past)
        return along(n, [&](int64_t i, int64_t count) { store_up_to(to + i, f(i, count), count); });
    int64_t i = std::min<int64_t>(n, -(reinterpret_cast<intptr_t>(to) / 4) & (WIDTH - 1));
    if (i) store_some(to, f(0, i), i);
    for (; i + WIDTH <= n; i += WIDTH) stream(to + i, f(i, int64_t(WIDTH)));
    if (i < n) store_some(to + i, f(i, n - i), n - i);
}

// body(row) for all rows of `length` elements, on all threads where there are enough elements. Rows
// may be streamed.
template <class Body>
inline void for_rows(int64_t rows, int64_t length, const Body& body) {
    const int64_t grain = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(length, 1));
    const int64_t blocks = std::min<int64_t>((rows + grain - 1) / grain, 4 * get_threads());
    if (blocks <= 1) {
        for (int64_t row = 0; row < rows; ++row) body(row);
        return;
    }
    parallel(blocks, [&](int64_t block) {
        for (int64_t row = block * rows / blocks; row < (block + 1) * rows / blocks; ++row)
            body(row);
        settle();
    });
}

}  // namespace tallow::ISA
