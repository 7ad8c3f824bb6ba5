// Images and volumes read at places that a grid holds, and the gradients by both.
#include "spots.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

int64_t plane_size(const Grid& s) { return s.size[0] * s.size[1] * s.size[2]; }

// The spots of so many vectors of places that all channels are read at them while they stay in the
// first cache.
template <class Spot>
struct Spots {
    static constexpr int MOST = Spot::COUNT > 8 ? 2 : 8, PLACES = MOST * WIDTH;
    Spot spots[MOST];

    [[gnu::noinline]] void find(const Grid s, const float* grid, int64_t count) {
        for (int64_t v = 0; v * WIDTH < count; ++v)
            spots[v].find(s, grid + v * WIDTH * s.axes,
                          std::min<int64_t>(WIDTH, count - v * WIDTH));
    }
};

// body(spot, first, count) for vectors of places.
template <class Spots, class Body>
void for_vectors(const Spots& found, int64_t first, int64_t count, const Body& body) {
    for (int64_t v = 0; v * WIDTH < count; ++v)
        body(found.spots[v], first + v * WIDTH, std::min<int64_t>(WIDTH, count - v * WIDTH));
}

// body(spots, image, first, count) for all places, on all threads.
template <class Spot, class Body>
void for_places(const Grid& s, const float* grid, const Body& body) {
    constexpr int64_t MOST = Spots<Spot>::PLACES;
    const int64_t groups = (s.points + MOST - 1) / MOST;
    for_rows(s.images * groups, MOST * s.channels * 4, [&](int64_t task) {
        const int64_t image = task / groups, first = task % groups * MOST;
        const int64_t count = std::min(MOST, s.points - first);
        Spots<Spot> found;
        found.find(s, grid + (image * s.points + first) * s.axes, count);
        body(found, image, first, count);
    });
}

// What a plane has there; by itself, since it needs all registers.
template <class Spots>
[[gnu::noinline]] void sample_plane(const Spots& found, const float* plane, int64_t many,
                                    float* out) {
    for_vectors(found, 0, many, [&](const auto& spot, int64_t first, int64_t count) {
        store_up_to(out + first, spot.value(plane), count);
    });
}

template <class Spot>
void sample(const Grid& s, const float* x, const float* grid, float* out) {
    const int64_t size = plane_size(s), points = s.points, channels = s.channels;
    for_places<Spot>(s, grid, [&](const auto& found, int64_t image, int64_t from, int64_t many) {
        for (int64_t c = image * channels; c < (image + 1) * channels; ++c)
            sample_plane(found, x + c * size, many, out + c * points + from);
    });
}

// A thread has some of an image's channels: nobody else adds to them.
template <class Spot>
void add_to_image(const Grid& s, const float* g, const float* grid, float* x_grad) {
    const int64_t size = plane_size(s), points = s.points,
                  together = std::min<int64_t>(4, s.channels),
                  groups = (s.channels + together - 1) / together;
    for_rows(s.images * groups, points * together * 4, [&](int64_t task) {
        const int64_t image = task / groups, begin = image * s.channels + task % groups * together,
                      end = std::min(begin + together, (image + 1) * s.channels);
        std::fill(x_grad + begin * size, x_grad + end * size, 0.0f);
        Spots<Spot> found;
        for (int64_t from = 0; from < points; from += found.PLACES) {
            const int64_t many = std::min<int64_t>(found.PLACES, points - from);
            found.find(s, grid + (image * points + from) * s.axes, many);
            for (int64_t c = begin; c < end; ++c)
                for_vectors(found, from, many, [&](const Spot& spot, int64_t first, int64_t count) {
                    spot.scatter(load_up_to(g + c * points + first, count), count,
                                 x_grad + c * size);
                });
        }
    });
}

template <int AXES, class Spot>
void by_places(const Grid& s, const float* g, const float* x, const float* grid, float* grid_grad) {
    const int64_t size = plane_size(s), points = s.points, channels = s.channels;
    for_places<Spot>(s, grid, [&](const auto& found, int64_t image, int64_t from, int64_t many) {
        for_vectors(found, from, many, [&](const Spot& spot, int64_t first, int64_t count) {
            Vec sums[Spot::COUNT] = {};
            for (int64_t c = image * channels; c < (image + 1) * channels; ++c)
                spot.add_products(x + c * size, load_up_to(g + c * points + first, count), sums);
            float* to = grid_grad + (image * points + first) * AXES;
            alignas(64) float lanes[AXES][WIDTH];
            for (int axis = 0; axis < AXES; ++axis)
                store(lanes[AXES - 1 - axis], spot.by_coordinate(sums, axis));
            for (int64_t i = 0; i < count; ++i)
                for (int axis = 0; axis < AXES; ++axis) to[i * AXES + axis] = lanes[axis][i];
        });
    });
}

// body(axes, spot) with a number and a null pointer, of which the types tell.
template <class Body>
void dispatch(const Grid& s, const Body& body) {
    auto call = [&]<int AXES, int TAPS, bool PAIRED>() {
        body(std::integral_constant<int, AXES>{}, static_cast<Spot<AXES, TAPS, PAIRED>*>(nullptr));
    };
    auto linear = [&]<int AXES>() {
        s.size[AXES - 1] > 1 ? call.template operator()<AXES, 2, true>()
                             : call.template operator()<AXES, 2, false>();
    };
    if (s.mode == GridMode::cubic) return call.template operator()<2, 4, false>();
    if (s.mode == GridMode::linear)
        s.axes == 2 ? linear.template operator()<2>() : linear.template operator()<3>();
    else
        s.axes == 2 ? call.template operator()<2, 1, false>()
                    : call.template operator()<3, 1, false>();
}

}  // namespace

void grid_sample(const Grid& s, const float* x, const float* grid, float* out) {
    dispatch(s, [&]<class Spot>(auto, Spot*) { sample<Spot>(s, x, grid, out); });
}

void grid_sample_grad(const Grid& s, const float* g, const float* x, const float* grid,
                      float* x_grad, float* grid_grad) {
    dispatch(s, [&]<class Spot>(auto axes, Spot*) {
        if (x_grad) add_to_image<Spot>(s, g, grid, x_grad);
        if (!grid_grad) return;
        if constexpr (Spot::COUNT == 1)  // steps have no slope
            std::fill_n(grid_grad, s.images * s.points * s.axes, 0.0f);
        else
            by_places<axes(), Spot>(s, g, x, grid, grid_grad);
    });
}

}  // namespace tallow::ISA
