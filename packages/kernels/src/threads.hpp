// One pool of threads for every kernel. The caller takes part in the work; between calls the
// workers spin for a few microseconds, then sleep. Safe to call from several threads (who finds the
// pool busy works alone) and after fork.
#pragma once

#include <cstdint>

namespace tallow {

using Work = void (*)(void* context, int64_t block);

// Calls work(context, 0 .. blocks - 1), each once, on all threads; returns when all are done.
void run_blocks(int64_t blocks, Work work, void* context);

int get_threads();
void set_threads(int count);

// Memory of this thread that grows and is kept, 64-byte aligned: `slot` tells apart what is used at
// the same time.
constexpr int SLOTS = 5;
float* scratch(int slot, int64_t floats);

// body(block) for each block, on all threads.
template <class Body>
inline void parallel(int64_t blocks, const Body& body) {
    if (blocks == 1) return body(0);
    auto call = [](void* context, int64_t block) { (*static_cast<const Body*>(context))(block); };
    run_blocks(blocks, call, const_cast<Body*>(&body));
}

// body(begin, end) for ranges that together are 0 .. count - 1, of at least `grain` elements; small
// counts stay here.
template <class Body>
inline void parallel_ranges(int64_t count, int64_t grain, const Body& body) {
    int64_t blocks = count / grain;
    const int64_t limit = get_threads() * int64_t(2);
    if (blocks > limit) blocks = limit;
    if (blocks <= 1) {
        if (count > 0) body(int64_t(0), count);
        return;
    }
    const int64_t step = ((count + blocks - 1) / blocks + 63) / 64 * 64;
    parallel((count + step - 1) / step, [&](int64_t block) {
        const int64_t begin = block * step, end = begin + step;
        body(begin, end < count ? end : count);
    });
}

}  // namespace tallow
