// Comparisons, and choices by them. Bool arrays are bytes, 0 or 1.
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t GRAIN = 1 << 15;  // elements that are worth a thread

typedef uint8_t Bytes __attribute__((vector_size(WIDTH)));

inline Vec operand(const float* x, bool number, int64_t i, int64_t count) {
    return number ? splat(*x) : load_up_to(x + i, count);
}

template <class F>
void test(const float* x, const float* y, bool number, uint8_t* out, int64_t n, const F& f) {
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        along(end - begin, [&](int64_t j, int64_t count) {
            const int64_t i = begin + j;
            const Ints yes = f(load_up_to(x + i, count), operand(y, number, i, count));
            const Bytes bytes = __builtin_convertvector(yes & 1, Bytes);
            std::memcpy(out + i, &bytes, size_t(count));
        });
    });
}

}  // namespace

void compare(Comparison which, const float* x, const float* y, bool number, uint8_t* out,
             int64_t n) {
    switch (which) {
        case Comparison::equal:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a == b; });
        case Comparison::not_equal:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a != b; });
        case Comparison::less:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a < b; });
        case Comparison::less_equal:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a <= b; });
        case Comparison::greater:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a > b; });
        case Comparison::greater_equal:
            return test(x, y, number, out, n, [](Vec a, Vec b) { return a >= b; });
    }
}

void where(const uint8_t* condition, const float* x, bool x_number, const float* y, bool y_number,
           float* out, int64_t n) {
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        along(end - begin, [&](int64_t j, int64_t count) {
            const int64_t i = begin + j;
            Bytes bytes{};
            std::memcpy(&bytes, condition + i, size_t(count));
            const Ints yes = __builtin_convertvector(bytes, Ints) != 0;
            const Vec chosen =
                select(yes, operand(x, x_number, i, count), operand(y, y_number, i, count));
            store_up_to(out + i, chosen, count);
        });
    });
}

}  // namespace tallow::ISA
