// Elements read and added along lines where an index says, and triangles.
#include <atomic>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

// body(element, place) for each element of the index (outer, length, inner) and the place that it
// names in an array whose lines have `size` elements. False if one is not in its line: then some
// of the calls are left out.
template <class Body>
bool for_places(const Lines& l, int64_t size, const int64_t* index, const Body& body) {
    std::atomic<bool> inside = true;
    for_rows(l.outer, l.length * l.inner, [&](int64_t outer) {
        const int64_t count = l.length * l.inner, first = outer * count;
        const int64_t* at = index + first;
        uint64_t outside = 0;
        for (int64_t i = 0; i < count; ++i) outside |= uint64_t(at[i]) | uint64_t(size - 1 - at[i]);
        if (outside >> 63) {
            inside = false;
        } else if (l.inner == 1) {
            for (int64_t i = 0; i < count; ++i) body(first + i, outer * size + at[i]);
        } else {
            for (int64_t i = 0; i < count; i += l.inner)
                for (int64_t j = 0; j < l.inner; ++j)
                    body(first + i + j, (outer * size + at[i + j]) * l.inner + j);
        }
    });
    return inside;
}

template <class T>
bool gather_as(const Lines& l, int64_t size, const void* x, const int64_t* index, void* out) {
    auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(out);
    return for_places(l, size, index, [&](int64_t i, int64_t place) { to[i] = from[place]; });
}

}  // namespace

bool gather(const Lines& l, int64_t size, int bytes, const void* x, const int64_t* index,
            void* out) {
    switch (bytes) {
        case 1: return gather_as<uint8_t>(l, size, x, index, out);
        case 2: return gather_as<uint16_t>(l, size, x, index, out);
        case 4: return gather_as<uint32_t>(l, size, x, index, out);
        default: return gather_as<uint64_t>(l, size, x, index, out);
    }
}

bool scatter(const Lines& l, int64_t size, bool add, const float* values, const int64_t* index,
             float* out) {
    if (add)
        return for_places(l, size, index,
                          [&](int64_t i, int64_t place) { out[place] += values[i]; });
    return for_places(l, size, index, [&](int64_t i, int64_t place) { out[place] = values[i]; });
}

// The columns up to row + k of each row, or with `upper` those from there on; the others 0.
void triangle(const Lines& l, int bytes, bool upper, int64_t k, const char* x, char* out) {
    for_rows(l.outer * l.length, l.inner * bytes / 4, [&](int64_t line) {
        const int64_t row = line % l.length, all = l.inner * bytes;
        const int64_t cut = std::clamp<int64_t>(row + k + !upper, 0, l.inner) * bytes;
        const char* from = x + line * all;
        char* to = out + line * all;
        if (upper) {
            std::memset(to, 0, size_t(cut));
            std::memcpy(to + cut, from + cut, size_t(all - cut));
        } else {
            std::memcpy(to, from, size_t(cut));
            std::memset(to + cut, 0, size_t(all - cut));
        }
    });
}

}  // namespace tallow::ISA
