// Resampling of planes along one or both axes by tables of weights: interpolation, and its adjoint.
//
// A strip of the result's rows at a time: the rows that it needs are resampled along x into a
// buffer (lines, whole vectors of the new width), then combined along y.
#include "gather.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t BUFFER = 1 << 16;  // floats of a strip's lines: they stay in the second cache

struct Range {
    int64_t first, end;
};

// The rows of x that rows a .. b - 1 of the result are made of.
Range needed(const Taps& y, int64_t a, int64_t b) {
    if (!y.count) return {a, b};
    int32_t low = y.index[a], high = low;
    for (int64_t t = 0; t < y.taps; ++t)
        for (int64_t i = a; i < b; ++i) {
            low = std::min(low, y.index[t * y.stride + i]);
            high = std::max(high, y.index[t * y.stride + i]);
        }
    return {low, int64_t(high) + 1};
}

// Vector i of a row of `size` elements resampled along x.
inline Vec along_x(const Taps& x, const float* row, int64_t size, int64_t i) {
    auto sum = [&](const auto& read) {
        Vec sums = load(x.weight + i) * read(load_ints(x.index + i));
        for (int64_t t = 1; t < x.taps; ++t) {
            const int64_t at = t * x.stride + i;
            sums += load(x.weight + at) * read(load_ints(x.index + at));
        }
        return sums;
    };
#if defined(__AVX512F__)
    // out of a few vectors, many times as fast as from memory
    const int32_t first = x.first[i / WIDTH];
    auto part = [&](int64_t k) {
        const int64_t left = size - first - k * WIDTH;
        if (left >= WIDTH) return load(row + first + k * WIDTH);
        return left > 0 ? load_some(row + first + k * WIDTH, left) : Vec{};
    };
    auto pick = [&](Vec low, Ints index, Vec high) {
        return (Vec)_mm512_permutex2var_ps((__m512)low, (__m512i)(index - first), (__m512)high);
    };
    if (first >= 0) {
        const Vec a = part(0), b = part(1);
        if (x.first[x.stride / WIDTH + i / WIDTH] <= 2)
            return sum([&](Ints index) { return pick(a, index, b); });
        const Vec c = part(2), d = part(3);
        return sum([&](Ints index) {
            return select(index - first < 2 * WIDTH, pick(a, index, b), pick(c, index, d));
        });
    }
#endif
    return sum([&](Ints index) { return gather(row, index); });
}

// Row i of the result: lines, `step` apart from the first needed one, times their weights.
void along_y(const Taps& y, int64_t i, const float* lines, int64_t step, float* to, int64_t width,
             bool past) {
    auto line = [&](int64_t t) { return lines + y.index[t * y.stride + i] * step; };
    auto weight = [&](int64_t t) { return y.weight[t * y.stride + i]; };
    if (y.taps == 2) {
        const float *above = line(0), *below = line(1);
        const Vec near = splat(weight(0)), far = splat(weight(1));
        return fill_row(to, width, past, [&](int64_t j, int64_t count) {
            return load_up_to(above + j, count) * near + load_up_to(below + j, count) * far;
        });
    }
    fill_row(to, width, past, [&](int64_t j, int64_t count) {
        Vec sums = load_up_to(line(0) + j, count) * weight(0);
        for (int64_t t = 1; t < y.taps; ++t) sums += load_up_to(line(t) + j, count) * weight(t);
        return sums;
    });
}

}  // namespace

void resample(const Resample& r, const float* x, float* out) {
    const int64_t height = r.y.count ? r.y.count : r.height,
                  width = r.x.count ? r.x.count : r.width;
    const bool past = streams(r.outer * height * width);
    const int64_t fitting = BUFFER / std::max<int64_t>(width, 1) * height / r.height,
                  share = r.outer * height / (4 * get_threads());
    const int64_t strip =
        std::max<int64_t>(1, std::min({fitting, std::max<int64_t>(share, 8), height}));
    const int64_t strips = (height + strip - 1) / strip,
                  grain = std::max<int64_t>(1, (1 << 14) / (strip * width));
    parallel_ranges(r.outer * strips, grain, [&](int64_t begin, int64_t end) {
        for (int64_t block = begin; block < end; ++block) {
            const int64_t plane = block / strips, a = block % strips * strip,
                          b = std::min(a + strip, height);
            const float* from = x + plane * r.height * r.width;
            float* to = out + plane * height * width;
            if (!r.y.count) {
                for (int64_t i = a; i < b; ++i)
                    along(width, [&](int64_t j, int64_t count) {
                        store_up_to(to + i * width + j,
                                    along_x(r.x, from + i * r.width, r.width, j), count);
                    });
                continue;
            }
            const float* lines = from;
            int64_t step = r.width;
            if (r.x.count) {
                const Range rows = needed(r.y, a, b);
                step = r.x.stride;
                float* buffer = scratch(0, (rows.end - rows.first) * step);
                for (int64_t row = rows.first; row < rows.end; ++row)
                    for (int64_t j = 0; j < step; j += WIDTH)
                        store(buffer + (row - rows.first) * step + j,
                              along_x(r.x, from + row * r.width, r.width, j));
                lines = buffer - rows.first * step;
            }
            for (int64_t i = a; i < b; ++i)
                along_y(r.y, i, lines, step, to + i * width, width, past);
        }
        settle();
    });
}

}  // namespace tallow::ISA
