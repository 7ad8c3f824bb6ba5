// Memory of NumPy's arrays that is kept when they go, for those that come: what a step of training
// frees, the next one needs, and a page that is new to the process costs more than the arithmetic
// on it. Blocks are 64-byte aligned, on huge pages where the system has them. Linux only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tallow {

struct MemoryStatistics {
    int64_t allocated, allocated_peak;  // bytes of blocks in use, and how many they were at most
    int64_t kept, limit;                // bytes of blocks that wait for use, and how many may
};

// Makes this NumPy's allocator in the calling thread's context; false where that is not done.
bool install_memory();

MemoryStatistics memory_statistics();
void limit_memory(int64_t bytes);
void empty_memory();

}  // namespace tallow
