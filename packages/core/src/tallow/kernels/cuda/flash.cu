// Attention whose scores never leave registers, in one sweep over the keys (Milakov and Gimelshein,
// "Online normalizer calculation for softmax", 2018; Dao, "FlashAttention-2", 2023). A block takes
// some queries of one of the matrices of a batch, or in the gradients by keys and values some keys,
// and goes over LINES of the others at a time, so all sums are in a fixed order. A warp has 16 rows
// of scores, or twice that: they become the left factor of the next product as they are. `share`
// matrices of queries in a row have the same keys and values.
//
// The compiler is told BROAD, how many elements rows have at most; BIASED, 0, 1 if a bias is added,
// 2 if it says what is seen; and DROPS, 1 if there is dropout. What that keeps is made anew
// wherever it is needed, of the places of the weights. Types of 16 bits multiply on tensor cores as
// they are, float there too, by its parts (`OfFloats`): from sm_80 on; double not at all. Scores
// are in units of log 2.

#ifndef BROAD
#define BROAD 64
#define BIASED 0
#define DROPS 0
#endif

enum { FITS = sizeof(Wide) == sizeof(float) && HAS_TENSOR_CORES };  // else none is launched

template <class T> struct OfWhole { typedef OfFloats type; };
template <> struct OfWhole<Half> { typedef OfHalf type; };
template <> struct OfWhole<BFloat> { typedef OfBFloat type; };
typedef OfWhole<Real>::type Whole;

#define LOG2_E 1.4426950408889634f
#define LOG_2 0.6931471805599453f

// Where the matrices of a batch are: their number is outer * heads + inner
struct Layout {
  Int heads, outer, inner, row;  // steps in elements
};

struct Attended {
  Int queries, keys, width, out_width, causal, share;
  Int sizes[4], steps[4], by_query, by_key;  // batch axes of a bias and its steps, in elements
  Int seed, offset;
  Layout q, k, v, g;
  double scale, chance;
};

enum {
  CHUNKS = BROAD / AT_ONCE,
  LINES = CHUNKS <= 8 ? 64 : CHUNKS <= 16 ? 32 : 16,
  TILE = LINES * CHUNKS,
  FRAGS = sizeof(Real) == 2 ? 2 : 1,  // sixteens of rows of a warp, forward
  ROWS = 64 * FRAGS                   // of a block
};

// The lines of a matrix of a batch
struct Lines {
  const Real* x;
  int step, length, width;
  bool whole;  // chunks are aligned

  __device__ Lines(const Real* all, const Layout& layout, int number, Int length, Int width)
      : x(all + number / layout.heads * layout.outer + number % layout.heads * layout.inner),
        step(layout.row), length(length), width(width) {
    whole = ((size_t)x | step * sizeof(Real) | width * sizeof(Real)) % sizeof(Bytes16) == 0;
  }
  // COUNT of them from `first` on, with zeros around them, by THREADS
  template <int COUNT, int THREADS> __device__ void bring(Bytes16* tile, int first) const {
    const int ALL = COUNT * CHUNKS;
    if (whole) {
#pragma unroll
      for (int j = 0; j < (ALL + THREADS - 1) / THREADS; j++) {
        int i = threadIdx.x + j * THREADS, line = first + i / CHUNKS, k = i % CHUNKS * AT_ONCE;
        if (ALL % THREADS == 0 || i < ALL)
          copy_later(tile + spot<CHUNKS>(i / CHUNKS, i % CHUNKS),
                     (const Bytes16*)(x + (Int)line * step + k), line < length && k < width);
      }
      return;
    }
#pragma unroll 1
    for (int i = threadIdx.x; i < ALL * AT_ONCE; i += THREADS) {
      int line = i / BROAD, k = i % BROAD;
      bool there = first + line < length && k < width;
      Real* to = (Real*)(tile + spot<CHUNKS>(line, k / AT_ONCE)) + k % AT_ONCE;
      *to = there ? x[(Int)(first + line) * step + k] : Real(0.f);
    }
  }
};

struct Matrix {
  const Attended& a;
  const void* bias;
  const Int* move;
  Int number, bias_at;
  float scale;
  unsigned int kept_below;  // words of dropout without their last 8 bits

  __device__ Matrix(const Attended& a, const void* bias, const Int* move, Int number)
      : a(a), bias(bias), move(move), number(number), bias_at(0), scale(a.scale * LOG2_E),
        kept_below(ceil(a.chance * 0x1000000)) {
    Int left = number;
    for (int axis = 3; axis >= 0 && BIASED; axis--)
      bias_at += left % a.sizes[axis] * a.steps[axis], left /= a.sizes[axis];
  }
  // Makes scores of a thread's products of 16 rows and LINES columns, of which its first are given:
  // -INFINITE where a key is hidden from a query.
  template <bool BY_KEY> __device__ void score(float (*x)[4], int row, int column) const {
#pragma unroll
    for (int i = 0; i < LINES / 2; i++) x[i / 4][i % 4] *= scale;
    int up = row - threadIdx.x % 32 / 4, left = column - threadIdx.x % 4 * 2;  // those of the warp
    int query = BY_KEY ? left : up, key = BY_KEY ? up + 15 : left + LINES - 1;
    if (!BIASED && key < a.keys && (!a.causal || key <= query)) return;
#pragma unroll
    for (int i = 0; i < LINES / 2; i++) {
      float& one = x[i / 4][i % 4];
      int down = row + i % 4 / 2 * 8, across = column + i / 4 * 8 + i % 2;
      query = BY_KEY ? across : down, key = BY_KEY ? down : across;
      if (query >= a.queries || key >= a.keys || (a.causal && key > query)) {
        one = -INFINITE;
      } else if (BIASED) {
        Int at = bias_at + query * a.by_query + key * a.by_key;
        if (BIASED == 1) one += (float)((const Real*)bias)[at] * LOG2_E;
        if (BIASED == 2 && !((const bool*)bias)[at]) one = -INFINITE;
      }
    }
  }

  // The factors by which dropout multiplies the weights that a thread has of 16 x 8, the first of
  // which is that of a query and a key. Where four keys that share words are neighbours, the
  // threads that have them draw them together.
  template <bool BY_KEY> __device__ void keep(int query, int key, float* factors) const {
    unsigned int words[4];
    if (a.keys % 4 == 0) {
      int i = BY_KEY ? threadIdx.x / 4 % 4 : threadIdx.x % 2;  // which of them this thread draws
      int row = query + (BY_KEY ? i % 2 : i * 8), column = key / 4 * 4 + (BY_KEY ? i / 2 * 8 : 0);
      Words drawn = philox(a.seed, a.offset, 0, place(row, column) / 4, move);
      for (int q = 0; q < 4; q++) words[q] = drawn.at[q];
      exchange(words, 2, 1, BY_KEY ? 8 : 1);
      if (BY_KEY) exchange(words, 1, 2, 4);
    } else {
      for (int i = 0; i < 4; i++)
        words[i] = word(place(query + (BY_KEY ? i % 2 : i / 2 * 8),
                              key + (BY_KEY ? i / 2 * 8 : i % 2)));
    }
    for (int i = 0; i < 4; i++) factors[i] = words[i] >> 8 < kept_below ? 1 / (float)a.chance : 0;
  }
  __device__ __attribute__((noinline)) unsigned int word(Int at) const {
    Words drawn = philox(a.seed, a.offset, 0, at / 4, move);
    unsigned int early = at % 2 ? drawn.at[1] : drawn.at[0];
    return at % 4 < 2 ? early : at % 2 ? drawn.at[3] : drawn.at[2];
  }
  __device__ Int place(int query, int key) const {
    return (number * a.queries + query) * a.keys + key;
  }
  // A step of a transposition over threads: those with `bit` set keep the later of two words that
  // are `apart`, the others the earlier, and get what their neighbours do not keep.
  __device__ static void exchange(unsigned int* x, int apart, int next, int bit) {
    bool later = threadIdx.x & bit;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      unsigned int &early = x[i * next], &late = x[i * next + apart];
      unsigned int other = __shfl_xor_sync(0xffffffff, later ? early : late, bit);
      (later ? early : late) = other;
    }
  }
};

// sums (16 * HIGH, LINES) = rows of a tile, from `row` on, times lines of another
template <int HIGH>
__device__ void multiply_lines(float (*sums)[LINES / 8][4], const Bytes16* left, int row,
                               const Bytes16* right) {
#pragma unroll
  for (int i = 0; i < HIGH * LINES / 2; i++) (&sums[0][0][0])[i] = 0;
#pragma unroll 4
  for (int k = 0; k < BROAD; k += STEP) {
    unsigned int a[HIGH][4], b[4];
#pragma unroll
    for (int f = 0; f < HIGH; f++) load<CHUNKS, true, true>(a[f], left, row + f * 16, k);
#pragma unroll
    for (int j = 0; j < LINES / 8; j++) {
      if (j % 2 == 0) load<CHUNKS, true, false>(b, right, j * 8, k);
#pragma unroll
      for (int f = 0; f < HIGH; f++) Whole::add_product(sums[f][j], a[f], b + j % 2 * 2);
    }
  }
}

// sums (16 * HIGH, BROAD) += weights (16 * HIGH, LINES) times lines of a tile
template <int HIGH>
__device__ void add_weighted(float (*sums)[BROAD / 8][4],
                             const float (*weights)[LINES / 8][4], const Bytes16* right) {
  const int ONE = sizeof(Real) == 2 ? 2 : 1;  // eights of weights in a step
#pragma unroll
  for (int k = 0; k < LINES; k += STEP) {
    unsigned int a[HIGH][4], b[4];
#pragma unroll
    for (int f = 0; f < HIGH; f++)
#pragma unroll
      for (int q = 0; q < 4; q++) {
        const float* from = weights[f][k / 8 + (ONE == 2 ? q / 2 : 0)];
        a[f][q] = ONE == 2 ? Whole::pair(from[q % 2 * 2], from[q % 2 * 2 + 1])
                           : __float_as_uint(from[q % 2 * 2 + q / 2]);
      }
#pragma unroll
    for (int j = 0; j < BROAD / 8; j++) {
      if (j % 2 == 0) load<CHUNKS, false, false>(b, right, j * 8, k);
#pragma unroll
      for (int f = 0; f < HIGH; f++) Whole::add_product(sums[f][j], a[f], b + j % 2 * 2);
    }
  }
}

// Writes a warp's sums, whose first row is `row` of the tile and `first + row` of x (length,
// width), by way of the warp's own rows of the tile
template <int HIGH>
__device__ void write_lines(Real* x, const float (*sums)[BROAD / 8][4], Bytes16* tile, int row,
                            int first, int length, int width) {
  int lane = threadIdx.x % 32;
  __syncwarp();
#pragma unroll
  for (int f = 0; f < HIGH; f++)
#pragma unroll
    for (int i = 0; i < BROAD / 2; i++) {
      int down = row + f * 16 + i % 4 / 2 * 8 + lane / 4, across = i / 4 * 8 + lane % 4 * 2 + i % 2;
      Real* chunk = (Real*)(tile + spot<CHUNKS>(down, across / AT_ONCE));
      chunk[across % AT_ONCE] = sums[f][i / 4][i % 4];
    }
  __syncwarp();
  bool whole = width * sizeof(Real) % sizeof(Bytes16) == 0;
  for (int i = lane; i < HIGH * 16 * CHUNKS; i += 32) {
    int line = row + i / CHUNKS, k = i % CHUNKS * AT_ONCE;
    if (first + line >= length || k >= width) continue;
    const Bytes16* from = tile + spot<CHUNKS>(line, i % CHUNKS);
    Real* to = x + (Int)(first + line) * width + k;
    if (whole)
      *(Bytes16*)to = *from;
    else
      for (int q = 0; q < AT_ONCE && k + q < width; q++) to[q] = ((const Real*)from)[q];
  }
}

__device__ float over_four(float x, bool largest) {  // of the threads that share rows
  for (int step = 1; step < 4; step *= 2) {
    float other = __shfl_xor_sync(0xffffffff, x, step);
    x = !largest ? x + other : other > x ? other : x;
  }
  return x;
}

// The softmax of the rows of a thread so far
struct Running {
  float top[FRAGS][2], mass[FRAGS][2];  // mass: of the thread's own columns

  __device__ Running() {
    for (int i = 0; i < FRAGS * 2; i++) (&top[0][0])[i] = -INFINITE, (&mass[0][0])[i] = 0;
  }
  // Makes weights of the scores of row 8 * h; returns what those before are to be multiplied by.
  __device__ float add(float (*x)[4], int f, int h) {
    float highest = top[f][h];
#pragma unroll
    for (int i = 0; i < LINES / 4; i++) highest = fmaxf(highest, x[i / 2][h * 2 + i % 2]);
    highest = over_four(highest, true);
    float base = highest == -INFINITE ? 0 : highest, before = exp2f(top[f][h] - base), total = 0;
#pragma unroll
    for (int i = 0; i < LINES / 4; i++) {
      float& one = x[i / 2][h * 2 + i % 2];
      total += one = exp2f(one - base);
    }
    top[f][h] = highest, mass[f][h] = mass[f][h] * before + total;
    return before;
  }
};

// out (matrices, queries, out_width), and the level of each query
__device__ void attend_forward(const Real* q, const Real* k, const Real* v, const void* bias,
                               const Int* move, Real* out, float* level, const Attended& a) {
  ROOM(room);
  Bytes16* stages = room + ROWS * CHUNKS;
  int tiles = (a.queries + ROWS - 1) / ROWS, number = blockIdx.x / tiles;
  int first = (tiles - 1 - blockIdx.x % tiles) * ROWS;  // those that see most come first
  int row = threadIdx.x / 32 * 16 * FRAGS, lane = threadIdx.x % 32;
  int seen = a.causal && first + ROWS < a.keys ? first + ROWS : a.keys;
  const Matrix matrix(a, bias, move, number);
  const Lines keys(k, a.k, number / a.share, a.keys, a.width);
  const Lines values(v, a.v, number / a.share, a.keys, a.out_width);
  Lines(q, a.q, number, a.queries, a.width).bring<ROWS, 128>(room, first);
  Running running;
  float made[FRAGS][BROAD / 8][4];
  for (int i = 0; i < FRAGS * BROAD / 2; i++) (&made[0][0][0])[i] = 0;
  auto bring = [&](int turn, int stage) {
    keys.bring<LINES, 128>(stages + stage * 2 * TILE, turn * LINES);
    values.bring<LINES, 128>(stages + stage * 2 * TILE + TILE, turn * LINES);
  };
  pipelined<2>((seen + LINES - 1) / LINES, bring, [&](int turn, int stage) {
    float x[FRAGS][LINES / 8][4];
    multiply_lines<FRAGS>(x, room, row, stages + stage * 2 * TILE);
    int query = first + row + lane / 4, key = turn * LINES + lane % 4 * 2;
#pragma unroll
    for (int f = 0; f < FRAGS; f++) {
      matrix.score<false>(x[f], query + f * 16, key);
#pragma unroll
      for (int h = 0; h < 2; h++) {
        float before = running.add(x[f], f, h);
#pragma unroll
        for (int i = 0; i < BROAD / 4; i++) made[f][i / 2][h * 2 + i % 2] *= before;
      }
      if (DROPS) {
#pragma unroll
        for (int j = 0; j < LINES / 8; j++) {
          float factors[4];
          matrix.keep<false>(query + f * 16, key + j * 8, factors);
          for (int i = 0; i < 4; i++) x[f][j][i] *= factors[i];
        }
      }
    }
    add_weighted<FRAGS>(made, x, stages + stage * 2 * TILE + TILE);
  });
#pragma unroll
  for (int f = 0; f < FRAGS; f++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float mass = over_four(running.mass[f][h], false);
      int query = first + row + f * 16 + h * 8 + lane / 4;
      if (lane % 4 == 0 && query < a.queries)
        level[number * a.queries + query] =
            mass == 0 ? (float)INFINITE : logf(mass) + running.top[f][h] * LOG_2;
#pragma unroll
      for (int i = 0; i < BROAD / 4; i++)
        made[f][i / 2][h * 2 + i % 2] *= mass == 0 ? 0 : 1 / mass;
    }
  write_lines<FRAGS>(out + number * a.queries * a.out_width, made, room, row, first,
                             a.queries, a.out_width);
}

// A warp to each row: the products of rows of g and of out
extern "C" __global__ void flash_along(const Real* g, const Real* out, float* along, Int rows,
                                        Attended a) {
  Int row = blockIdx.x * (Int)(blockDim.x / 32) + threadIdx.x / 32;
  if (row >= rows) return;
  const Lines lines(g, a.g, row / a.queries, a.queries, a.out_width);
  const Real* from = lines.x + row % a.queries * lines.step;
  float total = 0;
  for (int i = threadIdx.x % 32; i < a.out_width; i += 32)
    total += (float)from[i] * (float)out[row * a.out_width + i];
  for (int step = 16; step > 0; step /= 2) total += __shfl_xor_sync(0xffffffff, total, step);
  if (threadIdx.x % 32 == 0) along[row] = total;
}

// The gradient by queries; with BY_KEY those by keys and by values, where rows are keys. `level`
// and `along`, the products of g and out, are of queries.
template <bool BY_KEY>
__device__ void attend_back(const Real* g, const Real* q, const Real* k, const Real* v,
                            const void* bias, const Int* move, const float* level,
                            const float* along, Real* by_x, Real* by_v, const Attended& a) {
  const int STAGE = 2 * TILE + LINES / 2, THREADS = 128 * FRAGS;
  ROOM(room);
  Bytes16 *second = room + ROWS * CHUNKS, *stages = second + ROWS * CHUNKS;
  int length = BY_KEY ? a.keys : a.queries, tiles = (length + ROWS - 1) / ROWS;
  int number = blockIdx.x / tiles, first = blockIdx.x % tiles * ROWS;
  if (!BY_KEY) first = (tiles - 1) * ROWS - first;
  int row = threadIdx.x / 32 * 16, lane = threadIdx.x % 32;
  // Of the others those that meet rows, LINES a turn; by keys for each matrix of queries in turn
  int begin = BY_KEY && a.causal ? first / LINES * LINES : 0;
  int end = BY_KEY ? a.queries : a.causal && first + ROWS < a.keys ? first + ROWS : a.keys;
  int each = begin < end ? (end - begin + LINES - 1) / LINES : 0;
  Int shared = BY_KEY ? number : number / a.share;
  const Lines keys(k, a.k, shared, a.keys, a.width), values(v, a.v, shared, a.keys, a.out_width);
  auto queries_of = [&](int n) { return Lines(q, a.q, n, a.queries, a.width); };
  auto slopes_of = [&](int n) { return Lines(g, a.g, n, a.queries, a.out_width); };
  (BY_KEY ? keys : queries_of(number)).template bring<ROWS, THREADS>(room, first);
  (BY_KEY ? values : slopes_of(number)).template bring<ROWS, THREADS>(second, first);
  float own_level[2], own_along[2];
  for (int h = 0; h < 2 && !BY_KEY; h++) {
    int query = first + row + h * 8 + lane / 4;
    Int at = number * a.queries + query;
    own_level[h] = query < a.queries ? level[at] * LOG2_E : 0;
    own_along[h] = query < a.queries ? along[at] : 0;
  }
  float on_x[1][BROAD / 8][4], on_v[1][BROAD / 8][4];
  for (int i = 0; i < BROAD / 2; i++) (&on_x[0][0][0])[i] = (&on_v[0][0][0])[i] = 0;
  auto bring = [&](int turn, int stage) {
    Bytes16 *x = stages + stage * STAGE, *y = x + TILE;
    int start = begin + (BY_KEY ? turn % each : turn) * LINES;
    int n = BY_KEY ? number * a.share + turn / each : number;
    (BY_KEY ? queries_of(n) : keys).template bring<LINES, THREADS>(x, start);
    (BY_KEY ? slopes_of(n) : values).template bring<LINES, THREADS>(y, start);
    if (!BY_KEY || threadIdx.x >= LINES) return;
    Int at = n * a.queries + start + threadIdx.x;
    bool there = start + threadIdx.x < a.queries;
    float* to = (float*)(y + TILE) + threadIdx.x;
    copy_later(to, level + at, there), copy_later(to + LINES, along + at, there);
  };
  pipelined<2>(BY_KEY ? each * a.share : each, bring, [&](int turn, int stage) {
    const Bytes16 *other_x = stages + stage * STAGE, *other_y = other_x + TILE;
    const float* levels = (const float*)(other_y + TILE);
    int start = begin + (BY_KEY ? turn % each : turn) * LINES;
    const Matrix matrix(a, bias, move, BY_KEY ? number * a.share + turn / each : number);
    float weights[1][LINES / 8][4], slopes[1][LINES / 8][4];
    multiply_lines<1>(weights, room, row, other_x);
    multiply_lines<1>(slopes, second, row, other_y);
    int down = first + row + lane / 4;
    matrix.template score<BY_KEY>(weights[0], down, start + lane % 4 * 2);
#pragma unroll
    for (int j = 0; j < LINES / 8; j++) {
      int across = j * 8 + lane % 4 * 2;
      float kept[4] = {1, 1, 1, 1};
      if (DROPS)
        matrix.template keep<BY_KEY>(BY_KEY ? start + across : down, BY_KEY ? down : start + across,
                                     kept);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        float &weight = weights[0][j][i], &slope = slopes[0][j][i];
        weight = exp2f(weight - (BY_KEY ? levels[across + i % 2] * LOG2_E : own_level[i / 2]));
        float less = BY_KEY ? levels[LINES + across + i % 2] : own_along[i / 2];
        slope = weight * (slope * kept[i] - less) * (float)a.scale;
        weight *= kept[i];
      }
    }
    if (BY_KEY) add_weighted<1>(on_v, weights, other_y);
    add_weighted<1>(on_x, slopes, other_x);
  });
  write_lines<1>(by_x + (Int)number * length * a.width, on_x, room, row, first, length,
                         a.width);
  if (BY_KEY)
    write_lines<1>(by_v + (Int)number * length * a.out_width, on_v, second, row, first,
                           length, a.out_width);
}

#define FORWARD(name, THREADS)                                                                  \
  extern "C" __global__ void __launch_bounds__(THREADS)                                         \
      name(const Real* q, const Real* k, const Real* v, const void* bias, const Int* move,      \
           Real* out, float* level, Attended a) {                                               \
    if (FITS) attend_forward(q, k, v, bias, move, out, level, a);                               \
  }

#define BACK(name, BY_KEY)                                                                      \
  extern "C" __global__ void __launch_bounds__(128 * FRAGS)                                     \
      name(const Real* g, const Real* q, const Real* k, const Real* v, const void* bias,        \
           const Int* move, const float* level, const float* along, Real* by_x, Real* by_v,     \
           Attended a) {                                                                        \
    if (FITS) attend_back<BY_KEY>(g, q, k, v, bias, move, level, along, by_x, by_v, a);         \
  }

FORWARD(flash, 128)
BACK(flash_by_query, false)
BACK(flash_by_key, true)
