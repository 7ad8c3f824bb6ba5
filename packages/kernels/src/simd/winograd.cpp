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

// SIZE x SIZE patches at (y, x) of one plane of each tile's image, what lies outside being 0:
// to[place][tile].
template <int SIZE>
void collect(const float* x, int64_t image_size, int64_t height, int64_t width, int64_t shift_y,
             int64_t shift_x, const Place* where, int64_t count, float* to) {
    for (int64_t t = 0; t < count; ++t) {
        const float* plane = x + where[t].image * image_size;
        const int64_t top = where[t].y - shift_y, left = where[t].x - shift_x;
        const bool whole = top >= 0 && left >= 0 && top + SIZE <= height && left + SIZE <= width;
        for (int i = 0; i < SIZE; ++i) {
            const float* row = plane + (top + i) * width + left;
            float* place = to + i * SIZE * TILES + t;
            if (whole) {
                for (int j = 0; j < SIZE; ++j) place[j * TILES] = row[j];
            } else {
                const bool inside = top + i >= 0 && top + i < height;
                for (int j = 0; j < SIZE; ++j)
                    place[j * TILES] = inside && left + j >= 0 && left + j < width ? row[j] : 0;
            }
        }
    }
}

// A 2-d transform of vectors of tiles: SIZE x SIZE patches in `from[place][tile]` to 6 x 6 values
// of one vector.
template <int SIZE, class Transform>
inline void transform_patch(const float* from, Transform&& transform, Vec (&to)[PLACES]) {
    Vec patch[SIZE * SIZE], half[6 * SIZE];
    for (int p = 0; p < SIZE * SIZE; ++p) patch[p] = load(from + p * TILES);
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
void transform_tiles(const Conv& c, const float* x, const Place* where, int64_t count, float* v) {
    const int64_t plane = c.height * c.width, strips = (count + COLUMNS - 1) / COLUMNS;
    const int64_t place_size = strips * c.in * COLUMNS;
    alignas(64) float patches[PLACES * TILES];
    for (int64_t channel = 0; channel < c.in; ++channel) {
        collect<6>(x + channel * plane, c.in * plane, c.height, c.width, c.padding_y, c.padding_x,
                   where, count, patches);
        for (int64_t t = 0; t < strips * COLUMNS; t += WIDTH) {
            Vec values[PLACES];
            transform_patch<6>(patches + t, InputTransform{}, values);
            float* to = v + (t / COLUMNS * c.in + channel) * COLUMNS + t % COLUMNS;
            for (int p = 0; p < PLACES; ++p) store(to + p * place_size, values[p]);
        }
    }
}

// The transformed weights as A strips of 36 products: u[place][strip][in][ROWS]; vectors run over
// rows. Those of some channels are gathered before they go to the 36 places, which lie far apart.
void transform_weights(const Conv& c, const float* weight, float* u) {
    constexpr int64_t GATHERED = 8, PADDED = (ROWS + WIDTH - 1) / WIDTH * WIDTH;
    const int64_t strips = (c.out + ROWS - 1) / ROWS, place_size = strips * c.in * ROWS;
    parallel(strips, [&](int64_t strip) {
        const int64_t rows = std::min<int64_t>(ROWS, c.out - strip * ROWS);
        const float* filters = weight + strip * ROWS * c.in * 9;
        alignas(64) float lanes[9 * PADDED] = {}, gathered[PLACES][GATHERED * ROWS + WIDTH];
        for (int64_t first = 0; first < c.in; first += GATHERED) {
            const int64_t count = std::min(GATHERED, c.in - first);
            for (int64_t i = 0; i < count; ++i) {
                for (int64_t r = 0; r < rows; ++r)
                    for (int p = 0; p < 9; ++p)
                        lanes[p * PADDED + r] = filters[(r * c.in + first + i) * 9 + p];
                for (int64_t r = 0; r < ROWS; r += WIDTH) {
                    Vec filter[9], half[18], whole[PLACES];
                    for (int p = 0; p < 9; ++p) filter[p] = load(lanes + p * PADDED + r);
                    for (int j = 0; j < 3; ++j) transform_filter(filter + j, 3, half + j, 3);
                    for (int k = 0; k < 6; ++k) transform_filter(half + k * 3, 1, whole + k * 6, 1);
                    for (int p = 0; p < PLACES; ++p) store(gathered[p] + i * ROWS + r, whole[p]);
                }
            }
            float* to = u + (strip * c.in + first) * ROWS;
            for (int p = 0; p < PLACES; ++p)
                std::memcpy(to + p * place_size, gathered[p], count * ROWS * sizeof(float));
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

// Writes tile t's 4 x 4 outputs where they lie within the map.
inline void put_tile(const Conv& c, const float* from, const Place& where, float* map) {
    const int64_t rows = std::min<int64_t>(4, c.out_height - where.y);
    const int64_t columns = std::min<int64_t>(4, c.out_width - where.x);
    float* to = map + where.y * c.out_width + where.x;
    for (int64_t i = 0; i < rows; ++i, to += c.out_width)
        for (int64_t j = 0; j < columns; ++j) to[j] = from[(i * 4 + j) * WIDTH];
}

void put_outputs(const Conv& c, const float* m, const float* bias, const Place* where,
                 int64_t count, float* y) {
    const int64_t out_strips = (c.out + ROWS - 1) / ROWS, place_size = out_strips * ROWS * TILES;
    const int64_t map = c.out_height * c.out_width;
    for (int64_t o = 0; o < c.out; ++o) {
        const Vec shift = splat(bias ? bias[o] : 0);
        for (int64_t t = 0; t < count; t += WIDTH) {
            Vec values[PLACES], half[24], tile[16];
            for (int p = 0; p < PLACES; ++p) values[p] = load(m + p * place_size + o * TILES + t);
            for (int j = 0; j < 6; ++j) transform_output(values + j, 6, half + j, 6);
            for (int i = 0; i < 4; ++i) transform_output(half + i * 6, 1, tile + i * 4, 1);
            alignas(64) float lanes[16 * WIDTH];
            for (int p = 0; p < 16; ++p) store(lanes + p * WIDTH, tile[p] + shift);
            const int64_t there = std::min<int64_t>(WIDTH, count - t);
            for (int64_t lane = 0; lane < there; ++lane) {
                const Place& at = where[t + lane];
                put_tile(c, lanes + lane, at, y + (at.image * c.out + o) * map);
            }
        }
    }
}

// Tiles of g, transformed, as A strips: [place][strip of out][tile][ROWS].
void transform_maps(const Conv& c, const float* g, const Place* where, int64_t count, float* to) {
    const int64_t map = c.out_height * c.out_width, out_strips = (c.out + ROWS - 1) / ROWS;
    const int64_t place_size = out_strips * TILES * ROWS;
    alignas(64) float patches[16 * TILES], lanes[PLACES * WIDTH];
    for (int64_t o = 0; o < out_strips * ROWS; ++o) {
        if (o < c.out)
            collect<4>(g + o * map, c.out * map, c.out_height, c.out_width, 0, 0, where, count,
                       patches);
        else
            std::fill_n(patches, 16 * TILES, 0.0f);
        for (int64_t t = 0; t < count; t += WIDTH) {
            Vec values[PLACES];
            transform_patch<4>(patches + t, MapTransform{}, values);
            for (int p = 0; p < PLACES; ++p) store(lanes + p * WIDTH, values[p]);
            const int64_t there = std::min<int64_t>(WIDTH, count - t);
            float* row = to + (o / ROWS * TILES + t) * ROWS + o % ROWS;
            for (int p = 0; p < PLACES; ++p)
                for (int64_t lane = 0; lane < there; ++lane)
                    row[p * place_size + lane * ROWS] = lanes[p * WIDTH + lane];
        }
    }
}

// Tiles of x, transformed, as B strips: [place][strip of in][tile][COLUMNS].
void transform_inputs(const Conv& c, const float* x, const Place* where, int64_t count, float* to) {
    const int64_t plane = c.height * c.width, in_strips = (c.in + COLUMNS - 1) / COLUMNS;
    const int64_t place_size = in_strips * TILES * COLUMNS;
    alignas(64) float patches[PLACES * TILES], lanes[PLACES * WIDTH];
    for (int64_t i = 0; i < in_strips * COLUMNS; ++i) {
        if (i < c.in)
            collect<6>(x + i * plane, c.in * plane, c.height, c.width, c.padding_y, c.padding_x,
                       where, count, patches);
        else
            std::fill_n(patches, PLACES * TILES, 0.0f);
        for (int64_t t = 0; t < count; t += WIDTH) {
            Vec values[PLACES];
            transform_patch<6>(patches + t, InputTransform{}, values);
            for (int p = 0; p < PLACES; ++p) store(lanes + p * WIDTH, values[p]);
            const int64_t there = std::min<int64_t>(WIDTH, count - t);
            float* row = to + (i / COLUMNS * TILES + t) * COLUMNS + i % COLUMNS;
            for (int p = 0; p < PLACES; ++p)
                for (int64_t lane = 0; lane < there; ++lane)
                    row[p * place_size + lane * COLUMNS] = lanes[p * WIDTH + lane];
        }
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
    return c.kernel_y == 3 && c.kernel_x == 3 && c.stride_y == 1 && c.stride_x == 1 &&
           c.dilation_y == 1 && c.dilation_x == 1 && c.groups == 1 && c.in >= 8 && c.out >= 8 &&
           c.out_height >= 4 && c.out_width >= 4;
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
        Place where[TILES];
        for (int64_t t = 0; t < count; ++t) where[t] = place_of(tiles, first + t);
        float* v = scratch(0, PLACES * TILES * c.in);
        float* m = scratch(1, PLACES * TILES * out_strips * ROWS);
        transform_tiles(c, x, where, count, v);
        multiply_places(c, u, v, count, m);
        put_outputs(c, m, bias, where, count, y);
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
            Place where[TILES];
            for (int64_t t = 0; t < count; ++t) where[t] = place_of(tiles, first + t);
            transform_maps(c, g, where, count, a);
            transform_inputs(c, x, where, count, b);
            add_products(c, a, b, count, total);
        }
    });
    put_weight_grad(c, totals, groups, weight_grad);
}

}  // namespace tallow::ISA
