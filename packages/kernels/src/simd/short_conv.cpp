// Convolutions of bfloat16, as products of tiles (tiles.hpp): weights of 32 outputs by 32 channels,
// and 32 pixels of 16 pairs of channels, which lie in frames so that a tap of the kernel is a
// shift.
#include <algorithm>
#include <vector>

#include "../short_kernels.hpp"
#include "rows.hpp"
#include "table.hpp"
#include "tiles.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t FRAMES = int64_t(1) << 22;  // words of frames at a time

int64_t over(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

// A plane with its padding, cut into the phases of the strides: pixel (y, x) of phase (py, px) is
// (y * stride_y + py, x * stride_x + px) of the padded plane. A row of outputs has as many pixels
// as a row of a phase, of which the last count for nothing; so the outputs of an image are one
// line.
struct Frame {
    struct Phase {
        int64_t y, x;
    };
    struct Tap {
        int64_t phase, shift;
    };
    const Conv& c;
    int64_t high, wide, line;  // of a phase; line: its pixels, and more that may be read
    std::vector<Phase> phases;
    std::vector<Tap> taps;

    explicit Frame(const Conv& conv) : c(conv) {
        high = c.out_height + c.dilation_y * (c.kernel_y - 1) / c.stride_y;
        wide = c.out_width + c.dilation_x * (c.kernel_x - 1) / c.stride_x;
        line = over(high * wide, SIDE) * SIDE + SIDE;
        for (int64_t y = 0; y < c.kernel_y * c.dilation_y; y += c.dilation_y)
            for (int64_t x = 0; x < c.kernel_x * c.dilation_x; x += c.dilation_x) {
                const Phase phase{y % c.stride_y, x % c.stride_x};
                auto is_it = [&](const Phase& p) { return p.y == phase.y && p.x == phase.x; };
                auto found = std::find_if(phases.begin(), phases.end(), is_it);
                if (found == phases.end()) found = phases.insert(found, phase);
                taps.push_back({found - phases.begin(), y / c.stride_y * wide + x / c.stride_x});
            }
    }
    int64_t outputs() const { return (c.out_height - 1) * wide + c.out_width; }
    int64_t words() const { return int64_t(phases.size()) * line; }

    // fill(row of the plane, column, at, count) for the pixels of a phase that are not padding,
    // clear(at, count) for the others.
    template <class Fill, class Clear>
    void for_phase(const Phase& p, const Fill& fill, const Clear& clear) const {
        const int64_t before = c.padding_x - p.x;
        const int64_t left =
            std::clamp<int64_t>(over(std::max<int64_t>(before, 0), c.stride_x), 0, wide);
        const int64_t right = std::clamp<int64_t>(
            over(std::max<int64_t>(c.width + before, 0), c.stride_x), left, wide);
        for (int64_t row = 0; row < high; ++row) {
            const int64_t y = row * c.stride_y + p.y - c.padding_y, at = row * wide;
            if (y < 0 || y >= c.height) {
                clear(at, wide);
                continue;
            }
            clear(at, left);
            if (right > left) fill(y, left * c.stride_x - before, at + left, right - left);
            clear(at + right, wide - right);
        }
        clear(high * wide, line - high * wide);
    }
};

// Pairs of channels as words: `second` may be null, and `first` too.
void fill_pair(const Frame& f, const uint16_t* first, const uint16_t* second, uint32_t* to) {
    if (!first) {
        std::fill_n(to, f.words(), 0u);
        return;
    }
    const int64_t step = f.c.stride_x;
    for (const Frame::Phase& phase : f.phases) {
        auto fill = [&](int64_t y, int64_t x, int64_t at, int64_t count) {
            const int64_t from = y * f.c.width + x;
            if (step == 1)
                along(count, [&](int64_t i, int64_t some) {
                    Bits words = load_halves(first + from + i, some);
                    if (second) words |= load_halves(second + from + i, some) << 16;
                    store_up_to(reinterpret_cast<float*>(to) + at + i, (Vec)words, some);
                });
            else
                for (int64_t i = 0; i < count; ++i)
                    to[at + i] = first[from + i * step] |
                                 (second ? uint32_t(second[from + i * step]) << 16 : 0);
        };
        f.for_phase(phase, fill, [&](int64_t at, int64_t n) { std::fill_n(to + at, n, 0u); });
        to += f.line;
    }
}

// One plane, unpaired; between the lines of its phases are `step` halves.
void fill_plane(const Frame& f, const uint16_t* plane, int64_t step, uint16_t* to) {
    for (const Frame::Phase& phase : f.phases) {
        auto fill = [&](int64_t y, int64_t x, int64_t at, int64_t count) {
            const uint16_t* from = plane + y * f.c.width + x;
            for (int64_t i = 0; i < count; ++i) to[at + i] = from[i * f.c.stride_x];
        };
        f.for_phase(phase, fill,
                    [&](int64_t at, int64_t n) { std::fill_n(to + at, n, uint16_t(0)); });
        to += step;
    }
}

// Element (output, input, tap) of the weights of a group is data[output * out + input * in + tap],
// or with `turned` that tap from the last.
struct Weights {
    const uint16_t* data;
    int64_t out, in, group;
    bool turned;
};

// Panels of 32 outputs: [32 channels][tap][half][line][channel].
void pack_weights(const Conv& c, const Weights& w, const uint16_t* from, int64_t panel,
                  uint32_t* to) {
    const int64_t taps = c.kernel_y * c.kernel_x, blocks = over(c.in, SIDE);
    auto* halves = reinterpret_cast<uint16_t*>(to);
    std::fill_n(to, blocks * taps * 2 * TILE_WORDS, 0u);
    for (int64_t o = 0; o < std::min<int64_t>(SIDE, c.out - panel * SIDE); ++o)
        for (int64_t i = 0; i < c.in; i += SIDE) {
            const uint16_t* source = from + (panel * SIDE + o) * w.out + i * w.in;
            uint16_t* place = halves + (i * taps + o) * TILE_DEPTH;
            const int64_t some = std::min<int64_t>(SIDE, c.in - i);
            for (int64_t t = 0; t < taps; ++t, place += SIDE * TILE_DEPTH) {
                const uint16_t* tap = source + (w.turned ? taps - 1 - t : t);
                for (int64_t k = 0; k < some; ++k) place[k] = tap[k * w.in];
            }
        }
}

// Pixels first .. first + SIDE - 1 of a line, of rows of outputs.
void put(const Frame& f, const float* piece, int64_t first, int64_t rows, const float* bias,
         uint16_t* y) {
    const int64_t map = f.c.out_height * f.c.out_width;
    for (int64_t r = 0; r < rows; ++r, piece += SIDE, y += map) {
        uint16_t line[SIDE];
        for (int i = 0; i < SIDE; i += WIDTH) {
            const Vec x = load(piece + i) + splat(bias ? bias[r] : 0);
            store_halves(line + i, narrowed(Short::bfloat16, x));
        }
        for (int64_t i = 0; i < SIDE;) {
            const int64_t row = (first + i) / f.wide, column = (first + i) % f.wide;
            const int64_t there = std::min(SIDE - i, f.wide - column);
            const int64_t count = std::min(there, f.c.out_width - column);
            if (row >= f.c.out_height) break;
            if (count > 0)
                std::memcpy(y + row * f.c.out_width + column, line + i, size_t(count) * 2);
            i += there;
        }
    }
}

void correlate(const Conv& c, const uint16_t* x, const Weights& w, const float* bias, uint16_t* y) {
    const Frame f(c);
    const int64_t blocks = over(c.in, SIDE), taps = int64_t(f.taps.size()), steps = blocks * taps;
    const int64_t pairs = blocks * TILE, panels = over(c.out, SIDE), image = pairs * f.words();
    const int64_t packed = steps * 2 * TILE_WORDS;
    auto* weights = reinterpret_cast<uint32_t*>(scratch(0, c.groups * panels * packed));
    parallel(c.groups * panels, [&](int64_t i) {
        pack_weights(c, w, w.data + i / panels * w.group, i % panels, weights + i * packed);
    });
    std::vector<int32_t> places;
    for (int64_t block = 0; block < blocks; ++block)
        for (const Frame::Tap& tap : f.taps)
            places.push_back(int32_t(block * TILE * f.words() + tap.phase * f.line + tap.shift));

    const int64_t all = c.images * c.groups, plane = c.height * c.width;
    const int64_t chunk = std::clamp<int64_t>(FRAMES / image, 1, all);
    auto* frames = reinterpret_cast<uint32_t*>(scratch(1, chunk * image));
    const int64_t strips = over(f.outputs(), SIDE);
    for (int64_t begin = 0; begin < all; begin += chunk) {
        const int64_t some = std::min(chunk, all - begin);
        parallel(some * blocks, [&](int64_t i) {
            const uint16_t* from = x + (begin + i / blocks) * c.in * plane;
            for (int64_t q = i % blocks * TILE; q < (i % blocks + 1) * TILE; ++q)
                fill_pair(f, 2 * q < c.in ? from + 2 * q * plane : nullptr,
                          2 * q + 1 < c.in ? from + (2 * q + 1) * plane : nullptr,
                          frames + (i / blocks * pairs + q) * f.words());
        });
        const int64_t cuts = std::clamp<int64_t>(4 * get_threads() / some, 1, over(strips, 4));
        parallel(some * cuts, [&](int64_t i) {
            const Tiles tiles;
            alignas(64) float piece[SIDE * SIDE];
            const int64_t at = begin + i / cuts, group = at % c.groups;
            const uint32_t* frame = frames + i / cuts * image;
            for (int64_t panel = 0; panel < panels; ++panel)
                for (int64_t s = i % cuts * strips / cuts; s < (i % cuts + 1) * strips / cuts;
                     ++s) {
                    const TileOperands operands{weights + (group * panels + panel) * packed,
                                                SIDE * TILE_ROW,
                                                TILE_ROW,
                                                frame + s * SIDE,
                                                0,
                                                f.words(),
                                                TILE,
                                                places.data()};
                    tiles.multiply(steps, operands, piece, false);
                    const int64_t o = panel * SIDE;
                    put(f, piece, s * SIDE, std::min<int64_t>(SIDE, c.out - o),
                        bias ? bias + group * c.out + o : nullptr,
                        y + (at * c.out + o) * c.out_height * c.out_width);
                }
        });
    }
}

}  // namespace

void short_conv(const Conv& c, const uint16_t* x, const uint16_t* weight, const float* bias,
                uint16_t* y) {
    const int64_t taps = c.kernel_y * c.kernel_x;
    correlate(c, x, {weight, c.in * taps, taps, c.out * c.in * taps, false}, bias, y);
}

// At stride 1 it is a convolution of g with the turned weights.
void short_conv_by_input(const Conv& c, const uint16_t* g, const uint16_t* weight,
                         uint16_t* x_grad) {
    const int64_t taps = c.kernel_y * c.kernel_x;
    Conv t = c;
    t.in = c.out, t.out = c.in;
    t.height = c.out_height, t.width = c.out_width;
    t.out_height = c.height, t.out_width = c.width;
    t.padding_y = c.dilation_y * (c.kernel_y - 1) - c.padding_y;
    t.padding_x = c.dilation_x * (c.kernel_x - 1) - c.padding_x;
    correlate(t, g, {weight, taps, c.in * taps, c.out * c.in * taps, true}, nullptr, x_grad);
}

// For each tap a product of a shifted x, (inputs, pixels) as it lies in its frames, with g packed,
// (pixels, outputs): the depth are the pixels of all images, DEPTH tiles of it at a time, of which
// all taps are made while they are in the L2 cache. Where a line has no output g is 0.
void short_conv_by_weight(const Conv& c, const uint16_t* g, const uint16_t* x,
                          uint16_t* weight_grad) {
    constexpr int64_t DEPTH = 64;
    const Frame f(c);
    const int64_t pixels = c.images * f.line, taps = int64_t(f.taps.size());
    const int64_t plane = int64_t(f.phases.size()) * pixels, map = c.out_height * c.out_width;
    const int64_t tall = over(c.in, SIDE), wide = over(c.out, SIDE), deep = pixels / TILE_DEPTH;
    const int64_t inputs = c.groups * c.in, padded = tall * SIDE, outputs = c.groups * c.out;
    auto* lines =
        reinterpret_cast<uint16_t*>(scratch(0, over(c.groups * padded * plane + f.line, 2)));
    parallel(c.images * inputs, [&](int64_t i) {
        const int64_t image = i / inputs, group = i % inputs / c.in, channel = i % c.in;
        fill_plane(f, x + i * c.height * c.width, pixels,
                   lines + (group * padded + channel) * plane + image * f.line);
    });
    // What a shift reads past the last channel meets a g of 0, and must not be NaN.
    for (int64_t group = 0; group < c.groups; ++group)
        std::fill_n(lines + (group * padded + c.in) * plane, (padded - c.in) * plane, uint16_t(0));
    std::fill_n(lines + c.groups * padded * plane, f.line, uint16_t(0));
    auto* right = reinterpret_cast<uint32_t*>(scratch(1, c.groups * wide * deep * 2 * TILE_WORDS));
    parallel(c.groups * wide * c.images, [&](int64_t i) {
        const int64_t panel = i / c.images, image = i % c.images, group = panel / wide;
        const int64_t first = panel % wide * SIDE, some = std::min<int64_t>(SIDE, c.out - first);
        auto* line = reinterpret_cast<uint16_t*>(scratch(2, over(some * f.line, 2)));
        std::fill_n(line, some * f.line, uint16_t(0));
        for (int64_t o = 0; o < some; ++o)
            for (int64_t row = 0; row < c.out_height; ++row)
                std::copy_n(
                    g + (image * outputs + group * c.out + first + o) * map + row * c.out_width,
                    c.out_width, line + o * f.line + row * f.wide);
        uint32_t* to = right + (panel * deep + image * f.line / TILE_DEPTH) * 2 * TILE_WORDS;
        for (int64_t k = 0; k < f.line; k += TILE_DEPTH)
            for (int half = 0; half < 2; ++half, to += TILE_WORDS)
                Lines<uint16_t>{line, f.line, 1}.tile<false>(half * TILE, some, k, f.line, false,
                                                             to);
    });
    float* sums = scratch(3, c.groups * tall * wide * taps * SIDE * SIDE);
    parallel(c.groups * tall * wide, [&](int64_t i) {
        const Tiles tiles;
        const int64_t group = i / (tall * wide), panel = i / wide % tall;
        const uint16_t* left = lines + (group * padded + panel * SIDE) * plane;
        const uint32_t* b = right + (group * wide + i % wide) * deep * 2 * TILE_WORDS;
        for (int64_t k = 0; k < deep; k += DEPTH)
            for (int64_t t = 0; t < taps; ++t) {
                const Frame::Tap& tap = f.taps[size_t(t)];
                const uint16_t* from = left + tap.phase * pixels + tap.shift + k * TILE_DEPTH;
                tiles.multiply(std::min(DEPTH, deep - k),
                               {from, TILE_ROW, plane * int64_t(sizeof(uint16_t)),
                                b + k * 2 * TILE_WORDS, 2 * TILE_WORDS, TILE, TILE_WORDS},
                               sums + (i * taps + t) * SIDE * SIDE, k > 0);
            }
    });
    parallel_ranges(outputs * c.in, 256, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const int64_t group = i / (c.out * c.in), o = i / c.in % c.out, channel = i % c.in;
            const int64_t piece = (group * tall + channel / SIDE) * wide + o / SIDE;
            const float* from = sums + (piece * taps * SIDE + channel % SIDE) * SIDE + o % SIDE;
            for (int64_t t = 0; t < taps; ++t, from += SIDE * SIDE)
                weight_grad[i * taps + t] = uint16_t(narrowed(Short::bfloat16, splat(*from))[0]);
        }
    });
}

}  // namespace tallow::ISA
