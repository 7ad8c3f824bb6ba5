// The 1-d transforms of Winograd's minimal filtering, of elements `step` apart: of SIDE + 2 = IN
// inputs, of 3 taps and of a tile of the gradient's SIDE to IN places, and of IN products to SIDE
// outputs and to 3 taps.
#pragma once

namespace tallow::ISA {

// F(4, 3) at 0, +-1/sqrt(2), +-sqrt(2) and infinity, where rounding errors are a fifth of those at
// the usual 0, +-1, +-2: 36 products for 16 outputs instead of 144.
struct Fast {
    static constexpr int SIDE = 4, IN = 6, PLACES = 36;

    static constexpr float A1 = 0.70710678118654752f, B1 = 1.41421356237309505f;  // points a and b
    static constexpr float A2 = 0.5f, B2 = 2.0f, A3 = A1 * A2, B3 = B1 * B2;      // their powers
    // 1 / product of the differences to the other points
    static constexpr float NA = 1 / -1.5f, NB = 1 / 6.0f;

    template <class T>
    static void input(const T* d, int step, T* to, int to_step) {
        const T even_a = d[4 * step] - B2 * d[2 * step], odd_a = A1 * (d[3 * step] - B2 * d[step]);
        const T even_b = d[4 * step] - A2 * d[2 * step], odd_b = B1 * (d[3 * step] - A2 * d[step]);
        const T last = d[step] - 2.5f * d[3 * step] + d[5 * step];
        put(d[0] - 2.5f * d[2 * step] + d[4 * step], even_a, odd_a, even_b, odd_b, last, to,
            to_step);
    }

    template <class T>
    static void filter(const T* w, int step, T* to, int to_step) {
        const T even_a = NA * (w[0] + A2 * w[2 * step]), odd_a = (NA * A1) * w[step];
        const T even_b = NB * (w[0] + B2 * w[2 * step]), odd_b = (NB * B1) * w[step];
        put(w[0], even_a, odd_a, even_b, odd_b, w[2 * step], to, to_step);
    }

    template <class T>
    static void map(const T* g, int step, T* to, int to_step) {
        const T even_a = NA * (g[0] + A2 * g[2 * step]);
        const T even_b = NB * (g[0] + B2 * g[2 * step]);
        const T odd_a = NA * (A1 * g[step] + A3 * g[3 * step]);
        const T odd_b = NB * (B1 * g[step] + B3 * g[3 * step]);
        put(g[0], even_a, odd_a, even_b, odd_b, g[3 * step], to, to_step);
    }

    template <class T>
    static void output(const T* m, int step, T* to, int to_step) {
        const T even_a = m[step] + m[2 * step], odd_a = m[step] - m[2 * step];
        const T even_b = m[3 * step] + m[4 * step], odd_b = m[3 * step] - m[4 * step];
        to[0] = m[0] + even_a + even_b;
        to[to_step] = A1 * odd_a + B1 * odd_b;
        to[2 * to_step] = A2 * even_a + B2 * even_b;
        to[3 * to_step] = A3 * odd_a + B3 * odd_b + m[5 * step];
    }

    template <class T>
    static void weight_grad(const T* m, int step, T* to, int to_step) {
        const T even_a = m[step] + m[2 * step], odd_a = m[step] - m[2 * step];
        const T even_b = m[3 * step] + m[4 * step], odd_b = m[3 * step] - m[4 * step];
        to[0] = m[0] + even_a + even_b;
        to[to_step] = A1 * odd_a + B1 * odd_b;
        to[2 * to_step] = A2 * even_a + B2 * even_b + m[5 * step];
    }

  private:
    template <class T>
    static void put(T first, T even_a, T odd_a, T even_b, T odd_b, T last, T* to, int step) {
        to[0] = first;
        to[step] = even_a + odd_a, to[2 * step] = even_a - odd_a;
        to[3 * step] = even_b + odd_b, to[4 * step] = even_b - odd_b;
        to[5 * step] = last;
    }
};

// F(2, 3) at 0, +-1 and infinity: 16 products for 4 outputs instead of 36, and rounding errors
// about those of plain sums.
struct Near {
    static constexpr int SIDE = 2, IN = 4, PLACES = 16;

    template <class T>
    static void input(const T* d, int step, T* to, int to_step) {
        to[0] = d[0] - d[2 * step];
        to[to_step] = d[2 * step] + d[step], to[2 * to_step] = d[2 * step] - d[step];
        to[3 * to_step] = d[3 * step] - d[step];
    }

    template <class T>
    static void filter(const T* w, int step, T* to, int to_step) {
        const T even = 0.5f * (w[0] + w[2 * step]), odd = 0.5f * w[step];
        to[0] = w[0], to[to_step] = even + odd, to[2 * to_step] = even - odd;
        to[3 * to_step] = w[2 * step];
    }

    template <class T>
    static void map(const T* g, int step, T* to, int to_step) {
        to[0] = g[0];
        to[to_step] = 0.5f * (g[0] + g[step]), to[2 * to_step] = 0.5f * (g[0] - g[step]);
        to[3 * to_step] = g[step];
    }

    template <class T>
    static void output(const T* m, int step, T* to, int to_step) {
        to[0] = m[0] + m[step] + m[2 * step];
        to[to_step] = m[step] - m[2 * step] + m[3 * step];
    }

    template <class T>
    static void weight_grad(const T* m, int step, T* to, int to_step) {
        const T even = m[step] + m[2 * step];
        to[0] = m[0] + even;
        to[to_step] = m[step] - m[2 * step];
        to[2 * to_step] = even + m[3 * step];
    }
};

}  // namespace tallow::ISA
