// Matrix product on one thread, with packing as a parameter: convolution packs windows of an image
// in place of rows.
//
// C (M x N) += A (M x K) B (K x N). Panels: A in strips of ROWS rows, [K][ROWS]; B in strips of
// COLUMNS columns, [K][COLUMNS]; the inner kernel holds a ROWS x COLUMNS piece of C in registers.
// After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34
// (2008).
#pragma once

#include <algorithm>

#include "../threads.hpp"
#include "vec.hpp"

namespace tallow::ISA {

constexpr int ROWS = WIDTH == 16 ? 12 : 6;
constexpr int VECTORS = 2;
constexpr int COLUMNS = VECTORS * WIDTH;
constexpr int64_t DEPTH = 256;       // of a panel: a strip of A and one of B stay in the L1 cache
constexpr int64_t TALL = 20 * ROWS;  // rows of A packed at a time: they stay in the L2 cache
constexpr int64_t WIDE = 64 * COLUMNS;  // columns of B packed at a time
constexpr int64_t FEW = 4 * ROWS;       // rows of A for which B is not worth packing
constexpr int64_t LINE = 16;            // floats of a line of the caches

// A strided matrix: element (i, j) is data[i * row + j * column].
struct Matrix {
    const float* data;
    int64_t row, column;
    float operator()(int64_t i, int64_t j) const { return data[i * row + j * column]; }
};

// Lines of memory that will be wanted soon: at `at` and `apart` from there, `step` further, ...
struct Fetch {
    const float* at;
    int64_t apart, step, count;
};

// A strip of B: rows of COLUMNS, `step` apart.
struct Strip {
    const float* data;
    int64_t step;
    Strip(const float* data, int64_t step = COLUMNS) : data(data), step(step) {}
};

// piece[COUNT][COLUMNS] of C = the first rows of an A strip times a B strip. What will be wanted is
// fetched meanwhile, spread out: requests at once wait for each other, and the product for them.
template <int COUNT>
inline void multiply_rows_of(int64_t depth, const float* a, Strip b, Vec (&piece)[ROWS][VECTORS],
                             const Fetch& first, const Fetch& second) {
    constexpr int EVERY = 4;  // steps, two lines
    Vec total[COUNT][VECTORS] = {};
    auto add = [&]() __attribute__((always_inline)) {
        Vec right[VECTORS];
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) right[j] = load(b.data + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < COUNT; ++i) {
            const Vec left = splat(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < VECTORS; ++j) total[i][j] += left * right[j];
        }
        a += ROWS, b.data += b.step;
    };
    int64_t k = 0;
    auto add_fetching = [&](Fetch lines) __attribute__((always_inline)) {
        for (; lines.count > 0 && k + EVERY <= depth; --lines.count, k += EVERY) {
            prefetch(lines.at), prefetch(lines.at + lines.apart), lines.at += lines.step;
#pragma GCC unroll 4
            for (int i = 0; i < EVERY; ++i) add();
        }
    };
    add_fetching(first), add_fetching(second);
    for (; k < depth; ++k) add();
    std::memcpy(&piece, &total, sizeof total);
}

// piece[ROWS][COLUMNS] of C = A strip times B strip, of which `rows` matter.
inline void multiply_strips(int64_t rows, int64_t depth, const float* a, Strip b,
                            Vec (&piece)[ROWS][VECTORS], const Fetch& first = {},
                            const Fetch& second = {}) {
    if (rows <= ROWS / 3)
        multiply_rows_of<ROWS / 3>(depth, a, b, piece, first, second);
    else if (rows <= ROWS * 2 / 3)
        multiply_rows_of<ROWS * 2 / 3>(depth, a, b, piece, first, second);
    else
        multiply_rows_of<ROWS>(depth, a, b, piece, first, second);
}

// Quads of rows r, r + 4, ... side by side. load_quads joins COUNT of them, `apart` from each
// other; low and high interleave the halves of each quad of two vectors.
#if defined(__AVX512F__)
typedef Vec Quads;
template <int COUNT>
inline Quads load_quads(const float* from, int64_t apart) {
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
    if constexpr (COUNT > 1) x = _mm512_insertf32x4(x, _mm_loadu_ps(from + apart), 1);
    if constexpr (COUNT > 2) x = _mm512_insertf32x4(x, _mm_loadu_ps(from + 2 * apart), 2);
    if constexpr (COUNT > 3) x = _mm512_insertf32x4(x, _mm_loadu_ps(from + 3 * apart), 3);
    return (Vec)x;
}
template <int COUNT>
inline void store_quads(float* to, Quads x) {
    if constexpr (COUNT == 4)
        store(to, x);
    else
        store_some(to, x, 4 * COUNT);
}
inline Quads low(Quads x, Quads y) {
    return __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
inline Quads high(Quads x, Quads y) {
    return __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15,
                                   31);
}
#else
typedef float Quads __attribute__((vector_size(16)));
template <int COUNT>
inline Quads load_quads(const float* from, int64_t) {
    Quads x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
template <int COUNT>
inline void store_quads(float* to, Quads x) {
    std::memcpy(to, &x, sizeof x);
}
inline Quads low(Quads x, Quads y) { return __builtin_shufflevector(x, y, 0, 4, 1, 5); }
inline Quads high(Quads x, Quads y) { return __builtin_shufflevector(x, y, 2, 6, 3, 7); }
#endif
constexpr int QUADS = sizeof(Quads) / 16;

// to[k * to_step + r] = from[r * from_step + k] for r < rows, k < depth: a transposition, in 4 x 4
// squares, COUNT of them at a time.
template <int COUNT = QUADS>
inline void transpose(const float* from, int64_t from_step, int64_t rows, int64_t depth, float* to,
                      int64_t to_step) {
    constexpr int HIGH = 4 * COUNT;
    for (; rows >= HIGH; rows -= HIGH, from += HIGH * from_step, to += HIGH) {
        int64_t k = 0;
        for (; k + 4 <= depth; k += 4) {
            Quads q[4];
            for (int i = 0; i < 4; ++i)
                q[i] = load_quads<COUNT>(from + i * from_step + k, 4 * from_step);
            const Quads even = low(q[0], q[2]), odd = low(q[1], q[3]);
            const Quads even2 = high(q[0], q[2]), odd2 = high(q[1], q[3]);
            store_quads<COUNT>(to + k * to_step, low(even, odd));
            store_quads<COUNT>(to + (k + 1) * to_step, high(even, odd));
            store_quads<COUNT>(to + (k + 2) * to_step, low(even2, odd2));
            store_quads<COUNT>(to + (k + 3) * to_step, high(even2, odd2));
        }
        for (; k < depth; ++k)
            for (int i = 0; i < HIGH; ++i) to[k * to_step + i] = from[i * from_step + k];
    }
    if constexpr (COUNT > 1) return transpose<COUNT - 1>(from, from_step, rows, depth, to, to_step);
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t k = 0; k < depth; ++k) to[k * to_step + r] = from[r * from_step + k];
}

// to[k * wide + i] = strip(i, k): `there` <= wide rows of a strided matrix at `from`, the others 0.
inline void pack_strip(const float* from, int64_t row, int64_t column, int64_t there, int64_t wide,
                       int64_t depth, float* to) {
    if (there < wide)
        for (int64_t k = 0; k < depth; ++k) std::fill_n(to + k * wide + there, wide - there, 0.0f);
    if (column == 1) return transpose(from, row, there, depth, to, wide);
    for (int64_t k = 0; k < depth; ++k, to += wide, from += column)
        for (int64_t i = 0; i < there; ++i) to[i] = from[i * row];
}

// Strips of rows begin .. begin + rows - 1, depth from .. from + depth - 1, of A:
// [strip][depth][ROWS].
inline void pack_rows(const Matrix& a, int64_t begin, int64_t rows, int64_t from, int64_t depth,
                      float* to) {
    for (int64_t i = 0; i < rows; i += ROWS, to += ROWS * depth)
        pack_strip(a.data + (begin + i) * a.row + from * a.column, a.row, a.column,
                   std::min<int64_t>(ROWS, rows - i), ROWS, depth, to);
}

// Strips of columns of B.
struct PackColumns {
    Matrix b;
    // Columns begin .. as [depth][COLUMNS].
    void operator()(int64_t begin, int64_t columns, int64_t from, int64_t depth, float* to) const {
        const float* source = b.data + from * b.row + begin * b.column;
        if (columns != COLUMNS || b.column != 1)
            return pack_strip(source, b.column, b.row, columns, COLUMNS, depth, to);
        for (int64_t k = 0; k < depth; ++k, to += COLUMNS, source += b.row)
            std::memcpy(to, source, sizeof(float) * COLUMNS);
    }
    // The same where they are, if they lie so that they can be multiplied there.
    Strip strip(int64_t begin, int64_t columns, int64_t from, int64_t depth, bool packed,
                float* space) const {
        if (!packed && columns == COLUMNS && b.column == 1)
            return {b.data + from * b.row + begin, b.row};
        (*this)(begin, columns, from, depth, space);
        return space;
    }
    // Share i, of so many, of what is read when the strip is packed.
    Fetch fetch(int64_t begin, int64_t from, int64_t depth, int64_t i, int64_t shares) const {
        const float* source = b.data + from * b.row + begin * b.column;
        const int64_t share = (depth + shares - 1) / shares;
        if (b.column == 1) return {source + i * share * b.row, WIDTH, b.row, share};
        if (2 * i >= COLUMNS) return {};
        return {source + 2 * i * b.column, b.column, LINE, (depth + LINE - 1) / LINE};
    }
};

// Writes or adds a piece of C, rows x columns of it. C has rows `row` apart.
inline void put_piece(const Vec (&piece)[ROWS][VECTORS], float* c, int64_t row, int64_t rows,
                      int64_t columns, bool add) {
    for (int64_t i = 0; i < rows; ++i, c += row) {
        for (int j = 0; j < VECTORS; ++j) {
            const int64_t there = std::min<int64_t>(WIDTH, columns - j * WIDTH);
            if (there <= 0) break;
            float* to = c + j * WIDTH;
            if (there == WIDTH)
                store(to, add ? load(to) + piece[i][j] : piece[i][j]);
            else
                store_some(to, add ? load_some(to, there) + piece[i][j] : piece[i][j], there);
        }
    }
}

// How many bands of rows and of columns a product is cut into.
struct Grid {
    int64_t rows, columns;
};

// The cut into about `parts` pieces that packs the least: each piece packs its own rows of A and
// columns of B.
inline Grid cut(int64_t m, int64_t n, int64_t parts) {
    Grid best{1, 1};
    int64_t least = -1;
    for (int64_t rows = 1; rows <= parts; ++rows) {
        const int64_t columns = (parts + rows - 1) / rows;
        if (rows * ROWS > m + ROWS - 1 || columns * COLUMNS > n + COLUMNS - 1) continue;
        const int64_t packed = m * columns + n * rows;
        if (least < 0 || packed < least) least = packed, best = {rows, columns};
    }
    if (least < 0)
        best = m > n ? Grid{std::min(parts, (m + ROWS - 1) / ROWS), 1}
                     : Grid{1, std::min(parts, (n + COLUMNS - 1) / COLUMNS)};
    return best;
}

inline int64_t band(int64_t size, int64_t bands, int64_t unit) {
    const int64_t step = (size + bands - 1) / bands;
    return (step + unit - 1) / unit * unit;
}

// What `multiply` takes for A: strips of rows i0 .. of depth k0 .., packed when asked for, into
// scratch slot 0.
struct PackRows {
    Matrix a;
    const float* operator()(int64_t i0, int64_t tall, int64_t k0, int64_t deep) const {
        float* to = scratch(0, TALL * DEPTH);
        pack_rows(a, i0, tall, k0, deep, to);
        return to;
    }
};

// `rows` of C = packed strips of A times a strip of B; next(i, pieces) is what to fetch meanwhile.
template <auto MULTIPLY_STRIPS, class Next>
inline void multiply_strip(int64_t rows, int64_t columns, int64_t depth, const float* a, Strip b,
                           const Next& next, float* c, int64_t c_row, bool add) {
    const int64_t pieces = (rows + ROWS - 1) / ROWS;
    for (int64_t i = 0; i < pieces; ++i, a += ROWS * depth, c += ROWS * c_row) {
        const int64_t some = std::min<int64_t>(ROWS, rows - i * ROWS);
        Vec piece[ROWS][VECTORS];
        MULTIPLY_STRIPS(some, depth, a, b, piece, {c, WIDTH, c_row, some}, next(i, pieces));
        put_piece(piece, c, c_row, some, columns, add);
    }
}

// C = A B (or += with `add`), C with rows c_row apart. strips_a(i0, tall, k0, deep) gives strips of
// A; strips_b is like PackColumns. A strip of B is packed just before it is used first, and kept
// for the rows of A that are packed later. Uses scratch slots 0 and 1.
template <auto MULTIPLY_STRIPS = multiply_strips, class StripsA, class StripsB>
void multiply(int64_t m, int64_t n, int64_t depth, const StripsA& strips_a, const StripsB& strips_b,
              float* c, int64_t c_row, bool add) {
    const bool kept = m > TALL;
    const int64_t at_once = kept ? std::min(WIDE, band(n, 1, COLUMNS)) : n;
    const int64_t step = band(depth, std::max<int64_t>(1, (depth + DEPTH - 1) / DEPTH), 4);
    float* packed_b = scratch(1, (kept ? at_once : COLUMNS) * DEPTH);
    for (int64_t j0 = 0; j0 < n; j0 += at_once) {
        const int64_t end = std::min(n, j0 + at_once);
        for (int64_t k0 = 0; k0 < depth; k0 += step) {
            const int64_t deep = std::min(step, depth - k0);
            for (int64_t i0 = 0; i0 < m; i0 += TALL) {
                const int64_t tall = std::min(TALL, m - i0);
                const float* a = strips_a(i0, tall, k0, deep);
                for (int64_t j = j0; j < end; j += COLUMNS) {
                    const int64_t columns = std::min<int64_t>(COLUMNS, end - j);
                    float* space = packed_b + (kept ? (j - j0) * deep : 0);
                    const Strip b =
                        i0 ? space : strips_b.strip(j, columns, k0, deep, m > FEW, space);
                    auto next = [&](int64_t i, int64_t shares) -> Fetch {
                        if (j + 2 * COLUMNS > end) return {};
                        if (i0 == 0) return strips_b.fetch(j + COLUMNS, k0, deep, i, shares);
                        const int64_t share = (deep + shares - 1) / shares;
                        return {space + (deep + i * share) * COLUMNS, WIDTH, COLUMNS, share};
                    };
                    multiply_strip<MULTIPLY_STRIPS>(tall, columns, deep, a, b, next,
                                                    c + i0 * c_row + j, c_row, add || k0 > 0);
                }
            }
        }
    }
    if (depth == 0 && !add)
        for (int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_row, n, 0.0f);
}

}  // namespace tallow::ISA
