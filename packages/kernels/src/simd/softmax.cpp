// Softmax, its logarithm, and cross entropy, along the last axis.
#include <cmath>

#include "math.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr float LOWEST = -__builtin_huge_valf();

// NaN do not count: they are found as exponentials.
float row_maximum(const float* x, int64_t n) {
    Vec tops[4] = {splat(LOWEST), splat(LOWEST), splat(LOWEST), splat(LOWEST)};
    int64_t i = 0;
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH)
        for (int j = 0; j < 4; ++j) tops[j] = larger(load(x + i + j * WIDTH), tops[j]);
    along(n - i, [&](int64_t j, int64_t count) {
        tops[0] = larger(load_up_to(x + i + j, count, LOWEST), tops[0]);
    });
    return largest(larger(larger(tops[0], tops[1]), larger(tops[2], tops[3])));
}

// The sum of exp(x - top) over a row; keep(i, e) gets its terms.
template <class Keep>
float exponential_sum(const float* x, int64_t n, float top, const Keep& keep) {
    return sum(total(n, [&](int64_t i, int64_t count) {
        prefetch(x + n + i);  // the next row
        const Vec e = exp_or_zero(load_up_to(x + i, count, LOWEST) - top);
        keep(i, e);
        return e;
    }));
}

float exponential_sum(const float* x, int64_t n, float top) {
    return exponential_sum(x, n, top, [](int64_t, Vec) {});
}

// to = (softmax(x) - [i = label]) factor. The exponentials wait in `terms`, which stays in the
// cache; so does the label's change, since `to` may be stored past it.
void softmax_row(const float* x, float* to, int64_t n, float factor, bool past,
                 int64_t label = -1) {
    float* terms = scratch(0, n + WIDTH);
    const float sums =
        exponential_sum(x, n, row_maximum(x, n), [&](int64_t i, Vec e) { store(terms + i, e); });
    if (label >= 0) terms[label] -= sums;
    const float share = factor / sums;
    fill_row(to, n, past,
             [&](int64_t i, int64_t count) { return load_up_to(terms + i, count) * share; });
}

}  // namespace

void softmax(const float* x, float* y, int64_t outer, int64_t length, bool logarithm) {
    const bool past = streams(outer * length);
    for_rows(outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        float* to = y + row * length;
        if (!logarithm) return softmax_row(from, to, length, 1, past);
        const float top = row_maximum(from, length);
        const float shift = std::log(exponential_sum(from, length, top));
        fill_row(to, length, past, [&](int64_t i, int64_t count) {
            return load_up_to(from + i, count) - top - shift;
        });
    });
}

// x (outer, length, inner) to out (outer, inner).
void logsumexp(const Lines& l, const float* x, float* out) {
    const int64_t length = l.length, inner = l.inner, blocks = (inner + WIDTH - 1) / WIDTH;
    if (inner > 1) {
        for_rows(l.outer * blocks, length * WIDTH, [&](int64_t block) {
            const int64_t outer = block / blocks, j = block % blocks * WIDTH;
            const int64_t count = std::min<int64_t>(WIDTH, inner - j);
            const float* from = x + outer * length * inner + j;
            Vec top = splat(LOWEST), sums{};
            for (int64_t i = 0; i < length; ++i)
                top = larger(load_up_to(from + i * inner, count), top);
            top = select(absolute(top) < splat(-LOWEST), top, Vec{});
            for (int64_t i = 0; i < length; ++i)
                sums += exp(load_up_to(from + i * inner, count) - top);
            for (int64_t k = 0; k < count; ++k)
                out[outer * inner + j + k] = std::log(sums[k]) + top[k];
        });
        return;
    }
    for_rows(l.outer, length, [&](int64_t row) {
        const float* from = x + row * length;
        const float most = row_maximum(from, length), top = std::isfinite(most) ? most : 0;
        out[row] = std::log(exponential_sum(from, length, top)) + top;
    });
}

// From the output y: y (g - sum(g y)), or for the logarithm g - exp(y) sum(g).
void softmax_grad(const float* g, const float* y, float* out, int64_t outer, int64_t length,
                  bool logarithm) {
    const bool past = streams(outer * length);
    for_rows(outer, length, [&](int64_t row) {
        const float *d = g + row * length, *at = y + row * length;
        const float mass = sum(total(length, [&](int64_t i, int64_t count) {
            const Vec v = load_up_to(d + i, count);
            return logarithm ? v : v * load_up_to(at + i, count);
        }));
        fill_row(out + row * length, length, past, [&](int64_t i, int64_t count) {
            prefetch(d + length + i), prefetch(at + length + i);
            const Vec v = load_up_to(d + i, count), s = load_up_to(at + i, count);
            return logarithm ? v - exp_or_zero(s) * mass : s * (v - mass);
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
    const bool past = streams(outer * length);
    for_rows(outer, length, [&](int64_t row) {
        softmax_row(x + row * length, out + row * length, length, g[row * g_step] * scale, past,
                    label[row]);
    });
}

}  // namespace tallow::ISA
