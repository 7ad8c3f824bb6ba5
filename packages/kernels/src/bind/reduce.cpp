// Reductions along axes.
#include <algorithm>
#include <cmath>

#include "bind.hpp"

namespace tallow {
namespace {

// Which axes are reduced, and what that makes of x: axes next to each other that are reduced, or
// kept, count as one, as do those of size 1.
struct Axes {
    bool reduced[NPY_MAXDIMS] = {};
    Reduction r{1, 1, 1, 1};

    // From None for all, or a tuple; false where it is neither.
    bool read(nb::handle axis, int ndim) {
        if (axis.is_none()) {
            std::fill_n(reduced, ndim, true);
            return true;
        }
        if (!nb::isinstance<nb::tuple>(axis)) return false;
        for (nb::handle item : nb::borrow<nb::tuple>(axis)) {
            const long i = PyLong_AsLong(item.ptr());
            if (i < 0 || i >= ndim) return PyErr_Clear(), false;
            reduced[i] = true;
        }
        return true;
    }
    // False if there are more runs of axes than Reduction has, or nothing to reduce.
    bool group(const Floats& x) {
        int64_t* runs[] = {&r.r0, &r.k0, &r.r1, &r.k1};
        int run = 0;
        for (int i = 0; i < x.ndim(); ++i) {
            if (x.shape(i) == 1) continue;
            if (reduced[i] == bool(run % 2)) ++run;
            if (run > 3) return false;
            *runs[run] *= x.shape(i);
        }
        if (r.r1 == 1 && r.k1 == 1)  // rows of one element: columns instead
            r = {1, 1, r.r0, r.k0};
        return x.size() > 0;
    }
    int64_t count() const { return r.r0 * r.r1; }
};

nb::object apply(Reduce kind, const Floats& x, const Axes& axes, float divisor, int ndim,
                 const npy_intp* shape) {
    Made out(ndim, shape);
    unlocked(x.size(), [&] { kernels().reduce(kind, axes.r, x.data(), divisor, out.data()); });
    return out.object();
}

nb::object along(Reduce kind, nb::handle x, nb::handle axis, bool keepdims, bool mean) {
    const Floats input(x);
    Axes axes;
    if (!input.ok() || !axes.read(axis, input.ndim()) || !axes.group(input))
        return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    int ndim = 0;
    for (int i = 0; i < input.ndim(); ++i)
        if (!axes.reduced[i] || keepdims) shape[ndim++] = axes.reduced[i] ? 1 : input.shape(i);
    return apply(kind, input, axes, mean ? float(axes.count()) : 1, ndim, shape);
}

nb::object sum(nb::handle x, nb::handle axis, bool keepdims) {
    return along(Reduce::sum, x, axis, keepdims, false);
}

nb::object mean(nb::handle x, nb::handle axis, bool keepdims) {
    return along(Reduce::sum, x, axis, keepdims, true);
}

nb::object prod(nb::handle x, nb::handle axis, bool keepdims) {
    return along(Reduce::product, x, axis, keepdims, false);
}

template <Reduce kind>
nb::object extreme(nb::handle x, nb::handle axis) {
    return along(kind, x, axis, true, false);
}

nb::object vector_norm(nb::handle x, double p, nb::handle axis) {
    if (std::isinf(p)) return along(p > 0 ? Reduce::greatest : Reduce::least, x, axis, true, false);
    if (p == 1) return along(Reduce::magnitudes, x, axis, true, false);
    if (p != 2) return not_implemented();
    const nb::object sums = along(Reduce::squares, x, axis, true, false);
    if (const Floats made(sums); made.ok())
        for (int64_t i = 0; i < made.size(); ++i) made.writable()[i] = std::sqrt(made.data()[i]);
    return sums;
}

// Along axes next to each other.
nb::object logsumexp(nb::handle x, nb::handle axis) {
    const Dense input(x);
    Axes axes;
    if (!input.ok() || !axes.read(axis, input.ndim()) || !axes.group(input) || axes.r.r0 != 1)
        return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    for (int i = 0; i < input.ndim(); ++i) shape[i] = axes.reduced[i] ? 1 : input.shape(i);
    Made out(input.ndim(), shape);
    unlocked(input.size(), [&] {
        kernels().logsumexp({axes.r.k0, axes.r.r1, axes.r.k1}, input.data(), out.data());
    });
    return out.object();
}

// The sums over what broadcasting from `shape` to that of x repeats.
nb::object sum_to(nb::handle x, nb::tuple shape) {
    const Floats input(x);
    const int ndim = int(nb::len(shape)), extra = input.ok() ? input.ndim() - ndim : -1;
    if (extra < 0) return not_implemented();
    Axes axes;
    npy_intp sizes[NPY_MAXDIMS];
    bool any = extra > 0;
    std::fill_n(axes.reduced, extra, true);
    for (int i = 0; i < ndim; ++i) {
        sizes[i] = nb::cast<npy_intp>(shape[size_t(i)]);
        const int64_t there = input.shape(extra + i);
        if (sizes[i] != there && sizes[i] != 1) return not_implemented();
        any |= axes.reduced[extra + i] = sizes[i] == 1 && there != 1;
    }
    if (!any || !axes.group(input)) return not_implemented();
    return apply(Reduce::sum, input, axes, 1, ndim, sizes);
}

}  // namespace

void bind_reductions(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("sum", &sum, nb::arg(), nb::kw_only(), "axis"_a.none(), "keepdims"_a);
    m.def("mean", &mean, nb::arg(), nb::kw_only(), "axis"_a.none(), "keepdims"_a);
    m.def("prod", &prod, nb::arg(), nb::kw_only(), "axis"_a.none(), "keepdims"_a);
    m.def("vector_norm", &vector_norm, nb::arg(), nb::kw_only(), "p"_a, "axis"_a.none());
    m.def("logsumexp", &logsumexp, nb::arg(), nb::kw_only(), "axis"_a.none());
    m.def("amax", &extreme<Reduce::largest>, nb::arg(), nb::kw_only(), "axis"_a.none());
    m.def("amin", &extreme<Reduce::smallest>, nb::arg(), nb::kw_only(), "axis"_a.none());
    m.def("sum_to", &sum_to, nb::arg(), nb::kw_only(), "shape"_a);
}

}  // namespace tallow
