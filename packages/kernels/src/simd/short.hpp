// Floats of 16 bits, bfloat16 and float16, in the lanes of vectors.
#pragma once

#include "../kernels.hpp"
#include "vec.hpp"

namespace tallow::ISA {

typedef uint32_t Bits __attribute__((vector_size(WIDTH * 4)));
typedef uint16_t Halves __attribute__((vector_size(WIDTH * 2)));

// x rounded to bfloat16, to the nearest, ties to even, in the upper halves of what is returned.
inline Bits rounded(Vec x) {
    const Bits bits = (Bits)x, even = bits + 0x7fff + ((bits >> 16) & 1);
    return (x != x ? bits | 0x400000 : even) & 0xffff0000;
}

// The first `count` of them, the others being 0.
inline Bits load_halves(const uint16_t* from, int64_t count = WIDTH) {
    Halves x{};
    if (count == WIDTH)
        std::memcpy(&x, from, sizeof x);
    else
        std::memcpy(&x, from, size_t(count) * sizeof(uint16_t));
    return __builtin_convertvector(x, Bits);
}

inline void store_halves(uint16_t* to, Bits x, int64_t count = WIDTH) {
    const Halves halves = __builtin_convertvector(x, Halves);
    if (count == WIDTH)
        std::memcpy(to, &halves, sizeof halves);
    else
        std::memcpy(to, &halves, size_t(count) * sizeof(uint16_t));
}

inline Vec widened(Short kind, Bits x) {
    if (kind == Short::bfloat16) return (Vec)(x << 16);
    // Scaled by 2^112, which makes normal numbers of small ones; infinities and NaN are set apart.
    const Vec scaled = (Vec)((x & 0x7fff) << 13) * 0x1p112f;
    const Bits bits = scaled >= 65536.0f ? (Bits)scaled | 0x7f800000 : (Bits)scaled;
    return (Vec)(bits | (x & 0x8000) << 16);
}

// The nearest, ties to even, in the lower halves.
inline Bits narrowed(Short kind, Vec x) {
    if (kind == Short::bfloat16) return rounded(x) >> 16;
    const Bits sign = (Bits)x & 0x80000000, bits = (Bits)x ^ sign;
    const Bits small = (Bits)((Vec)bits + 0.5f) - 0x3f000000;  // in steps of 2^-24
    const Bits usual = (bits - 0x37fff001 + ((bits >> 13) & 1)) >> 13;
    const Bits finite = bits < 0x38800000 ? small : usual;
    const Bits beyond = bits > 0x7f800000 ? Bits{} + 0x7e00 : Bits{} + 0x7c00;
    return (bits >= 0x47800000 ? beyond : finite) | sign >> 16;
}

}  // namespace tallow::ISA
