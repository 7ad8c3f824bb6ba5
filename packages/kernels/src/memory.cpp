#include "memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

#include "arrays.hpp"
#include "heap.hpp"

#if defined(__linux__)
#include <malloc.h>
#include <unistd.h>
#endif

namespace tallow {
namespace {

constexpr size_t LINE = 64;     // small blocks come in multiples of it
constexpr size_t SMALL = 4096;  // up to here each thread keeps its own
constexpr int KEPT = 32;        // small blocks of a size that a thread keeps

// How many bytes a block from malloc has. This decides where it is kept: the size that NumPy gives
// when it frees may be another than it asked for.
size_t usable(void* block) {
#if defined(__linux__)
    return malloc_usable_size(block);
#else
    return 0;
#endif
}

struct SmallBlocks {
    struct Free {
        Free* next;
    };
    Free* first[SMALL / LINE + 1] = {};
    int count[SMALL / LINE + 1] = {};

    void* take(size_t size) {
        const size_t place = (std::max<size_t>(size, 1) + LINE - 1) / LINE;
        Free* block = first[place];
        if (!block) return std::aligned_alloc(LINE, place * LINE);
        first[place] = block->next;
        --count[place];
        return block;
    }
    void keep(void* block, size_t size) {
        const size_t place = std::min(size, SMALL) / LINE;
        if (count[place] == KEPT) return std::free(block);
        first[place] = new (block) Free{first[place]};
        ++count[place];
    }
    void empty() {
        for (Free*& block : first)
            while (block) {
                Free* next = block->next;
                std::free(std::exchange(block, next));
            }
        std::fill(std::begin(count), std::end(count), 0);
    }
    ~SmallBlocks() { empty(); }
};
thread_local SmallBlocks small_blocks;

// Larger ones, under a mutex: on the heap, or from malloc where a block is larger than what may be
// kept.
struct LargeBlocks {
    std::mutex mutex;
    Heap heap;
    int64_t from_malloc = 0, peak = 0;

    void* take(size_t size, bool zeros) {
        std::lock_guard<std::mutex> lock(mutex);
        void* block = nullptr;
        if (int64_t(size) <= heap.limit) block = zeros ? heap.take_zeros(size) : heap.take(size);
        if (!block) {
            block = zeros ? std::calloc(1, size) : std::malloc(size);
            if (block) from_malloc += int64_t(usable(block));
        }
        peak = std::max(peak, heap.allocated() + from_malloc);
        return block;
    }
    void give(void* block) {
        std::lock_guard<std::mutex> lock(mutex);
        if (heap.has(block)) return heap.give(block);
        from_malloc -= int64_t(usable(block));
        std::free(block);
    }
    size_t capacity(void* block) {
        std::lock_guard<std::mutex> lock(mutex);
        return heap.has(block) ? heap.capacity(block) : usable(block);
    }
};

// Never destroyed: arrays may live longer than what a library destroys at the end of a process.
LargeBlocks& large_blocks() {
    static auto* blocks = new LargeBlocks;
    return *blocks;
}

bool is_small(void* block) {
    return !large_blocks().heap.has(block) && usable(block) < SMALL + LINE;
}

void* allocate(void*, size_t size) {
    return size > SMALL ? large_blocks().take(size, false) : small_blocks.take(size);
}

void* allocate_zeros(void*, size_t count, size_t each) {
    const size_t size = count * each;
    if (size > SMALL) return large_blocks().take(size, true);
    void* block = small_blocks.take(size);
    return block ? std::memset(block, 0, size) : block;
}

void release(void*, void* block, size_t) {
    if (!block) return;
    if (is_small(block))
        small_blocks.keep(block, usable(block));
    else
        large_blocks().give(block);
}

void* reallocate(void* context, void* block, size_t size) {
    const size_t there = block ? large_blocks().capacity(block) : 0;
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
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)  // which sees what malloc gives
    LargeBlocks& large = large_blocks();
    const int64_t machine = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
    static const bool reserved = large.heap.reserve(size_t(machine) * 4);
    if (!reserved) return false;
    large.heap.limit = std::min<int64_t>(machine / 8, int64_t(1) << 30);
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
    LargeBlocks& large = large_blocks();
    std::lock_guard<std::mutex> lock(large.mutex);
    return {large.heap.allocated() + large.from_malloc, large.peak, large.heap.kept(),
            large.heap.limit};
}

void limit_memory(int64_t bytes) {
    LargeBlocks& large = large_blocks();
    std::lock_guard<std::mutex> lock(large.mutex);
    large.heap.limit = bytes;
    if (large.heap.kept() > bytes) large.heap.give_to_system();
}

void empty_memory() {
    small_blocks.empty();
    LargeBlocks& large = large_blocks();
    std::lock_guard<std::mutex> lock(large.mutex);
    large.heap.give_to_system();
}

}  // namespace tallow
