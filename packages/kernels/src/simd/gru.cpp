// The steps of a GRU layer: Cho et al., "Learning phrase representations using RNN
// encoder-decoder", 2014, with the reset after the product. Gates r and z, and the memory m;
// arranged as in lstm.cpp.
#include "recurrent.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// A step of one sequence, hidden units j .. j + count - 1, from what the states give to the gates.
inline void forward_cell(const GruLayer& l, int64_t t, int64_t row, int64_t j, int64_t count, Vec r,
                         Vec z, Vec inner) {
    const int64_t n = l.hidden, place = l.starts[t] + row;
    float* gate = l.gates + place * 3 * n + j;
    if (l.bias) {
        r += load_up_to(l.bias + j, count);
        z += load_up_to(l.bias + n + j, count);
        inner += load_up_to(l.bias + 2 * n + j, count);
    }
    r = sigmoid(load_up_to(gate, count) + r);
    z = sigmoid(load_up_to(gate + n, count) + z);
    const Vec m = tanh(load_up_to(gate + 2 * n, count) + r * inner);
    const Vec state = (load_up_to(l.last + row * n + j, count) - m) * z + m;
    store_up_to(gate, r, count);
    store_up_to(gate + n, z, count);
    store_up_to(gate + 2 * n, m, count);
    store_up_to(l.inner + place * n + j, inner, count);
    store_up_to(l.states + place * n + j, state, count);
    store_up_to(l.last + row * n + j, state, count);
}

// The gradients by what enters the gates, and in `by_last` what reaches the state before but
// through the product.
inline void backward_cell(const GruGrad& g, int64_t t, int64_t row, int64_t j, int64_t count) {
    const GruLayer& l = g.layer;
    const int64_t n = l.hidden, place = l.starts[t] + row;
    const float* gate = l.gates + place * 3 * n + j;
    const Vec r = load_up_to(gate, count), z = load_up_to(gate + n, count),
              m = load_up_to(gate + 2 * n, count),
              inner = load_up_to(l.inner + place * n + j, count);
    const bool begun = t > 0 && row < l.rows[t - 1];
    const float* before = begun ? l.states + (l.starts[t - 1] + row) * n : g.first + row * n;
    Vec by_state = load_up_to(g.by_last + row * n + j, count);
    if (g.by_states) by_state += load_up_to(g.by_states + place * n + j, count);
    const Vec by_z = by_state * (load_up_to(before + j, count) - m) * z * (1.0f - z);
    const Vec by_m = by_state * (1.0f - z) * (1.0f - m * m);
    const Vec by_r = by_m * inner * r * (1.0f - r);
    float *entering = g.by_gates + place * 3 * n + j, *hidden = g.by_hidden + place * 3 * n + j;
    store_up_to(entering, by_r, count);
    store_up_to(entering + n, by_z, count);
    store_up_to(entering + 2 * n, by_m, count);
    store_up_to(hidden, by_r, count);
    store_up_to(hidden + n, by_z, count);
    store_up_to(hidden + 2 * n, by_m * r, count);
    store_up_to(g.by_last + row * n + j, by_state * z, count);
}

}  // namespace

void gru(const GruLayer& l, const float* weight) {
    const int64_t n = l.hidden;
    const GateWeights weights(n, 3);
    float* packed = scratch(2, weights.size());
    weights.pack(weight, 3, packed);
    for (int64_t t = 0; t < l.steps; ++t) {
        const int64_t rows = l.rows[t];
        float* state = scratch(3, PackedRows::size(rows, n));  // [strip of rows][n][ROWS]
        pack_rows({l.last, n, 1}, 0, rows, 0, n, state);
        step_blocks(weights.blocks, rows * n * 3 * n, [&](int64_t block) {
            const int64_t j = block * WIDTH, count = std::min<int64_t>(WIDTH, n - j);
            for (int64_t first = 0; first < rows; first += ROWS) {
                Vec low[ROWS][VECTORS], high[ROWS][VECTORS];  // gates r and z, m and nothing
                multiply_strips(n, state + first * n, packed + weights.place(block, 0), low);
                multiply_strips(n, state + first * n, packed + weights.place(block, 1), high);
                for (int64_t r = 0; r < std::min<int64_t>(ROWS, rows - first); ++r)
                    forward_cell(l, t, first + r, j, count, low[r][0], low[r][1], high[r][0]);
            }
        });
    }
}

void gru_grad(const GruGrad& g, const float* weight) {
    const GruLayer& l = g.layer;
    const int64_t n = l.hidden, depth = 3 * n, strips = (n + COLUMNS - 1) / COLUMNS;
    float* packed = scratch(2, strips * COLUMNS * depth);
    pack_columns(weight, depth, n, packed);
    for (int64_t t = l.steps - 1; t >= -1; --t) {
        // By the states: what went through the product in the step after; then this step's gates.
        const int64_t after = t + 1 < l.steps ? l.rows[t + 1] : 0, rows = t >= 0 ? l.rows[t] : 0;
        float* by_hidden = scratch(3, PackedRows::size(after, depth));  // [strip][3 n][ROWS]
        if (after)
            pack_rows({g.by_hidden + l.starts[t + 1] * depth, depth, 1}, 0, after, 0, depth,
                      by_hidden);
        step_blocks(strips, std::max(rows, after) * n * depth, [&](int64_t strip) {
            const int64_t first = strip * COLUMNS, wide = std::min<int64_t>(COLUMNS, n - first);
            for (int64_t row = 0; row < after; row += ROWS) {
                Vec piece[ROWS][VECTORS];
                multiply_strips(depth, by_hidden + row * depth, packed + first * depth, piece);
                put_piece(piece, g.by_last + row * n + first, n,
                          std::min<int64_t>(ROWS, after - row), wide, true);
            }
            for (int64_t row = 0; row < rows; ++row)
                along(wide, [&](int64_t i, int64_t count) {
                    backward_cell(g, t, row, first + i, count);
                });
        });
    }
}

}  // namespace tallow::ISA
