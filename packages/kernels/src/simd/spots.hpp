// Which elements of an image count at the places that a grid holds.
//
// A vector holds so many places. Along each axis a place has TAPS elements that count (1 the
// nearest, 2 linear, 4 cubic), each with a weight; what they are together, along all axes, counts
// the product.
#pragma once

#include "../kernels.hpp"
#include "gather.hpp"
#include "lanes.hpp"

namespace tallow::ISA {

constexpr int power(int x, int n) { return n ? x * power(x, n - 1) : 1; }

// Places along an axis, and their derivatives by what they were made of.
struct Places {
    Vec at, slope;
};

// Within the image, as the padding says.
[[gnu::always_inline]] inline Places padded(Vec at, float size, GridPadding padding,
                                            bool align_corners) {
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
    [[gnu::always_inline]] Near(Vec x, float size, GridPadding padding, bool align_corners) {
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

    // The elements of the last axis as neighbours, index[0] and the next: where one is outside, the
    // other is the first or the last, and they change sides.
    [[gnu::always_inline]] void put_together(int32_t size) {
        const Ints turned = index[0] == index[1], last = Ints{} + (size - 2);
        auto turn = [&](auto* of) {
            const auto first = of[0];
            of[0] = turned ? of[1] : first, of[1] = turned ? first : of[1];
        };
        turn(inside), turn(weight), turn(slope);
        index[0] = index[0] < last ? index[0] : last, index[1] = index[0] + 1;
    }

  private:
    // NaN counts as within: its weight says what it is.
    [[gnu::always_inline]] void put(int k, Vec at, float size, Vec by, Vec by_slope) {
        inside[k] = ~((at < 0.0f) | (at > size - 1));
        const Vec low = select(at > 0.0f, at, Vec{});
        index[k] = __builtin_convertvector(select(low < size - 1, low, splat(size - 1)), Ints);
        weight[k] = by, slope[k] = by_slope;
    }
};

// One coordinate of each of a vector's places; 0 past the last.
template <int AXES>
inline Vec coordinate(const float* grid, int64_t count, int which) {
    if constexpr (AXES == 2) {
        constexpr int64_t half = WIDTH / 2;
        const Vec low = load_up_to(grid, 2 * std::min(count, half)),
                  high = load_up_to(grid + WIDTH, 2 * std::max<int64_t>(count - half, 0));
        return which ? shuffled<Odds>(low, high) : every_second(low, high);
    }
    alignas(64) float lanes[WIDTH] = {};
    for (int64_t i = 0; i < count; ++i) lanes[i] = grid[i * AXES + which];
    return load(lanes);
}

// The elements that count at a vector of places: element e is the tap(e, axis)-th along each axis.
//
// PAIRED: the two taps along the last axis, which has two elements or more, are read together. Then
// `index` says where the first one is, and the vectors e and e + 1 of what both have (inside,
// weight, sums) are as `spread` makes them.
template <int AXES, int TAPS, bool PAIRED>
struct Spot {
    static constexpr int COUNT = power(TAPS, AXES), STEP = PAIRED ? 2 : 1;
    static constexpr int tap(int element, int axis) {
        return element / power(TAPS, AXES - 1 - axis) % TAPS;
    }

    alignas(64) int32_t index[COUNT / STEP][WIDTH];
    Ints inside[COUNT];
    Vec weight[COUNT], along[AXES][TAPS], slopes[AXES][TAPS];

    [[gnu::always_inline]] void find(const Grid& s, const float* grid, int64_t count) {
        Near<TAPS> near[AXES];
        for_axes([&](int axis) {
            near[axis] = Near<TAPS>(coordinate<AXES>(grid, count, AXES - 1 - axis),
                                    float(s.size[axis]), s.padding, s.align_corners);
        });
        if constexpr (PAIRED) near[AXES - 1].put_together(int32_t(s.size[AXES - 1]));
        for_axes([&](int axis) {
            for (int k = 0; k < TAPS; ++k)
                along[axis][k] = near[axis].weight[k], slopes[axis][k] = near[axis].slope[k];
        });
        for (int e = 0; e < COUNT; ++e) {
            Ints at = near[0].index[tap(e, 0)];
            inside[e] = near[0].inside[tap(e, 0)];
            for (int axis = 1; axis < AXES; ++axis) {
                at = at * int32_t(s.size[axis]) + near[axis].index[tap(e, axis)];
                inside[e] &= near[axis].inside[tap(e, axis)];
            }
            if (e % STEP == 0) std::memcpy(index[e / STEP], &at, sizeof at);
            weight[e] = factor(e, -1);
        }
        for (int e = 0; PAIRED && e < COUNT; e += 2) {
            Vec left = (Vec)inside[e], right = (Vec)inside[e + 1];
            spread(left, right), spread(weight[e], weight[e + 1]);
            inside[e] = (Ints)left, inside[e + 1] = (Ints)right;
        }
    }

    // What a plane has there.
    Vec value(const float* plane) const {
        if constexpr (COUNT == 1) return read(plane, 0);
        Vec sums[2] = {};
        for_elements(plane, [&](int e, int side, Vec x) { sums[side] += x * weight[e]; });
        if constexpr (PAIRED) gather_up(sums[0], sums[1]);
        return sums[0] + sums[1];
    }

    // sums[e] += d times element e, in the order of `weight`.
    void add_products(const float* plane, Vec d, Vec* sums) const {
        Vec both[2] = {d, d};
        if constexpr (PAIRED) spread(both[0], both[1]);
        for_elements(plane, [&](int e, int side, Vec x) { sums[e] += x * both[side]; });
    }

    // Of such sums: the gradient by a coordinate.
    Vec by_coordinate(const Vec* sums, int axis) const {
        Vec total{};
        for (int e = 0; e < COUNT; e += STEP) {
            Vec parts[2] = {sums[e], sums[e + STEP - 1]};
            if constexpr (PAIRED) gather_up(parts[0], parts[1]);
            for (int k = 0; k < STEP; ++k) total += parts[k] * factor(e + k, axis);
        }
        return total;
    }

    // plane[elements] += d times their weights, for `count` places.
    void scatter(Vec d, int64_t count, float* plane) const {
        Vec both[2] = {d, d};
        if constexpr (PAIRED) spread(both[0], both[1]);
        for (int e = 0; e < COUNT; e += STEP) {
            Vec parts[2];
            for (int k = 0; k < STEP; ++k)
                parts[k] = (Vec)((Ints)(both[k] * weight[e + k]) & inside[e + k]);
            if constexpr (PAIRED) gather_up(parts[0], parts[1]);
            for (int k = 0; k < STEP; ++k) {
                alignas(64) float lanes[WIDTH];
                store(lanes, parts[k]);
                float* to = plane + k;
                const int32_t* at = index[e / STEP];
                if (count == WIDTH)
                    for (int i = 0; i < WIDTH; ++i) to[at[i]] += lanes[i];
                else
                    for (int64_t i = 0; i < count; ++i) to[at[i]] += lanes[i];
            }
        }
    }

  private:
    template <class Body>
    static void for_axes(const Body& body) {
        body(0), body(1);
        if constexpr (AXES == 3) body(2);
    }

    // The product of an element's weights along all axes, but the slope along one.
    Vec factor(int element, int sloping) const {
        Vec product = splat(1);
        for (int axis = 0; axis < AXES; ++axis) {
            const int k = tap(element, axis);
            const Vec x = axis == sloping ? slopes[axis][k] : along[axis][k];
            product = axis == 0 ? x : product * x;
        }
        return product;
    }

    // body(e, e % 2, values) for all elements.
    template <class Body>
    void for_elements(const float* plane, const Body& body) const {
        for (int e = 0; e < COUNT; e += 2) {
            if constexpr (PAIRED) {
                const Pairs pairs = gather_pairs(plane, index[e / 2]);
                body(e, 0, (Vec)((Ints)pairs.low & inside[e]));
                body(e + 1, 1, (Vec)((Ints)pairs.high & inside[e + 1]));
            } else {
                body(e, 0, read(plane, e)), body(e + 1, 1, read(plane, e + 1));
            }
        }
    }

    Vec read(const float* plane, int e) const {
        return (Vec)((Ints)gather(plane, index[e]) & inside[e]);
    }
};

}  // namespace tallow::ISA
