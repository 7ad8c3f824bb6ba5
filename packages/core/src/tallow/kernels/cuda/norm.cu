// Normalisation: a block takes a group of `count` elements, which is a row (layer norm) or a channel
// of all images (batch norm). Group k begins at k * inner, and has `inner` elements every `stride`.

struct Walk {  // the places of a group's elements, in turn for the threads of a block
  Int base, inner, stride, outside, within, out_step, in_step;

  __device__ Walk(Int group, Int inner, Int stride)
      : base(group * inner), inner(inner), stride(stride) {
    unsigned int width = inner < 0x7fffffff ? inner : 0x7fffffff;  // 32 bits divide faster
    outside = threadIdx.x / width, within = threadIdx.x % width;
    out_step = blockDim.x / width, in_step = blockDim.x % width;
  }
  __device__ Int place() const { return base + outside * stride + within; }
  __device__ void next() {
    outside += out_step, within += in_step;
    if (within >= inner) within -= inner, outside++;
  }
};

#define GROUP(walk, count)                            \
  Walk walk(blockIdx.x, inner, stride);               \
  for (Int _ = threadIdx.x; _ < (count); _ += blockDim.x, walk.next())

// weight[place in the row] if `by_place`, else weight[group]; 1 without
__device__ Wide factor_of(const Real* weight, Int by_place, Int within) {
  return weight ? (Wide)weight[by_place ? within : blockIdx.x] : 1;
}

// Sums are made of differences from a level near the mean, that of the first elements: so they lose
// no digits, and x is read but once.
extern "C" __global__ void normalize(const Real* x, const Real* weight, const Real* bias, Real* out,
                                     Wide* average, Wide* variance, Int count, Int inner,
                                     Int stride, Int by_place, double eps, Int centre) {
  Walk first(blockIdx.x, inner, stride);
  Int some = count < blockDim.x ? count : blockDim.x;
  Wide level = threadIdx.x < some ? (Wide)x[first.place()] : 0;
  level = centre ? over_block<Sum>(level) / some : 0;
  Wide total = 0, squares = 0;
  { GROUP(at, count) {
    Wide difference = (Wide)x[at.place()] - level;
    total += difference, squares += difference * difference;
  } }
  Wide shift = over_block<Sum>(total) / count;
  Wide spread = over_block<Sum>(squares) / count - (centre ? shift * shift : 0);
  spread = spread < 0 ? 0 : spread;
  Wide mean = level + shift, scale = 1 / sqrt(spread + (Wide)eps);
  if (threadIdx.x == 0) average[blockIdx.x] = mean, variance[blockIdx.x] = spread;
  if (!centre) mean = 0;
  { GROUP(at, count) {
    Wide y = ((Wide)x[at.place()] - mean) * scale * factor_of(weight, by_place, at.within);
    out[at.place()] = bias ? y + factor_of(bias, by_place, at.within) : y;
  } }
}

// The gradient by x; and for each group the sums of g * standardised x and of g
extern "C" __global__ void normalize_grad(const Real* g, const Real* x, const Real* weight,
                                          const Wide* average, const Wide* variance, Real* out,
                                          Wide* along, Wide* level, Int count, Int inner,
                                          Int stride, Int by_place, double eps, Int centre) {
  Wide mean = centre ? average[blockIdx.x] : 0;
  Wide scale = 1 / sqrt(variance[blockIdx.x] + (Wide)eps);
  Wide on_x = 0, on_level = 0;
  { GROUP(at, count) {
    Wide slope = (Wide)g[at.place()];
    if (by_place) slope *= factor_of(weight, by_place, at.within);
    on_x += slope * ((Wide)x[at.place()] - mean) * scale, on_level += slope;
  } }
  on_x = over_block<Sum>(on_x), on_level = over_block<Sum>(on_level);
  if (threadIdx.x == 0) along[blockIdx.x] = on_x, level[blockIdx.x] = on_level;
  Wide common = by_place ? 1 : factor_of(weight, by_place, 0);
  on_x = on_x / count * common, on_level = centre ? on_level / count * common : 0;
  { GROUP(at, count) {
    Wide slope = (Wide)g[at.place()] * factor_of(weight, by_place, at.within);
    Wide standard = ((Wide)x[at.place()] - mean) * scale;
    out[at.place()] = scale * (slope - standard * on_x - on_level);
  } }
}

// For layer norm, the sums over rows of g * standardised x and of g, in `gridDim.y` parts: blocks of
// 256 threads take 32 columns
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
