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
    forward_steps<3>(l, weight,
                     [&](int64_t t, int64_t row, int64_t j, int64_t count, const Vec(&sums)[4]) {
                         forward_cell(l, t, row, j, count, sums[0], sums[1], sums[2]);
                     });
}

void gru_grad(const GruGrad& g, const float* weight) {
    backward_steps<3>(g.layer, weight, g.by_hidden, g.by_last, true,
                      [&](int64_t t, int64_t row, int64_t j, int64_t count) {
                          backward_cell(g, t, row, j, count);
                      });
}

}  // namespace tallow::ISA
