// What GPUs have for products of matrices, for a processor (after on_host.h): products of warps,
// loads of their factors, and copies to shared memory that are made later. Layouts are those of the
// PTX manual.

// The memory that a launch gives a block beside what it declares

extern "C" __attribute__((visibility("default"), aligned(128))) char given_room[228 << 10] = {};
#define ROOM(name) Bytes16* name = (Bytes16*)given_room

// cp.async: a place is written when the thread waits for its copies. Until then nobody may read it,
// and what was read there before a copy is told must have been read before a barrier.

namespace host {

struct Later {
  void* to;
  const void* from;  // null: zeros
  size_t bytes;
  int group;
};

enum { MOST_COPIES = 1024 };
static Later told[MOST_THREADS][MOST_COPIES];
static int copies_told[MOST_THREADS], group_told[MOST_THREADS], block_of_copies[MOST_THREADS];

UNSEEN static void told_by_this_block() {
  if (block_of_copies[turn] == (int)block_begun) return;
  block_of_copies[turn] = block_begun, copies_told[turn] = group_told[turn] = 0;
}

}  // namespace host

template <class T> UNSEEN static void copy_later(T* to, const T* from, bool there) {
  using namespace host;
  void* here = __builtin_return_address(0);
  told_by_this_block();
  if (((size_t)to | (there ? (size_t)from : 0)) % sizeof(T))
    stop("a copy of what is not aligned", (size_t)to, (const char*)here - __ehdr_start);
  if (there) access((size_t)from, sizeof(T), READ, here);
  access((size_t)to, sizeof(T), WRITE, here);
  forget((size_t)to, sizeof(T));
  memset((void*)to, 0xff, sizeof(T));
  if (copies_told[turn] == MOST_COPIES) stop("more copies at once than are counted");
  told[turn][copies_told[turn]++] = {(void*)to, there ? from : 0, sizeof(T), group_told[turn]};
}

UNSEEN static void commit_copies() { host::told_by_this_block(), host::group_told[host::turn]++; }

template <int LEFT> UNSEEN static void wait_copies() {
  using namespace host;
  told_by_this_block();
  int kept = 0;
  for (int i = 0; i < copies_told[turn]; i++) {
    Later& copy = told[turn][i];
    if (copy.group >= group_told[turn] - LEFT) {
      told[turn][kept++] = copy;
      continue;
    }
    access((size_t)copy.to, copy.bytes, WRITE, __builtin_return_address(0));
    copy.from ? memcpy(copy.to, copy.from, copy.bytes) : memset(copy.to, 0, copy.bytes);
  }
  copies_told[turn] = kept;
}

// ldmatrix: four matrices of 8 x 8 elements of 16 bits. Thread 8 i + r gives line r of matrix i;
// each thread gets two elements of each matrix.

template <bool TURNED, class Line>
UNSEEN static void load_matrices(unsigned int* words, const Line* line,
                                 unsigned int from = __builtin_LINE()) {
  static const unsigned short* lines[host::MOST_THREADS];
  unsigned int first = host::turn / 32 * 32, lane = host::turn % 32;
  lines[host::turn] = (const unsigned short*)line;
  host::access((size_t)line, 16, host::READ, __builtin_return_address(0));
  __syncwarp(0xffffffff, from);
  host::whole_warp(from);
  for (int i = 0; i < 4; i++) {
    const unsigned short* const* matrix = lines + first + i * 8;
    unsigned int row = lane / 4, column = lane % 4 * 2, low, high;
    if (TURNED)
      low = matrix[column][row], high = matrix[column + 1][row];
    else
      low = matrix[row][column], high = matrix[row][column + 1];
    words[i] = low | high << 16;
  }
  __syncwarp(0xffffffff, from);
}

// mma: sums (16, 8) += a (16, k) b (k, 8) by 32 threads, which hold parts of them. A word of a or b
// is one float, or two of 16 bits.

UNSEEN static void elements_of(const char* shape, const unsigned int* words, int count,
                               float* elements) {
  bool tf32 = strstr(shape, "tf32"), bfloat = strstr(shape, "bf16");
  for (int i = 0; i < count; i++) {
    if (tf32)
      elements[i] = words[i] & 0x1fff ? NAN : __uint_as_float(words[i]);
    else
      for (int half = 0; half < 2; half++) {
        unsigned int bits = words[i] >> half * 16 & 0xffff;
        elements[i * 2 + half] = bfloat ? __uint_as_float(bits << 16) : half_value(bits);
      }
  }
}

UNSEEN static void add_product_of_warp(const char* shape, float* sums, const unsigned int* a,
                                       const unsigned int* b,
                                       unsigned int line = __builtin_LINE()) {
  static float of_a[host::MOST_THREADS][8], of_b[host::MOST_THREADS][4];
  unsigned int first = host::turn / 32 * 32, lane = host::turn % 32;
  int each = strstr(shape, "tf32") ? 1 : 2;
  elements_of(shape, a, 4, of_a[host::turn]), elements_of(shape, b, 2, of_b[host::turn]);
  __syncwarp(0xffffffff, line);
  host::whole_warp(line);
  for (int i = 0; i < 4; i++) {
    int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int word = 0; word < 8; word++) {
      const float* x = of_a[first + row % 8 * 4 + word % 4] + (row / 8 + word / 4 * 2) * each;
      const float* y = of_b[first + column * 4 + word % 4] + word / 4 * each;
      for (int half = 0; half < each; half++) sums[i] += x[half] * y[half];
    }
  }
  __syncwarp(0xffffffff, line);
}
