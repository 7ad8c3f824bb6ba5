// A heap of blocks on huge pages, in one range of addresses that grows: neighbours that are free
// become one, so that memory freed by arrays of any size serves those of any other. Linux only;
// not safe for several threads by itself.
//
// Free blocks are kept in lists by size, with a bit for each list that has one: Masmano et al.,
// "TLSF: a new dynamic memory allocator for real-time systems", 2004.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tallow {

class Heap {
  public:
    // Reserves addresses for so many bytes, which takes no memory; false if that fails.
    bool reserve(size_t bytes);

    void* take(size_t bytes);  // 64-byte aligned; null if there is no memory
    void* take_zeros(size_t bytes);
    void give(void* data);
    size_t capacity(const void* data) const;
    bool has(const void* data) const {
        return static_cast<const char*>(data) >= base_ && static_cast<const char*>(data) < top_;
    }

    int64_t allocated() const { return allocated_; }
    int64_t kept() const { return kept_; }  // bytes that are free, and not given to the system
    void give_to_system();                  // all that are free

    int64_t limit = 0;  // of kept bytes: above it freed blocks are given to the system

  private:
    struct Block;  // its header, in the 64 bytes before what it holds
    static constexpr int LISTS = 512;

    Block* find(size_t size);
    Block* grow(size_t size);
    void insert(Block*);
    void remove(Block*);
    void split(Block*, size_t size);
    Block* join(Block*);
    void give_to_system(Block*);
    Block* after(Block*) const;

    char *base_ = nullptr, *top_ = nullptr, *writable_ = nullptr, *end_ = nullptr;
    Block* last_ = nullptr;  // the block before top_
    Block* lists_[LISTS] = {};
    uint64_t present_[LISTS / 64] = {};
    int64_t allocated_ = 0, kept_ = 0;
};

}  // namespace tallow
