// Exponential functions of vectors, to about one unit in the last place; NaN and infinities as in
// <cmath>.
#pragma once

#include <cmath>

#include "vec.hpp"

namespace tallow::ISA {

inline Vec horner(const float* coefficients, int count, Vec x) {
    Vec total = splat(coefficients[0]);
    for (int i = 1; i < count; ++i) total = total * x + coefficients[i];
    return total;
}

// 2 ** n for whole n from -126 to 127.
inline Vec power_of_two(Ints n) { return (Vec)((n + 127) << 23); }

constexpr float ROUND = 12582912.0f;  // 1.5 * 2**23: adding it leaves no fraction

// x with the sign of another, which it has already but perhaps at 0.
inline Vec with_sign(Vec x, Vec other) { return (Vec)((Ints)x | ((Ints)other & INT32_MIN)); }

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

// exp(x) = 2**n exp(r), |r| <= log(2) / 2. The n, and exp(r) - 1 by the polynomial from Cephes'
// expf (Moshier, 1984).
inline Vec doublings(Vec x) { return (x * 1.44269504088896341f + ROUND) - ROUND; }

inline Vec expm1_of_rest(Vec x, Vec n) {
    constexpr float P[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                           4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    return r * r * horner(P, 6, r) + r;
}

// exp(x), and 0 below `low`.
inline Vec exp_from(Vec x, float low) {
    const Ints gone = x < low;
    const Vec limited = at_most(select(gone, Vec{}, x), 89.0f), n = doublings(limited);
    return select(gone, Vec{}, scaled(expm1_of_rest(limited, n) + 1.0f, n));
}

inline Vec exp(Vec x) { return exp_from(x, -104.0f); }

// The same, but 0 where it is below the normal numbers: those are slow on many processors.
inline Vec exp_or_zero(Vec x) { return exp_from(x, -87.33654f); }

inline Vec expm1(Vec x) {
    const Vec limited = at_most(at_least(x, -20.0f), 89.0f), n = doublings(limited);
    const Vec half = power_of_two(__builtin_convertvector(n, Ints) - 1);
    const Vec rest = expm1_of_rest(limited, n);
    return with_sign(select(n == 0.0f, rest, (rest * half + (half - 0.5f)) * 2.0f), x);
}

// log(x); NaN below 0. x = 2**n m, m from sqrt(1/2) to sqrt(2), the polynomial from Cephes' logf.
inline Vec log(Vec x) {
    constexpr float P[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                           -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                           2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
    const Ints tiny = x < 1.17549435e-38f;  // below the normal numbers
    const Ints bits = (Ints)select(tiny, x * 8388608.0f, x), shifted = bits - 0x3f3504f3;
    const Vec n = __builtin_convertvector((shifted >> 23) + (tiny & -23), Vec);
    const Vec m = (Vec)((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f, z = m * m;
    const Vec y = m * z * horner(P, 9, m) + n * -2.12194440e-4f - 0.5f * z;
    const Vec found = m + y + n * 0.693359375f;
    const Vec infinite = splat(__builtin_huge_valf());
    return select((x > 0.0f) & (x < infinite), found,
                  select(x == 0.0f, -infinite, select(x < 0.0f, splat(__builtin_nanf("")), x)));
}

// log(1 + x): what 1 + x lost in rounding is added by the derivative.
inline Vec log1p(Vec x) {
    const Vec above = x + 1.0f;
    const Vec found = log(above) + (x - (above - 1.0f)) / above;
    return select((above > 0.0f) & (above < __builtin_huge_valf()), with_sign(found, x),
                  log(above));
}

inline Vec root(Vec x) {
    Vec y;
    for (int i = 0; i < WIDTH; ++i) y[i] = __builtin_sqrtf(x[i]);
    return y;
}

inline Vec sigmoid(Vec x) { return 1.0f / (exp_or_zero(-x) + 1.0f); }

// sin(x + shift * pi / 2). x less the nearest multiple of pi / 2, in three parts, and Cephes' sinf
// and cosf; far from 0 by <cmath>.
inline Vec sine(Vec x, int shift) {
    if (largest(select(absolute(x) > 8192.0f, splat(1), Vec{})) > 0) {
        for (int i = 0; i < WIDTH; ++i) x[i] = shift ? std::cos(x[i]) : std::sin(x[i]);
        return x;
    }
    const Vec turns = (x * 0.63661977236758134f + ROUND) - ROUND;
    const Vec r = ((x - turns * 1.5703125f) - turns * 4.837512969970703125e-4f) -
                  turns * 7.54978995489188216e-8f;
    const Vec z = r * r;
    constexpr float SIN[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
    constexpr float COS[] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
    const Ints quarter = __builtin_convertvector(turns, Ints) + shift;
    const Vec found = select((quarter & 1) == 0, with_sign(r + r * z * horner(SIN, 3, z), r),
                             1.0f - 0.5f * z + z * z * horner(COS, 3, z));
    return (Vec)((Ints)found ^ ((quarter & 2) << 30));
}

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

inline Vec erf(Vec x) {
    constexpr float P[] = {
        7.8538505121e-5f, -8.0101903424e-4f, 5.1883273120e-3f, -2.6853811739e-2f,
        1.1283585144e-1f, -3.7612625824e-1f, 1.2837916570e-1f};  // of erf(x) / x - 1 in x**2 up to
                                                                 // 1
    const Vec size = absolute(x), z = x * x;
    const Vec far = 1.0f - exp_or_zero(-z) * scaled_erfc(size);
    return select(size < 1.0f, x + x * horner(P, 7, z), with_sign(far, x));
}

// 1 - erf(x): in the tail exp(-x*x) is that of a head of x, whose square is exact, and the rest.
inline Vec erfc(Vec x) {
    const Vec size = at_most(absolute(x), 20.0f), head = (Vec)((Ints)size & ~0xfff);
    const Vec gauss = exp(-head * head) * exp_or_zero((head - size) * (head + size));
    return select(x < 0.8f, 1.0f - erf(x), gauss * scaled_erfc(size));
}

// The inverse of erf, by M. Giles, "Approximating the erfinv function" (GPU Computing Gems, 2011).
inline Vec erfinv(Vec x) {
    constexpr float NEAR[] = {2.81022636e-08f,  3.43273939e-07f, -3.5233877e-06f,
                              -4.39150654e-06f, 0.00021858087f,  -0.00125372503f,
                              -0.00417768164f,  0.246640727f,    1.50140941f};
    constexpr float FAR[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f,
                             -0.00367342844f,  0.00573950773f,  -0.0076224613f,
                             0.00943887047f,   1.00167406f,     2.83297682f};
    const Vec w = -log((1.0f - x) * (1.0f + x));
    const Vec found = select(w < 5.0f, horner(NEAR, 9, w - 2.5f), horner(FAR, 9, root(w) - 3.0f));
    return select(absolute(x) == 1.0f, x * __builtin_huge_valf(), found * x);
}

// The standard normal distribution function; accurate in its lower tail too.
inline Vec normal_cdf(Vec x) {
    const Vec z = absolute(x) * 0.70710678118654752f;
    const Vec tail = 0.5f * exp_or_zero(-z * z) * scaled_erfc(z);
    return select(x < 0.0f, tail, 1.0f - tail);
}

inline Vec normal_density(Vec x) { return exp_or_zero(x * x * -0.5f) * 0.39894228040143268f; }

inline Vec sign_of(Vec x) { return select(x > 0.0f, splat(1), select(x < 0.0f, splat(-1), x)); }

// To a whole number; from 2**23 on in size all are.
inline Vec nearest(Vec x) {
    const Vec size = absolute(x), near = (size + 8388608.0f) - 8388608.0f;  // to even
    return select(size < 8388608.0f, with_sign(near, x), x);
}
inline Vec truncated(Vec x) {
    const Vec size = absolute(x), near = (size + 8388608.0f) - 8388608.0f;
    const Vec down = near - select(near > size, splat(1), Vec{});
    return select(size < 8388608.0f, with_sign(down, x), x);
}
inline Vec floored(Vec x) {
    const Vec near = nearest(x);
    return near > x ? near - 1.0f : near;
}

}  // namespace tallow::ISA
