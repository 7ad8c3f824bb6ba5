#include "info.hpp"

namespace tallow {

std::vector<std::string> instruction_sets() {
    std::vector<std::string> seen;
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) seen.push_back("sse4.2");
    if (__builtin_cpu_supports("avx")) seen.push_back("avx");
    if (__builtin_cpu_supports("fma")) seen.push_back("fma");
    if (__builtin_cpu_supports("avx2")) seen.push_back("avx2");
    if (__builtin_cpu_supports("avx512f")) seen.push_back("avx512f");
#elif defined(__ARM_NEON) || defined(_M_ARM64)
    seen.push_back("neon");
#endif
    return seen;
}

}  // namespace tallow
