// Attention, some rows of the matrix of scores at a time: a block takes a row of `n` scores, which
// is the one of query `start` + its place among the `rows` of its matrix. Under `causal` a query
// sees the keys up to its own number. Dropout is by position in the whole of the matrices.

struct Drops {
  Int on, seed, offset, queries, keys;
  double kept;  // with what chance

  // The factor of weight i of this block's row
  __device__ Wide factor(Int i, Int rows, Int start, const Int* move) const {
    if (!on) return 1;
    Int place = (blockIdx.x / rows * queries + start + blockIdx.x % rows) * keys + i;
    Words drawn = philox(seed, offset, 0, place / 4, move);
    return is_kept(drawn.at[place % 4], kept) ? 1 / (Wide)kept : 0;
  }
};

struct Scores {
  const Wide* scores;
  Int visible;
  Wide scale, top, mass;

  __device__ Scores(const Wide* all, Int n, Int rows, Int start, double scale, Int causal)
      : scores(all + blockIdx.x * n), scale(scale) {
    Int query = start + blockIdx.x % rows;
    visible = causal && query + 1 < n ? query + 1 : n;
    Wide largest = Max::none(), total = 0;
    WITHIN(i, visible) largest = Max::of(largest, scores[i] * this->scale);
    top = over_block<Max>(largest);
    if (top == Max::none()) top = 0;  // all are hidden
    WITHIN(i, visible) total += exp(scores[i] * this->scale - top);
    mass = over_block<Sum>(total);
  }
  __device__ Wide weight(Int i) const {
    return i < visible && mass != 0 ? exp(scores[i] * scale - top) / mass : 0;
  }
};

// The weights that dropout leaves, and the level
extern "C" __global__ void attend(const Wide* scores, const Int* move, Real* weights, Wide* level,
                                  Int n, Int rows, Int start, double scale, Int causal,
                                  Drops drops) {
  Scores row(scores, n, rows, start, scale, causal);
  WITHIN(i, n)
  weights[blockIdx.x * n + i] = row.weight(i) * drops.factor(i, rows, start, move);
  if (threadIdx.x == 0) level[blockIdx.x] = row.mass == 0 ? INFINITE : log(row.mass) + row.top;
}

// The weights that dropout leaves, and the gradient by the products of queries and keys from that
// by these weights
extern "C" __global__ void attend_grad(const Wide* scores, const Wide* by_weights, const Int* move,
                                       Real* weights, Real* by_scores, Int n, Int rows, Int start,
                                       double scale, Int causal, double slope, Drops drops) {
  Scores row(scores, n, rows, start, scale, causal);
  by_weights += blockIdx.x * n, weights += blockIdx.x * n, by_scores += blockIdx.x * n;
  Wide along = 0;
  WITHIN(i, n) along += row.weight(i) * by_weights[i] * drops.factor(i, rows, start, move);
  along = over_block<Sum>(along);
  WITHIN(i, n) {
    Wide weight = row.weight(i), factor = drops.factor(i, rows, start, move);
    weights[i] = weight * factor;
    by_scores[i] = weight * (by_weights[i] * factor - along) * (Wide)slope;
  }
}
