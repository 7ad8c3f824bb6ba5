// CUDA C++ for a processor: kernels as they are, one thread after the other, so that tests run them
// without a GPU. The threads of a block are coroutines which change places where they wait for each
// other. What is shared by a block is static. Blocks run one by one.

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmath>
#include <functional>
#include <vector>

#define __global__ static
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ static

using std::exp, std::log, std::tanh, std::erf, std::sqrt, std::fabs, std::pow, std::log1p;

struct Place { unsigned int x, y, z; };
static Place blockIdx, blockDim, gridDim, threadIdx;

// Threads

struct Thread {
  jmp_buf here;
  ucontext_t start;
  std::vector<char> stack;
  bool begun, done;
};

static std::vector<Thread> threads(1024);
static unsigned int turn;
static jmp_buf scheduler;
static ucontext_t beginning;
static std::function<void()> body;
static long waits;  // since the last progress: all threads waiting is a deadlock

static void run_thread() {
  body();
  threads[turn].done = true;
  waits = 0;
  _longjmp(scheduler, 1);
}

static void yield_turn() {
  if (++waits > 2 * (long)blockDim.x) {
    fprintf(stderr, "threads of a block wait for each other forever\n");
    abort();
  }
  if (!_setjmp(threads[turn].here)) _longjmp(scheduler, 1);
}

static void run_block(unsigned int count) {
  static volatile unsigned int left;
  for (unsigned int i = 0; i < count; i++) threads[i].begun = threads[i].done = false;
  waits = 0;
  for (left = count; left > 0;) {
    left = 0;
    for (turn = 0; turn < count; turn++) {
      Thread& thread = threads[turn];
      if (thread.done) continue;
      left = left + 1;
      threadIdx = {turn, 0, 0};
      if (_setjmp(scheduler)) continue;
      if (thread.begun) _longjmp(thread.here, 1);
      thread.begun = true;
      if (thread.stack.empty()) thread.stack.resize(64 << 10);
      getcontext(&thread.start);
      thread.start.uc_stack.ss_sp = thread.stack.data();
      thread.start.uc_stack.ss_size = thread.stack.size();
      makecontext(&thread.start, run_thread, 0);
      setcontext(&thread.start);
    }
  }
}

// Waiting: for the whole block, or for the warp

struct Barrier {
  unsigned int arrived = 0, round = 0;
  void wait(unsigned int count) {
    unsigned int mine = round;
    if (++arrived == count) {
      arrived = 0, round++, waits = 0;
      return;
    }
    while (round == mine) yield_turn();
  }
};

static Barrier of_block, of_warp[32];

static void __syncthreads() { of_block.wait(blockDim.x); }

static void __syncwarp(unsigned int = 0xffffffff) {
  unsigned int warp = threadIdx.x / 32, left = blockDim.x - warp * 32;
  of_warp[warp].wait(left < 32 ? left : 32);
}

template <class T> static T __shfl_sync(unsigned int, T value, int lane) {
  static T values[1024];
  unsigned int first = threadIdx.x / 32 * 32;
  values[threadIdx.x] = value;
  __syncwarp();
  T found = values[first + lane % 32];
  __syncwarp();
  return found;
}

template <class T> static T __shfl_xor_sync(unsigned int mask, T value, int step) {
  return __shfl_sync(mask, value, (threadIdx.x % 32) ^ step);
}

// Memory and numbers

template <class T> static T atomicAdd(T* place, T value) {
  T before = *place;
  *place += value;
  return before;
}

static float __uint_as_float(unsigned int bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static unsigned int __float_as_uint(float x) {
  unsigned int bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static unsigned int __umulhi(unsigned int a, unsigned int b) {
  return (unsigned long long)a * b >> 32;
}

static unsigned short half_bits(float x) {
  _Float16 half = x;
  unsigned short bits;
  memcpy(&bits, &half, 2);
  return bits;
}

static float half_value(unsigned short bits) {
  _Float16 half;
  memcpy(&half, &bits, 2);
  return half;
}

// What a warp's tensor cores do: sums (16, 8) += a (16, k) b (k, 8) by 32 threads, which hold parts
// of them as the PTX manual has it. A word of a or b is one float, or two of 16 bits.

static float element_of(const char* shape, unsigned int word, int half) {
  if (strstr(shape, "tf32")) return word & 0x1fff ? NAN : __uint_as_float(word);
  unsigned short bits = half ? word >> 16 : word;
  return strstr(shape, "bf16") ? __uint_as_float((unsigned int)bits << 16) : half_value(bits);
}

static void add_product_of_warp(const char* shape, float* sums, const unsigned int* a,
                                const unsigned int* b) {
  static unsigned int of_a[1024][4], of_b[1024][2];
  unsigned int first = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
  int each = strstr(shape, "tf32") ? 1 : 2;
  memcpy(of_a[threadIdx.x], a, 16), memcpy(of_b[threadIdx.x], b, 8);
  __syncwarp();
  for (int i = 0; i < 4; i++) {
    int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int word = 0; word < 8; word++) {
      unsigned int x = of_a[first + row % 8 * 4 + word % 4][row / 8 + word / 4 * 2];
      unsigned int y = of_b[first + column * 4 + word % 4][word / 4];
      for (int half = 0; half < each; half++)
        sums[i] += element_of(shape, x, half) * element_of(shape, y, half);
    }
  }
  __syncwarp();
}

// Launching, with the parameters as CUDA's driver takes them: a pointer to the value of each

template <class... P, size_t... I>
static void launch(void (*kernel)(P...), const unsigned int* shape, void** given,
                   std::index_sequence<I...>) {
  gridDim = {shape[0], shape[1], shape[2]};
  blockDim = {shape[3], 1, 1};
  body = [=] { kernel(*(P*)given[I]...); };
  for (unsigned int z = 0; z < gridDim.z; z++)
    for (unsigned int y = 0; y < gridDim.y; y++)
      for (unsigned int x = 0; x < gridDim.x; x++) {
        blockIdx = {x, y, z};
        run_block(blockDim.x);
      }
}

#define LAUNCHER(name)                                                              \
  extern "C" void launch_##name(const unsigned int* shape, void** given) {           \
    launch_all(name, shape, given);                                                  \
  }

template <class... P>
static void launch_all(void (*kernel)(P...), const unsigned int* shape, void** given) {
  launch(kernel, shape, given, std::index_sequence_for<P...>());
}
