// Random numbers by position, as tallow.ops.dropout has them: Philox 4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011).

typedef unsigned long long Long;

struct Words {
  unsigned int at[4];
};

__device__ Words philox(Long seed, Long position) {
  unsigned int c[4] = {(unsigned int)position, (unsigned int)(position >> 32), 0, 0};
  unsigned int key[2] = {(unsigned int)seed, (unsigned int)(seed >> 32)};
  for (int round = 0; round < 10; round++) {
    unsigned int high0 = __umulhi(0xD2511F53u, c[0]), low0 = 0xD2511F53u * c[0];
    unsigned int high1 = __umulhi(0xCD9E8D57u, c[2]), low1 = 0xCD9E8D57u * c[2];
    c[0] = high1 ^ c[1] ^ key[0], c[1] = low1, c[2] = high0 ^ c[3] ^ key[1], c[3] = low0;
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

// True with a chance, for `size` elements, four to a thread; `move` is added to the seed
extern "C" __global__ void keep(Int count, bool* out, Int size, double chance, Int seed,
                                const Int* move) {
  EACH(i, count) {
    Words drawn = philox((Long)seed + (move ? (Long)*move : 0), i);
    for (int k = 0; k < 4 && 4 * i + k < size; k++)
      out[4 * i + k] = (drawn.at[k] >> 8) * 5.9604644775390625e-8 < chance;
  }
}
