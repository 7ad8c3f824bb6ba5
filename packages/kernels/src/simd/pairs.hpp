// Products of float32 rounded to bfloat16, summed in float32: AVX512-BF16 does two in one.
//
// Panels are those of gemm.hpp, of pairs in place of floats: elements 2 k and 2 k + 1 along the
// depth in the low and the high half.
#pragma once

#include "gemm.hpp"

namespace tallow::ISA {

#if defined(__AVX512F__)

inline bool has_pairs() {
    static const bool has = __builtin_cpu_supports("avx512bf16");
    return has;
}

__attribute__((target("avx512bf16"))) inline void multiply_pairs(int64_t, int64_t depth,
                                                                 const float* a, const float* b,
                                                                 Vec (&piece)[ROWS][VECTORS]) {
    __m512 total[ROWS][VECTORS] = {};
    for (int64_t k = 0; k < depth; ++k, a += ROWS, b += COLUMNS) {
        __m512bh right[VECTORS];
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; ++j) right[j] = (__m512bh)_mm512_loadu_si512(b + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < ROWS; ++i) {
            int pair;
            std::memcpy(&pair, a + i, sizeof pair);
            const __m512bh left = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 2
            for (int j = 0; j < VECTORS; ++j)
                total[i][j] = _mm512_dpbf16_ps(total[i][j], left, right[j]);
        }
    }
    std::memcpy(&piece, &total, sizeof total);
}

#else

inline bool has_pairs() { return false; }
inline void multiply_pairs(int64_t, int64_t, const float*, const float*, Vec (&)[ROWS][VECTORS]) {}

#endif

typedef uint32_t Bits __attribute__((vector_size(WIDTH * 4)));

// x rounded to bfloat16, to the nearest, ties to even, in the upper halves of what is returned.
inline Bits rounded(Vec x) {
    const Bits bits = (Bits)x, even = bits + 0x7fff + ((bits >> 16) & 1);
    return (x != x ? bits | 0x400000 : even) & 0xffff0000;
}

// from[depth][wide] to pairs[(depth + 1) / 2][wide], the last with 0 where depth is odd.
inline void join_pairs(const float* from, int64_t depth, int64_t wide, float* to) {
    for (int64_t k = 0; k < depth; k += 2, from += 2 * wide, to += wide)
        for (int64_t i = 0; i < wide; i += WIDTH) {
            const int64_t some = std::min<int64_t>(WIDTH, wide - i);
            const auto at = [&](const float* row) {
                return rounded(some == WIDTH ? load(row + i) : load_some(row + i, some));
            };
            const Bits high = k + 1 < depth ? at(from + wide) : Bits{};
            const Vec pair = (Vec)(at(from) >> 16 | high);
            if (some == WIDTH)
                store(to + i, pair);
            else
                store_some(to + i, pair, some);
        }
}

// What PackRows and PackColumns do, of pairs; `depth` counts floats, what is asked for are pairs.
struct PackRowPairs {
    Matrix a;
    int64_t depth;
    const float* operator()(int64_t i0, int64_t tall, int64_t k0, int64_t deep) const {
        float *to = scratch(0, TALL * DEPTH), *strip = scratch(2, 2 * DEPTH * COLUMNS);
        const int64_t some = std::min(2 * deep, depth - 2 * k0);
        for (int64_t i = 0; i < tall; i += ROWS) {
            pack_rows(a, i0 + i, std::min<int64_t>(ROWS, tall - i), 2 * k0, some, strip);
            join_pairs(strip, some, ROWS, to + i * deep);
        }
        return to;
    }
};

struct PackColumnPairs {
    Matrix b;
    int64_t depth;
    void operator()(int64_t begin, int64_t columns, int64_t from, int64_t deep, float* to) const {
        float* strip = scratch(2, 2 * DEPTH * COLUMNS);
        const int64_t some = std::min(2 * deep, depth - 2 * from);
        PackColumns{b}(begin, columns, 2 * from, some, strip);
        join_pairs(strip, some, COLUMNS, to);
    }
};

}  // namespace tallow::ISA
