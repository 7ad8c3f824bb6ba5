// The updates of optimisers, one pass over a parameter and its state.
#include "math.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// The direction to go against: the gradient, turned to ascend, and with the decay of the weights.
inline Vec direction(const Parameter& p, int64_t i, int64_t count, Vec weight, float sign,
                     float decay) {
    return sign * load_up_to(p.grad + i, count) + decay * weight;
}

// array[i ..], a running mean, with x taken in; gives what is stored.
inline Vec remember(float* array, int64_t i, int64_t count, Running mean, Vec x) {
    const Vec value = mean.keep * load_up_to(array + i, count) + mean.take * x;
    store_up_to(array + i, value, count);
    return value;
}

}  // namespace

void sgd(const Parameter& part, const SgdStep& step) {
    const Parameter p = part;  // copies, which what is stored cannot change
    const SgdStep s = step;
    along(p.count, [&](int64_t i, int64_t count) {
        const Vec w = load_up_to(p.weight + i, count);
        Vec g = direction(p, i, count, w, s.sign, s.decay);
        if (p.first) {
            const Vec m = s.momentum * load_up_to(p.first + i, count) + (1 - s.dampening) * g;
            store_up_to(p.first + i, m, count);
            g = s.nesterov ? g + s.momentum * m : m;
        }
        store_up_to(p.weight + i, w - s.rate * g, count);
    });
}

// Kingma and Ba, "Adam", 2015; with `decoupled` decay, Loshchilov and Hutter, "AdamW", 2019; with
// the largest squares, Reddi et al., 2018.
void adam(const Parameter& part, const AdamStep& step) {
    const Parameter p = part;  // copies, which what is stored cannot change
    const AdamStep s = step;
    const float rate = s.rate / s.correction1, scale = 1 / __builtin_sqrtf(s.correction2);
    const float shrink = s.decoupled ? s.rate * s.decay : 0, decay = s.decoupled ? 0 : s.decay;
    along(p.count, [&](int64_t i, int64_t count) {
        Vec w = load_up_to(p.weight + i, count);
        w -= shrink * w;
        const Vec g = direction(p, i, count, w, s.sign, decay);
        const Vec m0 = load_up_to(p.first + i, count), m = m0 + s.first.take * (g - m0);
        store_up_to(p.first + i, m, count);
        Vec v = remember(p.second, i, count, s.second, g * g);
        if (p.third) {
            v = maximum(v, load_up_to(p.third + i, count));
            store_up_to(p.third + i, v, count);
        }
        store_up_to(p.weight + i, w - rate * m / (root(v) * scale + s.epsilon), count);
    });
}

// Hinton, lecture 6e of "Neural Networks for Machine Learning", 2012; centred, Graves, 2013.
void rmsprop(const Parameter& part, const RmspropStep& step) {
    const Parameter p = part;  // copies, which what is stored cannot change
    const RmspropStep s = step;
    along(p.count, [&](int64_t i, int64_t count) {
        const Vec w = load_up_to(p.weight + i, count);
        const Vec g = direction(p, i, count, w, s.sign, s.decay);
        Vec square = remember(p.first, i, count, s.running, g * g);
        if (p.third) {
            const Vec mean = remember(p.third, i, count, s.running, g);
            square -= mean * mean;
        }
        Vec change = g / (root(square) + s.epsilon);
        if (p.second) {
            change += s.momentum * load_up_to(p.second + i, count);
            store_up_to(p.second + i, change, count);
        }
        store_up_to(p.weight + i, w - s.rate * change, count);
    });
}

// Duchi et al., 2011. The rate is that of this step.
void adagrad(const Parameter& part, const AdagradStep& step) {
    const Parameter p = part;  // copies, which what is stored cannot change
    const AdagradStep s = step;
    along(p.count, [&](int64_t i, int64_t count) {
        const Vec w = load_up_to(p.weight + i, count);
        const Vec g = direction(p, i, count, w, s.sign, s.decay);
        const Vec sums = load_up_to(p.first + i, count) + g * g;
        store_up_to(p.first + i, sums, count);
        store_up_to(p.weight + i, w - s.rate * g / (root(sums) + s.epsilon), count);
    });
}

// Zeiler, 2012.
void adadelta(const Parameter& part, const AdadeltaStep& step) {
    const Parameter p = part;  // copies, which what is stored cannot change
    const AdadeltaStep s = step;
    along(p.count, [&](int64_t i, int64_t count) {
        const Vec w = load_up_to(p.weight + i, count);
        const Vec g = direction(p, i, count, w, s.sign, s.decay);
        const Vec square = remember(p.first, i, count, s.running, g * g);
        const Vec past = load_up_to(p.second + i, count);
        const Vec change = root(past + s.epsilon) / root(square + s.epsilon) * g;
        remember(p.second, i, count, s.running, change * change);
        store_up_to(p.weight + i, w - s.rate * change, count);
    });
}

}  // namespace tallow::ISA
