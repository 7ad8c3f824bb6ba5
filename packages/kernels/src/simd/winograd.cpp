// 3 x 3 convolution at stride 1 by Winograd's minimal filtering. Lavin and Gray, "Fast Algorithms
// for Convolutional Neural Networks", CVPR 2016.
//
// An image is cut into tiles of T x T outputs, T = 4 or 2, which need (T + 2) x (T + 2) inputs d.
// With the transforms B, G, A (1-d along each axis), y = A^T [(G w G^T) . (B^T d B)] A, where the
// dot in the middle, summed over channels, is a matrix product for each of the places: (tiles x in)
// times (in x out). The lanes of vectors are channels.
//
// The gradient by the weight is F(3 x 3, T x T) with the same B: the tile of g plays the filter.
//
// `F`, of which everything here is a template, is `Fast` (T = 4) or `Near` (T = 2).
#include "winograd.hpp"

#include "block.hpp"
#include "lanes.hpp"
#include "winograd_transforms.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t CHUNK = 2 * COLUMNS;  // outputs whose products are made at a time

// Some tiles of one image: the place of the first, and how many of the block's come before.
struct Piece {
    int64_t image, y, x, high, wide, first;
    int64_t count() const { return high * wide; }
};

// The tiles of a batch in blocks of at most about `limit`: whole images, or a rectangle of one.
struct Blocks {
    int64_t across, down, all_images;  // tiles of an image; images of the batch
    int64_t images, high, wide;        // images of a block; tiles of a rectangle
    int64_t rows, columns, count;      // rectangles of an image; blocks

    // A number of blocks that `parts` divides, if that can be; tiles of `side` x `side` outputs.
    Blocks(const Conv& c, int side, int64_t limit, int64_t parts)
        : across((c.out_width + side - 1) / side),
          down((c.out_height + side - 1) / side),
          all_images(c.images) {
        columns = (across + limit - 1) / limit;
        wide = (across + columns - 1) / columns;
        rows = evenly(down, std::max<int64_t>(1, limit / wide), parts);
        high = (down + rows - 1) / rows;
        rows = (down + high - 1) / high;
        const int64_t groups =
            evenly(all_images, std::max<int64_t>(1, limit / (across * down)), parts);
        images = (all_images + groups - 1) / groups;
        count = (all_images + images - 1) / images * rows * columns;
    }

    static int64_t evenly(int64_t size, int64_t most, int64_t parts) {
        const int64_t groups = (size + most - 1) / most;
        return groups == 1 && most > size ? 1
                                          : std::min(size, (groups + parts - 1) / parts * parts);
    }

    // The most tiles of a block
    int64_t tiles() const { return images * high * wide; }

    // body(piece) for the pieces of a block; returns how many tiles it has.
    template <class Body>
    int64_t for_pieces(int64_t block, const Body& body) const {
        const int64_t place = block % (rows * columns), first = block / (rows * columns) * images;
        const int64_t y = place / columns * high, x = place % columns * wide;
        Piece piece{first, y, x, std::min(high, down - y), std::min(wide, across - x), 0};
        for (; piece.image < std::min(first + images, all_images); ++piece.image) {
            body(piece);
            piece.first += piece.count();
        }
        return piece.first;
    }
};

// Transformed tiles, or their products: element (place, tile, channel). The pad keeps the places of
// a tile apart in the cache.
struct Transformed {
    float* data;
    int64_t channels, place;
    Transformed(int slot, int places, int64_t tiles, int64_t size)
        : channels(size), place(tiles * size + WIDTH) {
        data = scratch(slot, places * place);
    }
    float* at(int64_t p, int64_t tile, int64_t channel) const {
        return data + p * place + tile * channels + channel;
    }
};

// SIZE x SIZE patches of a batch of images, one for each tile, shifted, what lies outside being 0.
template <class F, int SIZE, class Transform>
struct Patches {
    const float* x;
    int64_t channels, in_image, height, width, shift_y, shift_x;  // some channels of those there
    Transform transform;

    // The patches of a piece's tiles, transformed: to (place, tile, channel).
    void operator()(const Piece& piece, const Transformed& to) const {
        const int64_t high = F::SIDE * piece.high + SIZE - F::SIDE,
                      wide = F::SIDE * piece.wide + SIZE - F::SIDE;
        float* pixels = scratch(3, high * wide * WIDTH);  // [y][x][lane]
        float* half = scratch(4, F::IN * wide * WIDTH);   // [place along y][x][lane]
        const int64_t top = F::SIDE * piece.y - shift_y, left = F::SIDE * piece.x - shift_x;
        const int64_t y = std::max<int64_t>(0, top), x0 = std::max<int64_t>(0, left);
        const Rectangle inside{y, x0, std::min(height, top + high) - y,
                               std::min(width, left + wide) - x0};
        const bool framed = inside.high < high || inside.wide < wide;
        for (int64_t channel = 0; channel < channels; channel += WIDTH) {
            if (framed) std::fill_n(pixels, high * wide * WIDTH, 0.0f);
            const int64_t plane = height * width,
                          some = std::min<int64_t>(WIDTH, channels - channel);
            if (inside.high > 0 && inside.wide > 0)
                to_lanes({x + (piece.image * in_image + channel) * plane, some, plane, width},
                         inside, pixels + ((y - top) * wide + x0 - left) * WIDTH, wide);
            for (int64_t ty = 0; ty < piece.high; ++ty)
                transform_row(pixels + F::SIDE * ty * wide * WIDTH, wide, piece.wide, half,
                              to.at(0, piece.first + ty * piece.wide, channel), to);
        }
    }

    // One row of tiles: first along y, whose results neighbours share, then along x.
    void transform_row(const float* pixels, int64_t row, int64_t tiles, float* half, float* to,
                       const Transformed& like) const {
        for (int64_t x = 0; x < row; ++x) {
            Vec column[SIZE], made[F::IN];
            for (int i = 0; i < SIZE; ++i) column[i] = load(pixels + (i * row + x) * WIDTH);
            transform(column, made);
            for (int i = 0; i < F::IN; ++i) store(half + (i * row + x) * WIDTH, made[i]);
        }
        for (int64_t tile = 0; tile < tiles; ++tile, to += like.channels)
            for (int i = 0; i < F::IN; ++i) {
                Vec line[SIZE], made[F::IN];
                for (int j = 0; j < SIZE; ++j)
                    line[j] = load(half + (i * row + F::SIDE * tile + j) * WIDTH);
                transform(line, made);
                for (int j = 0; j < F::IN; ++j) store(to + (i * F::IN + j) * like.place, made[j]);
            }
    }
};

template <class F>
struct InputTransform {
    void operator()(const Vec* d, Vec* to) const { F::input(d, 1, to, 1); }
};
template <class F>
struct MapTransform {
    void operator()(const Vec* g, Vec* to) const { F::map(g, 1, to, 1); }
};

template <class F>
Patches<F, F::IN, InputTransform<F>> inputs_of(const Conv& c, const float* x, int64_t first,
                                               int64_t some) {
    return {x + first * c.height * c.width,
            some,
            c.in,
            c.height,
            c.width,
            c.padding_y,
            c.padding_x,
            {}};
}

template <class F>
Patches<F, F::SIDE, MapTransform<F>> maps_of(const Conv& c, const float* g) {
    return {g, c.out, c.out, c.out_height, c.out_width, 0, 0, {}};
}

// Weights as they are kept: tap t of output o and input i is data[o * out_step + i * in_step + t],
// or 8 - t where they are turned by half a turn.
struct Filters {
    const float* data;
    int64_t out_step, in_step;
    bool turned;
};

// The transformed weights as B of the products: u[place][strip of outputs][in][COLUMNS].
template <class F>
const float* transform_weights(const Conv& c, const Filters& w) {
    const int64_t strips = (c.out + COLUMNS - 1) / COLUMNS, place = strips * c.in * COLUMNS;
    float* u = scratch(2, F::PLACES * place);
    parallel(strips * VECTORS, [&](int64_t block) {
        const int64_t first = block * WIDTH, count = std::min<int64_t>(WIDTH, c.out - first);
        float* to = u + (block / VECTORS * c.in) * COLUMNS + block % VECTORS * WIDTH;
        alignas(64) float taps[9 * WIDTH] = {};
        for (int64_t i = 0; i < c.in; ++i, to += COLUMNS) {
            for (int64_t o = 0; o < count; ++o) {
                const float* from = w.data + (first + o) * w.out_step + i * w.in_step;
                for (int t = 0; t < 9; ++t) taps[t * WIDTH + o] = from[w.turned ? 8 - t : t];
            }
            Vec filter[9], half[3 * F::IN], values[F::PLACES];
            for (int k = 0; k < 9; ++k) filter[k] = load(taps + k * WIDTH);
            for (int j = 0; j < 3; ++j) F::filter(filter + j, 3, half + j, 3);
            for (int k = 0; k < F::IN; ++k) F::filter(half + k * 3, 1, values + k * F::IN, 1);
            for (int p = 0; p < F::PLACES; ++p) store(to + p * place, values[p]);
        }
    });
    return u;
}

// Products (place, tile, output - first) of outputs first .. end - 1.
template <class F>
void multiply_places(const Conv& c, const float* u, const Transformed& v, int64_t tiles,
                     int64_t first, int64_t end, const Transformed& m) {
    const int64_t strips = (c.out + COLUMNS - 1) / COLUMNS;
    for (int p = 0; p < F::PLACES; ++p)
        for (int64_t o = first; o < end; o += COLUMNS) {
            const float* b = u + (p * strips + o / COLUMNS) * c.in * COLUMNS;
            multiply_rows(
                tiles, end - o > WIDTH ? VECTORS : 1, c.in, Even{1, COLUMNS},
                {v.at(p, 0, 0), v.channels, b, m.at(p, 0, o - first), m.channels, WIDTH, false});
        }
}

// The outputs of a piece, of WIDTH channels or fewer from `channel` on: from (place, tile, lane).
template <class F>
void put_outputs(const Conv& c, const float* from, const Transformed& m, const float* bias,
                 const Piece& piece, int64_t channel, float* y) {
    const int64_t some = std::min<int64_t>(WIDTH, c.out - channel), wide = F::SIDE * piece.wide;
    const Vec shift = bias ? load_up_to(bias + channel, some) : Vec{};
    float* pixels = scratch(3, F::SIDE * F::SIDE * piece.count() * WIDTH);  // [y][x][lane]
    for (int64_t tile = 0; tile < piece.count(); ++tile, from += m.channels) {
        Vec half[F::IN * F::SIDE];
        for (int i = 0; i < F::IN; ++i) {
            Vec line[F::IN];
            for (int j = 0; j < F::IN; ++j) line[j] = load(from + (i * F::IN + j) * m.place);
            F::output(line, 1, half + i * F::SIDE, 1);
        }
        float* to = pixels + (tile / piece.wide * wide + tile % piece.wide) * F::SIDE * WIDTH;
        for (int j = 0; j < F::SIDE; ++j) {
            Vec column[F::SIDE];
            F::output(half + j, F::SIDE, column, 1);
            for (int i = 0; i < F::SIDE; ++i) store(to + (i * wide + j) * WIDTH, column[i] + shift);
        }
    }
    const int64_t map = c.out_height * c.out_width;
    const int64_t top = F::SIDE * piece.y, left = F::SIDE * piece.x;
    const Rectangle there{top, left, std::min(F::SIDE * piece.high, c.out_height - top),
                          std::min(wide, c.out_width - left)};
    from_lanes(pixels, wide, {y + (piece.image * c.out + channel) * map, some, map, c.out_width},
               there);
}

template <class F>
void convolve(const Conv& c, const float* x, const Filters& weight, const float* bias, float* y) {
    const float* u = transform_weights<F>(c, weight);
    const int64_t in = whole_vectors(c.in), chunk = std::min(CHUNK, whole_vectors(c.out));
    // What a block works on stays in the L2 cache.
    const int64_t limit =
        std::clamp<int64_t>(4096 / (in + chunk) / ROWS, 2, 8) * ROWS * Fast::PLACES / F::PLACES;
    const Blocks blocks(c, F::SIDE, limit, get_threads());
    parallel(blocks.count, [&](int64_t block) {
        const Transformed v(0, F::PLACES, blocks.tiles(), in),
            m(1, F::PLACES, blocks.tiles(), chunk);
        const auto inputs = inputs_of<F>(c, x, 0, c.in);
        const int64_t tiles =
            blocks.for_pieces(block, [&](const Piece& piece) { inputs(piece, v); });
        for (int64_t first = 0; first < c.out; first += chunk) {
            const int64_t end = std::min(c.out, first + chunk);
            multiply_places<F>(c, u, v, tiles, first, end, m);
            blocks.for_pieces(block, [&](const Piece& piece) {
                for (int64_t o = first; o < end; o += WIDTH)
                    put_outputs<F>(c, m.at(0, piece.first, o - first), m, bias, piece, o, y);
            });
        }
    });
}

// totals[group][place][in][out], summed over groups, to weight_grad (out, in, 3, 3).
template <class F>
void put_weight_grad(const Conv& c, const float* totals, int64_t groups, float* weight_grad) {
    const int64_t out = whole_vectors(c.out), place = c.in * out;
    parallel(c.in, [&](int64_t i) {
        for (int64_t o = 0; o < c.out; o += WIDTH) {
            const int64_t count = std::min<int64_t>(WIDTH, c.out - o);
            Vec sums[F::PLACES] = {}, half[3 * F::IN], whole[9];
            const float* from = totals + i * out + o;
            for (int64_t p = 0; p < groups * F::PLACES; ++p)
                sums[p % F::PLACES] += load(from + p * place);
            for (int j = 0; j < F::IN; ++j) F::weight_grad(sums + j, F::IN, half + j, F::IN);
            for (int k = 0; k < 3; ++k) F::weight_grad(half + k * F::IN, 1, whole + k * 3, 1);
            alignas(64) float lanes[9 * WIDTH];
            std::memcpy(lanes, &whole, sizeof lanes);
            for (int64_t lane = 0; lane < count; ++lane)
                for (int p = 0; p < 9; ++p)
                    weight_grad[((o + lane) * c.in + i) * 9 + p] = lanes[p * WIDTH + lane];
        }
    });
}

template <class F>
void by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    const int64_t out = whole_vectors(c.out), sums = F::PLACES * c.in * out;
    const Blocks blocks(c, F::SIDE, 96 * Fast::PLACES / F::PLACES, 1);
    // A number of groups that depends on the shapes alone: the same sums for any number of threads.
    const int64_t groups =
        std::max<int64_t>(1, std::min<int64_t>({8, blocks.count, (int64_t(1) << 23) / sums}));
    // Where they are few, each has some inputs for every thread.
    const int64_t per_slice = band(c.in, std::max<int64_t>(1, get_threads() / groups), WIDTH);
    const int64_t slices = (c.in + per_slice - 1) / per_slice;
    float* totals = scratch(2, groups * sums);
    parallel(groups * slices, [&](int64_t task) {
        const int64_t group = task / slices, first = task % slices * per_slice;
        const int64_t some = std::min(per_slice, c.in - first), in = whole_vectors(some);
        const int64_t begin = group * blocks.count / groups;
        for (int64_t block = begin; block < (group + 1) * blocks.count / groups; ++block) {
            const Transformed a(0, F::PLACES, blocks.tiles(), in),
                b(1, F::PLACES, blocks.tiles(), out);
            const auto inputs = inputs_of<F>(c, x, first, some);
            const auto maps = maps_of<F>(c, g);
            const int64_t tiles = blocks.for_pieces(block, [&](const Piece& piece) {
                inputs(piece, a);
                maps(piece, b);
            });
            for (int p = 0; p < F::PLACES; ++p)
                for (int64_t o = 0; o < out; o += COLUMNS) {
                    float* to = totals + ((group * F::PLACES + p) * c.in + first) * out + o;
                    multiply_rows(some, out - o > WIDTH ? VECTORS : 1, tiles, Even{in, out},
                                  {a.at(p, 0, 0), 1, b.at(p, 0, o), to, out, WIDTH, block > begin});
                }
        }
    });
    put_weight_grad<F>(c, totals, groups, weight_grad);
}

bool is_near() { return conv_precision == Precision::near; }

}  // namespace

bool suits_winograd(const Conv& c) {
    return conv_precision != Precision::exact && c.kernel_y == 3 && c.kernel_x == 3 &&
           c.stride_y == 1 && c.stride_x == 1 && c.dilation_y == 1 && c.dilation_x == 1 &&
           c.groups == 1 && c.in >= 8 && c.out >= 8 && c.out_height >= 4 && c.out_width >= 4;
}

// To transform the weights costs as much as some tiles do in the direct way, more where they do not
// stay in a cache.
bool pays_to_transform_weights(const Conv& c) {
    const int64_t tiles = c.images * ((c.out_height + 3) / 4) * ((c.out_width + 3) / 4);
    return tiles >= 24 + c.in * c.out / 8192;
}

void winograd(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    (is_near() ? convolve<Near> : convolve<Fast>)(c, x, {weight, c.in * 9, 9, false}, bias, y);
}

void winograd_turned(const Conv& t, const float* g, const float* weight, float* x_grad) {
    const Filters filters{weight, 9, t.out * 9, true};
    (is_near() ? convolve<Near> : convolve<Fast>)(t, g, filters, nullptr, x_grad);
}

void winograd_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    (is_near() ? by_weight<Near> : by_weight<Fast>)(c, g, x, weight_grad);
}

}  // namespace tallow::ISA
