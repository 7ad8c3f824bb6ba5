// Random numbers by rejection, as tallow.ops.random has them: an element takes words of its lane
// until one is accepted. All is computed in double, so that no decision hangs on rounding.
//
// References: Hoermann, "The transformed rejection method for generating Poisson random variables",
// 1993, and "The generation of binomial random variates", 1993; Marsaglia and Tsang, "A simple
// method for generating gamma variables", 2000. Names are those of the papers.

struct Lane {
  Int seed, offset, number;
  const Int* move;
  Words words;
  int used;
  Int round;
  double spare;
  bool has_spare;

  __device__ Lane(Int seed, Int offset, Int number, const Int* move)
      : seed(seed), offset(offset), number(number), move(move), used(4), round(0),
        has_spare(false) {}
  __device__ unsigned int word() {
    if (used == 4) words = philox(seed, offset, round++, number, move), used = 0;
    return words.at[used++];
  }
  __device__ double below() { return (word() & 0xffffff) * 5.9604644775390625e-8; }  // in [0, 1)
  __device__ double above() { return (word() + 0.5) * 2.3283064365386963e-10; }      // in (0, 1]
  __device__ double normal() {
    has_spare = !has_spare;
    if (!has_spare) return spare;
    double radius = sqrt(-2 * log(above())), angle = 6.283185307179586 * above();
    spare = radius * cos(angle);
    return radius * sin(angle);
  }
};

__device__ double poisson_by_rejection(Lane& lane, double rate) {
  double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b, log_rate = log(rate);
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    double u = lane.below() - 0.5, v = lane.below(), us = 0.5 - fabs(u);
    double k = floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (us == 0 || v == 0 || (us < 0.013 && v > us) || k < 0) continue;
    if (log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_rate - rate - lgamma(k + 1))
      return k;
  }
}

extern "C" __global__ void poisson(Int count, const Real* rates, Real* out, Int seed, Int offset,
                                   const Int* move) {
  EACH(i, count) {
    Lane lane(seed, offset, i, move);
    double rate = (Wide)rates[i], found = 0;
    if (rate >= 64) {
      found = poisson_by_rejection(lane, rate);
    } else {
      for (double left = exp(rate) * lane.above(); left > 1; left *= lane.above()) found++;
    }
    out[i] = found;
  }
}

__device__ double stirling_rest(double k) {  // log k! less Stirling's formula in k + 1
  if (k < 10) return lgamma(k + 1) - (0.9189385332046727 + (k + 0.5) * log(k + 1) - (k + 1));
  double square = (k + 1) * (k + 1);
  return (1. / 12 - (1. / 360 - 1. / 1260 / square) / square) / (k + 1);
}

__device__ double binomial_by_rejection(Lane& lane, double n, double p) {
  double spq = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spq;
  double a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5, v_r = 0.92 - 4.2 / b;
  double r = p / (1 - p), alpha = (2.83 + 5.1 / b) * spq, m = floor((n + 1) * p);
  while (true) {
    double u = lane.below() - 0.5, v = lane.below(), us = 0.5 - fabs(u);
    double k = us > 0 ? floor((2 * a / us + b) * u + c) : -1;
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= v_r) return k;
    double bound = (m + 0.5) * log((m + 1) / (r * (n - m + 1))) +
                   (n + 1) * log((n - m + 1) / (n - k + 1)) +
                   (k + 0.5) * log(r * (n - k + 1) / (k + 1)) + stirling_rest(m) +
                   stirling_rest(n - m) - stirling_rest(k) - stirling_rest(n - k);
    if (v == 0 || log(v * alpha / (a / (us * us) + b)) <= bound) return k;
  }
}

__device__ double binomial_by_waiting(Lane& lane, double n, double p) {
  double successes = 0, trials = 0, scale = log1p(-p);
  while (true) {  // each step is the number of trials up to the next success
    double u = lane.below();
    if (u == 0) return successes;
    trials += ceil(log(u) / scale);
    if (trials > n) return successes;
    successes++;
  }
}

__device__ double binomial_count(Lane& lane, double n, double p) {
  double rarer = p < 1 - p ? p : 1 - p;
  if (n <= 0 || p <= 0) return 0;
  if (rarer <= 0) return n;
  double found = n * rarer >= 10 ? binomial_by_rejection(lane, n, rarer)
                                 : binomial_by_waiting(lane, n, rarer);
  return p <= 0.5 ? found : n - found;
}

// A thread has four elements, 128 from each other
extern "C" __global__ void binomial(Int lanes, const Real* counts, const Real* chances, Real* out,
                                    Int size, Int seed, Int offset, const Int* move) {
  EACH(number, lanes) {
    Lane lane(seed, offset, number, move);
    for (int k = 0; k < 4; k++) {
      Int i = number / 128 * 512 + k * 128 + number % 128;
      if (i < size) out[i] = binomial_count(lane, (Wide)counts[i], (Wide)chances[i]);
    }
  }
}

__device__ double gamma_number(Lane& lane, double alpha, double third) {
  double scale = alpha < 1 ? pow(1 - lane.above(), 1 / alpha) : 1.;
  double d = (alpha < 1 ? alpha + 1 : alpha) - third, c = 1 / sqrt(9 * d);
  while (true) {
    double x = lane.normal(), v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    double u = 1 - lane.above(), square = x * x;
    if (u < 1 - (double)0.0331f * square * square) return scale * d * v;
    if (log(u) < 0.5 * square + d * (1 - v + log(v))) return scale * d * v;
  }
}

extern "C" __global__ void gamma_of(Int count, const Real* alpha, Real* out, double third,
                                    double least, Int seed, Int offset, const Int* move) {
  EACH(i, count) {
    Lane lane(seed, offset, i, move);
    double a = (Wide)alpha[i], found = a == 0 ? 0 : gamma_number(lane, a, third);
    out[i] = found > least ? found : least;
  }
}
