// Discrete Fourier transforms.
#include <algorithm>

#include "bind.hpp"

namespace tallow {
namespace {

constexpr int64_t LONGEST = 1 << 14;  // whose lines stay in a cache

bool has_factors(int64_t n) {
    if (n < 1 || n > LONGEST) return false;
    for (int64_t factor : {2, 3, 5})
        while (n % factor == 0) n /= factor;
    return n == 1;
}

PyArrayObject* in_rows(nb::handle value, int type) {
    if (!PyArray_CheckExact(value.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    const int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
    const bool right = PyArray_TYPE(array) == type && PyArray_CHKFLAGS(array, wanted) &&
                       PyArray_ISNOTSWAPPED(array) && PyArray_SIZE(array) > 0;
    return right ? array : nullptr;
}

// Along each of the axes, the last first; several lines at least.
nb::object fft(nb::handle x, nb::tuple axes, bool inverse, double scale) {
    PyArrayObject* input = in_rows(x, NPY_COMPLEX64);
    if (!input || nb::len(axes) == 0) return not_implemented();
    const int ndim = PyArray_NDIM(input);
    for (nb::handle axis : axes) {
        const int64_t n = PyArray_DIM(input, nb::cast<int>(axis));
        if (!has_factors(n) || PyArray_SIZE(input) < n * kernels().width / 2)
            return not_implemented();
    }
    auto out = nb::steal(PyArray_SimpleNew(ndim, PyArray_DIMS(input), NPY_COMPLEX64));
    if (!out.is_valid()) throw nb::python_error();
    auto* to = static_cast<float*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(out.ptr())));
    auto* from = static_cast<const float*>(PyArray_DATA(input));
    for (size_t i = nb::len(axes); i-- > 0; from = to, scale = 1) {
        const int axis = nb::cast<int>(axes[i]);
        Lines l{1, PyArray_DIM(input, axis), 1};
        for (int j = 0; j < axis; ++j) l.outer *= PyArray_DIM(input, j);
        for (int j = axis + 1; j < ndim; ++j) l.inner *= PyArray_DIM(input, j);
        unlocked(PyArray_SIZE(input) * 8,
                 [&] { kernels().fft(l, inverse, float(scale), from, to); });
    }
    return out;
}

// Along the last axis, which becomes `wide` elements of another type: n samples, n / 2 + 1
// frequencies, or the reverse.
template <bool inverse>
nb::object real(nb::handle x, int64_t n, int axis, double scale) {
    PyArrayObject* input = in_rows(x, inverse ? NPY_COMPLEX64 : NPY_FLOAT32);
    if (!input || axis != PyArray_NDIM(input) - 1 || !has_factors(n)) return not_implemented();
    const int64_t size = inverse ? n / 2 + 1 : n, made = inverse ? n : n / 2 + 1;
    const int64_t lines = PyArray_SIZE(input) / size;
    if (PyArray_DIM(input, axis) != size || lines < kernels().width / 2) return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(PyArray_DIMS(input), axis + 1, shape);
    shape[axis] = made;
    auto out = nb::steal(PyArray_SimpleNew(axis + 1, shape, inverse ? NPY_FLOAT32 : NPY_COMPLEX64));
    if (!out.is_valid()) throw nb::python_error();
    auto* to = static_cast<float*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(out.ptr())));
    auto* from = static_cast<const float*>(PyArray_DATA(input));
    unlocked(lines * n * 8, [&] {
        (inverse ? kernels().irfft : kernels().rfft)(lines, n, float(scale), from, to);
    });
    return out;
}

}  // namespace

void bind_transforms(nb::module_& m) {
    m.def("fft", &fft);
    m.def("rfft", &real<false>);
    m.def("irfft", &real<true>);
}

}  // namespace tallow
