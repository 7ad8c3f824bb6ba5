// The Mersenne Twister, many words at a time: Matsumoto and Nishimura, ACM TOMACS 8 (1998). The
// state is NumPy's: 624 words, and how many of them are used.
#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

typedef uint32_t Words __attribute__((vector_size(WIDTH * 4)));
typedef uint64_t Pairs __attribute__((vector_size(WIDTH * 4)));
typedef uint8_t Bytes __attribute__((vector_size(WIDTH)));
typedef uint8_t HalfBytes __attribute__((vector_size(WIDTH / 2)));

constexpr int LENGTH = 624, MIDDLE = 397;
constexpr int64_t PIECE = 4096;  // words made at a time: they stay in the L1 cache

template <class T, class E>
inline T take(const E* from) {
    T x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

// A word of the next state, or a vector of them, from the words at i, i + 1 and i + 397.
template <class T>
inline T twisted(T here, T next, T middle) {
    const T mixed = (here & 0x80000000u) | (next & 0x7fffffffu);
    return middle ^ (mixed >> 1) ^ ((0u - (mixed & 1u)) & 0x9908b0dfu);
}

// Words begin .. end - 1 of the next state; `far` away is the word of the middle.
inline void twist(uint32_t* key, int begin, int end, int far) {
    int i = begin;
    for (; i + WIDTH <= end; i += WIDTH) {
        const Words made =
            twisted(take<Words>(key + i), take<Words>(key + i + 1), take<Words>(key + i + far));
        std::memcpy(key + i, &made, sizeof made);
    }
    for (; i < end; ++i) key[i] = twisted(key[i], key[i + 1], key[i + far]);
}

inline void next_state(uint32_t* key) {
    twist(key, 0, LENGTH - MIDDLE, MIDDLE);
    twist(key, LENGTH - MIDDLE, LENGTH - 1, MIDDLE - LENGTH);
    key[LENGTH - 1] = twisted(key[LENGTH - 1], key[0], key[MIDDLE - 1]);
}

template <class T>
inline T tempered(T y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

}  // namespace

void random_words(uint32_t* key, int32_t* used, uint32_t* out, int64_t count) {
    while (count > 0) {
        if (*used >= LENGTH) next_state(key), *used = 0;
        const int64_t there = std::min<int64_t>(count, LENGTH - *used);
        int64_t i = 0;
        for (; i + WIDTH <= there; i += WIDTH) {
            const Words made = tempered(take<Words>(key + *used + i));
            std::memcpy(out + i, &made, sizeof made);
        }
        for (; i < there; ++i) out[i] = tempered(key[*used + i]);
        *used += int32_t(there), out += there, count -= there;
    }
}

void random_keep(uint32_t* key, int32_t* used, uint64_t below, uint8_t* keep, int64_t count) {
    constexpr uint64_t MASK = (uint64_t(1) << 53) - 1;
    alignas(64) uint32_t words[PIECE];
    for (int64_t begin = 0; begin < count; begin += PIECE / 2) {
        const int64_t there = std::min(PIECE / 2, count - begin);
        random_words(key, used, words, 2 * there);
        uint8_t* to = keep + begin;
        int64_t i = 0;
        for (; i + WIDTH / 2 <= there; i += WIDTH / 2) {  // the first word is the high half
            const Pairs pair = take<Pairs>(words + 2 * i);
            const Pairs number = ((pair << 32) | (pair >> 32)) & MASK;
            const HalfBytes yes = __builtin_convertvector(number < below, HalfBytes) & uint8_t(1);
            std::memcpy(to + i, &yes, sizeof yes);
        }
        for (; i < there; ++i)
            to[i] = (((uint64_t(words[2 * i]) << 32) | words[2 * i + 1]) & MASK) < below;
    }
}

void masked(const float* x, const uint8_t* keep, float factor, float* out, int64_t n) {
    constexpr int64_t GRAIN = 1 << 15;
    parallel_ranges(n, GRAIN, [&](int64_t begin, int64_t end) {
        int64_t i = begin;
        for (; i + WIDTH <= end; i += WIDTH) {
            const Ints kept = __builtin_convertvector(take<Bytes>(keep + i), Ints) != 0;
            store(out + i, load(x + i) * select(kept, splat(factor), Vec{}));
        }
        for (; i < end; ++i) out[i] = x[i] * (keep[i] ? factor : 0.0f);
    });
}

}  // namespace tallow::ISA
