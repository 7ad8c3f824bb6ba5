// Softmax, its logarithm, and cross entropy, along the last axis.
#include <cmath>

#include "math.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr float LOWEST = -__builtin_huge_valf();

// The sum of exp(x - top) over a row.
float exponential_sum(const float* x, int64_t n, float top) {
    return sum(total(
        n, [&](int64_t i, int64_t count) { return exp(load_up_to(x + i, count, LOWEST) - top); }));
}

}  // namespace

void softmax(const float* x, float* y, int64_t outer, int64_t length, bool logarithm) {
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        float* to = y + row * length;
        const float top = row_maximum(from, length);
        if (logarithm) {
            const float shift = std::log(exponential_sum(from, length, top));
            along(length, [&](int64_t i, int64_t count) {
                store_up_to(to + i, load_up_to(from + i, count) - top - shift, count);
            });
            return;
        }
        const Vec sums = total(length, [&](int64_t i, int64_t count) {
            const Vec e = exp(load_up_to(from + i, count, LOWEST) - top);
            store_up_to(to + i, e, count);
            return e;
        });
        const float scale = 1 / sum(sums);
        along(length, [&](int64_t i, int64_t count) {
            store_up_to(to + i, load_up_to(to + i, count) * scale, count);
        });
    });
}

// From the output y: y (g - sum(g y)), or for the logarithm g - exp(y) sum(g).
void softmax_grad(const float* g, const float* y, float* out, int64_t outer, int64_t length,
                  bool logarithm) {
    for_rows(outer, length, [&](int64_t row) {
        const float *d = g + row * length, *at = y + row * length;
        float* to = out + row * length;
        const float mass = sum(total(length, [&](int64_t i, int64_t count) {
            const Vec v = load_up_to(d + i, count);
            return logarithm ? v : v * load_up_to(at + i, count);
        }));
        along(length, [&](int64_t i, int64_t count) {
            const Vec v = load_up_to(d + i, count), s = load_up_to(at + i, count);
            store_up_to(to + i, logarithm ? v - exp(s) * mass : s * (v - mass), count);
        });
    });
}

// loss[row] = log(sum(exp(x))) - x[label].
void cross_entropy(const float* x, const int64_t* label, float* loss, int64_t outer,
                   int64_t length) {
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        const float top = row_maximum(from, length);
        loss[row] = std::log(exponential_sum(from, length, top)) - (from[label[row]] - top);
    });
}

// (softmax(x) - [i = label]) g scale, with g[row * g_step] for each row: g_step 0 is one g for all.
void cross_entropy_grad(const float* x, const int64_t* label, const float* g, int64_t g_step,
                        float scale, float* out, int64_t outer, int64_t length) {
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        float* to = out + row * length;
        const float top = row_maximum(from, length), factor = g[row * g_step] * scale;
        const Vec sums = total(length, [&](int64_t i, int64_t count) {
            const Vec e = exp(load_up_to(from + i, count, LOWEST) - top);
            store_up_to(to + i, e, count);
            return e;
        });
        const float share = factor / sum(sums);
        along(length, [&](int64_t i, int64_t count) {
            store_up_to(to + i, load_up_to(to + i, count) * share, count);
        });
        to[label[row]] -= factor;
    });
}

}  // namespace tallow::ISA
