// Products of bfloat16 by tiles, and floats of 16 bits to and from float32.
#include "../short_kernels.hpp"
#include "rows.hpp"
#include "table.hpp"
#include "tiles.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t PIECES = 8;  // a side of what one thread computes at a time, at most
constexpr int64_t STEPS = 8;   // tiles of the depth at a time: a panel of B stays in the L1 cache
constexpr int64_t FEW = 1 << 16;  // multiplications below which another thread costs more than it
                                  // gives

int64_t over(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

// Tiles of the depth that stand for one of float32 in parts: high low high of A meet low high high
// of B, the small products first.
constexpr bool LOW_OF_A[] = {false, true, false}, LOW_OF_B[] = {true, false, false};

// Panels of SIDE lines: [panel][tile of the depth][half of the lines][TILE_WORDS].
template <bool BY_LINES, class Source>
void pack_panel(const Lines<Source>& x, int64_t lines, int64_t depth, int64_t panel, int parts,
                uint32_t* to) {
    const bool* low = BY_LINES ? LOW_OF_A : LOW_OF_B;
    for (int64_t k = 0; k < depth; k += TILE_DEPTH)
        for (int part = 0; part < parts; ++part)
            for (int half = 0; half < 2; ++half, to += TILE_WORDS)
                x.template tile<BY_LINES>(panel * SIDE + half * TILE, lines, k, depth,
                                          parts > 1 && low[part], to);
}

template <bool BY_LINES>
void pack_panel(const ShortOperand& x, int64_t image, int64_t lines, int64_t depth, int64_t panel,
                int parts, uint32_t* to) {
    const int64_t line = BY_LINES ? x.row : x.column, step = BY_LINES ? x.column : x.row;
    auto pack = [&](auto* data) {
        pack_panel<BY_LINES>(
            Lines<std::remove_const_t<std::remove_pointer_t<decltype(data)>>>{
                data + image * x.batch, line, step},
            lines, depth, panel, parts, to);
    };
    if (x.is_float)
        pack(static_cast<const float*>(x.data));
    else
        pack(static_cast<const uint16_t*>(x.data));
}

// Rows and columns of C, of one image, from a piece.
void put(const ShortProduct& p, int64_t image, int64_t i, int64_t j, const float* piece) {
    const int64_t rows = std::min<int64_t>(SIDE, p.m - i),
                  columns = std::min<int64_t>(SIDE, p.n - j);
    const int64_t first = (image * p.m + i) * p.n + j;
    for (int64_t r = 0; r < rows; ++r, piece += SIDE)
        along(columns, [&](int64_t c, int64_t count) {
            Vec x = load(piece + c);
            if (p.bias) x += load_up_to(p.bias + j + c, count);
            const int64_t at = first + r * p.n + c;
            if (p.short_result)
                store_halves(static_cast<uint16_t*>(p.c) + at, narrowed(Short::bfloat16, x), count);
            else
                store_up_to(static_cast<float*>(p.c) + at, x, count);
        });
}

void multiply_image(const ShortProduct& p, int64_t image) {
    const int64_t tall = over(p.m, SIDE), wide = over(p.n, SIDE);
    const int64_t deep = over(p.k, TILE_DEPTH) * p.parts, pair = 2 * TILE_WORDS;
    auto* a = reinterpret_cast<uint32_t*>(scratch(0, tall * deep * pair));
    auto* b = reinterpret_cast<uint32_t*>(scratch(1, wide * deep * pair));
    const bool small = p.m * p.n * p.k < FEW;
    auto spread = [&](int64_t blocks, const auto& body) {
        if (!small) return parallel(blocks, body);
        for (int64_t block = 0; block < blocks; ++block) body(block);
    };
    spread(tall + wide, [&](int64_t panel) {
        if (panel < tall)
            pack_panel<true>(p.a, image, p.m, p.k, panel, p.parts, a + panel * deep * pair);
        else
            pack_panel<false>(p.b, image, p.n, p.k, panel - tall, p.parts,
                              b + (panel - tall) * deep * pair);
    });
    int64_t high = std::min(PIECES, tall), broad = std::min(PIECES, wide);
    while (over(tall, high) * over(wide, broad) < 3 * get_threads() && high * broad > 2)
        (high > broad ? high : broad) = over(high > broad ? high : broad, 2);
    const int64_t bands = over(wide, broad);
    spread(over(tall, high) * bands, [&](int64_t block) {
        const Tiles tiles;
        const int64_t i0 = block / bands * high, j0 = block % bands * broad;
        const int64_t i1 = std::min(i0 + high, tall), j1 = std::min(j0 + broad, wide);
        float* sums = scratch(2, high * broad * SIDE * SIDE);
        for (int64_t k = 0; k < deep || k == 0; k += STEPS)
            for (int64_t j = j0; j < j1; ++j)
                for (int64_t i = i0; i < i1; ++i) {
                    float* piece =
                        deep > STEPS ? sums + ((i - i0) * broad + j - j0) * SIDE * SIDE : sums;
                    tiles.multiply(
                        std::min(STEPS, deep - k),
                        packed_tiles(a + (i * deep + k) * pair, b + (j * deep + k) * pair), piece,
                        k > 0);
                    if (k + STEPS >= deep) put(p, image, i * SIDE, j * SIDE, piece);
                }
    });
}

void widen(Short kind, const uint16_t* x, float* y, int64_t n) {
    parallel_ranges(n, 1 << 14, [&](int64_t begin, int64_t end) {
        along(end - begin, [&](int64_t i, int64_t count) {
            store_up_to(y + begin + i, widened(kind, load_halves(x + begin + i, count)), count);
        });
    });
}

void narrow(Short kind, const float* x, uint16_t* y, int64_t n) {
    parallel_ranges(n, 1 << 14, [&](int64_t begin, int64_t end) {
        along(end - begin, [&](int64_t i, int64_t count) {
            store_halves(y + begin + i, narrowed(kind, load_up_to(x + begin + i, count)), count);
        });
    });
}

// M rows of bfloat16 times columns that are contiguous: what takes time is to read those once, so
// they are not packed.
template <int M>
void multiply_few(const ShortProduct& p) {
    constexpr int COUNT = M < 3 ? 4 : 2;  // columns at a time
    float* a = scratch(0, M * p.k);
    for (int row = 0; row < M; ++row)
        widen(Short::bfloat16, static_cast<const uint16_t*>(p.a.data) + row * p.a.row,
              a + row * p.k, p.k);
    auto columns = [&](auto count, int64_t j) {
        const auto* b = static_cast<const uint16_t*>(p.b.data) + j * p.b.column;
        Vec sums[M][decltype(count)::value] = {};
        along(p.k, [&](int64_t k, int64_t some) {
            for (int c = 0; c < count; ++c) {
                const Bits halves = load_halves(b + c * p.b.column + k, some);
                for (int row = 0; row < M; ++row)
                    sums[row][c] += load_up_to(a + row * p.k + k, some) * (Vec)(halves << 16);
            }
        });
        for (int row = 0; row < M; ++row)
            for (int c = 0; c < count; ++c) {
                const float x = sum(sums[row][c]) + (p.bias ? p.bias[j + c] : 0);
                static_cast<uint16_t*>(p.c)[row * p.n + j + c] =
                    uint16_t(narrowed(Short::bfloat16, splat(x))[0]);
            }
    };
    const int64_t blocks = M * p.n * p.k < FEW ? 1 : 4 * get_threads();
    parallel(blocks, [&](int64_t block) {
        int64_t j = block * p.n / blocks;
        const int64_t end = (block + 1) * p.n / blocks;
        for (; j + COUNT <= end; j += COUNT) columns(std::integral_constant<int, COUNT>{}, j);
        for (; j < end; ++j) columns(std::integral_constant<int, 1>{}, j);
    });
}

void multiply(const ShortProduct& p) {
    if (p.batch == 1 && p.m <= 4 && p.a.column == 1 && p.b.row == 1 && p.short_result &&
        !p.a.is_float) {
        constexpr void (*few[])(const ShortProduct&) = {multiply_few<1>, multiply_few<2>,
                                                        multiply_few<3>, multiply_few<4>};
        return few[p.m - 1](p);
    }
    if (p.batch < get_threads()) {
        for (int64_t image = 0; image < p.batch; ++image) multiply_image(p, image);
        return;
    }
    parallel(p.batch, [&](int64_t image) { multiply_image(p, image); });
}

}  // namespace

const ShortKernels shorts{
    multiply, widen, narrow, short_conv, short_conv_by_input, short_conv_by_weight};

}  // namespace tallow::ISA
