// What recurrent layers share: packed weights and states, the blocks of hidden units that are
// worked on at the same time, and their steps.
#pragma once

#include "gemm.hpp"
#include "math.hpp"
#include "rows.hpp"

namespace tallow::ISA {

constexpr int64_t ENOUGH = 1 << 16;  // multiplications of a step that are worth a second thread

// body(block) for all blocks of a step.
template <class Body>
inline void step_blocks(int64_t blocks, int64_t work, const Body& body) {
    if (work >= ENOUGH) return parallel(blocks, body);
    for (int64_t block = 0; block < blocks; ++block) body(block);
}

// For each block of WIDTH hidden units the columns of its gates as B strips [n][COLUMNS], two gates
// in a strip: w (gates * n, n).
struct GateWeights {
    int64_t n, blocks, strips;  // strips of a block

    GateWeights(int64_t hidden, int gates)
        : n(hidden), blocks((hidden + WIDTH - 1) / WIDTH), strips((gates + 1) / 2) {}
    int64_t size() const { return blocks * strips * n * COLUMNS; }
    int64_t place(int64_t block, int64_t strip) const {
        return (block * strips + strip) * n * COLUMNS;
    }

    void pack(const float* w, int gates, float* to) const {
        parallel(blocks, [&](int64_t block) {
            const int64_t first = block * WIDTH, there = std::min<int64_t>(WIDTH, n - first);
            std::fill_n(to + place(block, 0), strips * n * COLUMNS, 0.0f);
            for (int gate = 0; gate < gates; ++gate)
                transpose(w + (gate * n + first) * n, n, there, n,
                          to + place(block, gate / 2) + gate % 2 * WIDTH, COLUMNS);
        });
    }
};

// w (depth, n) as B strips [strip of n][depth][COLUMNS].
inline void pack_columns(const float* w, int64_t depth, int64_t n, float* to) {
    parallel((n + COLUMNS - 1) / COLUMNS, [&](int64_t strip) {
        const int64_t first = strip * COLUMNS;
        PackColumns{{w, n, 1}}(first, std::min<int64_t>(COLUMNS, n - first), 0, depth,
                               to + first * depth);
    });
}

// As multiply_strips, but a function of its own: its sums need all registers, and the constants of
// a cell's formulas would take some.
__attribute__((noinline)) inline void multiply_states(int64_t rows, int64_t depth, const float* a,
                                                      const float* b, Vec (&piece)[ROWS][VECTORS]) {
    multiply_strips(rows, depth, a, b, piece);
}

// The steps of a layer, forward. cell(t, row, j, count, sums) finishes hidden units j .. j + count
// - 1 of one sequence, whose gates get `sums` from the states.
template <int GATES, class Layer, class Cell>
inline void forward_steps(const Layer& l, const float* weight, const Cell& cell) {
    static_assert(GATES == 3 || GATES == 4);
    const int64_t n = l.hidden;
    const GateWeights weights(n, GATES);
    float* packed = scratch(2, weights.size());
    weights.pack(weight, GATES, packed);
    for (int64_t t = 0; t < l.steps; ++t) {
        const int64_t rows = l.rows[t];
        float* state = scratch(3, band(rows, 1, ROWS) * n);  // [strip of rows][n][ROWS]
        pack_rows({l.last, n, 1}, 0, rows, 0, n, state);
        step_blocks(weights.blocks, rows * n * GATES * n, [&](int64_t block) {
            const int64_t j = block * WIDTH, count = std::min<int64_t>(WIDTH, n - j);
            for (int64_t first = 0; first < rows; first += ROWS) {
                const int64_t some = std::min<int64_t>(ROWS, rows - first);
                const float* a = state + first * n;
                Vec low[ROWS][VECTORS], high[ROWS][VECTORS];  // gates 0 and 1, 2 and 3
                multiply_states(some, n, a, packed + weights.place(block, 0), low);
                multiply_states(some, n, a, packed + weights.place(block, 1), high);
                for (int64_t r = 0; r < some; ++r)
                    cell(t, first + r, j, count, {low[r][0], low[r][1], high[r][0], high[r][1]});
            }
        });
    }
}

// The same backward: by_last gets, and where it `adds` keeps, what reaches the states through the
// products of the step after, from by_products (rows of all, GATES hidden); then cell(t, row, j,
// count).
template <int GATES, class Layer, class Cell>
inline void backward_steps(const Layer& l, const float* weight, const float* by_products,
                           float* by_last, bool adds, const Cell& cell) {
    const int64_t n = l.hidden, depth = GATES * n, strips = (n + COLUMNS - 1) / COLUMNS;
    float* packed = scratch(2, strips * COLUMNS * depth);
    pack_columns(weight, depth, n, packed);
    for (int64_t t = l.steps - 1; t >= -1; --t) {
        const int64_t after = t + 1 < l.steps ? l.rows[t + 1] : 0, rows = t >= 0 ? l.rows[t] : 0;
        float* part = scratch(3, band(after, 1, ROWS) * depth);  // [strip of rows][depth][ROWS]
        if (after)
            pack_rows({by_products + l.starts[t + 1] * depth, depth, 1}, 0, after, 0, depth, part);
        step_blocks(strips, std::max(rows, after) * n * depth, [&](int64_t strip) {
            const int64_t first = strip * COLUMNS, wide = std::min<int64_t>(COLUMNS, n - first);
            for (int64_t row = 0; row < after; row += ROWS) {
                const int64_t some = std::min<int64_t>(ROWS, after - row);
                Vec piece[ROWS][VECTORS];
                multiply_states(some, depth, part + row * depth, packed + first * depth, piece);
                put_piece(piece, by_last + row * n + first, n, some, wide, adds);
            }
            for (int64_t row = 0; row < rows; ++row)
                along(wide, [&](int64_t i, int64_t count) { cell(t, row, first + i, count); });
        });
    }
}

}  // namespace tallow::ISA
