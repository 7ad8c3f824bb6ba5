// Connectionist temporal classification: Graves et al., 2006. The forward and backward recursions
// in logarithms, over a vector of states at a time; a sequence of the batch each on a thread.
#include <cmath>

#include "math.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr float LOWEST = -__builtin_huge_valf();
constexpr int64_t EDGE = WIDTH;  // floats before and after a row of states

// What is taken from -inf, so that no difference is nan.
constexpr float LEAST = -1e30f;

inline Vec log_sum(Vec a, Vec b, Vec c) {
    const Vec top = maximum(maximum(a, b), maximum(c, splat(LEAST)));
    return log(exp_or_zero(a - top) + exp_or_zero(b - top) + exp_or_zero(c - top)) + top;
}

// One sequence of the batch: labels with blanks around them are its states.
struct Sequence {
    const Ctc& c;
    int64_t n, states, times, labels;
    const int64_t* target;
    float *emission, *skip;  // of the states; skip[s]: 0 where s may follow s - 2, else -inf

    Sequence(const Ctc& ctc, int64_t row, float* space)
        : c(ctc),
          n(row),
          states(2 * c.target_lengths[row] + 1),
          times(c.input_lengths[row]),
          labels(c.target_lengths[row]),
          target(c.targets + row * c.longest),
          emission(space),
          skip(space + padded(c)) {
        std::fill_n(skip, padded(c), LOWEST);
        for (int64_t i = 1; i < labels; ++i)
            if (target[i] != target[i - 1] && target[i] != c.blank) skip[2 * i + 1] = 0;
    }
    static int64_t padded(const Ctc& c) { return 2 * c.longest + 1 + 4 * EDGE; }

    const float* scores(int64_t t) const { return c.x + (t * c.batch + n) * c.classes; }
    float* forward(int64_t t) const { return c.forward + (t * c.batch + n) * (2 * c.longest + 1); }
    void emit(int64_t t) const {
        const float* x = scores(t);
        const float blank = x[c.blank];
        for (int64_t i = 0; i < labels; ++i)
            emission[2 * i] = blank, emission[2 * i + 1] = x[target[i]];
        emission[2 * labels] = blank;
    }
};

float last_sum(float a, float b) {
    const float top = std::fmax(std::fmax(a, b), LEAST);
    return std::log(std::exp(a - top) + std::exp(b - top)) + top;
}

// Fills in the forward variables, and gives the loss. Those of states that do not exist are -inf.
float run_forward(const Sequence& s, float* now, float* next) {
    const Ctc& c = s.c;
    const int64_t all = 2 * c.longest + 1;
    std::fill_n(now, Sequence::padded(c), LOWEST);
    std::fill_n(next, Sequence::padded(c), LOWEST);
    float loss = s.labels ? -LOWEST : 0;  // of no times
    for (int64_t t = 0; t < c.times; ++t) {
        s.emit(t);
        if (t == 0)
            for (int64_t i = 0; i < std::min<int64_t>(2, s.states); ++i)
                next[EDGE + i] = s.emission[i];
        else
            along(s.states, [&](int64_t i, int64_t count) {
                const float* from = now + EDGE + i;
                const Vec sum =
                    log_sum(load(from), load(from - 1), load(from - 2) + load(s.skip + i));
                store_some(next + EDGE + i, sum + load(s.emission + i), count);
            });
        std::memcpy(s.forward(t), next + EDGE, size_t(all) * sizeof(float));
        std::swap(now, next);
        const float* last = now + EDGE + s.states - 1;
        if (t == s.times - 1) loss = -last_sum(last[0], s.labels ? last[-1] : LOWEST);
    }
    return loss;
}

// out (times, batch, classes): -g times the share of the likelihood by time and label.
void run_backward(const Sequence& s, float g, float loss, float* now, float* next, float* share,
                  float* out) {
    const Ctc& c = s.c;
    std::fill_n(now, Sequence::padded(c), LOWEST);
    std::fill_n(next, Sequence::padded(c), LOWEST);
    const Vec scale = splat(std::isfinite(loss) ? loss : LOWEST);
    for (int64_t t = c.times - 1; t >= 0; --t) {
        float* to = out + (t * c.batch + s.n) * c.classes;
        std::fill_n(to, c.classes, 0.0f);
        if (t < s.times) {
            const float* forward = s.forward(t);
            s.emit(t);
            along(s.states, [&](int64_t i, int64_t count) {
                const float* from = now + EDGE + i;
                Vec onward =
                    log_sum(load(from), load(from + 1), load(from + 2) + load(s.skip + i + 2));
                if (t == s.times - 1)
                    for (int64_t k = 0; k < count; ++k)
                        onward[k] = i + k >= s.states - 2 ? 0 : onward[k];
                store_some(share + i, exp_or_zero(load_some(forward + i, count) + onward + scale),
                           count);
                store_some(next + EDGE + i, onward + load(s.emission + i), count);
            });
            for (int64_t i = 0; i < s.labels; ++i) to[s.target[i]] -= share[2 * i + 1];
            for (int64_t i = 0; i < s.states; i += 2) to[c.blank] -= share[i];
            std::swap(now, next);
        }
        for (int64_t i = 0; i < c.classes; ++i) to[i] *= g;
    }
}

}  // namespace

void ctc(const Ctc& c) {
    parallel(c.batch, [&](int64_t row) {
        const int64_t size = Sequence::padded(c);
        float* space = scratch(0, 4 * size);
        const Sequence s(c, row, space);
        c.losses[row] = run_forward(s, space + 2 * size, space + 3 * size);
    });
}

void ctc_grad(const Ctc& c, const float* g, float* out) {
    parallel(c.batch, [&](int64_t row) {
        const int64_t size = Sequence::padded(c);
        float* space = scratch(0, 5 * size);
        const Sequence s(c, row, space);
        run_backward(s, g[row], c.losses[row], space + 2 * size, space + 3 * size, space + 4 * size,
                     out);
    });
}

}  // namespace tallow::ISA
