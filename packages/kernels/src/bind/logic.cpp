// Comparisons, choices by them, and joining.
#include <algorithm>
#include <cstring>
#include <vector>

#include "number.hpp"

namespace tallow {
namespace {

nb::object made_bool(const Floats& like) {
    nb::object out =
        nb::steal(PyArray_SimpleNew(like.ndim(), const_cast<npy_intp*>(like.shape()), NPY_BOOL));
    if (!out.is_valid()) throw nb::python_error();
    return out;
}

uint8_t* bytes_of(nb::handle array) {
    return static_cast<uint8_t*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array.ptr())));
}

// x against y, an array of the same shape or a number.
template <Comparison which>
nb::object compare(nb::handle x, nb::handle y) {
    const Floats a(x), b(y);
    const Number number(y);
    if (!a.ok() || (b.ok() ? !a.same_shape(b) : !number.ok)) return not_implemented();
    const nb::object out = made_bool(a);
    unlocked(a.size(), [&] {
        kernels().compare(which, a.data(), b.ok() ? b.data() : &number.value, !b.ok(),
                          bytes_of(out), a.size());
    });
    return out;
}

// condition, a bool array; x and y arrays of its shape or numbers, but not both numbers.
nb::object where(nb::handle condition, nb::handle x, nb::handle y) {
    const Floats a(x), b(y);
    const Number first(x), second(y);
    if ((!a.ok() && !b.ok()) || (!a.ok() && !first.ok) || (!b.ok() && !second.ok) ||
        !PyArray_CheckExact(condition.ptr()))
        return not_implemented();
    const Floats& like = a.ok() ? a : b;
    auto* chosen = reinterpret_cast<PyArrayObject*>(condition.ptr());
    if (PyArray_TYPE(chosen) != NPY_BOOL || !PyArray_IS_C_CONTIGUOUS(chosen) ||
        PyArray_NDIM(chosen) != like.ndim() || (a.ok() && b.ok() && !a.same_shape(b)) ||
        !PyArray_CompareLists(PyArray_DIMS(chosen), like.shape(), like.ndim()))
        return not_implemented();
    Made out(like);
    unlocked(like.size(), [&] {
        kernels().where(bytes_of(condition), a.ok() ? a.data() : &first.value, !a.ok(),
                        b.ok() ? b.data() : &second.value, !b.ok(), out.data(), like.size());
    });
    return out.object();
}

// Arrays of shapes that agree but for an axis, one after the other along it.
nb::object cat(nb::args arrays, int axis) {
    std::vector<Floats> parts;
    int64_t joined = 0;
    for (nb::handle array : arrays) {
        const Floats& part = parts.emplace_back(array);
        if (!part.ok() || part.ndim() != parts[0].ndim() || axis >= part.ndim())
            return not_implemented();
        for (int i = 0; i < part.ndim(); ++i)
            if (i != axis && part.shape(i) != parts[0].shape(i)) return not_implemented();
        joined += part.shape(axis);
    }
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(parts[0].shape(), parts[0].ndim(), shape);
    shape[axis] = joined;
    Made out(parts[0].ndim(), shape);
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < parts[0].ndim(); ++i) inner *= shape[i];
    unlocked(outer * joined * inner, [&] {
        const int64_t grain =
            std::max<int64_t>(1, (1 << 15) / std::max<int64_t>(joined * inner, 1));
        parallel_ranges(outer, grain, [&](int64_t row, int64_t end) {
            float* to = out.data() + row * joined * inner;
            for (; row < end; ++row)
                for (const Floats& part : parts) {
                    const int64_t there = part.shape(axis) * inner;
                    std::copy_n(part.data() + row * there, there, to);
                    to += there;
                }
        });
    });
    return out.object();
}

}  // namespace

void bind_logic(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("equal", &compare<Comparison::equal>);
    m.def("not_equal", &compare<Comparison::not_equal>);
    m.def("less", &compare<Comparison::less>);
    m.def("less_equal", &compare<Comparison::less_equal>);
    m.def("greater", &compare<Comparison::greater>);
    m.def("greater_equal", &compare<Comparison::greater_equal>);
    m.def("where", &where);
    m.def("cat", &cat, nb::arg(), nb::kw_only(), "axis"_a);
}

}  // namespace tallow
