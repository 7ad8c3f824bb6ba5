// What goes wrong on a GPU alone, found on the processor. The compiler calls the functions here
// before each access to memory (-fsanitize=thread, of which nothing but these calls is used), and
// where an address is not aligned, an index beyond its array or a number too large (=undefined).
// What kernels may access, regions, is told at each launch: the arrays that were given, and what
// blocks share. For each word the last accesses are known, with the barriers passed until then:
//
// - two threads access a word, one of them writes, and no barrier of their block or warp is between
//   (atomic functions excepted). Nothing orders blocks, and nothing but barriers the threads of a
//   warp: that they go in step was never promised from Volta on;
// - a word that a block shares is read before the block wrote it;
// - an access is in no region.
//
// What is found is told in `report`, and ends the launch.

#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define UNSEEN __attribute__((no_sanitize("thread", "undefined"), noinline))

namespace host {

struct Place { unsigned int x, y, z; };

struct Report {
  const char* what;
  size_t at, pc, before;  // an address; places in the code, now and before
  unsigned int line, thread, other;
  Place block;
};

static Report report;
static jmp_buf stopped;
static Place block_now;
static unsigned int turn;                              // the thread that runs
static unsigned int now, block_begun, of_warp_now[32];  // numbers of barriers passed
static size_t stack;                                   // where that of the thread begins
enum { STACK = 128 << 10, WARP = 32 };

extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[];

UNSEEN static void stop(const char* what, size_t at = 0, size_t pc = 0, unsigned int line = 0,
                        unsigned int other = -1u, size_t before = 0) {
  report = {what, at, pc, before, line, turn, other, block_now};
  _longjmp(stopped, 1);
}

enum { BLOCKS = 1, WARPS = 2, LANES = 4, ATOMIC = 8 };  // accesses of several at once

struct Access {
  unsigned int round, of_warp, pc;
  unsigned short thread, several;
};

struct Word {
  Access write, read;
};

enum { GIVEN, SHARED, CONSTANT };

struct Region {
  size_t low, high, kind, grain;  // words have 1 << grain bytes
  Word* words;
};

static Region* regions;
static int region_count;

UNSEEN static size_t word_of(const Region& in, size_t at) {
  return (at - (in.low & ~(size_t)7)) >> in.grain;
}

UNSEEN static void begin_regions(const size_t* told, int count) {
  for (int i = 0; i < region_count; i++) free(regions[i].words);
  regions = (Region*)realloc(regions, (count + 1) * sizeof(Region)), region_count = count;
  for (int i = 0; i < count; i++, told += 3) {
    regions[i] = {told[0], told[1], told[2], 2, 0};
    regions[i].words = (Word*)calloc(word_of(regions[i], told[1]) + 1, sizeof(Word));
  }
  now = 1;
}

UNSEEN static Region* region_of(size_t at) {
  int low = 0, high = region_count;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (regions[middle].low <= at) low = middle;
    else high = middle;
  }
  return region_count && at >= regions[low].low && at < regions[low].high ? regions + low : 0;
}

UNSEEN static void refine(Region& in, size_t grain) {
  size_t count = word_of(in, in.high) + 1, each = 1 << (in.grain - grain);
  Word* words = (Word*)malloc(count * each * sizeof(Word));
  for (size_t i = 0; i < count * each; i++) words[i] = in.words[i / each];
  free(in.words);
  in.words = words, in.grain = grain;
}

// True if another thread made an access that nothing orders before what this thread does now
UNSEEN static bool unordered(const Access& before, bool shared) {
  if (!shared && (before.several & BLOCKS)) return true;
  if (before.round < block_begun) return before.round && !shared;
  if (before.round != now) return false;
  if ((before.several & WARPS) || before.thread / WARP != turn / WARP) return true;
  return before.of_warp == of_warp_now[turn / WARP] &&
         ((before.several & LANES) || before.thread != turn);
}

UNSEEN static void note(Access& in, unsigned int pc, int atomic, bool alone) {
  int several = alone ? 0 : in.several & BLOCKS;
  if (!alone && in.round && in.round < block_begun) several |= BLOCKS;
  if (!alone && in.round == now) {
    bool same = in.thread / WARP == turn / WARP;
    several |= (in.several & WARPS) | (same ? 0 : WARPS);
    if (same && in.of_warp == of_warp_now[turn / WARP])
      several |= (in.several & LANES) | (in.thread == turn ? 0 : LANES);
  }
  in = {now, of_warp_now[turn / WARP], pc, (unsigned short)turn,
        (unsigned short)(several | atomic)};
}

enum { READ, WRITE };

UNSEEN static void access(size_t at, size_t size, int kind, void* from, int atomic = 0) {
  if (at - stack < STACK) return;
  Region* in = region_of(at);
  unsigned int pc = (const char*)from - __ehdr_start;
  if (!in || at + size > in->high) stop("an access out of bounds", at, pc);
  if (in->kind == CONSTANT) return;
  if ((at | size) & ((1 << in->grain) - 1)) refine(*in, __builtin_ctz(at | size));
  bool shared = in->kind == SHARED;
  for (size_t i = word_of(*in, at), end = word_of(*in, at + size - 1); i <= end; i++) {
    Access &write = in->words[i].write, &read = in->words[i].read;
    if (!(atomic && (write.several & ATOMIC)) && unordered(write, shared))
      stop("a race: no barrier after a write", at, pc, 0, write.thread, write.pc);
    if (kind == READ) {
      if (shared && write.round < block_begun)
        stop("shared memory read before it is written", at, pc);
      note(read, pc, 0, false);
    } else {
      if (unordered(read, shared))
        stop("a race: no barrier between a read and a write", at, pc, 0, read.thread, read.pc);
      note(write, pc, atomic, !(atomic && (write.several & ATOMIC)));
    }
  }
}

// A place of which nobody has yet what a copy is to bring
UNSEEN static void forget(size_t at, size_t size) {
  Region* in = region_of(at);
  for (size_t i = word_of(*in, at), end = word_of(*in, at + size - 1); i <= end; i++)
    in->words[i].write.round = 0;
}

#define CALLED(size)                                                                \
  UNSEEN void __tsan_read##size(void* at) {                                         \
    access((size_t)at, size, READ, __builtin_return_address(0));                    \
  }                                                                                 \
  UNSEEN void __tsan_write##size(void* at) {                                        \
    access((size_t)at, size, WRITE, __builtin_return_address(0));                   \
  }                                                                                 \
  UNSEEN void __tsan_unaligned_read##size(void* at) {                               \
    access((size_t)at, size, READ, __builtin_return_address(0));                    \
  }                                                                                 \
  UNSEEN void __tsan_unaligned_write##size(void* at) {                              \
    access((size_t)at, size, WRITE, __builtin_return_address(0));                   \
  }

// What an undefined operation's handler is told first: where it is
struct Source {
  const char* file;
  unsigned int line, column;
};

#define UNDEFINED(name, what)                                                       \
  UNSEEN void __ubsan_handle_##name(Source* source, size_t at) {                    \
    stop(what, at, 0, source->line);                                                \
  }

extern "C" {
CALLED(1)
CALLED(2)
CALLED(4)
CALLED(8)
CALLED(16)
UNSEEN void __tsan_init() {}
UNSEEN void __tsan_read_range(void* at, size_t size) {
  access((size_t)at, size, READ, __builtin_return_address(0));
}
UNSEEN void __tsan_write_range(void* at, size_t size) {
  access((size_t)at, size, WRITE, __builtin_return_address(0));
}
UNDEFINED(type_mismatch_v1, "an address that is not aligned")
UNDEFINED(out_of_bounds, "an index beyond its array")
UNDEFINED(add_overflow, "an overflow")
UNDEFINED(sub_overflow, "an overflow")
UNDEFINED(mul_overflow, "an overflow")
UNDEFINED(negate_overflow, "an overflow")
UNDEFINED(divrem_overflow, "a division by 0, or an overflow")
UNDEFINED(shift_out_of_bounds, "a shift by too much")
}

}  // namespace host
