// CUDA C++ for a processor: kernels as they are, one thread after the other, so that tests run them
// without a GPU. The threads of a block are coroutines which change places where they wait for each
// other. What is shared by a block is static. Blocks run one by one. What is UNSEEN is not checked
// as kernels are (checks.h), and calls nothing of the standard library that would be.

#include <math.h>
#include <stdio.h>
#include <ucontext.h>

#include <cmath>
#include <utility>

#define __global__ static
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ static

using std::exp, std::log, std::tanh, std::erf, std::sqrt, std::fabs, std::pow, std::log1p;

namespace host {

// A thread's, which never change

static Place block_shape, grid_shape;

#define OF_A_THREAD(name, value) \
  UNSEEN __attribute__((const)) static Place name() { return value; }

OF_A_THREAD(thread_index, (Place{turn, 0, 0}))
OF_A_THREAD(block_index, block_now)
OF_A_THREAD(block_dim, block_shape)
OF_A_THREAD(grid_dim, grid_shape)

#define threadIdx host::thread_index()
#define blockIdx host::block_index()
#define blockDim host::block_dim()
#define gridDim host::grid_dim()

// Threads

struct Thread {
  jmp_buf here;
  ucontext_t start;
  char* stack;
  bool begun, done;
};

enum { MOST_THREADS = 1024 };
static Thread threads[MOST_THREADS];
static jmp_buf scheduler;
static ucontext_t beginning;
static void (*body)(void**);
static void** given_to_body;
static unsigned int live, live_of_warp[MOST_THREADS / WARP];  // threads that have not returned
static unsigned int waits;  // since the last progress: all threads waiting is a deadlock

UNSEEN static void run_thread() {
  body(given_to_body);
  threads[turn].done = true;
  live--, live_of_warp[turn / WARP]--;
  waits = 0;
  _longjmp(scheduler, 1);
}

UNSEEN static void yield_turn(unsigned int line) {
  if (++waits > 2 * block_shape.x) stop("threads wait for each other forever", 0, 0, line);
  if (!_setjmp(threads[turn].here)) _longjmp(scheduler, 1);
}

UNSEEN static unsigned int common_divisor(unsigned int a, unsigned int b) {
  return b ? common_divisor(b, a % b) : a;
}

// The i-th of n by an order: 0 as they are, 1 backwards, another number: mixed
UNSEEN static unsigned int in_order(unsigned int i, unsigned int n, unsigned int order) {
  if (order < 2) return order ? n - 1 - i : i;
  unsigned int step = n * 0.618 + order;
  while (common_divisor(step, n) != 1) step++;
  return ((unsigned long long)step * i + order) % n;
}

UNSEEN static void run_block(unsigned int count, unsigned int order) {
  static volatile unsigned int left, i;
  memset(live_of_warp, 0, sizeof(live_of_warp));
  for (i = 0; i < count; i = i + 1)
    threads[i].begun = threads[i].done = false, live_of_warp[i / WARP]++;
  live = count, waits = 0;
  for (left = count; left > 0;) {
    left = 0;
    for (i = 0; i < count; i = i + 1) {
      turn = in_order(i, count, order);
      Thread& thread = threads[turn];
      if (thread.done) continue;
      left = left + 1;
      if (!thread.stack) thread.stack = (char*)malloc(STACK);
      stack = (size_t)thread.stack;
      if (_setjmp(scheduler)) continue;
      if (thread.begun) _longjmp(thread.here, 1);
      thread.begun = true;
      getcontext(&thread.start);
      thread.start.uc_stack.ss_sp = thread.stack;
      thread.start.uc_stack.ss_size = STACK;
      makecontext(&thread.start, run_thread, 0);
      setcontext(&thread.start);
    }
  }
}

// Waiting: for all of the block, or of some lanes of a warp, that have not returned. `line` is that
// of the call: threads that meet by different calls need not meet on a GPU.

struct Barrier {
  unsigned int arrived, round, line;
  UNSEEN bool wait(const unsigned int& expected, unsigned int from) {  // true for the last
    unsigned int mine = round;
    if (arrived++ && line != from) stop("threads wait by different calls", 0, 0, from);
    line = from;
    while (round == mine) {
      if (arrived == expected) {
        arrived = 0, round++, waits = 0;
        return true;
      }
      yield_turn(from);
    }
    return false;
  }
};

static Barrier of_block, of_lanes[MOST_THREADS];

// What tensor cores do is for warps of which no thread has returned.
UNSEEN static void whole_warp(unsigned int line) {
  if (live_of_warp[turn / WARP] < WARP) stop("a warp that is not whole multiplies", 0, 0, line);
}

}  // namespace host

UNSEEN static void __syncthreads(unsigned int line = __builtin_LINE()) {
  if (host::of_block.wait(host::live, line)) host::now++;
}

UNSEEN static void __syncwarp(unsigned int mask = 0xffffffff,
                              unsigned int line = __builtin_LINE()) {
  using namespace host;
  unsigned int warp = turn / WARP, first = warp * WARP, lanes = 0;
  if (!(mask >> turn % WARP & 1)) stop("a thread waits that is not in its mask", 0, 0, line);
  if (mask == 0xffffffff) {
    if (of_lanes[first].wait(live_of_warp[warp], line)) of_warp_now[warp]++;
    return;
  }
  for (unsigned int i = first; i < first + WARP && i < block_shape.x; i++)
    lanes += (mask >> (i - first) & 1) && !threads[i].done;
  of_lanes[first + __builtin_ctz(mask)].wait(lanes, line);
}

template <class T>
UNSEEN static T __shfl_sync(unsigned int mask, T value, int lane, int width = host::WARP,
                            unsigned int line = __builtin_LINE()) {
  static T values[host::MOST_THREADS];
  unsigned int from = host::turn / width * width + lane % width;
  values[host::turn] = value;
  __syncwarp(mask, line);
  if (from >= host::block_shape.x || host::threads[from].done)
    host::stop("a value of a thread that is not there", 0, 0, line);
  T found = values[from];
  __syncwarp(mask, line);
  return found;
}

template <class T>
UNSEEN static T __shfl_xor_sync(unsigned int mask, T value, int step, int width = host::WARP,
                                unsigned int line = __builtin_LINE()) {
  return __shfl_sync(mask, value, (host::turn % width) ^ step, width, line);
}

// Memory and numbers

template <class T> UNSEEN static T atomicAdd(T* place, T value) {
  host::access((size_t)place, sizeof(T), host::WRITE, __builtin_return_address(0), host::ATOMIC);
  T before = *place;
  *place += value;
  return before;
}

template <class T> UNSEEN static T atomicExch(T* place, T value) {
  host::access((size_t)place, sizeof(T), host::WRITE, __builtin_return_address(0), host::ATOMIC);
  T before = *place;
  *place = value;
  return before;
}

static void __threadfence_system() {}

UNSEEN static float __uint_as_float(unsigned int bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

UNSEEN static unsigned int __float_as_uint(float x) {
  unsigned int bits;
  memcpy(&bits, &x, 4);
  return bits;
}

UNSEEN static unsigned int __umulhi(unsigned int a, unsigned int b) {
  return (unsigned long long)a * b >> 32;
}

UNSEEN static unsigned short half_bits(float x) {
  _Float16 half = x;
  unsigned short bits;
  memcpy(&bits, &half, 2);
  return bits;
}

UNSEEN static float half_value(unsigned short bits) {
  _Float16 half;
  memcpy(&half, &bits, 2);
  return half;
}

// Launching, with the parameters as CUDA's driver takes them: a pointer to the value of each.
// `shape` has the blocks, the threads of one, and the order that they run in; `told` the regions of
// memory. What went wrong is returned, or null.

namespace host {

template <auto kernel, class... P, size_t... I>
UNSEEN static void run(void** given, void (*)(P...), std::index_sequence<I...>) {
  kernel(*(P*)given[I]...);
}

template <auto kernel, class... P> UNSEEN static void run_with(void** given) {
  run<kernel>(given, (void (*)(P...))0, std::index_sequence_for<P...>());
}

UNSEEN static const Report* launch(const unsigned int* shape, void** given, const size_t* told,
                                   int count) {
  grid_shape = {shape[0], shape[1], shape[2]}, block_shape = {shape[3], 1, 1};
  given_to_body = given;
  memset(&of_block, 0, sizeof(of_block)), memset(of_lanes, 0, sizeof(of_lanes));
  begin_regions(told, count);
  if (_setjmp(stopped)) return &report;
  static volatile size_t i;
  for (i = 0; i < (size_t)shape[0] * shape[1] * shape[2]; i = i + 1, now++) {
    size_t block = in_order(i, shape[0] * shape[1] * shape[2], shape[4]);
    block_now.x = block % shape[0], block /= shape[0];
    block_now.y = block % shape[1], block_now.z = block / shape[1];
    block_begun = now;
    run_block(block_shape.x, shape[4]);
  }
  return 0;
}

template <auto kernel, class... P> UNSEEN static auto body_of(void (*)(P...)) {
  return run_with<kernel, P...>;
}

}  // namespace host

#define LAUNCHER(name)                                                           \
  extern "C" UNSEEN const host::Report* launch_##name(                            \
      const unsigned int* shape, void** given, const size_t* told, int count) {   \
    host::body = host::body_of<name>(name);                                       \
    return host::launch(shape, given, told, count);                               \
  }
