#pragma once

#include "../kernels.hpp"

namespace tallow::ISA {

bool is_depthwise(const Conv& c);

void depthwise(const Conv& c, const float* x, const float* weight, const float* bias, float* y);
void depthwise_by_input(const Conv& c, const float* g, const float* weight, float* x_grad);
void depthwise_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad);

}  // namespace tallow::ISA
