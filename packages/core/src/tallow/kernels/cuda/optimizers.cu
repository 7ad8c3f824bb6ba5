// Steps of optimizers, by the formulas of `tallow.optim`: a launch takes up to `MANY` parameters, a
// row of blocks each. Nothing is changed where `found` holds a number other than 0: gradients that
// are not finite.

const int MANY = 32;

struct Chunk {
  void* at[5][MANY];     // parameters, gradients and state
  float* counter[MANY];  // how many steps were made, or null where the first number says it
  double number[2][MANY];
  Int size[MANY];

  __device__ Real* column(int k) const { return (Real*)at[k][blockIdx.y]; }
  __device__ double given(int k) const { return number[k][blockIdx.y]; }
  __device__ double steps() const {
    return counter[blockIdx.y] ? (double)*counter[blockIdx.y] : given(0);
  }
};

#define STEP(name, ...)                                                      \
  extern "C" __global__ void name(Chunk c, const float* found, __VA_ARGS__)

#define EACH_ELEMENT                                                         \
  if (found && *found) return;                                               \
  Real *p = c.column(0), *gradient = c.column(1);                            \
  EACH(i, c.size[blockIdx.y])

// Numbers that a block computes once, in double precision
#define ONCE                                                                 \
  __syncthreads();                                                           \
  if (threadIdx.x == 0)

// The gradient to descend along
__device__ Wide direction(Wide p, Wide g, double weight_decay, Int maximize) {
  return (maximize ? -g : g) + (Wide)weight_decay * p;
}

// Moves a running mean towards x by a share, and gives it
__device__ Wide follow(Real& mean, Wide x, double share) {
  Wide now = (Wide)mean + (Wide)share * (x - (Wide)mean);
  mean = now;
  return now;
}

// Adds to what is left of a running mean of squares, and gives it
__device__ Wide follow_square(Real& square, Wide x, double left) {
  Wide now = (Wide)square * (Wide)left + (Wide)(1 - left) * (x * x);
  square = now;
  return now;
}

STEP(sgd, double lr, double momentum, double dampening, double weight_decay, Int nesterov,
     Int maximize) {
  Real* buffer = c.column(2);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    if (momentum) {
      Wide kept = (Wide)momentum * (Wide)buffer[i] + (Wide)(1 - dampening) * g;
      buffer[i] = kept;
      g = nesterov ? g + (Wide)momentum * kept : kept;
    }
    p[i] = (Wide)p[i] - (Wide)lr * g;
  }
}

STEP(adam, double lr, double beta1, double beta2, double eps, double weight_decay, Int amsgrad,
     Int maximize, Int decoupled) {
  __shared__ double rate, root;
  ONCE {
    double step = c.steps();
    rate = lr / (1 - pow(beta1, step)), root = sqrt(1 - pow(beta2, step));
  }
  __syncthreads();
  Real *mean = c.column(2), *square = c.column(3), *maximum = c.column(4);
  EACH_ELEMENT {
    Wide x = (Wide)p[i] * (decoupled ? (Wide)(1 - lr * weight_decay) : 1);
    Wide g = direction(x, gradient[i], decoupled ? 0 : weight_decay, maximize);
    Wide m = follow(mean[i], g, 1 - beta1), v = follow_square(square[i], g, beta2);
    if (amsgrad) {
      if (v <= (Wide)maximum[i]) v = maximum[i];
      maximum[i] = v;
    }
    p[i] = x - (Wide)rate * (m / (sqrt(v) / (Wide)root + (Wide)eps));
  }
}

STEP(adamax, double lr, double beta1, double beta2, double eps, double weight_decay,
     Int maximize) {
  __shared__ double rate;
  ONCE rate = lr / (1 - pow(beta1, c.steps()));
  __syncthreads();
  Real *mean = c.column(2), *norm = c.column(3);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    Wide m = follow(mean[i], g, 1 - beta1);
    Wide largest = Max::of((Wide)norm[i] * (Wide)beta2, fabs(g) + (Wide)eps);
    norm[i] = largest;
    p[i] = (Wide)p[i] - (Wide)rate * (m / largest);
  }
}

STEP(nadam, double lr, double beta1, double beta2, double eps, double weight_decay,
     double momentum_decay, Int maximize, Int decoupled) {
  __shared__ double by_gradient, by_mean, known;
  ONCE {
    double step = c.steps(), product = c.given(1);
    double now = beta1 * (1 - 0.5 * pow(0.96, step * momentum_decay));
    double next = beta1 * (1 - 0.5 * pow(0.96, (step + 1) * momentum_decay));
    by_gradient = lr * (1 - now) / (1 - product), by_mean = lr * next / (1 - product * next);
    known = 1 - pow(beta2, step);
  }
  __syncthreads();
  Real *mean = c.column(2), *square = c.column(3);
  EACH_ELEMENT {
    Wide x = (Wide)p[i] * (decoupled ? (Wide)(1 - lr * weight_decay) : 1);
    Wide g = direction(x, gradient[i], decoupled ? 0 : weight_decay, maximize);
    Wide m = follow(mean[i], g, 1 - beta1), v = follow_square(square[i], g, beta2);
    Wide scale = sqrt(v / (Wide)known) + (Wide)eps;
    p[i] = x - (Wide)by_gradient * (g / scale) - (Wide)by_mean * (m / scale);
  }
}

STEP(radam, double lr, double beta1, double beta2, double eps, double weight_decay, Int maximize,
     Int decoupled) {
  __shared__ double rate, rectify;  // the latter 0 while the mean of squares is of too few
  ONCE {
    double step = c.steps(), left = pow(beta2, step), rest = 1 - left;
    double longest = 2 / (1 - beta2) - 1, length = longest - 2 * step * left / rest;
    double share = (length - 4) * (length - 2) * longest;
    rate = lr / (1 - pow(beta1, step));
    share /= (longest - 4) * (longest - 2) * length;
    rectify = length > 5 ? sqrt(share) * sqrt(rest) : 0;
  }
  __syncthreads();
  Real *mean = c.column(2), *square = c.column(3);
  EACH_ELEMENT {
    Wide x = (Wide)p[i] * (decoupled ? (Wide)(1 - lr * weight_decay) : 1);
    Wide g = direction(x, gradient[i], decoupled ? 0 : weight_decay, maximize);
    Wide m = follow(mean[i], g, 1 - beta1), v = follow_square(square[i], g, beta2);
    Wide change = m * (Wide)rate;
    p[i] = x - (rectify ? change * (Wide)rectify / (sqrt(v) + (Wide)eps) : change);
  }
}

STEP(rmsprop, double lr, double alpha, double eps, double weight_decay, double momentum,
     Int centered, Int maximize) {
  Real *square = c.column(2), *buffer = c.column(3), *mean = c.column(4);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    Wide v = follow_square(square[i], g, alpha);
    if (centered) {
      Wide m = follow(mean[i], g, 1 - alpha);
      v -= m * m;
    }
    Wide change = g / (sqrt(v) + (Wide)eps);
    if (momentum) buffer[i] = change = (Wide)buffer[i] * (Wide)momentum + change;
    p[i] = (Wide)p[i] - (Wide)lr * change;
  }
}

STEP(adagrad, double lr, double lr_decay, double weight_decay, double eps, Int maximize) {
  __shared__ double rate;
  ONCE rate = lr / (1 + (c.steps() - 1) * lr_decay);
  __syncthreads();
  Real* sum = c.column(2);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    Wide total = (Wide)sum[i] + g * g;
    sum[i] = total;
    p[i] = (Wide)p[i] - (Wide)rate * (g / (sqrt(total) + (Wide)eps));
  }
}

STEP(adadelta, double lr, double rho, double eps, double weight_decay, Int maximize) {
  Real *square = c.column(2), *delta = c.column(3);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    Wide v = follow_square(square[i], g, rho);
    Wide change = sqrt((Wide)delta[i] + (Wide)eps) / sqrt(v + (Wide)eps) * g;
    follow_square(delta[i], change, rho);
    p[i] = (Wide)p[i] - (Wide)lr * change;
  }
}

STEP(rprop, double shrink, double grow, double least, double most, Int maximize) {
  Real *previous = c.column(2), *length = c.column(3);
  EACH_ELEMENT {
    Wide g = direction(0, gradient[i], 0, maximize), same = g * (Wide)previous[i];
    Wide changed = (Wide)length[i] * (Wide)(same > 0 ? grow : same < 0 ? shrink : 1);
    changed = changed < (Wide)least ? (Wide)least : changed > (Wide)most ? (Wide)most : changed;
    if (same < 0) g = 0;
    length[i] = changed, previous[i] = g;
    p[i] = (Wide)p[i] - (g > 0 ? changed : g < 0 ? -changed : g);
  }
}

// Numbers are the rate of the step and the weight of the parameter in its average
STEP(asgd, double lambd, double weight_decay, Int maximize) {
  double rate = c.given(0), weight = c.given(1);
  Real* average = c.column(2);
  EACH_ELEMENT {
    Wide g = direction(p[i], gradient[i], weight_decay, maximize);
    Wide x = (Wide)p[i] * (Wide)(1 - lambd * rate) - (Wide)rate * g;
    p[i] = x;
    if (weight == 1) average[i] = x;
    else follow(average[i], x, weight);
  }
}

// Steps counted, a thread for each
STEP(advance, Int count) {
  Int i = threadIdx.x;
  if (i < count && !(found && *found)) *c.counter[i] += 1;
}

// Gradients divided by a scale; `found` becomes 1 where one is not finite
extern "C" __global__ void unscale(Chunk c, float* found, const float* scale) {
  Wide inverse = (Wide)1 / (Wide)*scale;
  Real* gradient = c.column(0);
  EACH(i, c.size[blockIdx.y]) {
    Wide g = (Wide)gradient[i] * inverse;
    if (!(fabs(g) < INFINITE)) atomicExch(found, 1.0f);
    gradient[i] = g;
  }
}
