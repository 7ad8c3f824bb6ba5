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
    forward_steps<4>(l, weight,
                     [&](int64_t t, int64_t row, int64_t j, int64_t count, const Vec(&sums)[4]) {
                         forward_cell(l, t, row, j, count, sums);
                     });
}

void lstm_grad(const LstmGrad& g, const float* weight) {
    backward_steps<4>(g.layer, weight, g.by_gates, g.by_last, false,
                      [&](int64_t t, int64_t row, int64_t j, int64_t count) {
                          backward_cell(g, t, row, j, count);
                      });
}

}  // namespace tallow::ISA
