#pragma once

#include <string>
#include <vector>

namespace tallow {

// What this processor can do, of what the kernels may use: "avx2", "fma", "neon", ...
std::vector<std::string> instruction_sets();

}  // namespace tallow
