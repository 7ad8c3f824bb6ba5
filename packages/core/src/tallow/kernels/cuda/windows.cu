// Windows over three spatial axes: pooling, windows as columns, and convolution of single channels.
// What has fewer axes has the first of size 1.

struct Windows {
  int size[3], kernel[3], stride[3], padding[3], dilation[3], count[3];

  __device__ int volume() const { return size[0] * size[1] * size[2]; }
  __device__ int places() const { return count[0] * count[1] * count[2]; }
  __device__ int depth() const { return kernel[0] * kernel[1] * kernel[2]; }
};

struct Spot {
  int at[3];
  __device__ Spot(int flat, const int* shape) {
    at[2] = flat % shape[2], flat /= shape[2];
    at[1] = flat % shape[1], at[0] = flat / shape[1];
  }
};

// The flat place of element k of a window's kernel in the image, or -1 where that is outside
__device__ int seen(const Windows& w, const Spot& window, const Spot& k) {
  int flat = 0;
  for (int axis = 0; axis < 3; axis++) {
    int i = window.at[axis] * w.stride[axis] - w.padding[axis] + k.at[axis] * w.dilation[axis];
    if (i < 0 || i >= w.size[axis]) return -1;
    flat = flat * w.size[axis] + i;
  }
  return flat;
}

// The flat place of the window in whose kernel a place of the image is element k, or -1 without
__device__ int seeing(const Windows& w, const Spot& place, const Spot& k) {
  int flat = 0;
  for (int axis = 0; axis < 3; axis++) {
    int i = place.at[axis] + w.padding[axis] - k.at[axis] * w.dilation[axis];
    if (i < 0 || i % w.stride[axis]) return -1;
    i /= w.stride[axis];
    if (i >= w.count[axis]) return -1;
    flat = flat * w.count[axis] + i;
  }
  return flat;
}

#define KERNEL(k) for (int k = 0; k < w.depth(); k++)

// Pooling: a thread takes a window, or in gradients a place of the image, in one of its planes

template <class How> __device__ void pooled(Int count, const Real* x, Real* out, Windows w) {
  EACH(i, count) {
    const Real* plane = x + i / w.places() * w.volume();
    Spot window(i % w.places(), w.count);
    Wide found = How::none();
    KERNEL(k) {
      int at = seen(w, window, Spot(k, w.kernel));
      if (at >= 0) found = How::of(found, plane[at]);
    }
    out[i] = found;
  }
}

extern "C" __global__ void max_pool(Int count, const Real* x, Real* out, Windows w) {
  pooled<Max>(count, x, out, w);
}

extern "C" __global__ void pool_sum(Int count, const Real* x, Real* out, Windows w) {
  pooled<Sum>(count, x, out, w);
}

// Where the first maximum, or NaN, of a window is, in the flattened axes; 0 where all is outside
__device__ int winner(const Real* plane, const Windows& w, const Spot& window) {
  Wide best = 0;
  int found = -1;
  KERNEL(k) {
    int at = seen(w, window, Spot(k, w.kernel));
    if (at < 0) continue;
    Wide x = plane[at];
    if (found < 0 || (best == best && (x > best || x != x))) best = x, found = at;
  }
  return found;
}

extern "C" __global__ void max_pool_indices(Int count, const Real* x, Int* out, Windows w) {
  EACH(i, count) {
    int at = winner(x + i / w.places() * w.volume(), w, Spot(i % w.places(), w.count));
    out[i] = at < 0 ? 0 : at;
  }
}

extern "C" __global__ void max_pool_grad(Int count, const Real* g, const Real* x, Real* out,
                                         Windows w) {
  EACH(i, count) {
    Int plane = i / w.volume();
    int place = i % w.volume();
    const Real* image = x + plane * w.volume();
    Wide total = 0;
    KERNEL(k) {
      int at = seeing(w, Spot(place, w.size), Spot(k, w.kernel));
      if (at >= 0 && winner(image, w, Spot(at, w.count)) == place)
        total += (Wide)g[plane * w.places() + at];
    }
    out[i] = total;
  }
}

// Columns: element k of the windows of channel c of image n is the line at
// n * by_image + (c * depth + k) * by_line. Counted are planes (n, c) times places or volume. All
// elements of a window have one line, where it is spread evenly: then by_line is 0.

extern "C" __global__ void unfold(Int count, const Real* x, Real* out, Windows w, Int channels,
                                  Int by_image, Int by_line) {
  EACH(i, count) {
    Int plane = i / w.places();
    int place = i % w.places();
    Spot window(place, w.count);
    Real* line = out + plane / channels * by_image + plane % channels * w.depth() * by_line + place;
    KERNEL(k) {
      int at = seen(w, window, Spot(k, w.kernel));
      line[k * by_line] = at < 0 ? Real(0) : x[plane * w.volume() + at];
    }
  }
}

extern "C" __global__ void fold(Int count, const Real* columns, Real* out, Windows w, Int channels,
                                Int by_image, Int by_line) {
  EACH(i, count) {
    Int plane = i / w.volume();
    Spot place(i % w.volume(), w.size);
    const Real* line = columns + plane / channels * by_image + plane % channels * w.depth() * by_line;
    Wide total = 0;
    KERNEL(k) {
      int at = seeing(w, place, Spot(k, w.kernel));
      if (at >= 0) total += (Wide)line[k * by_line + at];
    }
    out[i] = total;
  }
}

// Convolution with a channel of x (N, C, *size) to each group, and `many` of out (N, C * many, ...)

extern "C" __global__ void depthwise(Int count, const Real* x, const Real* weight, Real* out,
                                     Windows w, Int channels, Int many) {
  EACH(i, count) {
    Int plane = i / w.places(), o = plane % (channels * many);
    const Real* image = x + plane / many * w.volume();
    Spot window(i % w.places(), w.count);
    Wide total = 0;
    KERNEL(k) {
      int at = seen(w, window, Spot(k, w.kernel));
      if (at >= 0) total += (Wide)image[at] * (Wide)weight[o * w.depth() + k];
    }
    out[i] = total;
  }
}

extern "C" __global__ void depthwise_grad_input(Int count, const Real* g, const Real* weight,
                                                Real* out, Windows w, Int channels, Int many) {
  EACH(i, count) {
    Int plane = i / w.volume() * many, o = plane % (channels * many);
    Spot place(i % w.volume(), w.size);
    Wide total = 0;
    KERNEL(k) {
      int at = seeing(w, place, Spot(k, w.kernel));
      for (Int j = 0; at >= 0 && j < many; j++)
        total += (Wide)g[(plane + j) * w.places() + at] * (Wide)weight[(o + j) * w.depth() + k];
    }
    out[i] = total;
  }
}

// A block to each element of the weight
extern "C" __global__ void depthwise_grad_weight(const Real* g, const Real* x, Real* out, Windows w,
                                                 Int images, Int channels, Int many) {
  Int o = blockIdx.x / w.depth();
  Spot k(blockIdx.x % w.depth(), w.kernel);
  Wide total = 0;
  WITHIN(i, images * w.places()) {
    Int image = i / w.places();
    int place = i % w.places(), at = seen(w, Spot(place, w.count), k);
    if (at >= 0)
      total += (Wide)g[(image * channels * many + o) * w.places() + place] *
               (Wide)x[(image * channels + o / many) * w.volume() + at];
  }
  total = over_block<Sum>(total);
  if (threadIdx.x == 0) out[blockIdx.x] = total;
}
