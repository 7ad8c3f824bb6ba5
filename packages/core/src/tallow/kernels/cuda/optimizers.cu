// What steps of optimizers share, which are chains (chains.py): a launch takes up to `MANY`
// parameters, a row of blocks each. Nothing is changed where `found` holds a number other than 0:
// gradients that are not finite.

const int MANY = 32;

struct Chunk {
  void* at[5][MANY];     // parameters, gradients and state
  float* counter[MANY];  // how many steps were made, where that is counted on the device
  Int size[MANY];

  __device__ Real* column(int k) const { return (Real*)at[k][blockIdx.y]; }
};

// Steps counted, a thread for each
extern "C" __global__ void advance(Chunk c, const float* found, Int count) {
  Int i = threadIdx.x;
  if (i < count && !(found && *found)) *c.counter[i] += 1;
}

// Gradients divided by a scale; `found` becomes 1 where one is not finite
extern "C" __global__ void unscale(Chunk c, float* found, const float* scale) {
  Wide inverse = (Wide)1 / (Wide)*scale;
  Real* gradient = c.column(0);
  Int count = c.size[blockIdx.y];
  EACH(k, (count + AT_ONCE - 1) / AT_ONCE) {
    Pack<Real> g = pack_of(gradient, k * AT_ONCE, count);
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++) {
      Wide x = (Wide)g.at[i] * inverse;
      if (!(fabs(x) < INFINITE)) atomicExch(found, 1.0f);
      g.at[i] = x;
    }
    put(gradient, k * AT_ONCE, count, g);
  }
}
