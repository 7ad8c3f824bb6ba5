// Random words by position, as tallow.ops.random has them: Philox 4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011). `move`, if not null, holds an offset that is
// added and the seed, which the replays of a graph set.

typedef unsigned long long Long;

struct Words {
  unsigned int at[4];
};

__device__ Words philox(Int seed, Int offset, Int round, Int lane, const Int* move) {
  if (move) offset += move[0], seed = move[1];
  Long place = (Long)(offset / 4 + round);
  unsigned int c[4] = {(unsigned int)place, (unsigned int)(place >> 32), (unsigned int)lane,
                       (unsigned int)((Long)lane >> 32)};
  unsigned int key[2] = {(unsigned int)seed, (unsigned int)((Long)seed >> 32)};
  for (int i = 0; i < 10; i++) {
    unsigned int high0 = __umulhi(0xD2511F53u, c[0]), low0 = 0xD2511F53u * c[0];
    unsigned int high1 = __umulhi(0xCD9E8D57u, c[2]), low1 = 0xCD9E8D57u * c[2];
    c[0] = high1 ^ c[1] ^ key[0], c[1] = low1, c[2] = high0 ^ c[3] ^ key[1], c[3] = low0;
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

// A block of words to a thread, written into out (rounds, 4, lanes)
extern "C" __global__ void random_words(Int count, unsigned int* out, Int lanes, Int seed,
                                        Int offset, const Int* move) {
  EACH(i, count) {
    Words drawn = philox(seed, offset, i / lanes, i % lanes, move);
    for (int k = 0; k < 4; k++) out[(i / lanes * 4 + k) * lanes + i % lanes] = drawn.at[k];
  }
}

// True with a chance, for `size` elements, four to a thread
extern "C" __global__ void keep(Int count, bool* out, Int size, double chance, Int seed,
                                Int offset, const Int* move) {
  EACH(i, count) {
    Words drawn = philox(seed, offset, 0, i, move);
    for (int k = 0; k < 4 && 4 * i + k < size; k++)
      out[4 * i + k] = (drawn.at[k] >> 8) * 5.9604644775390625e-8 < chance;
  }
}
