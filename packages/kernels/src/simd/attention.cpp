// Attention of many heads without the matrix of weights: a strip of COLUMNS queries at a time,
// whose scores stay in the L2 cache. Scores are kept transposed, (keys, queries), so that the
// softmax runs over vectors of queries, and they are B of the next product as they are. The
// gradient recomputes them from the logarithms of the sums: Dao et al., "FlashAttention", 2022.
#include <cmath>

#include "gemm.hpp"
#include "math.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

constexpr float LOWEST = -__builtin_huge_valf();

int64_t whole_rows(int64_t n) { return (n + ROWS - 1) / ROWS * ROWS; }
int64_t whole_columns(int64_t n) { return (n + COLUMNS - 1) / COLUMNS * COLUMNS; }

// to[rows][COLUMNS] = strips of A (rows rounded up, a_depth), as deep as said, times one strip of
// B.
void times_strip(int64_t rows, int64_t depth, const float* a, int64_t a_depth, const float* b,
                 float* to) {
    for (int64_t i = 0; i < rows; i += ROWS, a += ROWS * a_depth, to += ROWS * COLUMNS) {
        Vec piece[ROWS][VECTORS];
        multiply_strips(ROWS, depth, a, b, piece);
        for (int r = 0; r < ROWS; ++r)
            for (int j = 0; j < VECTORS; ++j) store(to + r * COLUMNS + j * WIDTH, piece[r][j]);
    }
}

// c (rows, columns) += A B, for A in strips and B in strips of this depth.
void add_product(int64_t rows, int64_t columns, int64_t depth, const float* a, const float* b,
                 float* c) {
    for (int64_t i = 0; i < rows; i += ROWS)
        for (int64_t j = 0; j < columns; j += COLUMNS) {
            const int64_t high = std::min<int64_t>(ROWS, rows - i);
            Vec piece[ROWS][VECTORS];
            multiply_strips(high, depth, a + i * depth, b + j * depth, piece);
            put_piece(piece, c + i * columns + j, columns, high,
                      std::min<int64_t>(COLUMNS, columns - j), true);
        }
}

// A matrix (count, width) with rows `row` apart as the B strip [width][COLUMNS] of its transpose.
void pack_turned(const float* from, int64_t row, int64_t count, int64_t width, float* to) {
    pack_strip(from, row, 1, count, COLUMNS, width, to);
}

// The same as B strips [strip of width][COLUMNS queries][COLUMNS], rows past `count` being 0.
void pack_plain(const float* from, int64_t row, int64_t count, int64_t width, float* to) {
    for (int64_t j = 0; j < width; j += COLUMNS, to += COLUMNS * COLUMNS) {
        const int64_t wide = std::min<int64_t>(COLUMNS, width - j);
        std::fill_n(to, COLUMNS * COLUMNS, 0.0f);
        for (int64_t i = 0; i < count; ++i)
            std::memcpy(to + i * COLUMNS, from + i * row + j, size_t(wide) * sizeof(float));
    }
}

// [keys][COLUMNS] as A strips [strip of keys][COLUMNS][ROWS]: its transpose is what is multiplied.
void pack_scores(const float* scores, int64_t keys, float* to) {
    for (int64_t i = 0; i < keys; i += ROWS)
        transpose(scores + i * COLUMNS, COLUMNS, ROWS, COLUMNS, to + i * COLUMNS, ROWS);
}

// to (count, width) = the transpose of from [width][COLUMNS].
void put_turned(const float* from, int64_t count, int64_t width, float* to) {
    transpose(from, COLUMNS, width, count, to, width);
}

// One head's matrices; `keys` is how many the queries of a strip see at most.
struct Head {
    const Attention& a;
    const float *q, *k, *v, *bias, *keep;

    Head(const Attention& attention, int64_t i)
        : a(attention),
          q(a.q[i]),
          k(a.k[i]),
          v(a.v[i]),
          bias(a.bias ? a.bias[i] : nullptr),
          keep(a.keep ? a.keep[i] : nullptr) {}

    int64_t seen(int64_t first) const {
        return a.causal ? std::min(a.keys, first + COLUMNS) : a.keys;
    }

    // Adds to scaled scores [keys][COLUMNS] what hides keys from queries first .. first + count
    // - 1.
    void hide(float* scores, int64_t first, int64_t count, int64_t keys, float* space) const {
        if (bias && a.bias_row) {
            pack_turned(bias + first * a.bias_row, a.bias_row, count, keys, space);
            for (int64_t i = 0; i < keys * COLUMNS; i += WIDTH)
                store(scores + i, load(scores + i) + load(space + i));
        } else if (bias) {
            for (int64_t key = 0; key < keys; ++key)
                for (int j = 0; j < COLUMNS; j += WIDTH)
                    store(scores + key * COLUMNS + j,
                          load(scores + key * COLUMNS + j) + splat(bias[key]));
        }
        if (!a.causal) return;
        for (int64_t key = first + 1; key < keys; ++key)
            std::fill_n(scores + key * COLUMNS, std::min<int64_t>(key - first, COLUMNS), LOWEST);
    }

    // weights[keys][COLUMNS] *= keep^T, of queries first .. first + count - 1.
    void drop(float* weights, int64_t first, int64_t count, int64_t keys, float* space) const {
        if (!keep) return;
        pack_turned(keep + first * a.keep_row, a.keep_row, count, keys, space);
        for (int64_t i = 0; i < keys * COLUMNS; i += WIDTH)
            store(weights + i, load(weights + i) * load(space + i));
    }

    // scores[keys][COLUMNS] = (scale q k^T + bias)^T
    void scores(const float* packed_k, float* packed_q, int64_t first, int64_t count, int64_t keys,
                float* to, float* space) const {
        pack_turned(q + first * a.q_row, a.q_row, count, a.width, packed_q);
        const Vec scale = splat(a.scale);
        for (int64_t i = 0; i < a.width * COLUMNS; i += WIDTH)
            store(packed_q + i, load(packed_q + i) * scale);
        times_strip(keys, a.width, packed_k, a.width, packed_q, to);
        hide(to, first, count, keys, space);
    }
};

// The softmax of each column of scores[keys][COLUMNS], not yet divided by the sums; gives 1 / sum
// and the logarithms of the sums, infinite where all keys are hidden.
void softmax_columns(float* scores, int64_t keys, float* inverse, float* level) {
    for (int j = 0; j < COLUMNS; j += WIDTH) {
        Vec top = splat(LOWEST), total{};
        for (int64_t i = 0; i < keys; ++i) top = maximum(load(scores + i * COLUMNS + j), top);
        const Vec shift = select(top == LOWEST, Vec{}, top);
        for (int64_t i = 0; i < keys; ++i) {
            const Vec e = exp_or_zero(load(scores + i * COLUMNS + j) - shift);
            store(scores + i * COLUMNS + j, e);
            total += e;
        }
        const Ints none = total == 0.0f;
        store(inverse + j, 1.0f / select(none, splat(1), total));
        for (int lane = 0; lane < WIDTH; ++lane)
            level[j + lane] = none[lane] ? -LOWEST : std::log(total[lane]) + shift[lane];
    }
}

void forward(const Attention& a, int64_t item, int64_t first_strip, int64_t strips, float* out,
             float* level) {
    const Head head(a, item);
    const int64_t keys = whole_rows(a.keys), values = whole_rows(a.values);
    float* packed_k = scratch(0, keys * a.width + values * a.keys);  // [strip of keys][width][ROWS]
    float* packed_v = packed_k + keys * a.width;  // [strip of values][keys][ROWS]
    float* packed_q = scratch(1, COLUMNS * (a.width + 2 * keys + values));  // [width][COLUMNS]
    float *scores = packed_q + COLUMNS * a.width, *space = scores + COLUMNS * keys,
          *turned = space + COLUMNS * keys;  // turned: [values][COLUMNS]
    pack_rows({head.k, a.k_row, 1}, 0, a.keys, 0, a.width, packed_k);
    pack_rows({head.v, 1, a.v_row}, 0, a.values, 0, a.keys, packed_v);
    alignas(64) float inverse[COLUMNS], levels[COLUMNS];
    for (int64_t strip = first_strip; strip < first_strip + strips; ++strip) {
        const int64_t first = strip * COLUMNS, seen = head.seen(first);
        const int64_t count = std::min<int64_t>(COLUMNS, a.queries - first);
        head.scores(packed_k, packed_q, first, count, seen, scores, space);
        softmax_columns(scores, seen, inverse, levels);
        head.drop(scores, first, count, seen, space);
        times_strip(a.values, seen, packed_v, a.keys, scores, turned);
        for (int64_t i = 0; i < a.values * COLUMNS; i += WIDTH)
            store(turned + i, load(turned + i) * load(inverse + i % COLUMNS));
        put_turned(turned, count, a.values, out + (item * a.queries + first) * a.values);
        std::memcpy(level + item * a.queries + first, levels, size_t(count) * sizeof(float));
    }
}

// weights[keys][COLUMNS] = exp(scores - level)
void weights_of(float* scores, int64_t keys, const float* level, int64_t count) {
    alignas(64) float shift[COLUMNS];
    std::fill_n(shift, COLUMNS, -LOWEST);
    std::memcpy(shift, level, size_t(count) * sizeof(float));
    for (int64_t i = 0; i < keys * COLUMNS; i += WIDTH)
        store(scores + i, exp_or_zero(load(scores + i) - load(shift + i % COLUMNS)));
}

// by_scores = weights * (by_weights - sum(weights by_weights)) * scale, in the place of by_weights
void slopes_of(const float* weights, float* by_weights, int64_t keys, float scale) {
    for (int j = 0; j < COLUMNS; j += WIDTH) {
        Vec mean{};
        for (int64_t i = j; i < keys * COLUMNS; i += COLUMNS)
            mean += load(weights + i) * load(by_weights + i);
        for (int64_t i = j; i < keys * COLUMNS; i += COLUMNS)
            store(by_weights + i, load(weights + i) * scale * (load(by_weights + i) - mean));
    }
}

struct Gradients {
    float *q, *k, *v;  // of one head
};

void backward(const Attention& a, int64_t item, const float* g, const float* level,
              const Gradients& to) {
    const Head head(a, item);
    const int64_t keys = whole_rows(a.keys), width = whole_rows(a.width);
    const int64_t wide = whole_columns(std::max(a.width, a.values));
    float* packed_k = scratch(0, keys * (a.width + a.values) + width * a.keys);
    float* packed_v = packed_k + keys * a.width;   // [strip of keys][values][ROWS]
    float* turned_k = packed_v + keys * a.values;  // [strip of width][keys][ROWS]
    const int64_t deep = std::max(a.width, a.values);
    float* strip_b = scratch(1, COLUMNS * (deep + 4 * keys + width + wide));
    float *weights = strip_b + COLUMNS * deep, *slopes = weights + COLUMNS * keys,
          *packed = slopes + COLUMNS * keys, *space = packed + COLUMNS * keys,
          *turned = space + COLUMNS * keys, *plain = turned + COLUMNS * width;
    pack_rows({head.k, a.k_row, 1}, 0, a.keys, 0, a.width, packed_k);
    pack_rows({head.v, a.v_row, 1}, 0, a.keys, 0, a.values, packed_v);
    pack_rows({head.k, 1, a.k_row}, 0, a.width, 0, a.keys, turned_k);
    std::fill_n(to.k, a.keys * a.width, 0.0f);
    std::fill_n(to.v, a.keys * a.values, 0.0f);
    for (int64_t first = 0; first < a.queries; first += COLUMNS) {
        const int64_t count = std::min<int64_t>(COLUMNS, a.queries - first),
                      seen = head.seen(first);
        const float* d = g + first * a.values;
        head.scores(packed_k, strip_b, first, count, seen, weights, space);
        weights_of(weights, seen, level + first, count);
        pack_turned(d, a.values, count, a.values, strip_b);
        times_strip(seen, a.values, packed_v, a.values, strip_b, slopes);
        head.drop(slopes, first, count, seen, space);
        slopes_of(weights, slopes, seen, a.scale);
        head.drop(weights, first, count, seen, space);

        times_strip(a.width, seen, turned_k, a.keys, slopes, turned);
        put_turned(turned, count, a.width, to.q + first * a.width);

        pack_plain(d, a.values, count, a.values, plain);
        pack_scores(weights, seen, packed);
        add_product(seen, a.values, COLUMNS, packed, plain, to.v);
        pack_plain(head.q + first * a.q_row, a.q_row, count, a.width, plain);
        pack_scores(slopes, seen, packed);
        add_product(seen, a.width, COLUMNS, packed, plain, to.k);
    }
}

}  // namespace

void attention(const Attention& a, float* out, float* level) {
    const int64_t strips = (a.queries + COLUMNS - 1) / COLUMNS;
    const int64_t wanted = (2 * get_threads() + a.heads - 1) / a.heads;  // parts of each head
    const int64_t parts = std::max<int64_t>(1, std::min(wanted, strips / 2));
    parallel(a.heads * parts, [&](int64_t block) {
        const int64_t part = block % parts, begin = part * strips / parts;
        forward(a, block / parts, begin, (part + 1) * strips / parts - begin, out, level);
    });
}

void attention_grad(const Attention& a, const float* g, const float* level, float* q_grad,
                    float* k_grad, float* v_grad) {
    parallel(a.heads, [&](int64_t i) {
        const int64_t values = i * a.queries * a.values;
        backward(a, i, g + values, level + i * a.queries,
                 {q_grad + i * a.queries * a.width, k_grad + i * a.keys * a.width,
                  v_grad + i * a.keys * a.values});
    });
}

}  // namespace tallow::ISA
