// Softmax, its logarithm, and cross entropy: a block takes a row of n elements.

// The largest element of a row, and the sum of the exponentials of the elements less it
__device__ Wide top_of(const Real* x, Int n) {
  Wide top = Max::none();
  WITHIN(i, n) top = Max::of(top, x[i]);
  return over_block<Max>(top);
}

__device__ Wide mass_of(const Real* x, Int n, Wide top) {
  Wide mass = 0;
  WITHIN(i, n) mass += exp((Wide)x[i] - top);
  return over_block<Sum>(mass);
}

extern "C" __global__ void softmax(const Real* x, Real* out, Int n) {
  x += blockIdx.x * n, out += blockIdx.x * n;
  Wide top = top_of(x, n), scale = 1 / mass_of(x, n, top);
  WITHIN(i, n) out[i] = exp((Wide)x[i] - top) * scale;
}

extern "C" __global__ void log_softmax(const Real* x, Real* out, Int n) {
  x += blockIdx.x * n, out += blockIdx.x * n;
  Wide top = top_of(x, n), mass = log(mass_of(x, n, top));
  WITHIN(i, n) out[i] = (Wide)x[i] - top - mass;
}

extern "C" __global__ void softmax_grad(const Real* g, const Real* y, Real* out, Int n) {
  g += blockIdx.x * n, y += blockIdx.x * n, out += blockIdx.x * n;
  Wide along = 0;
  WITHIN(i, n) along += (Wide)g[i] * (Wide)y[i];
  along = over_block<Sum>(along);
  WITHIN(i, n) out[i] = (Wide)y[i] * ((Wide)g[i] - along);
}

extern "C" __global__ void log_softmax_grad(const Real* g, const Real* y, Real* out, Int n) {
  g += blockIdx.x * n, y += blockIdx.x * n, out += blockIdx.x * n;
  Wide total = 0;
  WITHIN(i, n) total += (Wide)g[i];
  total = over_block<Sum>(total);
  WITHIN(i, n) out[i] = (Wide)g[i] - exp((Wide)y[i]) * total;
}

// A label out of range is noted at `fault`, and counts nothing.
__device__ bool counts(Int label, Int n, Int ignored, Int* fault) {
  if (label == ignored) return false;
  if (label >= 0 && label < n) return true;
  if (threadIdx.x == 0) note(fault, label, n);
  return false;
}

// The loss of each row, in Wide, and its factor: the weight of its class, 1, or 0 if ignored
extern "C" __global__ void cross_entropy(const Real* x, const Int* label, const Real* weight,
                                         Wide* loss, Wide* factor, Int n, Int ignored, Int* fault) {
  Int row = blockIdx.x, right = label[row];
  x += row * n;
  Wide top = top_of(x, n), mass = mass_of(x, n, top);
  bool counted = counts(right, n, ignored, fault);
  if (threadIdx.x == 0) {
    Wide share = !counted ? 0 : weight ? (Wide)weight[right] : 1;
    loss[row] = counted ? share * (log(mass) - ((Wide)x[right] - top)) : 0;
    factor[row] = share;
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
extern "C" __global__ void cross_entropy_grad(const Real* g, Int step, const Real* x,
                                              const Int* label, const Real* weight,
                                              const Wide* whole, Real* out, Int n, Int ignored,
                                              Int* fault) {
  Int row = blockIdx.x, right = label[row];
  x += row * n, out += row * n;
  Wide top = top_of(x, n), mass = mass_of(x, n, top);
  bool counted = counts(right, n, ignored, fault);
  Wide share = counted ? (Wide)g[row * step] : 0;
  if (counted && weight) share *= (Wide)weight[right];
  if (whole) share /= *whole;
  WITHIN(i, n) out[i] = share * (exp((Wide)x[i] - top) / mass - (i == right ? 1 : 0));
}
