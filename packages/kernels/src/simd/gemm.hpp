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

// A strided matrix: element (i, j) is data[i * row + j * column].
struct Matrix {
    const float* data;
    int64_t row, column;
    float operator()(int64_t i, int64_t j) const { return data[i * row + j * column]; }
};

// piece[COUNT][COLUMNS] of C = the first rows of an A strip times a B strip.
template <int COUNT>
inline void multiply_rows_of(int64_t depth, const float* a, const float* b,
                             Vec (&piece)[ROWS][VECTORS]) {
    Vec total[COUNT][VECTORS] = {};
    for (int64_t k = 0; k < depth; ++k, a += ROWS, b += COLUMNS) {
        Vec right[VECTORS];
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) right[j] = load(b + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < COUNT; ++i) {
            const Vec left = splat(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < VECTORS; ++j) total[i][j] += left * right[j];
        }
    }
    std::memcpy(&piece, &total, sizeof total);
}

// piece[ROWS][COLUMNS] of C = A strip times B strip, of which `rows` matter.
inline void multiply_strips(int64_t rows, int64_t depth, const float* a, const float* b,
                            Vec (&piece)[ROWS][VECTORS]) {
    if (rows <= ROWS / 3)
        multiply_rows_of<ROWS / 3>(depth, a, b, piece);
    else if (rows <= ROWS * 2 / 3)
        multiply_rows_of<ROWS * 2 / 3>(depth, a, b, piece);
    else
        multiply_rows_of<ROWS>(depth, a, b, piece);
}

typedef float Quad __attribute__((vector_size(16)));

// to[k * to_step + r] = from[r * from_step + k] for r < rows, k < depth: a transposition, in 4 x 4
// squares.
inline void transpose(const float* from, int64_t from_step, int64_t rows, int64_t depth, float* to,
                      int64_t to_step) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float* row = from + r * from_step;
        int64_t k = 0;
        for (; k + 4 <= depth; k += 4) {
            Quad q[4];
            for (int i = 0; i < 4; ++i) std::memcpy(&q[i], row + i * from_step + k, sizeof(Quad));
            const Quad low = __builtin_shufflevector(q[0], q[1], 0, 4, 1, 5);
            const Quad low2 = __builtin_shufflevector(q[2], q[3], 0, 4, 1, 5);
            const Quad high = __builtin_shufflevector(q[0], q[1], 2, 6, 3, 7);
            const Quad high2 = __builtin_shufflevector(q[2], q[3], 2, 6, 3, 7);
            const Quad turned[4] = {__builtin_shufflevector(low, low2, 0, 1, 4, 5),
                                    __builtin_shufflevector(low, low2, 2, 3, 6, 7),
                                    __builtin_shufflevector(high, high2, 0, 1, 4, 5),
                                    __builtin_shufflevector(high, high2, 2, 3, 6, 7)};
            for (int i = 0; i < 4; ++i)
                std::memcpy(to + (k + i) * to_step + r, &turned[i], sizeof(Quad));
        }
        for (; k < depth; ++k)
            for (int i = 0; i < 4; ++i) to[k * to_step + r + i] = row[i * from_step + k];
    }
    for (; r < rows; ++r)
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

// One strip of columns begin .. of B: [depth][COLUMNS].
struct PackColumns {
    Matrix b;
    void operator()(int64_t begin, int64_t columns, int64_t from, int64_t depth, float* to) const {
        const float* source = b.data + from * b.row + begin * b.column;
        if (columns != COLUMNS || b.column != 1)
            return pack_strip(source, b.column, b.row, columns, COLUMNS, depth, to);
        for (int64_t k = 0; k < depth; ++k, to += COLUMNS, source += b.row)
            std::memcpy(to, source, sizeof(float) * COLUMNS);
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

// An A that is packed once, for many products: `size` floats, depth block after depth block.
struct PackedRows {
    const float* data;
    int64_t rows;  // rounded up to strips

    static int64_t round_up(int64_t m) { return (m + ROWS - 1) / ROWS * ROWS; }
    static int64_t size(int64_t m, int64_t depth) { return round_up(m) * depth; }

    static void pack(const Matrix& a, int64_t m, int64_t depth, float* to) {
        for (int64_t k0 = 0; k0 < depth; k0 += DEPTH)
            pack_rows(a, 0, m, k0, std::min(DEPTH, depth - k0), to + k0 * round_up(m));
    }

    const float* operator()(int64_t i0, int64_t, int64_t k0, int64_t deep) const {
        return data + k0 * rows + i0 * deep;
    }
};

// C = A B (or += with `add`), C with rows c_row apart. strips_a(i0, tall, k0, deep) gives strips of
// A; pack_b(begin, columns, k0, deep, to) packs a strip of B. Uses scratch slots 0 and 1.
template <auto MULTIPLY_STRIPS = multiply_strips, class StripsA, class PackB>
void multiply(int64_t m, int64_t n, int64_t depth, const StripsA& strips_a, const PackB& pack_b,
              float* c, int64_t c_row, bool add) {
    float* packed_b = scratch(1, std::min(WIDE, (n + COLUMNS - 1) / COLUMNS * COLUMNS) * DEPTH);
    for (int64_t j0 = 0; j0 < n; j0 += WIDE) {
        const int64_t wide = std::min(WIDE, n - j0);
        for (int64_t k0 = 0; k0 < depth; k0 += DEPTH) {
            const int64_t deep = std::min(DEPTH, depth - k0);
            for (int64_t j = 0; j < wide; j += COLUMNS)
                pack_b(j0 + j, std::min<int64_t>(COLUMNS, wide - j), k0, deep, packed_b + j * deep);
            for (int64_t i0 = 0; i0 < m; i0 += TALL) {
                const int64_t tall = std::min(TALL, m - i0);
                const float* a = strips_a(i0, tall, k0, deep);
                for (int64_t j = 0; j < wide; j += COLUMNS) {
                    const int64_t columns = std::min<int64_t>(COLUMNS, wide - j);
                    for (int64_t i = 0; i < tall; i += ROWS) {
                        const int64_t rows = std::min<int64_t>(ROWS, tall - i);
                        Vec piece[ROWS][VECTORS];
                        MULTIPLY_STRIPS(rows, deep, a + i * deep, packed_b + j * deep, piece);
                        put_piece(piece, c + (i0 + i) * c_row + j0 + j, c_row, rows, columns,
                                  add || k0 > 0);
                    }
                }
            }
        }
    }
    if (depth == 0 && !add)
        for (int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_row, n, 0.0f);
}

}  // namespace tallow::ISA
