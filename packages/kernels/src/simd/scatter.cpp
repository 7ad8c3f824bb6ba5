// Rows added where an index says, in the order of the index: the same sums for any number of
// threads, which share the columns.
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {

void add_rows(float* out, const int64_t* index, const float* values, int64_t count, int64_t width) {
    const int64_t unit = 2 * WIDTH, units = (width + unit - 1) / unit;
    const int64_t wanted = count * width < (1 << 15) ? 1 : get_threads();
    const int64_t blocks = std::max<int64_t>(1, std::min(wanted, units));
    parallel(blocks, [&](int64_t block) {
        const int64_t begin = block * units / blocks * unit;
        const int64_t end = std::min((block + 1) * units / blocks * unit, width);
        for (int64_t i = 0; i < count; ++i) {
            const float* from = values + i * width + begin;
            float* to = out + index[i] * width + begin;
            if (width == 1)
                *to += *from;
            else
                along(end - begin, [&](int64_t j, int64_t n) {
                    store_up_to(to + j, load_up_to(to + j, n) + load_up_to(from + j, n), n);
                });
        }
    });
}

}  // namespace tallow::ISA
