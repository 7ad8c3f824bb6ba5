// Sums over groups of elements, accurate for any number of them, and their mean and variance.
#pragma once

#include <algorithm>

#include "rows.hpp"

namespace tallow::ISA {

constexpr int64_t SPAN = 4096;  // elements summed in float; the sums of spans are summed in double

// A vector of deviations from the mean; past the end of a row 0.
inline Vec deviation(const float* x, int64_t count, float mean) {
    return load_up_to(x, count, mean) - mean;
}

// One group's elements: `parts` runs of `size`, `step` apart. Batch norm's channel has a run in
// each image.
struct Runs {
    int64_t parts, size, step;
    int64_t count() const { return parts * size; }

    // f(begin, count) for spans of neighbours.
    template <class F>
    void each_span(const F& f) const {
        for (int64_t p = 0; p < parts; ++p)
            for (int64_t i = 0; i < size; i += SPAN) f(p * step + i, std::min(SPAN, size - i));
    }
    // f(begin, count) for vectors.
    template <class F>
    void each_vector(const F& f) const {
        for (int64_t p = 0; p < parts; ++p)
            along(size, [&](int64_t i, int64_t count) { f(p * step + i, count); });
    }
};

struct Moments {
    float mean, variance;
};

// Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983: what is known of
// the elements so far is joined with each span's.
inline Moments moments(const Runs& runs, const float* x) {
    double mean = 0, squares = 0, n = 0;
    runs.each_span([&](int64_t begin, int64_t size) {
        const float* from = x + begin;
        const double here =
            sum(total(size,
                      [&](int64_t i, int64_t count) { return load_up_to(from + i, count); })) /
            double(size);
        const float centre = float(here);
        const double around = sum(total(size, [&](int64_t i, int64_t count) {
            const Vec d = deviation(from + i, count, centre);
            return d * d;
        }));
        const double off = here - mean, all = n + double(size);
        squares += around + off * off * n * (double(size) / all);
        mean += off * (double(size) / all);
        n = all;
    });
    return {float(mean), float(squares / n)};
}

// Vectors of an array.
struct Loaded {
    const float* from;
    Vec operator()(int64_t i, int64_t count) const { return load_up_to(from + i, count); }
};

// The sums of g and of g (x - mean), where g(i, count) is a vector of elements from i on.
struct GradSums {
    double level = 0, along = 0;

    template <class G>
    GradSums(const Runs& runs, const G& g, const float* x, float mean) {
        runs.each_span([&](int64_t begin, int64_t size) {
            Vec sums[2] = {};
            level += sum(total(size, [&](int64_t i, int64_t count) {
                const Vec d = g(begin + i, count);
                sums[i / WIDTH % 2] += d * deviation(x + begin + i, count, mean);
                return d;
            }));
            along += sum(sums[0] + sums[1]);
        });
    }
};

}  // namespace tallow::ISA
