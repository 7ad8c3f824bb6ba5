#include "memory.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "arrays.hpp"

#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace tallow {
namespace {

constexpr size_t LINE = 64;     // small blocks come in multiples of it
constexpr size_t SMALL = 4096;  // up to here each thread keeps its own
constexpr int KEPT = 32;        // small blocks of a size that a thread keeps
constexpr size_t HUGE_PAGE = 1 << 21;
constexpr int STEPS = 8;  // sizes between two powers of 2: at most an eighth is unused
constexpr int CLASSES = 64 * STEPS;

// How many bytes a block from malloc has. This decides where it is kept: the size that NumPy gives
// when it frees may be another than it asked for.
size_t usable(void* block) {
#if defined(__linux__)
    return malloc_usable_size(block);
#elif defined(__APPLE__)
    return malloc_size(block);
#else
    return 0;
#endif
}

void* aligned(size_t size) { return std::aligned_alloc(LINE, size); }

// Blocks of whole huge pages, which are 0 as long as nobody writes to them, straight from the
// system.
struct Pages {
    std::unordered_map<void*, size_t> sizes;

    void* take(size_t size) {
        const size_t room = size + HUGE_PAGE;
        void* found = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (found == MAP_FAILED) return nullptr;
        auto* start = static_cast<char*>(found);
        const size_t before = (HUGE_PAGE - reinterpret_cast<size_t>(start) % HUGE_PAGE) % HUGE_PAGE;
        if (before) munmap(start, before);
        munmap(start + before + size, room - before - size);
#if defined(__linux__)
        madvise(start + before, size, MADV_HUGEPAGE);  // advice: no harm if it is not followed
#endif
        sizes.emplace(start + before, size);
        return start + before;
    }
    // 0 for a block that is not from here
    size_t size(void* block) const {
        if (reinterpret_cast<size_t>(block) % HUGE_PAGE) return 0;
        const auto found = sizes.find(block);
        return found == sizes.end() ? 0 : found->second;
    }
    void give_back(void* block) {
        munmap(block, size(block));
        sizes.erase(block);
    }
};

// A block that is free, in its first bytes.
struct Free {
    Free *next, *previous;
    uint64_t moment;  // when it was freed
};

struct SmallBlocks {
    Free* first[SMALL / LINE + 1] = {};
    int count[SMALL / LINE + 1] = {};

    void* take(size_t size) {
        Free* block = first[size / LINE];
        if (!block) return aligned(size);
        first[size / LINE] = block->next;
        --count[size / LINE];
        return block;
    }
    void keep(void* block, size_t size) {
        const size_t place = size / LINE;
        if (count[place] == KEPT) return std::free(block);
        auto* kept = static_cast<Free*>(block);
        kept->next = first[place];
        first[place] = kept;
        ++count[place];
    }
    void empty() {
        for (Free*& block : first)
            while (block) std::free(std::exchange(block, block->next));
        std::fill(std::begin(count), std::end(count), 0);
    }
    ~SmallBlocks() { empty(); }
};
thread_local SmallBlocks small_blocks;

// The sizes of large blocks: a power of 2 and some eighths of it.
size_t size_of(int place) {
    const size_t power = size_t(1) << (place / STEPS);
    return power + power / STEPS * size_t(place % STEPS);
}
int place_below(size_t size) {  // of the largest that is not more
    const int log = std::bit_width(size) - 1;
    return log * STEPS + int((size - (size_t(1) << log)) / (size_t(1) << log >> 3));
}
int place_above(size_t size) {  // of the smallest that is not less
    const int place = place_below(size);
    return size_of(place) == size ? place : place + 1;
}

// What is asked for to hold `size` bytes.
size_t rounded(size_t size) {
    if (size >= 2 * HUGE_PAGE) size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    return size_of(place_above(size));
}

// Large blocks, under a mutex. The least recently freed go when there are more than the limit.
struct LargeBlocks {
    std::mutex mutex;
    Pages pages;
    Free *first[CLASSES] = {}, *last[CLASSES] = {};
    MemoryStatistics totals{0, 0, 0, 0};
    uint64_t moment = 0;

    size_t bytes(void* block) const {
        const size_t size = pages.size(block);
        return size ? size : usable(block);
    }
    void give_back(void* block) { pages.size(block) ? pages.give_back(block) : std::free(block); }

    void remove(Free* block, int place) {
        (block->previous ? block->previous->next : first[place]) = block->next;
        (block->next ? block->next->previous : last[place]) = block->previous;
        totals.kept -= int64_t(bytes(block));
    }
    void* kept(size_t size) {  // a block that was kept, of at most an eighth more
        for (int place = place_above(size), i = 0; i < 2; ++i, ++place)
            if (Free* block = first[place]) {
                remove(block, place);
                return block;
            }
        return nullptr;
    }
    void* take(size_t size, bool zeros) {
        std::lock_guard<std::mutex> lock(mutex);
        size = rounded(size);
        void* block = kept(size);
        if (block && zeros) std::memset(block, 0, size);
        if (!block && size >= 2 * HUGE_PAGE)
            block = pages.take(size);
        else if (!block && (block = aligned(size)) && zeros)
            std::memset(block, 0, size);
        if (block) totals.allocated += int64_t(bytes(block));
        totals.allocated_peak = std::max(totals.allocated_peak, totals.allocated);
        return block;
    }
    void keep(void* block) {
        std::lock_guard<std::mutex> lock(mutex);
        const size_t size = bytes(block);
        totals.allocated -= int64_t(size);
        if (int64_t(size) > totals.limit) return give_back(block);
        const int place = place_below(size);
        auto* kept = static_cast<Free*>(block);
        kept->next = first[place], kept->previous = nullptr, kept->moment = ++moment;
        (kept->next ? kept->next->previous : last[place]) = kept;
        first[place] = kept;
        totals.kept += int64_t(size);
        shrink(totals.limit);
    }
    void shrink(int64_t limit) {
        while (totals.kept > limit) {
            int oldest = -1;
            for (int place = 0; place < CLASSES; ++place)
                if (last[place] && (oldest < 0 || last[place]->moment < last[oldest]->moment))
                    oldest = place;
            Free* block = last[oldest];
            remove(block, oldest);
            give_back(block);
        }
    }
};

// Never destroyed: arrays may live longer than what a library destroys at the end of a process.
LargeBlocks& large_blocks() {
    static auto* blocks = new LargeBlocks;
    return *blocks;
}

bool is_small(void* block) {  // whole huge pages cannot be asked how many bytes are usable
    return reinterpret_cast<size_t>(block) % HUGE_PAGE && usable(block) < SMALL + LINE;
}

void* allocate(void*, size_t size) {
    if (size > SMALL) return large_blocks().take(size, false);
    return small_blocks.take((std::max<size_t>(size, 1) + LINE - 1) / LINE * LINE);
}

void* allocate_zeros(void* context, size_t count, size_t each) {
    const size_t size = count * each;
    if (size > SMALL) return large_blocks().take(size, true);
    void* block = allocate(context, size);
    return block ? std::memset(block, 0, size) : block;
}

void release(void*, void* block, size_t) {
    if (!block) return;
    if (is_small(block))
        small_blocks.keep(block, std::min(usable(block), SMALL) / LINE * LINE);
    else
        large_blocks().keep(block);
}

size_t capacity(void* block) {
    if (is_small(block)) return usable(block);
    std::lock_guard<std::mutex> lock(large_blocks().mutex);
    return large_blocks().bytes(block);
}

void* reallocate(void* context, void* block, size_t size) {
    const size_t there = block ? capacity(block) : 0;
    if (size <= there && size > there / 2) return block;
    void* moved = allocate(context, size);
    if (block && moved) {
        std::memcpy(moved, block, std::min(size, there));
        release(context, block, 0);
    }
    return moved;
}

PyDataMem_Handler handler{"tallow", 1, {nullptr, allocate, allocate_zeros, reallocate, release}};

}  // namespace

bool install_memory() {
#if defined(__linux__) || defined(__APPLE__)
    const int64_t machine = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
    large_blocks().totals.limit = std::min<int64_t>(machine / 8, int64_t(1) << 30);
    PyObject* capsule = PyCapsule_New(&handler, "mem_handler", nullptr);
    if (!capsule) throw nb::python_error();
    PyObject* earlier = PyDataMem_SetHandler(capsule);
    Py_DECREF(capsule);
    if (!earlier) throw nb::python_error();
    Py_DECREF(earlier);
    return true;
#else
    return false;
#endif
}

MemoryStatistics memory_statistics() {
    std::lock_guard<std::mutex> lock(large_blocks().mutex);
    return large_blocks().totals;
}

void limit_memory(int64_t bytes) {
    std::lock_guard<std::mutex> lock(large_blocks().mutex);
    large_blocks().totals.limit = bytes;
    large_blocks().shrink(bytes);
}

void empty_memory() {
    small_blocks.empty();
    std::lock_guard<std::mutex> lock(large_blocks().mutex);
    large_blocks().shrink(0);
}

}  // namespace tallow
