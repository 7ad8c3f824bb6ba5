// The sizes of convolutions and pools come as tuples, one int for each spatial axis; one axis
// counts as a height of 1.
#pragma once

#include <array>

#include "bind.hpp"

namespace tallow {

using Sizes = nb::tuple;

// The ints of a tuple of one or two as (y, x), y being `alone` where there is one.
inline std::array<int64_t, 2> pair(const Sizes& sizes, int64_t alone) {
    if (sizes.size() == 1) return {alone, nb::cast<int64_t>(sizes[0])};
    return {nb::cast<int64_t>(sizes[0]), nb::cast<int64_t>(sizes[1])};
}

// Sequences, (N, C, L), of another layout are copied, and what broadcasting made, such as the
// gradient of a sum. Images may be channels last, and then have to stay so.
inline bool may_be_copied(nb::handle x) {
    if (!PyArray_CheckExact(x.ptr())) return false;
    auto* array = reinterpret_cast<PyArrayObject*>(x.ptr());
    const int ndim = PyArray_NDIM(array);
    for (int i = 0; i < ndim; ++i)
        if (PyArray_STRIDE(array, i) == 0 && PyArray_DIM(array, i) > 1) return true;
    return ndim == 3;
}

inline bool spatial(const Floats& x) { return x.ok() && (x.ndim() == 3 || x.ndim() == 4); }
inline int64_t height(const Floats& x) { return x.ndim() == 3 ? 1 : x.shape(2); }

struct How {
    Sizes stride, padding, dilation;
};

// The sizes of a convolution but for its images and its output.
inline Conv describe(int64_t groups, int64_t in, int64_t out, std::array<int64_t, 2> size,
                     std::array<int64_t, 2> kernel, const How& how) {
    const auto stride = pair(how.stride, 1), padding = pair(how.padding, 0),
               dilation = pair(how.dilation, 1);
    Conv c{};
    c.groups = groups, c.in = in, c.out = out;
    c.height = size[0], c.width = size[1], c.kernel_y = kernel[0], c.kernel_x = kernel[1];
    c.stride_y = stride[0], c.stride_x = stride[1], c.padding_y = padding[0],
    c.padding_x = padding[1];
    c.dilation_y = dilation[0], c.dilation_x = dilation[1];
    return c;
}

}  // namespace tallow
