#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace tallow {
namespace {

constexpr int SPINS =
    4000;  // about 20 to 50 microseconds: a step's next kernel finds the workers awake

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

#if defined(__linux__)

int processor() { return sched_getcpu(); }

// Moves this worker to another processor than its caller's, where it may be woken: there each would
// only wait for the other, until the kernel gets around to moving one.
class Place {
  public:
    Place() { known_ = sched_getaffinity(0, sizeof allowed_, &allowed_) == 0; }

    void leave(int callers) {
        if (!known_ || sched_getcpu() != callers || CPU_COUNT(&allowed_) < 2) return;
        cpu_set_t others = allowed_;
        CPU_CLR(callers, &others);
        sched_setaffinity(0, sizeof others, &others);
    }

  private:
    cpu_set_t allowed_;
    bool known_;
};

#else

int processor() { return 0; }

struct Place {
    void leave(int) {}
};

#endif

// What the workers share. `open` says whether there is work to join; `joined` counts those inside,
// so that the caller knows when nobody looks at its work any more.
struct Pool {
    std::mutex busy;  // held by the caller whose work the pool does
    std::atomic<uint32_t> round{0};
    std::atomic<bool> open{false}, ending{false};
    std::atomic<int> joined{0}, home{0};  // home: the processor of the caller
    std::atomic<int64_t> next{0};
    int64_t blocks = 0;
    Work work = nullptr;
    void* context = nullptr;
    std::vector<std::thread> workers;

    explicit Pool(int threads) {
        for (int i = 1; i < threads; ++i) workers.emplace_back([this] { serve(); });
    }

    ~Pool() {
        ending = true;
        ++round;
        round.notify_all();
        for (auto& worker : workers) worker.join();
    }

    void take_blocks() {
        for (int64_t block; (block = next.fetch_add(1)) < blocks;) work(context, block);
    }

    void serve() {
        uint32_t seen = 0;
        Place place;
        while (true) {
            for (int i = 0; round.load(std::memory_order_acquire) == seen; ++i) {
                if (i < SPINS)
                    pause();
                else
                    round.wait(seen);
            }
            if (ending) return;
            seen = round;
            place.leave(home);
            ++joined;
            if (open) take_blocks();
            if (--joined == 0) joined.notify_all();
        }
    }

    void run(int64_t count, Work task, void* with) {
        blocks = count, work = task, context = with;
        next = 0;
        home = processor();
        open = true;
        ++round;
        round.notify_all();
        take_blocks();
        open = false;
        for (int i = 0, inside; (inside = joined.load()) != 0; ++i) {
            if (i < SPINS)
                pause();
            else
                joined.wait(inside);  // a worker may need this processor
        }
    }
};

int count = std::max(1u, std::thread::hardware_concurrency());
std::unique_ptr<Pool> pool;
std::mutex making;

// In a forked child the workers do not exist: the pool is forgotten, not ended, and made anew at
// the next call.
void forget_pool() {
    (void)pool.release();
    new (&making) std::mutex;
}

Pool& shared_pool() {
    std::lock_guard<std::mutex> lock(making);
    if (!pool) {
#if defined(__unix__) || defined(__APPLE__)
        static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
        (void)registered;
#endif
        pool = std::make_unique<Pool>(count);
    }
    return *pool;
}

thread_local bool inside = false;  // within a block: what it calls stays on this thread

struct Buffer {
    float* data = nullptr;
    int64_t floats = 0;
    ~Buffer() { std::free(data); }
};
thread_local Buffer buffers[SLOTS];

}  // namespace

void run_blocks(int64_t blocks, Work work, void* context) {
    if (blocks > 1 && count > 1 && !inside) {
        Pool& workers = shared_pool();
        std::unique_lock<std::mutex> mine(workers.busy, std::try_to_lock);
        if (mine) {
            struct Both {
                Work work;
                void* context;
            } both{work, context};
            auto marked = [](void* with, int64_t block) {
                inside = true;
                static_cast<Both*>(with)->work(static_cast<Both*>(with)->context, block);
                inside = false;
            };
            return workers.run(blocks, marked, &both);
        }
    }
    for (int64_t block = 0; block < blocks; ++block) work(context, block);
}

int get_threads() { return count; }

void set_threads(int wanted) {
    std::lock_guard<std::mutex> lock(making);
    count = std::max(1, wanted);
    pool.reset();
}

float* scratch(int slot, int64_t floats) {
    Buffer& buffer = buffers[slot];
    if (buffer.floats < floats) {
        std::free(buffer.data);
        buffer.floats = 0;
        const size_t bytes = (size_t(floats) * sizeof(float) + 4095) / 4096 * 4096;
        buffer.data = static_cast<float*>(std::aligned_alloc(4096, bytes));
        if (!buffer.data) throw std::bad_alloc();
        buffer.floats = int64_t(bytes / sizeof(float));
    }
    return buffer.data;
}

}  // namespace tallow
