// The vocabulary of all kernels: a vector of floats as wide as the instruction set this file is
// compiled for, in GCC's and Clang's vector extensions. ISA, the namespace, is set by CMake: one
// copy of every kernel for each set.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

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

// Stores past the caches, at a multiple of a vector's bytes. `settle` comes before other threads
// read it.
inline void stream(float* to, Vec x) {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, (__m512)x);
#elif defined(__AVX__)
    _mm256_stream_ps(to, (__m256)x);
#elif defined(__SSE2__)
    _mm_stream_ps(to, (__m128)x);
#else
    store(to, x);
#endif
}

// Into the second cache, for what comes next. (As a call without effects GCC would leave it out.)
__attribute__((always_inline)) inline void prefetch(const float* from) {
    __builtin_prefetch(from, 0, 2);
}

inline void settle() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

// The first `count` elements; the others are `rest`.
inline Vec load_some(const float* from, int64_t count, float rest = 0) {
#if defined(__AVX512F__)
    return (Vec)_mm512_mask_loadu_ps((__m512)splat(rest), __mmask16((1u << count) - 1), from);
#else
    Vec x = splat(rest);
    std::memcpy(&x, from, size_t(count) * sizeof(float));
    return x;
#endif
}

inline void store_some(float* to, Vec x, int64_t count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, __mmask16((1u << count) - 1), (__m512)x);
#else
    std::memcpy(to, &x, size_t(count) * sizeof(float));
#endif
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

// The same where neither is; else y.
inline Vec larger(Vec x, Vec y) {
#if defined(__AVX512F__)
    return (Vec)_mm512_max_ps((__m512)x, (__m512)y);
#elif defined(__AVX__)
    return (Vec)_mm256_max_ps((__m256)x, (__m256)y);
#elif defined(__SSE2__)
    return (Vec)_mm_max_ps((__m128)x, (__m128)y);
#else
    return select(x > y, x, y);
#endif
}
inline Vec smaller(Vec x, Vec y) {
#if defined(__AVX512F__)
    return (Vec)_mm512_min_ps((__m512)x, (__m512)y);
#elif defined(__AVX__)
    return (Vec)_mm256_min_ps((__m256)x, (__m256)y);
#elif defined(__SSE2__)
    return (Vec)_mm_min_ps((__m128)x, (__m128)y);
#else
    return select(x < y, x, y);
#endif
}

// The larger of x and a number, and the smaller; NaN if x is.
inline Vec at_least(Vec x, float low) { return larger(splat(low), x); }
inline Vec at_most(Vec x, float high) { return smaller(splat(high), x); }

inline Vec absolute(Vec x) { return (Vec)((Ints)x & 0x7fffffff); }

// Element i is that of x at i ^ K.
template <int K>
inline Vec crossed(Vec x) {
#if defined(__AVX512F__)
    return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K, 4 ^ K, 5 ^ K, 6 ^ K, 7 ^ K,
                                   8 ^ K, 9 ^ K, 10 ^ K, 11 ^ K, 12 ^ K, 13 ^ K, 14 ^ K, 15 ^ K);
#elif defined(__AVX__)
    return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K, 4 ^ K, 5 ^ K, 6 ^ K, 7 ^ K);
#else
    return __builtin_shufflevector(x, x, 0 ^ K, 1 ^ K, 2 ^ K, 3 ^ K);
#endif
}

// All elements of a vector as one: by halves, quarters, ...
template <class F>
inline float folded(Vec x, const F& join) {
    if constexpr (WIDTH > 8) x = join(x, crossed<(WIDTH > 8 ? 8 : 0)>(x));
    if constexpr (WIDTH > 4) x = join(x, crossed<(WIDTH > 4 ? 4 : 0)>(x));
    x = join(x, crossed<2>(x));
    return join(x, crossed<1>(x))[0];
}

inline float sum(Vec x) {
    return folded(x, [](Vec a, Vec b) { return a + b; });
}

inline float largest(Vec x) {
    return folded(x, [](Vec a, Vec b) { return maximum(a, b); });
}

// body(i, count) over 0 .. n - 1: whole vectors with count = WIDTH, then what remains.
template <class Whole, class Rest>
inline void each(int64_t n, const Whole& whole, const Rest& rest) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) whole(i);
    if (i < n) rest(i, n - i);
}

}  // namespace tallow::ISA
