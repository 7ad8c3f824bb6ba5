// Arithmetic of two operands: arrays of one shape, an array and a number, or an array and one that
// is repeated along some axes.
#include "number.hpp"

namespace tallow {
namespace {

// How `part` broadcasts to `whole`: (outer, middle, inner) of whole, of which it has the middle.
// False if it does so in another way.
bool repeats(const Floats& part, const Floats& whole, Repeat& r) {
    const int missing = whole.ndim() - part.ndim();
    if (missing < 0) return false;
    int phase = 0;  // 0: axes before those that part has, 1: those, 2: axes after them
    r = {1, 1, 1};
    for (int axis = 0; axis < whole.ndim(); ++axis) {
        const int64_t all = whole.shape(axis),
                      own = axis < missing ? 1 : part.shape(axis - missing);
        if (all == 1 && own == 1) continue;
        if (own != all && own != 1) return false;
        if (own == all) {
            if (phase == 2) return false;
            phase = 1, r.middle *= all;
        } else if (phase == 0) {
            r.outer *= all;
        } else {
            phase = 2, r.inner *= all;
        }
    }
    if (r.middle == 1) r = {1, 1, r.outer * r.inner};  // a single element
    return true;
}

// Gives x * y for two arrays; swapped: y * x, where y is the smaller one.
nb::object apply(Binary which, const Floats& x, const float* y, const Repeat& repeat,
                 bool swapped) {
    Made out(x);
    unlocked(x.size(), [&] { kernels().binary(which, swapped, x.data(), y, out.data(), repeat); });
    return out.object();
}

template <Binary which>
nb::object binary(nb::handle x, nb::handle y) {
    const Floats a(x), b(y);
    if (a.ok() && b.ok()) {
        if (a.size() == 0 || b.size() == 0) return not_implemented();
        if (a.same_shape(b)) return apply(which, a, b.data(), {1, a.size(), 1}, false);
        Repeat repeat;
        if (repeats(b, a, repeat)) return apply(which, a, b.data(), repeat, false);
        if (repeats(a, b, repeat)) return apply(which, b, a.data(), repeat, true);
        return not_implemented();
    }
    if (!a.ok() && !b.ok()) return not_implemented();
    const Number number(a.ok() ? y : x);
    if (!number.ok) return not_implemented();
    const Floats& array = a.ok() ? a : b;
    return apply(which, array, &number.value, {1, 1, array.size()}, !a.ok());
}

// x and the weights of PReLU, which broadcast to it.
template <Binary which>
nb::object weighted(nb::handle x, nb::handle weight) {
    const Floats a(x), b(weight);
    Repeat repeat;
    if (!a.ok() || !b.ok() || a.size() == 0 || !repeats(b, a, repeat)) return not_implemented();
    return apply(which, a, b.data(), repeat, false);
}

}  // namespace

void bind_binary(nb::module_& m) {
    m.def("add", &binary<Binary::add>);
    m.def("sub", &binary<Binary::sub>);
    m.def("mul", &binary<Binary::mul>);
    m.def("div", &binary<Binary::div>);
    m.def("maximum", &binary<Binary::maximum>);
    m.def("minimum", &binary<Binary::minimum>);
    m.def("prelu", &weighted<Binary::prelu>);
    m.def("prelu_slope", &weighted<Binary::prelu_slope>);
}

}  // namespace tallow
