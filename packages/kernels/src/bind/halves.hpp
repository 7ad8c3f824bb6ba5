// Arrays of 16-bit floats in and out of the kernels, as Floats and Made are for float32.
#pragma once

#include "../short_kernels.hpp"
#include "bind.hpp"

namespace tallow {

// An array of bfloat16 or float16 in row-major order, or nothing; one of another layout is copied
// where it may be.
class Halves {
  public:
    explicit Halves(nb::handle value, bool copies = false) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
        const auto found = short_kind(array);
        if (!found) return;
        if (!PyArray_IS_C_CONTIGUOUS(array)) {
            if (!copies) return;
            copy_ = nb::steal(PyArray_NewCopy(array, NPY_CORDER));
            if (!copy_.is_valid()) throw nb::python_error();
            array = reinterpret_cast<PyArrayObject*>(copy_.ptr());
        }
        array_ = array, kind = *found;
    }
    bool ok() const { return array_ != nullptr; }
    const uint16_t* data() const { return static_cast<const uint16_t*>(PyArray_DATA(array_)); }
    int ndim() const { return PyArray_NDIM(array_); }
    const npy_intp* shape() const { return PyArray_DIMS(array_); }
    int64_t size() const { return PyArray_SIZE(array_); }
    bool like(const Halves& other) const {
        return kind == other.kind && ndim() == other.ndim() &&
               PyArray_CompareLists(shape(), other.shape(), ndim());
    }
    Made made() const { return Made(ndim(), shape(), type_of(kind)); }

    Short kind{};

  private:
    PyArrayObject* array_ = nullptr;
    nb::object copy_;
};

void bind_short_convolutions(nb::module_& shorts);

}  // namespace tallow
