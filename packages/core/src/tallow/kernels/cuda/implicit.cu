// Convolution and its gradients as products of matrices, one of which is never written out: its
// elements are read where they lie in the images ("implicit GEMM": Chetlur et al., "cuDNN:
// efficient primitives for deep learning", 2014).
//
// `pack` first brings the channels of images and weights next to each other, with zeros to whole
// chunks, so that chunks are copied as they are. For each group, out[m, n] is the sum over k of
// left[m, k] * right[n, k]. One of n and k counts places (image, j) of windows, the other taps
// (u, channel) within them; what they meet in is element start + j * jump + u * step of a channel
// of the images, or 0 outside of it. So one source serves
//
//   pass              n       k       left, packed             out
//   forward           places  taps    weight (m, tap)          (image, m, place)
//   gradient by x     places  taps    weight (m, tap)          the same; jump is 1, step negative
//   gradient by w     taps    places  g (image, place, m)      parts (m, tap)
//
// With a stride, the gradient by x is made by one launch for each residue of the places by it:
// those are `spread` apart, and only some taps, `apart` from each other, reach them.

struct Problem {
  int count[3], start[3], jump[3], phase[3], spread[3], full[3];  // places
  int inner[3], step[3], near[3], apart[3], kernel[3];            // taps: the last two, and chunks
  int size[3];                                                    // of a channel of the images
  Int rows, columns, depth;           // how many m, n and k: of taps those are chunks of channels
  Int out_row, out_image, out_group;  // from an m, an image, a group to the next
  Int left_line, left_group, right_group;  // the same, in chunks
  Int splits, total;                       // parts of the sum over k, and elements of one
};

enum { STAGES = 4, OUTSIDE = -(1 << 30) };

__device__ int flat3(const int* at, const int* shape) {
  return (at[0] * shape[1] + at[1]) * shape[2] + at[2];
}

// An index by digits, of which the last three are below `radix`
struct Digits {
  int at[4];

  __device__ Digits(int index, const int* radix) {
    for (int a = 3; a > 0; a--) at[a] = index % radix[a - 1], index /= radix[a - 1];
    at[0] = index;
  }
  __device__ void add(const Digits& other, const int* radix) {
    int carry = 0;
#pragma unroll
    for (int a = 3; a > 0; a--) {
      at[a] += other.at[a] + carry;
      carry = at[a] >= radix[a - 1];
      if (carry) at[a] -= radix[a - 1];
    }
    at[0] += other.at[0] + carry;
  }
};

// Where a place or a tap is in the images, relative to one of the other kind: its first chunk
struct alignas(16) Spot3 {
  int at[3], source;

  __device__ bool meets(const Spot3& other, const int* size) const {
    bool inside = true;
#pragma unroll
    for (int a = 0; a < 3; a++)
      inside = inside && (unsigned int)(at[a] + other.at[a]) < (unsigned int)size[a];
    return inside;
  }
};

__device__ Spot3 place_of(const Problem& p, const Digits& index, bool there) {
  Spot3 made;
  for (int a = 0; a < 3; a++) made.at[a] = p.start[a] + index.at[a + 1] * p.jump[a];
  int volume = p.size[0] * p.size[1] * p.size[2];
  made.source = (index.at[0] * volume + flat3(made.at, p.size)) * p.inner[2];
  if (!there) made.at[0] = OUTSIDE;
  return made;
}

__device__ Spot3 tap_of(const Problem& p, const Digits& index) {
  Spot3 made;
  for (int a = 0; a < 3; a++) made.at[a] = index.at[a] * p.step[a];
  made.source = flat3(made.at, p.size) * p.inner[2] + index.at[3];
  return made;
}

// Where a block is, and the k that it sums over
struct Part {
  const Bytes16 *left, *right;
  int row, column, begin, end;
};

// Lines are rows and places; a thread has one of their four chunks, at the same tap for all
template <class How, int ROWS>
__device__ void sum_by_place(const Problem& p, const Part& part, Bytes16* room, Wide* sums) {
  const int STAGE = (ROWS + COLUMNS) * 4, chunk = threadIdx.x % 4, line = threadIdx.x / 4;
  int k = part.begin + chunk, in_left = 0, channel = p.inner[2];
  Digits tap(k, p.inner);
  const Digits ahead(4, p.inner);
  Spot3 places[2], now;
  bool meet[2];
  for (int i = 0; i < 2; i++) {
    int n = part.column + line + i * 64;
    places[i] = place_of(p, Digits(n, p.count), n < p.columns);
  }
  const int places_at[2] = {places[0].source, places[1].source};
  auto look = [&] {  // after a change of the tap
    now = tap_of(p, tap), channel = tap.at[3];
    int in_kernel[3];
    for (int a = 0; a < 3; a++) in_kernel[a] = p.near[a] + tap.at[a] * p.apart[a];
    in_left = flat3(in_kernel, p.kernel) * p.inner[2] + channel;
    for (int i = 0; i < 2; i++) meet[i] = now.meets(places[i], p.size);
  };
  look();
  auto bring = [&](int, int stage) {
    Bytes16 *left = room + stage * STAGE, *right = left + ROWS * 4;
#pragma unroll
    for (int row = line; row < ROWS; row += 64)
      copy_later(left + spot<4>(row, chunk),
                 part.left + (part.row + row) * (int)p.left_line + in_left,
                 k < part.end && part.row + row < p.rows);
#pragma unroll
    for (int i = 0; i < 2; i++)
      copy_later(right + spot<4>(line + i * 64, chunk), part.right + places_at[i] + now.source,
                 k < part.end && meet[i]);
    k += 4, channel += 4, in_left += 4, now.source += 4;
    if (channel < p.inner[2]) return;
    tap.at[3] = channel - 4, tap.add(ahead, p.inner);
    look();
  };
  pipelined<STAGES>((part.end - part.begin + 3) / 4, bring, [&](int, int stage) {
    const Bytes16* left = room + stage * STAGE;
    How::template multiply<ROWS, true>(left, left + ROWS * 4, sums);
  });
}

// Lines are DEPTH places, which as many threads look up a turn ahead; a thread has a chunk of two
template <class How, int ROWS>
__device__ void sum_by_tap(const Problem& p, const Part& part, Bytes16* room, Wide* sums) {
  const int STAGE = (ROWS + COLUMNS) * 4, ACROSS = COLUMNS / AT_ONCE, OF_LEFT = ROWS / AT_ONCE;
  const int chunk = threadIdx.x % ACROSS, n = part.column / AT_ONCE + chunk;
  __shared__ Spot3 places[STAGES][DEPTH];
  Digits walk(part.begin + threadIdx.x % DEPTH, p.count);
  const Digits ahead(DEPTH, p.count);
  int to_look = part.begin + threadIdx.x;
  auto look = [&](int stage) {
    if (threadIdx.x >= DEPTH) return;
    places[stage][threadIdx.x] = place_of(p, walk, to_look < part.end);
    walk.add(ahead, p.count), to_look += DEPTH;
  };
  for (int stage = 0; stage < STAGES; stage++) look(stage);
  __syncthreads();
  Spot3 tap = tap_of(p, Digits(n, p.inner));
  if (n * AT_ONCE >= p.columns) tap.at[0] = OUTSIDE;
  int from = part.begin, m = part.row / AT_ONCE + threadIdx.x % OF_LEFT;
  auto bring = [&](int turn, int stage) {
    Bytes16 *left = room + stage * STAGE, *right = left + ROWS * 4;
#pragma unroll
    for (int i = 0; i < (ROWS + 63) / 64; i++) {
      int line = threadIdx.x / OF_LEFT + i * (CREW / OF_LEFT);
      if (ROWS >= 64 || line < DEPTH)
        copy_later(left + spot<OF_LEFT>(line, threadIdx.x % OF_LEFT),
                   part.left + (from + line) * (int)p.left_line + m,
                   from + line < part.end && m < p.left_line);
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
      int line = threadIdx.x / ACROSS + i * (CREW / ACROSS);
      const Spot3 place = places[stage][line];
      copy_later(right + spot<ACROSS>(line, chunk), part.right + place.source + tap.source,
                 place.meets(tap, p.size));
    }
    from += DEPTH;
    if (turn >= STAGES - 1) look((stage + 1) % STAGES);  // for the next turn
  };
  pipelined<STAGES>((part.end - part.begin + DEPTH - 1) / DEPTH, bring, [&](int, int stage) {
    const Bytes16* left = room + stage * STAGE;
    How::template multiply<ROWS, false>(left, left + ROWS * 4, sums);
  });
}

// Rounds sums with their bias into shared memory, and writes whole chunks of them where that may be
template <class How, int ROWS>
__device__ void write_rounded(const Problem& p, const Part& part, Bytes16* room, const Wide* sums,
                              const Real* bias, Real* out, const Int* at) {
  const int ACROSS = COLUMNS / AT_ONCE;
#pragma unroll
  for (int i = 0; i < ROWS / 2; i++) {
    int row = How::template row<ROWS>(i), column = How::column(i);
    Wide more = bias && part.row + row < p.rows ? (Wide)bias[part.row + row] : Wide(0);
    ((Real*)(room + spot<ACROSS>(row, column / AT_ONCE)))[column % AT_ONCE] = sums[i] + more;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < ROWS * ACROSS; i += CREW) {
    const Int* there = at + i % ACROSS * AT_ONCE;
    const Bytes16 mine = room[spot<ACROSS>(i / ACROSS, i % ACROSS)];
    if (part.row + i / ACROSS >= p.rows) continue;
    Real* to = out + (part.row + i / ACROSS) * p.out_row;
    if (there[AT_ONCE - 1] == there[0] + AT_ONCE - 1 &&
        (size_t)(to + there[0]) % sizeof(Bytes16) == 0) {
      *(Bytes16*)(to + there[0]) = mine;
      continue;
    }
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++)
      if (there[q] >= 0) to[there[q]] = ((const Real*)&mine)[q];
  }
}

// Blocks (of columns * of rows, groups * splits), of which neighbours have the same columns. Sums
// that are split, or by tap, go to parts (splits, total); else to out, with a bias if there is one.
template <class How, int ROWS, bool BY_TAP>
__device__ void convolved(const Bytes16* left, const Bytes16* right, const Real* bias, Real* out,
                          Wide* parts, const Problem& p) {
  ROOM(room);
  __shared__ Int at[COLUMNS];
  Int tall = (p.rows + ROWS - 1) / ROWS, group = blockIdx.y / p.splits;
  const int TURN = BY_TAP ? DEPTH : 4;  // k of a turn
  Int split = blockIdx.y % p.splits, turns = (p.depth + TURN - 1) / TURN;
  Int each = (turns + p.splits - 1) / p.splits * TURN, begin = split * each, end = begin + each;
  if (end > p.depth) end = p.depth;
  if (begin > end) begin = end;
  Part part = {left + group * p.left_group, right + group * p.right_group,
               (int)(blockIdx.x % tall * ROWS), (int)(blockIdx.x / tall * COLUMNS), (int)begin,
               (int)end};
  WITHIN(i, COLUMNS) {
    Int n = part.column + i;
    Digits place((int)n, p.count);
    int in_other[3];
    for (int a = 0; a < 3; a++) in_other[a] = p.phase[a] + place.at[a + 1] * p.spread[a];
    at[i] = BY_TAP ? n : place.at[0] * p.out_image + flat3(in_other, p.full);
    if (n >= p.columns) at[i] = -1;
  }
  Wide sums[ROWS / 2];
  for (int i = 0; i < ROWS / 2; i++) sums[i] = 0;
  if (BY_TAP)
    sum_by_tap<How, ROWS>(p, part, room, sums);
  else
    sum_by_place<How, ROWS>(p, part, room, sums);
  if (!parts)
    return write_rounded<How, ROWS>(p, part, room, sums, bias ? bias + group * p.rows : bias,
                                    out + group * p.out_group, at);
  parts += split * p.total + group * p.out_group;
#pragma unroll
  for (int i = 0; i < ROWS / 2; i++) {
    Int m = part.row + How::template row<ROWS>(i), there = at[How::column(i)];
    if (m < p.rows && there >= 0) parts[m * p.out_row + there] = sums[i];
  }
}

#define CONVOLVED(name, How, NEEDED, ROWS, BY_TAP)                                              \
  extern "C" __global__ void __launch_bounds__(CREW, 2)                                         \
      name(const Bytes16* left, const Bytes16* right, const Real* bias, Real* out, Wide* parts, \
           Problem p) {                                                                         \
    if (NEEDED) convolved<How, ROWS, BY_TAP>(left, right, bias, out, parts, p);                 \
  }

#define IS_FLOAT (sizeof(Real) == 4)
#define IS_SHORT (sizeof(Real) == 2)
#define WITH_CORES(x) ((x) && HAS_TENSOR_CORES)  // else none of 128 rows is launched

CONVOLVED(by_place_32, Precise, true, 32, false)
CONVOLVED(by_place_64, Precise, true, 64, false)
CONVOLVED(by_place_128, Precise, WITH_CORES(IS_SHORT), 128, false)
CONVOLVED(by_tap_32, Precise, true, 32, true)
CONVOLVED(by_tap_64, Precise, true, 64, true)
CONVOLVED(by_tap_128, Precise, WITH_CORES(IS_SHORT), 128, true)
CONVOLVED(rounding_by_place_32, Rounding, IS_FLOAT, 32, false)
CONVOLVED(rounding_by_place_64, Rounding, IS_FLOAT, 64, false)
CONVOLVED(rounding_by_place_128, Rounding, WITH_CORES(IS_FLOAT), 128, false)
CONVOLVED(rounding_by_tap_32, Rounding, IS_FLOAT, 32, true)
CONVOLVED(rounding_by_tap_64, Rounding, IS_FLOAT, 64, true)

// out (outer, inner, places, padded) of x, of which a channel's places are next to each other;
// float32 rounded if asked. A block turns a tile of 64 places and 64 channels.
extern "C" __global__ void pack(const Real* x, Real* out, Int inner, Int by_outer, Int by_inner,
                                Int by_channel, Int channels, Int places, Int padded, Int rounds) {
  enum { SIDE = 64 };
  __shared__ Real tile[SIDE][SIDE + 2];
  Int across = (padded + SIDE - 1) / SIDE, down = (places + SIDE - 1) / SIDE;
  Int number = blockIdx.x / across / down, first_channel = blockIdx.x % across * SIDE;
  Int first_place = blockIdx.x / across % down * SIDE;
  x += number / inner * by_outer + number % inner * by_inner;
  out += number * places * padded;
#pragma unroll 8
  for (int i = threadIdx.x; i < SIDE * SIDE; i += CREW) {
    Int channel = first_channel + i / SIDE, place = first_place + i % SIDE;
    Real read = Wide(0);
    if (channel < channels && place < places) read = x[channel * by_channel + place];
    if (IS_FLOAT && rounds) read = __uint_as_float(tf32((float)read));
    tile[i / SIDE][i % SIDE] = read;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < SIDE * SIDE / AT_ONCE; i += CREW) {
    int place = i / (SIDE / AT_ONCE), channel = i % (SIDE / AT_ONCE) * AT_ONCE;
    Bytes16 made;
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++) ((Real*)&made)[q] = tile[channel + q][place];
    if (first_place + place < places && first_channel + channel < padded)
      *(Bytes16*)(out + (first_place + place) * padded + first_channel + channel) = made;
  }
}

// out (rows, channels, taps), each the sum of its parts (splits, rows, taps, padded) in their
// order; with a bias, if that is not null, for each of `biases` rows
extern "C" __global__ void sum_parts(Int count, const Wide* parts, const Real* bias, Real* out,
                                     Int splits, Int channels, Int taps, Int padded, Int biases) {
  Int total = count / channels * padded;
  EACH(i, count) {
    Int tap = i % taps, channel = i / taps % channels, row = i / taps / channels;
    Wide made = bias ? (Wide)bias[row % biases] : Wide(0);
    for (Int split = 0; split < splits; split++)
      made += parts[split * total + (row * taps + tap) * padded + channel];
    out[i] = made;
  }
}
