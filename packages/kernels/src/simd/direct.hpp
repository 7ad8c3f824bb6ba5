#pragma once

#include "../kernels.hpp"

namespace tallow::ISA {

// Convolution of any kind, though slow where each channel has its own kernel.
void direct(const Conv& c, const float* x, const float* weight, const float* bias, float* y);
void direct_by_input(const Conv& c, const float* g, const float* weight, float* x_grad);
void direct_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad);

}  // namespace tallow::ISA
