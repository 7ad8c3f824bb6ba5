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

// piece[ROWS][COLUMNS] of C = A strip times B strip.
inline void multiply_strips(int64_t depth, const float* a, const float* b,
                            Vec (&piece)[ROWS][VECTORS]) {
    Vec total[ROWS][VECTORS] = {};
    for (int64_t k = 0; k < depth; ++k, a += ROWS, b += COLUMNS) {
        Vec right[VECTORS];
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) right[j] = load(b + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
            const Vec left = splat(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < VECTORS; ++j) total[i][j] += left * right[j];
        }
    }
    std::memcpy(&piece, &total, sizeof total);
}

// Strips of rows begin .. begin + rows - 1, depth from .. from + depth - 1, of a strided A:
// [strip][depth][ROWS].
inline void pack_rows(const Matrix& a, int64_t begin, int64_t rows, int64_t from, int64_t depth,
                      float* to) {
    for (int64_t i = 0; i < rows; i += ROWS) {
        const int64_t there = std::min<int64_t>(ROWS, rows - i);
        const float* source = a.data + (begin + i) * a.row + from * a.column;
        for (int64_t k = 0; k < depth; ++k, to += ROWS, source += a.column) {
            for (int64_t r = 0; r < there; ++r) to[r] = source[r * a.row];
            for (int64_t r = there; r < ROWS; ++r) to[r] = 0;
        }
    }
}

// One strip of columns begin .. of a strided B: [depth][COLUMNS].
struct PackColumns {
    Matrix b;
    void operator()(int64_t begin, int64_t columns, int64_t from, int64_t depth, float* to) const {
        const float* source = b.data + from * b.row + begin * b.column;
        for (int64_t k = 0; k < depth; ++k, to += COLUMNS, source += b.row) {
            if (columns == COLUMNS && b.column == 1) {
                std::memcpy(to, source, sizeof(float) * COLUMNS);
                continue;
            }
            for (int64_t j = 0; j < columns; ++j) to[j] = source[j * b.column];
            for (int64_t j = columns; j < COLUMNS; ++j) to[j] = 0;
        }
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
template <class StripsA, class PackB>
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
                        Vec piece[ROWS][VECTORS];
                        multiply_strips(deep, a + i * deep, packed_b + j * deep, piece);
                        put_piece(piece, c + (i0 + i) * c_row + j0 + j, c_row,
                                  std::min<int64_t>(ROWS, tall - i), columns, add || k0 > 0);
                    }
                }
            }
        }
    }
    if (depth == 0 && !add)
        for (int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_row, n, 0.0f);
}

}  // namespace tallow::ISA
