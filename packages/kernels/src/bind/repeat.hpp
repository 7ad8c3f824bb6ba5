// How one shape broadcasts to another.
#pragma once

#include "bind.hpp"

namespace tallow {

struct Shape {
    int ndim;
    const npy_intp* sizes;
};

// How `part` broadcasts to `whole`: (outer, middle, inner) of whole, of which it has the middle.
// False if it does so in another way.
inline bool repeats(const Shape& part, const Shape& whole, Repeat& r) {
    const int missing = whole.ndim - part.ndim;
    if (missing < 0) return false;
    int phase = 0;  // 0: axes before those that part has, 1: those, 2: axes after them
    r = {1, 1, 1};
    for (int axis = 0; axis < whole.ndim; ++axis) {
        const int64_t all = whole.sizes[axis],
                      own = axis < missing ? 1 : part.sizes[axis - missing];
        if (all == 1 && own == 1) continue;
        if (own != all && own != 1) return false;
        if (own == all) {
            if (phase == 2) return false;
            phase = 1, r.middle *= all;
        } else if (phase == 0) {
            r.outer *= all;
        } else {
            phase = 2, r.inner *= all;
        }
    }
    if (r.middle == 1) r = {1, 1, r.outer * r.inner};  // a single element
    return true;
}

}  // namespace tallow
