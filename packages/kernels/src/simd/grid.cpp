// Images and volumes read at places that a grid holds, and the gradients by both.
//
// A vector holds so many places. Along each axis a place has TAPS elements that count (1 the
// nearest, 2 linear, 4 cubic), each with a weight; what they are together, along all axes, counts
// the product.
#include "gather.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int power(int x, int n) { return n ? x * power(x, n - 1) : 1; }

// Places along an axis, and their derivatives by what they were made of.
struct Places {
    Vec at, slope;
};

// Within the image, as the padding says.
Places padded(Vec at, float size, GridPadding padding, bool align_corners) {
    const Vec one = splat(1);
    if (padding == GridPadding::zeros) return {at, one};
    Vec slope = one;
    if (padding == GridPadding::reflection) {
        const float low = align_corners ? 0 : -0.5f, span = align_corners ? size - 1 : size;
        if (span == 0) return {at * 0.0f, Vec{}};
        const Vec off = at - low, distance = absolute(off), flips = floor(distance / span),
                  rest = distance - flips * span;
        const Ints odd = flips - 2.0f * floor(flips * 0.5f) != 0.0f;
        slope = select(off > 0.0f, one, select(off < 0.0f, -one, Vec{}));
        slope = select(odd, -slope, slope);
        at = select(odd, span - rest, rest) + low;
    }
    slope = select((at > 0.0f) & (at < size - 1), slope, Vec{});
    return {at_most(at_least(at, 0), size - 1), slope};
}

// Keys' cubic convolution, 1981: what elements less and more than one away count; and the slopes.
constexpr float A = -0.75f;
inline Vec close(Vec x) { return ((A + 2) * x - (A + 3)) * x * x + 1.0f; }
inline Vec distant(Vec x) { return ((x - 5.0f) * x + 8.0f) * x * A - 4 * A; }
inline Vec close_slope(Vec x) { return (3 * (A + 2) * x - 2 * (A + 3)) * x; }
inline Vec distant_slope(Vec x) { return ((3.0f * x - 10.0f) * x + 8.0f) * A; }

// What counts along an axis: whole places within the image, whether they were within it, weights,
// and these' derivatives by the grid's coordinate.
template <int TAPS>
struct Near {
    Ints index[TAPS], inside[TAPS];
    Vec weight[TAPS], slope[TAPS];

    Near() = default;
    Near(Vec x, float size, GridPadding padding, bool align_corners) {
        const float scale = align_corners ? (size - 1) / 2 : size / 2;
        const Vec at =
            align_corners ? (x + 1.0f) * ((size - 1) / 2) : ((x + 1.0f) * size - 1.0f) * 0.5f;
        auto pad = [&](Vec v) { return padded(v, size, padding, align_corners); };
        if constexpr (TAPS == 1) {
            put(0, round(pad(at).at), size, splat(1), Vec{});
        } else if constexpr (TAPS == 2) {
            const Places p = pad(at);
            const Vec low = floor(p.at), far = p.at - low, slope = p.slope * scale;
            put(0, low, size, 1.0f - far, -slope);
            put(1, low + 1.0f, size, far, slope);
        } else {
            const Vec low = floor(at), far = at - low, back = 1.0f - far;
            const Vec weights[4] = {distant(far + 1.0f), close(far), close(back),
                                    distant(back + 1.0f)};
            const Vec slopes[4] = {distant_slope(far + 1.0f), close_slope(far), -close_slope(back),
                                   -distant_slope(back + 1.0f)};
            for (int k = 0; k < 4; ++k)
                put(k, round(pad(low + float(k - 1)).at), size, weights[k], slopes[k] * scale);
        }
    }

  private:
    // NaN counts as within: its weight says what it is.
    void put(int k, Vec at, float size, Vec by, Vec by_slope) {
        inside[k] = ~((at < 0.0f) | (at > size - 1));
        const Vec low = select(at > 0.0f, at, Vec{});
        index[k] = __builtin_convertvector(select(low < size - 1, low, splat(size - 1)), Ints);
        weight[k] = by, slope[k] = by_slope;
    }
};

// A vector of places: its elements, and which of TAPS along each axis they are.
template <int AXES, int TAPS>
struct Spot {
    static constexpr int ELEMENTS = power(TAPS, AXES);
    static constexpr int tap(int element, int axis) {
        return element / power(TAPS, AXES - 1 - axis) % TAPS;
    }

    Near<TAPS> near[AXES];
    Ints index[ELEMENTS], inside[ELEMENTS];
    Vec weight[ELEMENTS];

    Spot(const Grid& s, const float* grid, int64_t count) {
        for (int axis = 0; axis < AXES; ++axis) {
            const Vec x = coordinate(grid, count, AXES - 1 - axis);
            near[axis] = Near<TAPS>(x, float(s.size[axis]), s.padding, s.align_corners);
        }
        for (int e = 0; e < ELEMENTS; ++e) {
            index[e] = near[0].index[tap(e, 0)], inside[e] = near[0].inside[tap(e, 0)];
            for (int axis = 1; axis < AXES; ++axis) {
                index[e] = index[e] * int32_t(s.size[axis]) + near[axis].index[tap(e, axis)];
                inside[e] &= near[axis].inside[tap(e, axis)];
            }
            weight[e] = factor(e, -1);
        }
    }

    // One coordinate of each place; 0 past the last.
    static Vec coordinate(const float* grid, int64_t count, int which) {
        if (AXES == 2 && count == WIDTH) {
            const Vec low = load(grid), high = load(grid + WIDTH);
            return which ? shuffled<Odds>(low, high) : every_second(low, high);
        }
        alignas(64) float lanes[WIDTH] = {};
        for (int64_t i = 0; i < count; ++i) lanes[i] = grid[i * AXES + which];
        return load(lanes);
    }

    // The product of an element's weights along all axes, but the slope along one.
    Vec factor(int element, int sloping) const {
        Vec product = splat(1);
        for (int axis = 0; axis < AXES; ++axis) {
            const Near<TAPS>& n = near[axis];
            const int k = tap(element, axis);
            product = axis == 0         ? (axis == sloping ? n.slope[k] : n.weight[k])
                      : axis == sloping ? product * n.slope[k]
                                        : product * n.weight[k];
        }
        return product;
    }

    Vec read(const float* plane, int element) const {
        return select(inside[element], gather(plane, index[element]), Vec{});
    }
};

int64_t plane_size(const Grid& s) { return s.size[0] * s.size[1] * s.size[2]; }

// body(image, first, count) for vectors of places, on all threads.
template <class Body>
void for_places(const Grid& s, const Body& body) {
    const int64_t vectors = (s.points + WIDTH - 1) / WIDTH;
    const int64_t grain = std::max<int64_t>(1, (1 << 12) / (WIDTH * s.channels));
    parallel_ranges(s.images * vectors, grain, [&](int64_t begin, int64_t end) {
        for (int64_t v = begin; v < end; ++v) {
            const int64_t first = v % vectors * WIDTH;
            body(v / vectors, first, std::min<int64_t>(WIDTH, s.points - first));
        }
    });
}

template <int AXES, int TAPS>
void sample(const Grid& s, const float* x, const float* grid, float* out) {
    const int64_t size = plane_size(s);
    for_places(s, [&](int64_t image, int64_t first, int64_t count) {
        const Spot<AXES, TAPS> spot(s, grid + (image * s.points + first) * AXES, count);
        for (int64_t c = image * s.channels; c < (image + 1) * s.channels; ++c) {
            Vec sums = spot.read(x + c * size, 0) * spot.weight[0];
            for (int e = 1; e < spot.ELEMENTS; ++e)
                sums += spot.read(x + c * size, e) * spot.weight[e];
            store_up_to(out + c * s.points + first, sums, count);
        }
    });
}

// A thread has some of an image's channels: nobody else adds to them.
template <int AXES, int TAPS>
void add_to_image(const Grid& s, const float* g, const float* grid, float* x_grad) {
    const int64_t size = plane_size(s), together = std::min<int64_t>(4, s.channels),
                  groups = (s.channels + together - 1) / together;
    const int64_t grain =
        std::max<int64_t>(1, (1 << 12) / std::max<int64_t>(s.points * together, 1));
    parallel_ranges(s.images * groups, grain, [&](int64_t begin, int64_t end) {
        for (int64_t block = begin; block < end; ++block) {
            const int64_t image = block / groups, group = block % groups,
                          from = image * s.channels + group * together,
                          to = std::min(from + together, (image + 1) * s.channels);
            std::fill(x_grad + from * size, x_grad + to * size, 0.0f);
            for (int64_t first = 0; first < s.points; first += WIDTH) {
                const int64_t count = std::min<int64_t>(WIDTH, s.points - first);
                const Spot<AXES, TAPS> spot(s, grid + (image * s.points + first) * AXES, count);
                for (int64_t c = from; c < to; ++c) {
                    const Vec d = load_up_to(g + c * s.points + first, count);
                    for (int e = 0; e < spot.ELEMENTS; ++e) {
                        const Vec part = select(spot.inside[e], d * spot.weight[e], Vec{});
                        for (int64_t i = 0; i < count; ++i)
                            x_grad[c * size + spot.index[e][i]] += part[i];
                    }
                }
            }
        }
    });
}

template <int AXES, int TAPS>
void by_places(const Grid& s, const float* g, const float* x, const float* grid, float* grid_grad) {
    if (TAPS == 1) {  // steps have no slope
        std::fill_n(grid_grad, s.images * s.points * AXES, 0.0f);
        return;
    }
    const int64_t size = plane_size(s);
    for_places(s, [&](int64_t image, int64_t first, int64_t count) {
        const int64_t place = (image * s.points + first) * AXES;
        const Spot<AXES, TAPS> spot(s, grid + place, count);
        Vec by_weight[spot.ELEMENTS] = {};
        for (int64_t c = image * s.channels; c < (image + 1) * s.channels; ++c) {
            const Vec d = load_up_to(g + c * s.points + first, count);
            for (int e = 0; e < spot.ELEMENTS; ++e) by_weight[e] += d * spot.read(x + c * size, e);
        }
        for (int axis = 0; axis < AXES; ++axis) {
            Vec sums{};
            for (int e = 0; e < spot.ELEMENTS; ++e) sums += by_weight[e] * spot.factor(e, axis);
            for (int64_t i = 0; i < count; ++i)
                grid_grad[place + i * AXES + AXES - 1 - axis] = sums[i];
        }
    });
}

// body(AXES, TAPS), as types.
template <class Body>
void dispatch(const Grid& s, const Body& body) {
    using std::integral_constant;
    const integral_constant<int, 2> image{};
    const integral_constant<int, 3> volume{};
    const integral_constant<int, 1> nearest{};
    if (s.mode == GridMode::cubic) return body(image, integral_constant<int, 4>{});
    if (s.axes == 2)
        s.mode == GridMode::linear ? body(image, image) : body(image, nearest);
    else
        s.mode == GridMode::linear ? body(volume, image) : body(volume, nearest);
}

}  // namespace

void grid_sample(const Grid& s, const float* x, const float* grid, float* out) {
    dispatch(s, [&](auto axes, auto taps) { sample<axes(), taps()>(s, x, grid, out); });
}

void grid_sample_grad(const Grid& s, const float* g, const float* x, const float* grid,
                      float* x_grad, float* grid_grad) {
    dispatch(s, [&](auto axes, auto taps) {
        if (x_grad) add_to_image<axes(), taps()>(s, g, grid, x_grad);
        if (grid_grad) by_places<axes(), taps()>(s, g, x, grid, grid_grad);
    });
}

}  // namespace tallow::ISA
