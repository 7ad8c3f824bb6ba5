// Activations and their gradients.
#include "bind.hpp"

namespace tallow {
namespace {

template <Unary which>
nb::object unary(nb::handle x) {
    const Floats input(x);
    if (!input.ok()) return not_implemented();
    Made out(input);
    unlocked(input.size(), [&] { kernels().unary(which, input.data(), out.data(), input.size()); });
    return out.object();
}

template <Unary which>
nb::object unary_grad(nb::handle g, nb::handle x) {
    const Floats d(g), input(x);
    if (!d.ok() || !input.ok() || !d.same_shape(input)) return not_implemented();
    Made out(input);
    unlocked(d.size(),
             [&] { kernels().unary_grad(which, d.data(), input.data(), out.data(), d.size()); });
    return out.object();
}

}  // namespace

void bind_elementwise(nb::module_& m) {
    m.def("relu", &unary<Unary::relu>);
    m.def("exp", &unary<Unary::exp>);
    m.def("tanh", &unary<Unary::tanh>);
    m.def("sigmoid", &unary<Unary::sigmoid>);
    m.def("gelu", &unary<Unary::gelu>);
    m.def("silu", &unary<Unary::silu>);
    m.def("hardsigmoid", &unary<Unary::hardsigmoid>);
    m.def("hardswish", &unary<Unary::hardswish>);
    m.def("relu_grad", &unary_grad<Unary::relu>);
    m.def("tanh_grad", &unary_grad<Unary::tanh>);
    m.def("sigmoid_grad", &unary_grad<Unary::sigmoid>);
    m.def("gelu_grad", &unary_grad<Unary::gelu>);
    m.def("silu_grad", &unary_grad<Unary::silu>);
    m.def("hardsigmoid_grad", &unary_grad<Unary::hardsigmoid>);
    m.def("hardswish_grad", &unary_grad<Unary::hardswish>);
}

}  // namespace tallow
