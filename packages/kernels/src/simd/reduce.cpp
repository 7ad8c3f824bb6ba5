// Sums and extremes along axes. x is (r0, k0, r1, k1), and what is left (k0, k1).
#include <type_traits>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t SPAN = 4096;  // elements summed in float; the sums of spans are summed in double
constexpr int64_t LONG = 1 << 16;       // elements of a row that are worth a thread
constexpr int64_t ROWS_AT_A_TIME = 64;  // summed in float before they go to the sums of all

// What is reduced: an element itself, its square, its magnitude. Each leaves START as it is.
struct Itself {
    static Vec of(Vec x) { return x; }
};
struct Square {
    static Vec of(Vec x) { return x * x; }
};
struct Magnitude {
    static Vec of(Vec x) { return absolute(x); }
};

template <class Term>
struct Sum : Term {
    static constexpr float START = 0;
    static Vec join(Vec x, Vec y) { return x + y; }
    static double row(const float* x, int64_t n) {
        double sums = 0;
        for (int64_t i = 0; i < n; i += SPAN)
            sums += sum(total(std::min(SPAN, n - i), [&](int64_t j, int64_t count) {
                return Term::of(load_up_to(x + i + j, count));
            }));
        return sums;
    }
    static double join_rows(double x, double y) { return x + y; }
};

template <class Kind>
double join_row(const float* x, int64_t n) {
    const Vec start = splat(Kind::START);
    Vec found[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH)
        for (int j = 0; j < 4; ++j)
            found[j] = Kind::join(Kind::of(load(x + i + j * WIDTH)), found[j]);
    for (; i < n; i += WIDTH) {
        const Vec last = load_up_to(x + i, std::min<int64_t>(WIDTH, n - i), Kind::START);
        found[0] = Kind::join(Kind::of(last), found[0]);
    }
    return folded(Kind::join(Kind::join(found[0], found[1]), Kind::join(found[2], found[3])),
                  [](Vec a, Vec b) { return Kind::join(a, b); });
}

struct Multiplied : Itself {
    static constexpr float START = 1;
    static Vec join(Vec x, Vec y) { return x * y; }
    static double row(const float* x, int64_t n) { return join_row<Multiplied>(x, n); }
    static double join_rows(double x, double y) { return x * y; }
};

// The largest element, or with `down` the smallest; NaN if there is one.
template <bool down, class Term = Itself>
struct Extreme : Term {
    static constexpr float LEAST = std::is_same_v<Term, Itself> ? -__builtin_huge_valf() : 0;
    static constexpr float START = down ? __builtin_huge_valf() : LEAST;
    static Vec join(Vec x, Vec y) { return down ? minimum(x, y) : maximum(x, y); }
    static double row(const float* x, int64_t n) { return join_row<Extreme>(x, n); }
    static double join_rows(double x, double y) { return (down ? x < y : x > y) || x != x ? x : y; }
};

// Rows shorter than a vector: a vector for element i of as many rows.
template <class Kind>
void reduce_short(const Reduction& r, const float* x, float divisor, float* out) {
    for_rows((r.k0 + WIDTH - 1) / WIDTH, WIDTH * r.r1, [&](int64_t block) {
        const int64_t first = block * WIDTH, count = std::min<int64_t>(WIDTH, r.k0 - first);
        Vec all = splat(Kind::START);
        for (int64_t i = 0; i < r.r1; ++i) {
            alignas(64) float lanes[WIDTH] = {};
            for (int64_t j = 0; j < count; ++j) lanes[j] = x[(first + j) * r.r1 + i];
            all = Kind::join(Kind::of(load(lanes)), all);
        }
        store_up_to(out + first, all / divisor, count);
    });
}

// k1 is 1: rows of r1 elements. A long one is cut, at places that its length alone decides.
template <class Kind>
void reduce_rows(const Reduction& r, const float* x, float divisor, float* out) {
    const int64_t pieces = r.k0 == 1 ? std::max<int64_t>(1, r.r1 / LONG) : 1;
    if (r.k0 == 1 && pieces > 1) {
        auto* found = reinterpret_cast<double*>(scratch(0, 2 * r.r0 * pieces));
        parallel(r.r0 * pieces, [&](int64_t block) {
            const int64_t row = block / pieces, i = block % pieces;
            const int64_t begin = i * r.r1 / pieces, end = (i + 1) * r.r1 / pieces;
            found[block] = Kind::row(x + row * r.r1 + begin, end - begin);
        });
        double all = Kind::START;
        for (int64_t i = 0; i < r.r0 * pieces; ++i) all = Kind::join_rows(found[i], all);
        *out = float(all / divisor);
        return;
    }
    if (r.r0 == 1 && r.r1 < WIDTH) return reduce_short<Kind>(r, x, divisor, out);
    for_rows(r.k0, r.r0 * r.r1, [&](int64_t k) {
        double all = Kind::START;
        for (int64_t i = 0; i < r.r0; ++i)
            all = Kind::join_rows(Kind::row(x + (i * r.k0 + k) * r.r1, r.r1), all);
        out[k] = float(all / divisor);
    });
}

// to[j] = join(Term::of(row[j]), to[j])
template <class Kind, class Term>
void join_into(float* to, const float* row, int64_t n) {
    along(n, [&](int64_t j, int64_t count) {
        const Vec joined =
            Kind::join(Term::of(load_up_to(row + j, count)), load_up_to(to + j, count));
        store_up_to(to + j, joined, count);
    });
}

// Columns first .. first + wide - 1 of k0's matrix k, some rows at a time.
template <class Kind>
void reduce_columns(const Reduction& r, const float* x, float divisor, float* out, int64_t k,
                    int64_t first, int64_t wide) {
    const int64_t rows = r.r0 * r.r1;
    float *all = out + k * r.k1 + first, *part = scratch(1, wide);
    std::fill_n(all, wide, Kind::START);
    for (int64_t begin = 0; begin < rows; begin += ROWS_AT_A_TIME) {
        std::fill_n(part, wide, Kind::START);
        for (int64_t i = begin; i < std::min(rows, begin + ROWS_AT_A_TIME); ++i)
            join_into<Kind, Kind>(
                part, x + ((i / r.r1 * r.k0 + k) * r.r1 + i % r.r1) * r.k1 + first, wide);
        join_into<Kind, Itself>(all, part, wide);
    }
    for (int64_t j = 0; j < wide; ++j) all[j] /= divisor;
}

template <class Kind>
void apply(const Reduction& r, const float* x, float divisor, float* out) {
    if (r.k1 == 1) return reduce_rows<Kind>(r, x, divisor, out);
    const int64_t work = r.r0 * r.r1 * r.k1;  // of one matrix
    const int64_t strips = r.k0 > 1 ? 1 : std::clamp<int64_t>(work / LONG, 1, (r.k1 + 63) / 64);
    const int64_t step = ((r.k1 + strips - 1) / strips + 15) / 16 * 16;
    for_rows(r.k0 * strips, work / strips, [&](int64_t block) {
        const int64_t first = block % strips * step, wide = std::min(step, r.k1 - first);
        if (wide > 0) reduce_columns<Kind>(r, x, divisor, out, block / strips, first, wide);
    });
}

}  // namespace

void reduce(Reduce kind, const Reduction& r, const float* x, float divisor, float* out) {
    switch (kind) {
        case Reduce::sum: return apply<Sum<Itself>>(r, x, divisor, out);
        case Reduce::product: return apply<Multiplied>(r, x, divisor, out);
        case Reduce::largest: return apply<Extreme<false>>(r, x, divisor, out);
        case Reduce::smallest: return apply<Extreme<true>>(r, x, divisor, out);
        case Reduce::squares: return apply<Sum<Square>>(r, x, divisor, out);
        case Reduce::magnitudes: return apply<Sum<Magnitude>>(r, x, divisor, out);
        case Reduce::greatest: return apply<Extreme<false, Magnitude>>(r, x, divisor, out);
        case Reduce::least: return apply<Extreme<true, Magnitude>>(r, x, divisor, out);
    }
}

}  // namespace tallow::ISA
