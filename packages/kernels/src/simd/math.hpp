// Exponential functions of vectors, to about one unit in the last place; NaN and infinities as in
// <cmath>.
#pragma once

#include "vec.hpp"

namespace tallow::ISA {

inline Vec horner(const float* coefficients, int count, Vec x) {
    Vec total = splat(coefficients[0]);
    for (int i = 1; i < count; ++i) total = total * x + coefficients[i];
    return total;
}

// 2 ** n for whole n from -126 to 127.
inline Vec power_of_two(Ints n) { return (Vec)((n + 127) << 23); }

// x 2**n for the whole n of exp: in two halves, so that results down to the smallest denormal and
// up to infinity come out right.
inline Vec scaled(Vec x, Vec n) {
#if defined(__AVX512F__)
    return (Vec)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
    const Ints whole = __builtin_convertvector(n, Ints), half = whole >> 1;
    return x * power_of_two(half) * power_of_two(whole - half);
#endif
}

// exp(x) = 2**n exp(r), |r| <= log(2) / 2, the polynomial from Cephes' expf (Moshier, 1984).
inline Vec exp(Vec x) {
    constexpr float P[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                           4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    constexpr float ROUND = 12582912.0f;  // 1.5 * 2**23: adding it leaves no fraction
    const Vec limited = at_most(at_least(x, -104.0f), 89.0f);
    const Vec whole = (limited * 1.44269504088896341f + ROUND) - ROUND;
    const Vec r = (limited - whole * 0.693359375f) + whole * 2.12194440e-4f;
    return scaled(r * r * horner(P, 6, r) + r + 1.0f, whole);
}

// log(x) of 0, normal numbers and infinity; NaN below 0. x = 2**n m, m from sqrt(1/2) to sqrt(2),
// the polynomial from Cephes' logf.
inline Vec log(Vec x) {
    constexpr float P[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                           -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                           2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
    const Ints bits = (Ints)x, shifted = bits - 0x3f3504f3;  // so that m is at least sqrt(1/2)
    const Vec n = __builtin_convertvector(shifted >> 23, Vec);
    const Vec m = (Vec)((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f, z = m * m;
    const Vec y = m * z * horner(P, 9, m) + n * -2.12194440e-4f - 0.5f * z;
    const Vec found = m + y + n * 0.693359375f;
    const Vec infinite = splat(__builtin_huge_valf());
    return select((x > 0.0f) & (x < infinite), found,
                  select(x == 0.0f, -infinite, select(x < 0.0f, splat(__builtin_nanf("")), x)));
}

inline Vec root(Vec x) {
    Vec y;
    for (int i = 0; i < WIDTH; ++i) y[i] = __builtin_sqrtf(x[i]);
    return y;
}

inline Vec sigmoid(Vec x) { return 1.0f / (exp(-x) + 1.0f); }

// x with the sign of another.
inline Vec with_sign(Vec x, Vec other) { return (Vec)((Ints)x | ((Ints)other & INT32_MIN)); }

// tanh: near 0 an odd polynomial (Cephes' tanhf), else from exp; of |x|, so that -0 keeps its sign.
inline Vec tanh(Vec x) {
    constexpr float P[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                           1.33314422036e-1f, -3.33332819422e-1f};
    const Vec size = absolute(x), z = x * x;
    const Vec near = size + size * z * horner(P, 5, z);
    const Vec far = 1.0f - 2.0f / (exp(size + size) + 1.0f);
    return with_sign(select(size < 0.625f, near, far), x);
}

// erfc(z) exp(z*z) for z >= 0: a polynomial in t = 1 / (1 + 0.45 z), fitted to a relative error of
// 4e-8.
inline Vec scaled_erfc(Vec z) {
    constexpr float P[] = {-0.04163854941725731f, 0.19167575240135193f,   -0.3022053837776184f,
                           0.14381752908229828f,  -0.023065825924277306f, 0.1201537474989891f,
                           0.17522020637989044f,  0.22827406227588654f,   0.25388309359550476f,
                           0.25388532876968384f};
    const Vec t = 1.0f / (0.45f * z + 1.0f);
    return t * horner(P, 10, t);
}

// The standard normal distribution function; accurate in its lower tail too.
inline Vec normal_cdf(Vec x) {
    const Vec z = absolute(x) * 0.70710678118654752f;
    const Vec tail = 0.5f * exp(-z * z) * scaled_erfc(z);
    return select(x < 0.0f, tail, 1.0f - tail);
}

inline Vec normal_density(Vec x) { return exp(x * x * -0.5f) * 0.39894228040143268f; }

}  // namespace tallow::ISA
