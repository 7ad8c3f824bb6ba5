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
inline Vec gather(const float* from, const int32_t* index) {
    return [&]<size_t... I>(std::index_sequence<I...>) {
        return Vec{from[index[I]]...};
    }(std::make_index_sequence<WIDTH>{});
}
inline Vec gather(const float* from, Ints index) {
    alignas(64) int32_t at[WIDTH];
    std::memcpy(at, &index, sizeof at);
    return gather(from, at);
}

// Left and right neighbours, of each place a lane, side by side: both of the first of four places,
// then of the second; and in the other vector those of the third and the fourth. And back.
struct Lefts {
    constexpr int operator()(int i) const { return i / 4 * 4 + i % 2 * 2 + i % 4 / 2 * WIDTH; }
};
struct Rights {
    constexpr int operator()(int i) const { return Lefts{}(i) + 1; }
};
inline void spread(Vec& left, Vec& right) {
    const Vec low = shuffled<SinglesLow>(left, right);
    right = shuffled<SinglesHigh>(left, right);
    left = low;
}
inline void gather_up(Vec& low, Vec& high) {
    const Vec left = shuffled<Lefts>(low, high);
    high = shuffled<Rights>(low, high);
    low = left;
}

// Elements and the ones after them, as `spread` has them.
struct Pairs {
    Vec low, high;
};
inline Pairs gather_pairs(const float* from, const int32_t* index) {
    typedef double Doubles __attribute__((vector_size(WIDTH * 4)));
    auto read = [&](size_t i) {
        double pair;
        std::memcpy(&pair, from + index[i], sizeof pair);
        return pair;
    };
    return [&]<size_t... I>(std::index_sequence<I...>) {
        return Pairs{(Vec)Doubles{read(I / 2 * 4 + I % 2)...},
                     (Vec)Doubles{read(I / 2 * 4 + I % 2 + 2)...}};
    }(std::make_index_sequence<WIDTH / 2>{});
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
