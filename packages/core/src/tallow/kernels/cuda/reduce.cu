// Sums and extremes. Where several blocks share a result they leave what they have in `parts`, in
// `Wide`, over which another launch goes.

// Of rows, or of the rows of a channel in all images (`Share`): a result to blockIdx.x
template <class How>
__device__ void rows_by(const Real* x, Real* out, Wide* parts, Int images, Int inner, Int stride,
                        Int count) {
  Share share(x, blockIdx.x * inner, inner, images, stride, blockIdx.y, gridDim.y);
  Wide total = How::none();
  share.each<4>([&](int, Int row, Int e) {
    Pack<Real> own = pack_of(x + row, e, inner);
    OF_PACK(i, e, inner) total = How::of(total, (Wide)own.at[i]);
  });
  total = over_block<How>(total);
  if (threadIdx.x) return;
  if (parts)
    parts[blockIdx.x * (Int)gridDim.y + blockIdx.y] = total;
  else
    out[blockIdx.x] = total / (Wide)count;
}

// Of the columns of matrices (n, inner): `lanes` threads take a pack each of a row, the others rows
// further on; blockIdx.x counts the tiles of so many columns in all matrices
template <class How>
__device__ void columns_by(const Real* x, Real* out, Wide* parts, Int n, Int inner, Int lanes,
                           Int count, Wide made[][AT_ONCE]) {
  Int tiles = (inner + lanes * AT_ONCE - 1) / (lanes * AT_ONCE), matrix = blockIdx.x / tiles;
  Int line = threadIdx.x / lanes, lane = threadIdx.x % lanes, lines = blockDim.x / lanes;
  Int e = (blockIdx.x % tiles * lanes + lane) * AT_ONCE;
  Wide totals[AT_ONCE];
#pragma unroll
  for (int i = 0; i < AT_ONCE; i++) totals[i] = How::none();
  if (line < lines && e < inner) {
#pragma unroll 4
    for (Int row = blockIdx.y * lines + line; row < n; row += gridDim.y * lines) {
      Pack<Real> own = pack_of(x + (matrix * n + row) * inner, e, inner);
      OF_PACK(i, e, inner) totals[i] = How::of(totals[i], (Wide)own.at[i]);
    }
  }
#pragma unroll
  for (int i = 0; i < AT_ONCE; i++) made[threadIdx.x][i] = totals[i];
  __syncthreads();
  if (line || e >= inner) return;
  for (Int other = 1; other < lines; other++)
    for (int i = 0; i < AT_ONCE; i++) totals[i] = How::of(totals[i], made[other * lanes + lane][i]);
  Int place = (matrix * (parts ? gridDim.y : 1) + blockIdx.y) * inner;
  OF_PACK(i, e, inner)
  if (parts)
    parts[place + e + i] = totals[i];
  else
    out[place + e + i] = totals[i] / (Wide)count;
}

#define DISPATCH(how, function, ...)        \
  if (how == 0) function<Sum>(__VA_ARGS__); \
  if (how == 1) function<Max>(__VA_ARGS__); \
  if (how == 2) function<Min>(__VA_ARGS__);

extern "C" __global__ void reduce_rows(Int how, const Real* x, Real* out, Wide* parts, Int images,
                                       Int inner, Int stride, Int count) {
  DISPATCH(how, rows_by, x, out, parts, images, inner, stride, count)
}

extern "C" __global__ void reduce_columns(Int how, const Real* x, Real* out, Wide* parts, Int n,
                                          Int inner, Int lanes, Int count) {
  __shared__ Wide made[256][AT_ONCE];
  DISPATCH(how, columns_by, x, out, parts, n, inner, lanes, count, made)
}
