// Attention whose scores never leave a block, in one sweep over the keys (Milakov and Gimelshein,
// "Online normalizer calculation for softmax", 2018; Dao, "FlashAttention-2", 2023). A block takes
// 32 queries of one of the matrices of a batch, or in the gradients by keys and values 32 keys, and
// goes over the others 128 at a time, so all sums are in a fixed order. Operands are (matrices,
// length, width) with widths up to BROAD, 64 or 128; products are those of tiles.cuh. Types of 16
// bits multiply on tensor cores, float in full precision. double is not done here.
//
// What dropout keeps is made anew wherever it is needed, of the places of the weights.

enum { ROWS = 32, BATCH = 128 };  // scores that a block has at a time

typedef Precise::Word Word;
enum {
  DEPTH = WORDS * Precise::EACH,            // elements in the words of a tile
  SLAB = ROWS * WIDTH,                  // words of a tile of ROWS
  FITS = sizeof(Wide) == sizeof(float)  // else no kernel here is launched
};

struct Attended {
  Int queries, keys, width, out_width, causal;
  Int biased;                                   // 0, 1: a bias is added, 2: it says what is seen
  Int sizes[4], steps[4], by_query, by_key;     // its batch axes and steps, in elements
  Int drops, seed, offset;
  double scale, chance;
};

// What a block shares
struct Room {
  Four<Word> left[SLAB / 4], right[FITS ? BATCH * WIDTH / 4 : 1];
  Four<Word> weights[FITS ? BATCH / DEPTH * SLAB / 4 : 1];
};

struct Matrix {
  const Attended& a;
  const void* bias;
  const Int* move;
  Int number, bias_at;

  __device__ Matrix(const Attended& a, const void* bias, const Int* move, Int number)
      : a(a), bias(bias), move(move), number(number), bias_at(0) {
    Int left = number;
    for (int axis = 3; axis >= 0 && a.biased; axis--)
      bias_at += left % a.sizes[axis] * a.steps[axis], left /= a.sizes[axis];
  }
  // A score of a product of a query and a key: -INFINITE where the key is hidden
  __device__ Wide score(Wide product, Int query, Int key) const {
    if (query >= a.queries || key >= a.keys || (a.causal && key > query)) return -INFINITE;
    Wide scaled = product * (Wide)a.scale;
    Int at = bias_at + query * a.by_query + key * a.by_key;
    if (a.biased == 2) return ((const bool*)bias)[at] ? scaled : -INFINITE;
    return a.biased ? scaled + (Wide)((const Real*)bias)[at] : scaled;
  }
  // The factors by which dropout multiplies `count` neighbouring weights
  __device__ void keep(Int query, Int key, int count, Wide* factors) const {
    Int place = (number * a.queries + query) * a.keys + key, lane = -1;
    Words drawn;
    for (int i = 0; i < count; i++) {
      if ((place + i) / 4 != lane)
        lane = (place + i) / 4, drawn = philox(a.seed, a.offset, 0, lane, move);
      factors[i] = is_kept(drawn.at[(place + i) % 4], a.chance) ? (Wide)(1 / a.chance) : Wide(0);
    }
  }
};

// Tiles: COUNT rows of x (length, width) from `first` on, DEPTH elements of them from `start`; and
// the transpose, BROAD columns of DEPTH rows

template <int COUNT>
__device__ void put_rows(Word* tile, const Real* x, Int first, Int length, Int width, Int start) {
  Int k = start + threadIdx.x % WORDS * Precise::EACH, last = k + Precise::EACH - 1;
#pragma unroll
  for (int row = threadIdx.x / WORDS; row < COUNT; row += CREW / WORDS) {
    const Real* from = x + (first + row) * width;
    bool there = first + row < length;
    Word lower = there && k < width ? Precise::one(from + k) : Word(0);
    Word upper = there && last < width ? Precise::one(from + last) : Word(0);
    tile[row * WIDTH + threadIdx.x % WORDS] = Precise::both(lower, upper);
  }
}

template <int BROAD>
__device__ void put_columns(Word* tile, const Real* x, Int first, Int length, Int width) {
  Int n = threadIdx.x % BROAD;
#pragma unroll
  for (int word = threadIdx.x / BROAD; word < WORDS; word += CREW / BROAD) {
    Int k = first + word * Precise::EACH, last = k + Precise::EACH - 1;
    Word lower = k < length && n < width ? Precise::one(x + k * width + n) : Word(0);
    Word upper = last < length && n < width ? Precise::one(x + last * width + n) : Word(0);
    tile[n * WIDTH + word] = Precise::both(lower, upper);
  }
}

// sums (ROWS, BATCH) of products of rows of x and of y
__device__ void multiply_rows(Room& room, const Real* x, Int first, Int length, const Real* y,
                              Int other, Int other_length, Int width, Wide* sums) {
  for (int i = 0; i < ROWS * BATCH / CREW; i++) sums[i] = 0;
  for (Int start = 0; start < width; start += DEPTH) {
    put_rows<ROWS>(room.left[0].x, x, first, length, width, start);
    put_rows<BATCH>(room.right[0].x, y, other, other_length, width, start);
    __syncthreads();
    Precise::template multiply<ROWS, BATCH>(room.left[0].x, room.right[0].x, sums);
    __syncthreads();
  }
}

// sums (ROWS, BROAD) += weights (ROWS, BATCH), which are in shared memory, times rows of y
template <int BROAD>
__device__ void add_weighted(Room& room, const Real* y, Int first, Int length, Int width,
                             Wide* sums) {
  for (int slab = 0; slab < BATCH / DEPTH && first + slab * DEPTH < length; slab++) {
    put_columns<BROAD>(room.right[0].x, y, first + slab * DEPTH, length, width);
    __syncthreads();
    Precise::template multiply<ROWS, BROAD>(room.weights[0].x + slab * SLAB, room.right[0].x, sums);
    __syncthreads();
  }
}

__device__ void put_weight(Room& room, int row, int column, Wide x) {
  Precise::set(room.weights[0].x + column / DEPTH * SLAB + row * WIDTH, column % DEPTH, x);
}

template <class Combined> __device__ Wide over_warp(Wide x) {
  for (int step = 16; step > 0; step /= 2)
    x = Combined::of(x, __shfl_xor_sync(0xffffffff, x, step));
  return x;
}

template <int BROAD>
__device__ void write_sums(Real* out, const Wide* sums, Int first, Int length, Int width) {
#pragma unroll
  for (int i = 0; i < ROWS * BROAD / CREW; i++) {
    Int row = first + Precise::template row<ROWS, BROAD>(i);
    Int column = Precise::template column<BROAD>(i);
    if (row < length && column < width) out[row * width + column] = sums[i];
  }
}

// The softmax of a row of scores so far: a warp has 4 of the rows, and of each 4 columns a thread
struct Running {
  Wide top, mass;

  // Makes weights of four scores; returns what those before are to be multiplied by.
  __device__ Wide add(Wide* x) {
    Wide highest = Max::of(Max::of(x[0], x[1]), Max::of(x[2], x[3]));
    highest = Max::of(top, over_warp<Max>(highest));
    Wide base = highest == -INFINITE ? Wide(0) : highest, total = 0;
    Wide before = exp(top - base);
    for (int i = 0; i < 4; i++) x[i] = exp(x[i] - base), total += x[i];
    top = highest, mass = mass * before + over_warp<Sum>(total);
    return before;
  }
};

// out (matrices, queries, out_width), and the level of each query, as Real and, if asked, as Wide
template <int BROAD>
__device__ void attend_forward(const Real* q, const Real* k, const Real* v, const void* bias,
                               const Int* move, Real* out, Real* level, Wide* whole_level,
                               const Attended& a) {
  __shared__ Room room;
  const bool APART = Precise::EACH > 1;  // else weights replace scores
  __shared__ Four<Wide> own[APART && FITS ? BATCH / WORDS * SLAB / 4 : 1];
  Wide* scores = APART ? own[0].x : (Wide*)room.weights[0].x;
  __shared__ Wide changed[ROWS];
  Int tiles = (a.queries + ROWS - 1) / ROWS, number = blockIdx.x / tiles;
  Int first = blockIdx.x % tiles * ROWS, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  Int seen = a.causal && first + ROWS < a.keys ? first + ROWS : a.keys;
  Matrix matrix(a, bias, move, number);
  q += number * a.queries * a.width, k += number * a.keys * a.width;
  v += number * a.keys * a.out_width;
  Running running[4];
  for (int i = 0; i < 4; i++) running[i] = {-INFINITE, 0};
  Wide made[ROWS * BROAD / CREW], products[ROWS * BATCH / CREW];
  for (int i = 0; i < ROWS * BROAD / CREW; i++) made[i] = 0;
  for (Int start = 0; start < seen; start += BATCH) {
    multiply_rows(room, q, first, a.queries, k, start, a.keys, a.width, products);
#pragma unroll
    for (int i = 0; i < ROWS * BATCH / CREW; i++) {
      int row = Precise::template row<ROWS, BATCH>(i), column = Precise::template column<BATCH>(i);
      scores[column / WORDS * SLAB + row * WIDTH + column % WORDS] =
          matrix.score(products[i], first + row, start + column);
    }
    __syncthreads();
    for (int i = 0; i < 4; i++) {
      int row = warp * 4 + i;
      Four<Wide> x = *(Four<Wide>*)(scores + lane / 4 * SLAB + row * WIDTH + lane % 4 * 4);
      Wide before = running[i].add(x.x), factors[4] = {1, 1, 1, 1};
      if (a.drops) matrix.keep(first + row, start + lane * 4, 4, factors);
      for (int j = 0; j < 4; j++) put_weight(room, row, lane * 4 + j, x.x[j] * factors[j]);
      if (lane == 0) changed[row] = before;
    }
    __syncthreads();
    for (int i = 0; i < ROWS * BROAD / CREW; i++)
      made[i] *= changed[Precise::template row<ROWS, BROAD>(i)];
    add_weighted<BROAD>(room, v, start, a.keys, a.out_width, made);
  }
  for (int i = 0; i < 4; i++) {
    Wide mass = running[i].mass;
    Int query = first + warp * 4 + i;
    if (lane != 0) continue;
    changed[warp * 4 + i] = mass == 0 ? Wide(0) : 1 / mass;
    if (query >= a.queries) continue;
    Wide found = mass == 0 ? INFINITE : log(mass) + running[i].top;
    level[number * a.queries + query] = found;
    if (whole_level) whole_level[number * a.queries + query] = found;
  }
  __syncthreads();
  for (int i = 0; i < ROWS * BROAD / CREW; i++)
    made[i] *= changed[Precise::template row<ROWS, BROAD>(i)];
  write_sums<BROAD>(out + number * a.queries * a.out_width, made, first, a.queries, a.out_width);
}

// A warp to each row: the products of rows of g and of out
extern "C" __global__ void attend_along(const Real* g, const Real* out, Wide* along, Int n) {
  Wide total = 0;
  WITHIN(i, n) total += (Wide)g[blockIdx.x * n + i] * (Wide)out[blockIdx.x * n + i];
  total = over_block<Sum>(total);
  if (threadIdx.x == 0) along[blockIdx.x] = total;
}

// The gradient by queries; with BY_KEY those by keys and by values, where rows are keys. `level`
// and `along`, the products of g and out, are of queries.
template <int BROAD, bool BY_KEY>
__device__ void attend_back(const Real* g, const Real* q, const Real* k, const Real* v,
                            const void* bias, const Int* move, const Wide* level,
                            const Wide* along, Real* by_x, Real* by_v, const Attended& a) {
  __shared__ Room room;
  Int length = BY_KEY ? a.keys : a.queries, others = BY_KEY ? a.queries : a.keys;
  Int tiles = (length + ROWS - 1) / ROWS, number = blockIdx.x / tiles;
  Int first = blockIdx.x % tiles * ROWS;
  Matrix matrix(a, bias, move, number);
  g += number * a.queries * a.out_width, q += number * a.queries * a.width;
  k += number * a.keys * a.width, v += number * a.keys * a.out_width;
  level += number * a.queries, along += number * a.queries;
  const Real *x = BY_KEY ? k : q, *other_x = BY_KEY ? q : k;
  const Real *y = BY_KEY ? v : g, *other_y = BY_KEY ? g : v;
  const int COUNT = ROWS * BATCH / CREW, MADE = ROWS * BROAD / CREW;
  Wide on_x[MADE], on_v[MADE], weights[COUNT], slopes[COUNT];
  for (int i = 0; i < MADE; i++) on_x[i] = on_v[i] = 0;
  Int begin = a.causal && BY_KEY ? first / BATCH * BATCH : 0;
  Int end = a.causal && !BY_KEY && first + ROWS < others ? first + ROWS : others;
  for (Int start = begin; start < end; start += BATCH) {
    multiply_rows(room, x, first, length, other_x, start, others, a.width, weights);
    multiply_rows(room, y, first, length, other_y, start, others, a.out_width, slopes);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      int row = Precise::template row<ROWS, BATCH>(i), column = Precise::template column<BATCH>(i);
      Int query = BY_KEY ? start + column : first + row;
      Int key = BY_KEY ? first + row : start + column;
      Wide score = matrix.score(weights[i], query, key), weight = 0, kept = 1, slope = 0;
      if (score != -INFINITE) {
        weight = exp(score - level[query]);
        if (a.drops) matrix.keep(query, key, 1, &kept);
        slope = weight * (slopes[i] * kept - along[query]) * (Wide)a.scale;
      }
      weights[i] = weight * kept, slopes[i] = slope;
    }
    if (BY_KEY) {
#pragma unroll
      for (int i = 0; i < COUNT; i++)
        put_weight(room, Precise::template row<ROWS, BATCH>(i), Precise::template column<BATCH>(i),
                   weights[i]);
      add_weighted<BROAD>(room, g, start, a.queries, a.out_width, on_v);
    }
#pragma unroll
    for (int i = 0; i < COUNT; i++)
      put_weight(room, Precise::template row<ROWS, BATCH>(i), Precise::template column<BATCH>(i),
                 slopes[i]);
    add_weighted<BROAD>(room, other_x, start, others, a.width, on_x);
  }
  write_sums<BROAD>(by_x + number * length * a.width, on_x, first, length, a.width);
  if (BY_KEY)
    write_sums<BROAD>(by_v + number * length * a.out_width, on_v, first, length, a.out_width);
}

#define FORWARD(name, BROAD)                                                                    \
  extern "C" __global__ void __launch_bounds__(CREW)                                            \
      name(const Real* q, const Real* k, const Real* v, const void* bias, const Int* move,      \
           Real* out, Real* level, Wide* whole_level, Attended a) {                             \
    if (FITS) attend_forward<BROAD>(q, k, v, bias, move, out, level, whole_level, a);           \
  }

#define BACK(name, BROAD, BY_KEY)                                                               \
  extern "C" __global__ void __launch_bounds__(CREW)                                            \
      name(const Real* g, const Real* q, const Real* k, const Real* v, const void* bias,        \
           const Int* move, const Wide* level, const Wide* along, Real* by_x, Real* by_v,       \
           Attended a) {                                                                        \
    if (FITS) attend_back<BROAD, BY_KEY>(g, q, k, v, bias, move, level, along, by_x, by_v, a);  \
  }

FORWARD(attend_64, 64)
FORWARD(attend_128, 128)
BACK(attend_by_query_64, 64, false)
BACK(attend_by_query_128, 128, false)
BACK(attend_by_key_64, 64, true)
BACK(attend_by_key_128, 128, true)
