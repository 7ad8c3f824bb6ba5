// Matrix products of arrays that may be transposed views.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "bind.hpp"

namespace tallow {
namespace {

std::atomic<bool> rounded = false;  // set_float32_matmul_precision("medium")

// The last two axes of a float32 array of any strides, and the others as one. An array whose other
// axes do not lie so is copied.
struct Operand {
    const float* data = nullptr;
    int64_t rows = 0, columns = 0, batch = 1;
    int64_t row = 0, column = 0, step = 0;
    int ndim = 0;
    const npy_intp* shape = nullptr;
    std::unique_ptr<Dense> copy;

    explicit Operand(nb::handle value) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
        if (PyArray_NDIM(array) < 2 || PyArray_TYPE(array) != NPY_FLOAT32 ||
            !PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array))
            return;
        if (describe(array)) return;
        copy = std::make_unique<Dense>(value);
        if (copy->ok()) describe(reinterpret_cast<PyArrayObject*>(copy->handle().ptr()));
    }
    bool describe(PyArrayObject* array) {
        ndim = PyArray_NDIM(array), shape = PyArray_DIMS(array);
        const npy_intp* strides = PyArray_STRIDES(array);
        for (int i = 0; i < ndim; ++i)
            if (strides[i] % int(sizeof(float))) return false;
        rows = shape[ndim - 2], columns = shape[ndim - 1];
        row = strides[ndim - 2] / int(sizeof(float)),
        column = strides[ndim - 1] / int(sizeof(float));
        batch = 1, step = 0;
        for (int i = ndim - 3; i >= 0; --i) {  // the batch is one line of matrices `step` apart
            const int64_t stride = strides[i] / int(sizeof(float));
            if (batch == 1)
                step = stride;
            else if (shape[i] != 1 && stride != step * batch)
                return false;
            batch *= shape[i];
        }
        data = static_cast<const float*>(PyArray_DATA(array));
        return true;
    }
    bool same_batch(const Operand& other) const {
        return ndim == other.ndim && PyArray_CompareLists(shape, other.shape, ndim - 2);
    }
    Strided strided() const { return {data, row, column, step}; }
};

// `short_floats`: the operands were bfloat16, and lose nothing by being it.
nb::object matmul(nb::handle x, nb::handle y, bool short_floats) {
    const Operand a(x), b(y);
    if (!a.data || !b.data || a.columns != b.rows) return not_implemented();
    const bool shared = b.ndim == 2 && a.ndim > 2;  // one right matrix for all
    if (!shared && !a.same_batch(b)) return not_implemented();
    std::array<npy_intp, NPY_MAXDIMS> shape;
    std::copy_n(a.shape, a.ndim, shape.begin());
    shape[a.ndim - 1] = b.columns;
    Made out(a.ndim, shape.data());
    Product p{a.batch,    a.rows,      b.columns,
              a.columns,  a.strided(), b.strided(),
              out.data(), nullptr,     rounded || short_floats};
    if (shared && a.step == a.rows * a.row) p.m *= p.batch, p.batch = 1;
    unlocked(p.batch * p.m * p.n * p.k / 16, [&] {
        if (p.rounded || !kernels().multiply_narrow(p)) kernels().multiply(p);
    });
    return out.object();
}

// x (..., in) times weight (out, in) transposed, plus bias (out) or None.
nb::object linear(nb::handle x, nb::handle weight, nb::handle bias, bool short_floats) {
    const Dense input(x), b(bias);
    const Operand w(weight);
    if (!input.ok() || input.ndim() < 1 || !w.data || w.ndim != 2 || input.shape(-1) != w.columns)
        return not_implemented();
    if (!bias.is_none() && (!b.ok() || b.ndim() != 1 || b.size() != w.rows))
        return not_implemented();
    std::array<npy_intp, NPY_MAXDIMS> shape;
    std::copy_n(input.shape(), input.ndim(), shape.begin());
    shape[input.ndim() - 1] = w.rows;
    Made out(input.ndim(), shape.data());
    const int64_t depth = w.columns, rows = depth ? input.size() / depth : 0;
    if (depth == 0) return not_implemented();
    const Product p{1,
                    rows,
                    w.rows,
                    depth,
                    {input.data(), depth, 1, 0},
                    {w.data, w.column, w.row, 0},
                    out.data(),
                    bias.is_none() ? nullptr : b.data(),
                    rounded || short_floats};
    unlocked(p.m * p.n * p.k / 16, [&] { kernels().multiply(p); });
    return out.object();
}

}  // namespace

void bind_products(nb::module_& m) {
    m.def("set_rounded_products", [](bool allowed) { rounded = allowed; });
    m.def("rounds_products", [] { return kernels().rounds_products(); });
    m.def("matmul", &matmul, nb::arg(), nb::arg(), nb::arg() = false);
    m.def("linear", &linear, nb::arg(), nb::arg(), nb::arg().none(), nb::arg() = false);
}

}  // namespace tallow
