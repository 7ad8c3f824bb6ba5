// Operands of products of bfloat16, packed into tiles: 16 lines (rows of A, or columns of B) by 32
// along the depth, two of which are a word. A's are [line][word], B's [word][line], 1 KiB each.
#pragma once

#include <type_traits>

#include "lanes.hpp"
#include "short.hpp"

namespace tallow::ISA {

constexpr int TILE = 16;                 // lines, and words, of a tile
constexpr int TILE_WORDS = TILE * TILE;  // 1 KiB
constexpr int TILE_DEPTH = 2 * TILE;

// Elements of `Source` as words of bfloat16: what is left of floats that are rounded is their low
// part, which is rounded again.
template <class Source>
struct Reader;

template <>
struct Reader<uint16_t> {
    static Bits pairs(const uint16_t* from, int64_t count, bool) {  // of neighbours
        Bits x{};
        if (count < 2 * WIDTH)
            std::memcpy(&x, from, size_t(count) * sizeof(uint16_t));
        else
            std::memcpy(&x, from, sizeof x);
        return x;
    }
    static Bits lanes(const uint16_t* from, int64_t count, bool) {
        return load_halves(from, count);
    }
};

template <>
struct Reader<float> {
    static Bits part(Vec x, bool low) {
        const Bits high = rounded(x);
        return low ? rounded(x - (Vec)high) >> 16 : high >> 16;
    }
    static Bits pairs(const float* from, int64_t count, bool low) {
        const Vec x = load_up_to(from, std::min<int64_t>(count, WIDTH));
        const Vec y = count > WIDTH
                          ? load_up_to(from + WIDTH, std::min<int64_t>(count - WIDTH, WIDTH))
                          : Vec{};
        return part(every_second(x, y), low) | part(shuffled<Odds>(x, y), low) << 16;
    }
    static Bits lanes(const float* from, int64_t count, bool low) {
        return part(load_up_to(from, count), low);
    }
};

// Lines of an operand: element k of line i is data[i * line + k * depth], and one of both is 1.
template <class Source>
struct Lines {
    const Source* data;
    int64_t line, depth;

    // WIDTH lines from i on, of which `there` exist, by WIDTH words from element k on, of which
    // `deep` exist: to[line][word], or the transpose.
    template <bool BY_LINES>
    void square(int64_t i, int64_t there, int64_t k, int64_t deep, bool low, uint32_t* to) const {
        using Read = Reader<Source>;
        const Source* from = data + i * line + k * depth;
        Vec x[WIDTH];
        if (depth == 1) {
            for (int r = 0; r < WIDTH; ++r)
                x[r] = r < there && deep > 0 ? (Vec)Read::pairs(from + r * line, deep, low) : Vec{};
        } else {
            const int64_t some = std::min<int64_t>(there, WIDTH);
            for (int w = 0; w < WIDTH; ++w, from += 2 * depth) {
                const Bits first = some > 0 && 2 * w < deep ? Read::lanes(from, some, low) : Bits{};
                const Bits second =
                    some > 0 && 2 * w + 1 < deep ? Read::lanes(from + depth, some, low) : Bits{};
                x[w] = (Vec)(first | second << 16);
            }
        }
        if ((depth == 1) != BY_LINES) turn(x);
        for (int r = 0; r < WIDTH; ++r) std::memcpy(to + r * TILE, &x[r], sizeof(Vec));
    }

    template <bool BY_LINES>
    void tile(int64_t i, int64_t lines, int64_t k, int64_t depths, bool low, uint32_t* to) const {
        for (int across = 0; across < TILE; across += WIDTH)
            for (int down = 0; down < TILE; down += WIDTH) {
                const int l = BY_LINES ? down : across, w = BY_LINES ? across : down;
                square<BY_LINES>(i + l, lines - i - l, k + 2 * w, depths - k - 2 * w, low,
                                 to + down * TILE + across);
            }
    }
};

}  // namespace tallow::ISA
