// Normalisation of rows (layer norm) and of channels (batch norm): a group is `images` rows of
// `inner` elements, every `stride`, and blocks (group, part) share it. Weights are one for each
// place of a row (`by_place`) or one for each group.

const int HELD = 4;  // packs that a thread keeps in registers, where it reads an array twice

#define SHARE(array) \
  Share share(array, blockIdx.x* inner, inner, images, stride, blockIdx.y, gridDim.y)

struct Moments {
  Wide count, mean, squares;  // how many elements, and the sum of squares of what they differ by

  __device__ void add(Moments other) {  // Chan et al., 1979
    if (!other.count) return;
    Wide all = count + other.count, step = other.mean - mean, share = other.count / all;
    mean += step * share, squares += other.squares + step * step * count * share;
    count = all;
  }
};

__device__ Moments moments_of(const Pack<Real>& x, Int e, Int n) {
  Moments out = {0, 0, 0};
  OF_PACK(i, e, n) out.count++, out.mean += (Wide)x.at[i];
  out.mean /= out.count;
  OF_PACK(i, e, n) out.squares += ((Wide)x.at[i] - out.mean) * ((Wide)x.at[i] - out.mean);
  return out;
}

// Mean and variance of what the threads of a block have of `count` elements
__device__ void level_of(Moments had, Wide count, Int centre, Wide& mean, Wide& variance) {
  mean = over_block<Sum>(had.count * had.mean) / count;
  Wide apart = had.mean - (centre ? mean : 0);
  variance = over_block<Sum>(had.squares + had.count * apart * apart) / count;
}

// For each part of a group, in `parts` (groups, parts, 3): its moments
extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    moments(const Real* x, Wide* parts, Int images, Int inner, Int stride) {
  SHARE(x);
  Moments had = {0, 0, 0};
  share.each<0>(
      [&](int, Int row, Int e) { had.add(moments_of(pack_of(x + row, e, inner), e, inner)); });
  Wide mean, squares, count = over_block<Sum>(had.count);
  level_of(had, count > 0 ? count : 1, 1, mean, squares);
  parts += (blockIdx.x * (Int)gridDim.y + blockIdx.y) * 3;
  if (threadIdx.x == 0) parts[0] = count, parts[1] = mean, parts[2] = squares * count;
}

// weight (x - mean) / sqrt(variance + eps) + bias, plus `residual` if there is one, and without
// what is below 0 if `relu`. With the moments of parts, or else a block takes a whole group.
extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    normalize(const Real* x, const Real* weight, const Real* bias, const Real* residual,
              const Wide* parts, Real* out, Wide* average, Wide* variance, Int images, Int inner,
              Int stride, Int by_place, double eps, Int centre, Int relu) {
  SHARE(x);
  Pack<Real> held[HELD];
  Moments had = {0, 0, 0};
  if (parts) {
    parts += blockIdx.x * (Int)gridDim.y * 3;
    WITHIN(k, gridDim.y) had.add({parts[k * 3], parts[k * 3 + 1], parts[k * 3 + 2]});
  } else {
    share.each<HELD>([&](int k, Int row, Int e) {
      Pack<Real> own = pack_of(x + row, e, inner);
      if (k < HELD) held[k] = own;
      had.add(moments_of(own, e, inner));
    });
  }
  Wide mean, spread;
  level_of(had, (Wide)images * inner, centre, mean, spread);
  if (threadIdx.x == 0 && blockIdx.y == 0)
    average[blockIdx.x] = mean, variance[blockIdx.x] = spread;
  Wide scale = 1 / sqrt(spread + (Wide)eps), level = centre ? mean : 0;
  Wide factor = weight && !by_place ? (Wide)weight[blockIdx.x] : 1;
  Wide shift = bias && !by_place ? (Wide)bias[blockIdx.x] : 0;
  share.each<HELD>([&](int k, Int row, Int e) {
    Pack<Real> own = k < HELD && !parts ? held[k] : pack_of(x + row, e, inner), by, to, added;
    if (by_place && weight) by = pack_of(weight, e, inner);
    if (by_place && bias) to = pack_of(bias, e, inner);
    if (residual) added = pack_of(residual + row, e, inner);
    OF_PACK(i, e, inner) {
      Wide y = ((Wide)own.at[i] - level) * scale;
      y = by_place ? y * (weight ? (Wide)by.at[i] : 1) + (bias ? (Wide)to.at[i] : 0)
                   : y * factor + shift;
      if (residual) y += (Wide)added.at[i];
      own.at[i] = relu && y <= 0 ? 0 : y;
    }
    put(out + row, e, inner, own);
  });
}

struct Slopes {  // what the gradient is made of: g, as ReLU after the norm lets it through, and x
  const Real *g, *x, *weight;
  Int inner, by_place, relu;
  Wide mean, scale, factor, shift;

  __device__ Slopes(const Real* g, const Real* x, const Real* weight, const Real* bias,
                    const Wide* average, const Wide* variance, Int inner, Int by_place, double eps,
                    Int centre, Int relu)
      : g(g), x(x), weight(by_place ? weight : 0), inner(inner), by_place(by_place), relu(relu) {
    mean = centre ? average[blockIdx.x] : 0, scale = 1 / sqrt(variance[blockIdx.x] + (Wide)eps);
    factor = weight && !by_place ? (Wide)weight[blockIdx.x] : 1;
    shift = bias && !by_place ? (Wide)bias[blockIdx.x] : 0;
  }

  // f(i, slope, standardised x) for the elements of a pack; the slope has the weights of places
  template <class F>
  __device__ __forceinline__ void each(Int row, Int e, F f) const {
    Pack<Real> slope = pack_of(g + row, e, inner), own = pack_of(x + row, e, inner), by;
    if (weight) by = pack_of(weight, e, inner);
    OF_PACK(i, e, inner) {
      Wide standard = ((Wide)own.at[i] - mean) * scale, s = slope.at[i];
      if (relu && standard * factor + shift <= 0) s = s * 0;
      f(i, weight ? s * (Wide)by.at[i] : s, standard);
    }
  }
};

#define SLOPES                                                                             \
  const Real *g, const Real *x, const Real *weight, const Real *bias, const Wide *average, \
      const Wide *variance, Int images, Int inner, Int stride, Int by_place, double eps,   \
      Int centre, Int relu
#define GIVEN g, x, weight, bias, average, variance, inner, by_place, eps, centre, relu

__device__ void sums_of(const Share& share, const Slopes& slopes, Wide& on_x, Wide& on_level) {
  Wide along = 0, level = 0;
  share.each<0>([&](int, Int row, Int e) {
    slopes.each(row, e, [&](int, Wide s, Wide standard) { along += s * standard, level += s; });
  });
  on_x = over_block<Sum>(along), on_level = over_block<Sum>(level);
}

// For each part of a group, in `parts` (groups, parts, 2): the sums of slope * standardised x and
// of the slopes
extern "C" __global__ void __launch_bounds__(MOST_THREADS) slope_sums(SLOPES, Wide* parts) {
  SHARE(x);
  Slopes slopes(GIVEN);
  Wide on_x, on_level;
  sums_of(share, slopes, on_x, on_level);
  parts += (blockIdx.x * (Int)gridDim.y + blockIdx.y) * 2;
  if (threadIdx.x == 0) parts[0] = on_x, parts[1] = on_level;
}

// The gradient by x; and for each group both sums
extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    normalize_grad(SLOPES, const Wide* parts, Real* out, Wide* along, Wide* level) {
  SHARE(x);
  Slopes slopes(GIVEN);
  Wide on_x = 0, on_level = 0;
  if (parts) {
    parts += blockIdx.x * (Int)gridDim.y * 2;
    WITHIN(k, gridDim.y) on_x += parts[k * 2], on_level += parts[k * 2 + 1];
    on_x = over_block<Sum>(on_x), on_level = over_block<Sum>(on_level);
  } else {
    sums_of(share, slopes, on_x, on_level);
  }
  if (threadIdx.x == 0 && blockIdx.y == 0) along[blockIdx.x] = on_x, level[blockIdx.x] = on_level;
  Wide count = (Wide)images * inner;
  on_x /= count, on_level = centre ? on_level / count : 0;
  share.each<0>([&](int, Int row, Int e) {
    Pack<Real> made;
    slopes.each(row, e, [&](int i, Wide s, Wide standard) {
      made.at[i] = slopes.scale * slopes.factor * (s - standard * on_x - on_level);
    });
    put(out + row, e, inner, made);
  });
}

// For layer norm, the sums over rows of g * standardised x and of g, in `gridDim.y` parts: blocks
// of 256 threads take 32 columns
extern "C" __global__ void columns(const Real* g, const Real* x, const Wide* average,
                                   const Wide* variance, Wide* by_weight, Wide* by_bias, Int rows,
                                   Int n, double eps, Int centre) {
  __shared__ Wide parts[2][8][33];
  int lane = threadIdx.x % 32, line = threadIdx.x / 32;
  Int column = blockIdx.x * 32 + lane;
  Wide on_weight = 0, on_bias = 0;
  if (column < n)
    for (Int row = blockIdx.y * 8 + line; row < rows; row += gridDim.y * 8) {
      Wide slope = (Wide)g[row * n + column], scale = 1 / sqrt(variance[row] + (Wide)eps);
      on_weight += slope * ((Wide)x[row * n + column] - (centre ? average[row] : 0)) * scale;
      on_bias += slope;
    }
  parts[0][line][lane] = on_weight, parts[1][line][lane] = on_bias;
  __syncthreads();
  if (line == 0 && column < n) {
    for (int other = 1; other < 8; other++)
      on_weight += parts[0][other][lane], on_bias += parts[1][other][lane];
    by_weight[blockIdx.y * n + column] = on_weight, by_bias[blockIdx.y * n + column] = on_bias;
  }
}
