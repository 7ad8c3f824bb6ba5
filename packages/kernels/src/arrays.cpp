#include "arrays.hpp"

namespace tallow {

int type_of(Short kind) {
    if (kind == Short::float16) return NPY_HALF;
    static const int bfloat16 = [] {
        PyArray_Descr* found = nullptr;
        const nb::object type = nb::module_::import_("ml_dtypes").attr("bfloat16");
        if (!PyArray_DescrConverter(type.ptr(), &found)) throw nb::python_error();
        const int number = found->type_num;
        Py_DECREF(found);
        return number;
    }();
    return bfloat16;
}

std::optional<Short> short_kind(PyArrayObject* array) {
    const int type = PyArray_TYPE(array);
    if (!PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array)) return {};
    if (type == NPY_HALF) return Short::float16;
    if (type >= NPY_USERDEF && type == type_of(Short::bfloat16)) return Short::bfloat16;
    return {};
}

// Axes of size 1 are left out, and two that lie as one in memory become one.
void Dense::copy(nb::handle value) {
    if (!PyArray_CheckExact(value.ptr())) return;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    if (PyArray_TYPE(array) != NPY_FLOAT32 || !PyArray_ISALIGNED(array) ||
        !PyArray_ISNOTSWAPPED(array))
        return;
    int64_t shape[NPY_MAXDIMS], strides[NPY_MAXDIMS];
    int ndim = 0;
    for (int axis = 0; axis < PyArray_NDIM(array); ++axis) {
        const int64_t size = PyArray_DIM(array, axis),
                      stride = PyArray_STRIDE(array, axis) / int(sizeof(float));
        if (PyArray_STRIDE(array, axis) % int(sizeof(float))) return;
        if (size == 1) continue;
        if (ndim && strides[ndim - 1] == stride * size) {
            shape[ndim - 1] *= size, strides[ndim - 1] = stride;
        } else {
            shape[ndim] = size, strides[ndim++] = stride;
        }
    }
    Made made(PyArray_NDIM(array), PyArray_DIMS(array));
    unlocked(PyArray_SIZE(array), [&] {
        kernels().copy({ndim, shape, strides}, static_cast<const float*>(PyArray_DATA(array)),
                       made.data());
    });
    copy_ = made.object();
    array_ = reinterpret_cast<PyArrayObject*>(copy_.ptr());
}

}  // namespace tallow
