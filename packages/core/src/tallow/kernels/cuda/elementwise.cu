// Chains of elementwise operations that would otherwise be several passes over memory

#define ONE(name, result)                                                        \
  extern "C" __global__ void name(Int count, const Real* first, Real* out) {      \
    EACH(i, count) {                                                              \
      Wide x = first[i];                                                          \
      out[i] = result;                                                            \
    }                                                                             \
  }

#define TWO(name, result)                                                         \
  extern "C" __global__ void name(Int count, const Real* first, const Real* second, Real* out) { \
    EACH(i, count) {                                                              \
      Wide g = first[i], x = second[i];                                           \
      out[i] = result;                                                            \
    }                                                                             \
  }

__device__ Wide logistic(Wide x) { return 1 / (1 + exp(-x)); }
__device__ Wide normal_mass(Wide x) { return (Wide)0.5 + (Wide)0.5 * erf(x * (Wide)0.70710678118654752); }
__device__ Wide normal_density(Wide x) { return exp(x * x * (Wide)-0.5) * (Wide)0.39894228040143268; }
__device__ Wide silu_slope(Wide x) { Wide s = logistic(x); return s * (1 + x * (1 - s)); }

__device__ Wide gelu_inner(Wide x) {
  return x * (1 + (Wide)0.044715 * x * x) * (Wide)0.79788456080286536;
}

ONE(sigmoid, logistic(x))
ONE(silu, x * logistic(x))
ONE(gelu, x * normal_mass(x))
ONE(gelu_tanh, x * ((Wide)0.5 + (Wide)0.5 * tanh(gelu_inner(x))))
TWO(relu_grad, x <= 0 ? g * 0 : g)  // NaN lets its gradient through
TWO(sigmoid_grad, g * (x * (1 - x)))
TWO(tanh_grad, g * (1 - x * x))
TWO(silu_grad, g * silu_slope(x))
TWO(gelu_grad, g * (normal_mass(x) + x * normal_density(x)))

// Dropout: x * factor where kept, else 0
extern "C" __global__ void masked(Int count, const Real* x, const bool* keep, Real* out,
                                  double factor) {
  EACH(i, count) out[i] = (Wide)x[i] * (keep[i] ? (Wide)factor : 0);
}

// Batch norm in evaluation: channels of `inner` elements
extern "C" __global__ void normalize_by(Int count, const Real* x, const Real* average,
                                        const Real* variance, const Real* weight, const Real* bias,
                                        Real* out, Int inner, Int channels, double eps) {
  EACH(i, count) {
    Int channel = i / inner % channels;
    Wide y = ((Wide)x[i] - (Wide)average[channel]) / sqrt((Wide)variance[channel] + (Wide)eps);
    if (weight) y *= (Wide)weight[channel];
    out[i] = bias ? y + (Wide)bias[channel] : y;
  }
}
