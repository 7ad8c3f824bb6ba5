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
    m.def("expm1", &unary<Unary::expm1>);
    m.def("log", &unary<Unary::log>);
    m.def("log1p", &unary<Unary::log1p>);
    m.def("sqrt", &unary<Unary::sqrt>);
    m.def("rsqrt", &unary<Unary::rsqrt>);
    m.def("reciprocal", &unary<Unary::reciprocal>);
    m.def("square", &unary<Unary::square>);
    m.def("sin", &unary<Unary::sin>);
    m.def("cos", &unary<Unary::cos>);
    m.def("erf", &unary<Unary::erf>);
    m.def("erfc", &unary<Unary::erfc>);
    m.def("erfinv", &unary<Unary::erfinv>);
    m.def("neg", &unary<Unary::neg>);
    m.def("absolute", &unary<Unary::absolute>);
    m.def("sign", &unary<Unary::sign>);
    m.def("floor", &unary<Unary::floor>);
    m.def("ceil", &unary<Unary::ceil>);
    m.def("trunc", &unary<Unary::trunc>);
    m.def("round", &unary<Unary::round>);
    m.def("relu_grad", &unary_grad<Unary::relu>);
    m.def("tanh_grad", &unary_grad<Unary::tanh>);
    m.def("sigmoid_grad", &unary_grad<Unary::sigmoid>);
    m.def("gelu_grad", &unary_grad<Unary::gelu>);
    m.def("silu_grad", &unary_grad<Unary::silu>);
    m.def("hardsigmoid_grad", &unary_grad<Unary::hardsigmoid>);
    m.def("hardswish_grad", &unary_grad<Unary::hardswish>);
}

}  // namespace tallow
