// Draws from NumPy's Mersenne Twister, whose state stays NumPy's, and dropout by them.
#include <numpy/random/bitgen.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// What NumPy keeps of an MT19937; whether it still does is seen by comparing draws.
struct Twister {
    uint32_t key[624];
    int32_t used;
};

Twister* twister(nb::handle bits) {
    const nb::object capsule = bits.attr("capsule");
    auto* generator = static_cast<bitgen_t*>(PyCapsule_GetPointer(capsule.ptr(), "BitGenerator"));
    if (!generator) throw nb::python_error();
    return static_cast<Twister*>(generator->state);
}

template <class T>
T* data_of(const nb::object& array) {
    return static_cast<T*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array.ptr())));
}

// The next `count` words of 32 bits.
nb::object random_words(nb::handle bits, int64_t count) {
    const npy_intp shape[] = {count};
    const nb::object out = nb::steal(PyArray_SimpleNew(1, shape, NPY_UINT32));
    if (!out.is_valid()) throw nb::python_error();
    Twister* state = twister(bits);
    kernels().random_words(state->key, &state->used, data_of<uint32_t>(out), count);
    return out;
}

// bool of a shape: True with this probability, each of a draw of 53 bits. The interpreter lock is
// held: another thread may draw from the same state.
nb::object random_keep(nb::handle bits, nb::tuple shape, double probability) {
    npy_intp sizes[NPY_MAXDIMS];
    int ndim = 0;
    for (nb::handle size : shape) sizes[ndim++] = nb::cast<npy_intp>(size);
    const nb::object out = nb::steal(PyArray_SimpleNew(ndim, sizes, NPY_BOOL));
    if (!out.is_valid()) throw nb::python_error();
    Twister* state = twister(bits);
    const auto below = uint64_t(std::ceil(std::ldexp(probability, 53)));
    kernels().random_keep(state->key, &state->used, below, data_of<uint8_t>(out),
                          PyArray_SIZE(reinterpret_cast<PyArrayObject*>(out.ptr())));
    return out;
}

// The numbers from 0 on in random order, by Fisher and Yates' shuffle: the next number is one of
// those that are left, by a word each.
nb::object random_order(nb::handle bits, int64_t count) {
    const npy_intp shape[] = {count};
    const nb::object out = nb::steal(PyArray_SimpleNew(1, shape, NPY_INT64));
    if (!out.is_valid()) throw nb::python_error();
    auto* order = data_of<int64_t>(out);
    for (int64_t i = 0; i < count; ++i) order[i] = i;
    Twister* state = twister(bits);
    constexpr int64_t PIECE = 1024;
    uint32_t words[PIECE];
    for (int64_t begin = 0; begin < count - 1; begin += PIECE) {
        const int64_t some = std::min(PIECE, count - 1 - begin);
        kernels().random_words(state->key, &state->used, words, some);
        for (int64_t i = begin; i < begin + some; ++i)
            std::swap(order[i], order[i + words[i - begin] % uint64_t(count - i)]);
    }
    return out;
}

// For each row of weights (rows, n) where each of its points (rows, count) of float64 falls among
// the running sums, as parts of the last one: how many of them but the last are below it.
nb::object random_slots(nb::handle weights, nb::handle points) {
    const Floats table(weights);
    auto* at = reinterpret_cast<PyArrayObject*>(points.ptr());
    if (!table.ok() || table.ndim() != 2 || table.size() == 0 ||
        !PyArray_CheckExact(points.ptr()) || PyArray_TYPE(at) != NPY_FLOAT64 ||
        PyArray_NDIM(at) != 2 || !PyArray_IS_C_CONTIGUOUS(at) ||
        PyArray_DIM(at, 0) != table.shape(0))
        return not_implemented();
    const nb::object out = nb::steal(PyArray_SimpleNew(2, PyArray_DIMS(at), NPY_INT64));
    if (!out.is_valid()) throw nb::python_error();
    const int64_t n = table.shape(1), count = PyArray_DIM(at, 1);
    const auto* point = static_cast<const double*>(PyArray_DATA(at));
    auto* to = data_of<int64_t>(out);
    std::vector<float> sums(static_cast<size_t>(n));
    for (int64_t row = 0; row < table.shape(0); ++row) {
        float sum = 0;
        for (int64_t i = 0; i < n; ++i) sums[size_t(i)] = sum += table.data()[row * n + i];
        for (float& part : sums) part /= sum;
        for (int64_t i = row * count; i < (row + 1) * count; ++i)
            to[i] = std::lower_bound(sums.begin(), sums.end() - 1, point[i]) - sums.begin();
    }
    return out;
}

// x * factor where `keep`, a bool array of the shape of x, is set, else x * 0.
nb::object masked(nb::handle x, nb::handle keep, float factor) {
    const Floats input(x);
    if (!input.ok() || !PyArray_CheckExact(keep.ptr())) return not_implemented();
    auto* mask = reinterpret_cast<PyArrayObject*>(keep.ptr());
    if (PyArray_TYPE(mask) != NPY_BOOL || !PyArray_IS_C_CONTIGUOUS(mask) ||
        PyArray_NDIM(mask) != input.ndim() ||
        !PyArray_CompareLists(PyArray_DIMS(mask), input.shape(), input.ndim()))
        return not_implemented();
    Made out(input);
    unlocked(input.size(), [&] {
        kernels().masked(input.data(), static_cast<const uint8_t*>(PyArray_DATA(mask)), factor,
                         out.data(), input.size());
    });
    return out.object();
}

}  // namespace

void bind_random(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("random_words", &random_words);
    m.def("random_keep", &random_keep);
    m.def("random_order", &random_order);
    m.def("random_slots", &random_slots);
    m.def("masked", &masked, nb::arg(), nb::arg(), nb::kw_only(), "factor"_a);
}

}  // namespace tallow
