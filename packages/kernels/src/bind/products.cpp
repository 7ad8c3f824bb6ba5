// Matrix products of arrays that may be transposed views.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "../short_kernels.hpp"
#include "../tiles.hpp"
#include "bind.hpp"

namespace tallow {
namespace {

std::atomic<int> parts = 0;  // of float32 operands: see Product

// The last two axes of an array of any strides, float32 or bfloat16, and the others as one. An
// array whose other axes do not lie so is copied.
struct Operand {
    const char* data = nullptr;
    bool is_float = false;
    int64_t rows = 0, columns = 0, batch = 1;
    int64_t row = 0, column = 0, step = 0;
    int ndim = 0;
    const npy_intp* shape = nullptr;
    nb::object copy;

    Operand() = default;
    explicit Operand(nb::handle value) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
        if (PyArray_NDIM(array) < 2) return;
        is_float = PyArray_TYPE(array) == NPY_FLOAT32;
        if (is_float ? !PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array)
                     : short_kind(array) != Short::bfloat16)
            return;
        if (describe(array)) return;
        if (is_float) {
            const Dense dense(value);
            if (!dense.ok()) return;
            copy = nb::borrow(dense.handle());
        } else {
            copy = nb::steal(PyArray_NewCopy(array, NPY_CORDER));
            if (!copy.is_valid()) throw nb::python_error();
        }
        describe(reinterpret_cast<PyArrayObject*>(copy.ptr()));
    }
    bool describe(PyArrayObject* array) {
        ndim = PyArray_NDIM(array), shape = PyArray_DIMS(array);
        const npy_intp *strides = PyArray_STRIDES(array), size = PyArray_ITEMSIZE(array);
        for (int i = 0; i < ndim; ++i)
            if (strides[i] % size) return false;
        rows = shape[ndim - 2], columns = shape[ndim - 1];
        row = strides[ndim - 2] / size, column = strides[ndim - 1] / size;
        if (!is_float && columns <= 1) column = 1;  // no element has a neighbour there
        if (!is_float && rows <= 1 && column != 1) row = 1;
        if (!is_float && row != 1 && column != 1) return false;
        batch = 1, step = 0;
        for (int i = ndim - 3; i >= 0; --i) {  // the batch is one line of matrices `step` apart
            const int64_t stride = strides[i] / size;
            if (batch == 1)
                step = stride;
            else if (shape[i] != 1 && stride != step * batch)
                return false;
            batch *= shape[i];
        }
        data = static_cast<const char*>(PyArray_DATA(array));
        return true;
    }
    bool same_batch(const Operand& other) const {
        return ndim == other.ndim && PyArray_CompareLists(shape, other.shape, ndim - 2);
    }
    bool fits(const Operand& other) const {
        return data && other.data && is_float == other.is_float;
    }
    Strided strided() const { return {reinterpret_cast<const float*>(data), row, column, step}; }
    ShortOperand brief() const { return {data, is_float, row, column, step}; }
    Operand turned() const {
        Operand turned = *this;
        std::swap(turned.rows, turned.columns), std::swap(turned.row, turned.column);
        return turned;
    }
    int type() const { return is_float ? NPY_FLOAT32 : type_of(Short::bfloat16); }
};

// A new array of this shape, with what the operands give: of `m` rows each.
nb::object product(const Operand& a, const Operand& b, int64_t batch, int64_t m, const float* bias,
                   int ndim, const npy_intp* shape) {
    Made out(ndim, shape, a.type());
    const int64_t n = b.columns, k = a.columns;
    unlocked(batch * m * n * k / 16, [&] {
        if (a.is_float) {
            const Product p{batch, m, n, k, a.strided(), b.strided(), out.data(), bias, parts};
            if (p.parts || bias || !kernels().multiply_narrow(p)) kernels().multiply(p);
        } else if (batch * m * n) {
            kernels().shorts->multiply(
                {batch, m, n, k, a.brief(), b.brief(), out.raw(), true, bias, 1});
        }
    });
    return out.object();
}

nb::object matmul(nb::handle x, nb::handle y) {
    const Operand a(x), b(y);
    if (!a.fits(b) || a.columns != b.rows) return not_implemented();
    const bool shared = b.ndim == 2 && a.ndim > 2;  // one right matrix for all
    if (!shared && !a.same_batch(b)) return not_implemented();
    std::array<npy_intp, NPY_MAXDIMS> shape;
    std::copy_n(a.shape, a.ndim, shape.begin());
    shape[a.ndim - 1] = b.columns;
    const bool one = shared && a.step == a.rows * a.row;
    return product(a, b, one ? 1 : a.batch, one ? a.rows * a.batch : a.rows, nullptr, a.ndim,
                   shape.data());
}

// An array (..., columns) as one matrix, copied where it is not in row-major order.
Operand rows_of(nb::handle value) {
    nb::object dense = nb::borrow(value);
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    if (!PyArray_CheckExact(value.ptr()) || PyArray_NDIM(array) < 1) return {};
    if (!PyArray_IS_C_CONTIGUOUS(array)) {
        dense = PyArray_TYPE(array) == NPY_FLOAT32 ? nb::borrow(Dense(value).handle())
                                                   : nb::steal(PyArray_NewCopy(array, NPY_CORDER));
        if (!dense.is_valid()) throw nb::python_error();
    }
    npy_intp shape[2] = {-1, PyArray_DIM(array, PyArray_NDIM(array) - 1)};
    if (shape[1] == 0) return {};
    PyArray_Dims dims{shape, 2};
    array = reinterpret_cast<PyArrayObject*>(dense.ptr());
    const nb::object matrix = nb::steal(PyArray_Newshape(array, &dims, NPY_CORDER));
    if (!matrix.is_valid()) throw nb::python_error();
    Operand out(matrix);
    if (!out.copy.is_valid()) out.copy = matrix;
    return out;
}

// x (..., in) times weight (out, in) transposed, plus bias (out) or None.
nb::object linear(nb::handle x, nb::handle weight, nb::handle bias) {
    const Operand w(weight);
    if (!w.data || w.ndim != 2) return not_implemented();
    const Operand a = rows_of(x), b = w.turned();
    if (!a.fits(b) || a.columns != b.rows) return not_implemented();
    const Operand shift = bias.is_none() ? Operand{} : rows_of(bias);
    const int axes =
        bias.is_none() ? 1 : PyArray_NDIM(reinterpret_cast<PyArrayObject*>(bias.ptr()));
    if (!bias.is_none() && (!shift.fits(w) || axes != 1 || shift.columns != w.rows))
        return not_implemented();
    std::vector<float> wide;
    auto* added = reinterpret_cast<const float*>(shift.data);
    if (shift.data && !shift.is_float) {
        wide.resize(size_t(shift.columns));
        kernels().shorts->widen(Short::bfloat16, reinterpret_cast<const uint16_t*>(shift.data),
                                wide.data(), shift.columns);
        added = wide.data();
    }
    auto* array = reinterpret_cast<PyArrayObject*>(x.ptr());
    std::array<npy_intp, NPY_MAXDIMS> shape;
    std::copy_n(PyArray_DIMS(array), PyArray_NDIM(array), shape.begin());
    shape[PyArray_NDIM(array) - 1] = w.rows;
    return product(a, b, 1, a.rows, added, PyArray_NDIM(array), shape.data());
}

constexpr const char* UNITS[] = {"float32", "AVX512-BF16", "AMX"};

// What products of float32 are made of under a precision: see Product.
int parts_under(const std::string& precision) {
    if (precision == "medium" && tile_unit() != TileUnit::plain) return 1;
    if (precision == "high" && tile_unit() == TileUnit::amx) return 3;
    return 0;
}

}  // namespace

void bind_products(nb::module_& m) {
    m.def("set_matmul_precision", [](const std::string& p) { parts = parts_under(p); });
    m.def("matmul_parts", &parts_under);
    m.def("tile_unit", [] { return UNITS[int(tile_unit())]; });
    m.def("limit_tiles", [](int most) { return limit_tiles(TileUnit(most)); });
    m.def("matmul", &matmul);
    m.def("linear", &linear, nb::arg(), nb::arg(), nb::arg().none());
}

}  // namespace tallow
