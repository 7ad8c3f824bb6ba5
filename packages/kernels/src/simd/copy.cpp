// Copies of arrays of any strides into row-major order.
#include "gemm.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t GRAIN = 1 << 15;       // elements that are worth a thread
constexpr int64_t SHORT = 16;            // rows that take less time than the call to copy one
constexpr int64_t HIGH = 16, DEEP = 64;  // of a piece that is turned

// Where the matrix of the last axis and of `other` begins, for each place along the other axes.
struct Places {
    const Layout& l;
    int other;
    int64_t count = 1;

    Places(const Layout& layout, int axis) : l(layout), other(axis) {
        for (int i = 0; i < l.ndim - 1; ++i) count *= i == other ? 1 : l.shape[i];
    }
    struct Place {
        int64_t from, to;
    };
    Place operator()(int64_t n) const {
        Place place{0, 0};
        int64_t step = 1;
        for (int i = l.ndim - 1; i >= 0; step *= l.shape[i--]) {
            if (i == l.ndim - 1 || i == other) continue;
            place.from += n % l.shape[i] * l.strides[i];
            place.to += n % l.shape[i] * step;
            n /= l.shape[i];
        }
        return place;
    }
};

void copy_rows(const Layout& l, const float* x, float* to) {
    const int64_t length = l.shape[l.ndim - 1], step = l.strides[l.ndim - 1];
    auto row = [&](const float* from, float* row_to) {
        if (step == 1 && length > SHORT)
            std::memcpy(row_to, from, size_t(length) * sizeof(float));
        else if (step == 1)
            for (int64_t i = 0; i < length; ++i) row_to[i] = from[i];
        else if (step == -1)
            for (int64_t i = 0; i < length; ++i) row_to[i] = from[-i];
        else
            for (int64_t i = 0; i < length; ++i) row_to[i] = from[i * step];
    };
    if (l.ndim == 1) return row(x, to);
    const Places places(l, l.ndim - 2);
    const int64_t rows = l.shape[l.ndim - 2], apart = l.strides[l.ndim - 2];
    const int64_t some = std::min(rows, std::max<int64_t>(1, GRAIN / length));
    const int64_t pieces = (rows + some - 1) / some;
    parallel_ranges(places.count * pieces, std::max<int64_t>(1, GRAIN / (some * length)),
                    [&](int64_t n, int64_t end) {
                        for (; n < end; ++n) {
                            const auto place = places(n / pieces);
                            const int64_t first = n % pieces * some;
                            for (int64_t i = first; i < std::min(rows, first + some); ++i)
                                row(x + place.from + i * apart, to + place.to + i * length);
                        }
                    });
}

// Where neighbours along `axis` are neighbours in memory.
void copy_turned(const Layout& l, int axis, const float* x, float* to) {
    const Places places(l, axis);
    const int64_t depth = l.shape[axis], rows = l.shape[l.ndim - 1],
                  from_step = l.strides[l.ndim - 1];
    int64_t to_step = 1;
    for (int i = axis + 1; i < l.ndim; ++i) to_step *= l.shape[i];
    const int64_t high = (rows + HIGH - 1) / HIGH, wide = (depth + DEEP - 1) / DEEP;
    parallel_ranges(places.count * high * wide, GRAIN / (HIGH * DEEP), [&](int64_t n, int64_t end) {
        for (; n < end; ++n) {
            const auto place = places(n / (high * wide));
            const int64_t r = n % high * HIGH, k = n / high % wide * DEEP;
            transpose(x + place.from + r * from_step + k, from_step, std::min(HIGH, rows - r),
                      std::min(DEEP, depth - k), to + place.to + k * to_step + r, to_step);
        }
    });
}

}  // namespace

void copy(const Layout& l, const float* x, float* to) {
    if (l.ndim == 0) {
        *to = *x;
        return;
    }
    for (int axis = 0; axis < l.ndim; ++axis)
        if (l.shape[axis] == 0) return;
    if (l.strides[l.ndim - 1] != 1)
        for (int axis = 0; axis < l.ndim - 1; ++axis)
            if (l.strides[axis] == 1) return copy_turned(l, axis, x, to);
    copy_rows(l, x, to);
}

}  // namespace tallow::ISA
