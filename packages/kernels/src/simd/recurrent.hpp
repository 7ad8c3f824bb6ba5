// What recurrent layers share: packed weights and states, and the blocks of hidden units that are
// worked on at the same time.
#pragma once

#include "gemm.hpp"
#include "math.hpp"
#include "rows.hpp"

namespace tallow::ISA {

constexpr int64_t ENOUGH = 1 << 16;  // multiplications of a step that are worth a second thread

// body(block) for all blocks of a step.
template <class Body>
inline void step_blocks(int64_t blocks, int64_t work, const Body& body) {
    if (work >= ENOUGH) return parallel(blocks, body);
    for (int64_t block = 0; block < blocks; ++block) body(block);
}

// For each block of WIDTH hidden units the columns of its gates as B strips [n][COLUMNS], two gates
// in a strip: w (gates * n, n).
struct GateWeights {
    int64_t n, blocks, strips;  // strips of a block

    GateWeights(int64_t hidden, int gates)
        : n(hidden), blocks((hidden + WIDTH - 1) / WIDTH), strips((gates + 1) / 2) {}
    int64_t size() const { return blocks * strips * n * COLUMNS; }
    int64_t place(int64_t block, int64_t strip) const {
        return (block * strips + strip) * n * COLUMNS;
    }

    void pack(const float* w, int gates, float* to) const {
        parallel(blocks, [&](int64_t block) {
            const int64_t first = block * WIDTH, there = std::min<int64_t>(WIDTH, n - first);
            std::fill_n(to + place(block, 0), strips * n * COLUMNS, 0.0f);
            for (int gate = 0; gate < gates; ++gate)
                transpose(w + (gate * n + first) * n, n, there, n,
                          to + place(block, gate / 2) + gate % 2 * WIDTH, COLUMNS);
        });
    }
};

// w (depth, n) as B strips [strip of n][depth][COLUMNS].
inline void pack_columns(const float* w, int64_t depth, int64_t n, float* to) {
    parallel((n + COLUMNS - 1) / COLUMNS, [&](int64_t strip) {
        const int64_t first = strip * COLUMNS;
        PackColumns{{w, n, 1}}(first, std::min<int64_t>(COLUMNS, n - first), 0, depth,
                               to + first * depth);
    });
}

}  // namespace tallow::ISA
