// Elimination with exchanges of rows, and solutions by it, by blocks of columns: what remains is
// products.
#include <atomic>
#include <cmath>
#include <utility>

#include "gemm.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t BLOCK = 32;

// to -= factor * from
inline void subtract(float* to, const float* from, float factor, int64_t n) {
    along(n, [&](int64_t i, int64_t count) {
        store_up_to(to + i, load_up_to(to + i, count) - load_up_to(from + i, count) * factor,
                    count);
    });
}

// c (m, n) -= a (m, depth) b (depth, n), rows `row` apart in b and c.
void subtract_product(int64_t m, int64_t n, int64_t depth, const float* a, int64_t a_row,
                      const float* b, float* c, int64_t row) {
    if (m == 0 || n == 0) return;
    float* negative = scratch(2, depth * n);
    for (int64_t k = 0; k < depth; ++k)
        along(n, [&](int64_t j, int64_t count) {
            store_up_to(negative + k * n + j, -load_up_to(b + k * row + j, count), count);
        });
    multiply(m, n, depth, PackRows{{a, a_row, 1}}, PackColumns{{negative, n, 1}}, c, row, true);
}

// a (n, n) becomes L and U; row i was exchanged with row pivots[i]. False if it is singular.
bool eliminate(int64_t n, float* a, int32_t* pivots) {
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        const int64_t end = std::min(n, begin + BLOCK), rest = n - end;
        for (int64_t j = begin; j < end; ++j) {
            int64_t best = j;
            for (int64_t i = j + 1; i < n; ++i)
                if (std::fabs(a[i * n + j]) > std::fabs(a[best * n + j])) best = i;
            pivots[j] = int32_t(best);
            if (a[best * n + j] == 0) return false;
            if (best != j) std::swap_ranges(a + j * n, a + (j + 1) * n, a + best * n);
            for (int64_t i = j + 1; i < n; ++i) {
                a[i * n + j] /= a[j * n + j];
                subtract(a + i * n + j + 1, a + j * n + j + 1, a[i * n + j], end - j - 1);
            }
        }
        for (int64_t i = begin + 1; i < end; ++i)
            for (int64_t k = begin; k < i; ++k)
                subtract(a + i * n + end, a + k * n + end, a[i * n + k], rest);
        subtract_product(rest, rest, end - begin, a + end * n + begin, n, a + begin * n + end,
                         a + end * n + end, n);
    }
    return true;
}

// b (n, k) becomes the solution.
void substitute(int64_t n, int64_t k, const float* a, const int32_t* pivots, float* b) {
    for (int64_t i = 0; i < n; ++i)
        if (pivots[i] != i) std::swap_ranges(b + i * k, b + (i + 1) * k, b + pivots[i] * k);
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        const int64_t end = std::min(n, begin + BLOCK);
        for (int64_t i = begin; i < end; ++i)
            for (int64_t j = begin; j < i; ++j) subtract(b + i * k, b + j * k, a[i * n + j], k);
        subtract_product(n - end, k, end - begin, a + end * n + begin, n, b + begin * k,
                         b + end * k, k);
    }
    for (int64_t end = n; end > 0;) {
        const int64_t begin = (end - 1) / BLOCK * BLOCK;
        for (int64_t i = end - 1; i >= begin; --i) {
            for (int64_t j = i + 1; j < end; ++j) subtract(b + i * k, b + j * k, a[i * n + j], k);
            const float pivot = a[i * n + i];
            for (int64_t j = 0; j < k; ++j) b[i * k + j] /= pivot;
        }
        subtract_product(begin, k, end - begin, a + begin, n, b + begin * k, b, k);
        end = begin;
    }
}

}  // namespace

bool lu(int64_t batch, int64_t n, float* a, int32_t* pivots) {
    std::atomic<bool> regular = true;
    for_rows(batch, n * n * n / 4, [&](int64_t i) {
        if (!eliminate(n, a + i * n * n, pivots + i * n)) regular = false;
    });
    return regular;
}

void lu_solve(int64_t batch, int64_t n, int64_t k, const float* a, const int32_t* pivots,
              float* b) {
    for_rows(batch, n * n * k / 4,
             [&](int64_t i) { substitute(n, k, a + i * n * n, pivots + i * n, b + i * n * k); });
}

}  // namespace tallow::ISA
