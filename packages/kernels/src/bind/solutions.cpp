// Inverses, determinants and solutions of square matrices, by elimination. Singular ones are left
// to others, who say so.
#include <algorithm>
#include <cmath>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// Matrices (..., n, n) in rows, and their elimination.
struct Eliminated {
    Dense input;
    int64_t n = 0, batch = 0;
    std::vector<float> factors;
    std::vector<int32_t> pivots;
    bool ok = false;

    explicit Eliminated(nb::handle x) : input(x) {
        if (!input.ok() || input.ndim() < 2 || input.size() == 0) return;
        n = input.shape(-1), batch = input.size() / (n * n);
        if (input.shape(-2) != n) return;
        factors.assign(input.data(), input.data() + input.size());
        pivots.resize(size_t(batch * n));
        unlocked(input.size() * n,
                 [&] { ok = kernels().lu(batch, n, factors.data(), pivots.data()); });
    }
    void solve(float* b, int64_t k) const {
        unlocked(input.size() * k,
                 [&] { kernels().lu_solve(batch, n, k, factors.data(), pivots.data(), b); });
    }
    // The sign of matrix i's determinant, and what `add` is called with: the pivots.
    template <class F>
    int sign(int64_t i, const F& add) const {
        int sign = 1;
        for (int64_t j = 0; j < n; ++j) {
            const float pivot = factors[size_t((i * n + j) * n + j)];
            if (pivots[size_t(i * n + j)] != j) sign = -sign;
            if (pivot < 0) sign = -sign;
            add(std::fabs(double(pivot)));
        }
        return sign;
    }
};

nb::object inv(nb::handle x) {
    const Eliminated a(x);
    if (!a.ok) return not_implemented();
    Made out(a.input);
    std::fill_n(out.data(), a.input.size(), 0.0f);
    for (int64_t i = 0; i < a.batch; ++i)
        for (int64_t j = 0; j < a.n; ++j) out.data()[(i * a.n + j) * a.n + j] = 1;
    a.solve(out.data(), a.n);
    return out.object();
}

nb::object solve(nb::handle x, nb::handle y) {
    const Dense right(y);
    if (!right.ok() || right.ndim() < 2 || right.size() == 0) return not_implemented();
    const Eliminated a(x);
    const int ndim = right.ndim();
    if (!a.ok || a.input.ndim() != ndim || right.shape(-2) != a.n ||
        !PyArray_CompareLists(a.input.shape(), right.shape(), ndim - 2))
        return not_implemented();
    Made out(right);
    std::copy_n(right.data(), right.size(), out.data());
    a.solve(out.data(), right.shape(-1));
    return out.object();
}

nb::object det(nb::handle x) {
    const Eliminated a(x);
    if (!a.ok) return not_implemented();
    Made out(a.input.ndim() - 2, a.input.shape());
    for (int64_t i = 0; i < a.batch; ++i) {
        double product = 1;
        const int sign = a.sign(i, [&](double pivot) { product *= pivot; });
        out.data()[i] = float(sign * product);
    }
    return out.object();
}

nb::object slogdet(nb::handle x) {
    const Eliminated a(x);
    if (!a.ok) return not_implemented();
    Made sign(a.input.ndim() - 2, a.input.shape()), logarithm(a.input.ndim() - 2, a.input.shape());
    for (int64_t i = 0; i < a.batch; ++i) {
        double sum = 0;
        sign.data()[i] = float(a.sign(i, [&](double pivot) { sum += std::log(pivot); }));
        logarithm.data()[i] = float(sum);
    }
    return nb::make_tuple(sign.object(), logarithm.object());
}

}  // namespace

void bind_solutions(nb::module_& m) {
    m.def("inv", &inv);
    m.def("solve", &solve);
    m.def("det", &det);
    m.def("slogdet", &slogdet);
}

}  // namespace tallow
