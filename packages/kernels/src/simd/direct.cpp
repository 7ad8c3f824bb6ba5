// Convolution for which Winograd's transforms are not made, and its gradients, all by blocks of
// products in which nothing is unfolded: what a tap multiplies is a row of pixels of an image that
// was copied into a frame of zeros. After Georganas et al., "Anatomy of High-Performance Deep
// Learning Convolutions on SIMD Architectures", SC 2018.
#include "direct.hpp"

#include <vector>

#include "block.hpp"
#include "lanes.hpp"

namespace tallow::ISA {
namespace {

constexpr int64_t FRAME = 1 << 16;  // floats of a framed piece of an image: part of the L2 cache
constexpr int64_t FEW = 256;        // pixels for which it is their weights that take the time

int64_t places(const Conv& c) { return c.kernel_y * c.kernel_x; }
int64_t pixels(const Conv& c) { return c.out_height * c.out_width; }
int64_t strips_of(int64_t channels) { return (channels + COLUMNS - 1) / COLUMNS; }

// Along one axis, some of the outputs, first, first + spacing, ...: output r is made of what is at
// the source's r * step + shift for some taps of the kernel.
struct Phase {
    struct Tap {
        int64_t place, shift;
    };
    int64_t first;
    std::vector<Tap> taps;
};

struct Axis {
    int64_t size, out_size, step, spacing;
    std::vector<Phase> phases;
    int64_t low = 0, high = 0;  // of all shifts

    void shifts() {
        for (const Phase& phase : phases)
            for (const auto& tap : phase.taps)
                low = std::min(low, tap.shift), high = std::max(high, tap.shift);
    }
    // How many outputs of a phase lie within begin .. end - 1, of which begin is a multiple of the
    // spacing.
    int64_t count(const Phase& phase, int64_t begin, int64_t end) const {
        return std::max<int64_t>(0, (end - begin - phase.first + spacing - 1) / spacing);
    }
    // The places of the source that outputs begin .. end - 1 look at.
    int64_t start(int64_t begin) const { return begin / spacing * step + low; }
    int64_t span(int64_t outputs) const { return (outputs - 1) / spacing * step + high - low + 1; }
};

Axis forward_axis(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                  int64_t out_size) {
    Axis axis{size, out_size, stride, 1, {{0, {}}}};
    for (int64_t k = 0; k < kernel; ++k) axis.phases[0].taps.push_back({k, k * dilation - padding});
    axis.shifts();
    return axis;
}

// The adjoint: every stride-th element of x has the same taps.
Axis backward_axis(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                   int64_t out_size) {
    Axis axis{out_size, size, 1, stride, {}};
    for (int64_t first = 0; first < std::min(stride, size); ++first) {
        axis.phases.push_back({first, {}});
        for (int64_t k = 0; k < kernel; ++k)
            if (const int64_t at = first + padding - k * dilation; at % stride == 0)
                axis.phases.back().taps.push_back({k, at / stride});
    }
    axis.shifts();
    return axis;
}

// Images (images, groups * in, ...) to (images, groups * out, ...); the weight of an output, an
// input and a place is at out_step, in_step and 1.
struct Correlation {
    int64_t images, groups, in, out, kernel_x, weights, out_step, in_step;
    Axis down, across;
    int64_t depth() const { return in * weights; }
};

Correlation forward(const Conv& c) {
    return {c.images,
            c.groups,
            c.in,
            c.out,
            c.kernel_x,
            places(c),
            c.in * places(c),
            places(c),
            forward_axis(c.height, c.kernel_y, c.stride_y, c.padding_y, c.dilation_y, c.out_height),
            forward_axis(c.width, c.kernel_x, c.stride_x, c.padding_x, c.dilation_x, c.out_width)};
}

Correlation backward(const Conv& c) {
    return {
        c.images,
        c.groups,
        c.out,
        c.in,
        c.kernel_x,
        places(c),
        places(c),
        c.in * places(c),
        backward_axis(c.height, c.kernel_y, c.stride_y, c.padding_y, c.dilation_y, c.out_height),
        backward_axis(c.width, c.kernel_x, c.stride_x, c.padding_x, c.dilation_x, c.out_width)};
}

// A strip of weights: to[input][place][COLUMNS outputs].
void pack_strip(const Correlation& c, const float* weight, int64_t strip, float* to) {
    for (int64_t j = 0; j < COLUMNS; j += WIDTH) {
        const int64_t o = strip * COLUMNS + j, some = std::clamp<int64_t>(c.out - o, 0, WIDTH);
        const float* from = weight + o * c.out_step;
        if (c.in_step == c.weights) {  // an output's weights lie side by side
            to_lanes({from, some, c.out_step, c.depth()}, {0, 0, 1, c.depth()}, to + j, 0, COLUMNS);
            continue;
        }
        for (int64_t i = 0; i < c.in; ++i)
            for (int64_t t = 0; t < c.weights; ++t) {
                float* lanes = to + (i * c.weights + t) * COLUMNS + j;
                const float* taps = from + i * c.in_step + t;
                for (int64_t lane = 0; lane < some; ++lane) lanes[lane] = taps[lane * c.out_step];
                for (int64_t lane = some; lane < WIDTH; ++lane) lanes[lane] = 0;
            }
    }
}

// Planes of `channels`, of the rows and columns from (y, x) on, 0 where the image is not:
// to[channel][high][wide].
void frame(const float* planes, int64_t channels, const Axis& down, const Axis& across, int64_t y,
           int64_t x, int64_t high, int64_t wide, float* to) {
    const int64_t left = std::clamp<int64_t>(-x, 0, wide),
                  right = std::clamp<int64_t>(across.size - x, left, wide);
    for (int64_t i = 0; i < channels; ++i, planes += down.size * across.size)
        for (int64_t row = y; row < y + high; ++row, to += wide) {
            if (row < 0 || row >= down.size) {
                std::fill_n(to, wide, 0.0f);
                continue;
            }
            std::fill_n(to, left, 0.0f);
            std::copy_n(planes + row * across.size + x + left, right - left, to + left);
            std::fill_n(to + right, wide - right, 0.0f);
        }
}

// A rectangle of outputs, of one image and group.
struct Part {
    int64_t place;  // image * groups + group
    Rectangle at;
};

// Where a block finds its operands, tap after tap, for one phase of each axis.
struct Taps {
    int32_t *source, *weight;
    int64_t count = 0;

    Taps(const Correlation& c, const Phase& y, const Phase& x, int64_t high, int64_t wide,
         int64_t weight_in, int64_t weight_place) {
        source = reinterpret_cast<int32_t*>(scratch(4, 2 * c.depth()));
        weight = source + c.depth();
        for (int64_t i = 0; i < c.in; ++i)
            for (const auto& v : y.taps)
                for (const auto& h : x.taps) {
                    source[count] =
                        int32_t((i * high + v.shift - c.down.low) * wide + h.shift - c.across.low);
                    weight[count++] =
                        int32_t(i * weight_in + (v.place * c.kernel_x + h.place) * weight_place);
                }
    }
};

// Outputs of a part, of strips first .. end - 1 whose weights are packed. Lanes are outputs.
void correlate(const Correlation& c, const float* x, const Part& part, const float* packed,
               int64_t first, int64_t end, const float* bias, float* y) {
    const Rectangle& r = part.at;
    const int64_t high = c.down.span(r.high), wide = c.across.span(r.wide);
    const int64_t plane = c.down.size * c.across.size, map = c.down.out_size * c.across.out_size;
    float* framed = scratch(0, c.in * high * wide);
    frame(x + part.place * c.in * plane, c.in, c.down, c.across, c.down.start(r.y),
          c.across.start(r.x), high, wide, framed);
    const int64_t vector = r.high * r.wide * WIDTH;
    float* pixels_of = scratch(1, VECTORS * vector);  // [vector][y][x][lane]
    for (int64_t strip = first; strip < end; ++strip, packed += c.depth() * COLUMNS) {
        const int64_t o = strip * COLUMNS, vectors = c.out - o > WIDTH ? VECTORS : 1;
        for (const Phase& v : c.down.phases)
            for (const Phase& h : c.across.phases) {
                const Taps taps(c, v, h, high, wide, c.weights * COLUMNS, COLUMNS);
                const int64_t rows = c.down.count(v, r.y, r.y + r.high),
                              columns = c.across.count(h, r.x, r.x + r.wide);
                for (int64_t row = 0; row < rows; ++row) {
                    float* to =
                        pixels_of + ((row * c.down.spacing + v.first) * r.wide + h.first) * WIDTH;
                    multiply_rows(columns, vectors, taps.count, Listed{taps.source, taps.weight},
                                  {framed + row * c.down.step * wide, c.across.step, packed, to,
                                   c.across.spacing * WIDTH, vector, false});
                }
            }
        for (int64_t j = 0; j < vectors; ++j) {
            const int64_t channel = o + j * WIDTH, some = std::min<int64_t>(WIDTH, c.out - channel);
            float* lanes = pixels_of + j * vector;
            if (bias) {
                const Vec shift = load_up_to(bias + part.place % c.groups * c.out + channel, some);
                for (int64_t i = 0; i < vector; i += WIDTH)
                    store(lanes + i, load(lanes + i) + shift);
            }
            from_lanes(lanes, r.wide,
                       {y + (part.place * c.out + channel) * map, some, map, c.across.out_size}, r);
        }
    }
}

// The same where there are few outputs: lanes are pixels of a row, and weights stay where they are.
void correlate_few(const Correlation& c, const float* x, const Part& part, const float* weight,
                   const float* bias, float* y) {
    const Rectangle& r = part.at;
    const int64_t high = c.down.span(r.high), wide = c.across.span(r.wide);
    const int64_t plane = c.down.size * c.across.size, map = c.down.out_size * c.across.out_size;
    float* framed = scratch(0, c.in * high * wide + COLUMNS);
    frame(x + part.place * c.in * plane, c.in, c.down, c.across, c.down.start(r.y),
          c.across.start(r.x), high, wide, framed);
    float* line = scratch(1, c.out * COLUMNS);
    for (const Phase& v : c.down.phases)
        for (const Phase& h : c.across.phases) {
            const Taps taps(c, v, h, high, wide, c.in_step, 1);
            const int64_t rows = c.down.count(v, r.y, r.y + r.high),
                          columns = c.across.count(h, r.x, r.x + r.wide);
            for (int64_t row = 0; row < rows; ++row)
                for (int64_t i = 0; i < columns; i += COLUMNS) {
                    const int64_t there = std::min<int64_t>(COLUMNS, columns - i);
                    multiply_rows(c.out, there > WIDTH ? VECTORS : 1, taps.count,
                                  Listed{taps.weight, taps.source},
                                  {weight, c.out_step, framed + row * c.down.step * wide + i, line,
                                   COLUMNS, WIDTH, false});
                    float* to = y + part.place * c.out * map +
                                (r.y + row * c.down.spacing + v.first) * c.across.out_size + r.x +
                                i * c.across.spacing + h.first;
                    for (int64_t o = 0; o < c.out; ++o, to += map) {
                        const float shift = bias ? bias[part.place % c.groups * c.out + o] : 0;
                        for (int64_t k = 0; k < there; ++k)
                            to[k * c.across.spacing] = line[o * COLUMNS + k] + shift;
                    }
                }
        }
}

// How the outputs of an image are cut into parts.
struct Cut {
    int64_t high, wide, rows, columns, in_image;

    Cut(const Correlation& c, int64_t parts) {
        auto most = [&](const Axis& a, int64_t floats) {
            const int64_t outputs = (floats - a.high + a.low) / a.step * a.spacing;
            return std::max<int64_t>(outputs, 12 * a.spacing) / a.spacing * a.spacing;
        };
        wide = std::min(c.across.out_size, most(c.across, FRAME / c.in / 4));
        const int64_t tallest = most(c.down, FRAME / c.in / c.across.span(wide));
        const int64_t tasks = c.images * c.groups * ((c.across.out_size + wide - 1) / wide);
        const int64_t bands = std::max<int64_t>((c.down.out_size + tallest - 1) / tallest,
                                                (2 * parts + tasks - 1) / tasks);
        high = band(c.down.out_size, bands, c.down.spacing);
        rows = (c.down.out_size + high - 1) / high;
        columns = (c.across.out_size + wide - 1) / wide;
        in_image = rows * columns;
    }
    Part part(const Correlation& c, int64_t task) const {
        const int64_t y = task % in_image / columns * high, x = task % columns * wide;
        return {task / in_image,
                {y, x, std::min(high, c.down.out_size - y), std::min(wide, c.across.out_size - x)}};
    }
};

void run(const Correlation& c, const float* x, const float* weight, const float* bias, float* y) {
    const int64_t strips = strips_of(c.out), strip = c.depth() * COLUMNS;
    const int64_t group_weights = c.out * c.in * c.weights;
    const Cut cut(c, get_threads());
    const int64_t parts = c.images * c.groups * cut.in_image;
    if (c.out <= ROWS / 2 && c.across.step == 1)
        return parallel(parts, [&](int64_t task) {
            const Part part = cut.part(c, task);
            correlate_few(c, x, part, weight + part.place % c.groups * group_weights, bias, y);
        });
    if (strips > 1 && c.images * c.down.out_size * c.across.out_size <= FEW)
        return parallel(c.groups * strips, [&](int64_t task) {
            const int64_t group = task / strips, at = task % strips;
            float* packed = scratch(3, strip);
            pack_strip(c, weight + group * group_weights, at, packed);
            for (int64_t i = 0; i < parts; ++i)
                if (const Part part = cut.part(c, i); part.place % c.groups == group)
                    correlate(c, x, part, packed, at, at + 1, bias, y);
        });
    float* packed = scratch(2, c.groups * strips * strip);
    parallel(c.groups * strips, [&](int64_t i) {
        pack_strip(c, weight + i / strips * group_weights, i % strips, packed + i * strip);
    });
    parallel(parts, [&](int64_t task) {
        const Part part = cut.part(c, task);
        correlate(c, x, part, packed + part.place % c.groups * strips * strip, 0, strips, bias, y);
    });
}

}  // namespace

void direct(const Conv& c, const float* x, const float* weight, const float* bias, float* y) {
    run(forward(c), x, weight, bias, y);
}

void direct_by_input(const Conv& c, const float* g, const float* weight, float* x_grad) {
    run(backward(c), g, weight, nullptr, x_grad);
}

// Lanes are outputs: totals[group of blocks][place][in][out] of one group of channels, from g with
// its channels as lanes and framed planes of x.
void direct_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad) {
    Correlation all = forward(c);
    all.in = std::min<int64_t>(c.in, 64);  // inputs at a time
    const Cut cut(all, 1);
    const int64_t out = whole_vectors(c.out), sums = places(c) * c.in * out;
    const int64_t bands = (c.in + all.in - 1) / all.in, parts = c.images * cut.in_image;
    // Numbers that depend on the shapes alone: the same sums for any number of threads.
    const int64_t shares = std::clamp<int64_t>(16 / (c.groups * bands), 1, parts);
    float* totals = scratch(2, shares * c.groups * sums);
    parallel(shares * c.groups * bands, [&](int64_t task) {
        const int64_t share = task % shares, group = task / shares % c.groups,
                      first = task / shares / c.groups * all.in,
                      some = std::min(all.in, c.in - first);
        float* total = totals + (share * c.groups + group) * sums + first * out;
        const int64_t begin = share * parts / shares, end = (share + 1) * parts / shares;
        for (int64_t i = begin; i < end; ++i) {
            const int64_t image = i / cut.in_image;
            const Rectangle r = cut.part(all, i).at;
            const int64_t high = all.down.span(r.high), wide = all.across.span(r.wide),
                          count = r.high * r.wide, place = image * c.groups + group;
            float* framed = scratch(0, some * high * wide);
            frame(x + (place * c.in + first) * c.height * c.width, some, all.down, all.across,
                  all.down.start(r.y), all.across.start(r.x), high, wide, framed);
            float* lanes = scratch(1, count * out);  // [pixel][output]
            for (int64_t o = 0; o < out; o += WIDTH)
                to_lanes({g + (place * c.out + o) * pixels(c), std::min<int64_t>(WIDTH, c.out - o),
                          pixels(c), c.out_width},
                         r, lanes + o, r.wide, out);
            auto* source = reinterpret_cast<int32_t*>(scratch(4, 2 * count));
            for (int64_t k = 0; k < count; ++k) {
                source[k] = int32_t(k / r.wide * c.stride_y * wide + k % r.wide * c.stride_x);
                source[count + k] = int32_t(k * out);
            }
            for (int64_t t = 0; t < places(c); ++t) {
                const int64_t shift =
                    t / c.kernel_x * c.dilation_y * wide + t % c.kernel_x * c.dilation_x;
                for (int64_t o = 0; o < out; o += COLUMNS)
                    multiply_rows(some, out - o > WIDTH ? VECTORS : 1, count,
                                  Listed{source, source + count},
                                  {framed + shift, high * wide, lanes + o,
                                   total + t * c.in * out + o, out, WIDTH, i > begin});
            }
        }
    });
    parallel_ranges(c.groups * c.in, 4, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row)
            for (int64_t t = 0; t < places(c); ++t)
                for (int64_t o = 0; o < c.out; o += WIDTH) {
                    const int64_t group = row / c.in, i = row % c.in;
                    const float* from = totals + group * sums + (t * c.in + i) * out + o;
                    Vec all{};
                    for (int64_t share = 0; share < shares; ++share)
                        all += load(from + share * c.groups * sums);
                    float* to = weight_grad + ((group * c.out + o) * c.in + i) * places(c) + t;
                    for (int64_t k = 0; k < std::min<int64_t>(WIDTH, c.out - o); ++k)
                        to[k * c.in * places(c)] = all[k];
                }
    });
}

}  // namespace tallow::ISA
