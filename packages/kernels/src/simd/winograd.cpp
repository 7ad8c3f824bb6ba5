// 3 x 3 convolution at stride 1 by Winograd's minimal filtering F(4 x 4, 3 x 3): 36 products for 16
// outputs instead of 144. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR
// 2016; at the interpolation points 0,
// +-1/sqrt(2), +-sqrt(2) and infinity, whose rounding errors are a fifth of those at the usual 0,
// +-1, +-2.
//
// An image is cut into tiles of 4 x 4 outputs, which need 6 x 6 inputs d. With the transforms B, G,
// A (1-d along each axis), y = A^T [(G w G^T) . (B^T d B)] A, where the dot in the middle, summed
// over channels, is a matrix product for each of the 36 places: (out x in) times (in x tiles).
// Vectors run over tiles.
//
// The gradient by the weight is F(3 x 3, 4 x 4) with the same B: the tile of g plays the filter.
#include "winograd.hpp"

#include "gemm.hpp"

namespace tallow::ISA {
namespace {

constexpr float A1 = 0.70710678118654752f, B1 = 1.41421356237309505f;  // the points a and b
constexpr float A2 = 0.5f, B2 = 2.0f, A3 = A1 * A2, B3 = B1 * B2;      // and their powers
constexpr float NA = 1 / -1.5f,
                NB = 1 / 6.0f;  // 1 / product of the differences to the other points
constexpr int PLACES = 36;
constexpr int64_t TILES =
    2 * COLUMNS;  // tiles worked on at a time: their transforms stay in the L2 cache
constexpr int64_t PITCH = TILES + WIDTH;  // of rows of tiles into which whole vectors are stored
constexpr int64_t GROUP = 8;              // channels whose transforms are turned at a time

// 1-d transforms of elements `step` apart: 6 -> 6, 3 -> 6, 4 -> 6, 6 -> 4 and 6 -> 3.
template <class T>
inline void transform_input(const T* d, int step, T* to, int to_step) {
    const T even_a = d[4 * step] - B2 * d[2 * step], odd_a = A1 * (d[3 * step] - B2 * d[step]);
    const T even_b = d[4 * step] - A2 * d[2 * step], odd_b = B1 * (d[3 * step] - A2 * d[step]);
    const T first = d[0] - 2.5f * d[2 * step] + d[4 * step];
    const T last = d[step] - 2.5f * d[3 * step] + d[5 * step];
    to[0] = first;
    to[to_step] = even_a + odd_a, to[2 * to_step] = even_a - odd_a;
    to[3 * to_step] = even_b + odd_b, to[4 * to_step] = even_b - odd_b;
    to[5 * to_step] = last;
}

template <class T>
inline void transform_filter(const T* w, int step, T* to, int to_step) {
    const T even_a = NA * (w[0] + A2 * w[2 * step]), odd_a = (NA * A1) * w[step];
    const T even_b = NB * (w[0] + B2 * w[2 * step]), odd_b = (NB * B1) * w[step];
    to[0] = w[0];
    to[to_step] = even_a + odd_a, to[2 * to_step] = even_a - odd_a;
    to[3 * to_step] = even_b + odd_b, to[4 * to_step] = even_b - odd_b;
    to[5 * to_step] = w[2 * step];
}

template <class T>
inline void transform_map(const T* g, int step, T* to, int to_step) {
    const T even_a = NA * (g[0] + A2 * g[2 * step]), odd_a = NA * (A1 * g[step] + A3 * g[3 * step]);
    const T even_b = NB * (g[0] + B2 * g[2 * step]), odd_b = NB * (B1 * g[step] + B3 * g[3 * step]);
    to[0] = g[0];
    to[to_step] = even_a + odd_a, to[2 * to_step] = even_a - odd_a;
    to[3 * to_step] = even_b + odd_b, to[4 * to_step] = even_b - odd_b;
    to[5 * to_step] = g[3 * step];
}

template <class T>
inline void transform_output(const T* m, int step, T* to, int to_step) {
    const T even_a = m[step] + m[2 * step], odd_a = m[step] - m[2 * step];
    const T even_b = m[3 * step] + m[4 * step], odd_b = m[3 * step] - m[4 * step];
    const T last = m[5 * step];
    to[0] = m[0] + even_a + even_b;
    to[to_step] = A1 * odd_a + B1 * odd_b;
    to[2 * to_step] = A2 * even_a + B2 * even_b;
    to[3 * to_step] = A3 * odd_a + B3 * odd_b + last;
}

template <class T>
inline void transform_weight_grad(const T* m, int step, T* to, int to_step) {
    const T even_a = m[step] + m[2 * step], odd_a = m[step] - m[2 * step];
    const T even_b = m[3 * step] + m[4 * step], odd_b = m[3 * step] - m[4 * step];
    const T last = m[5 * step];
    to[0] = m[0] + even_a + even_b;
    to[to_step] = A1 * odd_a + B1 * odd_b;
    to[2 * to_step] = A2 * even_a + B2 * even_b + last;
}

// The tiles of a batch in one line: image after image, row after row.
struct Tiles {
    const Conv& c;
    int64_t across, down;
    explicit Tiles(const Conv& conv)
        : c(conv), across((conv.out_width + 3) / 4), down((conv.out_height + 3) / 4) {}
    int64_t in_image() const { return across * down; }
    int64_t all() const { return c.images * in_image(); }
};

// Where a tile is: its image, and its first output pixel.
struct Place {
    int64_t image, y, x;
};

Place place_of(const Tiles& tiles, int64_t tile) {
    const int64_t within = tile % tiles.in_image();
    return {tile / tiles.in_image(), within / tiles.across * 4, within % tiles.across * 4};
}

// The tiles of a block as runs of neighbours: `count` from the block's tile `first` on.
struct Run {
    int64_t first, count;
    Place at;
};

struct Runs {
    Run runs[TILES];
    int64_t count = 0;

    Runs(const Tiles& tiles, int64_t begin, int64_t end) {
        for (int64_t tile = begin; tile < end; tile += runs[count++].count) {
            const int64_t left = tiles.across - tile % tiles.across;
            runs[count] = {tile - begin, std::min(left, end - tile), place_of(tiles, tile)};
        }
    }
    const Run* begin() const { return runs; }
    const Run* end() const { return runs + count; }
};

// x[0], x[4], x[8], ...
inline Vec every_fourth(const float* x) {
    return every_second(every_second(load(x), load(x + WIDTH)),
                        every_second(load(x + 2 * WIDTH), load(x + 3 * WIDTH)));
}

// SIZE x SIZE patches of one plane of each tile's image, shifted, what lies outside being 0:
// to[place][PITCH].
template <int SIZE>
void collect(const float* x, int64_t image_size, int64_t height, int64_t width, int64_t shift_y,
             int64_t shift_x, const Runs& runs, float* to) {
    // The rows of all runs one behind the other, then what they are cut into: what was just stored
    // is not loaded in other pieces at once, for which a processor waits.
    float rows[6 * SIZE * TILES + 5 * WIDTH], *row = rows;
    for (const Run& run : runs) {
        const int64_t left = run.at.x - shift_x, needed = 4 * (run.count - 1) + SIZE;
        for (int64_t i = 0; i < SIZE; ++i, row += needed) {
            const int64_t y = run.at.y - shift_y + i;
            const bool inside = y >= 0 && y < height;
            const float* from = x + run.at.image * image_size + y * width + left;
            for (int64_t k = 0; k < needed; k += WIDTH) {
                const int64_t begin = std::max<int64_t>(0, -left - k),
                              end = std::min<int64_t>(WIDTH, width - left - k);
                store(row + k, inside ? load_between(from + k, begin, end) : Vec{});
            }
        }
    }
    row = rows;
    for (const Run& run : runs) {
        const int64_t needed = 4 * (run.count - 1) + SIZE;
        for (int64_t i = 0; i < SIZE; ++i, row += needed)
            for (int64_t t = 0; t < run.count; t += WIDTH)
                for (int64_t j = 0; j < SIZE; ++j)
                    store(to + (i * SIZE + j) * PITCH + run.first + t,
                          every_fourth(row + 4 * t + j));
    }
}

// A 2-d transform of vectors of tiles: SIZE x SIZE patches in `from[place][tile]` to 6 x 6 values
// of one vector.
template <int SIZE, class Transform>
inline void transform_patch(const float* from, Transform&& transform, Vec (&to)[PLACES]) {
    Vec patch[SIZE * SIZE], half[6 * SIZE];
    for (int p = 0; p < SIZE * SIZE; ++p) patch[p] = load(from + p * PITCH);
    for (int j = 0; j < SIZE; ++j) transform(patch + j, SIZE, half + j, SIZE);  // along y
    for (int i = 0; i < 6; ++i) transform(half + i * SIZE, 1, to + i * 6, 1);   // along x
}

struct InputTransform {
    void operator()(const Vec* d, int step, Vec* to, int to_step) const {
        transform_input(d, step, to, to_step);
    }
};
struct MapTransform {
    void operator()(const Vec* d, int step, Vec* to, int to_step) const {
        transform_map(d, step, to, to_step);
    }
};

// The transformed input of `count` tiles as B strips of 36 products:
// v[place][strip][channel][COLUMNS].
void transform_tiles(const Conv& c, const float* x, const Runs& runs, int64_t count, float* v) {
    const int64_t plane = c.height * c.width, strips = (count + COLUMNS - 1) / COLUMNS;
    const int64_t place_size = strips * c.in * COLUMNS;
    alignas(64) float patches[PLACES * PITCH];
    std::fill_n(patches, PLACES * PITCH, 0.0f);
    for (int64_t channel = 0; channel < c.in; ++channel) {
        collect<6>(x + channel * plane, c.in * plane, c.height, c.width, c.padding_y, c.padding_x,
                   runs, patches);
        for (int64_t t = 0; t < strips * COLUMNS; t += WIDTH) {
            Vec values[PLACES];
            transform_patch<6>(patches + t, InputTransform{}, values);
            float* to = v + (t / COLUMNS * c.in + channel) * COLUMNS + t % COLUMNS;
            for (int p = 0; p < PLACES; ++p) store(to + p * place_size, values[p]);
        }
    }
}

// The transformed weights as A strips of 36 products: u[place][strip][in][ROWS]. Vectors run over
// inputs; what they give for the ROWS outputs of a strip is turned.
void transform_weights(const Conv& c, const float* weight, float* u) {
    const int64_t strips = (c.out + ROWS - 1) / ROWS, place_size = strips * c.in * ROWS;
    parallel(strips, [&](int64_t strip) {
        const int64_t outputs = std::min<int64_t>(ROWS, c.out - strip * ROWS);
        alignas(64) float taps[9 * WIDTH] = {}, whole[PLACES * ROWS * WIDTH] = {};
        for (int64_t i = 0; i < c.in; i += WIDTH) {
            const int64_t there = std::min<int64_t>(WIDTH, c.in - i);
            for (int64_t r = 0; r < outputs; ++r) {
                const float* w = weight + ((strip * ROWS + r) * c.in + i) * 9;
                for (int64_t lane = 0; lane < there; ++lane, w += 9)
                    for (int k = 0; k < 9; ++k) taps[k * WIDTH + lane] = w[k];
                Vec filter[9], half[18], values[PLACES];
                for (int k = 0; k < 9; ++k) filter[k] = load(taps + k * WIDTH);
                for (int j = 0; j < 3; ++j) transform_filter(filter + j, 3, half + j, 3);
                for (int k = 0; k < 6; ++k) transform_filter(half + k * 3, 1, values + k * 6, 1);
                for (int p = 0; p < PLACES; ++p) store(whole + (p * ROWS + r) * WIDTH, values[p]);
            }
            float* to = u + (strip * c.in + i) * ROWS;
            for (int p = 0; p < PLACES; ++p)
                transpose(whole + p * ROWS * WIDTH, WIDTH, ROWS, there, to + p * place_size, ROWS);
        }
    });
}

// Products m[place][out][TILES] of the transformed weights and tiles.
void multiply_places(const Conv& c, const float* u, const float* v, int64_t count, float* m) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS,
                  tile_strips = (count + COLUMNS - 1) / COLUMNS;
    for (int p = 0; p < PLACES; ++p)
        for (int64_t s = 0; s < out_strips; ++s)
            for (int64_t t = 0; t < tile_strips; ++t) {
                Vec piece[ROWS][VECTORS];
                multiply_strips(c.in, u + (p * out_strips + s) * c.in * ROWS,
                                v + (p * tile_strips + t) * c.in * COLUMNS, piece);
                float* to = m + (p * out_strips + s) * ROWS * TILES + t * COLUMNS;
                for (int r = 0; r < ROWS; ++r)
                    for (int j = 0; j < VECTORS; ++j)
                        store(to + r * TILES + j * WIDTH, piece[r][j]);
            }
}

// Four vectors as one line: a[0], b[0], c[0], d[0], a[1], ...
inline void store_interleaved(const Vec* v, float* to) {
    const Vec even_low = interleave_low(v[0], v[2]), even_high = interleave_high(v[0], v[2]);
    const Vec odd_low = interleave_low(v[1], v[3]), odd_high = interleave_high(v[1], v[3]);
    store(to, interleave_low(even_low, odd_low));
    store(to + WIDTH, interleave_high(even_low, odd_low));
    store(to + 2 * WIDTH, interleave_low(even_high, odd_high));
    store(to + 3 * WIDTH, interleave_high(even_high, odd_high));
}

void put_outputs(const Conv& c, const float* m, const float* bias, const Runs& runs, int64_t count,
                 float* y) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS, place_size = out_strips * ROWS * TILES;
    const int64_t map = c.out_height * c.out_width;
    alignas(64) float rows[4][4 * TILES];
    for (int64_t o = 0; o < c.out; ++o) {
        const Vec shift = splat(bias ? bias[o] : 0);
        for (int64_t t = 0; t < count; t += WIDTH) {
            Vec values[PLACES], half[24], tile[16];
            for (int p = 0; p < PLACES; ++p) values[p] = load(m + p * place_size + o * TILES + t);
            for (int j = 0; j < 6; ++j) transform_output(values + j, 6, half + j, 6);
            for (int i = 0; i < 4; ++i) transform_output(half + i * 6, 1, tile + i * 4, 1);
            for (int p = 0; p < 16; ++p) tile[p] += shift;
            for (int i = 0; i < 4; ++i) store_interleaved(tile + i * 4, rows[i] + 4 * t);
        }
        for (const Run& run : runs) {
            const int64_t high = std::min<int64_t>(4, c.out_height - run.at.y);
            const int64_t wide = std::min<int64_t>(4 * run.count, c.out_width - run.at.x);
            float* to = y + (run.at.image * c.out + o) * map + run.at.y * c.out_width + run.at.x;
            for (int64_t i = 0; i < high; ++i)
                std::memcpy(to + i * c.out_width, rows[i] + 4 * run.first,
                            size_t(wide) * sizeof(float));
        }
    }
}

// Transformed tiles of all channels as strips: to[place][strip of channels][tile][strip], made of
// SIZE x SIZE patches of planes (height, width).
template <int SIZE, class Transform>
void transform_channels(const float* x, int64_t channels, int64_t strip, int64_t height,
                        int64_t width, int64_t shift_y, int64_t shift_x, const Runs& runs,
                        int64_t count, const Transform& transform, float* to) {
    const int64_t plane = height * width,
                  place_size = (channels + strip - 1) / strip * TILES * strip;
    alignas(64) float patches[SIZE * SIZE * PITCH];
    std::fill_n(patches, SIZE * SIZE * PITCH, 0.0f);
    float* lanes = scratch(4, PLACES * GROUP * PITCH);  // [place][channel of the group][tile]
    for (int64_t first = 0; first < place_size / TILES; first += strip)
        for (int64_t in_strip = 0; in_strip < strip; in_strip += GROUP) {
            const int64_t size = std::min(GROUP, strip - in_strip);
            for (int64_t i = 0; i < size; ++i) {
                const int64_t channel = first + in_strip + i;
                float* lane = lanes + i * PITCH;
                if (channel >= channels) {
                    for (int p = 0; p < PLACES; ++p)
                        std::fill_n(lane + p * GROUP * PITCH, count, 0.0f);
                    continue;
                }
                collect<SIZE>(x + channel * plane, channels * plane, height, width, shift_y,
                              shift_x, runs, patches);
                for (int64_t t = 0; t < count; t += WIDTH) {
                    Vec values[PLACES];
                    transform_patch<SIZE>(patches + t, transform, values);
                    for (int p = 0; p < PLACES; ++p) store(lane + p * GROUP * PITCH + t, values[p]);
                }
            }
            for (int p = 0; p < PLACES; ++p)
                transpose(lanes + p * GROUP * PITCH, PITCH, size, count,
                          to + p * place_size + first * TILES + in_strip, strip);
        }
}

// The place products of some tiles, added to total[place][out][in].
void add_products(const Conv& c, const float* a, const float* b, int64_t count, float* total) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS,
                  in_strips = (c.in + COLUMNS - 1) / COLUMNS;
    for (int p = 0; p < PLACES; ++p)
        for (int64_t s = 0; s < out_strips; ++s)
            for (int64_t t = 0; t < in_strips; ++t) {
                Vec piece[ROWS][VECTORS];
                multiply_strips(count, a + (p * out_strips + s) * TILES * ROWS,
                                b + (p * in_strips + t) * TILES * COLUMNS, piece);
                put_piece(piece, total + (p * c.out + s * ROWS) * c.in + t * COLUMNS, c.in,
                          std::min<int64_t>(ROWS, c.out - s * ROWS),
                          std::min<int64_t>(COLUMNS, c.in - t * COLUMNS), true);
            }
}

// totals[group][place][out][in], summed over groups, to weight_grad (out, in, 3, 3); vectors run
// over pairs of out and in.
void put_weight_grad(const Conv& c, const float* totals, int64_t groups, float* weight_grad) {
    const int64_t pairs = c.out * c.in;
    parallel_ranges(pairs, 256, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i += WIDTH) {
            const int64_t count = std::min<int64_t>(WIDTH, end - i);
            Vec sums[PLACES] = {}, half[18], whole[9];
            for (int64_t group = 0; group < groups; ++group)
                for (int p = 0; p < PLACES; ++p)
                    sums[p] += load_some(totals + (group * PLACES + p) * pairs + i, count);
            for (int j = 0; j < 6; ++j) transform_weight_grad(sums + j, 6, half + j, 6);
            for (int k = 0; k < 3; ++k) transform_weight_grad(half + k * 6, 1, whole + k * 3, 1);
            alignas(64) float lanes[9 * WIDTH];
            for (int p = 0; p < 9; ++p) store(lanes + p * WIDTH, whole[p]);
            for (int64_t lane = 0; lane < count; ++lane)
                for (int p = 0; p < 9; ++p)
                    weight_grad[(i + lane) * 9 + p] = lanes[p * WIDTH + lane];
        }
    });
}

}  // namespace

bool suits_winograd(const Conv& c) {
    return !exact_convolution && c.kernel_y == 3 && c.kernel_x == 3 && c.stride_y == 1 &&
           c.stride_x == 1 && c.dilation_y == 1 && c.dilation_x == 1 && c.groups == 1 &&
           c.in >= 8 && c.out >= 8 && c.out_height >= 4 && c.out_width >= 4;
}

// To transform the weights costs as much as some tiles do in the direct way.
bool pays_to_transform_weights(const Conv& c) { return Tiles(c).all() >= 24; }

void winograd(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS;
    float* u = scratch(2, PLACES * out_strips * c.in * ROWS);
    transform_weights(c, weight, u);
    const Tiles tiles(c);
    parallel((tiles.all() + TILES - 1) / TILES, [&](int64_t block) {
        const int64_t first = block * TILES, count = std::min(TILES, tiles.all() - first);
        const Runs runs(tiles, first, first + count);
        float* v = scratch(0, PLACES * TILES * c.in);
        float* m = scratch(1, PLACES * TILES * out_strips * ROWS);
        transform_tiles(c, x, runs, count, v);
        multiply_places(c, u, v, count, m);
        put_outputs(c, m, bias, runs, count, y);
    });
}

void winograd_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS,
                  in_strips = (c.in + COLUMNS - 1) / COLUMNS;
    const Tiles tiles(c);
    const int64_t blocks = (tiles.all() + TILES - 1) / TILES, sums = PLACES * c.out * c.in;
    // A number of groups that depends on the shapes alone: the same sums for any number of threads.
    const int64_t groups =
        std::max<int64_t>(1, std::min<int64_t>({8, blocks, (int64_t(1) << 23) / sums}));
    float* totals = scratch(2, groups * sums);
    parallel(groups, [&](int64_t group) {
        float* total = totals + group * sums;
        std::fill_n(total, sums, 0.0f);
        float* a = scratch(0, PLACES * TILES * out_strips * ROWS);
        float* b = scratch(1, PLACES * TILES * in_strips * COLUMNS);
        for (int64_t block = group * blocks / groups; block < (group + 1) * blocks / groups;
             ++block) {
            const int64_t first = block * TILES, count = std::min(TILES, tiles.all() - first);
            const Runs runs(tiles, first, first + count);
            transform_channels<4>(g, c.out, ROWS, c.out_height, c.out_width, 0, 0, runs, count,
                                  MapTransform{}, a);
            transform_channels<6>(x, c.in, COLUMNS, c.height, c.width, c.padding_y, c.padding_x,
                                  runs, count, InputTransform{}, b);
            add_products(c, a, b, count, total);
        }
    });
    put_weight_grad(c, totals, groups, weight_grad);
}

}  // namespace tallow::ISA
