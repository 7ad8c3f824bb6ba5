// A step of LSTM and of GRU layers, after the product with the state: element j of row r of what has
// `n` columns. `gates` come as what the inputs give, and stay as what the gates are.

__device__ Wide squash(Wide x) { return 1 / (1 + exp(-x)); }

// Gates i f m o; `cell` and `last` (rows, n) are renewed
extern "C" __global__ void lstm_step(Int count, Real* gates, const Real* part, Real* cell,
                                     Real* last, Real* cells, Real* states, Int n) {
  EACH(e, count) {
    Int at = e / n * 4 * n + e % n;
    Wide i = squash((Wide)gates[at] + (Wide)part[at]);
    Wide f = squash((Wide)gates[at + n] + (Wide)part[at + n]);
    Wide m = tanh((Wide)gates[at + 2 * n] + (Wide)part[at + 2 * n]);
    Wide o = squash((Wide)gates[at + 3 * n] + (Wide)part[at + 3 * n]);
    Wide c = f * (Wide)cell[e] + i * m, h = o * tanh(c);
    gates[at] = i, gates[at + n] = f, gates[at + 2 * n] = m, gates[at + 3 * n] = o;
    cells[e] = cell[e] = c, states[e] = last[e] = h;
  }
}

// From the gradients by the state and the cell after a step to those by the gates and the cell before
extern "C" __global__ void lstm_step_grad(Int count, const Real* by_last, const Real* by_states,
                                          Real* by_cell, const Real* gates, const Real* cells,
                                          const Real* past, Real* by_gates, Int n) {
  EACH(e, count) {
    Int at = e / n * 4 * n + e % n;
    Wide i = gates[at], f = gates[at + n], m = gates[at + 2 * n], o = gates[at + 3 * n];
    Wide by_state = by_last[e], squashed = tanh((Wide)cells[e]);
    if (by_states) by_state += (Wide)by_states[e];
    Wide by_new = (Wide)by_cell[e] + by_state * o * (1 - squashed * squashed);
    by_gates[at] = by_new * m * i * (1 - i);
    by_gates[at + n] = by_new * (Wide)past[e] * f * (1 - f);
    by_gates[at + 2 * n] = by_new * i * (1 - m * m);
    by_gates[at + 3 * n] = by_state * squashed * o * (1 - o);
    by_cell[e] = by_new * f;
  }
}

// Gates r z m; `part` is the product with the state, `bias` (3 n) or none is added to it
extern "C" __global__ void gru_step(Int count, Real* gates, const Real* part, const Real* bias,
                                    Real* inner, Real* last, Real* states, Int n) {
  EACH(e, count) {
    Int j = e % n, at = e / n * 3 * n + j;
    Wide b[3] = {0, 0, 0};
    if (bias)
      for (int k = 0; k < 3; k++) b[k] = bias[j + k * n];
    Wide r = squash((Wide)gates[at] + (Wide)part[at] + b[0]);
    Wide z = squash((Wide)gates[at + n] + (Wide)part[at + n] + b[1]);
    Wide hidden = (Wide)part[at + 2 * n] + b[2];
    Wide m = tanh((Wide)gates[at + 2 * n] + r * hidden);
    gates[at] = r, gates[at + n] = z, gates[at + 2 * n] = m, inner[e] = hidden;
    states[e] = last[e] = ((Wide)last[e] - m) * z + m;
  }
}

// From the gradient by the state after a step to those by what the inputs and by what the state gave
// to the gates; `by_last` becomes its part that goes past the gates
extern "C" __global__ void gru_step_grad(Int count, Real* by_last, const Real* by_states,
                                         const Real* gates, const Real* inner, const Real* before,
                                         Real* by_gates, Real* by_hidden, Int n) {
  EACH(e, count) {
    Int at = e / n * 3 * n + e % n;
    Wide r = gates[at], z = gates[at + n], m = gates[at + 2 * n];
    Wide by_state = by_last[e];
    if (by_states) by_state += (Wide)by_states[e];
    Wide by_m = by_state * (1 - z) * (1 - m * m);
    Wide by_r = by_m * (Wide)inner[e] * r * (1 - r);
    Wide by_z = by_state * ((Wide)before[e] - m) * z * (1 - z);
    by_gates[at] = by_hidden[at] = by_r, by_gates[at + n] = by_hidden[at + n] = by_z;
    by_gates[at + 2 * n] = by_m, by_hidden[at + 2 * n] = by_m * r;
    by_last[e] = by_state * z;
  }
}
