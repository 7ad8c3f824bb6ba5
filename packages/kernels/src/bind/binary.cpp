// Arithmetic of two operands: arrays of one shape, an array and a number, or an array and one that
// is repeated along some axes.
#include "number.hpp"
#include "repeat.hpp"

namespace tallow {
namespace {

bool repeats(const Floats& part, const Floats& whole, Repeat& r) {
    return repeats(Shape{part.ndim(), part.shape()}, Shape{whole.ndim(), whole.shape()}, r);
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
