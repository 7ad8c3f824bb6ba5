// Arithmetic of two operands, an element at a time.
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t GRAIN = 1 << 15;  // elements that are worth a thread

template <class F>
void pairs(const float* x, const float* y, float* out, int64_t n, const F& f) {
    along(n, [&](int64_t i, int64_t count) {
        store_up_to(out + i, f(load_up_to(x + i, count), load_up_to(y + i, count)), count);
    });
}

template <class F>
void with_number(const float* x, float y, float* out, int64_t n, const F& f) {
    const Vec right = splat(y);
    along(n, [&](int64_t i, int64_t count) {
        store_up_to(out + i, f(load_up_to(x + i, count), right), count);
    });
}

template <class F>
void combine(const float* x, const float* y, float* out, const Repeat& r, const F& f) {
    if (r.outer == 1 && r.inner == 1) {
        parallel_ranges(r.middle, GRAIN, [&](int64_t begin, int64_t end) {
            pairs(x + begin, y + begin, out + begin, end - begin, f);
        });
    } else if (r.outer == 1 && r.middle == 1) {
        parallel_ranges(r.inner, GRAIN, [&](int64_t begin, int64_t end) {
            with_number(x + begin, *y, out + begin, end - begin, f);
        });
    } else if (r.inner == 1) {
        for_rows(r.outer, r.middle, [&](int64_t row) {
            pairs(x + row * r.middle, y, out + row * r.middle, r.middle, f);
        });
    } else {
        for_rows(r.outer * r.middle, r.inner, [&](int64_t row) {
            const int64_t at = row * r.inner;
            with_number(x + at, y[row % r.middle], out + at, r.inner, f);
        });
    }
}

}  // namespace

void binary(Binary which, bool swapped, const float* x, const float* y, float* out,
            const Repeat& r) {
    switch (which) {
        case Binary::add: return combine(x, y, out, r, [](Vec a, Vec b) { return a + b; });
        case Binary::mul: return combine(x, y, out, r, [](Vec a, Vec b) { return a * b; });
        case Binary::sub:
            if (swapped) return combine(x, y, out, r, [](Vec a, Vec b) { return b - a; });
            return combine(x, y, out, r, [](Vec a, Vec b) { return a - b; });
        case Binary::div:
            if (swapped) return combine(x, y, out, r, [](Vec a, Vec b) { return b / a; });
            return combine(x, y, out, r, [](Vec a, Vec b) { return a / b; });
        case Binary::maximum:
            return combine(x, y, out, r, [](Vec a, Vec b) { return maximum(a, b); });
        case Binary::minimum:
            return combine(x, y, out, r, [](Vec a, Vec b) { return minimum(a, b); });
        case Binary::prelu:  // y are the weights
            return combine(x, y, out, r, [](Vec a, Vec b) { return select(a > 0.0f, a, a * b); });
        case Binary::prelu_slope:
            return combine(x, y, out, r,
                           [](Vec a, Vec b) { return select(a > 0.0f, splat(1), b); });
    }
}

}  // namespace tallow::ISA
