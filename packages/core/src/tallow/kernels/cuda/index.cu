// Indices: whether they are in range, rows of a table taken by them, and combined.

// Notes at `fault` an element that is not from `low` to `size` - 1, nor `ignored`, and the size.
extern "C" __global__ void check(Int count, const Int* index, Int low, Int size, Int ignored,
                                 Int* fault) {
  EACH(i, count) {
    Int at = index[i];
    if (at != ignored && (at < low || at >= size)) note(fault, at, size);
  }
}

// out (count, width) = the rows of a table (rows, width) at `index`; zeros for none such
extern "C" __global__ void take_rows(Int packs, const Real* table, const Int* index, Real* out,
                                     Int count, Int width, Int rows) {
  EACH(i, packs) {
    Int at, pack;
    divide(i, packs / count, at, pack);
    Int row = index[at], e = pack * AT_ONCE;
    bool there = row >= 0 && row < rows;
    put(out + at * width, e, width, pack_of(table + row * width, e, there ? width : 0));
  }
}

// The order of indices by their values, those of one value in theirs: `order` are their places, and
// `sorted` the indices themselves. Each is compared to all others.
extern "C" __global__ void rank(Int count, const Int* index, Int* order, Int* sorted) {
  __shared__ Int some[256];
  for (Int first = blockIdx.x * 256; first < count; first += gridDim.x * 256) {
    Int i = first + threadIdx.x, own = i < count ? index[i] : 0, place = 0;
    for (Int begin = 0; begin < count; begin += 256) {
      Int left = count - begin;
      __syncthreads();
      some[threadIdx.x] = threadIdx.x < left ? index[begin + threadIdx.x] : 0;
      __syncthreads();
      for (int k = 0; k < 256 && k < left; k++)
        place += some[k] < own || (some[k] == own && begin + k < i);
    }
    if (i < count) order[place] = i, sorted[place] = own;
  }
}

enum How { ADD, MULTIPLY, MAXIMUM, MINIMUM };

__device__ Wide met(Wide total, Wide y, Int how) {
  return how == ADD                                                   ? total + y
         : how == MULTIPLY                                            ? total * y
         : (how == MAXIMUM ? total > y : total < y) || total != total ? total
                                                                      : y;
}

// out (rows, width) combined with the rows of x at the indices `sorted`, but for row `skipped`.
// Each block has a place of these, and works if that is the first of its value: `lanes` threads
// take a pack of columns each, and lines of so many threads take turns at the rows that meet.
extern "C" __global__ void combine(const Real* x, const Int* order, const Int* sorted, Real* out,
                                   Int count, Int width, Int rows, Int skipped, Int lanes,
                                   Int how) {
  __shared__ Wide made[128][AT_ONCE];
  Int first = blockIdx.x, row = sorted[first];
  if ((first > 0 && sorted[first - 1] == row) || row < 0 || row >= rows || row == skipped) return;
  Int line = threadIdx.x / lanes, lane = threadIdx.x % lanes, lines = blockDim.x / lanes;
  Int e = (blockIdx.y * lanes + lane) * AT_ONCE;
  bool mine = line < lines && e < width;
  for (Int at = first + line; mine && at < count && sorted[at] == row; at += lines) {
    Pack<Real> y = pack_of(x + order[at] * width, e, width);
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++) {
      Wide* total = &made[threadIdx.x][i];
      *total = at == first + line ? (Wide)y.at[i] : met(*total, y.at[i], how);
    }
  }
  __syncthreads();
  if (line || !mine) return;
  Pack<Real> y = pack_of(out + row * width, e, width);
#pragma unroll
  for (int i = 0; i < AT_ONCE; i++) {
    Wide total = y.at[i];
    for (Int k = 0; k < lines && first + k < count && sorted[first + k] == row; k++)
      total = met(total, made[k * lanes + lane][i], how);
    y.at[i] = total;
  }
  put(out + row * width, e, width, y);
}
