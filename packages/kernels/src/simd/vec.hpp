// The vocabulary of all kernels: a vector of floats as wide as the instruction set this file is
// compiled for, in GCC's and Clang's vector extensions. ISA, the namespace, is set by CMake: one
// copy of every kernel for each set.
#pragma once

#include <cstdint>
#include <cstring>

namespace tallow::ISA {

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
#elif defined(__AVX__)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif

typedef float Vec __attribute__((vector_size(WIDTH * 4)));
typedef int32_t Ints
    __attribute__((vector_size(WIDTH * 4)));  // also what comparisons give: 0 or -1

inline Vec splat(float x) { return x - Vec{}; }  // x + 0 would cost an addition, for -0

inline Vec load(const float* from) {
    Vec x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

inline void store(float* to, Vec x) { std::memcpy(to, &x, sizeof x); }

// The first `count` elements; the others are `rest`.
inline Vec load_some(const float* from, int64_t count, float rest = 0) {
    Vec x = splat(rest);
    std::memcpy(&x, from, size_t(count) * sizeof(float));
    return x;
}

inline void store_some(float* to, Vec x, int64_t count) {
    std::memcpy(to, &x, size_t(count) * sizeof(float));
}

// Elements 0, 2, 4, ... of two vectors in a row.
inline Vec every_second(Vec x, Vec y) {
#if defined(__AVX512F__)
    return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif defined(__AVX__)
    return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return __builtin_shufflevector(x, y, 0, 2, 4, 6);
#endif
}

inline Vec select(Ints condition, Vec yes, Vec no) { return condition ? yes : no; }

// NaN if either is, as in NumPy and PyTorch.
inline Vec maximum(Vec x, Vec y) { return select((x > y) | (x != x), x, y); }
inline Vec minimum(Vec x, Vec y) { return select((x < y) | (x != x), x, y); }

inline Vec absolute(Vec x) { return (Vec)((Ints)x & 0x7fffffff); }

inline float sum(Vec x) {
    float total = 0;
    for (int i = 0; i < WIDTH; ++i) total += x[i];
    return total;
}

inline float largest(Vec x) {
    float top = x[0];
    for (int i = 1; i < WIDTH; ++i) top = (x[i] > top || x[i] != x[i]) ? x[i] : top;
    return top;
}

// body(i, count) over 0 .. n - 1: whole vectors with count = WIDTH, then what remains.
template <class Whole, class Rest>
inline void each(int64_t n, const Whole& whole, const Rest& rest) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) whole(i);
    if (i < n) rest(i, n - i);
}

}  // namespace tallow::ISA
