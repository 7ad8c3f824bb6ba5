// Kernels for floats of 16 bits: what each computes, in the table of one instruction set.
#pragma once

#include "kernels.hpp"

namespace tallow {

// A matrix of bfloat16 or float32, one of whose steps is 1.
struct ShortOperand {
    const void* data;
    bool is_float;
    int64_t row, column, batch;  // elements between neighbours
};

// The same product, of operands as bfloat16, summed in float32: `parts` as above.
struct ShortProduct {
    int64_t batch, m, n, k;
    ShortOperand a, b;
    void* c;
    bool short_result;  // bfloat16, else float32
    const float* bias;  // or null
    int parts;
};

struct ShortKernels {
    void (*multiply)(const ShortProduct&);

    void (*widen)(Short, const uint16_t* x, float* y, int64_t n);
    void (*narrow)(Short, const float* x, uint16_t* y, int64_t n);

    // Of bfloat16. By the input at stride 1, with a padding that is less than the kernel.
    void (*conv)(const Conv&, const uint16_t* x, const uint16_t* weight, const float* bias,
                 uint16_t* y);
    void (*conv_by_input)(const Conv&, const uint16_t* g, const uint16_t* weight, uint16_t* x_grad);
    void (*conv_by_weight)(const Conv&, const uint16_t* g, const uint16_t* x,
                           uint16_t* weight_grad);
};

}  // namespace tallow
