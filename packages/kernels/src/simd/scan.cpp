// Running sums, products and extremes along lines of (outer, length, inner). Several lines go at a
// time: neighbours in memory where inner > 1, else rows, so that one does not wait for itself.
#include <type_traits>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int TOGETHER = 64, ROWS_TOGETHER = 8;

// body(at, step, across, count): line r of `count` begins at `at` + r across, elements `step`
// apart.
template <class Body>
void for_lines(const Lines& l, const Body& body) {
    using std::integral_constant;
    if (l.inner == 1) {
        const int64_t groups = (l.outer + ROWS_TOGETHER - 1) / ROWS_TOGETHER;
        for_rows(groups, ROWS_TOGETHER * l.length, [&](int64_t group) {
            const int64_t row = group * ROWS_TOGETHER, at = row * l.length;
            const auto one = integral_constant<int64_t, 1>{};
            if (l.outer - row >= ROWS_TOGETHER)
                return body(at, one, l.length, integral_constant<int, ROWS_TOGETHER>{});
            for (int64_t r = row; r < l.outer; ++r)
                body(r * l.length, one, l.length, integral_constant<int, 1>{});
        });
        return;
    }
    const int64_t groups = (l.inner + TOGETHER - 1) / TOGETHER;
    for_rows(l.outer * groups, TOGETHER * l.length, [&](int64_t block) {
        const int64_t column = block % groups * TOGETHER;
        const int64_t at = block / groups * l.length * l.inner + column;
        const auto one = integral_constant<int64_t, 1>{};
        if (l.inner - column >= TOGETHER)
            return body(at, l.inner, one, integral_constant<int, TOGETHER>{});
        body(at, l.inner, one, int(l.inner - column));
    });
}

template <class Join>
void scan_by(const Lines& l, double start, bool reverse, const float* x, float* y,
             const Join& join) {
    for_lines(l, [&](int64_t at, auto step, auto across, auto count) {
        double all[TOGETHER];
        for (int r = 0; r < count; ++r) all[r] = start;
        for (int64_t i = 0; i < l.length; ++i) {
            const int64_t place = at + (reverse ? l.length - 1 - i : i) * step;
            for (int r = 0; r < count; ++r) {
                all[r] = join(all[r], double(x[place + r * across]));
                y[place + r * across] = float(all[r]);
            }
        }
    });
}

}  // namespace

void scan(Scan kind, const Lines& l, bool reverse, const float* x, float* y) {
    if (kind == Scan::sum)
        scan_by(l, 0, reverse, x, y, [](double a, double b) { return a + b; });
    else
        scan_by(l, 1, reverse, x, y, [](double a, double b) { return a * b; });
}

// The product of the elements before i, times (g[i] + x[i + 1] (g[i + 1] + x[i + 2] (...))).
void product_scan_grad(const Lines& l, const float* g, const float* x, float* out) {
    for_lines(l, [&](int64_t at, auto step, auto across, auto count) {
        double all[TOGETHER];
        for (int r = 0; r < count; ++r) all[r] = 1;
        for (int64_t i = 0; i < l.length; ++i)
            for (int r = 0; r < count; ++r) {
                const int64_t place = at + i * step + r * across;
                out[place] = float(all[r]);
                all[r] *= x[place];
            }
        for (int r = 0; r < count; ++r) all[r] = 0;
        for (int64_t i = l.length - 1; i >= 0; --i)
            for (int r = 0; r < count; ++r) {
                const int64_t place = at + i * step + r * across;
                all[r] += g[place];
                out[place] = float(out[place] * all[r]);
                all[r] *= x[place];
            }
    });
}

// Where the largest element so far is, or the smallest: the last such, or the last NaN.
void scan_places(const Lines& l, bool smallest, const float* x, int64_t* out) {
    if (l.inner == 1) {  // where a new one is rarely found
        for_rows(l.outer, l.length, [&](int64_t row) {
            const float* from = x + row * l.length;
            float best = from[0];
            int64_t found = 0;
            for (int64_t i = 0; i < l.length; ++i) {
                const float v = from[i];
                if ((smallest ? v <= best : v >= best) || v != v) best = v, found = i;
                out[row * l.length + i] = found;
            }
        });
        return;
    }
    for_lines(l, [&](int64_t at, auto step, auto across, auto count) {
        float best[TOGETHER];
        int64_t found[TOGETHER];
        for (int r = 0; r < count; ++r) best[r] = x[at + r * across], found[r] = 0;
        for (int64_t i = 0; i < l.length; ++i)
            for (int r = 0; r < count; ++r) {
                const float v = x[at + i * step + r * across];
                const bool here = (smallest ? v <= best[r] : v >= best[r]) || v != v;
                best[r] = here ? v : best[r], found[r] = here ? i : found[r];
                out[at + i * step + r * across] = found[r];
            }
    });
}

}  // namespace tallow::ISA
