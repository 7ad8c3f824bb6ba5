// Rows taken and added by an index.
#include <algorithm>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// Zeros (rows, width), or a copy of `onto`, with values (..., width) added at an index (...) of
// int64, of which negative ones count from the end.
nb::object add_rows(nb::handle index, nb::handle values, int64_t rows, int64_t width,
                    nb::handle onto) {
    const Dense start(onto);
    if (!onto.is_none() && (!start.ok() || start.size() != rows * width)) return not_implemented();
    const Dense from(values);
    if (!from.ok() || !PyArray_CheckExact(index.ptr())) return not_implemented();
    auto* places = reinterpret_cast<PyArrayObject*>(index.ptr());
    const int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
    const int64_t count = PyArray_SIZE(places);
    if (PyArray_TYPE(places) != NPY_INT64 || !PyArray_CHKFLAGS(places, wanted) ||
        !PyArray_ISNOTSWAPPED(places) || from.size() != count * width)
        return not_implemented();
    const auto* at = static_cast<const int64_t*>(PyArray_DATA(places));
    std::vector<int64_t> turned;
    for (int64_t i = 0; i < count; ++i) {
        if (at[i] >= rows || at[i] < -rows) return not_implemented();
        if (at[i] >= 0 && turned.empty()) continue;
        if (turned.empty()) turned.assign(at, at + count);
        turned[size_t(i)] = at[i] < 0 ? at[i] + rows : at[i];
    }
    if (!turned.empty()) at = turned.data();
    Made out{rows, width};
    unlocked(from.size() + rows * width, [&] {
        if (start.ok())
            std::copy_n(start.data(), rows * width, out.data());
        else
            std::fill_n(out.data(), rows * width, 0.0f);
        kernels().add_rows(out.data(), at, from.data(), count, width);
    });
    return out.object();
}

}  // namespace

void bind_scatter(nb::module_& m) {
    m.def("add_rows", &add_rows, nb::arg(), nb::arg(), nb::arg(), nb::arg(),
          nb::arg().none() = nb::none());
}

}  // namespace tallow
