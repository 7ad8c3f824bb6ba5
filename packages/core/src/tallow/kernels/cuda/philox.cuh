// Random words by position, as tallow.ops.random has them: Philox 4x32-10 (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011). `move`, if not null, holds an offset that
// is added and the seed, which the replays of a graph set.

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

// Four elements share the words of a lane; each is kept with a chance.
__device__ bool is_kept(unsigned int word, double chance) {
  return (word >> 8) * 5.9604644775390625e-8 < chance;
}
