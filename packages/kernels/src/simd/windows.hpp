// Where a tap of a kernel falls within an image's rows.
#pragma once

#include <algorithm>

#include "../kernels.hpp"

namespace tallow::ISA {

// Output places begin .. end - 1 along one axis whose input place * stride + shift lies within the
// image.
struct Span {
    int64_t begin, end, shift;
};

inline Span span(int64_t tap, int64_t stride, int64_t padding, int64_t dilation, int64_t size,
                 int64_t out_size) {
    const int64_t shift = tap * dilation - padding;
    const int64_t begin = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    const int64_t end = size - shift <= 0 ? 0 : (size - shift - 1) / stride + 1;
    return {std::min(begin, out_size), std::min(end, out_size), shift};
}

inline Span rows_of(const Conv& c, int64_t tap) {
    return span(tap, c.stride_y, c.padding_y, c.dilation_y, c.height, c.out_height);
}

inline Span columns_of(const Conv& c, int64_t tap) {
    return span(tap, c.stride_x, c.padding_x, c.dilation_x, c.width, c.out_width);
}

// to[i * stride] += factor * from[i]; the compiler makes vectors of it where stride is 1.
inline void add_spaced(const float* from, float factor, int64_t count, float* to, int64_t stride) {
    if (stride == 1)
        for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
    else
        for (int64_t i = 0; i < count; ++i) to[i * stride] += factor * from[i];
}

}  // namespace tallow::ISA
