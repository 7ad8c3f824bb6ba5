// Chains: programs that core writes (`tallow.kernels.chain`), run over lists of arrays in place or
// over the operands of an operation.
#include <algorithm>
#include <cstring>
#include <vector>

#include "repeat.hpp"

namespace tallow {
namespace {

constexpr int64_t GRAIN = 1 << 15;  // elements that are worth a thread

constexpr const char* NAMES[] = {
    "copy",     "negative", "abs",        "sign",    "sqrt",         "exp",
    "expm1",    "log",      "log1p",      "sin",     "cos",          "erf",
    "floor",    "trunc",    "tanh",       "sigmoid", "normal_cdf",   "normal_density",
    "add",      "sub",      "mul",        "div",     "maximum",      "minimum",
    "copysign", "less",     "less_equal", "where",   "multiply_add", "multiply_sub",
    "follow",
};

constexpr int operands_of(Link link) { return link < Link::add ? 1 : link < Link::where ? 2 : 3; }

// True if an array shows one float at every place, as the gradient of a sum does.
bool shows_one(PyArrayObject* array) {
    if (PyArray_TYPE(array) != NPY_FLOAT || !PyArray_ISBEHAVED_RO(array)) return false;
    for (int i = 0; i < PyArray_NDIM(array); ++i)
        if (PyArray_STRIDE(array, i) != 0 && PyArray_DIM(array, i) != 1) return false;
    return true;
}

// An array of floats, or of bytes or truths, in row-major order; or one that shows one float.
struct Operand {
    Stretch stretch{nullptr, false, 1, 0};
    PyArrayObject* array = nullptr;

    explicit Operand(nb::handle value) {
        if (!PyArray_CheckExact(value.ptr())) return;
        auto* given = reinterpret_cast<PyArrayObject*>(value.ptr());
        stretch.bytes = PyArray_TYPE(given) == NPY_BOOL || PyArray_TYPE(given) == NPY_UINT8;
        if (!PyArray_IS_C_CONTIGUOUS(given) || !(stretch.bytes || Floats(value).ok())) {
            if (!shows_one(given)) return;
            stretch.inner = PyArray_SIZE(given);
        }
        array = given;
        stretch.data = static_cast<float*>(PyArray_DATA(array));
    }

    int64_t size() const { return PyArray_SIZE(array); }
    Shape shape() const { return {PyArray_NDIM(array), PyArray_DIMS(array)}; }
    int64_t bytes() const { return size() * (stretch.bytes ? 1 : int64_t(sizeof(float))); }
};

// True if two arrays share memory.
bool overlap(const Operand& x, const Operand& y) {
    const auto *a = reinterpret_cast<const char*>(x.stretch.data),
               *b = reinterpret_cast<const char*>(y.stretch.data);
    return a < b + y.bytes() && b < a + x.bytes();
}

class Program {
  public:
    // `inputs` arrays, then as many that it makes, then tiles of its own. A step is a name, the
    // tile that it fills and its operands.
    Program(int inputs, int results, int tiles, int numbers, nb::list steps)
        : inputs_(inputs), arrays_(inputs + results), tiles_(tiles), numbers_(numbers) {
        if (inputs < 1 || results < 0 || tiles < arrays_ || tiles > MOST_TILES)
            throw nb::value_error("chain: expected arrays and at most 32 tiles");
        std::vector<bool> known(tiles);
        std::fill_n(known.begin(), inputs, true);
        written_.resize(arrays_);
        for (nb::handle step : steps) add(nb::cast<nb::tuple>(step), known);
        for (int i = inputs; i < arrays_; ++i)
            if (!known[i]) throw nb::value_error("chain: expected every result to be filled");
        const auto inputs_end = written_.begin() + inputs;
        if (results && std::find(written_.begin(), inputs_end, true) != inputs_end)
            throw nb::value_error("chain: expected arrays to be changed or made, not both");
    }

    // Changes arrays in place: columns has a list for each input, of one array each for every
    // parameter; rows its numbers, a tuple for every parameter or one for all. False: an array does
    // not fit, nothing was changed.
    bool update(nb::list columns, nb::list rows) const {
        const size_t count = columns.size() ? nb::len(nb::handle(columns[0])) : 0;
        std::vector<Stretch> arrays(count * inputs_);
        std::vector<int64_t> starts{0};  // where each parameter begins in the line of all elements
        for (size_t i = 0; i < count; ++i)
            if (!gather(columns, i, &arrays[i * inputs_], starts)) return false;
        std::vector<float> numbers;
        for (nb::handle row : rows) append(row, numbers);
        const size_t step = rows.size() > 1 ? numbers_ : 0;
        unlocked(starts.back(), [&] {
            parallel_ranges(starts.back(), GRAIN, [&](int64_t begin, int64_t end) {
                size_t i =
                    std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin() - 1;
                for (; begin < end; begin = starts[++i])
                    kernels().chain(chain(), &arrays[i * inputs_], numbers.data() + i * step,
                                    begin - starts[i], std::min(end, starts[i + 1]) - starts[i]);
            });
        });
        return true;
    }

    // The results for operands that broadcast to the largest of them: a new array, or a tuple of
    // them; NotImplemented if an operand does not fit.
    nb::object apply(nb::tuple operands, nb::tuple row) const {
        if (operands.size() != size_t(inputs_)) throw nb::value_error("chain: wrong operands");
        std::vector<Operand> arrays;
        size_t largest = 0;
        for (nb::handle operand : operands) {
            arrays.emplace_back(operand);
            if (!arrays.back().array) return not_implemented();
            if (arrays.back().size() > arrays[largest].size()) largest = arrays.size() - 1;
        }
        const Shape whole = arrays[largest].shape();
        const int64_t size = arrays[largest].size();
        std::vector<Stretch> stretches;
        for (Operand& x : arrays) {
            Repeat repeat;
            if (!size || !repeats(x.shape(), whole, repeat)) return not_implemented();
            if (x.stretch.inner)
                x.stretch.inner = size;
            else if (x.size() < size)
                x.stretch.middle = repeat.middle, x.stretch.inner = repeat.inner;
            stretches.push_back(x.stretch);
        }
        std::vector<Made> made;
        for (int i = inputs_; i < arrays_; ++i) {
            made.emplace_back(whole.ndim, whole.sizes);
            stretches.push_back({made.back().data(), false, 1, 0});
        }
        std::vector<float> numbers;
        append(row, numbers);
        unlocked(size, [&] {
            parallel_ranges(size, GRAIN, [&](int64_t begin, int64_t end) {
                kernels().chain(chain(), stretches.data(), numbers.data(), begin, end);
            });
        });
        if (made.size() == 1) return made[0].object();
        nb::list results;
        for (Made& result : made) results.append(result.object());
        return nb::tuple(results);
    }

  private:
    void add(nb::tuple step, std::vector<bool>& known) {
        const auto name = nb::cast<const char*>(step[0]);
        const auto* found = std::find_if(std::begin(NAMES), std::end(NAMES),
                                         [&](const char* x) { return !std::strcmp(x, name); });
        if (found == std::end(NAMES)) throw nb::value_error("chain: unknown instruction");
        Instruction made{Link(found - NAMES), nb::cast<int>(step[1]), {}};
        const int count = operands_of(made.link);
        bool all = count > 1;  // of its operands are numbers
        if (step.size() != size_t(count + 2)) throw nb::value_error("chain: wrong operands");
        for (int i = 0; i < count; ++i) {
            const int from = made.from[i] = nb::cast<int>(step[i + 2]);
            const bool number = from < 0;
            all = all && number;
            if (number ? ~from >= numbers_ || (i == 0 && made.link > Link::where)
                       : from >= tiles_ || !known[from])
                throw nb::value_error("chain: expected operands that are filled");
        }
        if (all || made.to < 0 || made.to >= tiles_)
            throw nb::value_error("chain: expected a tile");
        known[made.to] = true;
        if (made.to < arrays_) written_[made.to] = true;
        steps_.push_back(made);
    }

    // The arrays of parameter i; false if one is not of its size, is to be written and may not, or
    // shares memory with one that is written.
    bool gather(const nb::list& columns, size_t i, Stretch* to,
                std::vector<int64_t>& starts) const {
        std::vector<Operand> arrays;
        for (nb::handle column : columns) {
            if (!PyList_Check(column.ptr()) || i >= size_t(PyList_GET_SIZE(column.ptr())))
                return false;
            arrays.emplace_back(PyList_GET_ITEM(column.ptr(), i));
            const Operand& x = arrays.back();
            if (!x.array || x.stretch.bytes || x.stretch.inner) return false;
            if (x.size() != arrays[0].size()) return false;
            *to++ = x.stretch;
        }
        if (arrays.size() != size_t(inputs_)) return false;
        for (int k = 0; k < inputs_; ++k) {
            if (!written_[k]) continue;
            if (!PyArray_ISWRITEABLE(arrays[k].array)) return false;
            for (int other = 0; other < inputs_; ++other)
                if (other != k && overlap(arrays[k], arrays[other])) return false;
        }
        starts.push_back(starts.back() + arrays[0].size());
        return true;
    }

    void append(nb::handle row, std::vector<float>& numbers) const {
        if (nb::len(row) != size_t(numbers_)) throw nb::value_error("chain: wrong numbers");
        for (nb::handle number : row) numbers.push_back(float(nb::cast<double>(number)));
    }

    Chain chain() const { return {steps_.data(), int(steps_.size()), arrays_, tiles_}; }

    int inputs_, arrays_, tiles_, numbers_;
    std::vector<Instruction> steps_;
    std::vector<bool> written_;
};

// A program in a capsule: an object of a class of nanobind's would keep the module to the end.
nb::capsule chain_program(int inputs, int results, int tiles, int numbers, nb::list steps) {
    return nb::capsule(new Program(inputs, results, tiles, numbers, steps),
                       [](void* program) noexcept { delete static_cast<Program*>(program); });
}

const Program& program(nb::handle capsule) {
    void* found = PyCapsule_GetPointer(capsule.ptr(), nullptr);
    if (!found) throw nb::python_error();
    return *static_cast<const Program*>(found);
}

bool chain_update(nb::capsule chain, nb::list columns, nb::list rows) {
    return program(chain).update(columns, rows);
}

nb::object chain_apply(nb::capsule chain, nb::tuple operands, nb::tuple row) {
    return program(chain).apply(operands, row);
}

}  // namespace

void bind_chains(nb::module_& m) {
    m.def("chain_program", &chain_program);
    m.def("chain_update", &chain_update);
    m.def("chain_apply", &chain_apply);
}

}  // namespace tallow
