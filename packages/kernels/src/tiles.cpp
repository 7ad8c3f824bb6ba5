#include "tiles.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "kernels.hpp"

#if defined(X86)
#include <cpuid.h>
#endif
#if defined(X86) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tallow {
namespace {

#if defined(X86) && defined(__linux__)

// Instructions for tiles of bfloat16, and a system that saves tiles and lets this process use them.
bool has_amx() {
    unsigned a, b, c, d;
    constexpr unsigned TILE = 1u << 24, BF16 = 1u << 22;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & TILE) || !(d & BF16)) return false;
    __cpuid(1, a, b, c, d);
    constexpr unsigned OSXSAVE = 1u << 27;
    if (!(c & OSXSAVE)) return false;
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned SAVED = 3u << 17;
    if ((low & SAVED) != SAVED) return false;
    constexpr long REQUEST = 0x1023, TILE_DATA = 18;  // ARCH_REQ_XCOMP_PERM
    return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

#else

bool has_amx() { return false; }

#endif

// TALLOW_KERNELS=v4 asks for what came before AMX.
TileUnit find() {
#if defined(X86)
    __builtin_cpu_init();
    if (kernels().width < 16 || !__builtin_cpu_supports("avx512bf16")) return TileUnit::plain;
    const char* asked = std::getenv("TALLOW_KERNELS");
    if (!(asked && *asked == 'v') && has_amx()) return TileUnit::amx;
    return TileUnit::pairs;
#else
    return TileUnit::plain;
#endif
}

TileUnit found() {
    static const TileUnit unit = find();
    return unit;
}

std::atomic<TileUnit> limit = TileUnit::amx;

}  // namespace

TileUnit tile_unit() { return std::min(found(), limit.load(std::memory_order_relaxed)); }

bool limit_tiles(TileUnit most) {
    limit = most;
    return tile_unit() == most;
}

}  // namespace tallow
