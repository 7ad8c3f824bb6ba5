// 32 x 32 pieces of products of bfloat16, summed in float32, from the tiles of words.hpp: by AMX,
// by AVX512-BF16, or by the plain vectors of any instruction set.
#pragma once

#include "../tiles.hpp"
#include "words.hpp"

namespace tallow::ISA {

constexpr int SIDE = 2 * TILE;  // of a piece

// Where the operands of a piece lie: at step k two tiles of A, one above the other, at a + k *
// a_step with lines a_row apart; and two of B side by side, `b_beside` words apart and with rows
// b_row apart, at b + (b_at ? b_at[k] : k * b_step). A's is counted in bytes, which need not be
// aligned.
struct TileOperands {
    const void* a;
    int64_t a_step, a_row;
    const uint32_t* b;
    int64_t b_step, b_row, b_beside;
    const int32_t* b_at = nullptr;

    const char* left(int64_t k, int64_t line) const {
        return static_cast<const char*>(a) + k * a_step + line * a_row;
    }
    const uint32_t* right(int64_t k) const { return b + (b_at ? b_at[k] : k * b_step); }
};

// Word w of a line of A.
inline uint32_t word_at(const char* line, int64_t w) {
    uint32_t word;
    std::memcpy(&word, line + w * int64_t(sizeof word), sizeof word);
    return word;
}

constexpr int64_t TILE_ROW = TILE * sizeof(uint32_t);  // bytes

// Of packed panels, side by side.
inline TileOperands packed_tiles(const uint32_t* a, const uint32_t* b) {
    return {a, SIDE * TILE_ROW, TILE_ROW, b, 2 * TILE_WORDS, TILE, TILE_WORDS};
}

// R rows of piece[SIDE][SIDE] from `row` on: what is there at first, with `add`, and the products
// of `count` steps.
template <int R>
inline void multiply_words(int64_t count, const TileOperands& p, float* piece, bool add, int row) {
    constexpr int V = WIDTH == TILE ? 2 : 1;  // vectors at a time
    for (int column = 0; column < SIDE; column += V * WIDTH) {
        Vec total[R][V] = {};
        for (int64_t k = 0; k < count; ++k)
            for (int w = 0; w < TILE; ++w) {
                Vec low[V], high[V];
                for (int j = 0; j < V; ++j) {
                    const int at = column + j * WIDTH;
                    Bits words;
                    std::memcpy(&words,
                                p.right(k) + at / TILE * p.b_beside + w * p.b_row + at % TILE,
                                sizeof words);
                    low[j] = (Vec)(words << 16), high[j] = (Vec)(words & 0xffff0000);
                }
#pragma GCC unroll 8
                for (int i = 0; i < R; ++i) {
                    const uint32_t word = word_at(p.left(k, row + i), w);
                    const Vec first = (Vec)(Bits{} + (word << 16)),
                              second = (Vec)(Bits{} + (word & 0xffff0000));
                    for (int j = 0; j < V; ++j)
                        total[i][j] += first * low[j], total[i][j] += second * high[j];
                }
            }
        for (int i = 0; i < R; ++i)
            for (int j = 0; j < V; ++j) {
                float* to = piece + (row + i) * SIDE + column + j * WIDTH;
                store(to, add ? load(to) + total[i][j] : total[i][j]);
            }
    }
}

inline void multiply_plainly(int64_t count, const TileOperands& p, float* piece, bool add) {
    constexpr int R = WIDTH == TILE ? 8 : 4;
    for (int row = 0; row < SIDE; row += R) multiply_words<R>(count, p, piece, add, row);
}

#if defined(__AVX512F__)

__attribute__((target("avx512bf16"))) inline void multiply_pairs(int64_t count,
                                                                 const TileOperands& p,
                                                                 float* piece, bool add) {
    constexpr int R = 8;
    for (int row = 0; row < SIDE; row += R) {
        __m512 total[R][2] = {};
        for (int64_t k = 0; k < count; ++k) {
            const char* left = p.left(k, row);
            const uint32_t* right = p.right(k);
            for (int w = 0; w < TILE; ++w, right += p.b_row) {
                const __m512bh first = (__m512bh)_mm512_loadu_si512(right),
                               second = (__m512bh)_mm512_loadu_si512(right + p.b_beside);
#pragma GCC unroll 8
                for (int i = 0; i < R; ++i) {
                    const __m512bh word =
                        (__m512bh)_mm512_set1_epi32(int(word_at(left + i * p.a_row, w)));
                    total[i][0] = _mm512_dpbf16_ps(total[i][0], word, first);
                    total[i][1] = _mm512_dpbf16_ps(total[i][1], word, second);
                }
            }
        }
        for (int i = 0; i < R; ++i)
            for (int j = 0; j < 2; ++j) {
                float* to = piece + (row + i) * SIDE + j * TILE;
                const __m512 before = add ? _mm512_loadu_ps(to) : _mm512_setzero_ps();
                _mm512_storeu_ps(to, _mm512_add_ps(before, total[i][j]));
            }
    }
}

// The assembler knows these where the compiler is not told to use them.
inline void multiply_amx(int64_t count, const TileOperands& p, float* piece, bool add) {
    const int64_t row = SIDE * sizeof(float), b_line = p.b_row * int64_t(sizeof(uint32_t));
    float *right = piece + TILE, *below = piece + TILE * SIDE, *last = below + TILE;
    if (add)
        asm volatile(
            "tileloadd (%0,%4), %%tmm0\n\ttileloadd (%1,%4), %%tmm1\n\t"
            "tileloadd (%2,%4), %%tmm2\n\ttileloadd (%3,%4), %%tmm3" ::"r"(piece),
            "r"(right), "r"(below), "r"(last), "r"(row)
            : "memory");
    else
        asm volatile("tilezero %tmm0\n\ttilezero %tmm1\n\ttilezero %tmm2\n\ttilezero %tmm3");
    for (int64_t k = 0; k < count; ++k) {
        const char *a = p.left(k, 0), *below_a = p.left(k, TILE);
        const uint32_t* b = p.right(k);
        asm volatile(
            "tileloadd (%0,%4), %%tmm4\n\ttileloadd (%2,%5), %%tmm6\n\t"
            "tileloadd (%3,%5), %%tmm7\n\ttdpbf16ps %%tmm6, %%tmm4, %%tmm0\n\t"
            "tileloadd (%1,%4), %%tmm5\n\ttdpbf16ps %%tmm7, %%tmm4, %%tmm1\n\t"
            "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n\ttdpbf16ps %%tmm7, %%tmm5, %%tmm3" ::"r"(a),
            "r"(below_a), "r"(b), "r"(b + p.b_beside), "r"(p.a_row), "r"(b_line)
            : "memory");
    }
    asm volatile(
        "tilestored %%tmm0, (%0,%4)\n\ttilestored %%tmm1, (%1,%4)\n\t"
        "tilestored %%tmm2, (%2,%4)\n\ttilestored %%tmm3, (%3,%4)" ::"r"(piece),
        "r"(right), "r"(below), "r"(last), "r"(row)
        : "memory");
}

inline void configure_tiles() {
    struct alignas(64) Configuration {
        uint8_t palette = 1, start_row = 0, reserved[14] = {};
        uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
        uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static const Configuration all;
    asm volatile("ldtilecfg %0" ::"m"(all));
}
inline void release_tiles() { asm volatile("tilerelease"); }

#endif

// What this thread multiplies tiles with, while this lives: tiles are set up, then let go, since a
// switch to another thread saves what they hold.
class Tiles {
  public:
    Tiles() : unit_(tile_unit()) {
#if defined(__AVX512F__)
        if (unit_ == TileUnit::amx) configure_tiles();
#endif
    }
    ~Tiles() {
#if defined(__AVX512F__)
        if (unit_ == TileUnit::amx) release_tiles();
#endif
    }
    Tiles(const Tiles&) = delete;

    // piece[SIDE][SIDE] = (or += with `add`) the sum of `count` steps' products.
    void multiply(int64_t count, const TileOperands& p, float* piece, bool add) const {
#if defined(__AVX512F__)
        if (unit_ == TileUnit::amx) return multiply_amx(count, p, piece, add);
        if (unit_ == TileUnit::pairs) return multiply_pairs(count, p, piece, add);
#endif
        multiply_plainly(count, p, piece, add);
    }

  private:
    TileUnit unit_;
};

}  // namespace tallow::ISA
