// A piece of a matrix product whose A stays where it is: what Winograd's transforms leave needs no
// packing. See gemm.hpp for products of any matrices.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "gemm.hpp"

namespace tallow::ISA {

// A (rows, depth): element (i, k) is data[i * row + k * step].
struct Broadcast {
    const float* data;
    int64_t row, step;
};

// R x (V vectors) of C = A B, or += with `add`; B has vectors of columns, C rows, so far apart.
template <int V, int R>
void multiply_block(int64_t depth, const Broadcast& a, const float* b, int64_t b_step, float* c,
                    int64_t c_row, bool add) {
    constexpr int BASES = (R + 2) / 3;  // three rows from each: base, base + row, base + 2 row
    Vec total[R][V] = {};
    const float* bases[BASES];
    for (int i = 0; i < BASES; ++i) bases[i] = a.data + 3 * i * a.row;
    for (int64_t k = 0; k < depth; ++k, b += b_step) {
        Vec right[V];
#pragma GCC unroll 2
        for (int j = 0; j < V; ++j) right[j] = load(b + j * WIDTH);
#pragma GCC unroll 12
        for (int i = 0; i < R; ++i) {
            const Vec left = splat(bases[i / 3][i % 3 * a.row]);
#pragma GCC unroll 2
            for (int j = 0; j < V; ++j) total[i][j] += left * right[j];
        }
#pragma GCC unroll 4
        for (int i = 0; i < BASES; ++i) bases[i] += a.step;
    }
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
        for (int j = 0; j < V; ++j) {
            float* to = c + i * c_row + j * WIDTH;
            store(to, add ? load(to) + total[i][j] : total[i][j]);
        }
}

using MultiplyBlock = void (*)(int64_t, const Broadcast&, const float*, int64_t, float*, int64_t,
                               bool);

template <int V, size_t... R>
constexpr std::array<MultiplyBlock, ROWS> blocks_of(std::index_sequence<R...>) {
    return {multiply_block<V, R + 1>...};
}

// C (m, V vectors) = A B or +=, its rows in pieces of nearly the same height.
template <int V>
void multiply_column(int64_t m, int64_t depth, const Broadcast& a, const float* b, int64_t b_step,
                     float* c, int64_t c_row, bool add) {
    static constexpr auto kinds = blocks_of<V>(std::make_index_sequence<ROWS>{});
    const int64_t pieces = (m + ROWS - 1) / ROWS;
    for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t i = piece * m / pieces, rows = (piece + 1) * m / pieces - i;
        kinds[rows - 1](depth, {a.data + i * a.row, a.row, a.step}, b, b_step, c + i * c_row, c_row,
                        add);
    }
}

}  // namespace tallow::ISA
