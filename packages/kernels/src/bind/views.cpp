// Operations that show an array's elements in another shape or order, as NumPy does: its methods
// are kernels too slow to call, since they take no keywords.
//
// An argument of a kernel after the first is a parameter of its operation, in the order in which
// these are declared.
#include "core.hpp"

namespace tallow {
namespace {

PyArrayObject* array_of(PyObject* x) {
    return PyArray_CheckExact(x) ? reinterpret_cast<PyArrayObject*>(x) : nullptr;
}

// Sizes or axes, from a tuple of ints.
class Sizes {
  public:
    explicit Sizes(PyObject* tuple) { ok_ = PyArray_IntpConverter(tuple, &dims_) == NPY_SUCCEED; }
    ~Sizes() { PyDimMem_FREE(dims_.ptr); }
    Sizes(const Sizes&) = delete;
    PyArray_Dims* get() { return ok_ ? &dims_ : nullptr; }

  private:
    PyArray_Dims dims_{nullptr, 0};
    bool ok_;
};

PyObject* reshape(PyArrayObject* x, PyObject* const* params) {
    Sizes shape(params[0]);
    return shape.get() ? PyArray_Newshape(x, shape.get(), NPY_CORDER) : nullptr;
}

PyObject* permute(PyArrayObject* x, PyObject* const* params) {
    Sizes axes(params[0]);
    return axes.get() ? PyArray_Transpose(x, axes.get()) : nullptr;
}

PyObject* swap(PyArrayObject* x, PyObject* const* params) {
    const int axis1 = PyArray_PyIntAsInt(params[0]), axis2 = PyArray_PyIntAsInt(params[1]);
    return PyErr_Occurred() ? nullptr : PyArray_SwapAxes(x, axis1, axis2);
}

PyObject* getitem(PyArrayObject* x, PyObject* const* params) {
    return PyObject_GetItem(reinterpret_cast<PyObject*>(x), params[0]);
}

template <PyObject* (*view)(PyArrayObject*, PyObject* const*), Py_ssize_t parameters>
PyObject* kernel(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* names) {
    PyArrayObject* x = count == 1 ? array_of(args[0]) : nullptr;
    if (!x || !names || PyTuple_GET_SIZE(names) != parameters) return Py_NewRef(Py_NotImplemented);
    return view(x, args + 1);
}

template <PyObject* (*view)(PyArrayObject*, PyObject* const*), Py_ssize_t parameters>
PyMethodDef entry(const char* name) {
    auto* function = reinterpret_cast<void (*)()>(&kernel<view, parameters>);
    return {name, reinterpret_cast<PyCFunction>(function), METH_FASTCALL | METH_KEYWORDS, nullptr};
}

PyMethodDef kernels_of_views[] = {
    entry<reshape, 1>("reshape"), entry<permute, 1>("permute"),   entry<swap, 2>("swap"),
    entry<getitem, 1>("getitem"), {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void bind_views(nb::module_& m) {
    if (PyModule_AddFunctions(m.ptr(), kernels_of_views) < 0) throw nb::python_error();
}

}  // namespace tallow
