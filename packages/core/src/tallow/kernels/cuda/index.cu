// Indices: whether they are in range, rows of a table taken by them and added back.

// Notes at `fault` an element that is not from `low` to `size` - 1, nor `ignored`, and the size.
extern "C" __global__ void check(Int count, const Int* index, Int low, Int size, Int ignored,
                                 Int* fault) {
  EACH(i, count) {
    Int at = index[i];
    if (at != ignored && (at < low || at >= size)) fault[0] = at, fault[1] = size;
  }
}

// out (count rows of `width`) = the rows of a table (rows, width) at `index`; zeros for none such
extern "C" __global__ void take_rows(Int count, const Real* table, const Int* index, Real* out,
                                     Int width, Int rows) {
  EACH(i, count) {
    Int row = index[i / width];
    out[i] = row >= 0 && row < rows ? table[row * width + i % width] : Real(0);
  }
}

// out (rows, width) += the rows of g at `index`, but for row `skipped`
extern "C" __global__ void add_rows(Int count, const Real* g, const Int* index, Wide* out,
                                    Int width, Int rows, Int skipped) {
  EACH(i, count) {
    Int row = index[i / width];
    if (row >= 0 && row < rows && row != skipped)
      atomicAdd(out + row * width + i % width, (Wide)g[i]);
  }
}
