// Elements from anywhere, and rounding to whole places.
#pragma once

#include "lanes.hpp"

namespace tallow::ISA {

inline Ints load_ints(const int32_t* from) {
    Ints x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

// One element after another: the instructions for it are slower on many processors.
inline Vec gather(const float* from, Ints index) {
    alignas(64) int32_t at[WIDTH];
    std::memcpy(at, &index, sizeof at);
    return [&]<size_t... I>(std::index_sequence<I...>) {
        return Vec{from[at[I]]...};
    }(std::make_index_sequence<WIDTH>{});
}

// Down, or to the nearest whole number, the even one of two that are as near.
inline Vec floor(Vec x) {
#if defined(__AVX512F__)
    return (Vec)_mm512_roundscale_ps((__m512)x, 1);
#elif defined(__AVX__)
    return (Vec)_mm256_floor_ps((__m256)x);
#elif defined(__SSE4_1__)
    return (Vec)_mm_floor_ps((__m128)x);
#else
    for (int i = 0; i < WIDTH; ++i) x[i] = __builtin_floorf(x[i]);
    return x;
#endif
}

inline Vec round(Vec x) {
#if defined(__AVX512F__)
    return (Vec)_mm512_roundscale_ps((__m512)x, 0);
#elif defined(__AVX__)
    return (Vec)_mm256_round_ps((__m256)x, 0);
#elif defined(__SSE4_1__)
    return (Vec)_mm_round_ps((__m128)x, 0);
#else
    for (int i = 0; i < WIDTH; ++i) x[i] = __builtin_rintf(x[i]);
    return x;
#endif
}

}  // namespace tallow::ISA
