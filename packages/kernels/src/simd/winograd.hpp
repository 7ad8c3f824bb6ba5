#pragma once

#include "../kernels.hpp"

namespace tallow::ISA {

// 3 x 3 at stride 1 with enough channels that transforming tiles pays.
bool suits_winograd(const Conv& c);
bool pays_to_transform_weights(const Conv& c);

void winograd(const Conv& c, const float* x, const float* weight, const float* bias, float* y);
// The gradient by the input of `c`'s, with t = turned(c).
void winograd_turned(const Conv& t, const float* g, const float* weight, float* x_grad);
void winograd_by_weight(const Conv& c, const float* g, const float* x, float* weight_grad);

}  // namespace tallow::ISA
