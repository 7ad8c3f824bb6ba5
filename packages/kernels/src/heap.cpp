#include "heap.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tallow {
namespace {

constexpr size_t LINE = 64, HUGE_PAGE = size_t(1) << 21;
constexpr size_t LEAST = 4096;  // bytes of a block that is worth being split off
constexpr int STEPS = 8;        // lists between two powers of 2
constexpr int TRIES = 8;        // blocks of a list looked at, not all of which are large enough

// The list for blocks of at least this size and less than the next list's.
int list_of(size_t size) {
    const int log = std::bit_width(size) - 1;
    return log * STEPS + int((size - (size_t(1) << log)) >> (log - 3));
}

size_t up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace

struct alignas(64) Heap::Block {
    size_t size;             // with this header
    Block* before;           // the neighbour at lower addresses
    Block *next, *previous;  // in the list, if it is free
    int64_t resident;        // bytes that have memory, if it is free
    bool free;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    static Block* of(void* data) { return static_cast<Block*>(data) - 1; }
};

#if defined(__linux__)

bool Heap::reserve(size_t bytes) {
    bytes = up(bytes, HUGE_PAGE) + HUGE_PAGE;
    void* found =
        mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) return false;
    base_ = reinterpret_cast<char*>(up(reinterpret_cast<size_t>(found), HUGE_PAGE));
    top_ = writable_ = base_;
    end_ = static_cast<char*>(found) + bytes;
    return true;
}

// A block at the end, or the last one made longer where that is free.
Heap::Block* Heap::grow(size_t size) {
    Block* block = last_ && last_->free ? last_ : reinterpret_cast<Block*>(top_);
    char* start = reinterpret_cast<char*>(block);
    if (size > size_t(end_ - start)) return nullptr;
    if (start + size > writable_) {
        const size_t more = up(size_t(start + size - writable_), HUGE_PAGE);
        const size_t bytes = std::min(more, size_t(end_ - writable_));
        if (mprotect(writable_, bytes, PROT_READ | PROT_WRITE)) return nullptr;
        madvise(writable_, bytes, MADV_HUGEPAGE);  // advice: no harm if it is not followed
        writable_ += bytes;
    }
    if (block == last_)
        remove(block);
    else
        block->before = last_;
    block->size = size, last_ = block, top_ = start + size;
    return block;
}

void Heap::give_to_system(Block* block) {
    const size_t begin = up(reinterpret_cast<size_t>(block->data()), HUGE_PAGE);
    const size_t end = (reinterpret_cast<size_t>(block) + block->size) / HUGE_PAGE * HUGE_PAGE;
    if (begin >= end || madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED)) return;
    const int64_t resident = std::min(block->resident, int64_t(block->size - (end - begin)));
    if (block->free) kept_ -= block->resident - resident;
    block->resident = resident;
}

#else

bool Heap::reserve(size_t) { return false; }
Heap::Block* Heap::grow(size_t) { return nullptr; }
void Heap::give_to_system(Block*) {}

#endif

void Heap::give_to_system() {
    for (Block* block = last_; block; block = block->before)
        if (block->free) give_to_system(block);
}

Heap::Block* Heap::after(Block* block) const {
    char* end = reinterpret_cast<char*>(block) + block->size;
    return end < top_ ? reinterpret_cast<Block*>(end) : nullptr;
}

void Heap::insert(Block* block) {
    const int list = list_of(block->size);
    block->free = true;
    block->next = lists_[list], block->previous = nullptr;
    if (block->next) block->next->previous = block;
    lists_[list] = block;
    present_[list / 64] |= uint64_t(1) << list % 64;
    kept_ += block->resident;
}

void Heap::remove(Block* block) {
    const int list = list_of(block->size);
    (block->previous ? block->previous->next : lists_[list]) = block->next;
    if (block->next) block->next->previous = block->previous;
    if (!lists_[list]) present_[list / 64] &= ~(uint64_t(1) << list % 64);
    block->free = false;
    kept_ -= block->resident;
}

// A free block of at least this size, out of its list; null if there is none.
Heap::Block* Heap::find(size_t size) {
    const int list = list_of(size);
    Block* block = lists_[list];
    for (int i = 0; block && i < TRIES && block->size < size; ++i) block = block->next;
    if (block && block->size < size) block = nullptr;
    for (int word = (list + 1) / 64, bit = (list + 1) % 64; !block && word < LISTS / 64; ++word) {
        const uint64_t rest = present_[word] >> bit;
        if (rest) block = lists_[word * 64 + bit + std::countr_zero(rest)];
        bit = 0;
    }
    if (block) remove(block);
    return block;
}

// Leaves a block with `size` bytes; what it has more becomes a block of its own.
void Heap::split(Block* block, size_t size) {
    if (block->size < size + LEAST) return;
    auto* rest = reinterpret_cast<Block*>(reinterpret_cast<char*>(block) + size);
    Block* neighbour = after(block);
    rest->size = block->size - size, rest->before = block;
    rest->resident = std::min(block->resident, int64_t(rest->size));
    (neighbour ? neighbour->before : last_) = rest;
    block->size = size;
    insert(rest);
}

// A block that is in no list and its free neighbours as one.
Heap::Block* Heap::join(Block* block) {
    Block* neighbour = after(block);
    if (neighbour && neighbour->free) {
        remove(neighbour);
        block->size += neighbour->size, block->resident += neighbour->resident;
    }
    if (block->before && block->before->free) {
        Block* before = block->before;
        remove(before);
        before->size += block->size, before->resident += block->resident;
        block = before;
    }
    neighbour = after(block);
    (neighbour ? neighbour->before : last_) = block;
    return block;
}

void* Heap::take(size_t bytes) {
    const size_t size = std::max(up(bytes, LINE) + sizeof(Block), LEAST);
    Block* block = find(size);
    if (block)
        split(block, size);
    else
        block = grow(size);
    if (!block) return nullptr;
    block->free = false;
    allocated_ += int64_t(block->size);
    return block->data();
}

void* Heap::take_zeros(size_t bytes) {
    const char* end = top_;
    void* data = take(bytes);
    // What lies beyond the old end is new: zeros already.
    if (data && data < end)
        std::memset(data, 0, std::min(bytes, size_t(end - static_cast<char*>(data))));
    return data;
}

void Heap::give(void* data) {
    Block* block = Block::of(data);
    allocated_ -= int64_t(block->size);
    block->resident = int64_t(block->size);
    if (kept_ + block->resident > limit) give_to_system(block);
    block = join(block);
    insert(block);
    if (kept_ > limit + limit / 4)
        give_to_system(block);  // pages that several blocks had a part of
}

size_t Heap::capacity(const void* data) const {
    return Block::of(const_cast<void*>(data))->size - sizeof(Block);
}

}  // namespace tallow
