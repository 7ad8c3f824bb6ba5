// Which copy of the kernels this processor gets; TALLOW_KERNELS=v2 or v3 in the environment asks
// for a lower one.
#include "kernels.hpp"

#include <cstdlib>
#include <cstring>

namespace tallow {

#define DECLARE(isa)            \
    namespace isa {             \
    extern const Kernels table; \
    }
#if defined(X86)
DECLARE(v2)
DECLARE(v3)
DECLARE(v4)
#else
DECLARE(generic)
#endif

namespace {

const Kernels& choose() {
#if defined(X86)
    __builtin_cpu_init();
    const char* asked = std::getenv("TALLOW_KERNELS");
    auto below = [&](const char* set) {
        return asked && *asked == 'v' && std::strcmp(asked, set) < 0;
    };
    if (!below("v4") && __builtin_cpu_supports("x86-64-v4")) return v4::table;
    if (!below("v3") && __builtin_cpu_supports("x86-64-v3")) return v3::table;
    return v2::table;
#else
    return generic::table;
#endif
}

}  // namespace

const Kernels& kernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace tallow
