// What every kernel here begins with. Elements are `Real`, which the compiler is told
// (-DReal=float); sums are made in `Wide`: float for the types of 16 bits, else Real itself.

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

template <class T>
struct Widened {
  typedef T type;
};
template <>
struct Widened<Half> {
  typedef float type;
};
template <>
struct Widened<BFloat> {
  typedef float type;
};
typedef Widened<Real>::type Wide;

#define INFINITE ((Wide)__uint_as_float(0x7f800000))

// The loop over n elements that all threads of a launch share
#define EACH(i, n)                                                  \
  for (Int i = blockIdx.x * (Int)blockDim.x + threadIdx.x; i < (n); \
       i += (Int)gridDim.x * blockDim.x)

// The loop over n elements that the threads of a block share
#define WITHIN(i, n) for (Int i = threadIdx.x; i < (n); i += blockDim.x)

// Elements that a thread reads or writes at once: 16 bytes of Real
const int AT_ONCE = 16 / sizeof(Real);

template <class T>
struct alignas(sizeof(T) * AT_ONCE) Pack {
  T at[AT_ONCE];
};

template <class T>
__device__ bool is_aligned(const T* place) {
  return (unsigned long long)place % sizeof(Pack<T>) == 0;
}

// Elements e, e + 1, ... of the n of an array, and `none` for those that it has not
template <class T>
__device__ Pack<T> pack_of(const T* array, Int e, Int n, T none = T()) {
  if (e >= 0 && e + AT_ONCE <= n && is_aligned(array + e)) return *(const Pack<T>*)(array + e);
  Pack<T> out;
#pragma unroll
  for (int i = 0; i < AT_ONCE; i++) out.at[i] = e + i >= 0 && e + i < n ? array[e + i] : none;
  return out;
}

template <class T>
__device__ void put(T* array, Int e, Int n, const Pack<T>& x) {
  if (e >= 0 && e + AT_ONCE <= n && is_aligned(array + e)) {
    *(Pack<T>*)(array + e) = x;
    return;
  }
#pragma unroll
  for (int i = 0; i < AT_ONCE; i++)
    if (e + i >= 0 && e + i < n) array[e + i] = x.at[i];
}

__device__ void divide(Int x, Int y, Int& quotient, Int& rest) {
  if ((x | y) >> 32) {
    quotient = x / y, rest = x % y;
  } else {  // 32 bits divide faster
    quotient = (unsigned int)x / (unsigned int)y, rest = x - quotient * y;
  }
}

// Which element of a small array belongs to element `first` of a large one, and to those after it:
// each of `middle` is repeated `inner` times, and all of them over again.
struct Spread {
  Int middle, inner, place, within;

  __device__ Spread(Int first, Int middle, Int inner) : middle(middle), inner(inner) {
    Int outer, round;
    divide(first, inner, outer, within);
    divide(outer, middle, round, place);
  }
  __device__ Int next() {
    Int now = place;
    if (++within == inner) within = 0, place = place + 1 == middle ? 0 : place + 1;
    return now;
  }
};

struct Sum {
  __device__ static Wide of(Wide x, Wide y) { return x + y; }
  __device__ static Wide none() { return 0; }
};

struct Max {  // NaN where there is one
  __device__ static Wide of(Wide x, Wide y) { return x > y || x != x ? x : y; }
  __device__ static Wide none() { return -INFINITE; }
};

struct Min {
  __device__ static Wide of(Wide x, Wide y) { return x < y || x != x ? x : y; }
  __device__ static Wide none() { return INFINITE; }
};

// What all threads of a block have, combined: every thread gets it. Blocks are of whole warps.
template <class How>
__device__ Wide over_block(Wide x) {
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

const int MOST_THREADS = 512;  // as launch.py has it

// What a block takes of a row, or of the rows of a channel in all images, in packs that are
// aligned: of the first and the last of a row some elements may not be there.
struct Share {
  Int base, inner, stride, width, begin, end, lead;

  // Rows of `inner` elements, `images` of them, from x + base on every `stride`; part k of `parts`
  __device__ Share(const Real* x, Int base, Int inner, Int images = 1, Int stride = 0, Int k = 0,
                   Int parts = 1)
      : base(base), inner(inner), stride(stride) {
    lead = (unsigned long long)x / sizeof(Real) % AT_ONCE;
    width =
        lead == 0 && inner % AT_ONCE == 0 ? inner / AT_ONCE : (inner + 2 * AT_ONCE - 2) / AT_ONCE;
    Int all = images * width, each = (all + parts - 1) / parts;
    begin = k * each, end = begin + each < all ? begin + each : all;
  }

  // f(k, row, e) for each pack of a thread: elements e, e + 1, ... of the row that begins at `row`.
  // k is the pack's number, `HELD` from there on: so registers can hold some.
  template <int HELD, class F>
  __device__ __forceinline__ void each(F f) const {
    Int i = begin + threadIdx.x, image, within, images, packs;
    divide(i, width, image, within);
    divide(blockDim.x, width, images, packs);
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      if (i < end) visit(k, image, within, f);
      next(i, image, within, images, packs);
    }
    for (; i < end; next(i, image, within, images, packs)) visit(HELD, image, within, f);
  }
  template <class F>
  __device__ __forceinline__ void visit(int k, Int image, Int within, F f) const {
    Int row = base + image * stride, e = within * AT_ONCE - (row + lead) % AT_ONCE;
    if (e < inner) f(k, row, e);
  }
  __device__ void next(Int& i, Int& image, Int& within, Int images, Int packs) const {
    i += blockDim.x, image += images, within += packs;
    if (within >= width) within -= width, image++;
  }
};

// The loop over the elements of a pack of a row that are there, those from e on of n
#define OF_PACK(i, e, n) \
  _Pragma("unroll") for (int i = 0; i < AT_ONCE; i++) if ((e) + i >= 0 && (e) + i < (n))
