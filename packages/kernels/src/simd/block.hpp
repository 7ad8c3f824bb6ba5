// A piece of a matrix product whose A stays where it is: what Winograd's transforms leave needs no
// packing. See gemm.hpp for products of any matrices.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "gemm.hpp"

namespace tallow::ISA {

// Where what a block multiplies lies: at depth k, from[k], of A and of B. Evenly spaced, or listed.
struct Even {
    int64_t a_step, b_step;
    int64_t a(int64_t k) const { return k * a_step; }
    int64_t b(int64_t k) const { return k * b_step; }
};
struct Listed {
    const int32_t *a_at, *b_at;
    int64_t a(int64_t k) const { return a_at[k]; }
    int64_t b(int64_t k) const { return b_at[k]; }
};

// A's rows, so far apart; B's vectors of columns, side by side; C, rows and vectors so far apart.
struct Operands {
    const float* a;
    int64_t a_row;
    const float* b;
    float* c;
    int64_t c_row, c_vector;
    bool add;  // to C
};

// R rows of C, V vectors of each.
template <class Depth, int V, int R>
void multiply_block(int64_t depth, const Depth& at, const Operands& p) {
    constexpr int BASES = (R + 2) / 3;  // three rows from each: base, base + row, base + 2 row
    Vec total[R][V] = {};
    const float* bases[BASES];
    for (int i = 0; i < BASES; ++i) bases[i] = p.a + 3 * i * p.a_row;
    for (int64_t k = 0; k < depth; ++k) {
        const float* b = p.b + at.b(k);
        const int64_t a = at.a(k);
        Vec right[V];
#pragma GCC unroll 2
        for (int j = 0; j < V; ++j) right[j] = load(b + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < R; ++i) {
            const Vec left = splat((bases[i / 3] + a)[i % 3 * p.a_row]);
#pragma GCC unroll 2
            for (int j = 0; j < V; ++j) total[i][j] += left * right[j];
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < V; ++j) {
            float* to = p.c + i * p.c_row + j * p.c_vector;
            store(to, p.add ? load(to) + total[i][j] : total[i][j]);
        }
}

template <class Depth>
using MultiplyBlock = void (*)(int64_t, const Depth&, const Operands&);

template <class Depth, int V, size_t... R>
constexpr std::array<MultiplyBlock<Depth>, ROWS> blocks_of(std::index_sequence<R...>) {
    return {multiply_block<Depth, V, R + 1>...};
}

// m rows of C, in pieces of nearly the same height; one vector of each, or VECTORS.
template <class Depth>
void multiply_rows(int64_t m, int64_t vectors, int64_t depth, const Depth& at, const Operands& p) {
    constexpr auto heights = std::make_index_sequence<ROWS>{};
    static constexpr auto one = blocks_of<Depth, 1>(heights),
                          all = blocks_of<Depth, VECTORS>(heights);
    const auto& kinds = vectors == 1 ? one : all;
    const int64_t pieces = (m + ROWS - 1) / ROWS;
    for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t i = piece * m / pieces, rows = (piece + 1) * m / pieces - i;
        Operands some = p;
        some.a += i * p.a_row, some.c += i * p.c_row;
        kinds[rows - 1](depth, at, some);
    }
}

}  // namespace tallow::ISA
