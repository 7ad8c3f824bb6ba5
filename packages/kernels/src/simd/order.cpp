// The order of the elements of lines, by keys: whole numbers that are ordered as the elements are,
// NaN after all others. Equal elements keep their order.
#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>
#include <vector>

#include "rows.hpp"
#include "table.hpp"

namespace tallow::ISA {
namespace {

inline uint32_t key_of(float x) {
    const auto bits = std::bit_cast<int32_t>(x + 0.0f);  // -0 as 0
    return x != x ? ~0u : uint32_t(bits ^ (bits >> 31 | std::numeric_limits<int32_t>::min()));
}
inline uint64_t key_of(double x) {
    const auto bits = std::bit_cast<int64_t>(x + 0.0);
    const auto turned = uint64_t(bits ^ (bits >> 63 | std::numeric_limits<int64_t>::min()));
    return x != x ? ~uint64_t(0) : turned;
}
inline uint32_t key_of(int32_t x) { return uint32_t(x) ^ 1u << 31; }
inline uint64_t key_of(int64_t x) { return uint64_t(x) ^ uint64_t(1) << 63; }

// A key and where it is. Keys of 32 bits have both in one word.
struct Narrow {
    using Key = uint32_t;
    static constexpr int DIGITS = 4;
    uint64_t word;
    Narrow() = default;
    Narrow(Key key, int64_t place) : word(uint64_t(key) << 32 | uint64_t(place)) {}
    Key key() const { return Key(word >> 32); }
    int64_t place() const { return int64_t(word & 0xffffffff); }
    bool operator<(const Narrow& other) const { return word < other.word; }
};
struct Wide {
    using Key = uint64_t;
    static constexpr int DIGITS = 8;
    Key first;
    int64_t at;
    Wide() = default;
    Wide(Key key, int64_t place) : first(key), at(place) {}
    Key key() const { return first; }
    int64_t place() const { return at; }
    bool operator<(const Wide& other) const {
        return first != other.first ? first < other.first : at < other.at;
    }
};

template <class Item>
unsigned digit(const Item& item, int i) {
    return unsigned(item.key() >> (8 * i) & 255);
}

constexpr int64_t FEW = 100;  // elements that are sorted by comparing them

// Sorts by digits from the lowest on, skipping those that are the same in all; `items` is in the
// order of its places, and `other` is as long.
template <class Item>
void sort_by_digits(std::vector<Item>& items, std::vector<Item>& other) {
    uint32_t counts[Item::DIGITS][256] = {};
    for (const Item& item : items)
        for (int i = 0; i < Item::DIGITS; ++i) ++counts[i][digit(item, i)];
    for (int i = 0; i < Item::DIGITS; ++i) {
        if (counts[i][digit(items[0], i)] == items.size()) continue;
        uint32_t sum = 0;
        for (uint32_t& count : counts[i]) {
            const uint32_t here = count;
            count = sum, sum += here;
        }
        for (const Item& item : items) other[counts[i][digit(item, i)]++] = item;
        items.swap(other);
    }
}

// The `count` smallest in order: those below the worst of the best so far are collected, and the
// best of them kept when they are many.
template <class Item>
void keep_smallest(std::vector<Item>& items, const typename Item::Key* keys, int64_t length,
                   int64_t count) {
    constexpr int64_t RUN = 64;
    const size_t most = size_t(2 * count + RUN);
    typename Item::Key worst = std::numeric_limits<typename Item::Key>::max();
    const auto cut = [&] {
        std::nth_element(items.begin(), items.begin() + (count - 1), items.end());
        items.resize(size_t(count)), worst = items.back().key();
    };
    items.clear();
    for (int64_t i = 0; i < length; i += RUN) {
        const int64_t end = std::min(length, i + RUN);
        bool any = int64_t(items.size()) < count;
        for (int64_t j = i; j < end; ++j) any |= keys[j] < worst;
        if (!any) continue;
        for (int64_t j = i; j < end; ++j)
            if (keys[j] < worst || int64_t(items.size()) < count) items.emplace_back(keys[j], j);
        if (items.size() + RUN > most) cut();
    }
    if (int64_t(items.size()) > count) cut();
    std::sort(items.begin(), items.end());
}

template <class Item, bool descending, class T>
void order_by(const Lines& l, const T* x, int64_t count, int64_t* out) {
    for_rows(l.outer * l.inner, 16 * l.length, [&](int64_t line) {
        thread_local std::vector<typename Item::Key> keys;
        thread_local std::vector<Item> items, other;
        const int64_t outer = line / l.inner, column = line % l.inner;
        const T* from = x + outer * l.length * l.inner + column;
        keys.resize(size_t(l.length));
        auto fill = [&](auto step) {
            for (int64_t i = 0; i < l.length; ++i) {
                const auto key = key_of(from[i * step]);
                keys[size_t(i)] = descending ? ~key : key;
            }
        };
        if (l.inner == 1)
            fill(std::integral_constant<int64_t, 1>{});
        else
            fill(l.inner);
        if (count < l.length / 8) {
            keep_smallest(items, keys.data(), l.length, count);
        } else {
            items.resize(keys.size()), other.resize(keys.size());
            for (size_t i = 0; i < keys.size(); ++i) items[i] = Item(keys[i], int64_t(i));
            if (l.length <= FEW)
                std::sort(items.begin(), items.end());
            else
                sort_by_digits(items, other);
        }
        int64_t* to = out + outer * count * l.inner + column;
        for (int64_t i = 0; i < count; ++i) to[i * l.inner] = items[size_t(i)].place();
    });
}

template <class Item, class T>
void order_by(const Lines& l, const void* x, bool descending, int64_t count, int64_t* out) {
    auto* from = static_cast<const T*>(x);
    if (descending)
        order_by<Item, true>(l, from, count, out);
    else
        order_by<Item, false>(l, from, count, out);
}

}  // namespace

void order(Element kind, const Lines& l, const void* x, bool descending, int64_t count,
           int64_t* out) {
    switch (kind) {
        case Element::float32: return order_by<Narrow, float>(l, x, descending, count, out);
        case Element::float64: return order_by<Wide, double>(l, x, descending, count, out);
        case Element::int32: return order_by<Narrow, int32_t>(l, x, descending, count, out);
        case Element::int64: return order_by<Wide, int64_t>(l, x, descending, count, out);
    }
}

}  // namespace tallow::ISA
