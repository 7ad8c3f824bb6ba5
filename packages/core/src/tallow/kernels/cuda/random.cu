// Random words by position, and what dropout keeps.

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
      out[4 * i + k] = is_kept(drawn.at[k], chance);
  }
}
