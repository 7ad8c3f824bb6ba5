// Softmax, its logarithm, and cross entropy: a block takes a row of n elements, which it reads once
// if registers can hold it.

template <int HELD>
struct Held {
  const Real* x;
  Int n;
  Share share;
  Pack<Real> held[HELD];

  __device__ __forceinline__ Held(const Real* x, Int n, const Share& share)
      : x(x + blockIdx.x * n), n(n), share(share) {
    share.each<HELD>([&](int k, Int, Int e) {
      if (k < HELD) held[k] = pack_of(this->x, e, this->n);
    });
  }

  // f(k, e, elements) for each pack of a thread: of the elements those from e on
  template <class F>
  __device__ __forceinline__ void packs(F f) const {
    share.each<HELD>([&](int k, Int, Int e) { f(k, e, pack(k, e)); });
  }
  __device__ __forceinline__ Pack<Real> pack(int k, Int e) const {
    return k < HELD ? held[k] : pack_of(x, e, n);
  }

  // f(element) for each
  template <class F>
  __device__ __forceinline__ void each(F f) const {
    packs([&](int, Int e, const Pack<Real>& own) { OF_PACK(i, e, n) f((Wide)own.at[i]); });
  }

  // out = f(place, element)
  template <class F>
  __device__ __forceinline__ void write(Real* out, F f) const {
    out += blockIdx.x * n;
    packs([&](int, Int e, Pack<Real> own) {
      OF_PACK(i, e, n) own.at[i] = f(e + i, (Wide)own.at[i]);
      put(out, e, n, own);
    });
  }

  // The largest element, and the sum of the exponentials of the elements less it
  __device__ __forceinline__ Wide top() const {
    Wide top = Max::none();
    each([&](Wide own) { top = Max::of(top, own); });
    return over_block<Max>(top);
  }
  __device__ __forceinline__ Wide mass(Wide top) const {
    Wide mass = 0;
    each([&](Wide own) { mass += exp(own - top); });
    return over_block<Sum>(mass);
  }
};

#define ROW(array) Share(array, blockIdx.x* n, n)

typedef Held<8> Alone;
typedef Held<4> Beside;  // another row, which lies in the same packs

extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    softmax(const Real* x, Real* out, Int n) {
  Alone row(x, n, ROW(x));
  Wide top = row.top(), scale = 1 / row.mass(top);
  row.write(out, [&](Int, Wide own) { return exp(own - top) * scale; });
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    log_softmax(const Real* x, Real* out, Int n) {
  Alone row(x, n, ROW(x));
  Wide top = row.top(), mass = log(row.mass(top));
  row.write(out, [&](Int, Wide own) { return own - top - mass; });
}

// out = f(g, y, s), where s is the sum of all h(g, y)
template <class H, class F>
__device__ __forceinline__ void along_row(const Real* g, const Real* y, Real* out, Int n, H h,
                                          F f) {
  Beside slopes(g, n, ROW(g)), values(y, n, slopes.share);
  Wide total = 0;
  slopes.packs([&](int k, Int e, const Pack<Real>& slope) {
    Pack<Real> value = values.pack(k, e);
    OF_PACK(i, e, n) total += h((Wide)slope.at[i], (Wide)value.at[i]);
  });
  total = over_block<Sum>(total);
  out += blockIdx.x * n;
  slopes.packs([&](int k, Int e, Pack<Real> slope) {
    Pack<Real> value = values.pack(k, e);
    OF_PACK(i, e, n) slope.at[i] = f((Wide)slope.at[i], (Wide)value.at[i], total);
    put(out, e, n, slope);
  });
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    softmax_grad(const Real* g, const Real* y, Real* out, Int n) {
  along_row(
      g, y, out, n, [](Wide g, Wide y) { return g * y; },
      [](Wide g, Wide y, Wide along) { return y * (g - along); });
}

extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    log_softmax_grad(const Real* g, const Real* y, Real* out, Int n) {
  along_row(
      g, y, out, n, [](Wide g, Wide) { return g; },
      [](Wide g, Wide y, Wide total) { return g - exp(y) * total; });
}

// A label out of range is noted at `fault`, and counts nothing.
__device__ bool counts(Int label, Int n, Int ignored, Int* fault) {
  if (label == ignored) return false;
  if (label >= 0 && label < n) return true;
  if (threadIdx.x == 0) note(fault, label, n);
  return false;
}

// The loss of each row, in Wide, and its factor: the weight of its class, 1, or 0 if ignored
extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    cross_entropy(const Real* x, const Int* label, const Real* weight, Wide* loss, Wide* factor,
                  Int n, Int ignored, Int* fault) {
  Int at = blockIdx.x, right = label[at];
  Alone row(x, n, ROW(x));
  Wide top = row.top(), mass = row.mass(top);
  bool counted = counts(right, n, ignored, fault);
  if (threadIdx.x == 0) {
    Wide share = !counted ? 0 : weight ? (Wide)weight[right] : 1;
    loss[at] = counted ? share * (log(mass) - ((Wide)row.x[right] - top)) : 0;
    factor[at] = share;
  }
}

// One block: the sum of the losses, over that of the factors in a mean
extern "C" __global__ void gather_losses(Int rows, const Wide* loss, const Wide* factor, Int mean,
                                         Real* out) {
  Wide total = 0, whole = 0;
  WITHIN(i, rows) total += loss[i], whole += factor[i];
  total = over_block<Sum>(total), whole = over_block<Sum>(whole);
  if (threadIdx.x == 0) out[0] = mean ? total / whole : total;
}

// One block: the sum of the factors of all labels
extern "C" __global__ void weigh_labels(Int rows, const Int* label, const Real* weight, Int n,
                                        Int ignored, Wide* whole) {
  Wide total = 0;
  WITHIN(i, rows) {
    Int right = label[i];
    bool counted = right != ignored && right >= 0 && right < n;
    total += !counted ? 0 : weight ? (Wide)weight[right] : 1;
  }
  total = over_block<Sum>(total);
  if (threadIdx.x == 0) whole[0] = total;
}

// The gradient of the loss of each row, times g[row * step] and, in a mean, over what
// all labels count
extern "C" __global__ void __launch_bounds__(MOST_THREADS)
    cross_entropy_grad(const Real* g, Int step, const Real* x, const Int* label, const Real* weight,
                       const Wide* whole, Real* out, Int n, Int ignored, Int* fault) {
  Int right = label[blockIdx.x];
  Alone row(x, n, ROW(x));
  Wide top = row.top(), scale = 1 / row.mass(top);
  bool counted = counts(right, n, ignored, fault);
  Wide share = counted ? (Wide)g[blockIdx.x * step] : 0;
  if (counted && weight) share *= (Wide)weight[right];
  if (whole) share /= *whole;
  row.write(out, [&](Int i, Wide own) {
    return share * (exp(own - top) * scale - (i == right ? 1 : 0));
  });
}
