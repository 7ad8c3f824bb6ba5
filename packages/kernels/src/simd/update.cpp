// The updates of optimisers, one pass over a parameter and its state.
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t GRAIN = 1 << 15;

inline Vec root(Vec x) {
    Vec y;
    for (int i = 0; i < WIDTH; ++i) y[i] = __builtin_sqrtf(x[i]);
    return y;
}

// f(i, count) for the vectors of all elements, on all threads.
template <class F>
void update(int64_t n, const F& f) {
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        along(end - begin, [&](int64_t i, int64_t count) { f(begin + i, count); });
    });
}

}  // namespace

// momentum is null where there is none.
void sgd(float* weight, float* momentum, const float* grad, int64_t n, float rate,
         float momentum_factor, float dampening, float decay, bool nesterov) {
    update(n, [&](int64_t i, int64_t count) {
        const Vec w = load_up_to(weight + i, count);
        Vec g = load_up_to(grad + i, count) + decay * w;
        if (momentum) {
            const Vec m = momentum_factor * load_up_to(momentum + i, count) + (1 - dampening) * g;
            store_up_to(momentum + i, m, count);
            g = nesterov ? g + momentum_factor * m : m;
        }
        store_up_to(weight + i, w - rate * g, count);
    });
}

// Kingma and Ba, "Adam", 2015; with `decoupled` decay, Loshchilov and Hutter, "AdamW", 2019.
void adam(float* weight, float* mean, float* square, const float* grad, int64_t n,
          const AdamStep& s) {
    const float step = s.rate / s.correction1, scale = 1 / __builtin_sqrtf(s.correction2);
    update(n, [&](int64_t i, int64_t count) {
        Vec w = load_up_to(weight + i, count), g = load_up_to(grad + i, count);
        if (s.decoupled)
            w -= s.rate * s.decay * w;
        else
            g += s.decay * w;
        const Vec m0 = load_up_to(mean + i, count), v0 = load_up_to(square + i, count);
        const Vec m = m0 + (1 - s.beta1) * (g - m0), v = s.beta2 * v0 + (1 - s.beta2) * g * g;
        store_up_to(mean + i, m, count);
        store_up_to(square + i, v, count);
        store_up_to(weight + i, w - step * m / (root(v) * scale + s.epsilon), count);
    });
}

}  // namespace tallow::ISA
