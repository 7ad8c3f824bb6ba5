// Batched matrix products: the result is cut into pieces, one or more for each thread.
#include "../short_kernels.hpp"
#include "gemm.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t SMALL =
    1 << 16;  // multiplications below which waking another thread costs more than it gives

void add_bias(float* c, int64_t row, int64_t rows, int64_t columns, const float* bias) {
    for (int64_t i = 0; i < rows; ++i, c += row)
        each(
            columns, [&](int64_t j) { store(c + j, load(c + j) + load(bias + j)); },
            [&](int64_t j, int64_t count) {
                store_some(c + j, load_some(c + j, count) + load_some(bias + j, count), count);
            });
}

// The columns from j to `end` of the product of M rows with columns that are contiguous: what
// takes time is to read those once, so they are not packed.
template <int M, int COUNT>
void dots(const Product& p, int64_t j, int64_t end) {
    for (; j + COUNT <= end; j += COUNT) {
        Vec sums[M][COUNT] = {};
        auto add = [&](int64_t k, int64_t count) {
            for (int column = 0; column < COUNT; ++column) {
                const Vec b = load_up_to(p.b.data + (j + column) * p.b.column + k, count);
                for (int row = 0; row < M; ++row)
                    sums[row][column] += load_up_to(p.a.data + row * p.a.row + k, count) * b;
            }
        };
        along(p.k, add);
        for (int row = 0; row < M; ++row)
            for (int column = 0; column < COUNT; ++column)
                p.c[row * p.n + j + column] =
                    sum(sums[row][column]) + (p.bias ? p.bias[j + column] : 0);
    }
    if constexpr (COUNT > 1) dots<M, 1>(p, j, end);
}

template <int M>
void multiply_few(const Product& p) {
    const int64_t blocks = p.m * p.n * p.k < SMALL ? 1 : 4 * get_threads();
    parallel(blocks, [&](int64_t block) {
        dots<M, (M < 3 ? 4 : 2)>(p, block * p.n / blocks, (block + 1) * p.n / blocks);
    });
}

bool unit_step(const Strided& x) { return x.row == 1 || x.column == 1; }

// Where rounding the operands costs less than it gives.
bool suits_tiles(const Product& p) {
    return unit_step(p.a) && unit_step(p.b) && std::min({p.m, p.n, p.k}) >= 16;
}

ShortOperand short_operand(const Strided& x) { return {x.data, true, x.row, x.column, x.batch}; }

}  // namespace

void multiply_batch(const Product& p) {
    if (p.m == 0 || p.n == 0 || p.batch == 0) return;
    if (p.batch == 1 && p.m <= 4 && p.a.column == 1 && p.b.row == 1) {
        constexpr void (*few[])(const Product&) = {multiply_few<1>, multiply_few<2>,
                                                   multiply_few<3>, multiply_few<4>};
        return few[p.m - 1](p);
    }
    if (p.parts && suits_tiles(p))
        return shorts.multiply({p.batch, p.m, p.n, p.k, short_operand(p.a), short_operand(p.b), p.c,
                                false, p.bias, p.parts});
    const int64_t threads = p.m * p.n * p.k * p.batch < SMALL ? 1 : get_threads();
    const Grid grid = cut(p.m, p.n, (threads + p.batch - 1) / p.batch);
    const int64_t high = band(p.m, grid.rows, ROWS), wide = band(p.n, grid.columns, COLUMNS);
    const int64_t rows = (p.m + high - 1) / high, columns = (p.n + wide - 1) / wide;
    auto piece = [&](int64_t block) {
        const int64_t image = block / (rows * columns), place = block % (rows * columns);
        const int64_t i = place / columns * high, j = place % columns * wide;
        const int64_t m = std::min(high, p.m - i), n = std::min(wide, p.n - j);
        const Matrix a{p.a.data + image * p.a.batch + i * p.a.row, p.a.row, p.a.column};
        const Matrix b{p.b.data + image * p.b.batch + j * p.b.column, p.b.row, p.b.column};
        float* c = p.c + (image * p.m + i) * p.n + j;
        multiply(m, n, p.k, PackRows{a}, PackColumns{b}, c, p.n, false);
        if (p.bias) add_bias(c, p.n, m, n, p.bias + j);
    };
    const int64_t blocks = p.batch * rows * columns;
    if (threads == 1) {
        for (int64_t block = 0; block < blocks; ++block) piece(block);
    } else {
        parallel(blocks, piece);
    }
}

}  // namespace tallow::ISA
