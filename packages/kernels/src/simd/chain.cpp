// Chains of elementwise operations: one instruction after the other over tiles that stay in the L1
// cache, so that what lies between the first and the last never goes to memory.
#include <type_traits>

#include "math.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// Elements in a tile: few enough that while one is computed the next is fetched.
constexpr int64_t TILE = 512;

typedef uint8_t Bytes __attribute__((vector_size(WIDTH)));

// An operand of an instruction: elements of a tile, or a number for all.
struct Elements {
    const float* data;
    Vec at(int64_t i, int64_t count) const { return load_up_to(data + i, count); }
};
struct Same {
    Vec value;
    Vec at(int64_t, int64_t) const { return value; }
};

inline float number_of(uint8_t x) { return float(x); }
inline float number_of(float x) { return x; }

inline void widen(const uint8_t* from, float* to, int64_t count) {
    int64_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        Bytes bytes;
        std::memcpy(&bytes, from + i, sizeof bytes);
        store(to + i, __builtin_convertvector(__builtin_convertvector(bytes, Ints), Vec));
    }
    for (; i < count; ++i) to[i] = number_of(from[i]);
}

inline void widen(const float* from, float* to, int64_t count) {
    std::memcpy(to, from, size_t(count) * sizeof(float));
}

// Elements begin .. begin + count - 1 of what an array is repeated to.
template <class T>
void spread(const T* from, int64_t middle, int64_t inner, int64_t begin, int64_t count, float* to) {
    for (int64_t some; count > 0; begin += some, to += some, count -= some) {
        const int64_t place = begin / inner % middle;
        if (inner == 1) {
            some = std::min(middle - place, count);
            widen(from + place, to, some);
        } else {
            some = std::min(inner - begin % inner, count);
            std::fill_n(to, some, number_of(from[place]));
        }
    }
}

void read(const Stretch& x, int64_t begin, int64_t count, float* to) {
    if (x.bytes) {
        const auto* from = reinterpret_cast<const uint8_t*>(x.data);
        if (x.inner)
            spread(from, x.middle, x.inner, begin, count, to);
        else
            widen(from + begin, to, count);
    } else {
        spread(x.data, x.middle, x.inner, begin, count, to);
    }
}

// Elements begin .. begin + count - 1 of an array: where they are, or put into a tile. `held` is
// the place of the element of which the tile is full, or -1.
float* elements_of(const Stretch& x, int64_t begin, int64_t count, float* tile, int64_t& held) {
    if (!x.inner && !x.bytes) return x.data + begin;
    if (x.inner == 1 && !x.bytes && begin % x.middle + count <= x.middle)
        return x.data + begin % x.middle;
    if (x.inner > 1 && begin % x.inner + count <= x.inner) {
        const int64_t place = begin / x.inner % x.middle;
        if (held != place) {
            read(x, begin, 1, tile);
            std::fill_n(tile, TILE, *tile);
            held = place;
        }
    } else {
        read(x, begin, count, tile);
        held = -1;
    }
    return tile;
}

inline Vec truth(Ints condition) { return select(condition, splat(1), Vec{}); }

// to[i] = f(x[i] ...). All by value: what is stored cannot change it.
template <class F, class... X>
[[gnu::noinline, gnu::flatten]] void fill(float* to, int64_t count, F f, X... x) {
    along(count, [=](int64_t i, int64_t n) { store_up_to(to + i, f(x.at(i, n)...), n); });
}

// An instruction on `count` elements of the tiles `at`.
struct Tile {
    float* const* at;
    const float* numbers;
    int64_t count;
    const Instruction& step;

    bool same(int k) const { return step.from[k] < 0; }
    Same number(int k) const { return {splat(numbers[~step.from[k]])}; }
    Elements elements(int k) const { return {at[step.from[k]]}; }

    template <class F, class... X>
    void to(F f, X... x) const {
        fill(at[step.to], count, f, x...);
    }

    template <class F>
    void one(F f) const {
        same(0) ? to(f, number(0)) : to(f, elements(0));
    }

    void copy(int k) const {
        auto f = [](Vec x) { return x; };
        same(k) ? to(f, number(k)) : to(f, elements(k));
    }

    template <class F>
    void two(F f) const {
        if (same(0))
            to(f, number(0), elements(1));
        else
            same(1) ? to(f, elements(0), number(1)) : to(f, elements(0), elements(1));
    }

    template <class F>
    void three(F f) const {
        const Elements x = elements(0);
        if (same(1))
            same(2) ? to(f, x, number(1), number(2)) : to(f, x, number(1), elements(2));
        else
            same(2) ? to(f, x, elements(1), number(2)) : to(f, x, elements(1), elements(2));
    }

    void run() const {
        switch (step.link) {
            case Link::copy: return copy(0);
            case Link::negative: return one([](Vec x) { return -x; });
            case Link::abs: return one([](Vec x) { return absolute(x); });
            case Link::sign: return one([](Vec x) { return sign_of(x); });
            case Link::sqrt: return one([](Vec x) { return root(x); });
            case Link::exp: return one([](Vec x) { return exp(x); });
            case Link::expm1: return one([](Vec x) { return expm1(x); });
            case Link::log: return one([](Vec x) { return log(x); });
            case Link::log1p: return one([](Vec x) { return log1p(x); });
            case Link::sin: return one([](Vec x) { return sine(x, 0); });
            case Link::cos: return one([](Vec x) { return sine(x, 1); });
            case Link::erf: return one([](Vec x) { return erf(x); });
            case Link::floor: return one([](Vec x) { return floored(x); });
            case Link::trunc: return one([](Vec x) { return truncated(x); });
            case Link::tanh: return one([](Vec x) { return tanh(x); });
            case Link::sigmoid: return one([](Vec x) { return sigmoid(x); });
            case Link::normal_cdf: return one([](Vec x) { return normal_cdf(x); });
            case Link::normal_density: return one([](Vec x) { return normal_density(x); });
            case Link::add: return two([](Vec x, Vec y) { return x + y; });
            case Link::sub: return two([](Vec x, Vec y) { return x - y; });
            case Link::mul: return two([](Vec x, Vec y) { return x * y; });
            case Link::div: return two([](Vec x, Vec y) { return x / y; });
            case Link::maximum: return two([](Vec x, Vec y) { return maximum(x, y); });
            case Link::minimum: return two([](Vec x, Vec y) { return minimum(x, y); });
            case Link::copysign: return two([](Vec x, Vec y) { return with_sign(absolute(x), y); });
            case Link::less: return two([](Vec x, Vec y) { return truth(x < y); });
            case Link::less_equal: return two([](Vec x, Vec y) { return truth(x <= y); });
            case Link::where:
                if (same(0)) return copy(numbers[~step.from[0]] != 0 ? 1 : 2);
                return three([](Vec x, Vec y, Vec z) { return select(x != 0.0f, y, z); });
            case Link::multiply_add: return three([](Vec x, Vec y, Vec z) { return x * y + z; });
            case Link::multiply_sub: return three([](Vec x, Vec y, Vec z) { return z - x * y; });
            case Link::follow: return three([](Vec x, Vec y, Vec z) { return z + (x - z) * y; });
        }
    }
};

}  // namespace

void chain(const Chain& c, const Stretch* arrays, const float* numbers, int64_t begin,
           int64_t end) {
    float* at[MOST_TILES];
    int64_t held[MOST_TILES];
    float* const own = scratch(0, c.tiles * TILE);
    for (int k = 0; k < c.tiles; ++k) at[k] = own + k * TILE, held[k] = -1;
    for (int64_t i = begin; i < end; i += TILE) {
        const int64_t count = std::min(TILE, end - i);
        for (int k = 0; k < c.arrays; ++k)
            at[k] = elements_of(arrays[k], i, count, own + k * TILE, held[k]);
        for (int k = 0; k < c.count; ++k) Tile{at, numbers, count, c.steps[k]}.run();
    }
}

}  // namespace tallow::ISA
