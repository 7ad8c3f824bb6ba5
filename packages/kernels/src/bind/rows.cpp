// Softmax, cross entropy, batch norm and layer norm.
#include <algorithm>
#include <cmath>

#include "bind.hpp"

namespace tallow {
namespace {

template <bool logarithm>
nb::object softmax(nb::handle x, int axis) {
    const Dense input(x);
    if (!input.ok() || axis != input.ndim() - 1 || input.size() == 0) return not_implemented();
    Made out(input);
    const int64_t length = input.shape(-1);
    unlocked(input.size(), [&] {
        kernels().softmax(input.data(), out.data(), input.size() / length, length, logarithm);
    });
    return out.object();
}

template <bool logarithm>
nb::object softmax_grad(nb::handle g, nb::handle y, int axis) {
    const Dense d(g), at(y);
    if (!d.ok() || !at.ok() || axis != at.ndim() - 1 || !d.same_shape(at) || at.size() == 0)
        return not_implemented();
    Made out(at);
    const int64_t length = at.shape(-1);
    unlocked(at.size(), [&] {
        kernels().softmax_grad(d.data(), at.data(), out.data(), at.size() / length, length,
                               logarithm);
    });
    return out.object();
}

// Labels (outer), all from 0 to classes - 1, or null.
const int64_t* labels(nb::handle value, int64_t outer, int64_t classes) {
    if (!PyArray_CheckExact(value.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    const int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
    if (PyArray_TYPE(array) != NPY_INT64 || PyArray_NDIM(array) != 1 ||
        PyArray_SIZE(array) != outer || !PyArray_CHKFLAGS(array, wanted) ||
        !PyArray_ISNOTSWAPPED(array))
        return nullptr;
    auto* label = static_cast<const int64_t*>(PyArray_DATA(array));
    for (int64_t i = 0; i < outer; ++i)
        if (uint64_t(label[i]) >= uint64_t(classes)) return nullptr;
    return label;
}

// The loss of each row of x (outer, classes).
nb::object cross_entropy(nb::handle x, nb::handle label) {
    const Dense input(x);
    if (!input.ok() || input.ndim() != 2 || input.size() == 0) return not_implemented();
    const int64_t outer = input.shape(0), classes = input.shape(1);
    const int64_t* wanted = labels(label, outer, classes);
    if (!wanted) return not_implemented();
    Made out{outer};
    unlocked(input.size(),
             [&] { kernels().cross_entropy(input.data(), wanted, out.data(), outer, classes); });
    return out.object();
}

// Minus the element of each row of x (outer, classes) at its label.
nb::object nll(nb::handle x, nb::handle label) {
    const Dense input(x);
    if (!input.ok() || input.ndim() != 2 || input.size() == 0) return not_implemented();
    const int64_t outer = input.shape(0), classes = input.shape(1);
    const int64_t* wanted = labels(label, outer, classes);
    if (!wanted) return not_implemented();
    Made out{outer};
    for (int64_t i = 0; i < outer; ++i) out.data()[i] = -input.data()[i * classes + wanted[i]];
    return out.object();
}

nb::object nll_grad(nb::handle g, nb::handle label, int64_t outer, int64_t classes, float scale) {
    const Dense d(g);
    const int64_t* wanted = labels(label, outer, classes);
    if (!d.ok() || !wanted || (d.ndim() != 0 && d.size() != outer)) return not_implemented();
    Made out{outer, classes};
    const int64_t step = d.ndim() == 0 ? 0 : 1;
    unlocked(outer * classes, [&] {
        std::fill_n(out.data(), outer * classes, 0.0f);
        for (int64_t i = 0; i < outer; ++i)
            out.data()[i * classes + wanted[i]] = -d.data()[i * step] * scale;
    });
    return out.object();
}

// From g (outer) or one g for all rows, times scale.
nb::object cross_entropy_grad(nb::handle g, nb::handle x, nb::handle label, float scale) {
    const Dense d(g), input(x);
    if (!d.ok() || !input.ok() || input.ndim() != 2 || input.size() == 0) return not_implemented();
    const int64_t outer = input.shape(0), classes = input.shape(1);
    const int64_t* wanted = labels(label, outer, classes);
    if (!wanted || (d.ndim() != 0 && d.size() != outer)) return not_implemented();
    Made out(input);
    const int64_t step = d.ndim() == 0 ? 0 : 1;
    unlocked(input.size(), [&] {
        kernels().cross_entropy_grad(input.data(), wanted, d.data(), step, scale, out.data(), outer,
                                     classes);
    });
    return out.object();
}

// Weight or bias: None, or `size` floats of any shape.
struct Factor {
    const float* data = nullptr;
    bool ok = true;
    Factor(nb::handle value, int64_t size) {
        if (value.is_none()) return;
        const Floats floats(value);
        ok = floats.ok() && floats.size() == size;
        if (ok) data = floats.data();
    }
};

// x (N, C, ...) over all axes but the second: y, and mean and variance (C).
nb::object batch_norm(nb::handle x, nb::handle weight, nb::handle bias, float epsilon, bool relu) {
    const Floats input(x);
    if (!input.ok() || input.ndim() < 2 || input.size() == 0) return not_implemented();
    const int64_t images = input.shape(0), channels = input.shape(1),
                  size = input.size() / images / channels;
    const Factor w(weight, channels), b(bias, channels);
    if (!w.ok || !b.ok) return not_implemented();
    Made out(input), mean{channels}, variance{channels};
    unlocked(input.size(), [&] {
        kernels().batch_norm(input.data(), w.data, b.data, out.data(), mean.data(), variance.data(),
                             images, channels, size, epsilon, relu);
    });
    return nb::make_tuple(out.object(), mean.object(), variance.object());
}

nb::object batch_norm_grad(nb::handle g, nb::handle x, nb::handle weight, nb::handle bias,
                           nb::handle mean, nb::handle variance, float epsilon, bool relu) {
    const Floats d(g), input(x), middle(mean), spread(variance);
    if (!d.ok() || !input.ok() || !middle.ok() || !spread.ok() || !d.same_shape(input) ||
        input.ndim() < 2 || input.size() == 0)
        return not_implemented();
    const int64_t images = input.shape(0), channels = input.shape(1),
                  size = input.size() / images / channels;
    const Factor w(weight, channels), b(bias, channels);
    if (!w.ok || !b.ok || middle.size() != channels || spread.size() != channels)
        return not_implemented();
    Made x_grad(input), weight_grad{channels}, bias_grad{channels};
    unlocked(input.size(), [&] {
        kernels().batch_norm_grad(d.data(), input.data(), w.data, b.data, middle.data(),
                                  spread.data(), x_grad.data(), weight_grad.data(),
                                  bias_grad.data(), images, channels, size, epsilon, relu);
    });
    return nb::make_tuple(x_grad.object(), weight_grad.object(), bias_grad.object());
}

// x (N, C, ...) with given means and variances (C).
nb::object normalize_by(nb::handle x, nb::handle mean, nb::handle variance, nb::handle weight,
                        nb::handle bias, nb::handle, float epsilon, bool relu) {
    const Floats input(x), middle(mean), spread(variance);
    if (!input.ok() || !middle.ok() || !spread.ok() || input.ndim() < 2 || input.size() == 0)
        return not_implemented();
    const int64_t images = input.shape(0), channels = input.shape(1),
                  size = input.size() / images / channels;
    const Factor w(weight, channels), b(bias, channels);
    if (!w.ok || !b.ok || middle.size() != channels || spread.size() != channels)
        return not_implemented();
    Made out(input), scale{channels}, shift{channels};
    float *scales = scale.data(), *shifts = shift.data();
    for (int64_t c = 0; c < channels; ++c) {
        scales[c] = (w.data ? w.data[c] : 1) / std::sqrt(spread.data()[c] + epsilon);
        shifts[c] = (b.data ? b.data[c] : 0) - middle.data()[c] * scales[c];
    }
    unlocked(input.size(), [&] {
        kernels().scale_shift(input.data(), scales, shifts, out.data(), images, channels, size,
                              relu);
    });
    return out.object();
}

// x (images, groups, channels, ...) over all axes but the first two: y, and mean and variance
// (images, groups).
nb::object group_norm(nb::handle x, nb::handle weight, nb::handle bias, int64_t channels,
                      float epsilon) {
    const Floats input(x);
    if (!input.ok() || input.ndim() < 2 || input.size() == 0) return not_implemented();
    const int64_t images = input.shape(0), groups = input.shape(1),
                  size = input.size() / images / groups / channels;
    const Factor w(weight, groups * channels), b(bias, groups * channels);
    if (!w.ok || !b.ok) return not_implemented();
    Made out(input), mean{images, groups}, variance{images, groups};
    unlocked(input.size(), [&] {
        kernels().group_norm(input.data(), w.data, b.data, out.data(), mean.data(), variance.data(),
                             images, groups, channels, size, epsilon);
    });
    return nb::make_tuple(out.object(), mean.object(), variance.object());
}

nb::object group_norm_grad(nb::handle g, nb::handle x, nb::handle weight, nb::handle mean,
                           nb::handle variance, int64_t channels, float epsilon) {
    const Floats d(g), input(x), middle(mean), spread(variance);
    if (!d.ok() || !input.ok() || !middle.ok() || !spread.ok() || !d.same_shape(input) ||
        input.ndim() < 2 || input.size() == 0)
        return not_implemented();
    const int64_t images = input.shape(0), groups = input.shape(1),
                  size = input.size() / images / groups / channels;
    const Factor w(weight, groups * channels);
    if (!w.ok || middle.size() != images * groups || spread.size() != images * groups)
        return not_implemented();
    Made x_grad(input), weight_grad{groups * channels}, bias_grad{groups * channels};
    unlocked(input.size(), [&] {
        kernels().group_norm_grad(d.data(), input.data(), w.data, middle.data(), spread.data(),
                                  x_grad.data(), weight_grad.data(), bias_grad.data(), images,
                                  groups, channels, size, epsilon);
    });
    return nb::make_tuple(x_grad.object(), weight_grad.object(), bias_grad.object());
}

// x (..., length) over its last `length` elements: y, and mean and variance (outer).
nb::object layer_norm(nb::handle x, nb::handle weight, nb::handle bias, int64_t length,
                      float epsilon, bool centre) {
    const Dense input(x);
    if (!input.ok() || input.size() == 0) return not_implemented();
    const int64_t outer = input.size() / length;
    const Factor w(weight, length), b(bias, length);
    if (!w.ok || !b.ok) return not_implemented();
    Made out(input), mean{outer}, variance{outer};
    unlocked(input.size(), [&] {
        kernels().layer_norm(input.data(), w.data, b.data, out.data(), mean.data(), variance.data(),
                             outer, length, epsilon, centre);
    });
    return nb::make_tuple(out.object(), mean.object(), variance.object());
}

nb::object layer_norm_grad(nb::handle g, nb::handle x, nb::handle weight, nb::handle mean,
                           nb::handle variance, int64_t length, float epsilon, bool centre) {
    const Dense d(g), input(x), middle(mean), spread(variance);
    if (!d.ok() || !input.ok() || !middle.ok() || !spread.ok() || !d.same_shape(input) ||
        input.size() == 0)
        return not_implemented();
    const int64_t outer = input.size() / length;
    const Factor w(weight, length);
    if (!w.ok || middle.size() != outer || spread.size() != outer) return not_implemented();
    Made x_grad(input), weight_grad{length}, bias_grad{length};
    unlocked(input.size(), [&] {
        kernels().layer_norm_grad(d.data(), input.data(), w.data, middle.data(), spread.data(),
                                  x_grad.data(), weight_grad.data(), bias_grad.data(), outer,
                                  length, epsilon, centre);
    });
    return nb::make_tuple(x_grad.object(), weight_grad.object(), bias_grad.object());
}

}  // namespace

void bind_rows(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("softmax", &softmax<false>, nb::arg(), nb::kw_only(), "axis"_a);
    m.def("log_softmax", &softmax<true>, nb::arg(), nb::kw_only(), "axis"_a);
    m.def("softmax_grad", &softmax_grad<false>, nb::arg(), nb::arg(), nb::kw_only(), "axis"_a);
    m.def("log_softmax_grad", &softmax_grad<true>, nb::arg(), nb::arg(), nb::kw_only(), "axis"_a);
    m.def("nll", &nll);
    m.def("nll_grad", &nll_grad);
    m.def("cross_entropy", &cross_entropy);
    m.def("cross_entropy_grad", &cross_entropy_grad);
    m.def("batch_norm", &batch_norm, nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg(),
          nb::arg());
    m.def("batch_norm_grad", &batch_norm_grad, nb::arg(), nb::arg(), nb::arg().none(),
          nb::arg().none(), nb::arg(), nb::arg(), nb::arg(), nb::arg());
    m.def("normalize_by", &normalize_by, nb::arg(), nb::arg(), nb::arg(), nb::arg().none(),
          nb::arg().none(), nb::kw_only(), "factor"_a, "eps"_a, "relu"_a = false);
    m.def("group_norm", &group_norm, nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg(),
          nb::arg());
    m.def("group_norm_grad", &group_norm_grad, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(),
          nb::arg(), nb::arg(), nb::arg());
    m.def("layer_norm", &layer_norm, nb::arg(), nb::arg().none(), nb::arg().none(), nb::arg(),
          nb::arg(), nb::arg());
    m.def("layer_norm_grad", &layer_norm_grad, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(),
          nb::arg(), nb::arg(), nb::arg(), nb::arg());
}

}  // namespace tallow
