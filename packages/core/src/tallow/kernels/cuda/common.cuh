// What every kernel here begins with. Elements are `Real`, which the compiler is told (-DReal=float);
// sums are made in `Wide`: float for the types of 16 bits, else Real itself.

typedef long long Int;

struct Half {
  unsigned short bits;
  Half() = default;
  __device__ Half(float x) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
    bits = half_bits(x);
#endif
  }
  __device__ operator float() const {
    float x;
#ifdef __CUDA_ARCH__
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
#else
    x = half_value(bits);
#endif
    return x;
  }
};

struct BFloat {
  unsigned short bits;
  BFloat() = default;
  __device__ BFloat(float x) {
    unsigned int whole = __float_as_uint(x);
    bool nan = (whole & 0x7fffffff) > 0x7f800000;
    bits = nan ? 0x7fc0 : (whole + 0x7fff + (whole >> 16 & 1)) >> 16;  // to the nearest, or even
  }
  __device__ operator float() const { return __uint_as_float((unsigned int)bits << 16); }
};

template <class T> struct Widened { typedef T type; };
template <> struct Widened<Half> { typedef float type; };
template <> struct Widened<BFloat> { typedef float type; };
typedef Widened<Real>::type Wide;

#define INFINITE ((Wide)__uint_as_float(0x7f800000))

// The loop over n elements that all threads of a launch share
#define EACH(i, n)                                                          \
  for (Int i = blockIdx.x * (Int)blockDim.x + threadIdx.x; i < (n);          \
       i += (Int)gridDim.x * blockDim.x)

// The loop over n elements that the threads of a block share
#define WITHIN(i, n) for (Int i = threadIdx.x; i < (n); i += blockDim.x)

struct Sum {
  __device__ static Wide of(Wide x, Wide y) { return x + y; }
  __device__ static Wide none() { return 0; }
};

struct Max {  // NaN where there is one
  __device__ static Wide of(Wide x, Wide y) { return x > y || x != x ? x : y; }
  __device__ static Wide none() { return -INFINITE; }
};

// What all threads of a block have, combined: every thread gets it. Blocks are of whole warps.
template <class How> __device__ Wide over_block(Wide x) {
  __shared__ Wide parts[32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (int step = 16; step > 0; step /= 2) x = How::of(x, __shfl_xor_sync(0xffffffff, x, step));
  if (warps == 1) return x;
  __syncthreads();  // a call before may still be reading
  if (lane == 0) parts[warp] = x;
  __syncthreads();
  x = lane < warps ? parts[lane] : How::none();
  for (int step = 16; step > 0; step /= 2) x = How::of(x, __shfl_xor_sync(0xffffffff, x, step));
  return x;
}

// Tells the host of an index that is not below `size` (faults.py), which may read at any time. Of
// several threads that do, one is heard.
__device__ inline void note(Int* fault, Int at, Int size) {
  atomicExch((unsigned long long*)fault + 1, (unsigned long long)size);
  __threadfence_system();
  atomicExch((unsigned long long*)fault, (unsigned long long)at);
}
