// Attention of heads that may be views: parts of one projection, with their axes permuted.
#include <algorithm>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// A float32 array (..., rows, columns) whose columns are neighbours, as a pointer for each matrix
// of `batch`, to which its leading axes broadcast.
struct Matrices {
    std::vector<const float*> data;
    int64_t rows = 0, columns = 0, row = 0;
    int ndim = 0;
    const npy_intp* shape = nullptr;
    bool ok = false;

    Matrices(nb::handle value, int batch_axes, const npy_intp* batch) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
        ndim = PyArray_NDIM(array), shape = PyArray_DIMS(array);
        if (ndim < 2 || ndim - 2 > batch_axes || PyArray_TYPE(array) != NPY_FLOAT32 ||
            !PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array) || PyArray_SIZE(array) == 0)
            return;
        const npy_intp* strides = PyArray_STRIDES(array);
        rows = shape[ndim - 2], columns = shape[ndim - 1];
        row = rows == 1 ? 0 : strides[ndim - 2] / int(sizeof(float));
        if (columns > 1 && strides[ndim - 1] != sizeof(float)) return;
        if (strides[ndim - 2] % int(sizeof(float))) return;
        std::vector<const char*> starts{static_cast<const char*>(PyArray_DATA(array))};
        for (int axis = 0; axis < batch_axes; ++axis) {
            const int own = axis - (batch_axes - (ndim - 2));
            const npy_intp count = own < 0 ? 1 : shape[own];
            if (count != 1 && count != batch[axis]) return;
            std::vector<const char*> next;
            next.reserve(starts.size() * size_t(batch[axis]));
            for (const char* start : starts)
                for (npy_intp i = 0; i < batch[axis]; ++i)
                    next.push_back(start + (count == 1 ? 0 : i * strides[own]));
            starts = std::move(next);
        }
        for (const char* start : starts) data.push_back(reinterpret_cast<const float*>(start));
        ok = true;
    }
    bool has_batch(int batch_axes, const npy_intp* batch) const {
        return ndim == batch_axes + 2 && PyArray_CompareLists(shape, batch, batch_axes);
    }
};

// The operands of a call, if they are what the kernel takes.
struct Operands {
    int batch_axes;
    const npy_intp* shape;  // of q
    Matrices q, k, v, bias, keep;
    Attention how{};
    bool ok = false;

    Operands(nb::handle q_, nb::handle k_, nb::handle v_, nb::handle bias_, nb::handle keep_,
             float scale, bool causal)
        : batch_axes(PyArray_CheckExact(q_.ptr())
                         ? PyArray_NDIM(reinterpret_cast<PyArrayObject*>(q_.ptr())) - 2
                         : -1),
          shape(batch_axes < 0 ? nullptr
                               : PyArray_DIMS(reinterpret_cast<PyArrayObject*>(q_.ptr()))),
          q(q_, batch_axes, shape),
          k(k_, batch_axes, shape),
          v(v_, batch_axes, shape),
          bias(bias_, batch_axes, shape),
          keep(keep_, batch_axes, shape) {
        if (!q.ok || !k.ok || !v.ok || (!bias.ok && !bias_.is_none())) return;
        if (!keep.ok && !keep_.is_none()) return;
        if (q.columns != k.columns || k.rows != v.rows) return;
        if (bias.ok && (bias.columns != k.rows || (bias.rows != 1 && bias.rows != q.rows))) return;
        if (keep.ok && (keep.columns != k.rows || keep.rows != q.rows)) return;
        how = {int64_t(q.data.size()),
               q.rows,
               k.rows,
               q.columns,
               v.columns,
               q.data.data(),
               k.data.data(),
               v.data.data(),
               bias.ok ? bias.data.data() : nullptr,
               keep.ok ? keep.data.data() : nullptr,
               q.row,
               k.row,
               v.row,
               bias.row,
               keep.row,
               scale,
               causal};
        ok = true;
    }
    int64_t work() const {
        return how.heads * how.queries * how.keys * (how.width + how.values) / 16;
    }
};

Made like(const Operands& o, int64_t rows, int64_t columns) {
    npy_intp shape[NPY_MAXDIMS];
    std::copy_n(o.shape, o.batch_axes, shape);
    shape[o.batch_axes] = rows, shape[o.batch_axes + 1] = columns;
    return Made(o.batch_axes + 2, shape);
}

nb::object attention(nb::handle q, nb::handle k, nb::handle v, nb::handle bias, float scale,
                     bool causal, nb::handle keep) {
    const Operands o(q, k, v, bias, keep, scale, causal);
    if (!o.ok) return not_implemented();
    Made out = like(o, o.q.rows, o.v.columns), level = like(o, o.q.rows, 1);
    unlocked(o.work(), [&] { kernels().attention(o.how, out.data(), level.data()); });
    return nb::make_tuple(out.object(), level.object());
}

nb::object attention_grad(nb::handle g, nb::handle q, nb::handle k, nb::handle v, nb::handle level,
                          nb::handle bias, float scale, bool causal, nb::handle keep) {
    const Operands o(q, k, v, bias, keep, scale, causal);
    const Dense d(g), l(level);
    if (!o.ok || !d.ok() || !l.ok()) return not_implemented();
    if (!o.k.has_batch(o.batch_axes, o.shape) || !o.v.has_batch(o.batch_axes, o.shape) ||
        l.size() != o.how.heads * o.how.queries || d.size() != l.size() * o.how.values)
        return not_implemented();
    Made by_q = like(o, o.q.rows, o.q.columns), by_k = like(o, o.k.rows, o.k.columns),
         by_v = like(o, o.v.rows, o.v.columns);
    unlocked(o.work(), [&] {
        kernels().attention_grad(o.how, d.data(), l.data(), by_q.data(), by_k.data(), by_v.data());
    });
    return nb::make_tuple(by_q.object(), by_k.object(), by_v.object());
}

}  // namespace

void bind_attention(nb::module_& m) {
    m.def("attention", &attention, nb::arg(), nb::arg(), nb::arg(), nb::arg().none(), nb::arg(),
          nb::arg(), nb::arg("keep").none() = nb::none());
    m.def("attention_grad", &attention_grad, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(),
          nb::arg().none(), nb::arg(), nb::arg(), nb::arg("keep").none() = nb::none());
}

}  // namespace tallow
