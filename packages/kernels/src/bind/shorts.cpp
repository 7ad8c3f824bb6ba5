// Floats of 16 bits: casts, and kernels of float32 on strips of them that stay in a cache.
#include <algorithm>

#include "halves.hpp"

namespace tallow {
namespace {

nb::object widen(nb::handle x) {
    const Halves h(x, true);
    if (!h.ok()) return not_implemented();
    Made out(h.ndim(), h.shape());
    unlocked(h.size(), [&] { kernels().shorts->widen(h.kind, h.data(), out.data(), h.size()); });
    return out.object();
}

nb::object narrow(nb::handle x, nb::handle dtype) {
    const Floats f(x);
    if (!f.ok() || !PyArray_DescrCheck(dtype.ptr())) return not_implemented();
    const int type = reinterpret_cast<PyArray_Descr*>(dtype.ptr())->type_num;
    if (type != NPY_HALF && (type < NPY_USERDEF || type != type_of(Short::bfloat16)))
        return not_implemented();
    const Short kind = type == NPY_HALF ? Short::float16 : Short::bfloat16;
    Made out(f.ndim(), f.shape(), type);
    unlocked(f.size(), [&] { kernels().shorts->narrow(kind, f.data(), out.halves(), f.size()); });
    return out.object();
}

constexpr int64_t STRIP = 4096;

// out = body(operands as float32, out, count), strip by strip; all operands have as many elements.
template <size_t N, class Body>
nb::object by_strips(const Halves (&operands)[N], const Body& body) {
    for (const Halves& x : operands)
        if (!x.ok() || !x.like(operands[0])) return not_implemented();
    const Short kind = operands[0].kind;
    Made out = operands[0].made();
    const int64_t size = operands[0].size();
    const ShortKernels& shorts = *kernels().shorts;
    unlocked(size, [&] {
        parallel_ranges(size, STRIP, [&](int64_t begin, int64_t end) {
            alignas(64) float wide[N][STRIP], result[STRIP];
            for (int64_t i = begin; i < end; i += STRIP) {
                const int64_t count = std::min(STRIP, end - i);
                for (size_t k = 0; k < N; ++k)
                    shorts.widen(kind, operands[k].data() + i, wide[k], count);
                body(wide, result, count);
                shorts.narrow(kind, result, out.halves() + i, count);
            }
        });
    });
    return out.object();
}

template <Unary which>
nb::object unary(nb::handle x) {
    const Halves operands[] = {Halves(x)};
    return by_strips(operands, [](auto& wide, float* out, int64_t count) {
        kernels().unary(which, wide[0], out, count);
    });
}

template <Unary which>
nb::object unary_grad(nb::handle g, nb::handle x) {
    const Halves operands[] = {Halves(g), Halves(x)};
    return by_strips(operands, [](auto& wide, float* out, int64_t count) {
        kernels().unary_grad(which, wide[0], wide[1], out, count);
    });
}

template <Binary which>
nb::object binary(nb::handle x, nb::handle y) {
    const Halves operands[] = {Halves(x), Halves(y)};
    return by_strips(operands, [](auto& wide, float* out, int64_t count) {
        kernels().binary(which, false, wide[0], wide[1], out, {1, count, 1});
    });
}

}  // namespace

void bind_shorts(nb::module_& m) {
    m.def("widen", &widen);
    m.def("narrow", &narrow);
    nb::module_ shorts = m.def_submodule("shorts");
    bind_short_convolutions(shorts);
    shorts.def("relu", &unary<Unary::relu>);
    shorts.def("exp", &unary<Unary::exp>);
    shorts.def("tanh", &unary<Unary::tanh>);
    shorts.def("sigmoid", &unary<Unary::sigmoid>);
    shorts.def("gelu", &unary<Unary::gelu>);
    shorts.def("silu", &unary<Unary::silu>);
    shorts.def("hardsigmoid", &unary<Unary::hardsigmoid>);
    shorts.def("hardswish", &unary<Unary::hardswish>);
    shorts.def("relu_grad", &unary_grad<Unary::relu>);
    shorts.def("tanh_grad", &unary_grad<Unary::tanh>);
    shorts.def("sigmoid_grad", &unary_grad<Unary::sigmoid>);
    shorts.def("gelu_grad", &unary_grad<Unary::gelu>);
    shorts.def("silu_grad", &unary_grad<Unary::silu>);
    shorts.def("hardsigmoid_grad", &unary_grad<Unary::hardsigmoid>);
    shorts.def("hardswish_grad", &unary_grad<Unary::hardswish>);
    shorts.def("add", &binary<Binary::add>);
    shorts.def("sub", &binary<Binary::sub>);
    shorts.def("mul", &binary<Binary::mul>);
    shorts.def("div", &binary<Binary::div>);
    shorts.def("maximum", &binary<Binary::maximum>);
    shorts.def("minimum", &binary<Binary::minimum>);
}

}  // namespace tallow
