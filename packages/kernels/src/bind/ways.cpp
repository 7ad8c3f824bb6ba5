// Ways of public functions: what they do with plain tensors, without their frames in Python.
#include <algorithm>

#include "calls.hpp"

namespace tallow {
namespace {

bool is_number(PyObject* x) { return PyFloat_CheckExact(x) || PyLong_CheckExact(x); }

// The array of a tensor, if it is one of NumPy's.
PyArrayObject* array_of(PyObject* x) {
    PyObject* array = core->is_tensor(x) ? core->array.of(x) : nullptr;
    return array && PyArray_CheckExact(array) ? reinterpret_cast<PyArrayObject*>(array) : nullptr;
}

PyArray_Descr* dtype_of(PyObject* x) {
    PyArrayObject* array = array_of(x);
    return array ? PyArray_DESCR(array) : nullptr;
}

// The items of a tuple, or of what is no tuple itself alone.
struct Parts {
    PyObject* const* items;
    Py_ssize_t length;
    explicit Parts(PyObject* const* value)
        : items(PyTuple_Check(*value) ? &PyTuple_GET_ITEM(*value, 0) : value),
          length(PyTuple_Check(*value) ? PyTuple_GET_SIZE(*value) : 1) {}
};

// The way of a function that calls an operation once it has looked at its arguments.
class OfOperation : public Way {
  public:
    explicit OfOperation(nb::object call) : call_(call), operation_(operation_of(call)) {}
    int traverse(visitproc visit, void* arg) const override {
        Py_VISIT(call_.ptr());
        return 0;
    }

  protected:
    // Where the kernel fails, the function itself is called, and says what is wrong.
    nb::object run(PyObject* const* operands, Py_ssize_t count, PyObject* param) const {
        return operation_.attempt(operands, count, param);
    }

  private:
    nb::object call_;
    const Operation& operation_;
};

// A function of real floating tensors of one dtype, and of numbers where `numbers`, is an operation
// on them as they are.
class Direct : public OfOperation {
  public:
    Direct(nb::object call, bool numbers) : OfOperation(call), numbers_(numbers) {}

    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override {
        PyArray_Descr* dtype = nullptr;
        for (Py_ssize_t i = 0; i < count; ++i) {
            if (numbers_ && is_number(args[i])) continue;
            PyArray_Descr* own = dtype_of(args[i]);
            if (!own || own->kind != 'f' || (dtype && own != dtype)) return not_implemented();
            dtype = own;
        }
        return names || !dtype ? not_implemented() : run(args, count, nullptr);
    }

  private:
    bool numbers_;
};

// A function (tensors, dim=0) of a list or tuple of tensors of one dtype is an operation on these.
class Joined : public OfOperation {
  public:
    using OfOperation::OfOperation;

    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override {
        if (names || count < 1 || count > 2) return not_implemented();
        if (!PyList_CheckExact(args[0]) && !PyTuple_CheckExact(args[0])) return not_implemented();
        PyObject* axis = count == 2 ? args[1] : core->zero.ptr();
        if (!PyLong_CheckExact(axis)) return not_implemented();
        // as a tuple, which nobody changes while the operation runs
        const nb::object tensors = owned(PySequence_Tuple(args[0]));
        PyObject* held = tensors.ptr();
        const Parts parts(&held);
        for (Py_ssize_t i = 0; i < parts.length; ++i) {
            PyArray_Descr* own = dtype_of(parts.items[i]);
            if (!own || own != dtype_of(parts.items[0])) return not_implemented();
        }
        if (!parts.length || Py_SIZE(axis) < 0) return not_implemented();
        return run(parts.items, parts.length, axis);
    }
};

// A function (input, key) of a key of ints, slices from int to int and None is an operation on the
// input, whose parameter is the key as a tuple that ends in `...`.
class Indexed : public OfOperation {
  public:
    using OfOperation::OfOperation;

    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override {
        if (names || count != 2 || !array_of(args[0])) return not_implemented();
        const Parts parts(args + 1);
        if (!std::all_of(parts.items, parts.items + parts.length, is_plain))
            return not_implemented();
        const nb::object key = owned(PyTuple_New(parts.length + 1));
        for (Py_ssize_t i = 0; i < parts.length; ++i)
            PyTuple_SET_ITEM(key.ptr(), i, Py_NewRef(parts.items[i]));
        PyTuple_SET_ITEM(key.ptr(), parts.length, Py_NewRef(Py_Ellipsis));
        return run(args, 1, key.ptr());
    }

  private:
    static bool is_bound(PyObject* x) { return x == Py_None || PyLong_CheckExact(x); }
    static bool is_plain(PyObject* part) {
        if (!PySlice_Check(part)) return is_bound(part);
        const auto* slice = reinterpret_cast<PySliceObject*>(part);
        return is_bound(slice->start) && is_bound(slice->stop) && slice->step == Py_None;
    }
};

// A function (input, *sizes), or of sizes in a tuple, one of which may be -1 for what remains, is
// an operation whose parameter is the shape. Unless it `copies`, of an array in row-major order.
class Reshaped : public OfOperation {
  public:
    Reshaped(nb::object call, bool copies) : OfOperation(call), copies_(copies) {}

    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override {
        PyArrayObject* array = names || count < 2 ? nullptr : array_of(args[0]);
        if (!array || !(copies_ || PyArray_IS_C_CONTIGUOUS(array))) return not_implemented();
        Parts sizes(args + 1);
        if (count > 2) sizes.items = args + 1, sizes.length = count - 1;
        const nb::object shape = owned(PyTuple_New(sizes.length));
        npy_intp rest = PyArray_SIZE(array);  // elements for the sizes that are still to come
        Py_ssize_t open = -1;                 // where the -1 is
        for (Py_ssize_t i = 0; i < sizes.length; ++i) {
            PyObject* size = sizes.items[i];
            const npy_intp n = PyLong_CheckExact(size) ? as_size(size) : 0;
            if (n == -1 && open < 0) {
                open = i;
                continue;
            }
            if (n < 1 || rest % n) return not_implemented();
            rest /= n;
            PyTuple_SET_ITEM(shape.ptr(), i, Py_NewRef(size));
        }
        if (open < 0 ? rest != 1 : rest == 0) return not_implemented();
        if (open >= 0)
            PyTuple_SET_ITEM(shape.ptr(), open, owned(PyLong_FromSsize_t(rest)).release().ptr());
        return run(args, 1, shape.ptr());
    }

  private:
    // 0 for what is too large.
    static npy_intp as_size(PyObject* size) {
        const npy_intp n = PyLong_AsSsize_t(size);
        if (n != -1 || !PyErr_Occurred()) return n;
        PyErr_Clear();
        return 0;
    }
    bool copies_;
};

// A function that has a mode of its own is `plain` unless the attribute of the state is set.
class Unless : public Way {
  public:
    Unless(nb::object state, nb::object name, nb::object plain)
        : state_(state), name_(name), plain_(plain) {}

    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override {
        if (names || !get(state_.ptr(), name_.ptr()).is_none()) return not_implemented();
        return owned(PyObject_Vectorcall(plain_.ptr(), args, size_t(count), nullptr));
    }
    int traverse(visitproc visit, void* arg) const override {
        Py_VISIT(plain_.ptr());
        return 0;
    }

  private:
    nb::object state_, name_, plain_;
};

nb::object direct(nb::object function, nb::object call, bool numbers) {
    return quick(function, new Direct(call, numbers));
}

nb::object joined(nb::object function, nb::object call) {
    return quick(function, new Joined(call));
}

nb::object indexed(nb::object function, nb::object call) {
    return quick(function, new Indexed(call));
}

nb::object reshaped(nb::object function, nb::object call, bool copies) {
    return quick(function, new Reshaped(call, copies));
}

nb::object unless(nb::object function, nb::object state, nb::object name, nb::object plain) {
    return quick(function, new Unless(state, name, plain));
}

}  // namespace

void bind_ways(nb::module_& m) {
    m.def("direct", &direct);
    m.def("joined", &joined);
    m.def("indexed", &indexed);
    m.def("reshaped", &reshaped);
    m.def("unless", &unless);
}

}  // namespace tallow
