// Products of matrices from tiles in shared memory, which threads fill some turns ahead.
//
// A tile is of lines of CHUNKS chunks, of 16 bytes each. Its lines are the rows of the left matrix
// or the columns of the right one, with k ALONG them, or else they are the k. Bytes16 `c` of a line
// is at `spot<CHUNKS>(line, c)`: eight that are read at once, one of each of eight lines in order
// or all of one line, are in different banks.

enum { CREW = 256 };  // threads of a block

struct alignas(16) Bytes16 {
  unsigned int words[4];
};

template <int CHUNKS> __device__ int spot(int line, int chunk) {
  return line * CHUNKS + (chunk ^ (CHUNKS % 8 ? line / 2 % 4 : line % 8));
}

// Copies to shared memory. Those of a thread are done in groups: `wait_copies<N>` waits for all but
// the last N. Then other threads see them after a barrier.

#define HAS_TENSOR_CORES 1
#ifdef __CUDA_ARCH__
#define ROOM(name) extern __shared__ Bytes16 name[]
#if __CUDA_ARCH__ >= 800
#define COPY_LATER(how, bytes)                                                                  \
  asm volatile("cp.async." how ".shared.global [%0], [%1], " #bytes ", %2;" ::"r"(              \
                   (unsigned int)__cvta_generic_to_shared(to)),                                 \
               "l"(from), "r"(there ? bytes : 0)                                                \
               : "memory")
__device__ void copy_later(Bytes16* to, const Bytes16* from, bool there) {  // or else zeros
  COPY_LATER("cg", 16);
}
__device__ void copy_later(float* to, const float* from, bool there) { COPY_LATER("ca", 4); }
__device__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int LEFT> __device__ void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}
#else
#undef HAS_TENSOR_CORES
#define HAS_TENSOR_CORES 0
template <class T> __device__ void copy_later(T* to, const T* from, bool there) {
  *to = there ? *from : T{};
}
__device__ void commit_copies() {}
template <int LEFT> __device__ void wait_copies() {}
#endif
#endif

// Turns whose `use(turn, stage)` finds what `bring(turn, stage)` copied to one of STAGES parts of
// memory
template <int STAGES, class Bring, class Use>
__device__ void pipelined(int turns, Bring bring, Use use) {
  for (int turn = 0; turn < STAGES - 1; turn++) {
    if (turn < turns) bring(turn, turn);
    commit_copies();
  }
  for (int turn = 0; turn < turns; turn++) {
    wait_copies<STAGES - 2>();
    __syncthreads();  // what was brought is there, and what is overwritten next has been used
    int next = turn + STAGES - 1;
    if (next < turns) bring(next, next % STAGES);
    commit_copies();
    use(turn, turn % STAGES);
  }
  wait_copies<0>();
  __syncthreads();
}

// Arithmetics. `multiply` is by a block: sums[m, n] += left[m, k] * right[n, k], of ROWS rows, 32
// to 128, COLUMNS columns and DEPTH k. Of the ROWS * COLUMNS / CREW sums of a thread, sum i is that
// of row `row<ROWS>(i)` and column `column(i)`.

enum { COLUMNS = 128, DEPTH = 4 * AT_ONCE };

struct Plain {  // a thread has rows y, y + 16, ... and columns x, x + 16, ...
  template <int ROWS, bool ALONG>
  __device__ static void multiply(const Bytes16* left, const Bytes16* right, Wide* sums) {
    int y = threadIdx.x / 16, x = threadIdx.x % 16;
#pragma unroll
    for (int k = 0; k < (ALONG ? 4 : DEPTH); k++) {  // chunks or lines
      Bytes16 a[ROWS / 16];
#pragma unroll
      for (int i = 0; i < ROWS / 16; i++) a[i] = read<ROWS, ALONG>(left, y, i, k);
#pragma unroll
      for (int j = 0; j < COLUMNS / 16; j++) {
        Bytes16 b = read<COLUMNS, ALONG>(right, x, j, k);
#pragma unroll
        for (int i = 0; i < ROWS / 16; i++)
#pragma unroll
          for (int q = 0; q < (ALONG ? AT_ONCE : 1); q++)
            sums[i * (COLUMNS / 16) + j] += (Wide)((Real*)&a[i])[q] * (Wide)((Real*)&b)[q];
      }
    }
  }
  // Of row or column first + 16 * i: the chunk of k, or the one element in line k. The last is
  // where `spot` has it, with apart what is known beforehand.
  template <int OTHERS, bool ALONG>
  __device__ static Bytes16 read(const Bytes16* tile, int first, int i, int k) {
    if (ALONG) return tile[spot<4>(first, k) + i * 64];
    const int CHUNKS = OTHERS / AT_ONCE, EACH = 16 / AT_ONCE;
    const int moved = spot<CHUNKS>(k, 0) - k * CHUNKS;
    int chunk = (first / AT_ONCE ^ moved % EACH) + (i * EACH ^ moved / EACH * EACH);
    Bytes16 one;
    *(Real*)&one = ((const Real*)(tile + k * CHUNKS + chunk))[first % AT_ONCE];
    return one;
  }
  template <int ROWS> __device__ static int row(int i) {
    return threadIdx.x / 16 + i / (COLUMNS / 16) * 16;
  }
  __device__ static int column(int i) { return threadIdx.x % 16 + i % (COLUMNS / 16) * 16; }
};

// On tensor cores, by products of warps: STEP k of 16 rows by 8 columns, whose layouts are those of
// "Matrix fragments for mma" in the PTX manual. A word of a factor is two neighbouring k, or one of
// 32 bits; those are given in an order of their own (see `load`).

enum { STEP = 2 * AT_ONCE };

#ifdef __CUDA_ARCH__
template <bool TURNED> __device__ void load_matrices(unsigned int* words, const Bytes16* line) {
  unsigned int from = (unsigned int)__cvta_generic_to_shared(line);
#define LOAD_MATRICES(how)                                                                      \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4" how ".shared.b16 {%0, %1, %2, %3}, [%4];"        \
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])                 \
               : "r"(from)                                                                      \
               : "memory")
  if (TURNED)
    LOAD_MATRICES(".trans");
  else
    LOAD_MATRICES("");
}
#endif

// The words of a factor from a tile: STEP k, from `k` on, of 16 rows of the left matrix or of 16
// columns of the right one, which are two factors of two words each, from `other` on. Where lines
// are k of 32 bits, the words are of k 0, 2, 4, 6 and then of 1, 3, 5, 7.
template <int CHUNKS, bool ALONG, bool LEFT>
__device__ void load(unsigned int* words, const Bytes16* tile, int other, int k) {
  int lane = threadIdx.x % 32, low = lane / 8 % 2, high = lane / 16;
  int by_other = LEFT ? low : high, by_k = LEFT ? high : low;
  if (ALONG)
    load_matrices<false>(
        words, tile + spot<CHUNKS>(other + by_other * 8 + lane % 8, k / AT_ONCE + by_k));
  else if (sizeof(Real) == 2)
    load_matrices<true>(
        words, tile + spot<CHUNKS>(k + by_k * 8 + lane % 8, other / AT_ONCE + by_other));
  else
#pragma unroll
    for (int q = 0; q < 4; q++) {
      int n = other + (LEFT ? q % 2 : q / 2) * 8 + lane / 4;
      int line = k + lane % 4 * 2 + (LEFT ? q / 2 : q % 2);
      words[q] = tile[spot<CHUNKS>(line, n / AT_ONCE)].words[n % AT_ONCE];
    }
}

template <class Kind> struct Tensor {  // the warps of a block make 2 x 4 parts of its elements
  template <int ROWS, bool ALONG>
  __device__ static void multiply(const Bytes16* left, const Bytes16* right, Wide* sums) {
    int warp = threadIdx.x / 32;
#pragma unroll
    for (int k = 0; k < DEPTH; k += STEP) {
      unsigned int a[ROWS / 32][4], b[2][4];
#pragma unroll
      for (int i = 0; i < ROWS / 32; i++)
        load<ALONG ? 4 : ROWS / AT_ONCE, ALONG, true>(
            a[i], left, warp / 4 * (ROWS / 2) + i * 16, k);
#pragma unroll
      for (int j = 0; j < 2; j++)
        load<ALONG ? 4 : COLUMNS / AT_ONCE, ALONG, false>(b[j], right, warp % 4 * 32 + j * 16, k);
#pragma unroll
      for (int i = 0; i < ROWS / 32; i++)
#pragma unroll
        for (int j = 0; j < 4; j++)
          Kind::add_product(sums + (i * 4 + j) * 4, a[i], b[j / 2] + j % 2 * 2);
    }
  }
  template <int ROWS> __device__ static int row(int i) {
    return threadIdx.x / 128 * (ROWS / 2) + i / 16 * 16 + i % 4 / 2 * 8 + threadIdx.x % 32 / 4;
  }
  __device__ static int column(int i) {
    return threadIdx.x / 32 % 4 * 32 + i / 4 % 4 * 8 + threadIdx.x % 4 * 2 + i % 2;
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

struct OfHalf : Tensor<OfHalf> {
  __device__ static unsigned int pair(float x, float y) {
    return Half(x).bits | (unsigned int)Half(y).bits << 16;
  }
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k16.row.col.f32.f16.f16.f32");
  }
};

struct OfBFloat : Tensor<OfBFloat> {
  __device__ static unsigned int pair(float x, float y) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    unsigned int both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(y), "f"(x));
    return both;
#else
    return BFloat(x).bits | (unsigned int)BFloat(y).bits << 16;
#endif
  }
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k16.row.col.f32.bf16.bf16.f32");
  }
};

__device__ unsigned int tf32(float x) {  // to the nearest of 10 bits after the point
  unsigned int bits;
#if !defined(__CUDA_ARCH__)
  bits = __float_as_uint(x);
  bits = x != x ? 0x7fffe000 : (bits + 0x1000) & 0xffffe000;
#elif __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#else
  bits = __float_as_uint(x);
#endif
  return bits;
}

struct OfTF32 : Tensor<OfTF32> {  // of what has been rounded
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    ADD_PRODUCT("m16n8k8.row.col.f32.tf32.tf32.f32");
  }
};

// Of floats in full: each is the sum of what TensorFloat-32 keeps of it and of what it keeps of the
// rest. The product of the rests is left out.
struct OfFloats {
  __device__ static unsigned int pair(float x, float) { return __float_as_uint(x); }
  __device__ static void add_product(float* sums, const unsigned int* a, const unsigned int* b) {
    unsigned int parts_of_a[2][4], parts_of_b[2][2], finite_a[4], finite_b[2];
    split<4>(a, parts_of_a, finite_a), split<2>(b, parts_of_b, finite_b);
    OfTF32::add_product(sums, parts_of_a[1], finite_b);
    OfTF32::add_product(sums, finite_a, parts_of_b[1]);
    OfTF32::add_product(sums, parts_of_a[0], parts_of_b[0]);
  }
  template <int COUNT>
  __device__ static void split(const unsigned int* words, unsigned int (*parts)[COUNT],
                               unsigned int* finite) {  // these make no NaN with a rest of 0
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      float x = __uint_as_float(words[i]), rest = x - __uint_as_float(parts[0][i] = tf32(x));
      bool whole = rest == rest;
      parts[1][i] = whole ? tf32(rest) : 0, finite[i] = whole ? parts[0][i] : 0;
    }
  }
};

// What multiplies whole factors, and float32 if its factors may be rounded

template <class T> struct Arithmetic { typedef Plain Precise, Rounding; };
#if HAS_TENSOR_CORES
template <> struct Arithmetic<Half> { typedef OfHalf Precise, Rounding; };
template <> struct Arithmetic<BFloat> { typedef OfBFloat Precise, Rounding; };
template <> struct Arithmetic<float> { typedef Plain Precise; typedef OfTF32 Rounding; };
#endif
typedef Arithmetic<Real>::Precise Precise;
typedef Arithmetic<Real>::Rounding Rounding;
