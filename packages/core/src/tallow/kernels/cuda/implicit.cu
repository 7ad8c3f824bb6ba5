// Convolution and its gradients as products of matrices, one of which is never written out: its
// elements are read where they lie in the images ("implicit GEMM": Chetlur et al., "cuDNN:
// efficient primitives for deep learning", 2014).
//
// For each group, out[m, n] is the sum over k of left[m, k] * right[n, k]. A block makes ROWS x
// COLUMNS elements of that, some k at a time: while it multiplies what is in shared memory, it
// reads what comes next into registers. One of n and k counts places (image, j) of windows, the
// other taps (channel, u) within them; what they meet in is element start + j * jump + u * step of
// a channel of the images, or 0 outside of it. So one source serves
//
//   pass              n       k       left                     out
//   forward           places  taps    weight (m, tap)          (image, m, place)
//   gradient by x     places  taps    weight (tap's, m, tap)   the same; jump is 1, step negative
//   gradient by w     taps    places  g (image, m, place)      weight (m, tap)
//
// With a stride, the gradient by x is made by one launch for each residue of the places by it:
// those are `spread` apart, and only some taps, `apart` from each other, reach them.

struct Problem {
  int count[3], start[3], jump[3], phase[3], spread[3], full[3];  // places
  int taps[3], step[3], near[3], apart[3], kernel[3];             // taps
  int size[3];                                                    // of a channel of the images
  Int rows, columns, depth;                                       // how many m, n and k
  Int image, other_image, other_tap;      // from an image, or a channel of taps, to the next
  Int left_row, out_row;                  // from one m to the next
  Int left_group, right_group, out_group;  // from a group to the next
  Int splits, total;                      // parts of the sum over k, and elements of all of out
};

enum { COLUMNS = 128, OUTSIDE = -(1 << 30) };

// A place or a tap: where its elements are in the images, relative to one of the other kind, and
// where it is in the left matrix or in out
struct Spot3 {
  Int source, other;
  int at[3];
  bool there;
};

__device__ int flat3(const int* at, const int* shape) {
  return (at[0] * shape[1] + at[1]) * shape[2] + at[2];
}

__device__ int unflat3(int flat, const int* shape, int* at) {  // returns what is left
  at[2] = flat % shape[2], flat /= shape[2];
  at[1] = flat % shape[1], flat /= shape[1];
  at[0] = flat % shape[0];
  return flat / shape[0];
}

__device__ Spot3 place_of(const Problem& p, Int index, bool there) {
  Spot3 made = {0, 0, {OUTSIDE, 0, 0}, there};
  if (!there) return made;
  int j[3], in_other[3], image = unflat3((int)index, p.count, j);
  for (int a = 0; a < 3; a++) {
    made.at[a] = p.start[a] + j[a] * p.jump[a];
    in_other[a] = p.phase[a] + j[a] * p.spread[a];
  }
  made.source = image * p.image + flat3(made.at, p.size);
  made.other = image * p.other_image + flat3(in_other, p.full);
  return made;
}

__device__ Spot3 tap_of(const Problem& p, Int index, bool there) {
  Spot3 made = {0, 0, {OUTSIDE, 0, 0}, there};
  if (!there) return made;
  int u[3], in_other[3], channel = unflat3((int)index, p.taps, u);
  for (int a = 0; a < 3; a++) {
    made.at[a] = u[a] * p.step[a];
    in_other[a] = p.near[a] + u[a] * p.apart[a];
  }
  made.source = (Int)channel * p.size[0] * p.size[1] * p.size[2] + flat3(made.at, p.size);
  made.other = channel * p.other_tap + flat3(in_other, p.kernel);
  return made;
}

// A block's elements. With `BY_TAP` n counts taps, and neighbouring threads read neighbouring
// places, k; else they read neighbouring places n.

template <class How, int ROWS, bool BY_TAP> struct Block {
  typedef typename How::Word Word;
  enum { DEPTH = WORDS * How::EACH };

  const Problem& p;
  const Real *left, *right;
  Spot3 *columns, *inner;  // of all n, and of the k of two turns
  Int first_row, first_column, end;
  Word of_left[ROWS / 16], of_right[8];  // on their way to shared memory

  __device__ Spot3 column_of(Int n) const {
    bool there = n < p.columns;
    return BY_TAP ? tap_of(p, n, there) : place_of(p, n, there);
  }
  __device__ Spot3 inner_of(Int k) const {
    bool there = k < end;
    return BY_TAP ? place_of(p, k, there) : tap_of(p, k, there);
  }
  __device__ Word seen(const Spot3& n, const Spot3& k) const {
    bool inside = true;
    for (int a = 0; a < 3; a++)
      inside = inside && (unsigned int)(n.at[a] + k.at[a]) < (unsigned int)p.size[a];
    return inside ? How::one(right + n.source + k.source) : Word(0);
  }

  __device__ void fetch(const Spot3* now) {
    const Spot3* mine = now + threadIdx.x % WORDS * How::EACH;
    const Spot3 first = mine[0], second = mine[How::EACH - 1];
#pragma unroll
    for (int i = 0; i < ROWS / 16; i++) {
      Int m = first_row + threadIdx.x / WORDS + i * 16;
      const Real* row = left + m * p.left_row;
      Word x = m < p.rows && first.there ? How::one(row + first.other) : Word(0);
      Word y = m < p.rows && second.there ? How::one(row + second.other) : Word(0);
      of_left[i] = How::both(x, y);
    }
    if (BY_TAP) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        const Spot3& n = columns[threadIdx.x / WORDS + i * 16];
        of_right[i] = How::both(seen(n, first), seen(n, second));
      }
    } else {
      const Spot3 n = columns[threadIdx.x % COLUMNS];
      const Spot3* k = now + threadIdx.x / COLUMNS * 8 * How::EACH;
#pragma unroll
      for (int i = 0; i < 8; i++, k += How::EACH)
        of_right[i] = How::both(seen(n, k[0]), seen(n, k[How::EACH - 1]));
    }
  }

  __device__ void put(Word* left_tile, Word* right_tile) const {
    int word = threadIdx.x % WORDS, line = threadIdx.x / WORDS;
    for (int i = 0; i < ROWS / 16; i++) left_tile[(line + i * 16) * WIDTH + word] = of_left[i];
    if (BY_TAP) {
      for (int i = 0; i < 8; i++) right_tile[(line + i * 16) * WIDTH + word] = of_right[i];
    } else {
      int n = threadIdx.x % COLUMNS, half = threadIdx.x / COLUMNS;
      auto* to = (Four<Word>*)(right_tile + n * WIDTH + half * 8);
      for (int i = 0; i < 8; i++) to[i / 4].x[i % 4] = of_right[i];
    }
  }
};

// Blocks (of columns, of rows, groups * splits). What is not split goes to out, with a bias if
// there is one; else to parts (splits, *out).
template <class How, int ROWS, bool BY_TAP>
__device__ void convolved(const Real* left, const Real* right, const Real* bias, Real* out,
                          Wide* parts, const Problem& p) {
  typedef Block<How, ROWS, BY_TAP> Mine;
  typedef typename How::Word Word;
  __shared__ Four<Word> of_left[ROWS * WIDTH / 4], of_right[COLUMNS * WIDTH / 4];
  Word *left_tile = of_left[0].x, *right_tile = of_right[0].x;
  __shared__ Spot3 columns[COLUMNS], inner[2 * Mine::DEPTH];
  Int group = blockIdx.z / p.splits, split = blockIdx.z % p.splits;
  Int turns = (p.depth + Mine::DEPTH - 1) / Mine::DEPTH, each = (turns + p.splits - 1) / p.splits;
  Int begin = split * each * Mine::DEPTH, end = begin + each * Mine::DEPTH;
  if (end > p.depth) end = p.depth;
  Mine block{p, left + group * p.left_group, right + group * p.right_group, columns, inner,
             (Int)blockIdx.y * ROWS, (Int)blockIdx.x * COLUMNS, end};
  WITHIN(i, COLUMNS) columns[i] = block.column_of(block.first_column + i);
  WITHIN(i, 2 * Mine::DEPTH) inner[i] = block.inner_of(begin + i);
  Wide sums[ROWS / 2];
  for (int i = 0; i < ROWS / 2; i++) sums[i] = 0;
  __syncthreads();
  if (begin < end) block.fetch(inner);
  int turn = 0;
  for (Int k = begin; k < end; k += Mine::DEPTH, turn ^= 1) {
    block.put(left_tile, right_tile);
    __syncthreads();
    WITHIN(i, Mine::DEPTH) inner[turn * Mine::DEPTH + i] = block.inner_of(k + 2 * Mine::DEPTH + i);
    if (k + Mine::DEPTH < end) block.fetch(inner + (turn ^ 1) * Mine::DEPTH);
    How::template multiply<ROWS, COLUMNS>(left_tile, right_tile, sums);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < ROWS / 2; i++) {
    Int m = block.first_row + How::template row<ROWS, COLUMNS>(i);
    const Spot3& n = columns[How::template column<COLUMNS>(i)];
    if (m >= p.rows || !n.there) continue;
    Int at = group * p.out_group + m * p.out_row + n.other;
    if (parts)
      parts[split * p.total + at] = sums[i];
    else
      out[at] = sums[i] + (bias ? (Wide)bias[group * p.rows + m] : Wide(0));
  }
}

#define CONVOLVED(name, How, NEEDED, ROWS, BY_TAP)                                              \
  extern "C" __global__ void __launch_bounds__(CREW)                                            \
      name(const Real* left, const Real* right, const Real* bias, Real* out, Wide* parts,       \
           Problem p) {                                                                         \
    if (NEEDED) convolved<How, ROWS, BY_TAP>(left, right, bias, out, parts, p);                 \
  }

#define IS_FLOAT (sizeof(Real) == 4)

CONVOLVED(by_place_32, Precise, true, 32, false)
CONVOLVED(by_place_64, Precise, true, 64, false)
CONVOLVED(by_tap_32, Precise, true, 32, true)
CONVOLVED(by_tap_64, Precise, true, 64, true)
CONVOLVED(rounding_by_place_32, Rounding, IS_FLOAT, 32, false)
CONVOLVED(rounding_by_place_64, Rounding, IS_FLOAT, 64, false)
CONVOLVED(rounding_by_tap_32, Rounding, IS_FLOAT, 32, true)
CONVOLVED(rounding_by_tap_64, Rounding, IS_FLOAT, 64, true)

// The sums of parts (splits, count), in their order, and a bias (channels,) of out (N, channels,
// places) or null
extern "C" __global__ void sum_parts(Int count, const Wide* parts, const Real* bias, Real* out,
                                     Int splits, Int channels, Int places) {
  EACH(i, count) {
    Wide total = bias ? (Wide)bias[i / places % channels] : Wide(0);
    for (Int split = 0; split < splits; split++) total += parts[split * count + i];
    out[i] = total;
  }
}
