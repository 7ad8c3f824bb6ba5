// What goes along lines: running sums, order, elements at an index; triangles; copies in rows.
#include <nanobind/stl/optional.h>
#include <algorithm>
#include <optional>

#include "bind.hpp"

namespace tallow {
namespace {

// An array in row-major order, or nothing.
PyArrayObject* in_rows(nb::handle value) {
    if (!PyArray_CheckExact(value.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    const int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
    return PyArray_CHKFLAGS(array, wanted) && PyArray_ISNOTSWAPPED(array) ? array : nullptr;
}

nb::object made(int ndim, const npy_intp* shape, int type) {
    auto out = nb::steal(PyArray_SimpleNew(ndim, const_cast<npy_intp*>(shape), type));
    if (!out.is_valid()) throw nb::python_error();
    return out;
}

template <class T>
T* data(nb::handle array) {
    return static_cast<T*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array.ptr())));
}

Lines lines(int ndim, const npy_intp* shape, int axis) {
    Lines l{1, shape[axis], 1};
    for (int i = 0; i < axis; ++i) l.outer *= shape[i];
    for (int i = axis + 1; i < ndim; ++i) l.inner *= shape[i];
    return l;
}

bool has(const Floats& x, int axis) {
    return x.ok() && axis >= 0 && axis < x.ndim() && x.size() > 0;
}

template <Scan kind>
nb::object scan(nb::handle x, int axis, bool reverse) {
    const Dense input(x);
    if (!has(input, axis)) return not_implemented();
    Made out(input);
    const Lines l = lines(input.ndim(), input.shape(), axis);
    unlocked(input.size(), [&] { kernels().scan(kind, l, reverse, input.data(), out.data()); });
    return out.object();
}

nb::object cumprod_grad(nb::handle g, nb::handle x, int axis) {
    const Dense d(g), input(x);
    if (!has(input, axis) || !d.ok() || !d.same_shape(input)) return not_implemented();
    Made out(input);
    const Lines l = lines(input.ndim(), input.shape(), axis);
    unlocked(input.size(),
             [&] { kernels().product_scan_grad(l, d.data(), input.data(), out.data()); });
    return out.object();
}

nb::object cumargmax(nb::handle x, int axis, bool smallest) {
    const Dense input(x);
    if (!has(input, axis)) return not_implemented();
    const nb::object out = made(input.ndim(), input.shape(), NPY_INT64);
    const Lines l = lines(input.ndim(), input.shape(), axis);
    unlocked(input.size(),
             [&] { kernels().scan_places(l, smallest, input.data(), data<int64_t>(out)); });
    return out;
}

std::optional<Element> element(PyArrayObject* x) {
    switch (PyArray_TYPE(x)) {
        case NPY_FLOAT32: return Element::float32;
        case NPY_FLOAT64: return Element::float64;
        case NPY_INT32: return Element::int32;
        case NPY_INT64: return Element::int64;
        default: return {};
    }
}

// The first `stop` places of the order along an axis; all where that is None.
nb::object argsort(nb::handle x, int axis, bool descending, std::optional<int64_t> stop) {
    PyArrayObject* input = in_rows(x);
    const auto kind = input ? element(input) : std::nullopt;
    if (!kind || axis < 0 || axis >= PyArray_NDIM(input) || PyArray_SIZE(input) == 0)
        return not_implemented();
    const int ndim = PyArray_NDIM(input);
    const Lines l = lines(ndim, PyArray_DIMS(input), axis);
    const int64_t count = stop.value_or(l.length);
    if (count < 1 || count > l.length || l.length >= int64_t(1) << 32) return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(PyArray_DIMS(input), ndim, shape);
    shape[axis] = count;
    const nb::object out = made(ndim, shape, NPY_INT64);
    unlocked(PyArray_SIZE(input), [&] {
        kernels().order(*kind, l, PyArray_DATA(input), descending, count, data<int64_t>(out));
    });
    return out;
}

// An array and an index of int64, of sizes that agree but for that along `axis`.
struct Indexed {
    Lines l{};  // of the index
    int64_t size = 0;
    const int64_t* index = nullptr;

    Indexed(int ndim, const npy_intp* shape, nb::handle where, int axis) {
        PyArrayObject* array = in_rows(where);
        if (!array || PyArray_TYPE(array) != NPY_INT64 || PyArray_NDIM(array) != ndim || axis < 0 ||
            axis >= ndim || PyArray_SIZE(array) == 0)
            return;
        for (int i = 0; i < ndim; ++i)
            if (i != axis && PyArray_DIM(array, i) != shape[i]) return;
        l = lines(ndim, PyArray_DIMS(array), axis), size = shape[axis];
        index = static_cast<const int64_t*>(PyArray_DATA(array));
    }
    int64_t count() const { return l.outer * l.length * l.inner; }
};

nb::object gather(nb::handle x, int axis, nb::handle index) {
    PyArrayObject* input = in_rows(x);
    if (!input || PyArray_NDIM(input) == 0 || !PyArray_ISNUMBER(input)) return not_implemented();
    const int bytes = int(PyArray_ITEMSIZE(input)), ndim = PyArray_NDIM(input);
    const Indexed at(ndim, PyArray_DIMS(input), index, axis);
    if (!at.index || bytes > 8) return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(PyArray_DIMS(input), ndim, shape);
    shape[axis] = at.l.length;
    const nb::object out = made(ndim, shape, PyArray_TYPE(input));
    bool inside = false;
    unlocked(at.count(), [&] {
        inside =
            kernels().gather(at.l, at.size, bytes, PyArray_DATA(input), at.index, data<void>(out));
    });
    return inside ? out : not_implemented();
}

nb::object scattered(Made& out, int ndim, const npy_intp* shape, nb::handle values, int axis,
                     nb::handle index, bool add) {
    const Dense from(values);
    const Indexed at(ndim, shape, index, axis);
    if (!from.ok() || !at.index || from.size() != at.count() || from.ndim() != ndim ||
        from.shape(axis) != at.l.length)
        return not_implemented();
    bool inside = false;
    unlocked(at.count(), [&] {
        inside = kernels().scatter(at.l, at.size, add, from.data(), at.index, out.data());
    });
    return inside ? out.object() : not_implemented();
}

nb::object gathered_back(nb::handle value, int axis, nb::handle index, nb::tuple shape) {
    npy_intp sizes[NPY_MAXDIMS];
    const int ndim = int(nb::len(shape));
    for (int i = 0; i < ndim; ++i) sizes[i] = nb::cast<npy_intp>(shape[size_t(i)]);
    if (!in_rows(index) || ndim == 0) return not_implemented();
    Made out(ndim, sizes);
    std::fill_n(out.data(), PyArray_MultiplyList(sizes, ndim), 0.0f);
    return scattered(out, ndim, sizes, value, axis, index, true);
}

template <bool add>
nb::object scatter(nb::handle x, nb::handle src, int axis, nb::handle index) {
    const Dense input(x);
    if (!has(input, axis) || !in_rows(index) || !PyArray_CheckExact(src.ptr()))
        return not_implemented();
    Made out(input);
    std::copy_n(input.data(), input.size(), out.data());
    return scattered(out, input.ndim(), input.shape(), src, axis, index, add);
}

template <bool upper>
nb::object triangle(nb::handle x, int64_t k) {
    PyArrayObject* input = in_rows(x);
    if (!input || PyArray_NDIM(input) < 2 || !PyArray_ISNUMBER(input)) return not_implemented();
    const int ndim = PyArray_NDIM(input);
    const Lines l = lines(ndim, PyArray_DIMS(input), ndim - 2);
    const nb::object out = made(ndim, PyArray_DIMS(input), PyArray_TYPE(input));
    unlocked(PyArray_SIZE(input), [&] {
        kernels().triangle(l, int(PyArray_ITEMSIZE(input)), upper, k,
                           static_cast<const char*>(PyArray_DATA(input)), data<char>(out));
    });
    return out;
}

// A copy in row-major order.
nb::object in_row_order(nb::handle x) {
    if (in_rows(x)) return not_implemented();
    const Dense copy(x);
    return copy.ok() ? nb::borrow(copy.handle()) : not_implemented();
}

}  // namespace

void bind_lines(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("cumsum", &scan<Scan::sum>, nb::arg(), nb::kw_only(), "axis"_a, "reverse"_a = false);
    m.def("cumprod", &scan<Scan::product>, nb::arg(), nb::kw_only(), "axis"_a, "reverse"_a = false);
    m.def("cumprod_grad", &cumprod_grad, nb::arg(), nb::arg(), nb::kw_only(), "axis"_a);
    m.def("cumargmax", &cumargmax, nb::arg(), nb::kw_only(), "axis"_a, "smallest"_a);
    m.def("argsort", &argsort, nb::arg(), nb::kw_only(), "axis"_a, "descending"_a,
          "stop"_a.none() = nb::none());
    m.def("gather", &gather, nb::arg(), nb::kw_only(), "axis"_a, "index"_a);
    m.def("gathered_back", &gathered_back, nb::arg(), nb::kw_only(), "axis"_a, "index"_a,
          "shape"_a);
    m.def("scatter", &scatter<false>, nb::arg(), nb::arg(), nb::kw_only(), "axis"_a, "index"_a);
    m.def("scatter_add", &scatter<true>, nb::arg(), nb::arg(), nb::kw_only(), "axis"_a, "index"_a);
    m.def("tril", &triangle<false>, nb::arg(), nb::kw_only(), "k"_a);
    m.def("triu", &triangle<true>, nb::arg(), nb::kw_only(), "k"_a);
    m.def("in_row_order", &in_row_order);
}

}  // namespace tallow
