// Connectionist temporal classification.
#include "bind.hpp"

namespace tallow {
namespace {

// An int64 array in row-major order of this many axes, or null.
const int64_t* integers(nb::handle value, int ndim, const npy_intp** shape) {
    if (!PyArray_CheckExact(value.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(value.ptr());
    if (PyArray_TYPE(array) != NPY_INT64 || PyArray_NDIM(array) != ndim ||
        !PyArray_ISCARRAY_RO(array))
        return nullptr;
    *shape = PyArray_DIMS(array);
    return static_cast<const int64_t*>(PyArray_DATA(array));
}

// What both passes are given, if all sizes fit and all indices are within them.
struct Given {
    Dense x;
    Ctc c{};
    bool ok = false;

    Given(nb::handle scores, nb::handle targets, nb::handle input_lengths,
          nb::handle target_lengths, int64_t blank)
        : x(scores) {
        const npy_intp *target_shape, *input_shape, *length_shape;
        c.targets = integers(targets, 2, &target_shape);
        c.input_lengths = integers(input_lengths, 1, &input_shape);
        c.target_lengths = integers(target_lengths, 1, &length_shape);
        if (!x.ok() || x.ndim() != 3 || x.size() == 0 || !c.targets || !c.input_lengths ||
            !c.target_lengths)
            return;
        c.times = x.shape(0), c.batch = x.shape(1), c.classes = x.shape(2), c.blank = blank;
        c.longest = target_shape[1], c.x = x.data();
        if (target_shape[0] != c.batch || input_shape[0] != c.batch || length_shape[0] != c.batch ||
            !below(blank, c.classes))
            return;
        for (int64_t i = 0; i < c.batch; ++i)
            if (!below(c.input_lengths[i], c.times + 1) ||
                !below(c.target_lengths[i], c.longest + 1))
                return;
        for (int64_t i = 0; i < c.batch * c.longest; ++i)
            if (!below(c.targets[i], c.classes)) return;
        ok = true;
    }
    static bool below(int64_t value, int64_t limit) { return uint64_t(value) < uint64_t(limit); }
    int64_t work() const { return c.times * c.batch * (c.longest + 1) * 16; }
};

nb::object ctc(nb::handle x, nb::handle targets, nb::handle input_lengths,
               nb::handle target_lengths, int64_t blank) {
    Given given(x, targets, input_lengths, target_lengths, blank);
    if (!given.ok) return not_implemented();
    Ctc& c = given.c;
    Made losses{c.batch}, forward{c.times, c.batch, 2 * c.longest + 1};
    c.losses = losses.data(), c.forward = forward.data();
    unlocked(given.work(), [&] { kernels().ctc(c); });
    return nb::make_tuple(losses.object(), forward.object());
}

nb::object ctc_grad(nb::handle g, nb::handle x, nb::handle forward, nb::handle losses,
                    nb::handle targets, nb::handle input_lengths, nb::handle target_lengths,
                    int64_t blank) {
    Given given(x, targets, input_lengths, target_lengths, blank);
    const Dense d(g);
    const Floats reached(forward), found(losses);
    Ctc& c = given.c;
    if (!given.ok || !d.ok() || !reached.ok() || !found.ok() || d.size() != c.batch ||
        found.size() != c.batch || reached.size() != c.times * c.batch * (2 * c.longest + 1))
        return not_implemented();
    c.losses = const_cast<float*>(found.data()), c.forward = const_cast<float*>(reached.data());
    Made out(given.x);
    unlocked(given.work(), [&] { kernels().ctc_grad(c, d.data(), out.data()); });
    return out.object();
}

}  // namespace

void bind_ctc(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("ctc", &ctc, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::kw_only(), "blank"_a);
    m.def("ctc_grad", &ctc_grad, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(),
          nb::arg(), nb::kw_only(), "blank"_a);
}

}  // namespace tallow
