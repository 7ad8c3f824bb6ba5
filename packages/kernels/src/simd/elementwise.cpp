// Activations and their gradients, an element at a time.
#include "../threads.hpp"
#include "math.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t GRAIN = 1 << 15;  // elements that are worth a thread

// y[i] = f(x[i]).
template <class F>
void map(const float* x, float* y, int64_t n, const F& f) {
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        each(
            end - begin, [&](int64_t i) { store(y + begin + i, f(load(x + begin + i))); },
            [&](int64_t i, int64_t count) {
                store_some(y + begin + i, f(load_some(x + begin + i, count)), count);
            });
    });
}

// out[i] = f(g[i], x[i]).
template <class F>
void map2(const float* g, const float* x, float* out, int64_t n, const F& f) {
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        each(
            end - begin,
            [&](int64_t i) { store(out + begin + i, f(load(g + begin + i), load(x + begin + i))); },
            [&](int64_t i, int64_t count) {
                const Vec value =
                    f(load_some(g + begin + i, count), load_some(x + begin + i, count));
                store_some(out + begin + i, value, count);
            });
    });
}

inline Vec hard_sigmoid(Vec x) { return at_most(at_least(x * (1.0f / 6) + 0.5f, 0), 1); }

}  // namespace

void unary(Unary which, const float* x, float* y, int64_t n) {
    switch (which) {
        case Unary::relu: return map(x, y, n, [](Vec v) { return maximum(v, Vec{}); });
        case Unary::exp: return map(x, y, n, [](Vec v) { return exp(v); });
        case Unary::tanh: return map(x, y, n, [](Vec v) { return tanh(v); });
        case Unary::sigmoid: return map(x, y, n, [](Vec v) { return sigmoid(v); });
        case Unary::gelu: return map(x, y, n, [](Vec v) { return v * normal_cdf(v); });
        case Unary::silu: return map(x, y, n, [](Vec v) { return v * sigmoid(v); });
        case Unary::hardsigmoid: return map(x, y, n, [](Vec v) { return hard_sigmoid(v); });
        case Unary::hardswish: return map(x, y, n, [](Vec v) { return v * hard_sigmoid(v); });
        case Unary::expm1: return map(x, y, n, [](Vec v) { return expm1(v); });
        case Unary::log: return map(x, y, n, [](Vec v) { return log(v); });
        case Unary::log1p: return map(x, y, n, [](Vec v) { return log1p(v); });
        case Unary::sqrt: return map(x, y, n, [](Vec v) { return root(v); });
        case Unary::rsqrt: return map(x, y, n, [](Vec v) { return 1.0f / root(v); });
        case Unary::reciprocal: return map(x, y, n, [](Vec v) { return 1.0f / v; });
        case Unary::square: return map(x, y, n, [](Vec v) { return v * v; });
        case Unary::sin: return map(x, y, n, [](Vec v) { return sine(v, 0); });
        case Unary::cos: return map(x, y, n, [](Vec v) { return sine(v, 1); });
        case Unary::erf: return map(x, y, n, [](Vec v) { return erf(v); });
        case Unary::erfc: return map(x, y, n, [](Vec v) { return erfc(v); });
        case Unary::erfinv: return map(x, y, n, [](Vec v) { return erfinv(v); });
        case Unary::neg: return map(x, y, n, [](Vec v) { return -v; });
        case Unary::absolute: return map(x, y, n, [](Vec v) { return absolute(v); });
        case Unary::sign:
            return map(x, y, n, [](Vec v) {  // 0 for NaN, and for -0
                return select(v == v, sign_of(v) + 0.0f, Vec{});
            });
        case Unary::floor: return map(x, y, n, [](Vec v) { return floored(v); });
        case Unary::ceil: return map(x, y, n, [](Vec v) { return -floored(-v); });
        case Unary::trunc: return map(x, y, n, [](Vec v) { return truncated(v); });
        case Unary::round: return map(x, y, n, [](Vec v) { return nearest(v); });
    }
}

// The gradient from the output y where the function's derivative is known by it (relu, exp, tanh,
// sigmoid), else from x.
void unary_grad(Unary which, const float* g, const float* x_or_y, float* out, int64_t n) {
    switch (which) {
        case Unary::relu:
            return map2(g, x_or_y, out, n,  // NaN lets its gradient through
                        [](Vec d, Vec y) { return select(y <= 0.0f, Vec{}, d); });
        case Unary::exp: return map2(g, x_or_y, out, n, [](Vec d, Vec y) { return d * y; });
        case Unary::tanh:
            return map2(g, x_or_y, out, n, [](Vec d, Vec y) { return d * (1.0f - y * y); });
        case Unary::sigmoid:
            return map2(g, x_or_y, out, n, [](Vec d, Vec y) { return d * (y * (1.0f - y)); });
        case Unary::gelu:
            return map2(g, x_or_y, out, n,
                        [](Vec d, Vec x) { return d * (normal_cdf(x) + x * normal_density(x)); });
        case Unary::silu:
            return map2(g, x_or_y, out, n, [](Vec d, Vec x) {
                const Vec s = sigmoid(x);
                return d * (s * (1.0f + x * (1.0f - s)));
            });
        case Unary::hardsigmoid:
            return map2(g, x_or_y, out, n, [](Vec d, Vec x) {
                return d * select((x > -3.0f) & (x < 3.0f), splat(1.0f / 6), Vec{});
            });
        case Unary::hardswish:
            return map2(g, x_or_y, out, n, [](Vec d, Vec x) {
                const Vec inner = select(x > -3.0f, d * (x * (1.0f / 3) + 0.5f), Vec{});
                return select(x >= 3.0f, d, inner);
            });
        default: return;  // those have none
    }
}

}  // namespace tallow::ISA
