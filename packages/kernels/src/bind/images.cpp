// Resampling of images, and reading them at places.
#include "bind.hpp"

namespace tallow {
namespace {

// The ints of an array of int32 in row-major order, if there are `size` of them; else null.
const int32_t* ints(nb::handle value, int64_t size) {
    if (!PyArray_CheckExact(value.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    if (PyArray_TYPE(array) != NPY_INT32 || !PyArray_IS_C_CONTIGUOUS(array) ||
        PyArray_SIZE(array) != size)
        return nullptr;
    return static_cast<const int32_t*>(PyArray_DATA(array));
}

// A table of weights: None, or what Taps.packed in core has.
struct Table {
    Taps taps{};
    bool ok = true;
    Table(nb::handle value) {
        if (value.is_none()) return;
        const auto parts = nb::cast<nb::tuple>(value);
        const Floats weight(parts[3]);
        ok = weight.ok() && weight.ndim() == 2 && weight.shape(1) % 16 == 0;
        if (!ok) return;
        taps = {nb::cast<int64_t>(parts[0]),
                weight.shape(0),
                weight.shape(1),
                ints(parts[1], weight.size()),
                ints(parts[2], weight.shape(1) / 8),
                weight.data()};
        ok = taps.index && taps.first;
    }
};

// x along `axis` by a table, and along the next, then the last one, by another: either may be None.
nb::object resample(nb::handle x, int axis, nb::handle by_y, nb::handle by_x) {
    const Dense input(x);
    const Table y(by_y), along(by_x);
    if (!input.ok() || !y.ok || !along.ok || input.size() == 0) return not_implemented();
    npy_intp shape[NPY_MAXDIMS];
    Resample r{1, input.shape(axis), 1, y.taps, along.taps};
    for (int i = 0; i < input.ndim(); ++i) {
        shape[i] = input.shape(i);
        if (i != axis) (i < axis ? r.outer : r.width) *= shape[i];
    }
    int64_t size = input.size();
    if (y.taps.count) shape[axis] = y.taps.count, size = size / r.height * y.taps.count;
    if (along.taps.count)
        shape[axis + 1] = along.taps.count, size = size / r.width * along.taps.count;
    Made out(input.ndim(), shape);
    unlocked(size, [&] { kernels().resample(r, input.data(), out.data()); });
    return out.object();
}

// x (N, C, *size) and a grid (N, *count, axes): whether a kernel takes them, and as what.
struct Sampled {
    Dense x, grid;
    Grid s{};
    bool ok;
    npy_intp shape[5];
    Sampled(nb::handle image, nb::handle places, int mode, int padding, bool align_corners)
        : x(image), grid(places) {
        ok = x.ok() && grid.ok() && (x.ndim() == 4 || x.ndim() == 5) && grid.ndim() == x.ndim() &&
             x.size() > 0 && grid.size() > 0;
        if (!ok) return;
        const int axes = x.ndim() - 2;
        ok = grid.shape(0) == x.shape(0) && grid.shape(-1) == axes &&
             (axes == 2 || GridMode(mode) != GridMode::cubic);
        if (!ok) return;
        s = {x.shape(0),     x.shape(1),           axes,         {1, 1, 1}, 1,
             GridMode(mode), GridPadding(padding), align_corners};
        shape[0] = s.images, shape[1] = s.channels;
        int64_t plane = 1;
        for (int axis = 0; axis < axes; ++axis) {
            plane *= s.size[axis] = x.shape(2 + axis);
            s.points *= shape[2 + axis] = grid.shape(1 + axis);
        }
        // places are whole numbers of float32, and positions in a plane 32 bits wide
        for (int axis = 0; axis < axes; ++axis) ok = ok && s.size[axis] < (1 << 24);
        ok = ok && plane < (int64_t(1) << 31);
    }
};

nb::object grid_sample(nb::handle x, nb::handle grid, int mode, int padding, bool align_corners) {
    const Sampled at(x, grid, mode, padding, align_corners);
    if (!at.ok) return not_implemented();
    Made out(at.x.ndim(), at.shape);
    unlocked(at.grid.size() * at.s.channels,
             [&] { kernels().grid_sample(at.s, at.x.data(), at.grid.data(), out.data()); });
    return out.object();
}

// The gradients by x and by the grid, None where they are not needed.
nb::object grid_sample_grad(nb::handle g, nb::handle x, nb::handle grid, bool by_x, bool by_grid,
                            int mode, int padding, bool align_corners) {
    const Dense d(g);
    const Sampled at(x, grid, mode, padding, align_corners);
    if (!d.ok() || !at.ok || d.size() != at.s.images * at.s.channels * at.s.points)
        return not_implemented();
    nb::object none = nb::none(), x_grad = none, grid_grad = none;
    float *to_x = nullptr, *to_grid = nullptr;
    if (by_x) {
        Made made(at.x);
        x_grad = made.object(), to_x = made.data();
    }
    if (by_grid) {
        Made made(at.grid);
        grid_grad = made.object(), to_grid = made.data();
    }
    unlocked(at.grid.size() * at.s.channels, [&] {
        kernels().grid_sample_grad(at.s, d.data(), at.x.data(), at.grid.data(), to_x, to_grid);
    });
    return nb::make_tuple(x_grad, grid_grad);
}

}  // namespace

void bind_images(nb::module_& m) {
    m.def("resample", &resample, nb::arg(), nb::arg(), nb::arg().none(), nb::arg().none());
    m.def("grid_sample", &grid_sample);
    m.def("grid_sample_grad", &grid_sample_grad);
}

}  // namespace tallow
