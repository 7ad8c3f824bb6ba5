// Indices: whether they are in range, rows of a table taken by them, and combined.

// Notes at `fault` an element that is not from `low` to `size` - 1, nor `ignored`, and the size.
extern "C" __global__ void check(Int count, const Int* index, Int low, Int size, Int ignored,
                                 Int* fault) {
  EACH(i, count) {
    Int at = index[i];
    if (at != ignored && (at < low || at >= size)) note(fault, at, size);
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

// For each index whether it is the first of its value, and which is the next such, or -1
extern "C" __global__ void link(Int count, const Int* index, bool* first, Int* next) {
  EACH(i, count) {
    Int before = i - 1, after = i + 1;
    while (before >= 0 && index[before] != index[i]) before--;
    while (after < count && index[after] != index[i]) after++;
    first[i] = before < 0, next[i] = after < count ? after : -1;
  }
}

enum How { ADD, MULTIPLY, MAXIMUM, MINIMUM };

// out (rows, width) combined with the rows of x at `index`, in their order, but for row `skipped`
extern "C" __global__ void combine(Int count, const Real* x, const Int* index, const bool* first,
                                   const Int* next, Real* out, Int width, Int rows, Int skipped,
                                   Int how) {
  EACH(i, count) {
    Int at = i / width, column = i % width, row = index[at];
    if (!first[at] || row < 0 || row >= rows || row == skipped) continue;
    Wide total = out[row * width + column];
    for (; at >= 0; at = next[at]) {
      Wide y = x[at * width + column];
      total = how == ADD ? total + y : how == MULTIPLY ? total * y
            : (how == MAXIMUM ? total > y : total < y) || total != total ? total : y;
    }
    out[row * width + column] = total;
  }
}
