// Discrete Fourier transforms of many lines whose length has the factors 2, 3 and 5 alone: as many
// lines at a time as a vector has lanes, by Stockham's passes, which need no reordering. See
// C. Van Loan, "Computational Frameworks for the Fast Fourier Transform" (1992), 1.7.
#include <cmath>
#include <numbers>
#include <vector>

#include "lanes.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

struct Complex {
    Vec re, im;
};
inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex operator*(Complex a, float s) { return {a.re * s, a.im * s}; }
inline Complex turned(Complex a) { return {a.im, -a.re}; }  // times -i

// The powers of exp(-2 pi i / n), as pairs.
const float* roots(int64_t n) {
    thread_local std::vector<float> table;
    thread_local int64_t length = 0;
    if (length == n) return table.data();
    table.resize(size_t(2 * n)), length = n;
    for (int64_t k = 0; k < n; ++k) {
        const double angle = -2 * std::numbers::pi * double(k) / double(n);
        table[size_t(2 * k)] = float(std::cos(angle));
        table[size_t(2 * k + 1)] = float(std::sin(angle));
    }
    return table.data();
}

template <int R>
inline void butterfly(Complex (&a)[R]) {
    if constexpr (R == 2) {
        const Complex sum = a[0] + a[1];
        a[1] = a[0] - a[1], a[0] = sum;
    } else if constexpr (R == 4) {
        const Complex even = a[0] + a[2], odd = a[1] + a[3];
        const Complex gap = a[0] - a[2], other = turned(a[1] - a[3]);
        a[0] = even + odd, a[1] = gap + other, a[2] = even - odd, a[3] = gap - other;
    } else if constexpr (R == 3) {
        const Complex sum = a[1] + a[2], gap = turned(a[1] - a[2]) * 0.8660254037844386f;
        const Complex mid = a[0] - sum * 0.5f;
        a[0] = a[0] + sum, a[1] = mid + gap, a[2] = mid - gap;
    } else {
        constexpr float C1 = 0.30901699437494745f, C2 = -0.8090169943749475f;
        constexpr float S1 = 0.9510565162951535f, S2 = 0.5877852522924731f;
        const Complex sum1 = a[1] + a[4], sum2 = a[2] + a[3];
        const Complex gap1 = turned(a[1] - a[4]), gap2 = turned(a[2] - a[3]);
        const Complex mid1 = a[0] + sum1 * C1 + sum2 * C2, mid2 = a[0] + sum1 * C2 + sum2 * C1;
        const Complex far1 = gap1 * S1 + gap2 * S2, far2 = gap1 * S2 - gap2 * S1;
        a[0] = a[0] + sum1 + sum2;
        a[1] = mid1 + far1, a[4] = mid1 - far1, a[2] = mid2 + far2, a[3] = mid2 - far2;
    }
}

// One pass: of what is n long, stride apart, R parts become one.
template <int R>
void pass(int64_t n, int64_t stride, const float* root, const Complex* from, Complex* to) {
    const int64_t part = n / R;
    for (int64_t p = 0; p < part; ++p) {
        float re[R], im[R];
        for (int k = 1; k < R; ++k)
            re[k] = root[2 * p * k * stride], im[k] = root[2 * p * k * stride + 1];
        for (int64_t q = 0; q < stride; ++q) {
            Complex a[R];
            for (int k = 0; k < R; ++k) a[k] = from[q + stride * (p + part * k)];
            butterfly<R>(a);
            Complex* out = to + q + stride * R * p;
            out[0] = a[0];
            for (int k = 1; k < R; ++k)
                out[k * stride] = {a[k].re * re[k] - a[k].im * im[k],
                                   a[k].re * im[k] + a[k].im * re[k]};
        }
    }
}

// The transform of `x`, or where it lies in the end: in `other`.
Complex* transform(int64_t n, Complex* x, Complex* other) {
    const float* root = roots(n);
    for (int64_t left = n, stride = 1; left > 1; std::swap(x, other)) {
        if (left % 4 == 0)
            pass<4>(left, stride, root, x, other), left /= 4, stride *= 4;
        else if (left % 2 == 0)
            pass<2>(left, stride, root, x, other), left /= 2, stride *= 2;
        else if (left % 3 == 0)
            pass<3>(left, stride, root, x, other), left /= 3, stride *= 3;
        else
            pass<5>(left, stride, root, x, other), left /= 5, stride *= 5;
    }
    return x;
}

struct Room {
    Complex *first, *second;
    explicit Room(int64_t n) {
        const int64_t floats = (n + WIDTH) * int64_t(sizeof(Complex) / sizeof(float));
        first = reinterpret_cast<Complex*>(scratch(0, floats));
        second = reinterpret_cast<Complex*>(scratch(1, floats));
    }
};

// body(i, square): `count` rows of n floats at `from`, `row` apart, turned: vectors i ... of the
// square are columns i ...
template <class Body>
void read_rows(const float* from, int64_t row, int64_t count, int64_t n, const Body& body) {
    for (int64_t i = 0; i < n; i += WIDTH) {
        Vec square[WIDTH] = {};
        for (int64_t r = 0; r < count; ++r)
            square[r] = load_up_to(from + r * row + i, std::min<int64_t>(WIDTH, n - i));
        turn(square);
        body(i, square);
    }
}

// The reverse: body fills a square.
template <class Body>
void write_rows(float* to, int64_t row, int64_t count, int64_t n, const Body& body) {
    for (int64_t i = 0; i < n; i += WIDTH) {
        Vec square[WIDTH];
        body(i, square);
        turn(square);
        for (int64_t r = 0; r < count; ++r)
            store_up_to(to + r * row + i, square[r], std::min<int64_t>(WIDTH, n - i));
    }
}

// Lanes of x and y in turns: those of the lower half, and of the upper.
struct PairsOfLow {
    constexpr int operator()(int i) const { return i / 2 + i % 2 * WIDTH; }
};
struct PairsOfHigh {
    constexpr int operator()(int i) const { return PairsOfLow{}(i) + WIDTH / 2; }
};

constexpr int64_t HALF = WIDTH / 2;  // complex numbers in a vector

// Lines of complex numbers that are rows.
void transform_rows(const Lines& l, bool inverse, float scale, const float* x, float* out) {
    const int64_t row = 2 * l.length;
    for_rows((l.outer + WIDTH - 1) / WIDTH, row * WIDTH, [&](int64_t block) {
        const int64_t first = block * WIDTH, count = std::min<int64_t>(WIDTH, l.outer - first);
        const Room room(l.length);
        read_rows(x + first * row, row, count, row, [&](int64_t i, const Vec* square) {
            for (int64_t k = 0; k < HALF; ++k)
                room.first[i / 2 + k] = {square[2 * k + inverse], square[2 * k + !inverse]};
        });
        const Complex* found = transform(l.length, room.first, room.second);
        write_rows(out + first * row, row, count, row, [&](int64_t i, Vec* square) {
            for (int64_t k = 0; k < HALF; ++k) {
                const Complex z = found[i / 2 + k] * scale;
                square[2 * k + inverse] = z.re, square[2 * k + !inverse] = z.im;
            }
        });
    });
}

// Lines that are neighbours in memory.
void transform_columns(const Lines& l, bool inverse, float scale, const float* x, float* out) {
    const int64_t blocks = (l.inner + WIDTH - 1) / WIDTH, row = 2 * l.inner;
    for_rows(l.outer * blocks, 2 * l.length * WIDTH, [&](int64_t block) {
        const int64_t first = block % blocks * WIDTH;
        const int64_t floats = 2 * std::min<int64_t>(WIDTH, l.inner - first);
        const int64_t low = std::min<int64_t>(WIDTH, floats), high = floats - low;
        const int64_t at = block / blocks * l.length * row + 2 * first;
        const Room room(l.length);
        for (int64_t i = 0; i < l.length; ++i) {
            const Vec a = load_up_to(x + at + i * row, low);
            const Vec b = high ? load_up_to(x + at + i * row + WIDTH, high) : Vec{};
            const Vec re = every_second(a, b), im = shuffled<Odds>(a, b);
            room.first[i] = inverse ? Complex{im, re} : Complex{re, im};
        }
        const Complex* found = transform(l.length, room.first, room.second);
        for (int64_t i = 0; i < l.length; ++i) {
            const Complex z = found[i] * scale;
            const Vec re = inverse ? z.im : z.re, im = inverse ? z.re : z.im;
            store_up_to(out + at + i * row, shuffled<PairsOfLow>(re, im), low);
            if (high) store_up_to(out + at + i * row + WIDTH, shuffled<PairsOfHigh>(re, im), high);
        }
    });
}

}  // namespace

void fft(const Lines& l, bool inverse, float scale, const float* x, float* out) {
    (l.inner == 1 ? transform_rows : transform_columns)(l, inverse, scale, x, out);
}

// Two lines as the parts of one of complex numbers.
void rfft(int64_t lines, int64_t n, float scale, const float* x, float* out) {
    const int64_t kept = 2 * (n / 2 + 1);
    for_rows((lines + 2 * WIDTH - 1) / (2 * WIDTH), 2 * n * WIDTH, [&](int64_t block) {
        const int64_t line = block * 2 * WIDTH;
        const int64_t first = std::min<int64_t>(WIDTH, lines - line);
        const int64_t second = std::min<int64_t>(WIDTH, lines - line - first);
        const Room room(n);
        read_rows(x + line * n, n, first, n, [&](int64_t i, const Vec* square) {
            for (int64_t k = 0; k < WIDTH; ++k) room.first[i + k].re = square[k];
        });
        read_rows(x + (line + first) * n, n, second, n, [&](int64_t i, const Vec* square) {
            for (int64_t k = 0; k < WIDTH; ++k) room.first[i + k].im = square[k];
        });
        const Complex* z = transform(n, room.first, room.second);
        const float half = scale * 0.5f;
        auto write = [&](int64_t from, int64_t count, bool imaginary) {
            write_rows(out + from * kept, kept, count, kept, [&](int64_t i, Vec* square) {
                for (int64_t k = 0; k < HALF; ++k) {
                    const int64_t at = std::min(i / 2 + k, n / 2);
                    const Complex a = z[at], b = z[at ? n - at : 0];
                    const Vec re = imaginary ? a.im + b.im : a.re + b.re;
                    const Vec im = imaginary ? b.re - a.re : a.im - b.im;
                    square[2 * k] = re * half, square[2 * k + 1] = im * half;
                }
            });
        };
        write(line, first, false), write(line + first, second, true);
    });
}

// The reverse: x has n / 2 + 1 frequencies.
void irfft(int64_t lines, int64_t n, float scale, const float* x, float* out) {
    const int64_t kept = 2 * (n / 2 + 1);
    for_rows((lines + 2 * WIDTH - 1) / (2 * WIDTH), 2 * n * WIDTH, [&](int64_t block) {
        const int64_t line = block * 2 * WIDTH;
        const int64_t first = std::min<int64_t>(WIDTH, lines - line);
        const int64_t second = std::min<int64_t>(WIDTH, lines - line - first);
        const Room room(n);
        std::fill_n(room.first, n, Complex{});
        // (a + i b) at k is (a.re - b.im, a.im + b.re); at n - k, where both are conjugate, (a.re +
        // b.im, b.re - a.im). The parts are exchanged, as the transform is the inverse.
        auto read = [&](int64_t from, int64_t count, bool imaginary) {
            read_rows(x + from * kept, kept, count, kept, [&](int64_t i, const Vec* square) {
                for (int64_t k = 0; k < HALF && i / 2 + k <= n / 2; ++k) {
                    const int64_t at = i / 2 + k;
                    const bool alone = at == 0 || 2 * at == n;
                    const Vec re = square[2 * k], im = alone ? Vec{} : square[2 * k + 1];
                    Complex &a = room.first[at], &b = room.first[at ? n - at : 0];
                    if (imaginary) {
                        a = a + Complex{re, -im};
                        if (!alone) b = b + Complex{re, im};
                    } else {
                        a = a + Complex{im, re};
                        if (!alone) b = b + Complex{-im, re};
                    }
                }
            });
        };
        read(line, first, false), read(line + first, second, true);
        const Complex* z = transform(n, room.first, room.second);
        write_rows(out + line * n, n, first, n, [&](int64_t i, Vec* square) {
            for (int64_t k = 0; k < WIDTH; ++k) square[k] = z[i + k].im * scale;
        });
        write_rows(out + (line + first) * n, n, second, n, [&](int64_t i, Vec* square) {
            for (int64_t k = 0; k < WIDTH; ++k) square[k] = z[i + k].re * scale;
        });
    });
}

}  // namespace tallow::ISA
