// Steps of optimizers: a launch takes up to `MANY` parameters, a row of blocks each. Nothing is
// changed where `found` holds a number other than 0: gradients that are not finite.

const int MANY = 32;

struct Chunk {
  void* at[5][MANY];    // parameters, gradients and state
  float* counter[MANY]; // how many steps were made, or null where `step` says it
  double step[MANY];
  Int size[MANY];

  __device__ Real* column(int k) const { return (Real*)at[k][blockIdx.y]; }
};

// The gradient to descend along
__device__ Wide direction(Wide p, Wide g, double weight_decay, Int maximize) {
  return (maximize ? -g : g) + (Wide)weight_decay * p;
}

extern "C" __global__ void sgd(Chunk c, const float* found, double lr, double momentum,
                               double dampening, double weight_decay, Int nesterov, Int maximize) {
  if (found && *found) return;
  Real *p = c.column(0), *gradient = c.column(1), *buffer = c.column(2);
  EACH(i, c.size[blockIdx.y]) {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    if (momentum) {
      Wide kept = (Wide)momentum * (Wide)buffer[i] + (Wide)(1 - dampening) * g;
      buffer[i] = kept;
      g = nesterov ? g + (Wide)momentum * kept : kept;
    }
    p[i] = (Wide)p[i] - (Wide)lr * g;
  }
}

extern "C" __global__ void adam(Chunk c, const float* found, double lr, double beta1, double beta2,
                                double eps, double weight_decay, Int amsgrad, Int maximize,
                                Int decoupled) {
  if (found && *found) return;
  __shared__ double rate, root;
  if (threadIdx.x == 0) {
    double step = c.counter[blockIdx.y] ? *c.counter[blockIdx.y] : c.step[blockIdx.y];
    rate = lr / (1 - pow(beta1, step)), root = sqrt(1 - pow(beta2, step));
  }
  __syncthreads();
  Real *p = c.column(0), *gradient = c.column(1), *mean = c.column(2), *square = c.column(3);
  Real* maximum = c.column(4);
  EACH(i, c.size[blockIdx.y]) {
    Wide x = (Wide)p[i] * (decoupled ? (Wide)(1 - lr * weight_decay) : 1);
    Wide g = direction(x, gradient[i], decoupled ? 0 : weight_decay, maximize);
    Wide m = (Wide)mean[i] + (Wide)(1 - beta1) * (g - (Wide)mean[i]);
    Wide v = (Wide)square[i] * (Wide)beta2 + (Wide)(1 - beta2) * (g * g);
    mean[i] = m, square[i] = v;
    if (amsgrad) {
      if (v <= (Wide)maximum[i]) v = maximum[i];
      maximum[i] = v;
    }
    p[i] = x - (Wide)rate * (m / (sqrt(v) / (Wide)root + (Wide)eps));
  }
}

// Steps counted, a thread for each
extern "C" __global__ void advance(Chunk c, const float* found, Int count) {
  Int i = threadIdx.x;
  if (i < count && !(found && *found)) *c.counter[i] += 1;
}

// Gradients divided by a scale; `found` becomes 1 where one is not finite
extern "C" __global__ void unscale(Chunk c, float* found, const float* scale) {
  Wide inverse = (Wide)1 / (Wide)*scale;
  Real* gradient = c.column(0);
  EACH(i, c.size[blockIdx.y]) {
    Wide g = (Wide)gradient[i] * inverse;
    if (!(fabs(g) < INFINITE)) *found = 1;
    gradient[i] = g;
  }
}
