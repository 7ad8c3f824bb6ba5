// Products of matrices by a block of CREW threads: sums[m, n] += left[m, k] * right[n, k], where
// both are in shared memory, a row of WORDS words of k each WIDTH words. ROWS of left are 32 or 64,
// COLUMNS (rows of right) 64 or 128. An arithmetic keeps `EACH` elements in a word; of ROWS *
// COLUMNS / CREW sums of a thread, sum i is that of row `row(i)` and column `column(i)`.

enum { WORDS = 16, WIDTH = WORDS + 4, CREW = 256 };

template <class T> struct alignas(16) Four {
  T x[4];
};

struct Plain {  // a thread has rows y, y + 16, ... and columns x, x + 16, ...
  typedef Wide Word;
  enum { EACH = 1 };
  __device__ static Word one(const Real* x) { return *x; }
  __device__ static Word both(Word x, Word) { return x; }
  __device__ static void set(Word* row, int k, Wide x) { row[k] = x; }

  template <int ROWS, int COLUMNS>
  __device__ static void multiply(const Word* left, const Word* right, Wide* sums) {
    left += threadIdx.x / 16 * WIDTH, right += threadIdx.x % 16 * WIDTH;
#pragma unroll
    for (int k = 0; k < WORDS; k += 4) {
      Four<Word> a[ROWS / 16];
#pragma unroll
      for (int i = 0; i < ROWS / 16; i++) a[i] = *(const Four<Word>*)(left + i * 16 * WIDTH + k);
#pragma unroll
      for (int j = 0; j < COLUMNS / 16; j++) {
        Four<Word> b = *(const Four<Word>*)(right + j * 16 * WIDTH + k);
#pragma unroll
        for (int i = 0; i < ROWS / 16; i++)
          for (int q = 0; q < 4; q++) sums[i * (COLUMNS / 16) + j] += a[i].x[q] * b.x[q];
      }
    }
  }
  template <int ROWS, int COLUMNS> __device__ static int row(int i) {
    return threadIdx.x / 16 + i / (COLUMNS / 16) * 16;
  }
  template <int COLUMNS> __device__ static int column(int i) {
    return threadIdx.x % 16 + i % (COLUMNS / 16) * 16;
  }
};

// On tensor cores, by products of warps: 16 x 8 words of the left by 8 x 8 of the right, whose
// layouts are those of "Matrix fragments for mma" in the PTX manual. The warps of a block make
// 2 x 4 parts of its elements.

template <class Kind> struct Tensor {
  typedef unsigned int Word;

  template <int ROWS, int COLUMNS>
  __device__ static void multiply(const Word* left, const Word* right, Wide* sums) {
    const int ACROSS = COLUMNS / 32;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    left += (warp / 4 * (ROWS / 2) + lane / 4) * WIDTH + lane % 4;
    right += (warp % 4 * (COLUMNS / 4) + lane / 4) * WIDTH + lane % 4;
#pragma unroll
    for (int k = 0; k < WORDS; k += 8) {
      Word a[ROWS / 32][4], b[ACROSS][2];
#pragma unroll
      for (int i = 0; i < ROWS / 32; i++)
        for (int q = 0; q < 4; q++)
          a[i][q] = left[(i * 16 + q % 2 * 8) * WIDTH + k + q / 2 * 4];
#pragma unroll
      for (int j = 0; j < ACROSS; j++)
        for (int q = 0; q < 2; q++) b[j][q] = right[j * 8 * WIDTH + k + q * 4];
#pragma unroll
      for (int i = 0; i < ROWS / 32; i++)
        for (int j = 0; j < ACROSS; j++)
          Kind::add_product(sums + (i * ACROSS + j) * 4, a[i], b[j]);
    }
  }
  template <int ROWS, int COLUMNS> __device__ static int row(int i) {
    int down = i / (COLUMNS / 32 * 4) * 16 + i % 4 / 2 * 8;
    return threadIdx.x / 128 * (ROWS / 2) + down + threadIdx.x % 32 / 4;
  }
  template <int COLUMNS> __device__ static int column(int i) {
    int across = i / 4 % (COLUMNS / 32) * 8 + i % 2;
    return threadIdx.x / 32 % 4 * (COLUMNS / 4) + across + threadIdx.x % 4 * 2;
  }
};

#ifdef __CUDA_ARCH__
#define ADD_PRODUCT(shape)                                                                      \
  asm volatile("mma.sync.aligned." shape                                                        \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"               \
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])                     \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#else
#define ADD_PRODUCT(shape) add_product_of_warp(shape, sums, a, b)
#endif

struct Pairs {
  enum { EACH = 2 };
  __device__ static unsigned int one(const Real* x) { return *(const unsigned short*)x; }
  __device__ static unsigned int both(unsigned int x, unsigned int y) { return x | y << 16; }
  __device__ static void set(unsigned int* row, int k, Wide x) { ((Real*)row)[k] = x; }
};

struct OfHalf : Tensor<OfHalf>, Pairs {
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k16.row.col.f32.f16.f16.f32");
  }
};

struct OfBFloat : Tensor<OfBFloat>, Pairs {
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k16.row.col.f32.bf16.bf16.f32");
  }
};

struct OfTF32 : Tensor<OfTF32> {
  enum { EACH = 1 };
  __device__ static unsigned int one(const Real* x) {  // to the nearest of 10 bits after the point
    unsigned int bits;
#ifdef __CUDA_ARCH__
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"((float)*x));
#else
    bits = __float_as_uint(*x);
    bits = *x != *x ? 0x7fffe000 : (bits + 0x1000) & 0xffffe000;
#endif
    return bits;
  }
  __device__ static unsigned int both(unsigned int x, unsigned int) { return x; }
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k8.row.col.f32.tf32.tf32.f32");
  }
};

// What multiplies whole factors, and float32 if its factors may be rounded

template <class T> struct Arithmetic { typedef Plain Precise, Rounding; };
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
template <> struct Arithmetic<Half> { typedef OfHalf Precise, Rounding; };
template <> struct Arithmetic<BFloat> { typedef OfBFloat Precise, Rounding; };
template <> struct Arithmetic<float> { typedef Plain Precise; typedef OfTF32 Rounding; };
#endif
typedef Arithmetic<Real>::Precise Precise;
typedef Arithmetic<Real>::Rounding Rounding;
