// NumPy arrays in and out of the kernels. A kernel takes exact float32 arrays in row-major order;
// for anything else its binding returns NotImplemented, and the operation's generic body runs.
#pragma once

#include <nanobind/nanobind.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL tallow_kernels_numpy
#ifndef TALLOW_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "kernels.hpp"

namespace tallow {

namespace nb = nanobind;

inline nb::object not_implemented() { return nb::borrow(Py_NotImplemented); }

// A float32 array in row-major order, or nothing: `ok` says which.
class Floats {
  public:
    explicit Floats(nb::handle value) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
        const int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
        if (PyArray_TYPE(array) != NPY_FLOAT32 || !PyArray_CHKFLAGS(array, wanted) ||
            !PyArray_ISNOTSWAPPED(array))
            return;
        array_ = array;
    }

    bool ok() const { return array_ != nullptr; }
    const float* data() const { return static_cast<const float*>(PyArray_DATA(array_)); }
    float* writable() const {
        return PyArray_ISWRITEABLE(array_) ? static_cast<float*>(PyArray_DATA(array_)) : nullptr;
    }
    int ndim() const { return PyArray_NDIM(array_); }
    int64_t size() const { return PyArray_SIZE(array_); }
    int64_t shape(int axis) const { return PyArray_DIM(array_, axis < 0 ? ndim() + axis : axis); }
    const npy_intp* shape() const { return PyArray_DIMS(array_); }
    bool same_shape(const Floats& other) const {
        return ndim() == other.ndim() && PyArray_CompareLists(shape(), other.shape(), ndim());
    }

  protected:
    PyArrayObject* array_ = nullptr;
};

// NumPy's number of a dtype of 16 bits: bfloat16 is that of ml_dtypes.
int type_of(Short kind);

// Which of them an array has, in the machine's order of bytes.
std::optional<Short> short_kind(PyArrayObject* array);

// A new array, float32 unless told; its values are not set.
class Made {
  public:
    Made(int ndim, const npy_intp* shape, int type = NPY_FLOAT32)
        : object_(nb::steal(PyArray_SimpleNew(ndim, const_cast<npy_intp*>(shape), type))) {
        if (!object_.is_valid()) throw nb::python_error();
    }
    Made(std::initializer_list<npy_intp> shape) : Made(int(shape.size()), shape.begin()) {}
    explicit Made(const Floats& like) : Made(like.ndim(), like.shape()) {}

    float* data() { return static_cast<float*>(raw()); }
    uint16_t* halves() { return static_cast<uint16_t*>(raw()); }
    void* raw() { return PyArray_DATA(reinterpret_cast<PyArrayObject*>(object_.ptr())); }
    nb::object object() const { return object_; }

  private:
    nb::object object_;
};

// A float32 array as Floats takes it; one of another layout is copied (where `copies`). For what
// computes much with each element, and only reads it.
class Dense : public Floats {
  public:
    explicit Dense(nb::handle value, bool copies = true) : Floats(value) {
        if (!ok() && copies) copy(value);
    }
    float* writable() const = delete;
    nb::handle handle() const { return reinterpret_cast<PyObject*>(array_); }

  private:
    void copy(nb::handle value);
    nb::object copy_;
};

// Runs work without the interpreter lock where it takes long enough to be worth releasing it.
template <class F>
inline void unlocked(int64_t operations, const F& work) {
    if (operations < (1 << 15)) return work();
    nb::gil_scoped_release released;
    work();
}

}  // namespace tallow
