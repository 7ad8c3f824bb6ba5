// Products of many small matrices with few columns: what takes time is to pack A, so it is read
// where it lies.
#include <type_traits>

#include "gemm.hpp"
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t NARROW = 64;            // columns
constexpr int64_t PACKED = 16 * 1024;  // elements of B that stay in a cache
constexpr int HIGH = WIDTH == 16 ? 8 : 4;

template <bool value>
using Known = std::bool_constant<value>;

// COUNT rows of C times the V vectors of columns from j on; the last has `there` columns, WIDTH if
// it is whole. Neighbours in a row of A are `column` apart.
template <int COUNT, int V, class Whole, class Column>
void piece(Whole whole, const float* a, int64_t row, Column column, const float* b, int64_t b_row,
           int64_t depth, float* c, int64_t c_row, int64_t there) {
    Vec sums[COUNT][V] = {};
    for (int64_t k = 0; k < depth; ++k, a += column, b += b_row) {
        Vec right[V];
        for (int v = 0; v < V; ++v)
            right[v] = whole || v < V - 1 ? load(b + v * WIDTH) : load_some(b + v * WIDTH, there);
        for (int i = 0; i < COUNT; ++i) {
            const Vec left = splat(a[i * row]);
            for (int v = 0; v < V; ++v) sums[i][v] += left * right[v];
        }
    }
    for (int i = 0; i < COUNT; ++i)
        for (int v = 0; v < V; ++v)
            store_up_to(c + i * c_row + v * WIDTH, sums[i][v], v < V - 1 ? WIDTH : there);
}

template <int COUNT>
void rows_of(const Matrix& a, const float* b, int64_t b_row, int64_t depth, float* c, int64_t n) {
    auto vectors = [&](auto whole, auto count, int64_t j, int64_t there) {
        constexpr int V = count;
        if (a.column == 1)
            piece<COUNT, V>(whole, a.data, a.row, std::integral_constant<int64_t, 1>{}, b + j,
                            b_row, depth, c + j, n, there);
        else
            piece<COUNT, V>(whole, a.data, a.row, a.column, b + j, b_row, depth, c + j, n, there);
    };
    const std::integral_constant<int, 1> one;
    const std::integral_constant<int, 2> two;
    int64_t j = 0;
    for (; j + 2 * WIDTH <= n; j += 2 * WIDTH) vectors(Known<true>{}, two, j, WIDTH);
    if (j + WIDTH < n)
        vectors(Known<false>{}, two, j, n - j - WIDTH);
    else if (j + WIDTH == n)
        vectors(Known<true>{}, one, j, WIDTH);
    else if (j < n)
        vectors(Known<false>{}, one, j, n - j);
}

}  // namespace

bool multiply_narrow(const Product& p) {
    if (p.batch == 1 || p.n > NARROW || p.k * p.n > PACKED || p.bias) return false;
    for_rows(p.batch, p.m * p.n * p.k / 8, [&](int64_t image) {
        const float* b = p.b.data + image * p.b.batch;
        int64_t b_row = p.b.row;
        if (p.b.column != 1) {
            b_row = p.n;
            float* packed = scratch(0, p.k * p.n);
            pack_strip(b, p.b.column, p.b.row, p.n, p.n, p.k, packed);
            b = packed;
        }
        Matrix a{p.a.data + image * p.a.batch, p.a.row, p.a.column};
        float* c = p.c + image * p.m * p.n;
        int64_t i = 0;
        for (; i + HIGH <= p.m; i += HIGH, a.data += HIGH * a.row, c += HIGH * p.n)
            rows_of<HIGH>(a, b, b_row, p.k, c, p.n);
        for (; i + HIGH / 4 <= p.m; i += HIGH / 4, a.data += HIGH / 4 * a.row, c += HIGH / 4 * p.n)
            rows_of<HIGH / 4>(a, b, b_row, p.k, c, p.n);
        for (; i < p.m; ++i, a.data += a.row, c += p.n) rows_of<1>(a, b, b_row, p.k, c, p.n);
    });
    return true;
}

}  // namespace tallow::ISA
