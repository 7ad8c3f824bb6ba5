// Python numbers among the operands.
#pragma once

#include <cmath>
#include <cstdlib>

#include "bind.hpp"

namespace tallow {

// A Python number as float32; ok is false for others, and for what float32 cannot hold.
struct Number {
    float value = 0;
    bool ok = false;
    explicit Number(nb::handle x) {
        double wide;
        if (PyFloat_CheckExact(x.ptr())) {
            wide = PyFloat_AS_DOUBLE(x.ptr());
        } else if (PyLong_CheckExact(x.ptr())) {
            int overflow;
            const long long whole = PyLong_AsLongLongAndOverflow(x.ptr(), &overflow);
            if (overflow || std::llabs(whole) > (1LL << 53)) return;
            wide = double(whole);
        } else {
            return;
        }
        value = float(wide);
        ok = std::isfinite(value) || !std::isfinite(wide);
    }
};

}  // namespace tallow
