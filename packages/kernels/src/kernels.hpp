// The kernels: what each computes, and the table in which one instruction set's are found.
//
// Arrays are float32, C-contiguous unless strides are given; sizes are in elements. Images are (N,
// C, H, W).
#pragma once

#include <atomic>
#include <cstdint>

namespace tallow {

struct Strided {
    const float* data;
    int64_t row, column, batch;  // elements between neighbours
};

// C (batch, m, n) = A (batch, m, k) B (batch, k, n) + bias (n), C contiguous.
struct Product {
    int64_t batch, m, n, k;
    Strided a, b;
    float* c;
    const float* bias;  // or null
    // A and B may be taken as sums of so many products of bfloat16: 1, their rounded values, or 3,
    // of two parts each. 0: they are float32.
    int parts = 0;
};

enum class Short { bfloat16, float16 };

struct ShortKernels;  // short_kernels.hpp

// An array of `ndim` axes: their sizes, and elements between neighbours. What a copy takes has no
// axis of size 1, nor two that could be one.
struct Layout {
    int ndim;
    const int64_t *shape, *strides;
};

// x (images, groups * in, H, W), weight (groups * out, in, kernel_y, kernel_x), y (images, groups *
// out, OH, OW): `in` and `out` are channels of one group.
struct Conv {
    int64_t images, groups, in, out, height, width, kernel_y, kernel_x, stride_y, stride_x;
    int64_t padding_y, padding_x, dilation_y, dilation_x, out_height, out_width;
};

enum class Unary {
    relu,
    exp,
    tanh,
    sigmoid,
    gelu,
    silu,
    hardsigmoid,
    hardswish,
    expm1,
    log,
    log1p,
    sqrt,
    rsqrt,
    reciprocal,
    square,
    sin,
    cos,
    erf,
    erfc,
    erfinv,
    neg,
    absolute,
    sign,
    floor,
    ceil,
    trunc,
    round,
};

enum class Binary { add, sub, mul, div, maximum, minimum, prelu, prelu_slope };

// An array (outer, middle, inner), and one of (middle) that is repeated along the others.
struct Repeat {
    int64_t outer, middle, inner;
};

// An array (r0, k0, r1, k1) whose axes r0 and r1 are reduced.
struct Reduction {
    int64_t r0, k0, r1, k1;
};

// The last four: of squares, and of magnitudes (`greatest` is the largest of them).
enum class Reduce { sum, product, largest, smallest, squares, magnitudes, greatest, least };

// An array (outer, length, inner), along whose middle axis lines go.
struct Lines {
    int64_t outer, length, inner;
};

enum class Scan { sum, product };

// What `order` can sort.
enum class Element { float32, float64, int32, int64 };

enum class Comparison { equal, not_equal, less, less_equal, greater, greater_equal };

// q (heads, queries, width), k (heads, keys, width), v (heads, keys, values): one pointer for each
// head, rows as far apart as said. bias (heads, queries, keys), or null, is added to the scaled
// scores; bias_row 0 is one row for all queries. Under `causal` query i sees the keys up to i. keep
// (heads, queries, keys), or null, are factors of the weights: dropout.
struct Attention {
    int64_t heads, queries, keys, width, values;
    const float *const *q, *const *k, *const *v, *const *bias, *const *keep;
    int64_t q_row, k_row, v_row, bias_row, keep_row;
    float scale;
    bool causal;
};

// The steps of a layer in the order in which it takes them: step t has `rows[t]` sequences, the
// first ones of the batch, from row starts[t] of what all steps have. gates (rows of all, 4 hidden)
// are what the inputs give them, then the gates' values i f m o. last and cell (batch, hidden) are
// the first states and cells, then the last; states and cells (rows of all, hidden) those of all.
struct LstmLayer {
    int64_t steps, hidden;
    const int64_t *starts, *rows;
    float *gates, *last, *cell, *states, *cells;
};

// by_last and by_cell are the gradients by the last states and cells, then by the first; by_states
// may be null. The layer's last, cell and states are not looked at.
struct LstmGrad {
    LstmLayer layer;
    const float *first_cell, *by_states;
    float *by_last, *by_cell, *by_gates;
};

// The same of a GRU: gates are r z m, inner (rows of all, hidden) what r is multiplied with. bias
// (3 hidden), or null, is that of the states.
struct GruLayer {
    int64_t steps, hidden;
    const int64_t *starts, *rows;
    float *gates, *last, *states, *inner;
    const float* bias;
};

// by_hidden are the gradients by what the states give to the gates.
struct GruGrad {
    GruLayer layer;
    const float *first, *by_states;
    float *by_last, *by_gates, *by_hidden;
};

// Log probabilities x (times, batch, classes), targets (batch, longest), lengths of both (batch).
// forward (times, batch, 2 longest + 1) are the logarithms of the forward variables.
struct Ctc {
    int64_t times, batch, classes, longest, blank;
    const float* x;
    const int64_t *targets, *input_lengths, *target_lengths;
    float *forward, *losses;
};

// Result i along an axis is the sum over t of weight[t][i] * x[index[t][i]]; both are (taps,
// stride), stride a multiple of 16, and weights past the results 0. first (2, stride / 16): the
// first element of which each 16 results are made, and how many times 16 elements from there; -1
// where these are more than 4. count 0: the axis stays.
struct Taps {
    int64_t count, taps, stride;
    const int32_t *index, *first;
    const float* weight;
};

// x (outer, height, width).
struct Resample {
    int64_t outer, height, width;
    Taps y, x;
};

enum class GridMode { nearest, linear, cubic };
enum class GridPadding { zeros, border, reflection };

// x (images, channels, *size), of 2 or 3 axes (an axis that is not has size 1), and the grid
// (images, points, axes), which holds the last axis' coordinate first; the result is (images,
// channels, points).
struct Grid {
    int64_t images, channels, axes, size[3], points;
    GridMode mode;
    GridPadding padding;
    bool align_corners;
};

// Settings of an optimiser's step, those of `Update` bodies of the same names. `sign` is -1 to
// ascend.
struct SgdStep {
    float sign, rate, momentum, dampening, decay;
    bool nesterov;
};

// A running mean: keep * mean + take * x. Their sum is 1 before they are rounded, not after.
struct Running {
    explicit Running(double keep) : keep(float(keep)), take(float(1 - keep)) {}
    float keep, take;
};

struct AdamStep {
    float sign, rate;
    Running first, second;
    float epsilon, decay;
    bool decoupled;  // AdamW: the weights decay by themselves, not through the gradient
    float correction1, correction2;
};

struct RmspropStep {
    float sign, rate;
    Running running;
    float epsilon, decay, momentum;
};

struct AdagradStep {
    float sign, rate, decay, epsilon;
};

struct AdadeltaStep {
    float sign, rate;
    Running running;
    float epsilon, decay;
};

// One parameter's elements, or some of them: weight, gradient and up to three arrays of state; null
// where an algorithm's variant has none.
struct Parameter {
    float* weight;
    const float* grad;
    float *first, *second, *third;
    int64_t count;
};

// What an instruction of a chain does with its operands x, y and z. Conditions are 1 and 0.
enum class Link {
    // of x
    copy,
    negative,
    abs,
    sign,
    sqrt,
    exp,
    expm1,
    log,
    log1p,
    sin,
    cos,
    erf,
    floor,
    trunc,
    tanh,
    sigmoid,
    normal_cdf,
    normal_density,
    // of x and y
    add,
    sub,
    mul,
    div,
    maximum,
    minimum,
    copysign,
    less,
    less_equal,
    // x ? y : z, x y + z, z - x y, z + (x - z) y
    where,
    multiply_add,
    multiply_sub,
    follow,
};

// Tiles are numbered: those of the arrays, then those that a chain keeps for itself. An operand
// below 0 is number ~operand; of three the first is none, but for a condition.
struct Instruction {
    Link link;
    int to, from[3];
};

constexpr int MOST_TILES = 32;

struct Chain {
    const Instruction* steps;
    int count, arrays, tiles;
};

// An array of a chain: floats, or bytes that are only read. Element i is element i / inner % middle
// of what it is repeated from, or with inner = 0 its own element i.
struct Stretch {
    float* data;
    bool bytes;
    int64_t middle, inner;
};

// How 3 x 3 convolutions are computed: by Winograd's transforms of 4 x 4 outputs, whose rounding
// errors are a few times those of plain sums; of 2 x 2; or by plain sums.
enum class Precision { fast, near, exact };
inline std::atomic<Precision> conv_precision = Precision::fast;

struct Kernels {
    const char* name;  // of the instruction set
    int width;         // floats in a vector

    void (*multiply)(const Product&);
    // The same for few columns and a short depth, of many matrices; false for others.
    bool (*multiply_narrow)(const Product&);
    const ShortKernels* shorts;

    // to = x, in row-major order
    void (*copy)(const Layout&, const float* x, float* to);

    void (*conv)(const Conv&, const float* x, const float* weight, const float* bias, float* y);
    void (*conv_by_input)(const Conv&, const float* g, const float* weight, float* x_grad);
    void (*conv_by_weight)(const Conv&, const float* g, const float* x, float* weight_grad);

    void (*unary)(Unary, const float* x, float* y, int64_t n);
    void (*unary_grad)(Unary, const float* g, const float* x_or_y, float* out, int64_t n);

    // out (outer, middle, inner) = x with y (middle), or y with x where `swapped`.
    void (*binary)(Binary, bool swapped, const float* x, const float* y, float* out, const Repeat&);

    // out (k0, k1) = what x is reduced to, divided by the divisor.
    void (*reduce)(Reduce, const Reduction&, const float* x, float divisor, float* out);

    // Running sums and products, from the end with `reverse`; the gradient of running products; and
    // places of running extremes.
    void (*scan)(Scan, const Lines&, bool reverse, const float* x, float* y);
    void (*product_scan_grad)(const Lines&, const float* g, const float* x, float* out);
    void (*scan_places)(const Lines&, bool smallest, const float* x, int64_t* out);

    // The first `count` places (outer, count, inner) of each line's order.
    void (*order)(Element, const Lines&, const void* x, bool descending, int64_t count,
                  int64_t* out);

    // out = the elements of lines of x, of `size` elements each, that an index (outer, length,
    // inner) names; and values put or added there. False where one is outside of its line.
    bool (*gather)(const Lines&, int64_t size, int bytes, const void* x, const int64_t* index,
                   void* out);
    bool (*scatter)(const Lines&, int64_t size, bool add, const float* values, const int64_t* index,
                    float* out);

    // Of matrices (outer, rows, columns), elements of so many bytes.
    void (*triangle)(const Lines&, int bytes, bool upper, int64_t k, const char* x, char* out);

    // Of complex numbers (outer, length, inner), times a factor; and of real numbers (lines, n) to
    // their frequencies (lines, n / 2 + 1), and back. n has the factors 2, 3 and 5.
    void (*fft)(const Lines&, bool inverse, float scale, const float* x, float* out);
    void (*rfft)(int64_t lines, int64_t n, float scale, const float* x, float* out);
    void (*irfft)(int64_t lines, int64_t n, float scale, const float* x, float* out);

    // Matrices (batch, n, n) become L and U, row i having been exchanged with row pivots[i]; false
    // if one is singular. And right sides b (batch, n, k) become solutions.
    bool (*lu)(int64_t batch, int64_t n, float* a, int32_t* pivots);
    void (*lu_solve)(int64_t batch, int64_t n, int64_t k, const float* a, const int32_t* pivots,
                     float* b);

    // Of n elements; a number is one element for all.
    void (*compare)(Comparison, const float* x, const float* y, bool number, uint8_t* out,
                    int64_t n);
    void (*where)(const uint8_t* condition, const float* x, bool x_number, const float* y,
                  bool y_number, float* out, int64_t n);

    // out (heads, queries, values); level (heads, queries) is the logarithm of the sum of the
    // exponentials of the scores, infinite where all keys are hidden.
    void (*attention)(const Attention&, float* out, float* level);
    void (*attention_grad)(const Attention&, const float* g, const float* level, float* q_grad,
                           float* k_grad, float* v_grad);

    // weight (4 hidden, hidden) is that of the states
    void (*lstm)(const LstmLayer&, const float* weight);
    void (*lstm_grad)(const LstmGrad&, const float* weight);
    void (*gru)(const GruLayer&, const float* weight);  // (3 hidden, hidden)
    void (*gru_grad)(const GruGrad&, const float* weight);

    // The gradient (times, batch, classes), for those of the losses g (batch).
    void (*ctc)(const Ctc&);
    void (*ctc_grad)(const Ctc&, const float* g, float* out);

    // Draws of the Mersenne Twister: words, and whether numbers of 53 bits are below a limit.
    void (*random_words)(uint32_t* key, int32_t* used, uint32_t* out, int64_t count);
    void (*random_keep)(uint32_t* key, int32_t* used, uint64_t below, uint8_t* keep, int64_t count);
    // out[i] = x[i] * (keep[i] ? factor : 0)
    void (*masked)(const float* x, const uint8_t* keep, float factor, float* out, int64_t n);

    // x (outer, length): along the last axis.
    void (*softmax)(const float* x, float* y, int64_t outer, int64_t length, bool logarithm);
    void (*logsumexp)(const Lines&, const float* x, float* out);
    void (*softmax_grad)(const float* g, const float* y, float* out, int64_t outer, int64_t length,
                         bool logarithm);
    void (*cross_entropy)(const float* x, const int64_t* label, float* loss, int64_t outer,
                          int64_t length);
    void (*cross_entropy_grad)(const float* x, const int64_t* label, const float* g, int64_t g_step,
                               float scale, float* out, int64_t outer, int64_t length);

    // Over axes (0, 2, 3) of x (images, channels, size): batch norm. mean and variance are
    // (channels). With `relu`, ReLU follows.
    void (*batch_norm)(const float* x, const float* weight, const float* bias, float* y,
                       float* mean, float* variance, int64_t images, int64_t channels, int64_t size,
                       float epsilon, bool relu);
    void (*batch_norm_grad)(const float* g, const float* x, const float* weight, const float* bias,
                            const float* mean, const float* variance, float* x_grad,
                            float* weight_grad, float* bias_grad, int64_t images, int64_t channels,
                            int64_t size, float epsilon, bool relu);
    // y = x scale + shift, with one of each for a channel of x (images, channels, size); with
    // `relu` at least 0.
    void (*scale_shift)(const float* x, const float* scale, const float* shift, float* y,
                        int64_t images, int64_t channels, int64_t size, bool relu);
    // Over all but the first two axes of x (images, groups, channels, size): group norm. mean and
    // variance are (images, groups), weight and bias (groups, channels).
    void (*group_norm)(const float* x, const float* weight, const float* bias, float* y,
                       float* mean, float* variance, int64_t images, int64_t groups,
                       int64_t channels, int64_t size, float epsilon);
    void (*group_norm_grad)(const float* g, const float* x, const float* weight, const float* mean,
                            const float* variance, float* x_grad, float* weight_grad,
                            float* bias_grad, int64_t images, int64_t groups, int64_t channels,
                            int64_t size, float epsilon);
    // Over the last axis of x (outer, length): layer norm. mean and variance are (outer).
    void (*layer_norm)(const float* x, const float* weight, const float* bias, float* y,
                       float* mean, float* variance, int64_t outer, int64_t length, float epsilon,
                       bool centre);
    void (*layer_norm_grad)(const float* g, const float* x, const float* weight, const float* mean,
                            const float* variance, float* x_grad, float* weight_grad,
                            float* bias_grad, int64_t outer, int64_t length, float epsilon,
                            bool centre);

    void (*max_pool)(const Conv&, const float* x, float* y);
    void (*max_pool_grad)(const Conv&, const float* g, const float* x, float* x_grad);
    void (*pool_sum)(const Conv&, const float* x, float* y);
    void (*pool_spread)(const Conv&, const float* g, float* x_grad);

    void (*resample)(const Resample&, const float* x, float* out);

    // Of the gradients, null is one that is not needed.
    void (*grid_sample)(const Grid&, const float* x, const float* grid, float* out);
    void (*grid_sample_grad)(const Grid&, const float* g, const float* x, const float* grid,
                             float* x_grad, float* grid_grad);

    // out[index[i]] += values[i], rows of `width`
    void (*add_rows)(float* out, const int64_t* index, const float* values, int64_t count,
                     int64_t width);

    // On this thread: the caller cuts the elements of all parameters into ranges.
    void (*sgd)(const Parameter&, const SgdStep&);            // first: momentum
    void (*adam)(const Parameter&, const AdamStep&);          // means, squares, largest squares
    void (*rmsprop)(const Parameter&, const RmspropStep&);    // squares, momentum, means
    void (*adagrad)(const Parameter&, const AdagradStep&);    // sums
    void (*adadelta)(const Parameter&, const AdadeltaStep&);  // squares, changes

    // Elements begin .. end - 1 of arrays, on this thread.
    void (*chain)(const Chain&, const Stretch* arrays, const float* numbers, int64_t begin,
                  int64_t end);
};

// The kernels of the best instruction set that this processor has.
const Kernels& kernels();

}  // namespace tallow
