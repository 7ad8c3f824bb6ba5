// The steps of an LSTM layer: Hochreiter and Schmidhuber, "Long short-term memory", 1997. What the
// inputs give to the gates is computed before, all steps at once; a step multiplies the states by
// the weights and finishes a block of hidden units at a time, while its products are in registers.
#include "recurrent.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// A step of one sequence, hidden units j .. j + count - 1: gate (4 n) of the row in, activated out.
inline void forward_cell(const LstmLayer& l, int64_t t, int64_t row, int64_t j, int64_t count,
                         const Vec (&sums)[4]) {
    const int64_t n = l.hidden, place = l.starts[t] + row;
    float* gate = l.gates + place * 4 * n + j;
    auto entering = [&](int g) { return load_up_to(gate + g * n, count) + sums[g]; };
    const Vec i = sigmoid(entering(0)), f = sigmoid(entering(1)), m = tanh(entering(2)),
              o = sigmoid(entering(3));
    const Vec cell = f * load_up_to(l.cell + row * n + j, count) + i * m, state = o * tanh(cell);
    store_up_to(gate, i, count);
    store_up_to(gate + n, f, count);
    store_up_to(gate + 2 * n, m, count);
    store_up_to(gate + 3 * n, o, count);
    store_up_to(l.cells + place * n + j, cell, count);
    store_up_to(l.cell + row * n + j, cell, count);
    store_up_to(l.states + place * n + j, state, count);
    store_up_to(l.last + row * n + j, state, count);
}

// The gradients by what enters the gates, and by the cell before, of one sequence's step.
inline void backward_cell(const LstmGrad& g, int64_t t, int64_t row, int64_t j, int64_t count) {
    const LstmLayer& l = g.layer;
    const int64_t n = l.hidden, place = l.starts[t] + row;
    const float* gate = l.gates + place * 4 * n + j;
    const Vec i = load_up_to(gate, count), f = load_up_to(gate + n, count),
              m = load_up_to(gate + 2 * n, count), o = load_up_to(gate + 3 * n, count);
    const bool begun = t > 0 && row < l.rows[t - 1];
    const float* before = begun ? l.cells + (l.starts[t - 1] + row) * n : g.first_cell + row * n;
    const Vec past = load_up_to(before + j, count);
    const Vec squashed = tanh(load_up_to(l.cells + place * n + j, count));
    Vec by_state = load_up_to(g.by_last + row * n + j, count);
    if (g.by_states) by_state += load_up_to(g.by_states + place * n + j, count);
    const Vec by_new =
        load_up_to(g.by_cell + row * n + j, count) + by_state * o * (1.0f - squashed * squashed);
    float* to = g.by_gates + place * 4 * n + j;
    store_up_to(to, by_new * m * i * (1.0f - i), count);
    store_up_to(to + n, by_new * past * f * (1.0f - f), count);
    store_up_to(to + 2 * n, by_new * i * (1.0f - m * m), count);
    store_up_to(to + 3 * n, by_state * squashed * o * (1.0f - o), count);
    store_up_to(g.by_cell + row * n + j, by_new * f, count);
}

}  // namespace

void lstm(const LstmLayer& l, const float* weight) {
    const int64_t n = l.hidden;
    const GateWeights weights(n, 4);
    float* packed = scratch(2, weights.size());
    weights.pack(weight, 4, packed);
    for (int64_t t = 0; t < l.steps; ++t) {
        const int64_t rows = l.rows[t];
        float* state = scratch(3, PackedRows::size(rows, n));  // [strip of rows][n][ROWS]
        pack_rows({l.last, n, 1}, 0, rows, 0, n, state);
        step_blocks(weights.blocks, rows * n * 4 * n, [&](int64_t block) {
            const int64_t j = block * WIDTH, count = std::min<int64_t>(WIDTH, n - j);
            for (int64_t first = 0; first < rows; first += ROWS) {
                Vec low[ROWS][VECTORS], high[ROWS][VECTORS];  // gates i and f, m and o
                multiply_strips(n, state + first * n, packed + weights.place(block, 0), low);
                multiply_strips(n, state + first * n, packed + weights.place(block, 1), high);
                for (int64_t r = 0; r < std::min<int64_t>(ROWS, rows - first); ++r)
                    forward_cell(l, t, first + r, j, count,
                                 {low[r][0], low[r][1], high[r][0], high[r][1]});
            }
        });
    }
}

void lstm_grad(const LstmGrad& g, const float* weight) {
    const LstmLayer& l = g.layer;
    const int64_t n = l.hidden, depth = 4 * n, strips = (n + COLUMNS - 1) / COLUMNS;
    float* packed = scratch(2, strips * COLUMNS * depth);
    pack_columns(weight, depth, n, packed);
    for (int64_t t = l.steps - 1; t >= -1; --t) {
        // By the states: from the gates of the step after; then by the gates of this step.
        const int64_t after = t + 1 < l.steps ? l.rows[t + 1] : 0, rows = t >= 0 ? l.rows[t] : 0;
        float* by_gates = scratch(3, PackedRows::size(after, depth));  // [strip][4 n][ROWS]
        if (after)
            pack_rows({g.by_gates + l.starts[t + 1] * depth, depth, 1}, 0, after, 0, depth,
                      by_gates);
        step_blocks(strips, std::max(rows, after) * n * depth, [&](int64_t strip) {
            const int64_t first = strip * COLUMNS, wide = std::min<int64_t>(COLUMNS, n - first);
            for (int64_t row = 0; row < after; row += ROWS) {
                Vec piece[ROWS][VECTORS];
                multiply_strips(depth, by_gates + row * depth, packed + first * depth, piece);
                put_piece(piece, g.by_last + row * n + first, n,
                          std::min<int64_t>(ROWS, after - row), wide, false);
            }
            for (int64_t row = 0; row < rows; ++row)
                along(wide, [&](int64_t i, int64_t count) {
                    backward_cell(g, t, row, first + i, count);
                });
        });
    }
}

}  // namespace tallow::ISA
