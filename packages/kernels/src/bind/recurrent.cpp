// Recurrent layers: all steps of one direction in one call.
#include <algorithm>
#include <cstring>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// The steps in the order in which a layer takes them.
struct Steps {
    std::vector<int64_t> starts, rows;
    int64_t all = 0;

    Steps(nb::tuple batch_sizes, bool reverse) {
        for (nb::handle size : batch_sizes) {
            starts.push_back(all), rows.push_back(nb::cast<int64_t>(size));
            all += rows.back();
        }
        if (!reverse) return;
        std::reverse(starts.begin(), starts.end());
        std::reverse(rows.begin(), rows.end());
    }
    int64_t batch() const { return rows.empty() ? 0 : std::max(rows.front(), rows.back()); }
};

bool is(const Floats& x, int64_t rows, int64_t columns) {
    return x.ok() && x.ndim() == 2 && x.shape(0) == rows && x.shape(1) == columns;
}

bool is_if_given(const Floats& x, nb::handle given, int64_t rows, int64_t columns) {
    return given.is_none() || is(x, rows, columns);
}

const float* data_if_given(const Floats& x) { return x.ok() ? x.data() : nullptr; }

// A layer of these steps; its arrays are still to be set.
template <class Layer>
Layer layer_of(const Steps& steps, int64_t hidden) {
    Layer layer{};
    layer.steps = int64_t(steps.rows.size()), layer.hidden = hidden;
    layer.starts = steps.starts.data(), layer.rows = steps.rows.data();
    return layer;
}

Made copy(const Floats& x) {
    Made made(x);
    std::memcpy(made.data(), x.data(), size_t(x.size()) * sizeof(float));
    return made;
}

// A gradient that was given, else zeros.
Made start(const Floats& given, int64_t rows, int64_t columns) {
    if (given.ok()) return copy(given);
    Made zeros{rows, columns};
    std::fill_n(zeros.data(), rows * columns, 0.0f);
    return zeros;
}

// gates are changed: from what the inputs give to their values.
nb::object lstm(nb::handle gates, nb::handle h, nb::handle c, nb::handle weight,
                nb::tuple batch_sizes, bool reverse) {
    const Floats entering(gates), first(h), cell(c), w(weight);
    const Steps steps(batch_sizes, reverse);
    if (!w.ok() || w.ndim() != 2 || w.size() == 0) return not_implemented();
    const int64_t n = w.shape(1), batch = steps.batch();
    if (!is(w, 4 * n, n) || !is(entering, steps.all, 4 * n) || !entering.writable() ||
        !is(first, batch, n) || !is(cell, batch, n) || steps.all == 0)
        return not_implemented();
    Made last = copy(first), last_cell = copy(cell), states{steps.all, n}, cells{steps.all, n};
    auto layer = layer_of<LstmLayer>(steps, n);
    layer.gates = entering.writable(), layer.last = last.data(), layer.cell = last_cell.data();
    layer.states = states.data(), layer.cells = cells.data();
    unlocked(steps.all * n * n, [&] { kernels().lstm(layer, w.data()); });
    return nb::make_tuple(states.object(), last.object(), last_cell.object(), nb::borrow(gates),
                          cells.object());
}

// The gradients by the gates, h and c, from those of the states, the last state and the last cell,
// each of which may be None.
nb::object lstm_grad(nb::handle by_states, nb::handle by_last, nb::handle by_cell, nb::handle gates,
                     nb::handle cells, nb::handle c, nb::handle weight, nb::tuple batch_sizes,
                     bool reverse) {
    const Floats values(gates), memory(cells), first(c), w(weight);
    const Floats on_states(by_states), on_last(by_last), on_cell(by_cell);
    const Steps steps(batch_sizes, reverse);
    if (!w.ok() || w.ndim() != 2 || w.size() == 0) return not_implemented();
    const int64_t n = w.shape(1), batch = steps.batch();
    if (!is(w, 4 * n, n) || !is(values, steps.all, 4 * n) || !is(memory, steps.all, n) ||
        !is(first, batch, n) || !is_if_given(on_states, by_states, steps.all, n) ||
        !is_if_given(on_last, by_last, batch, n) || !is_if_given(on_cell, by_cell, batch, n))
        return not_implemented();
    Made by_h = start(on_last, batch, n), by_c = start(on_cell, batch, n),
         by_gates{steps.all, 4 * n};
    LstmGrad grad{};
    grad.layer = layer_of<LstmLayer>(steps, n);
    grad.layer.gates = const_cast<float*>(values.data());
    grad.layer.cells = const_cast<float*>(memory.data());
    grad.first_cell = first.data(), grad.by_states = data_if_given(on_states);
    grad.by_last = by_h.data(), grad.by_cell = by_c.data(), grad.by_gates = by_gates.data();
    unlocked(steps.all * n * n, [&] { kernels().lstm_grad(grad, w.data()); });
    return nb::make_tuple(by_gates.object(), by_h.object(), by_c.object());
}

// As lstm; bias, of the states, is None or (3 n).
nb::object gru(nb::handle gates, nb::handle h, nb::handle weight, nb::handle bias,
               nb::tuple batch_sizes, bool reverse) {
    const Floats entering(gates), first(h), w(weight), b(bias);
    const Steps steps(batch_sizes, reverse);
    if (!w.ok() || w.ndim() != 2 || w.size() == 0) return not_implemented();
    const int64_t n = w.shape(1);
    if (!is(w, 3 * n, n) || !is(entering, steps.all, 3 * n) || !entering.writable() ||
        !is(first, steps.batch(), n) || steps.all == 0 ||
        (!bias.is_none() && (!b.ok() || b.size() != 3 * n)))
        return not_implemented();
    Made last = copy(first), states{steps.all, n}, inner{steps.all, n};
    auto layer = layer_of<GruLayer>(steps, n);
    layer.gates = entering.writable(), layer.last = last.data(), layer.states = states.data();
    layer.inner = inner.data(), layer.bias = data_if_given(b);
    unlocked(steps.all * n * n, [&] { kernels().gru(layer, w.data()); });
    return nb::make_tuple(states.object(), last.object(), nb::borrow(gates), inner.object());
}

// The gradients by the gates, by what the states give to them, and by h.
nb::object gru_grad(nb::handle by_states, nb::handle by_last, nb::handle states, nb::handle gates,
                    nb::handle inner, nb::handle h, nb::handle weight, nb::tuple batch_sizes,
                    bool reverse) {
    const Floats shown(states), values(gates), part(inner), first(h), w(weight);
    const Floats on_states(by_states), on_last(by_last);
    const Steps steps(batch_sizes, reverse);
    if (!w.ok() || w.ndim() != 2 || w.size() == 0) return not_implemented();
    const int64_t n = w.shape(1), batch = steps.batch();
    if (!is(w, 3 * n, n) || !is(values, steps.all, 3 * n) || !is(part, steps.all, n) ||
        !is(shown, steps.all, n) || !is(first, batch, n) ||
        !is_if_given(on_states, by_states, steps.all, n) ||
        !is_if_given(on_last, by_last, batch, n))
        return not_implemented();
    Made by_h = start(on_last, batch, n), by_gates{steps.all, 3 * n}, by_hidden{steps.all, 3 * n};
    GruGrad grad{};
    grad.layer = layer_of<GruLayer>(steps, n);
    grad.layer.gates = const_cast<float*>(values.data());
    grad.layer.states = const_cast<float*>(shown.data());
    grad.layer.inner = const_cast<float*>(part.data());
    grad.first = first.data(), grad.by_states = data_if_given(on_states);
    grad.by_last = by_h.data(), grad.by_gates = by_gates.data(), grad.by_hidden = by_hidden.data();
    unlocked(steps.all * n * n, [&] { kernels().gru_grad(grad, w.data()); });
    return nb::make_tuple(by_gates.object(), by_hidden.object(), by_h.object());
}

}  // namespace

void bind_recurrent(nb::module_& m) {
    m.def("lstm", &lstm);
    m.def("lstm_grad", &lstm_grad, nb::arg().none(), nb::arg().none(), nb::arg().none(), nb::arg(),
          nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg());
    m.def("gru", &gru, nb::arg(), nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg());
    m.def("gru_grad", &gru_grad, nb::arg().none(), nb::arg().none(), nb::arg(), nb::arg(),
          nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg());
}

}  // namespace tallow
